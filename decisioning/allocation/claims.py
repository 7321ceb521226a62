"""What accounts could use of what is scarce, and what that is worth: gathered page by page, and of all shards together.

Of each account so little is kept that a portfolio fits into memory, which no page's offers would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from decisioning.allocation.apart import SetApart
from decisioning.allocation.problem import Floats, Ints, Problem
from decisioning.allocation.resources import Resources
from decisioning.arms import POLICY, Controls
from decisioning.offers import Lots, Offers

Members = Callable[[Offers], Floats]
"""(n, G) which segments the accounts of a page are in."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Of n accounts: what each action is worth and uses, where draws fall, who draws when, and who is set apart.

    ``value`` (n, A) is what an action adds to waiting, ``NaN`` where it is not allowed; ``amount`` (n, P) what the
    pairs of the resources use; ``inside`` (n, G) which segments an account is in. ``draws`` and ``turns`` are (n,),
    ``arm`` (n,) the code of the debtor's arm; ``apart`` (m,) are the rows of control arms, and ``rank`` (m, A) what
    these do. ``local_days`` are the debtors' days, rising.

    Notes
    -----
    Values and amounts are float64: limits are kept to the cent.
    """

    value: Floats
    amount: Floats
    inside: Floats
    draws: Floats
    turns: Floats
    arm: Ints
    apart: Ints
    rank: Ints
    local_days: Ints

    def __len__(self) -> int:
        return len(self.value)

    def save(self, path: Path) -> None:
        """Writes the arrays to a file."""
        with path.open("wb") as stream:
            np.savez(stream, **{name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def load(cls, path: Path) -> Claims:
        """The arrays of a file."""
        with np.load(path, allow_pickle=False) as found:
            return cls(**{name: found[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Gathered:
    """Offers of all accounts: the ``problem``, where draws fall, in which order they are made, (n,) each, and arms."""

    accounts: Ints
    problem: Problem
    draws: Floats
    order: Ints
    apart: SetApart
    local_days: tuple[int, ...]


def claims_of(
    pages: Iterable[tuple[Offers, Lots, Floats]], resources: Resources, *, accounts: Ints, members: Members
) -> Claims:
    """The claims of all pages.

    Parameters
    ----------
    pages : offers, lots, and the turns (n,) in which the accounts draw; together they hold all ``accounts``
    accounts : positions, rising
    """

    def parts() -> Iterable[tuple[Ints, Claims]]:
        for found, lots, turn in pages:
            own = np.flatnonzero(lots.controls.arm != POLICY)
            yield np.searchsorted(accounts, found.spine.account), Claims(
                found.gain_cents, resources.amounts(found), members(found), lots.draws, turn, lots.controls.arm, own,
                lots.controls.rank[own], np.unique(found.page.days.day),
            )  # fmt: skip

    return together(parts(), resources, size=len(accounts))


def together(parts: Iterable[tuple[Ints, Claims]], resources: Resources, *, size: int) -> Claims:
    """The claims of ``size`` accounts, from parts with the rows that they get; one part is held at a time."""
    n, actions = size, len(resources.actions)
    whole: dict[str, Any] = {
        "value": np.empty((n, actions)), "amount": np.empty((n, len(resources.pairs))),
        "inside": np.zeros((n, len(resources.segments))), "draws": np.empty(n), "turns": np.empty(n),
        "arm": np.full(n, POLICY),
    }  # fmt: skip
    none = np.zeros(0, dtype=np.int64)
    ranks, days = [(none, np.zeros((0, actions), dtype=np.int64))], [none]
    for rows, part in parts:
        for name, values in whole.items():
            values[rows] = getattr(part, name)
        ranks.append((rows[part.apart], part.rank))
        days.append(part.local_days)
    apart, rank = (np.concatenate(some) for some in zip(*ranks, strict=True))
    rising = np.argsort(apart)
    return Claims(**whole, apart=apart[rising], rank=rank[rising], local_days=np.unique(np.concatenate(days)))


def gathered(found: Claims, resources: Resources, *, accounts: Ints) -> Gathered:
    """The allocation problem of all ``accounts`` (positions, rising); those of control arms wait in it.

    The values of ``found`` are changed in place: a portfolio has no room for them twice.
    """
    found.value[found.apart, 1:] = np.nan
    constant, segment = resources.by_segment(found.inside)
    problem = Problem(
        value=found.value, segment=segment, constant=constant, amount=found.amount,
        pair_action=np.array([a for a, _ in resources.pairs], dtype=np.int64),
        pair_resource=np.array([k for _, k in resources.pairs], dtype=np.int64),
        limit=resources.limit, minimum=resources.minimum,
    )  # fmt: skip
    set_apart = SetApart(found.apart, Controls(found.arm[found.apart], found.rank))
    days: Sequence[int] = found.local_days.tolist()
    return Gathered(accounts, problem, found.draws, np.argsort(found.turns, kind="stable"), set_apart, tuple(days))
