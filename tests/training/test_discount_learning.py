"""Whether debtors wait for discounts: on made-up logs in which it is known whether they do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from training.discount_learning import MATTERS, Effect, effect, judged
from training.offer_log import IN_FULL, NOTHING, OfferLog

EXPLORED = 0.2


def log_of(
    seed: int, *, waiting: float = 0.0, taking: float = 0.05, debtors: int = 3_000, paying: float = 0.5
) -> OfferLog:
    """Two decisions of each debtor, discount or nothing; who pays worse is offered discounts more often.

    ``waiting`` is the share of those who would pay in full later and who, having been offered a discount and not taken
    it, wait for the next one instead; ``taking`` what a discount adds to the share that takes something at once;
    ``paying`` moves the log-odds of paying in full later.
    """
    rng = np.random.default_rng(seed)
    debtor = np.repeat(np.arange(debtors), 2)
    good = np.repeat(rng.normal(size=debtors), 2)
    usual = rng.random(len(debtor)) < 1 / (1 + np.exp(2 * good))
    other = rng.random(len(debtor)) < EXPLORED / 2
    discount = usual ^ other
    taken = rng.random(len(debtor)) < 0.1 + taking * discount
    would = rng.random(len(debtor)) < 1 / (1 + np.exp(-paying - good))
    waits = discount & ~taken & (rng.random(len(debtor)) < waiting)
    everywhere = np.ones(len(debtor), dtype=np.bool_)
    return OfferLog(
        debtor=debtor, discount=discount, other=~discount, plain=~discount,
        earlier=rng.integers(0, 5, len(debtor)), paid_before=np.where(good < -0.3, NOTHING, IN_FULL),
        share=np.ones(len(debtor)), action_prob=np.where(other, EXPLORED / 2, 1 - EXPLORED / 2),
        paid=taken | (would & (rng.random(len(debtor)) < 0.3)), taken=taken, later=would & ~taken & ~waits,
        mature=everywhere, valid_days=5,
    )  # fmt: skip


def of_all(log: OfferLog) -> Effect:
    return effect(log, np.ones(len(log), dtype=np.bool_))


@pytest.mark.parametrize(
    ("taking", "paying"), [(0.0, 0.5), (0.1, 0.5), (0.0, -4.0)],
    ids=["nobody takes more", "many take the discount", "hardly anybody pays"],
)  # fmt: skip
def test_where_nobody_waits_a_false_alarm_is_as_rare_as_its_interval_says(taking: float, paying: float) -> None:
    logs = [log_of(seed, taking=taking, debtors=800, paying=paying) for seed in range(200)]
    alarms = sum(any(one["verdict"] == "yes" for one in judged(log)["effects"].values()) for log in logs)
    # Two groups at 2.5 % each; three standard deviations of a share of 5 % over 200 logs.
    assert alarms <= 200 * 0.05 + 3 * np.sqrt(200 * 0.05 * 0.95)


def test_where_just_as_many_wait_as_matter_either_answer_is_as_rare_as_its_interval_says() -> None:
    found = [of_all(log_of(seed, waiting=MATTERS, taking=0.0, debtors=800)).verdict for seed in range(200)]
    most = 200 * 0.025 + 3 * np.sqrt(200 * 0.025 * 0.975)
    assert max(found.count("yes"), found.count("no")) <= most


def test_that_a_quarter_waits_is_found_in_twelve_thousand_decisions() -> None:
    found = [of_all(log_of(seed, waiting=0.25, debtors=6_000)).verdict for seed in range(40)]
    assert found.count("yes") >= 0.8 * len(found)


def test_that_repeat_non_payers_wait_is_found_among_them() -> None:
    found = [
        judged(log_of(seed, waiting=0.6, debtors=6_000))["effects"]["repeat_non_payers"]["verdict"]
        for seed in range(20)
    ]
    assert found.count("yes") >= 0.8 * len(found)


def test_that_nobody_waits_is_established_in_a_large_log() -> None:
    found = [of_all(log_of(seed, taking=0.01, debtors=40_000)).verdict for seed in range(10)]
    assert found.count("no") >= 0.8 * len(found)


def test_taking_a_discount_is_not_waiting_for_one() -> None:
    # What is taken at once is not paid later: a plain comparison of later payments would see a loss.
    found = of_all(log_of(0, taking=0.5, debtors=20_000))
    assert found.takers_lost is not None
    assert found.takers_lost.high < -MATTERS
    assert found.verdict == "not_established"


def test_weights_undo_that_discounts_go_to_those_who_pay_worse() -> None:
    log = log_of(1, taking=0.0, debtors=40_000)
    plain = log.later[log.discount].mean() - log.later[~log.discount].mean()
    found = of_all(log)
    assert plain < -0.1
    assert found.takers_kept is not None
    assert found.takers_kept.low < 0 < found.takers_kept.high


def test_rows_of_one_debtor_are_no_more_than_one_in_the_interval() -> None:
    log = log_of(2, debtors=2_000)
    twice: Any = {name: np.tile(rows, 2) for name, rows in vars(log).items() if isinstance(rows, np.ndarray)}
    found, repeated = of_all(log), of_all(OfferLog(**twice, valid_days=log.valid_days))
    assert found.takers_kept is not None
    assert repeated.takers_kept is not None
    assert repeated.takers_kept.se == pytest.approx(found.takers_kept.se)


def test_with_too_few_rows_nothing_is_established_and_the_reason_is_given() -> None:
    found = of_all(log_of(3, waiting=1.0, debtors=20))
    assert found.verdict == "not_established"
    assert "effective rows" in found.reasons[0]


def test_where_hardly_anybody_pays_later_anyway_no_is_not_said_lightly() -> None:
    found = of_all(log_of(6, taking=0.0, paying=-9.0, debtors=3_000))
    assert found.takers_lost is not None
    assert found.takers_lost.low > -MATTERS
    assert found.verdict == "not_established"


def test_the_table_holds_every_contact_once() -> None:
    log = log_of(4)
    rows = judged(log)["table"]
    assert len(rows) == 12
    assert sum(row[side]["decisions"] for row in rows for side in ("with_discount", "without_discount")) == len(log)


def test_the_table_tells_how_often_was_paid_in_each_cell() -> None:
    log = log_of(5)
    cell = next(r for r in judged(log)["table"] if (r["earlier_offers"], r["paid_before"]) == ("3+", "nothing"))
    rows = (log.earlier >= 3) & (log.paid_before == NOTHING) & log.discount
    assert cell["with_discount"]["paid"]["value"] == pytest.approx(log.paid[rows].mean())
