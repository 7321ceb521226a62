"""One allocation problem: what every action is worth on every account, what it uses, and how much there is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from domain.errors import ConfigError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_ROUNDING = 1e-9
Values = npt.NDArray[np.float32] | npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Problem:
    """n accounts of S segments, A actions, K resources; each account takes exactly one action.

    ``value`` (n, A), what an action adds to waiting; ``NaN`` or −inf where it is not allowed. Column 0 is ``wait``:
    worth 0, always allowed, and uses nothing. ``segment`` (n,) is below S, and ``constant`` (S, A, K) is what an action
    uses of each resource on any account of a segment. What differs from account to account, money mostly, comes on top:
    ``amount`` (n, P) of the pairs (``pair_action``, ``pair_resource``), each (P,), ordered by action. Uses are never
    negative. ``limit`` (K,) is the most of a resource, +inf where there is no limit; ``minimum`` (K,) the least.

    Notes
    -----
    Pairs and constants keep memory bounded: only what really differs is held, and ``value`` and ``amount`` may be
    float32. One million accounts of 49 actions, 48 of them with a cost of their own, take 0.4 GB.
    """

    value: Values
    segment: Ints
    constant: Floats
    amount: Values
    pair_action: Ints
    pair_resource: Ints
    limit: Floats
    minimum: Floats

    def __post_init__(self) -> None:
        (n, actions), (segments, also_actions, resources) = self.value.shape, self.constant.shape
        shapes = {
            "actions of constant": (also_actions, actions),
            "rows of segment": (len(self.segment), n),
            "rows of amount": (len(self.amount), n),
            "columns of amount": (self.amount.shape[1], len(self.pair_action)),
            "limit": (len(self.limit), resources),
            "minimum": (len(self.minimum), resources),
        }
        wrong = {name: pair for name, pair in shapes.items() if pair[0] != pair[1]}
        if wrong:
            raise ConfigError(f"an allocation whose parts do not fit: found and needed {wrong}")
        if n and not 0 <= int(self.segment.min()) <= int(self.segment.max()) < segments:
            raise ConfigError(f"an allocation with a segment outside 0 to {segments - 1}")
        if np.any(np.diff(self.pair_action) < 0):
            raise ConfigError("the pairs of an allocation must be ordered by action")
        if self.constant[:, 0].any() or 0 in self.pair_action or (n and np.any(self.value[:, 0] != 0)):
            raise ConfigError("waiting, the first action, must be worth 0 and use nothing")
        if np.any(self.minimum > self.limit) or np.any(self.limit < 0):
            raise ConfigError("an allocation needs 0 <= minimum <= limit of every resource")

    def __len__(self) -> int:
        return len(self.value)

    @property
    def resources(self) -> int:
        """How many there are, K."""
        return len(self.limit)

    @property
    def pair_start(self) -> Ints:
        """(A + 1,) where the pairs of each action begin."""
        return np.searchsorted(self.pair_action, np.arange(self.value.shape[1] + 1)).astype(np.int64)

    @property
    def bearable(self) -> Floats:
        """(K,) limits that bear sums in any order: of what is no whole number the last digits depend on it."""
        whole = (np.mod(self.constant, 1.0) == 0).all(axis=(0, 1))
        whole[self.pair_resource] = False
        spare = _ROUNDING * np.maximum(np.where(np.isfinite(self.limit), self.limit, 0.0), 1.0)
        return np.asarray(np.where(whole, self.limit, np.maximum(self.limit - spare, 0.0)), dtype=np.float64)

    def use_on(self, row: int) -> Floats:
        """(A, K) what each action uses on an account."""
        use: Floats = self.constant[self.segment[row]].copy()
        use[self.pair_action, self.pair_resource] += self.amount[row]
        return use

    def sample(self, size: int) -> Problem:
        """About ``size`` accounts spread evenly and without a period, with limits and minimums in proportion."""
        if size >= len(self):
            return self
        # Multiples of the golden ratio: no generator is needed, and rows that repeat with some period are all hit.
        places = np.modf(np.arange(1, size + 1) * 0.6180339887498949)[0] * len(self)
        rows = np.unique(places.astype(np.int64))
        part = len(rows) / len(self)
        return replace(
            self, value=self.value[rows], segment=self.segment[rows], amount=self.amount[rows],
            limit=self.limit * part, minimum=self.minimum * part,
        )  # fmt: skip
