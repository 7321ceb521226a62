"""Splits by time with a gap of each target's own horizon, and folds by debtor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.clock import FOREVER, US_PER_DAY
from domain.errors import NotEnoughDataError
from training.config import SplitsConfig
from training.windows import Bools, Int64s

_UNSEEN_SALT, _FOLD_SALT = 0x9E37, 0x79B9
_MIN_ROWS = 50
_JUDGED = 0.4
"""With more, the first models would be judged that learned from far fewer rows than the final one."""


@dataclass(frozen=True)
class Split:
    """Rows of one target: ``train`` before ``valid_from_us``, ``valid`` before ``test_from_us``, then ``test``.

    ``dropped`` counts mature rows whose window crosses a boundary, or whose debtor is kept unseen.
    """

    train: Int64s
    valid: Int64s
    test: Int64s
    valid_from_us: int
    test_from_us: int
    dropped: int


def time_split(as_of_us: Int64s, usable: Bools, unseen: Bools, *, horizon_days: int, config: SplitsConfig) -> Split:
    """Train, validation and test rows in the order of time; no label window of one part reaches into the next.

    Parameters
    ----------
    as_of_us : (n,) moments of the rows
    usable : (n,) whether the label is mature
    unseen : (n,) rows of debtors who are kept out of training and validation

    Raises
    ------
    NotEnoughDataError : a part would have fewer than 50 rows
    """
    rows = np.flatnonzero(usable)
    gap_us = horizon_days * US_PER_DAY
    test_from = _quantile(as_of_us[rows], 1.0 - config.test_share)
    before = rows[as_of_us[rows] + gap_us <= test_from]
    valid_from = _quantile(as_of_us[before], 1.0 - config.valid_share / (1.0 - config.test_share))
    train = before[(as_of_us[before] + gap_us <= valid_from) & ~unseen[before]]
    valid = before[(as_of_us[before] >= valid_from) & ~unseen[before]]
    test = rows[as_of_us[rows] >= test_from]
    for name, part in (("training", train), ("validation", valid), ("test", test)):
        if len(part) < _MIN_ROWS:
            raise NotEnoughDataError(
                f"the {horizon_days}-day target has {len(part)} {name} rows of {len(rows)} mature ones, needed "
                f"{_MIN_ROWS}; give a longer history, or take the horizon out of horizon_days in decision.yaml"
            )
    used = len(train) + len(valid) + len(test)
    return Split(train, valid, test, valid_from, test_from, dropped=len(rows) - used)


def rolling_splits(
    as_of_us: Int64s, rows: Int64s, *, horizon_days: int, folds: int, config: SplitsConfig
) -> tuple[Split, ...]:
    """Splits within some rows: the latest two fifths of them are judged, span by span, each after all before it.

    Parameters
    ----------
    as_of_us : (n,) moments of all rows
    rows : (r,) positions that may be used; nothing is read of any other

    Raises
    ------
    NotEnoughDataError : a part would have fewer than 50 rows
    """
    ordered = rows[np.argsort(as_of_us[rows], kind="stable")]
    seen = np.zeros(len(as_of_us), dtype=np.bool_)
    found = []
    for fold in range(folds):
        share = 1.0 - _JUDGED * (folds - fold - 1) / folds
        # By moment and not by row: rows of one moment are in one span.
        end_us = _quantile(as_of_us[ordered], share) if fold + 1 < folds else FOREVER
        usable = np.zeros(len(as_of_us), dtype=np.bool_)
        usable[ordered[as_of_us[ordered] < end_us]] = True
        parts = config.model_copy(update={"test_share": _JUDGED / folds / share})
        found.append(time_split(as_of_us, usable, seen, horizon_days=horizon_days, config=parts))
    return tuple(found)


def _quantile(moments: Int64s, share: float) -> int:
    if not len(moments):
        return 0
    ordered = np.sort(moments)
    return int(ordered[min(len(ordered) - 1, int(len(ordered) * share))])


def unseen_debtors(debtor: npt.NDArray[np.int32], *, share: float, seed: int) -> Bools:
    """Which rows belong to the share of debtors that the evaluated models never see."""
    return hash_share(debtor.astype(np.int64), seed=seed + _UNSEEN_SALT) < share


def debtor_folds(debtor: npt.NDArray[np.int32], *, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """(n,) fold of each row; all rows of one debtor fall into the same fold."""
    return np.asarray(hash_share(debtor.astype(np.int64), seed=seed + _FOLD_SALT) * folds, dtype=np.int64)


def hash_share(*keys: Int64s, seed: int) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each tuple of integers, the same on every machine and in every order of rows.

    Notes
    -----
    splitmix64 (Steele, Lea and Flood 2014, OOPSLA), chained over the keys.
    """
    with np.errstate(over="ignore"):
        state = np.full(len(keys[0]), seed, dtype=np.uint64)
        for key in keys:
            state = (state ^ key.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state ^= state >> np.uint64(31)
    return np.asarray((state >> np.uint64(11)).astype(np.float64) / 2.0**53, dtype=np.float64)
