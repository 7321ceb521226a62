"""Running the examples that stand in packs: each is a portfolio of one debtor, judged by the whole pack."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from decisioning.contact_policy.example import ACCOUNT, DEBTOR, Example, Refused
from decisioning.contact_policy.pack import ContactPolicy, Names, Pack, read_pack
from decisioning.contact_policy.rules import Rule
from decisioning.eligibility import Eligibility, Page, eligibility
from decisioning.moments import LocalDays
from decisioning.valuation import amount_due_cents, amounts
from domain.actions import ActionCatalogue, ActionsConfig, Channel, Moment, Offer
from domain.clock import MISSING, rfc3339, to_us
from domain.decisions import Refusal
from domain.errors import ConfigError
from domain.tables import COPIED_DEFAULTS, TABLES, VALUE_DEFAULTS, Column, ColumnData, Tables
from features.dossier import Dossier
from features.encoding import encode
from features.ledger_values import CONVERTERS
from features.spine import Spine
from features.state import account_states
from features.vocabulary import CHANNELS

_DAYS_DUE, _DAYS_ISSUED = 60, 90
_KINDS = {"id": "text", "code": "text", "list": "text", "cost": "number"}


def broken_examples(folder: Path, name: str, *, names: Names) -> tuple[int, list[str]]:
    """How many examples a pack has, and one line for each that does not hold.

    Raises
    ------
    ConfigError : the pack cannot be read, or an example holds a value that its table cannot
    """
    pack = read_pack(folder, name, names=names)
    return len(pack.examples), [line for rule, example in pack.examples for line in problems(pack, rule, example)]


def problems(pack: Pack, rule: Rule, example: Example) -> Iterator[str]:
    """What the pack says to an example where that is not what the example says."""
    place = f"{pack.path}, rule {rule.id}, example {example.says!r}"
    try:
        found = judged(pack, example)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{place}: found a value that its column cannot hold: {error}") from error
    refusals = [one for one in found.refusals()[0] if one.action == f"{example.channel}/offer/day"]
    if isinstance(example.then, Refused):
        yield from (f"{place}: {line}" for line in _not_refused(rule, example.then, refusals))
    elif refusals:
        said = ", ".join(f"{one.code} by {one.rule}" for one in refusals)
        yield f"{place}: found it refused ({said}), needed allowed"


def _not_refused(rule: Rule, then: Refused, refusals: list[Refusal]) -> Iterator[str]:
    own = [one for one in refusals if one.rule == rule.id]
    if not own:
        said = ", ".join(f"{one.code} by {one.rule}" for one in refusals) or "allowed"
        yield f"found {said}, needed {then.refused} by the rule itself"
        return
    if own[0].code != then.refused:
        yield f"found the code {own[0].code}, needed {then.refused}"
    until_us = None if then.until is None else to_us(then.until)
    if own[0].until_us != until_us:
        found, needed = ("no time" if one is None else rfc3339(one) for one in (own[0].until_us, until_us))
        yield f"found it refused until {found}, needed until {needed}"


def judged(pack: Pack, example: Example) -> Eligibility:
    """The example's contact, at its very moment, by all rules of the pack."""
    catalogue = _catalogue(example)
    encoded = encode(_tables(pack, example), attributes={})
    account = np.array([encoded.account_ids.index(ACCOUNT)], dtype=np.int32)
    spine = Spine(account, np.array([to_us(example.at)], dtype=np.int64))
    states = account_states(encoded, spine, channels=catalogue.channels)
    asked = amounts(amount_due_cents(states), catalogue.actions, balance_cents=states.balance_cents)
    days = LocalDays(spine.as_of_us, states.local_day, states.zone, states.zone_names)
    page = Page(states, days, catalogue, asked, Dossier(encoded, spine))
    return eligibility(page, ContactPolicy((pack.file.pack,), pack.rules), now=True)


def _catalogue(example: Example) -> ActionCatalogue:
    channels = {
        name: Channel(unit_cost=0.0, intrusiveness=example.intrusiveness.get(name, 0.0))
        for name in (*CHANNELS, example.channel)
    }
    return ActionCatalogue(
        ActionsConfig(
            channels=channels,
            offers={"none": Offer(kind="none"), "offer": example.offer},
            moments={"day": Moment(hours=(0, 24))},
            gated=[f"{example.channel}/*/*"] if example.gated else [],
        )
    )


def _tables(pack: Pack, example: Example) -> Tables:
    """The example's history; what it leaves out is one debt that has been due for a while, in the pack's region."""
    rows = {table: example.rows(table) for table in example.given}
    if "debts" not in rows:
        due, issued = (example.at - timedelta(days=days) for days in (_DAYS_DUE, _DAYS_ISSUED))
        rows["debts"] = [
            {"debt_id": "d1", "account_id": ACCOUNT, "amount": 1_000.0, "due_on": due.date().isoformat(),
             "occurred_at": issued.isoformat()}
        ]  # fmt: skip
    others = sorted({row["account_id"] for found in rows.values() for row in found} - {ACCOUNT})
    own = {"account_id": ACCOUNT, "debtor_id": DEBTOR, "region": pack.file.region, **example.account}
    accounts = [own, *({**own, "account_id": name} for name in others)]
    declared = [Column(name, "number" if isinstance(value, int | float) else "text")
                for name, value in example.account.items() if TABLES["accounts"].column(name) is None]  # fmt: skip
    found = {"accounts": _columns("accounts", accounts, (*TABLES["accounts"].columns, *declared))}
    for table in ("payments", *rows):
        found[table] = _columns(table, rows.get(table, []), TABLES[table].columns)
    return Tables(found)


def _columns(table: str, rows: list[dict[str, Any]], columns: tuple[Column, ...]) -> dict[str, ColumnData]:
    found: dict[str, ColumnData] = {}
    for column in columns:
        default = VALUE_DEFAULTS.get((table, column.name))
        copied = COPIED_DEFAULTS.get((table, column.name))
        values = [row.get(column.name, row.get(copied, default) if copied else default) for row in rows]
        found[column.name] = CONVERTERS[_KINDS.get(column.kind, column.kind)](values)
    if table != "accounts":
        recorded, occurred = found["recorded_at"], found["decided_at" if table == "decisions" else "occurred_at"]
        assert isinstance(recorded, np.ndarray)
        assert isinstance(occurred, np.ndarray)
        found["recorded_at"] = np.where(recorded == MISSING, occurred, recorded)
    return found
