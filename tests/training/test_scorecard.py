import numpy as np

from training.boosting import Columns
from training.metrics import auc
from training.scorecard import days_past_due_score, fit_scorecard


def test_the_scorecard_takes_what_informs_once_and_beats_chance() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6_000, 14))
    values[:, 1] = values[:, 0]  # a twin
    values[rng.random(6_000) < 0.2, 2] = np.nan
    paid = (rng.random(6_000) < 1 / (1 + np.exp(-(1.5 * values[:, 0] + np.nan_to_num(values[:, 2]))))).astype(float)
    card = fit_scorecard(values[:4_000], paid[:4_000], Columns(tuple(f"f{i}" for i in range(14)), ()))
    assert len(card.names) == 10 and {"f0", "f2"} <= set(card.names) and "f1" not in card.names
    assert auc(paid[4_000:], card.predict(values[4_000:]), np.ones(2_000)) > 0.75


def test_days_past_due_point_the_way_they_did_in_training() -> None:
    days, paid = np.array([0.0, 10.0, 20.0, np.nan]), np.array([0.0, 1.0, 1.0, 0.0])
    score = days_past_due_score(days, paid, np.arange(3))
    assert score[2] > score[0] == score[3]
