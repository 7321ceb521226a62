from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strategies import AS_OF_US, tables_of

from decisioning.integrity import canonical_json
from domain.errors import NotEnoughDataError
from features.config import Attribute
from features.encoding import encode
from features.profile import unseen_shares, without_value
from features.quality import Circumstances, Quality, Thresholds, quality
from features.reference import BINS, Reference, counts_in, fit_reference
from features.schema import FeatureSchema
from features.spine import every_account
from features.stability import stability

NUMERIC = ("balance_cents", "payments_count_30d", "payments_recency", "contacts_sms_count_30d")
NAMES = (*NUMERIC, "product", "weekday")
SCHEMA = FeatureSchema(NAMES, {"product": ("card", "energy", "loan")}, {})
BALANCE, PRODUCT, WEEKDAY = 0, 4, 5

columns = arrays(
    np.float64, st.integers(1, 60), elements=st.one_of(st.just(np.nan), st.sampled_from([0.0, 1.0, 7.0]),
                                                       st.floats(-1e9, 1e9))
)  # fmt: skip


def made(rng: np.random.Generator, rows: int) -> np.ndarray:
    matrix = np.empty((rows, len(NAMES)))
    matrix[:, 0] = np.rint(rng.lognormal(11, 1, rows))
    matrix[:, 1] = rng.poisson(0.4, rows)
    matrix[:, 2] = np.where(rng.random(rows) < 0.3, np.nan, rng.exponential(60, rows))
    matrix[:, 3] = rng.poisson(2, rows)
    matrix[:, PRODUCT] = rng.integers(0, 3, rows)
    matrix[:, WEEKDAY] = rng.integers(0, 7, rows)
    return matrix


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


@pytest.fixture
def matrix(rng: np.random.Generator) -> np.ndarray:
    return made(rng, 4_000)


@pytest.fixture
def reference(matrix: np.ndarray) -> Reference:
    return fit_reference(matrix, SCHEMA)


def found(quality: Quality, code: str) -> dict[str | None, str]:
    return {finding.feature: finding.severity for finding in quality.findings if finding.code == code}


def one_column(column: np.ndarray) -> np.ndarray:
    return column[:, None]


ONE = FeatureSchema(("balance_cents",), {}, {})


@given(columns)
def test_every_row_is_in_exactly_one_bin(column: np.ndarray) -> None:
    before = fit_reference(one_column(column), ONE).features["balance_cents"]
    assert sum(before.counts) == len(column)
    assert len(before.counts) <= BINS + 2


@given(columns)
def test_no_bin_of_training_values_is_empty(column: np.ndarray) -> None:
    before = fit_reference(one_column(column), ONE).features["balance_cents"]
    assert all(before.counts[:-1]) or np.isnan(column).all()


@given(columns, columns)
def test_the_bins_count_what_a_plain_loop_counts(column: np.ndarray, other: np.ndarray) -> None:
    before = fit_reference(one_column(column), ONE).features["balance_cents"]
    plain = np.zeros(len(before.counts), dtype=int)
    for value in other.tolist():
        plain[-1 if np.isnan(value) else sum(value > edge for edge in before.edges)] += 1
    assert counts_in(other, before).tolist() == plain.tolist()


@given(columns)
def test_a_reference_comes_back_from_json_as_it_was(column: np.ndarray) -> None:
    reference = fit_reference(one_column(column), ONE, units=1)
    assert Reference.from_json(json.loads(canonical_json(reference.to_json()))) == reference


def test_a_flag_that_is_nearly_always_set_has_a_bin_for_where_it_is_not() -> None:
    flag = np.repeat([0.0, 1.0], [3, 997])
    assert fit_reference(one_column(flag), ONE).features["balance_cents"].counts == (3, 997, 0)


def test_a_reference_takes_less_than_350_bytes_a_feature(reference: Reference) -> None:
    assert len(canonical_json(reference.to_json())) < 350 * len(NAMES)


