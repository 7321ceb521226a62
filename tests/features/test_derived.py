from __future__ import annotations

import numpy as np
import pytest

from features.catalogue import CATALOGUE, INGREDIENTS
from features.definitions import Rate
from features.derived import derive, derived_plan, fit_priors
from features.schema import FeatureSchema

BY_NAME = {feature.name: feature for feature in (*CATALOGUE, *INGREDIENTS)}


def columns(*names: str):
    return tuple(BY_NAME[name] for name in names)


def value_of(name: str, numerator: float, denominator: float, priors=None) -> float:
    feature = BY_NAME[name]
    features = columns(feature.rule.numerator, feature.rule.denominator, name)
    index = {one.name: place for place, one in enumerate(features)}
    out = np.array([[numerator, denominator, 0.0]])
    derive(derived_plan(features, index=index, priors=priors or {}), out)
    return float(out[0, 2])


def test_a_ratio_over_nothing_is_missing():
    assert np.isnan(value_of("overdue_share", 0.0, 0.0))
    assert value_of("overdue_share", 1.0, 4.0) == 0.25


def test_a_trend_compares_rates_and_not_counts():
    assert value_of("payments_trend", 90.0, 365.0) == pytest.approx(1.0)


def test_what_was_closed_and_never_opened_is_no_difference():
    assert value_of("bureau_listed_now", 1.0, 3.0) == 0.0
    assert value_of("bureau_listed_now", 3.0, 1.0) == 2.0
    assert np.isnan(value_of("bureau_listed_now", np.nan, 1.0))


def test_a_rate_is_drawn_to_the_prior_that_training_fitted():
    assert value_of("kept_share", 1.0, 1.0, {"kept_share": (0.5, 3.0)}) == pytest.approx((1 + 0.5 * 3) / (1 + 3))
    assert value_of("kept_share", 0.0, 0.0, {"kept_share": (0.5, 3.0)}) == 0.5


def test_a_rate_of_an_absent_table_is_missing():
    assert np.isnan(value_of("kept_share", np.nan, np.nan))


def test_mean_and_strength_of_a_prior_are_found_again_where_rates_are_drawn_from_a_gamma():
    rng = np.random.default_rng(7)
    mean, strength, n = 0.3, 8.0, 40_000
    rate = rng.gamma(mean * strength, 1 / strength, n)
    tries = rng.integers(1, 40, n)
    features = columns("promises_kept_count", "promises_made_count", "kept_share")
    values = np.column_stack([rng.poisson(rate * tries), tries, np.zeros(n)]).astype(np.float64)
    found = fit_priors(features, values)["kept_share"]
    # The mean's standard error is about sqrt(mean/strength/n) = 0.001; the strength's, by resampling, about 2 %.
    assert found[0] == pytest.approx(mean, abs=0.005)
    assert found[1] == pytest.approx(strength, rel=0.1)


def test_accounts_that_do_not_differ_are_drawn_to_the_mean_as_far_as_it_goes():
    rng = np.random.default_rng(7)
    features = columns("promises_kept_count", "promises_made_count", "kept_share")
    values = np.column_stack([rng.poisson(2.0, 5_000), np.full(5_000, 10.0), np.zeros(5_000)])
    assert fit_priors(features, values)["kept_share"][1] > 100


def test_priors_are_part_of_the_schema_and_of_its_fingerprint():
    schema = FeatureSchema(("kept_share",), {}, {}, {"kept_share": (0.4, 2.5)})
    assert FeatureSchema.from_json(schema.to_json()) == schema
    assert schema.fingerprint != FeatureSchema(("kept_share",), {}, {}, {"kept_share": (0.4, 2.6)}).fingerprint


def test_every_rate_has_a_prior_to_start_from():
    rates = [feature.rule for feature in CATALOGUE if isinstance(feature.rule, Rate)]
    assert rates
    assert all(0 < rate.prior < 1 and rate.strength > 0 for rate in rates)
