"""Segments by which the funnel is told apart: bands of what decisions say, and of what the tables do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from decisioning.pages import spine_at
from decisioning.targeting import P_PAY_EDGES
from domain.bands import DAYS_PAST_DUE
from domain.clock import MISSING
from domain.decisions import Decision
from features.dossier import Dossier
from features.encoding import Encoded
from features.state import account_states

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
UNKNOWN, NOTHING_OPEN = "unknown", "nothing open"
_AMOUNT_EDGES = (100, 500, 2_000, 10_000)
_EXPLAINED_DAYS = 30
_COLUMNS = ("region", "product")


class Segmentation(NamedTuple):
    """The segments of n accounts: ``code`` (n,) is the position of each account's label, in the order of tables."""

    labels: tuple[str, ...]
    code: Int64s

    @classmethod
    def of(cls, names: Sequence[str | None]) -> Self:
        """By name, in the order of the alphabet; those without one come last.

        >>> Segmentation.of(["b", None, "a"]).labels
        ('a', 'b', 'unknown')
        """
        labels = (*sorted({name for name in names if name is not None}), UNKNOWN)
        place = {name: position for position, name in enumerate(labels)}
        return cls(labels, np.array([place[name or UNKNOWN] for name in names], dtype=np.int64))


def decision_segments(decisions: Sequence[Decision]) -> dict[str, Segmentation]:
    """What decisions tell themselves: bands of ``p_pay`` (of 30 days, or of the first horizon), and of what is due."""
    days = _explained(decisions)
    p_pay = np.array([decision.p_pay[days] for decision in decisions], dtype=np.float64)
    due = np.array([decision.amount_due_cents for decision in decisions], dtype=np.float64)
    return bands(p_pay, due, horizon_days=days)


def bands(p_pay: Floats, due_cents: Floats | Int64s, *, horizon_days: int) -> dict[str, Segmentation]:
    """Bands of the probability (n,) to pay within a horizon, and of what is due (n,)."""
    edges = (0.0, *P_PAY_EDGES, 1.0)
    shares = tuple(f"{low:.0%} to {high:.0%}" for low, high in pairwise(edges))
    amounts = (*(f"{low} to {high}" for low, high in pairwise((0, *_AMOUNT_EDGES))), f"over {_AMOUNT_EDGES[-1]}")
    return {
        f"p_pay_{horizon_days}d": Segmentation(shares, np.digitize(p_pay, P_PAY_EDGES)),
        "amount_due": Segmentation(amounts, np.digitize(due_cents / 100.0, _AMOUNT_EDGES)),
    }


def _explained(decisions: Sequence[Decision]) -> int:
    horizons = list(decisions[0].p_pay) if decisions else []
    return _EXPLAINED_DAYS if _EXPLAINED_DAYS in horizons or not horizons else horizons[0]


def account_segments(
    decisions: Sequence[Decision], encoded: Encoded, *, channels: Sequence[str]
) -> dict[str, Segmentation]:
    """Days past due, region and product, all as known at the moment of the decisions.

    Parameters
    ----------
    decisions : all of one moment
    encoded : the tables they were made from
    channels : the configured ones
    """
    if not decisions:
        return {}
    index = encoded.account_index()
    accounts = np.array([index[decision.account_id] for decision in decisions], dtype=np.int64)
    spine = spine_at(accounts, decisions[0].decided_at_us)
    overdue = account_states(encoded, spine, channels=channels).days_past_due
    return known_segments(overdue, Dossier(encoded, spine))


def known_segments(days_past_due: Int64s, dossier: Dossier) -> dict[str, Segmentation]:
    """The same of accounts whose days past due (n,) and history are at hand."""
    named = {name: Segmentation.of(dossier.account(name).decode()) for name in _COLUMNS}
    return {"days_past_due": _ageing(days_past_due), **named}


def _ageing(days_past_due: Int64s) -> Segmentation:
    labels = (*(name for name, _, _ in DAYS_PAST_DUE), NOTHING_OPEN)
    code = np.digitize(days_past_due, [low for _, low, _ in DAYS_PAST_DUE[1:]])
    return Segmentation(labels, np.where(days_past_due == MISSING, len(DAYS_PAST_DUE), code))
