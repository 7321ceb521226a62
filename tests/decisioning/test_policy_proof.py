"""Random histories against a second reading of the law; ``ACERTO_SOAK`` runs the long form."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_checker import Contact, local, open_debts, violations
from policy_worlds import Asked, world

from decisioning.desk import Desk, load_desk
from decisioning.eligibility import Eligibility, Page, eligibility
from decisioning.moments import LocalDays
from decisioning.valuation import Amounts, amount_due_cents, amounts
from domain.clock import from_us, to_us
from features.dossier import Dossier
from features.encoding import Encoded, encode
from features.spine import Spine
from features.state import account_states

LAWS = ("br", "us_reg_f")
SOAK = bool(os.environ.get("ACERTO_SOAK"))
EXAMPLES, SIZE = (110, 60) if SOAK else (8, 25)
SETTINGS = settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
RULE_OF = {
    "on hold": (".hold.",),
    "11 USC 362": (".hold.",),
    "CDC 42": ("br.promise",),
    "within the term": ("us.promise",),
    "LGPD 18": ("br.opt_out",),
    "1006.14(h)": ("us.opt_out",),
    "LGPD 6 V": ("br.contact_point",),
    "1006.6(d)": ("us.contact_point",),
    "a second contact": (".cap.day",),
    "a fourth contact": ("br.cap.week",),
    "a complaint": ("br.cool_down",),
    "CDC 39 IV": ("br.forbearance",),
    "CDC 71: too much": ("br.cap.pressure",),
    "1006.14(a): too much": ("us.cap.pressure",),
    "1006.14(a): pressing": ("us.forbearance",),
    "CC 206": ("br.time_barred",),
    "1006.26": ("us.time_barred",),
    "outside the hours": ("br.window",),
    "1006.6(b)": ("us.window",),
    "SP: ": ("br.do_not_call",),
    "a protest within": ("br.notice",),
    "Lei 14.181": ("br.affordability",),
    "64.1200": ("us.consent",),
    "1006.14(b)(2)(i)(A)": ("us.cap.seven",),
    "1006.14(b)(2)(i)(B)": ("us.cool_down",),
    "a protest nobody": ("action.approval",),
    "the offer is not open": ("offer.days",),
    "the offer is below": ("offer.amount",),
    "no consent": ("channel.consent",),
    "the debtor took": ("channel.consent",),
}
"""Which rules answer to which words of the second reading."""
PARTS = sorted({part for parts in RULE_OF.values() for part in parts})
ALONE = {"nobody knows what time it is there", "nothing is owed any more"}
LATER = st.integers(0, 2**63 - 1)
COUNTED: Counter[str] = Counter()


@lru_cache
def _desk(law: str) -> Desk:
    from pathlib import Path

    from decisioning.contact_policy import load_contact_policy

    configs = Path(__file__).parents[2] / "configs"
    desk = load_desk(configs)
    policy = load_contact_policy(configs / "contact_policy", [law], channels=desk.catalogue.channels)
    return replace(desk, contact_policy=policy)


def _page(encoded: Encoded, law: str, account: np.ndarray, as_of_us: np.ndarray) -> Page:
    catalogue = _desk(law).catalogue
    spine = Spine(account.astype(np.int32), as_of_us.astype(np.int64))
    states = account_states(encoded, spine, channels=catalogue.channels)
    asked = amounts(amount_due_cents(states), catalogue.actions, balance_cents=states.balance_cents)
    days = LocalDays(spine.as_of_us, states.local_day, states.zone, states.zone_names)
    return Page(states, days, catalogue, asked, Dossier(encoded, spine))


def _asked(seed: int, law: str) -> tuple[np.random.Generator, list[Asked], Page]:
    rng = np.random.default_rng(seed)
    asked, tables = world(rng, law, SIZE)
    encoded = encode(tables, attributes={})
    account = np.array([encoded.account_ids.index(one.account) for one in asked])
    moments = np.array([to_us(one.as_of) for one in asked])
    return rng, asked, _page(encoded, law, account, moments)


def _judged(page: Page, law: str, *, now: bool = False) -> Eligibility:
    return eligibility(page, _desk(law).contact_policy, now=now)


def _contacts(law: str, account: str) -> Iterator[tuple[int, Contact]]:
    """Every action but ``wait``, as the checker sees it."""
    config = _desk(law).catalogue.config
    for place, action in enumerate(_desk(law).catalogue.actions[1:], start=1):
        yield place, Contact(account, action.channel, config.offers[action.offer].model_dump(exclude_none=True))


@pytest.mark.parametrize("law", LAWS)
@given(seed=LATER)
@SETTINGS
def test_no_allowed_action_breaks_the_law_whenever_it_is_carried_out(law: str, seed: int) -> None:
    rng, asked, page = _asked(seed, law)
    found = _judged(page, law)
    for row, one in enumerate(asked):
        if not open_debts(one.history, one.account, one.as_of):
            # Paid, and known to be paid: not one contact more, on any channel.
            COUNTED[f"{law}, after all was paid"] += len(found.names) - 1
            assert not found.allowed[row, 1:].any()
        for place, contact in _contacts(law, one.account):
            COUNTED[f"{law}, judged"] += 1
            if not found.allowed[row, place]:
                continue
            first, end = int(found.not_before_us[row, place]), int(found.valid_until_us[row, place])
            assert to_us(one.as_of) <= first < end
            for at_us in {first, int(rng.integers(first, end)), end - 1}:
                COUNTED[f"{law}, carried out"] += 1
                broken = violations(one.history, contact, law, decided=one.as_of, at=from_us(at_us))
                assert not broken, (broken, contact.channel, one.account, one.as_of, from_us(at_us))


@pytest.mark.parametrize("law", LAWS)
@given(seed=LATER)
@SETTINGS
def test_what_may_be_done_at_a_moment_is_exactly_what_the_law_lets_be_done(law: str, seed: int) -> None:
    _, asked, page = _asked(seed, law)
    found = _judged(page, law, now=True)
    hours = [action.hours for action in _desk(law).catalogue.actions]
    for row, one in enumerate(asked):
        for place, contact in _contacts(law, one.account):
            COUNTED[f"{law}, at the moment"] += 1
            broken = violations(one.history, contact, law, decided=one.as_of, at=one.as_of)
            said = {finding.origin.rule for finding in found.findings if finding.refused[row, place]}
            case = broken, said, contact.channel, one.account, one.as_of
            lawful = not broken and _within(hours[place], one)
            assert bool(found.allowed[row, place]) is lawful, case
            # Rule by rule, too: one refusal must not hide that another is missing.
            parts = {part for part in PARTS if any(part in rule for rule in said)}
            assert ALONE & {*broken} or _named(broken) == parts, case


def _named(broken: list[str]) -> set[str]:
    """Parts of the ids of the rules that stand for what is broken."""
    return {part for words in broken for start, parts in RULE_OF.items() if words.startswith(start) for part in parts}


def _within(hours: tuple[int, int], one: Asked) -> bool:
    zone = one.history.accounts[one.account]["zone"]
    return hours[0] <= local(one.as_of, zone).hour < hours[1]


@pytest.mark.parametrize("law", LAWS)
@given(seed=LATER)
@SETTINGS
def test_each_refusal_ends_when_it_says_and_not_a_microsecond_before(law: str, seed: int) -> None:
    rng, _, page = _asked(seed, law)
    found = _judged(page, law, now=True)
    cases = [
        (finding, int(row), int(action))
        for finding in found.findings
        for row, action in zip(*np.nonzero(finding.refused & (finding.until_us > 0)), strict=True)
    ]
    picked = [cases[place] for place in rng.permutation(len(cases))[:60]]
    for step, refused in ((0, False), (-1, True)):
        rows = np.array([row for _, row, _ in picked], dtype=np.int64)
        moments = np.array([finding.until_us[row, action] + step for finding, row, action in picked], dtype=np.int64)
        later = _judged(_frozen(page, rows, moments, law), law, now=True)
        for place, (finding, _, action) in enumerate(picked):
            COUNTED[f"{law}, ends of refusals"] += 1
            if moments[place] < page.days.as_of_us[rows[place]]:
                continue
            still = any(
                other.refused[place, action] for other in later.findings
                if other.origin.rule == finding.origin.rule
            )  # fmt: skip
            assert still is refused, (finding.origin.rule, page.catalogue.names()[action], from_us(int(moments[place])))


@pytest.mark.parametrize("law", LAWS)
@given(seed=LATER)
@SETTINGS
def test_a_refused_action_as_a_whole_is_allowed_when_it_says_and_never_before(law: str, seed: int) -> None:
    rng, _, page = _asked(seed, law)
    found = _judged(page, law, now=True)
    opens = found.openings
    known = ~found.allowed & (opens.at_us < np.iinfo(np.int64).max)
    cases = list(zip(*np.nonzero(known), strict=True))
    picked = [cases[place] for place in rng.permutation(len(cases))[:40]]
    rows = np.array([row for row, _ in picked], dtype=np.int64)
    actions = np.array([action for _, action in picked], dtype=np.int64)
    at_us, start = opens.at_us[rows, actions], page.days.as_of_us[rows]
    shares = rng.uniform(size=(6, len(rows)))
    before = [np.minimum(start + (share * (at_us - start)).astype(np.int64), at_us - 1) for share in shares]
    for moments, allowed in [(at_us, True), (at_us - 1, False), *((some, False) for some in before)]:
        later = _judged(_frozen(page, rows, moments, law), law, now=True)
        for place, action in enumerate(actions.tolist()):
            COUNTED[f"{law}, openings"] += 1
            assert bool(later.allowed[place, action]) is allowed, page.catalogue.names()[action]


def _frozen(page: Page, rows: np.ndarray, moments: np.ndarray, law: str) -> Page:
    """Some rows at later moments, nothing new being known: what was unknown at their first moment stays so."""
    assert page.dossier is not None
    encoded = _until(page.dossier.encoded, page, rows)
    later = _page(encoded, law, page.states.spine.account[rows], moments)
    # What is asked for stays what it is: what will fall due, and accrue, by then is another offer.
    return replace(later, asked=Amounts(**{one.name: getattr(page.asked, one.name)[rows] for one in fields(Amounts)}))


def _until(encoded: Encoded, page: Page, rows: np.ndarray) -> Encoded:
    """The ledgers without the rows that their account's moment did not see."""
    as_of = dict(zip(page.states.spine.account.tolist(), page.days.as_of_us.tolist(), strict=True))
    debtor_as_of = {int(encoded.debtor[account]): moment for account, moment in as_of.items()}
    columns: dict[str, Any] = {"accounts": encoded.tables.columns["accounts"]}
    for table in encoded.tables.columns:
        if table == "accounts":
            continue
        account = encoded.account_of(table)
        seen_by = np.array([debtor_as_of[int(encoded.debtor[one])] for one in account.tolist()], dtype=np.int64)
        occurred, recorded = encoded.tables.ints(table, "occurred_at"), encoded.tables.ints(table, "recorded_at")
        keep = np.flatnonzero((occurred < seen_by) & (recorded < seen_by))
        found = encoded.tables.columns[table]
        columns[table] = {
            name: data.take(keep) if hasattr(data, "values") else data[keep] for name, data in found.items()
        }
        for name in ("released_at", "resolved_at"):
            if name in columns[table]:
                # What was not known to be over at the moment is never known to be.
                over = columns[table][name] >= seen_by[keep]
                columns[table][name] = np.where(over, np.iinfo(np.int64).min, columns[table][name])
    return encode(type(encoded.tables)(columns), attributes={})


@pytest.mark.skipif(not SOAK, reason="the long form alone makes as many checks")
def test_the_long_form_makes_a_million_checks() -> None:
    print()  # noqa: T201
    for name, number in sorted(COUNTED.items()):
        print(f"{name}: {number:,}")  # noqa: T201  # the record of the long form
    print(f"checks: {sum(COUNTED.values()):,}; violations: 0")  # noqa: T201
    assert sum(COUNTED.values()) >= 1_000_000
