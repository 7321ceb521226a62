"""Flaws of the data that a model is made from, each planted by one function: in rows, features or outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from flaw_world import Floats, Study

from domain.clock import US_PER_DAY
from features.batch import compute_all
from features.dossier import Dossier
from training.reporting.keeping import month_of, protected_cuts

Bools = npt.NDArray[np.bool_]
Stage = Literal["data", "model", "evidence"]


@dataclass(frozen=True)
class Plant:
    """One kind of flaw: what is planted, the lights of which one must catch it, and the function that plants it.

    ``stage`` says what the function changes: ``data`` a :class:`Study` before a model is trained on it, ``model`` a
    study and what was trained on it, ``evidence`` a study and what a sound model's report is made from. ``blind`` is a
    flaw that no light is known to see: it is measured, and counted apart.
    """

    name: str
    lights: tuple[str, ...]
    stage: Stage
    change: Callable[..., Any]
    blind: bool = False

    @property
    def says(self) -> str:
        """What it plants, in a line."""
        return " ".join((self.change.__doc__ or "").split())


PLANTS: dict[str, Plant] = {}


def plant(
    *lights: str, stage: Stage = "data", blind: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declares a flaw under the name of its function."""

    def declared(change: Callable[..., Any]) -> Callable[..., Any]:
        name = change.__name__
        PLANTS[name] = Plant(name, lights, stage, change, blind)
        return change

    return declared


def later(study: Study) -> npt.NDArray[np.int64]:
    """Rows of the test part."""
    return study.target.split.test


def told_of(study: Study, name: str, label: str) -> Bools:
    """(n,) rows whose account has that value of a column."""
    column = Dossier(study.encoded, study.rows.spine).account(name)
    return np.asarray(column.codes == column.values.index(label), dtype=np.bool_)


def group_of(study: Study, label: str) -> Bools:
    """(n,) rows of debtors of a band of ages."""
    labels, code = protected_cuts(study.encoded, study.rows.spine)["protected_birth_year"]
    return np.asarray(code == labels.index(label), dtype=np.bool_)


def of_the_future(study: Study, name: str, *, days: int) -> Floats:
    """(n,) a feature as it will be so many days later."""
    spine = study.rows.spine
    ahead = replace(spine, as_of_us=spine.as_of_us + days * US_PER_DAY)
    return compute_all(study.encoded, ahead, study.rows.schema)[:, study.place(name)]


@plant("SPLIT_LEAK")
def feature_of_the_future(study: Study) -> Study:
    """Payments of 30 days are counted up to the end of the horizon instead of up to the decision."""
    values = study.values.copy()
    values[:, study.place("payments_count_30d")] = of_the_future(study, "payments_count_30d", days=30)
    return study.with_values(values)


@plant("SPLIT_LEAK", blind=True)
def feature_late_by_days(study: Study) -> Study:
    """Days since the last payment are read ten days after the decision: a third of the horizon is known."""
    values = study.values.copy()
    values[:, study.place("payments_recency")] = of_the_future(study, "payments_recency", days=10)
    return study.with_values(values)


@plant("STABILITY_FEATURES")
def inputs_drift(study: Study) -> Study:
    """What is due, and what is overdue, is 60 % larger in the test rows than it was in training."""
    values = study.values.copy()
    columns = [study.place(name) for name in ("balance_cents", "overdue_cents", "debts_due_cents_sum_90d")]
    values[np.ix_(later(study), columns)] *= 1.6
    return study.with_values(values)


@plant("STABILITY_FEATURES")
def feed_down_for_a_month(study: Study) -> Study:
    """In one month of the test rows no contact arrived: whatever counts contacts is 0."""
    values = study.values.copy()
    months, code = month_of(study.rows.spine.as_of_us[later(study)])
    fullest = int(np.bincount(code, minlength=len(months)).argmax())
    columns = [place for place, name in enumerate(study.columns.names) if name.startswith("contacts_count")]
    values[np.ix_(later(study)[code == fullest], columns)] = 0.0
    return study.with_values(values)


@plant("STABILITY_FEATURES")
def values_go_missing(study: Study) -> Study:
    """In two of five test rows the days past due are missing."""
    values, rows = study.values.copy(), later(study)
    hit = rows[study.rng.random(len(rows)) < 0.4]
    values[hit, study.place("days_past_due")] = np.nan
    return study.with_values(values)


@plant("STABILITY_LABEL")
def payers_fall_away(study: Study) -> Study:
    """After training every sixth payer does not pay any more, whoever it is."""
    return _unpaid(study, later(study), share=1 / 6)


@plant("STABILITY_MONTHS")
def outcomes_not_yet_posted(study: Study) -> Study:
    """In the last whole month a quarter of the payments was not posted when the outcome was read."""
    months, code = month_of(study.rows.spine.as_of_us[later(study)])
    return _unpaid(study, later(study)[code == len(months) - 1], share=0.25)