def test_a_matrix_without_rows_gives_no_reference() -> None:
    with pytest.raises(NotEnoughDataError, match="without rows"):
        fit_reference(np.empty((0, len(NAMES))), SCHEMA)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=12))
def test_psi_is_never_negative_and_the_same_both_ways(pairs: list[tuple[int, int]]) -> None:
    now, then = np.array(pairs).T
    there, back = (
        stability(a, b, units=100, units_before=100, false_alarm=0.01).psi for a, b in ((now, then), (then, now))
    )
    assert there >= 0
    assert there == pytest.approx(back)


def test_psi_without_shift_has_the_mean_and_the_tail_that_are_stated(rng: np.random.Generator) -> None:
    shares, draws = np.full(10, 0.1), 2_000
    drawn = [
        stability(
            rng.multinomial(400, shares), rng.multinomial(900, shares), units=400, units_before=900, false_alarm=0.05
        )
        for _ in range(draws)
    ]
    psi = np.array([one.psi for one in drawn])
    # The mean of 2,000 draws is within four of its standard errors, the approximation itself within 5 %.
    slack = 4 * psi.std() / np.sqrt(draws) + 0.05 * drawn[0].expected
    assert abs(psi.mean() - drawn[0].expected) < slack
    assert np.mean(psi > drawn[0].noise) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / draws) + 0.01)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_found_where_nothing_shifted_however_few_the_rows(reference: Reference, seed: int) -> None:
    now = quality(made(np.random.default_rng(100 + seed), 40), SCHEMA, reference)
    assert found(now, "psi") == {}


def test_false_alarms_are_shared_among_the_features(reference: Reference, rng: np.random.Generator) -> None:
    now = made(rng, 500)
    before = reference.features["balance_cents"]
    alone = stability(
        counts_in(now[:, BALANCE].copy(), before), np.array(before.counts), units=500, units_before=4_000,
        false_alarm=Thresholds().false_alarm / len(NAMES),
    )  # fmt: skip
    assert quality(now, SCHEMA, reference).features[BALANCE].stability == alone


def test_a_shifted_feature_is_found_and_no_other(reference: Reference, rng: np.random.Generator) -> None:
    now = made(rng, 3_000)
    now[:, BALANCE] *= 3
    assert found(quality(now, SCHEMA, reference), "psi") == {"balance_cents": "critical"}


def test_a_moderate_shift_is_a_warning(reference: Reference, rng: np.random.Generator) -> None:
    now = made(rng, 3_000)
    now[:, BALANCE] *= 1.5
    assert found(quality(now, SCHEMA, reference), "psi") == {"balance_cents": "warning"}


def test_the_same_shift_in_rows_of_a_few_debtors_is_taken_for_noise(
    reference: Reference, rng: np.random.Generator
) -> None:
    now = made(rng, 3_000)
    now[:, BALANCE] *= 1.5
    assert found(quality(now, SCHEMA, reference, circumstances=Circumstances(units=40)), "psi") == {}


def test_the_calendar_of_one_moment_is_no_shift(reference: Reference, rng: np.random.Generator) -> None:
    now = made(rng, 3_000)
    now[:, WEEKDAY] = 2
    assert found(quality(now, SCHEMA, reference), "psi") == {}


def test_a_feature_that_goes_missing_is_critical(reference: Reference, rng: np.random.Generator) -> None:
    now = made(rng, 500)
    now[:, BALANCE] = np.nan
    assert found(quality(now, SCHEMA, reference), "null_rate") == {"balance_cents": "critical"}


def test_an_absent_table_is_named_once_and_its_features_are_not(reference: Reference, rng: np.random.Generator) -> None:
    now = made(rng, 500)
    now[:, 3] = np.nan
    present = frozenset({"accounts", "debts", "payments"})
    told = quality(now, SCHEMA, reference, circumstances=Circumstances(present=present))
    assert found(told, "table_absent") == {None: "warning"}
    assert all(finding.feature != "contacts_sms_count_30d" for finding in told.findings)


