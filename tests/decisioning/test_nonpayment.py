from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.nonpayment import FORGETS, SAID_FROM, UNABLE, profile, profile_reasons
from features.catalogue import CATALOGUE
from features.schema import FeatureSchema

NAMES = (*FORGETS, *UNABLE)
SCHEMA = FeatureSchema(NAMES, {}, {})
COUNTS = st.lists(st.integers(0, 50), min_size=len(NAMES), max_size=len(NAMES))


def row(**known: float) -> np.ndarray:
    """One account with some evidence and nothing else."""
    return np.array([[known.get(name, 0.0) for name in NAMES]])


def said(values: np.ndarray, *, locale: str = "en") -> list[str]:
    found = profile_reasons(profile(values, SCHEMA), values, SCHEMA, locale=locale)
    return [reason.code for reason in found[0]]


@given(counts=COUNTS, more=st.sampled_from(NAMES))
def test_more_evidence_never_lowers_a_score(counts, more):
    values = np.array([counts], dtype=np.float64)
    above = values.copy()
    above[0, NAMES.index(more)] += 1
    less, greater = profile(values, SCHEMA), profile(above, SCHEMA)
    assert less.forgets[0] <= greater.forgets[0] and less.unable[0] <= greater.unable[0]


@given(counts=COUNTS)
def test_scores_lie_between_nothing_and_certainty(counts):
    found = profile(np.array([counts], dtype=np.float64), SCHEMA)
    assert 0.0 <= found.forgets[0] < 1.0 and 0.0 <= found.unable[0] < 1.0


@given(counts=COUNTS)
def test_evidence_of_one_kind_leaves_the_other_score_alone(counts):
    values = np.array([counts], dtype=np.float64)
    without = values.copy()
    without[0, : len(FORGETS)] = 0.0
    assert profile(values, SCHEMA).unable == profile(without, SCHEMA).unable


def test_what_is_missing_is_no_evidence():
    found = profile(np.full((1, len(NAMES)), np.nan), SCHEMA)
    assert (found.forgets[0], found.unable[0]) == (0.0, 0.0)


def test_a_model_without_the_features_knows_of_no_kind():
    schema = FeatureSchema(("days_past_due",), {}, {})
    values = np.array([[400.0]])
    assert profile_reasons(profile(values, schema), values, schema, locale="en") == [()]


def test_five_late_payments_and_a_word_of_it_are_forgetting():
    assert said(row(payments_late_count_365d=5, reasons_forgot_count_365d=1)) == ["FORGETS"]


def test_a_report_of_hardship_and_a_broken_agreement_are_inability():
    assert said(row(reasons_hardship_count_365d=1, agreements_broken_count=1)) == ["UNABLE"]


def test_one_late_payment_is_said_of_nobody():
    assert said(row(payments_late_count_365d=1)) == []


@given(counts=COUNTS)
def test_a_kind_is_said_only_from_the_threshold_on(counts):
    values = np.array([counts], dtype=np.float64)
    found = profile(values, SCHEMA)
    score = {"FORGETS": found.forgets[0], "UNABLE": found.unable[0]}
    assert all(score[code] >= SAID_FROM for code in said(values))


@given(counts=COUNTS)
def test_a_reason_names_evidence_that_is_there(counts):
    values = np.array([counts], dtype=np.float64)
    for reason in profile_reasons(profile(values, SCHEMA), values, SCHEMA, locale="en")[0]:
        assert values[0, NAMES.index(reason.feature)] > 0


def test_both_languages_say_the_same_kind():
    values = row(hardship_active=1)
    assert said(values, locale="pt-BR") == said(values) == ["UNABLE"]


def test_the_wording_names_its_strongest_evidence():
    values = row(payments_late_count_365d=6)
    text = profile_reasons(profile(values, SCHEMA), values, SCHEMA, locale="pt-BR")[0][0].text
    assert text == (
        "Costuma pagar, mas depois do vencimento: parece esquecer. Número de pagamentos em atraso em 12 meses: 6"
    )


@pytest.mark.parametrize("name", NAMES)
def test_evidence_is_a_feature_of_the_catalogue_which_holds_no_attribute(name):
    assert name in {feature.name for feature in CATALOGUE}
