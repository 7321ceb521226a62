"""What a deal adds: learned from deals alone, on top of what a booster that saw none of their debtors says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from training.boosting import Columns, Recipe, margins
from training.config import ModelConfig
from training.contact_log import Moments
from training.learners.heads import MIN_SHARES, Table
from training.learners.lift import apart, fit_lift
from training.splits import Split, debtor_folds

RECIPE = Recipe("cross_entropy", ModelConfig(threads=1, min_rows_per_leaf=20))
ADDED = 0.8


def table_of(rows: np.ndarray, *, seed: int = 0) -> Table:
    """Every row of another debtor, in five folds."""
    debtor = np.arange(len(rows), dtype=np.int32)
    nothing = np.zeros(0, dtype=np.int64)
    split = Split(nothing, nothing, nothing, valid_from_us=0, test_from_us=0, dropped=0)
    columns = Columns(tuple(f"x{place}" for place in range(rows.shape[1])), ())
    return Table(rows, columns, (), debtor_folds(debtor, folds=5, seed=seed), debtor, split)


def lifted(rows: int, *, seed: int = 1) -> tuple[Table, np.ndarray, np.ndarray]:
    """Deals that add ``ADDED`` to the log-odds of half the accounts and nothing to the other half's."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.random(rows), rng.integers(0, 2, rows)])
    alone = logit(0.1 + 0.8 * x[:, 0])
    return table_of(x), alone, (rng.random(rows) < expit(alone + ADDED * x[:, 1])).astype(np.float64)


def test_a_lift_finds_who_gains_and_who_does_not() -> None:
    table, alone, share = lifted(20_000)
    head, _ = fit_lift(table, share, RECIPE, alone=alone)
    added = margins(head.booster, table.rows, threads=1)
    half = [added[table.rows[:, 1] == one].mean() for one in (0, 1)]
    # The standard error of the log-odds of 10,000 cases at about one half is 0.02; shrinkage takes off a little more.
    assert half == pytest.approx([0.0, ADDED], abs=5 * 0.02)


def test_where_deals_add_nothing_a_lift_adds_nothing() -> None:
    rng = np.random.default_rng(2)
    table, alone, _ = lifted(20_000)
    share = (rng.random(len(alone)) < expit(alone)).astype(np.float64)
    head, told = fit_lift(table, share, RECIPE, alone=alone)
    assert abs(margins(head.booster, table.rows, threads=1).mean()) < 5 * 0.02
    assert told["mean_absolute_error"] == pytest.approx(told["mean_absolute_error_of_alone"], abs=0.005)


@pytest.mark.parametrize("rows", [0, 1, MIN_SHARES])
def test_few_deals_add_one_constant(rows: int) -> None:
    table, alone, share = lifted(rows) if rows else (table_of(np.zeros((0, 2))), np.zeros(0), np.zeros(0))
    head, told = fit_lift(table, share, RECIPE, alone=alone)
    assert (told["kind"], head.booster) == ("constant", None)
    assert head.constant == pytest.approx(expit(told["added"]))


def test_no_deal_adds_nothing() -> None:
    head, _ = fit_lift(table_of(np.zeros((0, 2))), np.zeros(0), RECIPE, alone=np.zeros(0))
    assert head.constant == 0.5


@pytest.fixture(scope="module")
def quiet() -> tuple[Table, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.random((4_000, 2))
    return table_of(x), (rng.random(4_000) < x[:, 0]).astype(np.float64)


def asked_of(table: Table) -> Moments:
    return Moments(table.rows, table.debtor, np.zeros(len(table.rows), dtype=np.int64))


def test_what_is_told_of_a_debtor_is_not_learned_from_him(quiet: tuple[Table, np.ndarray]) -> None:
    table, share = quiet
    plain = apart(table, share, asked_of(table), recipe=RECIPE, rounds=30)
    half = debtor_folds(table.debtor, folds=2, seed=RECIPE.model.seed) == 0
    turned = apart(table, np.where(half, 1.0 - share, share), asked_of(table), recipe=RECIPE, rounds=30)
    # Turning the shares of one half round changes what is told of the other half alone.
    assert np.array_equal(plain[half], turned[half])
    assert (plain[~half] != turned[~half]).mean() > 0.9


def test_the_halves_know_what_comes_back(quiet: tuple[Table, np.ndarray]) -> None:
    table, share = quiet
    told = expit(apart(table, share, asked_of(table), recipe=RECIPE, rounds=60))
    assert np.corrcoef(told, table.rows[:, 0])[0, 1] > 0.9
    assert told.mean() == pytest.approx(share.mean(), abs=4 * np.sqrt(0.25 / len(share)))


def test_moments_of_nobody_are_told_nothing(quiet: tuple[Table, np.ndarray]) -> None:
    table, share = quiet
    nobody = asked_of(table).take(np.zeros(0, dtype=np.int64))
    assert len(apart(table, share, nobody, recipe=RECIPE, rounds=3)) == 0