def test_a_ratio_of_an_absent_table_is_without_value_too() -> None:
    names = ("payments_count_365d", "contacts_sms_count_365d", "responses_sms_count_365d", "response_rate_sms_365d")
    assert without_value(FeatureSchema(names, {}, {}), {"contacts"}) == set(names[1::2])


def test_values_beyond_the_range_of_training_are_counted(reference: Reference, rng: np.random.Generator) -> None:
    now = made(rng, 1_000)
    now[:30, BALANCE] = 1e12
    told = quality(now, SCHEMA, reference)
    assert told.features[BALANCE].outside_rate == pytest.approx(0.03, abs=0.002)
    assert found(told, "outside_range") == {"balance_cents": "warning"}


def test_an_infinite_value_is_critical(rng: np.random.Generator) -> None:
    now = made(rng, 100)
    now[7, BALANCE] = np.inf
    assert found(quality(now, SCHEMA), "infinite") == {"balance_cents": "critical"}


def test_constant_features_and_exact_duplicates_are_named(rng: np.random.Generator) -> None:
    now = made(rng, 100)
    now[:, 1] = 5.0
    now[:, 3] = now[:, BALANCE]
    told = quality(now, SCHEMA)
    assert told.constant == ("payments_count_30d",)
    assert told.duplicates == {"contacts_sms_count_30d": "balance_cents"}


def test_a_feature_that_is_sometimes_missing_is_not_constant(rng: np.random.Generator) -> None:
    now = made(rng, 100)
    now[:, 1] = 5.0
    now[0, 1] = np.nan
    assert quality(now, SCHEMA).constant == ()


def test_a_matrix_in_which_nothing_varies_is_useless() -> None:
    assert quality(np.zeros((50, len(NAMES))), SCHEMA).useless


def test_below_thirty_debtors_nothing_is_said_about_shares(reference: Reference, rng: np.random.Generator) -> None:
    now = made(rng, 29)
    now[:, BALANCE] = np.nan
    told = quality(now, SCHEMA, reference)
    assert found(told, "few_rows") == {None: "note"}
    assert found(told, "null_rate") == {}


def test_categories_that_training_never_saw_are_counted() -> None:
    schema = FeatureSchema(("employment",), {"employment": ("formal",)}, {"employment": Attribute(kind="categorical")})
    rows = [{"account_id": f"a{row}"} for row in range(4)]
    tables = tables_of({"accounts": rows, "debts": [], "payments": []})
    from domain.coded import coded

    tables.columns["accounts"]["employment"] = coded(["formal", "informal", None, "informal"])
    encoded = encode(tables, attributes=schema.attributes)
    shares = unseen_shares(encoded, every_account(4, as_of_us=AS_OF_US), schema)
    assert shares == {"employment": 0.5}


def test_many_unseen_categories_are_critical(reference: Reference, rng: np.random.Generator) -> None:
    told = quality(made(rng, 100), SCHEMA, reference, circumstances=Circumstances(unseen={"product": 0.4}))
    assert found(told, "unseen_category") == {"product": "critical"}


def test_the_worst_feature_stands_first(reference: Reference, rng: np.random.Generator) -> None:
    now = made(rng, 3_000)
    now[:, 3] += 4
    assert quality(now, SCHEMA, reference).worst_first[0].name == "contacts_sms_count_30d"


def test_a_finding_says_what_was_found_what_was_needed_and_the_way_out(
    reference: Reference, rng: np.random.Generator
) -> None:
    now = made(rng, 3_000)
    now[:, BALANCE] *= 3
    text = next(finding.text for finding in quality(now, SCHEMA, reference).findings if finding.code == "psi")
    assert "found PSI" in text and "needed at most 0.250" in text and "train again" in text
