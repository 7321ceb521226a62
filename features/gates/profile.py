"""What canonical tables look like, by table and month, as counts: what a later training compares its data with.

Nothing in it is about one debtor: no id, no date, and of texts only those that stand in at least ``LEAST_ROWS`` rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from domain.clock import US_PER_DAY, Int64s, rfc3339
from domain.errors import DataError

FORMAT = 1
LEAST_ROWS = 20
MOST_MONTHS = 37

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Categories:
    """Rows of each value by month; ``counts`` is (months, values + 1), its last column all rarer values together."""

    values: tuple[str, ...]
    counts: Int64s


@dataclass(frozen=True)
class Amounts:
    """Rows and median by month and group of accounts: ``rows`` and ``medians`` are (months, groups).

    ``whole`` is the share of amounts without cents.
    """

    groups: tuple[str, ...]
    rows: Int64s
    medians: Floats
    whole: float


@dataclass(frozen=True)
class TableProfile:
    """One table: ``months`` (m,) since 1970-01, consecutive; one bucket of all rows where rows have no moment.

    ``volume`` is (m,) rows, ``hours`` (m, 24) rows by hour UTC, ``missing`` (m,) rows without a value by column.
    ``rows`` counts those of all months, also of such as lie further back than ``MOST_MONTHS``.
    """

    rows: int
    months: Int64s
    volume: Int64s
    hours: Int64s
    missing: Mapping[str, Int64s] = field(default_factory=dict)
    categories: Mapping[str, Categories] = field(default_factory=dict)
    amounts: Mapping[str, Amounts] = field(default_factory=dict)

    @property
    def dated(self) -> bool:
        """Whether its rows are told apart by month."""
        return len(self.hours) > 0


@dataclass(frozen=True)
class DataProfile:
    """All tables of a directory, and the day (since 1970) on which the data end."""

    end_day: int
    tables: Mapping[str, TableProfile]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "format": FORMAT,
            "end": rfc3339(self.end_day * US_PER_DAY),
            "end_day": self.end_day,
            "tables": {name: _to_json(table) for name, table in self.tables.items()},
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What ``to_json`` wrote.

        Raises
        ------
        DataError : it is of another format, or is no profile at all
        """
        if found.get("format") != FORMAT:
            raise DataError(f"found a data profile of format {found.get('format')}, needed {FORMAT}; train again")
        try:
            return cls(int(found["end_day"]), {name: _from_json(table) for name, table in found["tables"].items()})
        except (KeyError, TypeError, ValueError) as error:
            raise DataError("found a damaged data profile, needed what training wrote; train again") from error


def _to_json(table: TableProfile) -> dict[str, Any]:
    return {
        "rows": table.rows,
        "months": table.months.tolist(),
        "volume": table.volume.tolist(),
        "hours": table.hours.tolist(),
        "missing": {name: rows.tolist() for name, rows in table.missing.items()},
        "categories": {
            name: {"values": list(one.values), "counts": one.counts.tolist()} for name, one in table.categories.items()
        },
        "amounts": {
            name: {
                "groups": list(one.groups),
                "rows": one.rows.tolist(),
                "medians": [[None if np.isnan(value) else value for value in row] for row in one.medians.tolist()],
                "whole": one.whole,
            }
            for name, one in table.amounts.items()
        },
    }


def _from_json(found: Mapping[str, Any]) -> TableProfile:
    return TableProfile(
        rows=int(found["rows"]),
        months=_ints(found["months"]),
        volume=_ints(found["volume"]),
        hours=_ints(found["hours"]),
        missing={name: _ints(rows) for name, rows in found["missing"].items()},
        categories={
            name: Categories(tuple(one["values"]), _ints(one["counts"])) for name, one in found["categories"].items()
        },
        amounts={
            name: Amounts(
                tuple(one["groups"]), _ints(one["rows"]), np.array(one["medians"], dtype=np.float64), one["whole"]
            )
            for name, one in found["amounts"].items()
        },
    )


def _ints(values: Any) -> Int64s:
    return np.array(values, dtype=np.int64)
