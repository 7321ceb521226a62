"""What an expectation is judged by: the tables, what validation found, and the profiles of now and then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.coded import Coded
from features.findings import Finding, Portfolio
from features.gates.profile import DataProfile, TableProfile
from features.reading import LoadedTable


@dataclass(frozen=True, slots=True)
class Look:
    """Everything there is to look at; ``before`` is the profile of the last training, if there was one.

    ``rows`` are those in the files, to which ``findings`` belong: with a moment until which to look, the tables have
    fewer.
    """

    portfolio: Portfolio
    findings: Sequence[Finding]
    rows: Mapping[str, int]
    profile: DataProfile
    before: DataProfile | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One table within a ``Look``."""

    table: LoadedTable
    look: Look

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.spec.name

    @property
    def profile(self) -> TableProfile:
        """What it looks like now."""
        return self.look.profile.tables[self.name]

    @property
    def before(self) -> TableProfile | None:
        """What it looked like at the last training, if it was there."""
        return None if self.look.before is None else self.look.before.tables.get(self.name)

    def numbers(self, column: str) -> npt.NDArray[Any]:
        """A column of numbers, moments or days."""
        return np.asarray(self.table.data[column])

    def texts(self, column: str) -> Coded:
        """A column of texts."""
        values = self.table.data[column]
        assert isinstance(values, Coded)
        return values


def share(part: int, whole: int) -> float:
    """A share that is 0 where there is nothing."""
    return part / whole if whole else 0.0


def percent(value: float) -> str:
    """A share for people.

    >>> percent(0.0123), percent(0.00001)
    ('1.23 %', '0.001 %')
    """
    return f"{100 * value:.3g} %"
