"""What is told of exclusions, against counts made by hand and by plain loops."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exclusion_counts import refused_pairs, rule
from hypothesis import given, settings
from hypothesis import strategies as st

from decisioning.exclusions import Exclusions, Segmentation, decision_segments, exclusions
from decisioning.exclusions.causes import rules_away, smallest_cause
from decisioning.exclusions.figures import LAYERS, STAGES, Funnel
from decisioning.exclusions.record import beside, read_exclusions, write_exclusions
from domain.actions import WAIT, ActionCatalogue, ActionsConfig
from domain.decisions import Candidate, Decision, LostToBudget, Refusal
from domain.errors import DataError

SETTINGS = settings(max_examples=40, deadline=None)
CATALOGUE = ActionCatalogue(
    ActionsConfig.model_validate(
        {
            "channels": {
                "sms": {"unit_cost": 0.1, "intrusiveness": 0.2},
                "agent_call": {"unit_cost": 5.0, "intrusiveness": 0.9},
            },
            "offers": {"none": {"kind": "none"}, "disc10": {"kind": "discount", "discount_pct": 10}},
            "moments": {"morning": {"hours": [8, 12]}},
        }
    )
)
ACTIONS = CATALOGUE.names()[1:]
SMS, SMS_10, CALL, CALL_10 = ACTIONS
RULES = {
    "hold": "eligible", "owes": "eligible", "notice": "applicable", "consent": "suitable", "promise": "suitable",
    "cap": "limit", "hours": "limit", "budget.sms.contacts": "limit",
}  # fmt: skip
BUDGETS = {rule for rule in RULES if rule.startswith("budget.")}
Pairs = set[tuple[str, str]]


def refusal(action: str, rule: str) -> Refusal:
    return Refusal(action, rule, rule.upper().replace(".", "_"), None, layer=RULES[rule])


def decision(
    name: str = "a", pairs: Pairs = frozenset(), *, action: str = WAIT, arm: str = "policy", p_pay: float = 0.2,
    due_cents: int = 30_000,
) -> Decision:  # fmt: skip
    """A decision with the refusals of some pairs of action and rule; what it lost to a budget is one of them."""
    channel, offer, moment = action.split("/")
    chosen = Candidate(action, True, p_pay, 0, 0.0, 0.0, 0.0, 0, 0, 0, 0, 0)
    lost = next(
        (LostToBudget(one, rule, "BUDGET", 1.0, 1.0, 1.0, 1.0, 0, "") for one, rule in pairs if rule in BUDGETS), None
    )
    return Decision(
        decision_id=name, account_id=name, decided_at_us=0, action=action, channel=channel, offer=offer, moment=moment,
        action_prob=1.0, channel_prob=1.0, arm=arm, p_pay={30: p_pay}, chosen=chosen, runner_up=None, debt_ids=(),
        amount_due_cents=due_cents, not_before_us=0, valid_until_us=1, reasons=(),
        refusals=tuple(refusal(*pair) for pair in sorted(pairs)), model_version="1", policy_version="p",
        schema_fingerprint="s", lost_to_budget=lost,
    )  # fmt: skip


@st.composite
def portfolios(draw: st.DrawFn) -> list[Decision]:
    """Decisions as the engine records them: a budget is asked last, and a refused action is never chosen."""
    found = []
    for row in range(draw(st.integers(0, 7))):
        policy = draw(st.sets(st.tuples(st.sampled_from(ACTIONS), st.sampled_from(sorted(set(RULES) - BUDGETS)))))
        allowed = sorted(set(ACTIONS) - {action for action, _ in policy})
        lost = draw(st.sampled_from([None, *allowed]))
        pairs = policy if lost is None else policy | {(lost, "budget.sms.contacts")}
        action = draw(st.sampled_from([WAIT, *(one for one in allowed if one != lost)]))
        arm = draw(st.sampled_from(["policy", "holdout"]))
        p_pay, due = draw(st.floats(0, 1)), draw(st.integers(0, 2_000_000))
        found.append(decision(f"a{row}", pairs, action=action, arm=arm, p_pay=p_pay, due_cents=due))
    return found


def counts(funnel: Funnel) -> list[tuple[int, int]]:
    return [(stage.accounts, stage.pairs) for stage in funnel.stages]


# By hand: three accounts, four actions.
#   a is on hold, and a cap is reached on its calls: nothing is allowed.
#   b has no consent for SMS, and an agent's call with a discount is lost to a budget; it gets the call without one.
#   c may get all of it, and waits.
THREE = [
    decision("a", {(action, "hold") for action in ACTIONS} | {(CALL, "cap"), (CALL_10, "cap")}),
    decision("b", {(SMS, "consent"), (SMS_10, "consent"), (CALL_10, "budget.sms.contacts")}, action=CALL),
    decision("c"),
]


@pytest.fixture(scope="module")
def three() -> Exclusions:
    return exclusions(THREE, CATALOGUE)


def test_three_accounts_fall_out_where_they_do_by_hand(three: Exclusions) -> None:
    assert counts(three.total) == [(3, 12), (2, 8), (2, 8), (2, 6), (2, 6), (2, 5), (1, 1)]


def test_a_channel_has_a_funnel_of_its_own(three: Exclusions) -> None:
    assert {part.label: counts(part) for part in three.channels} == {
        "sms": [(3, 6), (2, 4), (2, 4), (1, 2), (1, 2), (1, 2), (0, 0)],
        "agent_call": [(3, 6), (2, 4), (2, 4), (2, 4), (2, 4), (2, 3), (1, 1)],
    }


def test_what_a_rule_refuses_alone_is_less_where_another_refuses_it_too(three: Exclusions) -> None:
    hold = rule(three, "hold")
    assert (hold.accounts, hold.pairs, hold.alone_accounts, hold.alone_pairs) == (1, 4, 1, 2)
    assert (hold.whole_accounts, hold.keeps_waiting) == (1, 1)


def test_a_rule_that_another_one_always_covers_refuses_nothing_alone(three: Exclusions) -> None:
    cap = rule(three, "cap")
    assert (cap.pairs, cap.alone_pairs, cap.alone_accounts, cap.keeps_waiting) == (2, 0, 0, 0)


def test_a_rule_is_told_by_channel(three: Exclusions) -> None:
    told = {name: (one.accounts, one.pairs, one.alone_pairs) for name, one in rule(three, "hold").channels.items()}
    assert told == {"sms": (1, 2, 2), "agent_call": (1, 2, 0)}


def test_a_budget_is_a_layer_of_its_own_after_what_is_allowed(three: Exclusions) -> None:
    assert rule(three, "budget.sms.contacts").layer == "budget"


def test_the_hold_is_why_the_first_account_only_waits(three: Exclusions) -> None:
    assert [(cause.rules, cause.codes, cause.accounts) for cause in three.only_wait.causes] == [
        (("hold",), ("HOLD",), 1)
    ]


def test_who_waits_is_told_by_why(three: Exclusions) -> None:
    waits = three.waits
    assert (waits.accounts, waits.no_action, waits.control_arm, waits.lost_to_budget, waits.by_choice) == (
        2,
        1,
        0,
        0,
        1,
    )


def test_rules_that_refuse_most_pairs_come_first(three: Exclusions) -> None:
    assert [one.rule for one in three.rules] == ["hold", "consent", "cap", "budget.sms.contacts"]


def test_two_rules_that_need_each_other_are_named_together() -> None:
    split = decision("a", {(SMS, "consent"), (SMS_10, "consent"), (CALL, "cap"), (CALL_10, "cap"), (CALL_10, "notice")})
    assert exclusions([split], CATALOGUE).only_wait.causes[0].rules == ("consent", "cap")


def test_the_distance_to_an_action_is_the_fewest_rules_on_any() -> None:
    far = decision("a", {(action, name) for action in ACTIONS for name in ("hold", "cap")})
    near = decision("b", {(action, "cap") for action in ACTIONS})
    assert exclusions([far, near], CATALOGUE).only_wait.rules_away == {1: 1, 2: 1}


def test_no_decisions_are_told_as_none() -> None:
    nobody = exclusions([], CATALOGUE)
    assert (nobody.accounts, nobody.decided_at, nobody.rules, nobody.segments) == (
        0, None, (), {"p_pay_30d": (), "amount_due": ()},
    )  # fmt: skip


@given(found=portfolios())
@SETTINGS
def test_every_stage_is_a_part_of_the_one_before(found: list[Decision]) -> None:
    told = exclusions(found, CATALOGUE)
    for funnel in (told.total, *told.channels, *(part for parts in told.segments.values() for part in parts)):
        for before, after in zip(funnel.stages, funnel.stages[1:], strict=False):
            assert after.accounts <= before.accounts and after.pairs <= before.pairs


@given(found=portfolios())
@SETTINGS
def test_stages_agree_with_plain_loops(found: list[Decision]) -> None:
    told = exclusions(found, CATALOGUE).total
    for place, stage in enumerate(STAGES[:-1]):
        asked = {name for name, layer in RULES.items() if LAYERS.index("budget" if name in BUDGETS else layer) < place}
        left = [
            {action for action in ACTIONS if not any(r.action == action and r.rule in asked for r in one.refusals)}
            for one in found
        ]
        assert (told.at(stage).accounts, told.at(stage).pairs) == (sum(map(bool, left)), sum(map(len, left)))


@given(found=portfolios())
@SETTINGS
def test_segments_and_channels_add_up_to_all_pairs(found: list[Decision]) -> None:
    told = exclusions(found, CATALOGUE)
    for parts in (told.channels, *told.segments.values()):
        for name in STAGES:
            assert sum(part.at(name).pairs for part in parts) == told.total.at(name).pairs


@given(found=portfolios())
@SETTINGS
def test_segments_hold_every_account_once(found: list[Decision]) -> None:
    told = exclusions(found, CATALOGUE)
    for parts in told.segments.values():
        for name in STAGES:
            assert sum(part.at(name).accounts for part in parts) == told.total.at(name).accounts


@given(found=portfolios())
@SETTINGS
def test_who_is_counted_as_only_waiting_has_no_allowed_action(found: list[Decision]) -> None:
    stuck = [
        one for one in found
        if set(ACTIONS) == {refused.action for refused in one.refusals if refused.rule not in BUDGETS}
    ]  # fmt: skip
    told = exclusions(found, CATALOGUE)
    assert told.only_wait.accounts == told.waits.no_action == len(stuck)
    assert told.only_wait.accounts == told.accounts - told.total.at("allowed").accounts


@given(found=portfolios())
@SETTINGS
def test_every_account_waits_for_one_reason_or_acts(found: list[Decision]) -> None:
    told = exclusions(found, CATALOGUE)
    waits = told.waits
    assert waits.accounts == waits.no_action + waits.control_arm + waits.lost_to_budget + waits.by_choice
    assert waits.accounts + told.total.at("chosen").accounts == told.accounts


@given(found=portfolios())
@SETTINGS
def test_a_rule_refuses_no_more_alone_than_at_all(found: list[Decision]) -> None:
    for one in exclusions(found, CATALOGUE).rules:
        assert 0 <= one.keeps_waiting <= one.alone_accounts <= one.accounts
        assert one.whole_accounts <= one.accounts
        assert one.alone_pairs <= one.pairs


@given(found=portfolios())
@SETTINGS
def test_records_without_a_rule_lack_exactly_the_pairs_it_refuses_alone(found: list[Decision]) -> None:
    for one in exclusions(found, CATALOGUE).rules:
        opened = refused_pairs(found) - refused_pairs(found, but=one.rule)
        assert (one.alone_pairs, one.alone_accounts) == (len(opened), len({account for account, _ in opened}))


@given(found=portfolios(), order=st.randoms(use_true_random=False))
@SETTINGS
def test_the_order_of_decisions_plays_no_part(found: list[Decision], order: Any) -> None:
    shuffled = sorted(found, key=lambda _: order.random())
    assert exclusions(shuffled, CATALOGUE) == exclusions(found, CATALOGUE)


def test_more_decisions_than_are_looked_at_at_a_time_are_counted_like_few(three: Exclusions) -> None:
    often = exclusions(THREE * 300, CATALOGUE)
    assert counts(often.total) == [(300 * some, 300 * pairs) for some, pairs in counts(three.total)]
    assert [one.alone_pairs for one in often.rules] == [300 * one.alone_pairs for one in three.rules]


patterns = st.integers(1, 6).flatmap(
    lambda rules: st.lists(
        st.lists(st.booleans(), min_size=rules, max_size=rules).filter(any), min_size=1, max_size=8
    ).map(np.array)
)


@given(refused=patterns)
@SETTINGS
def test_the_cause_refuses_everything_and_no_smaller_set_does(refused: np.ndarray) -> None:
    cause = smallest_cause(refused)
    assert refused[:, list(cause)].any(axis=1).all()
    for smaller in combinations(range(refused.shape[1]), len(cause) - 1):
        assert not refused[:, list(smaller)].any(axis=1).all()


@given(refused=patterns)
@SETTINGS
def test_lifting_fewer_rules_than_the_distance_opens_nothing(refused: np.ndarray) -> None:
    away = rules_away(refused)
    sizes = [
        size for size in range(refused.shape[1] + 1)
        for lifted in combinations(range(refused.shape[1]), size)
        if (~np.delete(refused, lifted, axis=1).any(axis=1)).any()
    ]  # fmt: skip
    assert min(sizes) == away


def test_an_action_that_the_catalogue_has_not_is_refused_with_the_way_out() -> None:
    other = replace(THREE[2], refusals=(Refusal("letter/none/morning", "hold", "HOLD", None, layer="eligible"),))
    with pytest.raises(DataError, match=r"letter/none/morning.*actions\.yaml.*configuration"):
        exclusions([other], CATALOGUE)


def test_a_decision_that_chose_what_it_refuses_is_refused() -> None:
    with pytest.raises(DataError, match="1 decisions that chose an action which they refuse"):
        exclusions([decision("a", {(CALL, "cap")}, action=CALL)], CATALOGUE)


def test_segments_of_other_accounts_are_refused() -> None:
    with pytest.raises(DataError, match="'region' are of 2 accounts, needed 3"):
        exclusions(THREE, CATALOGUE, segments={"region": Segmentation.of(["BR-SP", None])})


def test_own_segments_take_the_place_of_those_that_decisions_tell() -> None:
    cut = {"region": Segmentation.of(["BR-SP", None, "BR-SP"])}
    parts = exclusions(THREE, CATALOGUE, segments=cut).segments["region"]
    assert [(part.label, part.at("candidates").accounts) for part in parts] == [("BR-SP", 2), ("unknown", 1)]


def test_bands_begin_at_their_edge() -> None:
    told = decision_segments([decision("a", p_pay=0.3, due_cents=50_000), decision("b", p_pay=0.29, due_cents=49_999)])
    assert [told["p_pay_30d"].labels[code] for code in told["p_pay_30d"].code] == ["30% to 60%", "10% to 30%"]
    assert [told["amount_due"].labels[code] for code in told["amount_due"].code] == ["500 to 2000", "100 to 500"]


def test_the_figures_come_back_from_their_file(three: Exclusions, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("account_id\na\nb\nc\n", encoding="utf-8")
    write_exclusions(three, path)
    assert read_exclusions(path).model_copy(update={"decisions_sha256": None}) == three


def test_figures_of_other_decisions_are_refused(three: Exclusions, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("account_id\na\nb\nc\n", encoding="utf-8")
    write_exclusions(three, path)
    path.write_text("account_id\na\nb\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"figures of other decisions.*decide again"):
        read_exclusions(path)


def test_decisions_without_their_figures_are_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("account_id\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"d\.csv\.funnel\.json.*acerto decide --out d\.csv"):
        read_exclusions(path)


def test_a_file_that_holds_no_figures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("account_id\n", encoding="utf-8")
    beside(path).write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="no figures of decisions"):
        read_exclusions(path)
