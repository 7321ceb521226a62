"""The evaluation of a training run: every horizon measured, and the held-out sample that the report draws."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.models import monotone
from training.boosting import Columns, margins
from training.config import TrainingConfig
from training.dataset import PaymentRows
from training.directions import check_directions
from training.evaluation import Baselines, evaluate_horizon
from training.metrics import auc
from training.payment import Fitted, Target
from training.scorecard import days_past_due_score, fit_scorecard
from training.windows import Int64s

Floats = npt.NDArray[np.float64]

_SAMPLE_ROWS = 5_000
_BOOTSTRAP_SALT = 7


@dataclass(frozen=True)
class Judged:
    """``measured`` by horizon, and the held-out rows of the explained horizon as the bytes of an ``.npz``.

    ``scores`` are (n,) of the explained horizon: ``p_pay`` on validation and test rows, ``scorecard`` on test rows, and
    ``NaN`` elsewhere.
    """

    measured: dict[str, Any]
    sample: bytes
    scores: dict[str, Floats]


def judge(
    rows: PaymentRows,
    targets: Mapping[int, Target],
    fitted: Mapping[int, Fitted],
    columns: Columns,
    *,
    explained: int,
    config: TrainingConfig,
) -> Judged:
    """Measure the evaluated models on test rows, as they would be served: calibrated, and fitted around each other."""
    horizons = sorted(targets)
    place = horizons.index(explained)
    p_pay = _served(rows, targets, fitted, place=place, threads=config.model.threads)
    rng = np.random.default_rng(config.model.seed + _BOOTSTRAP_SALT)
    measured: dict[str, Any] = {}
    scores = {"p_pay": p_pay[:, place]}
    for column, days in enumerate(horizons):
        found, names = _baselines(rows, targets[days], columns)
        if days == explained:
            scores["scorecard"] = found.scorecard
        measured[str(days)] = {
            **evaluate_horizon(targets[days], p_pay[:, column], rows.rows, baselines=found, rng=rng),
            "scorecard_variables": names,
            "trees": fitted[days].rounds,
            "calibration": fitted[days].evaluated[1].kind,
            "training": _on_training_rows(rows, targets[days], fitted[days], threads=config.model.threads),
            "directions": _directions(rows, targets[days], fitted[days], columns, threads=config.model.threads),
        }
    sample = _sample(rows, targets[explained], p_pay[:, place], rng=rng)
    return Judged({"horizons": measured}, sample, scores)


def _served(
    rows: PaymentRows, targets: Mapping[int, Target], fitted: Mapping[int, Fitted], *, place: int, threads: int
) -> Floats:
    """(n, H) probabilities of the evaluated model on rows that any horizon tests or validates on, else ``NaN``."""
    parts = [part for target in targets.values() for part in (target.split.valid, target.split.test)]
    tested = np.unique(np.concatenate(parts))
    values = rows.values[tested]
    pairs = [fitted[days].evaluated for days in sorted(targets)]
    columns = [calibrator.apply(margins(booster, values, threads=threads)) for booster, calibrator in pairs]
    p_pay = np.full((len(rows.spine), len(pairs)), np.nan)
    p_pay[tested] = monotone(np.column_stack(columns), place)
    return p_pay


def _on_training_rows(rows: PaymentRows, target: Target, fitted: Fitted, *, threads: int) -> dict[str, Any]:
    """How well the evaluated model orders the rows that it was grown on: far better than others where it overfits."""
    train = target.split.train
    margin = margins(fitted.evaluated[0], rows.values[train], threads=threads)
    return {"rows": len(train), "auc": float(auc(target.paid[train], margin, np.ones(len(train))))}


def _directions(rows: PaymentRows, target: Target, fitted: Fitted, columns: Columns, *, threads: int) -> dict[str, Any]:
    booster, calibrator = fitted.evaluated
    return check_directions(
        lambda values: calibrator.apply(margins(booster, values, threads=threads)),
        rows.values[target.split.test],
        columns,
    )


def headline(evaluation: dict[str, Any]) -> dict[str, float]:
    """The few numbers a tracking server lists, each with the bounds of its interval (``_low``, ``_high``)."""
    found: dict[str, float] = {}
    for days, horizon in evaluation["horizons"].items():
        for name, metric in horizon["metrics"].items():
            named = {"": metric["value"], "_low": metric.get("low"), "_high": metric.get("high")}
            found |= {f"{name}_{days}d{end}": float(one) for end, one in named.items() if one is not None}
    return found


def as_json(evaluation: dict[str, Any]) -> bytes:
    """The evaluation file's bytes."""
    return json.dumps(evaluation, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False).encode("utf-8")


def _baselines(rows: PaymentRows, target: Target, columns: Columns) -> tuple[Baselines, list[str]]:
    train, test = target.split.train, target.split.test
    card = fit_scorecard(rows.values[train], target.paid[train], columns)
    scores = np.full(len(rows.spine), np.nan)
    scores[test] = card.predict(rows.values[test])
    alone = days_past_due_score(rows.rows.days_past_due, target.paid, train)
    return Baselines(scores, alone), list(card.names)


def _sample(rows: PaymentRows, target: Target, p_pay: Floats, *, rng: np.random.Generator) -> bytes:
    test: Int64s = target.split.test
    if len(test) > _SAMPLE_ROWS:
        test = np.sort(rng.choice(test, size=_SAMPLE_ROWS, replace=False))
    file = io.BytesIO()
    np.savez_compressed(
        file,
        values=rows.values[test],
        paid=target.paid[test],
        p_pay=p_pay[test],
        debtor=np.unique(rows.rows.debtor[test], return_inverse=True)[1].astype(np.int32),
        days_past_due=rows.rows.days_past_due[test],
    )
    return file.getvalue()
