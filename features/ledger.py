"""A ledger of a request, as JSON gives it, straight into sheets: what compiled code links, sorts and scans.

Written for speed: a column is read in one pass over its rows, and times, days and amounts of all tables are converted
together. What does not fit is looked for only once something has failed, and told by table, row and column, never by
its value. ``features.sheets`` says what each field of a sheet is; a test holds both ways into sheets to each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from domain import sheets as of
from domain.balance_entries import Int32s
from domain.clock import MISSING, zone_of
from domain.coded import Coded
from domain.sheets import ACCOUNT, ID, OCCURRED, RECORDED, Sheet
from domain.tables import (
    PAYMENT_METHODS,
    PROMISE_KINDS,
    PROMISE_OUTCOMES,
    REASONS,
    TABLES,
    ColumnData,
    TableData,
    Tables,
)
from features import sheets as at
from features.config import Attribute
from features.encoding import Accounts, Encoded, assembled
from features.ledger_problems import culprit, once
from features.ledger_values import CONVERTERS
from features.sheets import Sheets
from features.vocabulary import CHANNEL_CODES, FACETS, KINDS, OTHER

Ledger = Mapping[str, Any]
_ORDER = ("debts", "contacts", "promises", "debt_events", "payments", "responses", "holds")
"""Every table comes after those that its rows point to."""
_ALWAYS = ("debts", "payments")


def _codes(names: Sequence[str], *, missing: int, unknown: int) -> tuple[dict[str | None, int], int]:
    return {**{name: place for place, name in enumerate(names)}, None: missing}, unknown


_CODES: Mapping[tuple[str, str], tuple[dict[str | None, int], int]] = {
    ("payments", "method"): _codes(PAYMENT_METHODS, missing=-1, unknown=PAYMENT_METHODS.index("other")),
    ("debt_events", "kind"): _codes(KINDS["debt_event"], missing=-1, unknown=-1),
    ("promises", "kind"): _codes(PROMISE_KINDS, missing=0, unknown=-1),
    ("promises", "outcome"): _codes(PROMISE_OUTCOMES, missing=-1, unknown=-1),
    ("contacts", "channel"): _codes(CHANNEL_CODES, missing=len(CHANNEL_CODES) - 1, unknown=len(CHANNEL_CODES) - 1),
    ("contacts", "offer"): ({None: 0, "none": 0}, 1),
    ("responses", "channel"): _codes(CHANNEL_CODES, missing=-1, unknown=len(CHANNEL_CODES) - 1),
    ("responses", "kind"): _codes(KINDS["response"], missing=KINDS["response"].index(OTHER),
                                  unknown=KINDS["response"].index(OTHER)),
    ("responses", "reason"): _codes(REASONS, missing=-1, unknown=-1),
    ("holds", "kind"): _codes(FACETS["hold"], missing=0, unknown=0),
    ("holds", "scope"): ({None: 0, "account": 0, "debtor": 1}, 0),
}  # fmt: skip
_COUNTED = {key for key in _CODES if key not in {("contacts", "offer"), ("payments", "method")}}
_FIELDS: Mapping[str, tuple[tuple[int, str, str], ...]] = {
    "debts": ((of.AMOUNT, "amount", "money"), (of.DUE_DAY, "due_on", "day"), (of.PROMISE, "promise_id", "named"),
              (of.PENALTY_BP, "penalty_pct", "points"), (of.INTEREST_BP, "monthly_interest_pct", "points")),
    "debt_events": ((of.AMOUNT, "amount", "money"), (of.DEBT, "debt_id", "debts"), (of.KIND, "kind", "code"),
                    (of.PROMISE, "promise_id", "promises")),
    "payments": ((of.AMOUNT, "amount", "money"), (of.DEBT, "debt_id", "debts"), (of.KIND, "method", "code"),
                 (of.PROMISE, "promise_id", "promises")),
    "promises": ((of.AMOUNT, "amount", "money"), (of.DEBT, "debt_id", "debts"), (of.KIND, "kind", "code"),
                 (of.DISCOUNT, "discount_amount", "money"), (of.INSTALMENTS, "instalments", "integer"),
                 (of.PROMISE_DUE, "due_on", "day"), (of.RESOLVED, "resolved_at", "moment"),
                 (of.OUTCOME, "outcome", "code")),
    "contacts": ((at.CHANNEL, "channel", "code"), (at.COST, "cost", "cost"), (at.OFFERED, "offer", "code")),
    "responses": ((at.CHANNEL, "channel", "code"), (at.RESPONSE_KIND, "kind", "code"), (at.CONTACT, "contact_id",
                  "contacts"), (at.REASON, "reason", "code")),
    "holds": ((at.HOLD_KIND, "kind", "code"), (at.WHOLE_DEBTOR, "scope", "code"), (at.RELEASED, "released_at",
              "moment")),
}  # fmt: skip
"""Fields of each sheet beyond the six of every table: where, from which column, read how."""
_LINKED = frozenset({"debts", "contacts", "promises"})
_NOWHERE: dict[str | None, int] = {None: of.NONE}
_ABSENT = {"points": 0, "cost": 0, "named": of.NONE, **dict.fromkeys(_LINKED, of.NONE)}
"""What a field holds where no row has its column; amounts and times are missing."""
_ID_COLUMNS = {table: TABLES[table].id_column for table in _FIELDS}
_ACCOUNT_COLUMNS = frozenset(column.name for column in TABLES["accounts"].columns)
_SIZES = {table: 1 + max(field for field, _, _ in fields) for table, fields in _FIELDS.items()}
_NEEDED = {
    table: frozenset(column.name for column in TABLES[table].columns if column.required)
    - {"account_id", TABLES[table].id_column, "occurred_at" if table == "debts" else ""}
    for table in _FIELDS
}
_COLUMNS = {table: frozenset(column.name for column in TABLES[table].columns) for table in _FIELDS}


def encode_ledgers(ledgers: Sequence[Ledger], *, attributes: Mapping[str, Attribute], whole_debtors: bool) -> Encoded:
    """Ledgers of one debtor's accounts, ready to be scanned, in their order.

    Parameters
    ----------
    ledgers : as in a request: ``account_id``, ``account`` with its columns, and a list of rows for each table that is
        known; an absent table is unknown, an empty one says that nothing happened. The first says which are known
    attributes : declared columns that ``account`` may have besides the canonical ones
    whole_debtors : whether these are all accounts of the debtor

    Raises
    ------
    LedgerError : a row lacks a column that it needs, has one that is not known, or holds a value of another kind;
        which, by table, row and column
    """
    reading = _Reading(ledgers)
    try:
        accounts, columns = _accounts(ledgers, attributes)
        for table in _ORDER:
            if ledgers[0].get(table) is not None or table in _ALWAYS:
                reading.table(table)
        reading.convert()
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise culprit(ledgers, attributes) from error
    tables = Tables({"accounts": columns} | reading.ids)
    found = Sheets(*(reading.sheets.get(table, _empty(table)) for table in Sheets._fields))
    return assembled(
        tables, accounts, found, attributes=attributes, whole_debtors=whole_debtors, counted=reading.strange
    )  # fmt: skip


def _empty(table: str) -> Sheet:
    return np.empty((_SIZES[table], 0), dtype=np.int64)


class _Reading:
    """Sheets as they are read; what is converted together waits in ``later`` by its kind, with the field it is for."""

    def __init__(self, ledgers: Sequence[Ledger]) -> None:
        self.ledgers = ledgers
        self.sheets: dict[str, Sheet] = {}
        self.ids: dict[str, dict[str, Any]] = {}
        self.strange: Counter[str] = Counter()
        self._places: dict[str, dict[str | None, int]] = {}
        self._later: dict[str, list[tuple[npt.NDArray[np.int64], list[Any]]]] = {}

    def table(self, table: str) -> None:
        """One table of all ledgers; a row given twice counts once."""
        parts = [ledger.get(table) or () for ledger in self.ledgers]
        rows = list(parts[0]) if len(parts) == 1 else list(chain.from_iterable(parts))
        owner = [] if len(parts) == 1 else [who for who, part in enumerate(parts) for _ in part]
        given: set[str] = set().union(*rows)
        if rows and not (_NEEDED[table] <= given <= _COLUMNS[table]):
            raise KeyError(table)
        texts = self._ids(table, rows, owner)
        places: dict[str | None, int] = dict(zip(texts, range(len(texts)), strict=True))
        codes: Any = np.arange(len(texts), dtype=np.int32)
        if len(places) < len(texts):
            kept = once(table, rows, texts)
            rows, texts = [rows[place] for place in kept], [texts[place] for place in kept]
            owner = [owner[place] for place in kept] if owner else []
            places = {text: place for place, text in enumerate(places)}
            codes = np.array([places[text] for text in texts], dtype=np.int32)
        sheet = self.sheets[table] = np.empty((_SIZES[table], len(rows)), dtype=np.int64)
        sheet[ACCOUNT], sheet[ID] = owner or 0, codes
        self.ids[table] = {_ID_COLUMNS[table]: Coded(codes, tuple(places))}  # type: ignore[arg-type]
        self._places[table] = places
        places[None] = of.NONE
        self._times(sheet, rows, needed="occurred_at" in _NEEDED[table])
        for field, column, kind in _FIELDS[table]:
            values = _values(rows, column) if column in given else None
            self._field((table, column, kind), sheet[field], values, owner)

    def _ids(self, table: str, rows: Sequence[Ledger], owner: list[int]) -> list[str]:
        texts = _values(rows, _ID_COLUMNS[table])
        if None in texts:
            texts = [f"#{place}" if text is None else text for place, text in enumerate(texts)]
        if not {str}.issuperset(map(type, texts)):
            raise TypeError(table)
        return _apart(texts, owner)

    def _times(self, sheet: Sheet, rows: Sequence[Ledger], *, needed: bool) -> None:
        occurred = _values(rows, "occurred_at")
        if needed and None in occurred:
            raise KeyError("occurred_at")
        recorded = _values(rows, "recorded_at")
        if None in recorded:
            recorded = [one if one is not None else two for one, two in zip(recorded, occurred, strict=True)]
        waiting = self._later.setdefault("moment", [])
        waiting.append((sheet[OCCURRED], occurred))
        waiting.append((sheet[RECORDED], recorded))

    def _field(
        self, spot: tuple[str, str, str], field: npt.NDArray[np.int64], values: list[Any] | None, owner: list[int]
    ) -> None:
        """One field of a sheet, from a (table, column, kind); ``values`` is ``None`` where no row has the column."""
        table, column, kind = spot
        if values is None:
            field[:] = _CODES[table, column][0][None] if kind == "code" else _ABSENT.get(kind, MISSING)
            return
        if kind == "code":
            kind, values = "ready", self._coded((table, column), *_CODES[table, column], values)
        elif kind in _LINKED:
            places = self._places.get(kind, _NOWHERE)
            kind, values = "ready", [places.get(text, of.UNKNOWN) for text in _apart(values, owner)]
        elif kind == "named":
            kind, values = "ready", [of.NONE if text is None else 0 for text in values]
        elif column in _NEEDED[table] and None in values:
            raise KeyError(column)
        self._later.setdefault(kind, []).append((field, values))

    def _coded(
        self, key: tuple[str, str], codes: Mapping[str | None, int], unknown: int, values: list[Any]
    ) -> list[int]:  # fmt: skip
        if key[1] in _NEEDED[key[0]] and None in values:
            raise KeyError(key)
        try:
            return [codes[value] for value in values]
        except KeyError:
            strange = [value for value in values if value not in codes]
            if not {str}.issuperset(map(type, strange)):
                raise TypeError(key) from None
            if key in _COUNTED:
                self.strange[f"{key[0]}.{key[1]}"] += len(strange)
            return [codes.get(value, unknown) for value in values]

    def convert(self) -> None:
        """Everything that waits, one conversion for each kind."""
        for kind, waiting in self._later.items():
            found = CONVERTERS[kind](list(chain.from_iterable(values for _, values in waiting)))
            start = 0
            for field, values in waiting:
                field[:] = found[start : start + len(values)]
                start += len(values)


def _values(rows: Sequence[Ledger], name: str) -> list[Any]:
    try:
        return [row[name] for row in rows]
    except KeyError:
        return [row.get(name) for row in rows]


def _apart(texts: list[Any], owner: list[int]) -> list[Any]:
    """Ids of several ledgers, told apart: two of them may both have a ``d1``."""
    if not owner:
        return texts
    return [None if text is None else f"{who}\x1f{text}" for who, text in zip(owner, texts, strict=True)]


def _accounts(ledgers: Sequence[Ledger], attributes: Mapping[str, Attribute]) -> tuple[Accounts, TableData]:
    """One row for each ledger; a debtor without a name is the account."""
    names = tuple(ledger["account_id"] for ledger in ledgers)
    if not all(name and isinstance(name, str) for name in names):
        raise TypeError("account_id")
    rows = [ledger.get("account") or {} for ledger in ledgers]
    if not set().union(*rows) <= _ACCOUNT_COLUMNS | attributes.keys():
        raise KeyError("accounts")
    size = len(rows)
    columns: dict[str, ColumnData] = {"account_id": Coded(np.arange(size, dtype=np.int32), names)}
    times = CONVERTERS["moment"]([row.get(name) for name in ("recorded_at", "opened_at") for row in rows])
    columns["recorded_at"], columns["opened_at"] = times[:size], times[size:]
    for name in ("region", "timezone", "creditor", "product", *attributes):
        values = [row.get(name) for row in rows]
        numeric = name in attributes and attributes[name].kind == "numeric"
        columns[name] = CONVERTERS["number"](values) if numeric else CONVERTERS["text"](values)
    zones = [zone_of(row.get("region"), row.get("timezone")) for row in rows]
    zone_names = tuple(sorted({zone for zone in zones if zone}))
    own = np.array([zone_names.index(zone) if zone else -1 for zone in zones], dtype=np.int32)
    every: Int32s = np.zeros(size, dtype=np.int32)
    offsets = np.arange(size + 1, dtype=np.int64)
    debtor = rows[0].get("debtor_id") or names[0]
    return Accounts(names, (debtor,), every, zone_names, own, own, offsets, offsets[:-1]), columns
