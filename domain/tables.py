"""The canonical tables: which columns each has, what they hold, and how they stand in memory.

A data directory, a request body and the simulator all end in the same ``Tables``: one dictionary of numpy columns per
table, so that everything after it is written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING
from domain.coded import Coded

Kind = Literal["id", "text", "code", "money", "cost", "moment", "day", "number", "integer", "list"]
"""``id`` and ``text`` are strings; ``code`` a string of a closed vocabulary; ``money`` int64 cents; ``cost`` a float
with four places; ``moment`` int64 microseconds UTC; ``day`` int64 days since 1970; ``list`` texts joined by ``|``."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a canonical table; ``codes`` is its vocabulary where it is closed."""

    name: str
    kind: Kind
    required: bool = False
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One canonical table: its columns in order, and which of them identifies a row."""

    name: str
    id_column: str
    columns: tuple[Column, ...]
    required: bool = False

    def column(self, name: str) -> Column | None:
        """The column of that name, or ``None``."""
        return next((column for column in self.columns if column.name == name), None)


DEBT_EVENT_KINDS = (
    "interest", "fine", "fee", "discount", "correction", "write_off", "cancelled", "renegotiated", "reinstated",
    "assigned", "recalled", "bureau_listed", "bureau_removed", "protested", "protest_cancelled",
)  # fmt: skip
RESPONSE_KINDS = (
    "delivered", "bounced", "read", "clicked", "replied", "answered", "no_answer", "voicemail", "hung_up",
    "right_party", "wrong_party", "refused", "blocked", "opted_out", "complained", "disputed", "inbound",
    "portal_visit", "offer_simulated", "offer_abandoned", "offer_accepted",
)  # fmt: skip
PAYMENT_METHODS = ("pix", "boleto", "card", "other")
"""Payment methods told apart; any other name counts as ``other``."""
PROMISE_KINDS = ("promise", "agreement", "slip")
PROMISE_OUTCOMES = ("kept", "broken", "cancelled", "replaced")
CONSENT_STATUSES = ("granted", "revoked", "invalid")
HOLD_KINDS = (
    "dispute", "hardship", "vulnerable", "over_indebted", "bankruptcy", "deceased", "attorney", "legal", "fraud",
)  # fmt: skip
HOLD_SCOPES = ("account", "debtor")
REASONS = (
    "unemployment", "income_drop", "forgot", "no_plan", "offer_mismatch", "not_recognised", "already_paid",
    "fraud_suspected", "dispute", "illness", "other",
)  # fmt: skip


def _columns(text: str, *, codes: Mapping[str, tuple[str, ...]] | None = None) -> tuple[Column, ...]:
    """Columns from ``name:kind`` words; a trailing ``*`` on the name makes it required."""
    vocabulary = codes or {}
    columns = []
    for word in text.split():
        name, _, kind = word.partition(":")
        bare = name.rstrip("*")
        columns.append(Column(bare, kind, name.endswith("*"), vocabulary.get(bare, ())))  # type: ignore[arg-type]
    return tuple(columns)


TABLES: dict[str, TableSpec] = {
    spec.name: spec
    for spec in (
        TableSpec(
            "accounts",
            "account_id",
            _columns(
                "account_id*:id debtor_id:id opened_at:moment creditor:text product:text region:text timezone:text "
                "birth_year:integer recorded_at:moment"
            ),
            required=True,
        ),
        TableSpec(
            "debts",
            "debt_id",
            _columns(
                "debt_id*:id account_id*:id amount*:money due_on*:day occurred_at*:moment recorded_at:moment "
                "contract_id:id promise_id:id product:text penalty_pct:number monthly_interest_pct:number"
            ),
            required=True,
        ),
        TableSpec(
            "debt_events",
            "event_id",
            _columns(
                "event_id*:id account_id*:id debt_id*:id kind*:code amount:money occurred_at*:moment "
                "recorded_at:moment promise_id:id",
                codes={"kind": DEBT_EVENT_KINDS},
            ),
        ),
        TableSpec(
            "payments",
            "payment_id",
            _columns(
                "payment_id*:id account_id*:id amount*:money occurred_at*:moment recorded_at:moment debt_id:id "
                "promise_id:id method:text"
            ),
            required=True,
        ),
        TableSpec(
            "contacts",
            "contact_id",
            _columns(
                "contact_id*:id account_id*:id channel*:text occurred_at*:moment recorded_at:moment debt_id:id "
                "contact_point_id:id offer:text cost:cost duration_s:number decision_id:id"
            ),
        ),
        TableSpec(
            "responses",
            "response_id",
            _columns(
                "response_id*:id account_id*:id kind*:code occurred_at*:moment recorded_at:moment contact_id:id "
                "channel:text contact_point_id:id reason:code",
                codes={"kind": RESPONSE_KINDS, "reason": REASONS},
            ),
        ),
        TableSpec(
            "promises",
            "promise_id",
            _columns(
                "promise_id*:id account_id*:id kind:code amount:money discount_amount:money down_payment:money "
                "due_on:day instalments:integer offer:text debt_id:id decision_id:id occurred_at*:moment "
                "recorded_at:moment resolved_at:moment outcome:code",
                codes={"kind": PROMISE_KINDS, "outcome": PROMISE_OUTCOMES},
            ),
        ),
        TableSpec(
            "consents",
            "consent_id",
            _columns(
                "consent_id:id account_id*:id channel*:text status*:code contact_point_id:id expires_at:moment "
                "occurred_at*:moment recorded_at:moment",
                codes={"status": CONSENT_STATUSES},
            ),
        ),
        TableSpec(
            "holds",
            "hold_id",
            _columns(
                "hold_id:id account_id*:id kind*:code debt_id:id scope:code occurred_at*:moment recorded_at:moment "
                "released_at:moment",
                codes={"kind": HOLD_KINDS, "scope": HOLD_SCOPES},
            ),
        ),
        TableSpec(
            "approvals",
            "approval_id",
            _columns(
                "approval_id*:id account_id*:id action*:text approved_by:text expires_at:moment occurred_at*:moment "
                "recorded_at:moment"
            ),
        ),
        TableSpec(
            "decisions",
            "decision_id",
            _columns(
                "decision_id*:id account_id*:id decided_at*:moment channel*:text offer*:text moment*:text "
                "action_prob*:number channel_prob:number arm:text eligible:list refusal_codes:list policy:text "
                "policy_version:text recorded_at:moment"
            ),
        ),
    )
}
VALUE_DEFAULTS: dict[tuple[str, str], str | float] = {
    ("debts", "penalty_pct"): 0.0,
    ("debts", "monthly_interest_pct"): 0.0,
    ("promises", "kind"): "promise",
    ("holds", "scope"): "account",
}
"""What a missing value stands for, by table and column, wherever rows come from."""
COPIED_DEFAULTS = {("accounts", "debtor_id"): "account_id", ("debts", "contract_id"): "debt_id"}
"""Columns which, where they are missing, are what another column of the row is."""
OPTIONAL_TABLES = tuple(name for name, spec in TABLES.items() if not spec.required)


ColumnData = npt.NDArray[np.int64] | npt.NDArray[np.float64] | Coded
TableData = Mapping[str, ColumnData]


@dataclass(frozen=True, slots=True)
class Tables:
    """Canonical tables in memory: the one form in which data files, requests and the simulator hand them on.

    ``columns[table]`` holds columns of ``TABLES[table]`` (and, for accounts, the declared attributes), all of one
    length; one that is not there has its default, or no value, in every row. They are ``Coded`` for id, text, code and
    list columns; int64 for money (cents), moments (µs UTC), days and integers, with ``clock.MISSING`` for no value;
    float64 for numbers and costs, with ``NaN``. ``recorded_at`` is always filled:
    where it is not given it is ``occurred_at`` (``decided_at`` for decisions, ``MISSING`` for accounts: always known).
    A table that is not in ``columns`` was absent, which means unknown; an empty one means that nothing happened.
    """

    columns: Mapping[str, TableData] = field(default_factory=dict)

    def has(self, table: str) -> bool:
        """Whether the table was given at all, be it empty."""
        return table in self.columns

    def rows(self, table: str) -> int:
        """Number of rows; 0 for an absent table."""
        data = self.columns.get(table)
        return len(data[next(iter(data))]) if data else 0

    def _column(self, table: str, column: str) -> ColumnData:
        found = self.columns[table].get(column)
        return self._missing(table, column) if found is None else found

    def _missing(self, table: str, column: str) -> ColumnData:
        """A column that was not given: its default throughout, or no value."""
        copied = COPIED_DEFAULTS.get((table, column))
        if copied:
            return self.columns[table][copied]
        known, rows = TABLES[table].column(column), self.rows(table)
        default = VALUE_DEFAULTS.get((table, column))
        if known is None or known.kind in ("id", "text", "code", "list"):
            values = () if default is None else (str(default),)
            return Coded(np.full(rows, len(values) - 1, dtype=np.int32), values)
        if known.kind in ("number", "cost"):
            return np.full(rows, np.nan if default is None else float(default))
        return np.full(rows, MISSING, dtype=np.int64)

    def text(self, table: str, column: str) -> Coded:
        """A text-like column."""
        data = self._column(table, column)
        assert isinstance(data, Coded)  # the schema says which columns are coded
        return data

    def ints(self, table: str, column: str) -> npt.NDArray[np.int64]:
        """A column of cents, moments, days or integers."""
        data = self._column(table, column)
        assert not isinstance(data, Coded)
        return data.astype(np.int64, copy=False)

    def floats(self, table: str, column: str) -> npt.NDArray[np.float64]:
        """A column of plain numbers."""
        data = self._column(table, column)
        assert not isinstance(data, Coded)
        return data.astype(np.float64, copy=False)
