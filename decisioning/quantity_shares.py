"""What each feature adds to a learned quantity under an action, such as the chance that a contact is received.

A quantity is a strictly increasing function of a margin, and the margin a sum over features: exact TreeSHAP for
boosters, the terms themselves for linear parts. What an offset or a linear twin adds for the action as a whole is told
in a last column, ``OF_THE_ACTION``, which is no feature of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from decisioning.candidates import Grid
from decisioning.offsets import SURE, OffsetHead
from decisioning.response import AnyHead, Head
from decisioning.twin import BlendedHead, Twin, design

Floats = npt.NDArray[np.float64]
OF_THE_ACTION = "action"


@dataclass(frozen=True)
class Margins:
    """m candidates of one account: ``base`` plus the sum of ``added`` (m, k + a + 1) is the margin of each.

    Columns are the account's features, the action's, and last ``OF_THE_ACTION``. ``base_value`` is the quantity where
    the margin is ``base``, ``value`` (m,) the quantity of each candidate.
    """

    base: float
    added: Floats
    base_value: float
    value: Floats


def margins_of(head: AnyHead, table: Grid, actions: npt.NDArray[np.int64]) -> Margins | None:
    """The shares of one account's candidates.

    Parameters
    ----------
    table : the grid of that one account
    actions : (m,) positions in the grid

    Returns
    -------
    ``None`` for a head of a form that is not known here
    """
    rows = table.rows(np.zeros(len(actions), dtype=np.int64), actions)
    if isinstance(head, OffsetHead):
        return _with_offsets(head, table, actions)
    if head.constant is not None:
        nothing = np.zeros((len(rows), rows.shape[1] + 1))
        return Margins(0.0, nothing, float(head.constant), np.full(len(rows), float(head.constant)))
    if isinstance(head, Head):
        return _calibrated(head, *_grown(head, rows))
    if isinstance(head, BlendedHead):
        base, added = _grown(head, rows)
        straight_base, straight = _straight(head.twin, table, rows)
        blended = head.weight * added + (1.0 - head.weight) * straight
        return _calibrated(head, head.weight * base + (1.0 - head.weight) * straight_base, blended)
    return None


def _calibrated(head: Head | BlendedHead, base: float, added: Floats) -> Margins:
    assert head.calibrator is not None
    value = head.calibrator.apply(base + added.sum(axis=1))
    return Margins(base, added, float(head.calibrator.apply(np.array([base]))[0]), value)


def _grown(head: Head | BlendedHead, rows: Floats) -> tuple[float, Floats]:
    found = head.explainer.contributions(rows)
    # What was learned of the account alone knows fewer columns.
    added = np.zeros((len(rows), rows.shape[1] + 1))
    added[:, : found.shape[1] - 1] = found[:, :-1]
    return float(found[0, -1]), added


def _straight(twin: Twin, table: Grid, rows: Floats) -> tuple[float, Floats]:
    """The twin's margin: its score by feature, its drivers by their terms, and whatever goes with the action."""
    told = twin.explainer.contributions(table.values)[0]
    score, own = told.sum(), rows[:, table.values.shape[1] :]
    drivers = np.repeat(table.values[:, twin.drivers], len(rows), axis=0)
    terms = design(np.full(len(rows), score), own, drivers, of=twin) * twin.coefficients[1:]
    added = np.zeros((len(rows), rows.shape[1] + 1))
    slope = float(twin.coefficients[1])
    added[:, : len(told) - 1] = slope * told[:-1]
    known = 1 + len(twin.drivers)
    for place, column in enumerate(twin.drivers):
        added[:, column] += terms[:, 1 + place]
    added[:, -1] = terms[:, known:].sum(axis=1)
    return float(twin.coefficients[0] + slope * told[-1]), added


def _with_offsets(head: OffsetHead, table: Grid, actions: npt.NDArray[np.int64]) -> Margins | None:
    """In log-odds, in which the offset is added: what is under it is stretched along its chord."""
    inner = margins_of(head.head, table, actions)
    if inner is None:
        return None
    base = float(_log_odds(np.array([inner.base_value]))[0])
    plain = _log_odds(inner.value)
    total = inner.added.sum(axis=1)
    flat = np.abs(total) < 1e-12
    added = inner.added * np.where(flat, 0.0, (plain - base) / np.where(flat, 1.0, total))[:, None]
    offset = head.offsets.of(table)[0, actions]
    # What is left where shares cancel to nothing is the action's, as is the offset.
    added[:, -1] += plain - base - added.sum(axis=1) + offset
    return Margins(base, added, float(expit(base)), expit(plain + offset))


def _log_odds(value: Floats) -> Floats:
    return np.asarray(logit(np.clip(value, SURE, 1.0 - SURE)), dtype=np.float64)


def explained_by(added: Floats, total: float) -> Floats:
    """``total``, of one candidate, split in proportion to ``added`` (w,); all of it to the last where those cancel."""
    whole = added.sum()
    if abs(whole) < 1e-12:
        found = np.zeros(len(added))
        found[-1] = total
        return found
    return np.asarray(added * (total / whole), dtype=np.float64)


def names_of(account: Sequence[str], action: Sequence[str]) -> list[str]:
    """Names of the columns of ``Margins.added``."""
    return [*account, *action, OF_THE_ACTION]
