"""What is watched, as plain arrays: weeks, scored rows, decisions, contacts and payments. Checks see nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.clock import US_PER_DAY, rfc3339
from training.windows import Bools, Int64s

Floats = npt.NDArray[np.float64]
DAYS = 7
LEAST_WEEKS = 4
"""Fewer weeks before do not tell by how much weeks differ anyway."""
PARTS = 4
"""Of a month: its days 1 to 7, 8 to 14, 15 to 21, and the rest."""


def part_of_month(at_us: Int64s) -> Int64s:
    """(n,) which part of its month each moment lies in, 0 to 3, by UTC days.

    >>> part_of_month(np.array([0, 7 * 86_400_000_000, 30 * 86_400_000_000])).tolist()
    [0, 1, 3]
    """
    days = (at_us // US_PER_DAY).astype("datetime64[D]")
    day_of_month = (days - days.astype("datetime64[M]")).astype(np.int64)
    return np.asarray(np.minimum(day_of_month // DAYS, PARTS - 1), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days ``[start_us, end_us)``."""

    start_us: int

    @property
    def end_us(self) -> int:
        """The first moment after it."""
        return self.start_us + DAYS * US_PER_DAY

    @property
    def name(self) -> str:
        """The UTC day on which it begins."""
        return rfc3339(self.start_us)[:10]

    def holds(self, at_us: Int64s) -> Bools:
        """(n,) which moments lie in it."""
        return np.asarray((at_us >= self.start_us) & (at_us < self.end_us), dtype=np.bool_)


@dataclass(frozen=True)
class ScoredRows:
    """One week's rows, one per debtor.

    ``debtor`` (n,) is whose row it is. ``values`` (n, k) features and ``p_pay`` (n, H) are as of each row's moment;
    ``part`` (n,) is the part of its month that this lies in (``part_of_month``). ``paid`` (n, H) is what came of it by
    now, ``mature`` (H,) whether the whole week can be judged over each horizon; ``unseen`` the share of rows with a
    category that training never saw, by feature.
    """

    debtor: Int64s
    values: Floats
    p_pay: Floats
    part: Int64s
    paid: Floats
    mature: Bools
    unseen: Mapping[str, float]

    def __len__(self) -> int:
        return len(self.p_pay)


@dataclass(frozen=True)
class DecisionRows:
    """Logged decisions, all (n,): when, on whom, whether it waits, is explored, or is of a control arm.

    ``explored`` is an action that the policy chose against the odds: with less than half of its probability.
    ``refusals`` holds, for each code, whether it refused any action (n,); ``None`` where the log keeps no codes.
    """

    at_us: Int64s
    debtor: Int64s
    waits: Bools
    explored: Bools
    control: Bools
    refusals: Mapping[str, Bools] | None


@dataclass(frozen=True)
class ContactRows:
    """Contacts made, all (n,): when, on which local day, to whom, on which of ``channels``, at what cost.

    ``received`` and ``opted_out`` are what came of each within the days that an answer takes.
    """

    at_us: Int64s
    day: Int64s
    debtor: Int64s
    channels: tuple[str, ...]
    channel: Int64s
    cost_cents: Floats
    received: Bools
    opted_out: Bools


@dataclass(frozen=True)
class Payments:
    """Payments as they were recorded, (n,): when that was, whose, and whether it was later than the posting lag."""

    recorded_us: Int64s
    debtor: Int64s
    late: Bools


@dataclass(frozen=True)
class Discounts:
    """Discounts given, (n,): on which local day, and how much."""

    day: Int64s
    cents: Floats


@dataclass(frozen=True)
class Watched:
    """All of it.

    ``before`` are the weeks that ``weeks`` are compared with by what is done in them. ``rows`` are the scored rows of
    ``weeks``, one entry each, and ``rows_before`` those of ``weeks_before``, the last weeks of the model's own data, or
    ``before`` where these are not earlier; empty where the data do not reach back. ``owing`` counts accounts that owed
    as each week began, those before first. ``decisions`` and ``contacts`` are ``None`` where the data have no such
    table. ``answered_until_us`` is the moment before which contacts have had their days for an answer; ``sampled`` says
    which moments ``rows`` are of, ``fallbacks`` the share of accounts for which something lesser is done.
    """

    before: tuple[Week, ...]
    weeks: tuple[Week, ...]
    rows: tuple[ScoredRows, ...]
    weeks_before: tuple[Week, ...]
    rows_before: tuple[ScoredRows, ...]
    owing: Int64s
    decisions: DecisionRows | None
    contacts: ContactRows | None
    payments: Payments
    discounts: Discounts
    answered_until_us: int
    sampled: str
    fallbacks: Mapping[str, float]

    @property
    def all_weeks(self) -> tuple[Week, ...]:
        """Those before, and those judged."""
        return (*self.before, *self.weeks)
