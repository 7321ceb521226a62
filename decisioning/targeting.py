"""Whom contacting pays for: decisions by who would pay anyway, and by what the best contact adds to waiting.

Those who pay anyway are not worth a contact, nor are those who will not pay whatever is done; the table shows whether
the policy leaves both alone, and what it spends on the rest. ``targeting`` tells it of decisions that were taken,
``by_self_cure`` of what is expected of a sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import fsum
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


@dataclass(frozen=True, slots=True)
class Dealt:
    """What targeting is told of n decisions, each (n,).

    ``p_pay`` of the horizon that stands for paying anyway; whether the choice is a contact; the most that a contact
    could have added in cents, −inf where none was allowed; what the chosen action costs and adds, in cents.
    """

    p_pay: Floats
    contacted: npt.NDArray[np.bool_]
    could_add_cents: Floats
    cost_cents: Floats
    added_cents: Floats

    @classmethod
    def of(cls, decisions: Sequence[Decision], *, horizon_days: int) -> Self:
        """That of decision records."""
        return cls(
            np.array([one.p_pay[horizon_days] for one in decisions], dtype=np.float64),
            np.array([one.action != WAIT for one in decisions], dtype=np.bool_),
            np.array([_could_add(one) for one in decisions], dtype=np.float64),
            np.array([one.chosen.expected_cost_cents for one in decisions], dtype=np.float64),
            np.array([one.chosen.incremental_net_cents for one in decisions], dtype=np.float64),
        )


def targeting(decisions: Sequence[Decision], *, horizon_days: int) -> list[dict[str, Any]]:
    """The same of decision records; ``horizon_days`` is that of the ``p_pay`` that stands for paying anyway."""
    return targeting_of(Dealt.of(decisions, horizon_days=horizon_days))


def targeting_of(found: Dealt) -> list[dict[str, Any]]:
    """One row per cell that holds accounts, money in currency; ``p_pay`` is under the treatment that is usual.

    Notes
    -----
    What a contact could add is that of the better of the chosen action and its runner-up, so that an explored choice
    moves no account to another cell. ``contacted``, ``cost`` and ``incremental_net_value`` are of what was chosen.
    """
    paying = np.searchsorted(P_PAY_EDGES, found.p_pay, side="right")
    adding = np.searchsorted(ADDED_EDGES_CENTS, found.could_add_cents, side="right")
    adding = np.where(np.isneginf(found.could_add_cents), -1, adding)
    cells = sorted({*zip(paying.tolist(), adding.tolist(), strict=True)})
    return [
        {"p_pay": _p_pay_name(p_pay), "contact_could_add": _added_name(added),
         **_totals(found, (paying == p_pay) & (adding == added))}
        for p_pay, added in cells
    ]  # fmt: skip


def _could_add(decision: Decision) -> float:
    candidates = (decision.chosen, decision.runner_up)
    contacts = [found.incremental_net_cents for found in candidates if found is not None and found.action != WAIT]
    return max(contacts, default=-np.inf)


def _totals(found: Dealt, inside: npt.NDArray[np.bool_]) -> dict[str, Any]:
    return {
        "accounts": int(inside.sum()),
        "contacted": int(found.contacted[inside].sum()),
        # Rounded once, so that the order of accounts plays no part.
        "cost": round(fsum(found.cost_cents[inside]) / 100.0, 2),
        "incremental_net_value": round(fsum(found.added_cents[inside]) / 100.0, 2),
    }


def _p_pay_name(band: int) -> str:
    edges = (0.0, *P_PAY_EDGES, 1.0)
    return f"{edges[band]:.0%} to {edges[band + 1]:.0%}"


def _added_name(band: int) -> str:
    return (NO_CONTACT, "nothing", "under 1", "1 to 10", "10 to 100", "100 and more")[band + 1]
