"""Plain tables: what is read, and what is refused with its count and the way out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import AcertoError, DataError, NotEnoughDataError
from training.ope.estimated import with_estimated_action_prob
from training.ope.table import read_log

ACTIONS = ["wait/none/any", "sms/none/morning"]


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    action = rng.integers(0, 2, 200)
    return pd.DataFrame(
        {
            "decision_id": [f"d{number:03d}" for number in range(200)],
            "debtor_id": [f"p{number % 70}" for number in range(200)],
            "action": np.array(ACTIONS)[action],
            "action_prob": np.array([0.75, 0.25])[action],
            "reward": rng.normal(size=200),
            "pi_sms": (action == 1).astype(float),
        }
    )


@pytest.fixture
def written(tmp_path):
    def write(frame, name="log.csv"):
        path = tmp_path / name
        if path.suffix == ".csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_parquet(path)
        return path

    return write


def first(frame, column, value):
    changed = frame.astype({column: object})
    changed.loc[0, column] = value
    return changed


REFUSALS = {
    "an action_prob above 1": (lambda f: first(f, "action_prob", 1.2), "1 of 200 rows with another action_prob"),
    "an action_prob below 0": (lambda f: first(f, "action_prob", -0.1), r"needed probabilities in \(0, 1\]"),
    "no action_prob": (lambda f: first(f, "action_prob", ""), "1 of 200 rows with another action_prob"),
    "a pi above 1": (lambda f: first(f, "pi_sms", 1.5), r"pi_sms, needed probabilities in \[0, 1\]"),
    "no pi": (lambda f: first(f, "pi_sms", ""), "1 of 200 rows with another pi_sms"),
    "no reward": (lambda f: first(f, "reward", "NaN"), "1 of 200 rows with another reward"),
    "an infinite reward": (lambda f: first(f, "reward", "inf"), "1 of 200 rows with another reward"),
    "a reward in words": (lambda f: first(f, "reward", "a lot"), "1 rows of reward that are no number"),
    "a decision twice": (lambda f: first(f, "decision_id", "d001"), "1 rows that repeat a decision_id"),
    "no decision_id": (lambda f: first(f, "decision_id", ""), "1 rows without decision_id"),
    "no action": (lambda f: first(f, "action", ""), "1 rows without action"),
    "no debtor_id": (lambda f: first(f, "debtor_id", ""), "1 rows without debtor_id"),
    "a missing column": (lambda f: f.drop(columns="reward"), "no column reward"),
    "no policy": (lambda f: f.drop(columns="pi_sms"), "pi_<name>"),
    "no rows": (lambda f: f.head(0), "no rows"),
    "half of an outcome model": (lambda f: f.assign(q_sms=1.0), "no column q;"),
    "half of a channel marginal": (lambda f: f.assign(channel_pi_sms=1.0), "no column channel_prob"),
    "an action that was not eligible": (lambda f: f.assign(eligible="letter/none/any"), "not in their eligible list"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_table_that_cannot_be_evaluated_is_refused_with_what_was_found(kind, frame, written):
    change, told = REFUSALS[kind]
    with pytest.raises(DataError, match=told):
        read_log(written(change(frame)))


def test_mass_on_an_action_of_probability_zero_is_no_support(frame, written):
    row = int(np.flatnonzero(frame["pi_sms"] > 0)[0])
    frame.loc[row, "action_prob"] = 0.0
    with pytest.raises(NotEnoughDataError, match="no_support"):
        read_log(written(frame))


def test_a_refusal_names_no_debtor(frame, written):
    frame.loc[3, "reward"] = np.nan
    with pytest.raises(AcertoError) as refusal:
        read_log(written(frame))
    assert "p3" not in str(refusal.value)


@pytest.mark.parametrize("name", ["log.txt", "gone.csv"])
def test_what_is_no_table_is_refused(name, tmp_path):
    (tmp_path / "log.txt").write_text("decision_id\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"needed a \.csv or \.parquet"):
        read_log(tmp_path / name)


def test_csv_and_parquet_are_read_alike(frame, written):
    frame["x_age"] = np.where(np.arange(200) % 3 == 0, np.nan, np.arange(200.0))
    csv, parquet = read_log(written(frame)), read_log(written(frame, "log.parquet"))
    np.testing.assert_array_equal(csv.log.reward, parquet.log.reward)
    np.testing.assert_array_equal(csv.log.cluster, parquet.log.cluster)
    np.testing.assert_array_equal(csv.covariates, parquet.covariates)


@pytest.mark.parametrize("eligible", ["|".join(ACTIONS), ACTIONS])
def test_eligible_actions_may_be_a_list_or_joined_texts(eligible, frame, written):
    frame["eligible"] = [eligible] * 200
    assert len(read_log(written(frame, "log.parquet")).log) == 200


def test_rows_of_one_debtor_are_one_cluster(frame, written):
    assert len(np.unique(read_log(written(frame)).log.cluster)) == 70


def test_without_debtors_every_row_stands_alone(frame, written):
    assert len(np.unique(read_log(written(frame.drop(columns="debtor_id"))).log.cluster)) == 200


def test_folds_do_not_depend_on_the_order_of_rows(frame, written):
    frame["x_a"] = np.arange(200.0)
    one = read_log(written(frame)).targets()["sms"].q_target
    other = read_log(written(frame.iloc[::-1])).targets()["sms"].q_target
    np.testing.assert_allclose(other[::-1], one)


def test_a_given_outcome_model_takes_the_place_of_ours(frame, written):
    plain = read_log(written(frame.assign(q=1.0, q_sms=2.0)))
    target = plain.targets()["sms"]
    assert (target.q_logged[0], target.q_target[0]) == (1.0, 2.0)


def test_probabilities_of_channels_become_weights_of_channels(frame, written):
    target = read_log(written(frame.assign(channel_prob=0.5, channel_pi_sms=0.25))).targets()["sms"]
    assert target.channel_weight.tolist() == [0.5] * 200


def test_estimated_probabilities_without_covariates_are_shares_of_other_folds(frame, written):
    plain = with_estimated_action_prob(read_log(written(frame)))
    share = float((frame["action"] == ACTIONS[1]).mean())
    found = plain.log.action_prob[(frame["action"] == ACTIONS[1]).to_numpy()]
    assert found == pytest.approx(share, abs=0.1)


def test_estimated_probabilities_follow_covariates(frame, written):
    frame["x_a"] = np.where(frame["action"] == ACTIONS[1], 1.0, -1.0) + np.random.default_rng(1).normal(size=200)
    found = with_estimated_action_prob(read_log(written(frame))).log.action_prob
    chosen = (frame["action"] == ACTIONS[1]).to_numpy()
    assert np.corrcoef(found[chosen], frame["x_a"].to_numpy()[chosen])[0, 1] > 0.5


def test_estimating_needs_no_logged_probabilities(frame, written):
    plain = read_log(written(frame.drop(columns="action_prob")), action_prob=False)
    assert (with_estimated_action_prob(plain).log.action_prob < 1.0).all()
