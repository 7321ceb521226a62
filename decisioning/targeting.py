"""Whom contacting pays for: decisions by who would pay anyway, and by what the best contact adds to waiting.

Those who pay anyway are not worth a contact, nor are those who will not pay whatever is done; the table shows whether
the policy leaves both alone, and what it spends on the rest. ``targeting`` tells it of decisions that were taken,
``by_self_cure`` of what is expected of a sample.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from domain.actions import WAIT
from domain.decisions import Decision

P_PAY_EDGES = (0.1, 0.3, 0.6)
ADDED_EDGES_CENTS = (1, 100, 1_000, 10_000)
"""From these on a contact adds something, 1, 10, or 100 in currency."""
NO_CONTACT = "no contact allowed"
LEAVE_ALONE, CONTACT = "leave_alone", "contact"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Of n accounts, each (n,): what is expected where nothing is done, and of the best action that is allowed.

    ``p_pay`` within the label's horizon without any contact, the self-cure; ``waiting_cents`` the value of waiting and
    ``chosen_cents`` that of the best action; ``action`` its position in the catalogue, 0 for waiting.
    """

    p_pay: Floats
    waiting_cents: Floats
    chosen_cents: Floats
    action: npt.NDArray[np.int64]

    @property
    def contacted(self) -> npt.NDArray[np.bool_]:
        """(n,) whether the best action is a contact."""
        return self.action > 0

    @classmethod
    def nobody(cls) -> Self:
        """No accounts at all."""
        return cls(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))

    @classmethod
    def together(cls, parts: Sequence[LeftAlone]) -> Self:
        """The accounts of all parts, in order."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def band_of(found: LeftAlone) -> npt.NDArray[np.int64]:
    """(n,) band of self-cure of each account, 0 for those least likely to pay by themselves."""
    return np.digitize(found.p_pay, P_PAY_EDGES).astype(np.int64)


def by_self_cure(found: LeftAlone) -> list[dict[str, Any]]:
    """One row per band of self-cure that holds accounts; money per account, in currency.

    ``mostly`` is ``leave_alone`` where at least half of the band is, else ``contact``.
    """
    band = band_of(found)
    edges = (0.0, *P_PAY_EDGES, 1.0)
    return [
        {"p_pay_low": edges[one], "p_pay_high": edges[one + 1], **_left_alone(found, band == one)}
        for one in np.unique(band).tolist()
    ]


def _left_alone(found: LeftAlone, inside: npt.NDArray[np.bool_]) -> dict[str, Any]:
    waiting, chosen = found.waiting_cents[inside].mean() / 100.0, found.chosen_cents[inside].mean() / 100.0
    left = 1.0 - float(found.contacted[inside].mean())
    return {
        "accounts": int(inside.sum()),
        "waiting_value": round(float(waiting), 2),
        "chosen_value": round(float(chosen), 2),
        "gain": round(float(chosen - waiting), 2),
        "left_alone": left,
        "mostly": LEAVE_ALONE if left >= 0.5 else CONTACT,
    }


def targeting(decisions: Sequence[Decision], *, horizon_days: int) -> list[dict[str, Any]]:
    """One row per cell that holds accounts, money in currency.

    Parameters
    ----------
    horizon_days : of the ``p_pay`` that stands for paying anyway, under the treatment an account usually gets

    Notes
    -----
    What a contact could add is that of the better of the chosen action and its runner-up, so that an explored choice
    moves no account to another cell. ``contacted``, ``cost`` and ``incremental_net_value`` are of what was chosen.
    """
    cells: dict[tuple[int, int], list[Decision]] = defaultdict(list)
    for decision in decisions:
        cells[bisect_right(P_PAY_EDGES, decision.p_pay[horizon_days]), _added_band(decision)].append(decision)
    return [
        {"p_pay": _p_pay_name(p_pay), "contact_could_add": _added_name(added), **_totals(cells[p_pay, added])}
        for p_pay, added in sorted(cells)
    ]


def _added_band(decision: Decision) -> int:
    """Band of what the best contact adds, -1 where no contact was allowed."""
    candidates = (decision.chosen, decision.runner_up)
    contacts = [found.incremental_net_cents for found in candidates if found is not None and found.action != WAIT]
    return bisect_right(ADDED_EDGES_CENTS, max(contacts)) if contacts else -1


def _totals(found: Sequence[Decision]) -> dict[str, Any]:
    return {
        "accounts": len(found),
        "contacted": sum(decision.action != WAIT for decision in found),
        "cost": round(sum(decision.chosen.expected_cost_cents for decision in found) / 100.0, 2),
        "incremental_net_value": round(sum(decision.chosen.incremental_net_cents for decision in found) / 100.0, 2),
    }


def _p_pay_name(band: int) -> str:
    edges = (0.0, *P_PAY_EDGES, 1.0)
    return f"{edges[band]:.0%} to {edges[band + 1]:.0%}"


def _added_name(band: int) -> str:
    return (NO_CONTACT, "nothing", "under 1", "1 to 10", "10 to 100", "100 and more")[band + 1]
