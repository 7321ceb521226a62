"""What the policy adds, told by control arms: by hand, and against made-up portfolios of known effect."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decisioning.config import Objective
from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY, parse_moment, to_day, to_us
from domain.config import load_section
from domain.errors import NotEnoughDataError
from domain.tables import Tables
from features.encoding import encode
from training.arm_lift import Lift, Lifts, Period, arm_lifts
from training.dataset import Horizon

TablesOf = Callable[..., Tables]
NOON_AT = parse_moment("2024-01-15T12:00:00Z")
NOON = to_us(NOON_AT)
CATALOGUE = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
FREE = Objective(complaint_cost=100.0, opt_out_cost=10.0, monthly_discount_rate=0.0)
EACH = 40


def portfolio(arms: list[str], money: list[int]) -> dict[str, list[dict[str, Any]]]:
    """A debtor per entry who owes 1,000.00, is decided on at noon, and pays so many cents ten days later."""
    rows: dict[str, list[dict[str, Any]]] = {"accounts": [], "debts": [], "payments": [], "decisions": []}
    for number, (arm, cents) in enumerate(zip(arms, money, strict=True)):
        name = f"a{number:05d}"
        due_on = to_day(NOON_AT.date()) - 10
        rows["accounts"].append({"account_id": name})
        debt = {"debt_id": f"{name}-1", "account_id": name, "amount": 100_000, "due_on": due_on}
        rows["debts"].append({**debt, "occurred_at": NOON - 20 * US_PER_DAY})
        rows["decisions"].append(
            {
                "decision_id": f"x{number:05d}", "account_id": name, "decided_at": NOON, "arm": arm, "channel": "sms",
                "offer": "none", "moment": "morning", "action_prob": 1.0,
            }
        )  # fmt: skip
        if cents:
            paid = {"account_id": name, "debt_id": f"{name}-1", "amount": cents, "occurred_at": NOON + 10 * US_PER_DAY}
            rows["payments"].append(paid)
    return rows


def compared(tables_of: TablesOf, rows: dict[str, Any], *, days: int = 30, **period: Any) -> Lifts:
    encoded = encode(tables_of(**rows), attributes={})
    return arm_lifts(
        encoded, CATALOGUE, Horizon(NOON + 400 * US_PER_DAY, 3), objective=FREE, period=Period(days, **period)
    )


def lift(found: Lifts, than: str = "holdout") -> Lift:
    return next(one for one in found.lifts if one.than == than)


def halves(policy: int = 20_000, holdout: int = 10_000) -> dict[str, list[dict[str, Any]]]:
    """Forty debtors in each of two arms, of whom every second pays so many cents."""
    money = [*([policy, 0] * (EACH // 2)), *([holdout, 0] * (EACH // 2))]
    return portfolio(["policy"] * EACH + ["holdout"] * EACH, money)


def test_an_uplift_is_the_difference_of_the_means(tables_of: TablesOf) -> None:
    found = lift(compared(tables_of, halves()))
    assert (found.uplift.value, found.per_cent) == pytest.approx((100.0 - 50.0, 100.0))


def test_its_interval_is_that_of_two_samples(tables_of: TablesOf) -> None:
    # Welch: √(s₁²/n + s₂²/n), the samples being 20 × 200.00 and 20 × 0, and half of that.
    deviation = np.std([200.0, 0.0] * (EACH // 2), ddof=1)
    expected = 1.959964 * np.sqrt((deviation**2 + (deviation / 2) ** 2) / EACH)
    found = lift(compared(tables_of, halves()))
    assert found.uplift.high - found.uplift.value == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("policy", "holdout", "verdict"),
    [(90_000, 10_000, "better"), (10_000, 90_000, "worse"), (100, 110, "not_established")],
)
def test_a_verdict_is_given_only_where_the_interval_leaves_zero(
    tables_of: TablesOf, policy: int, holdout: int, verdict: str
) -> None:
    assert lift(compared(tables_of, halves(policy, holdout))).verdict == verdict


def test_contacts_of_all_the_days_are_paid_for(tables_of: TablesOf) -> None:
    rows = halves(0, 0)
    rows["contacts"] = [
        {"account_id": "a00000", "channel": "sms", "occurred_at": NOON + day * US_PER_DAY, "cost": cost}
        for day, cost in ((-1, 7.0), (0, 1.0), (29, 2.0), (30, 7.0))
    ]
    policy = compared(tables_of, rows).arms[0]
    assert (policy.cost, policy.contacts) == pytest.approx((3.0 / EACH, 2.0 / EACH))


def test_a_contact_that_tells_no_cost_costs_what_its_channel_does(tables_of: TablesOf) -> None:
    rows = halves(0, 0)
    rows["contacts"] = [{"account_id": "a00000", "channel": "sms", "occurred_at": NOON + 1}]
    assert compared(tables_of, rows).arms[0].cost == pytest.approx(CATALOGUE.config.channels["sms"].unit_cost / EACH)


def test_every_complaint_is_paid_for(tables_of: TablesOf) -> None:
    rows = halves(0, 0)
    rows["responses"] = [
        {"account_id": "a00000", "kind": "complained", "occurred_at": NOON + day * US_PER_DAY} for day in (1, 2)
    ]
    assert compared(tables_of, rows).arms[0].net.value == pytest.approx(-200.0 / EACH)


def test_an_account_enters_once_at_its_first_decision(tables_of: TablesOf) -> None:
    rows = halves()
    again = [
        {**one, "decision_id": one["decision_id"] + "b", "decided_at": NOON + 5 * US_PER_DAY}
        for one in rows["decisions"]
    ]
    rows["decisions"] += again
    assert [one.accounts for one in compared(tables_of, rows).arms] == [EACH, EACH]


def test_a_debtor_who_was_moved_between_arms_compares_with_nobody(tables_of: TablesOf) -> None:
    rows = halves()
    rows["decisions"].append(
        {**rows["decisions"][0], "decision_id": "moved", "decided_at": NOON + US_PER_DAY, "arm": "random"}
    )
    found = compared(tables_of, rows)
    assert (found.arms[0].accounts, found.left_out["debtor_in_several_arms"]) == (EACH - 1, 1)


def test_before_the_period_nobody_enters(tables_of: TablesOf) -> None:
    with pytest.raises(NotEnoughDataError, match="followed for 30 days"):
        compared(tables_of, halves(), from_us=NOON + 1)


def test_one_arm_alone_is_refused_with_the_way_out(tables_of: TablesOf) -> None:
    with pytest.raises(NotEnoughDataError, match=r"found \['policy'\].*set `arms:`"):
        compared(tables_of, portfolio(["policy"] * EACH, [100] * EACH))


def test_an_arm_of_few_debtors_is_told_and_not_valued(tables_of: TablesOf) -> None:
    rows = portfolio(["policy"] * EACH + ["holdout"] * EACH + ["random"] * 5, [100] * (2 * EACH + 5))
    found = compared(tables_of, rows)
    assert [one.arm for one in found.arms] == ["policy", "holdout"]
    assert found.left_out["random_has_few_debtors"] == 5


def test_where_arms_do_the_same_an_interval_misses_zero_one_time_in_twenty(tables_of: TablesOf) -> None:
    rng, missed, runs = np.random.default_rng(11), 0, 200
    arms = ["policy"] * 60 + ["holdout"] * 60
    for _ in range(runs):
        money = (rng.random(120) < 0.4) * rng.integers(1_000, 90_000, 120)
        missed += lift(compared(tables_of, portfolio(arms, money.tolist()))).verdict != "not_established"
    # Binomial with p = 0.05: four standard deviations, and what 60 skewed values take from the normal interval.
    assert missed / runs < 0.05 + 4 * np.sqrt(0.05 * 0.95 / runs)


def test_so_many_debtors_as_it_says_tell_the_difference_nine_times_in_ten(tables_of: TablesOf) -> None:
    rng, told, runs, n = np.random.default_rng(12), 0, 60, 150
    p_policy, p_holdout, amount = 0.6, 0.4, 10_000
    needed = lift(
        compared(
            tables_of,
            portfolio(
                ["policy"] * 1_000 + ["holdout"] * 1_000,
                [*([amount] * 600 + [0] * 400), *([amount] * 400 + [0] * 600)],
            ),
        )
    ).debtors_needed
    assert needed is not None
    assert needed == pytest.approx(n, abs=30)
    arms = ["policy"] * needed + ["holdout"] * needed
    for _ in range(runs):
        chance = np.repeat([p_policy, p_holdout], needed)
        money = (rng.random(2 * needed) < chance) * amount
        told += lift(compared(tables_of, portfolio(arms, money.tolist()))).verdict == "better"
    assert told / runs > 0.9 - 4 * np.sqrt(0.9 * 0.1 / runs)
