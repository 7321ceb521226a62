"""Shifts against chance and the usual difference between weeks: known truths, and a second implementation of Holm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.reference import FeatureReference
from training.monitoring.chance import holm_adjusted
from training.monitoring.rates import Rate, dispersion
from training.monitoring.shifts import LEAST_EXPECTED, Before, joined, rise, shift
from training.monitoring.volumes import volumes_beside
from training.reporting.calibration_tests import holm

SHARES = np.array([0.1] * 10)
KNOWN = FeatureReference(
    categorical=False, zeros=0, low=0.0, high=9.0, mean=4.5, edges=tuple(range(8)), counts=(1_000,) * 9 + (1_000,)
)
DRAWS = 600
PARTS, WEEKS = 4, 13


def within(share: float, of: int, expected: float) -> bool:
    """Whether a share of independent draws is within four of its standard errors."""
    return abs(share - expected) <= 4.0 * np.sqrt(expected * (1.0 - expected) / of)


def test_without_a_shift_one_p_value_in_twenty_is_below_five_per_cent():
    rng = np.random.default_rng(1)
    found = [shift(rng.multinomial(600, SHARES), KNOWN, units_before=10_000).p_value for _ in range(DRAWS)]
    # Training is taken as known to its last row; its own noise is in the scale, so that fewer are below, never more.
    assert np.mean(np.array(found) < 0.05) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / DRAWS)


@pytest.mark.parametrize("n", [150, 300, 900])
def test_the_power_that_is_told_is_how_often_a_shift_of_that_size_is_seen(n):
    rng = np.random.default_rng(n)
    moved = SHARES * np.exp(np.linspace(-1, 1, 10) * 0.81)
    moved = moved / moved.sum()
    size = float(((moved - SHARES) * np.log(moved / SHARES)).sum())
    alpha, least = 1e-4, 0.10
    drawn = [shift(rng.multinomial(n, moved), KNOWN, units_before=1_000_000) for _ in range(DRAWS)]
    seen = np.mean([one.p_value <= alpha and one.effect >= least for one in drawn])
    told = drawn[0].power(size=size, least=least, alpha=alpha)
    # The noncentral chi-square is the limit of small shifts: a twentieth on top of the draws' own error.
    assert abs(seen - told) <= 0.05 + 4 * np.sqrt(told * (1 - told) / DRAWS)


def weeks_of(rng: np.random.Generator, spread: float, n: int = 400) -> np.ndarray:
    """Weeks whose shares differ from each other by more than chance, (weeks, parts, bins); one part each, in turn."""
    rows = np.zeros((WEEKS + 1, PARTS, 10), dtype=np.int64)
    for week in range(WEEKS + 1):
        shares = SHARES if not spread else rng.dirichlet(SHARES / spread)
        rows[week, week % PARTS] = rng.multinomial(n, shares)
    return rows


@pytest.mark.parametrize("spread", [0.0, 0.004, 0.02])
def test_weeks_that_always_differ_alarm_no_more_often_than_weeks_that_do_not(spread):
    rng = np.random.default_rng(5)
    found = []
    for _ in range(DRAWS // 2):
        rows = weeks_of(rng, spread)
        found.append(Before(rows[:-1]).shift(rows[-1]).p_value)
    below = float(np.mean(np.array(found) < 0.05))
    assert below <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / len(found))


def test_chance_alone_would_call_most_of_such_weeks_a_shift():
    rng = np.random.default_rng(5)
    found = []
    for _ in range(100):
        rows = weeks_of(rng, 0.02)
        found.append(shift(rows[-1].sum(axis=0), KNOWN, units_before=10_000).p_value < 0.05)
    assert np.mean(found) > 0.5


def test_a_part_of_the_month_is_held_against_the_same_part():
    early, late = np.array([300, 100, 0]), np.array([100, 300, 0])
    before = np.zeros((8, PARTS, 3), dtype=np.int64)
    before[::2, 0], before[1::2, 3] = early, late
    now = np.zeros((PARTS, 3), dtype=np.int64)
    now[3] = late
    assert Before(before).shift(now).effect == 0.0
    now[3] = early
    assert Before(before).shift(now).effect > 0.25


def test_what_was_never_there_is_seen_though_its_bin_is_too_small_for_chi_square():
    before = np.zeros((8, PARTS, 2), dtype=np.int64)
    before[:, 0] = [500, 0]
    now = np.zeros((PARTS, 2), dtype=np.int64)
    now[0] = [450, 50]
    found = Before(before).shift(now)
    assert (found.free, found.p_value < 1e-12, found.effect > 0.1) == (0, True, True)


@given(st.lists(st.floats(0.0, 50.0), min_size=1, max_size=20))
def test_every_joined_bin_expects_enough_unless_all_are_one(expected):
    bins = joined(np.array(expected))
    held = np.bincount(bins, weights=expected)
    assert (np.diff(bins) >= 0).all() and (np.diff(bins) <= 1).all()
    assert len(held) == 1 or (held >= LEAST_EXPECTED - 1e-9).all()


@given(st.floats(1e-3, 0.5), st.floats(0.01, 1.0))
def test_a_share_that_rises_so_much_has_that_psi(share, psi):
    after = share + rise(share, psi)
    sides = np.array([after, 1 - after]), np.array([share, 1 - share])
    assert ((sides[0] - sides[1]) * np.log(sides[0] / sides[1])).sum() == pytest.approx(psi, rel=1e-6)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30), st.floats(0.001, 0.2))
def test_adjusted_p_values_reject_what_the_report_rejects(p_values, error):
    adjusted = holm_adjusted(p_values)
    # On the border itself a quotient and a product may round to different sides.
    sure = [abs(one - error) > 1e-9 for one in adjusted]
    rejected = holm(p_values, error)
    assert [a <= error for a, s in zip(adjusted, sure, strict=True) if s] == [
        r for r, s in zip(rejected, sure, strict=True) if s
    ]


@pytest.mark.parametrize(("share", "n"), [(0.05, 300), (0.3, 200), (0.0, 500)])
def test_a_rate_that_has_not_changed_is_seldom_significant(share, n):
    rng = np.random.default_rng(n)
    found = [
        Rate(float(rng.binomial(n, share)), n, float(rng.binomial(4_000, share)), 4_000).p_value for _ in range(DRAWS)
    ]
    assert np.mean(np.array(found) < 0.05) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / DRAWS)


@pytest.mark.parametrize("n", [60, 150, 400])
def test_the_power_of_a_rate_is_how_often_half_of_it_is_seen(n):
    rng = np.random.default_rng(n)
    alpha, least = 1e-3, 0.08
    before = 0.32 * 50_000
    rates = [Rate(float(rng.binomial(n, 0.16)), n, before, 50_000) for _ in range(DRAWS)]
    seen = np.mean([one.p_value <= alpha and abs(one.share - one.share_before) >= least for one in rates])
    told = rates[0].power(size=-0.16, least=least, alpha=alpha)
    assert abs(seen - told) <= 0.07 + 4 * np.sqrt(told * (1 - told) / DRAWS)


def test_weeks_of_equal_rates_have_no_dispersion_and_others_have():
    rng = np.random.default_rng(2)
    n = np.full((3, 13), 300.0)
    assert dispersion(rng.binomial(300, 0.3, size=n.shape).astype(float), n) == (1.0, None)
    uneven = rng.binomial(300, rng.beta(8, 18, size=n.shape)).astype(float)
    widened, free = dispersion(uneven, n)
    assert widened > 3.0 and free == 36


def test_a_volume_is_held_against_days_of_the_same_part_of_the_month():
    days = np.tile(np.eye(PARTS) * 7.0, (4, 1))
    counts = days * np.array([100, 20, 20, 20])
    found = volumes_beside(counts[:4], days[:4], (counts[4:], days[4:]))
    assert [one.count - one.mean for one in found] == pytest.approx([0.0] * 4)
    halved = volumes_beside(counts[:4] / 2, days[:4], (counts[4:], days[4:]))
    assert all(one.p_value < 1e-4 for one in halved)