@plant("SEGMENT_CALIBRATION")
def segment_without_outcomes(study: Study) -> Study:
    """Of a product with every fourth row two in five payments were not seen in training, as they went to a creditor."""
    known = np.concatenate([study.target.split.train, study.target.split.valid])
    return _unpaid(study, known[told_of(study, "product", "credit_card")[known]], share=0.4)


@plant("SEGMENT_ORDER")
def segment_joined_wrongly(study: Study) -> Study:
    """Rows of one product carry the features of other accounts of that product."""
    values, rows = study.values.copy(), np.flatnonzero(told_of(study, "product", "credit_card"))
    values[rows] = values[study.rng.permutation(rows)]
    return study.with_values(values)


@plant("DISCRIMINATION_AUC")
def outcomes_joined_wrongly(study: Study) -> Study:
    """Outcomes of training are those of other rows."""
    paid, known = study.target.paid.copy(), np.concatenate([study.target.split.train, study.target.split.valid])
    paid[known] = paid[study.rng.permutation(known)]
    return study.with_paid(paid)


@plant("FAIRNESS_PROXY")
def proxy_of_age(study: Study) -> Study:
    """A feature tells of nine debtors in ten whether they are sixty or older."""
    values, old = study.values.copy(), group_of(study, ">= 60")
    told = np.where(study.rng.random(len(old)) < 0.9, old, study.rng.random(len(old)) < 0.5)
    values[:, study.place("account_age")] = 100.0 * told + study.rng.random(len(old))
    return study.with_values(values)


@plant("FAIRNESS_SELECTION")
def group_learned_as_poor(study: Study) -> Study:
    """Two in three payments of debtors of sixty and older are missing from training; a feature tells who they are."""
    known = np.concatenate([study.target.split.train, study.target.split.valid])
    return _unpaid(proxy_of_age(study), known[group_of(study, ">= 60")[known]], share=2 / 3)


@plant("FAIRNESS_CALIBRATION")
def group_without_outcomes(study: Study) -> Study:
    """Two in five payments of debtors of sixty and older are missing from the outcomes of the test rows."""
    return _unpaid(study, later(study)[group_of(study, ">= 60")[later(study)]], share=0.4)


@plant("DATA_DUPLICATES")
def rows_twice(study: Study) -> Study:
    """Every tenth test row is another test row once more."""
    return _copied(study, study.target.split.test, share=0.1)


@plant("SPLIT_SHARED_ROWS")
def test_rows_in_training(study: Study) -> Study:
    """Every twentieth test row is a training row once more."""
    return _copied(study, study.target.split.train, share=0.05)


@plant("DIRECTIONS", "DIRECTIONS_LARGEST")
def sign_turned_round(study: Study) -> Study:
    """Features with a declared direction are stored with the opposite sign."""
    values = study.values.copy()
    turned = np.flatnonzero(np.array(study.columns.directions))
    values[:, turned] *= -1.0
    return study.with_values(values)


@plant("DIRECTIONS_LARGEST")
def one_sign_turned_round(study: Study) -> Study:
    """The days past due alone are stored with the opposite sign."""
    values = study.values.copy()
    values[:, study.place("days_past_due")] *= -1.0
    return study.with_values(values)


@plant("REASONS_STABLE")
def days_from_the_wrong_origin(study: Study) -> Study:
    """Days since something are stored as a date, in days since 1970: a percent of it is half a year."""
    values = study.values.copy()
    for place, name in enumerate(study.columns.names):
        if name.endswith("_recency") or name == "days_past_due":
            values[:, place] = 20_000.0 - values[:, place]
    return study.with_values(values)


@plant("SPLIT_UNSEEN_DEBTORS")
def debtors_known_by_heart(study: Study) -> Study:
    """A feature is the share of a debtor's own rows that were paid, later ones too; new debtors have none."""
    values, debtor, seen = study.values.copy(), study.rows.rows.debtor, ~study.rows.rows.unseen
    rate = np.bincount(debtor, weights=study.target.paid) / np.maximum(np.bincount(debtor), 1)
    values[:, study.place("kept_share")] = np.where(seen, rate[debtor], np.nan)
    return study.with_values(values)


def _unpaid(study: Study, rows: npt.NDArray[np.int64], *, share: float) -> Study:
    paid = study.target.paid.copy()
    paid[rows[study.rng.random(len(rows)) < share]] = 0.0
    return study.with_paid(paid)


def _copied(study: Study, source: npt.NDArray[np.int64], *, share: float) -> Study:
    """Test rows that are rows of ``source`` once more, with features and outcome."""
    rows, rng = later(study), study.rng
    hit = rng.choice(rows, size=int(share * len(rows)), replace=False)
    kept = np.setdiff1d(source, hit)
    twin = rng.choice(kept, size=len(hit), replace=False)
    values, paid = study.values.copy(), study.target.paid.copy()
    values[hit], paid[hit] = values[twin], paid[twin]
    return study.with_values(values).with_paid(paid)
