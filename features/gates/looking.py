"""What an expectation is judged by: what was counted, what validation found, and the profiles of now and then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features.findings import Finding
from features.gates.config import Expected
from features.gates.profile import DataProfile, TableProfile
from features.reading_files import TableFiles


@dataclass(frozen=True, slots=True)
class Counted:
    """What is not as expected, of what was looked at: rows or accounts; those of parts of a table add up."""

    wrong: int
    of: int

    def __add__(self, other: Counted) -> Counted:
        return Counted(self.wrong + other.wrong, self.of + other.of)

    @property
    def share(self) -> float:
        """What part is not as expected, 0 of nothing."""
        return share(self.wrong, self.of)

    def told(self, what: str) -> str:
        """The count for people.

        >>> Counted(3, 1200).told("rows")
        '3 of 1,200 rows (0.25 %)'
        """
        return f"{self.wrong:,} of {self.of:,} {what} ({percent(self.share)})"


@dataclass(frozen=True, slots=True)
class Ends:
    """The moment at which the data end, and that of the last row of each dated table, ``MISSING`` where none is."""

    all_us: int
    last_us: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Look:
    """Everything there is to look at; ``before`` is the profile of the last training, if there was one.

    ``rows`` are those in the files, to which ``findings`` belong: with a moment until which to look, the profile has
    fewer. ``counts`` are by table and expectation, for those that count; one that cannot be counted is not in it.
    """

    files: Mapping[str, TableFiles]
    findings: Sequence[Finding]
    rows: Mapping[str, int]
    profile: DataProfile
    ends: Ends
    counts: Mapping[tuple[str, Expected], Counted]
    before: DataProfile | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One table within a ``Look``."""

    name: str
    look: Look

    @property
    def profile(self) -> TableProfile:
        """What it looks like now."""
        return self.look.profile.tables[self.name]

    @property
    def before(self) -> TableProfile | None:
        """What it looked like at the last training, if it was there."""
        return None if self.look.before is None else self.look.before.tables.get(self.name)

    def counted(self, expected: Expected, *, least: int = 0) -> Counted | None:
        """What was counted for an expectation; ``None`` where it cannot be, or is of too few to say anything."""
        found = self.look.counts.get((self.name, expected))
        return None if found is None or found.of < max(least, 1) else found


def share(part: int, whole: int) -> float:
    """A share that is 0 where there is nothing."""
    return part / whole if whole else 0.0


def percent(value: float) -> str:
    """A share for people.

    >>> percent(0.0123), percent(0.00001)
    ('1.23 %', '0.001 %')
    """
    return f"{100 * value:.3g} %"
