"""What is told of a run beside its file: a few numbers of each decision, from which the summary is made.

Sums go over all accounts and are rounded once, so that they are the same however many shards there were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.targeting import Dealt, targeting_of
from domain.decisions import Decision

_EXPLAINED = 30


@dataclass(frozen=True)
class Outline:
    """Of n decisions: what targeting is told, what each is worth (n,) in cents, and counts.

    ``channels`` counts what was chosen, ``refused`` the accounts that have a refusal of each code.
    """

    dealt: Dealt
    net_cents: npt.NDArray[np.float64]
    channels: Mapping[str, int]
    refused: Mapping[str, int]

    @classmethod
    def of(cls, decisions: Sequence[Decision]) -> Outline:
        """That of decision records, all of one run."""
        refused: Counter[str] = Counter()
        for decision in decisions:
            refused.update({refusal.code for refusal in decision.refusals})
        return cls(
            Dealt.of(decisions, horizon_days=explained_of(list(decisions[0].p_pay) if decisions else [])),
            np.array([one.chosen.expected_net_cents for one in decisions], dtype=np.float64),
            Counter(decision.channel for decision in decisions),
            refused,
        )

    @classmethod
    def together(cls, parts: Sequence[Outline]) -> Outline:
        """That of all parts."""
        return cls(
            Dealt(*(_joined([getattr(part.dealt, name) for part in parts]) for name in Dealt.__slots__)),
            _joined([part.net_cents for part in parts]),
            _added([part.channels for part in parts]),
            _added([part.refused for part in parts]),
        )

    def summary(self, *, horizons: Sequence[int]) -> dict[str, Any]:
        """Counts by the action's channel and by refusal code, and the expected money, for people and machines."""
        return {
            "accounts": len(self.net_cents),
            "expected_net_value": _currency(self.net_cents),
            "incremental_net_value": _currency(self.dealt.added_cents),
            "expected_cost": _currency(self.dealt.cost_cents),
            "channels": _commonest_first(self.channels),
            "accounts_with_refusal": _commonest_first(self.refused),
            "p_pay_horizon_days": explained_of(horizons),
            "targeting": targeting_of(self.dealt),
        }


def explained_of(horizons: Sequence[int]) -> int:
    """Days of the horizon by which decisions are told apart: 30, or the first where there is no such."""
    return _EXPLAINED if _EXPLAINED in horizons or not horizons else horizons[0]


def _joined(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0)


def _added(parts: Sequence[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return total


def _currency(cents: npt.NDArray[np.float64]) -> float:
    return round(fsum(cents) / 100.0, 2)


def _commonest_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
