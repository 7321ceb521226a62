"""Simulated accounts, and a second implementation of what a rule refuses alone: the engine itself, without the rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exclusion_counts import refused_pairs, rule

from decisioning.budgets import Budget
from decisioning.contact_policy import ContactPolicy
from decisioning.contact_policy.kinds import CallWindow, OneContactPerDebtor
from decisioning.desk import Desk, load_desk
from decisioning.engine import decide
from decisioning.exclusions import account_segments, exclusions, wordings
from domain.clock import parse_moment
from domain.decisions import Decision
from features.encoding import Encoded, encode
from features.tables import read_tables
from simulation.portfolio import draw_portfolio
from simulation.world import play

AS_OF = parse_moment("2026-03-02T12:30:00Z")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory, desk: Desk) -> Encoded:
    folder = tmp_path_factory.mktemp("simulated")
    folk = draw_portfolio(300, catalogue=desk.catalogue, rng=np.random.default_rng(11))
    play(folk, out=folder, catalogue=desk.catalogue, tell=lambda _what, _share: None)
    return encode(read_tables(folder, attributes={}), attributes={})


def without(desk: Desk, left_out: str | None, *, among: Any = None) -> Desk:
    """The same desk, draws and all, without one rule; and without the one that looks over a debtor's accounts."""
    rules = tuple(
        one for one in desk.contact_policy.rules if one.id != left_out and not (among and isinstance(one, among))
    )
    return replace(desk, contact_policy=ContactPolicy(desk.contact_policy.packs, rules))


def open_pairs(decisions: Sequence[Decision], desk: Desk) -> set[tuple[str, str]]:
    everything = {(one.account_id, name) for one in decisions for name in desk.catalogue.names()[1:]}
    return everything - refused_pairs(decisions)


def alone_pairs(decisions: Sequence[Decision], name: str) -> set[tuple[str, str]]:
    return refused_pairs(decisions) - refused_pairs(decisions, but=name)


@pytest.mark.parametrize("hour", [3, 11, 20])
def test_deciding_without_a_rule_opens_exactly_the_pairs_it_refuses_alone(
    simulated: Encoded, bundle: Any, desk: Desk, hour: int
) -> None:
    at = AS_OF.replace(hour=hour)
    own = without(desk, None, among=OneContactPerDebtor)
    before = decide(simulated, as_of=at, bundle=bundle, desk=own, explain="none")
    told = exclusions(before, desk.catalogue)
    of_packs = {one.id for one in own.contact_policy.rules}
    checked = 0
    for one in told.rules:
        if one.rule in of_packs:
            after = decide(simulated, as_of=at, bundle=bundle, desk=without(own, one.rule), explain="none")
            opened = open_pairs(after, desk) - open_pairs(before, desk)
            assert opened == alone_pairs(before, one.rule)
            assert one.alone_pairs == len(opened)
            acting = {account for account, _ in open_pairs(before, desk)}
            assert one.keeps_waiting == len({account for account, _ in opened} - acting)
            checked += len(opened)
    assert checked > 0


def test_deciding_without_one_contact_per_debtor_opens_exactly_what_it_refuses(
    simulated: Encoded, bundle: Any, desk: Desk
) -> None:
    before = decide(simulated, as_of=AS_OF, bundle=bundle, desk=desk, explain="none")
    name = next(one.id for one in desk.contact_policy.rules if isinstance(one, OneContactPerDebtor))
    after = decide(simulated, as_of=AS_OF, bundle=bundle, desk=without(desk, name), explain="none")
    told = rule(exclusions(before, desk.catalogue), name)
    assert told.alone_pairs == told.pairs == len(open_pairs(after, desk) - open_pairs(before, desk)) > 0


def test_two_windows_that_leave_no_time_together_are_told_as_together(
    simulated: Encoded, bundle: Any, desk: Desk
) -> None:
    mornings, evenings = (
        CallWindow.model_validate(
            {
                "id": name, "kind": "call_window", "code": code, "legal_basis": "none", "source": "none",
                "effective_from": "2020-01-01", "wording": {"pt-BR": "x", "en": "x"}, "holidays": "open",
                "hours": {day: hours for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
            }
        )
        for name, code, hours in (("first", "FIRST", [8, 14]), ("second", "SECOND", [14, 20]))
    )  # fmt: skip
    only = replace(desk, contact_policy=ContactPolicy((), (mornings, evenings)))
    at = AS_OF - timedelta(hours=4)
    few = np.arange(40)
    found = decide(simulated, as_of=at, bundle=bundle, desk=only, accounts=few, explain="none")
    told = exclusions(found, desk.catalogue)
    assert rule(told, "moment.left").alone_pairs > 0


def test_every_rule_that_refuses_anything_is_told_in_both_languages(
    simulated: Encoded, bundle: Any, desk: Desk
) -> None:
    found = decide(simulated, as_of=AS_OF, bundle=bundle, desk=desk, explain="none")
    told = exclusions(found, desk.catalogue, wording=wordings(desk))
    assert all(one.text["pt-BR"] and one.text["en"] for one in told.rules)


def test_a_wording_is_that_of_the_refusal(simulated: Encoded, bundle: Any, desk: Desk) -> None:
    said = wordings(desk)
    for locale in ("pt-BR", "en"):
        for one in decide(simulated, as_of=AS_OF, bundle=bundle, desk=desk, explain="none", locale=locale):
            assert all(said[found.rule, found.code][locale] == found.text for found in one.refusals)


def test_what_is_scarce_is_told_by_what_it_is_called() -> None:
    desk = load_desk(Path("configs"))
    scarce = desk.config.model_copy(update={"budgets": {"discount": Budget(per_day=10.0)}})
    text = wordings(replace(desk, config=scarce))["budget.discount", "BUDGET_DISCOUNT"]
    assert text["en"] == "Discount budget: what there is brings more on other accounts."


def test_tables_tell_days_past_due_region_and_product(simulated: Encoded, bundle: Any, desk: Desk) -> None:
    found = decide(simulated, as_of=AS_OF, bundle=bundle, desk=desk, explain="none")
    cuts = account_segments(found, simulated, channels=desk.catalogue.channels)
    told = exclusions(found, desk.catalogue, segments=cuts)
    assert list(told.segments) == ["days_past_due", "region", "product"]
    assert all(sum(part.at("candidates").accounts for part in parts) == len(found) for parts in told.segments.values())


def test_accounts_without_region_or_product_are_not_cut_by_them(encoded: Encoded, bundle: Any, desk: Desk) -> None:
    found = decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk, explain="none")
    bare = replace(encoded, tables=type(encoded.tables)(
        {**encoded.tables.columns, "accounts": {
            name: column for name, column in encoded.tables.columns["accounts"].items() if name != "product"}}
    ))  # fmt: skip
    cuts = account_segments(found, bare, channels=desk.catalogue.channels)
    assert "product" not in exclusions(found, desk.catalogue, segments=cuts).segments
