"""The profile of a table from its pieces: counts by month that add up, amounts put aside for their medians."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, US_PER_HOUR, Int64s
from domain.coded import Coded
from domain.tables import TableSpec
from features.gates.measuring import AMOUNTS, CENTS, HOURS, MOST_VALUES, medians_of, moments_of, named
from features.gates.profile import MOST_MONTHS, Amounts, Categories, TableProfile
from features.reading import LoadedTable, is_missing
from features.streaming.scattered import Room, Scattered

Int32s = npt.NDArray[np.int32]
Counts = dict[int, Int64s]
"""Something counted by month since 1970-01."""
_WIDEST = 1 << 18
"""Hours between the first and the last of a piece up to which they are counted without being sorted."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Accounts by their creditor: the names of groups, the last one "" for all others, and (accounts,) the group."""

    names: tuple[str, ...]
    of_account: Int32s

    def of(self, account: Int32s) -> Int64s:
        """(n,) groups of accounts by their numbers; those that came after all of ``of_account`` are others."""
        known = np.append(self.of_account, len(self.names) - 1).astype(np.int64)
        return np.asarray(known[np.where((account < 0) | (account >= len(self.of_account)), -1, account)])


class Vocabulary:
    """The distinct values of a column of texts while they are few, in the order in which they come."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    @property
    def small(self) -> bool:
        """Whether the column is a vocabulary at all."""
        return len(self.codes) <= MOST_VALUES

    def of(self, column: Coded) -> Int32s:
        """(n,) codes that hold for all pieces; call it only while the vocabulary is small."""
        found = [self.codes.setdefault(value, len(self.codes)) for value in column.values]
        return np.asarray(np.array([*found, -1], dtype=np.int32)[column.codes])


class MonthTally:
    """What the rows of one table look like, by month; undated rows are all of month 0."""

    def __init__(self, spec: TableSpec, room: Room, *, latest: int) -> None:
        self._spec, self._never = spec, _first_hour_after(latest)
        self._rows = 0
        self._volume: Counts = {}
        self._hours: Counts = {}
        self._missing: dict[str, Counts] = {}
        self._values: dict[str, Counts] = {}
        self._whole: dict[str, Counts] = {}
        self.vocabularies: dict[str, Vocabulary] = {}
        self._amounts = {name: Scattered(room, ("cell", "cents")) for name in AMOUNTS.get(spec.name, ())}
        self._room = room

    def see(self, table: LoadedTable) -> None:
        """Takes in the texts of all rows, whether they count or not: a vocabulary is that of the files."""
        kinds = {column.name: column.kind for column in self._spec.columns}
        for name, values in table.data.items():
            if isinstance(values, Coded) and kinds.get(name, "text") in ("text", "code"):
                vocabulary = self.vocabularies.setdefault(name, Vocabulary())
                if vocabulary.small:
                    vocabulary.of(values)

    def add(self, table: LoadedTable, account: Int32s, groups: Groups) -> None:
        """Counts the rows of a piece that count, with the numbers of their accounts."""
        self._rows += table.rows
        place, months = self._places(table)
        _count(self._volume, place, months)
        for name, values in table.data.items():
            rows = np.flatnonzero(is_missing(values)) if name != "recorded_at" else table.unrecorded
            if len(rows) or name not in self._missing:
                _count(self._missing.setdefault(name, {}), place[rows], months)
            vocabulary = self.vocabularies.get(name)
            if isinstance(values, Coded) and vocabulary is not None and vocabulary.small:
                given = values.codes >= 0
                codes = (vocabulary.of(values)[given].astype(np.int64), MOST_VALUES)
                _count(self._values.setdefault(name, {}), place[given], months, codes)
        for name, put_aside in self._amounts.items():
            cents = np.asarray(table.data[name])
            used = np.flatnonzero((place >= 0) & (cents != MISSING) & (cents > 0))
            whole = (cents[used] % CENTS == 0).astype(np.int64)
            _count(self._whole.setdefault(name, {}), place[used], months, (whole, 2))
            cell = months[place[used]] * len(groups.names) + groups.of(account[used])
            put_aside.add(cell % self._room.parts, cell, cents[used])

    def forget(self) -> None:
        """Frees what was put aside."""
        for put_aside in self._amounts.values():
            put_aside.forget()

    def rows_of(self, name: str) -> Int64s:
        """(values,) rows of each value of a vocabulary, of all months."""
        return sum(self._values.get(name, {}).values(), np.zeros((MOST_VALUES,), dtype=np.int64))

    def profile(self, end_month: int, groups: Groups) -> TableProfile:
        """The profile of data that end in a month."""
        dated = any(column.name in ("occurred_at", "decided_at") for column in self._spec.columns)
        inside = [month for month in self._volume if end_month - MOST_MONTHS < month <= end_month]
        months = np.arange(min(inside, default=end_month), end_month + 1, dtype=np.int64) if dated else np.zeros(1)
        months = months.astype(np.int64)
        return TableProfile(
            rows=self._rows,
            months=months,
            volume=_at(self._volume, months, 1)[:, 0],
            hours=_at(self._hours, months, HOURS) if dated else np.empty((0, HOURS), dtype=np.int64),
            missing={name: _at(found, months, 1)[:, 0] for name, found in self._missing.items()},
            categories={
                name: _categories(vocabulary, _at(self._values.get(name, {}), months, MOST_VALUES))
                for name, vocabulary in self.vocabularies.items()
                if vocabulary.small
            },
            amounts={name: self._scale(name, months, groups) for name in self._amounts},
        )

    def _places(self, table: LoadedTable) -> tuple[Int64s, Int64s]:
        """(n,) the place of each row's month among some months, -1 where it has none or one to come; the months.

        Hours are counted on the way.
        """
        moments = moments_of(table)
        if moments is None:
            return np.zeros(table.rows, dtype=np.int64), np.zeros(1, dtype=np.int64)
        hour = np.where(moments == MISSING, self._never, moments // US_PER_HOUR)
        known = hour < self._never
        if not known.any():
            return np.full(table.rows, -1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        low, high = int(hour[known].min()), int(hour[known].max())
        if high - low < _WIDEST:
            hours, counts = np.arange(low, high + 1), np.bincount(hour[known] - low)
            place = np.where(known, hour - low, 0)
        else:
            hours, place, counts = np.unique(hour, return_inverse=True, return_counts=True)
            counts[hours >= self._never] = 0
        month = hours.astype("datetime64[h]").astype("datetime64[M]").astype(np.int64)
        months = np.arange(month[0], month[-1] + 1, dtype=np.int64) if high - low < _WIDEST else np.unique(month)
        of_hour = np.searchsorted(months, month)
        flat = np.bincount(of_hour * HOURS + hours % HOURS, weights=counts, minlength=len(months) * HOURS)
        _add(self._hours, flat.astype(np.int64).reshape(len(months), HOURS), months)
        return np.where(known, of_hour[place], -1), months

    def _scale(self, name: str, months: Int64s, groups: Groups) -> Amounts:
        """Rows and medians by month and group; each cell lies in one part."""
        width = len(groups.names)
        rows, medians = np.zeros(len(months) * width, dtype=np.int64), np.full(len(months) * width, np.nan)
        for number in range(self._room.parts):
            found = self._amounts[name].part(number)
            if found is None:
                break
            cell = found["cell"] - months[0] * width
            inside = (cell >= 0) & (cell < len(rows))
            count, middle = medians_of(found["cents"][inside], cell[inside], len(rows))
            rows += count
            medians = np.where(count > 0, middle, medians)
        self._amounts[name].forget()
        used, whole = _at(self._whole.get(name, {}), months, 2).sum(axis=0).tolist() if self._whole else (0, 0)
        shape = (len(months), width)
        share = whole / (used + whole) if used + whole else 0.0
        return Amounts(groups.names, rows.reshape(shape), medians.reshape(shape) / CENTS, share)


def _first_hour_after(month: int) -> int:
    """The hour since 1970 at which the next month begins."""
    return int(np.datetime64(month + 1, "M").astype("datetime64[h]").astype(np.int64))


def _count(found: Counts, place: Int64s, months: Int64s, codes: tuple[Int64s, int] | None = None) -> None:
    """Adds rows by month, and by a code below a width where there is one."""
    code, width = codes if codes is not None else (np.zeros(1, dtype=np.int64), 1)
    known = place >= 0
    flat = place[known] if width == 1 else place[known] * width + code[known]
    _add(found, np.bincount(flat, minlength=len(months) * width).reshape(len(months), width), months)


def _add(found: Counts, counts: Int64s, months: Int64s) -> None:
    """Adds counts, (months, width), to those that are there."""
    for row in np.flatnonzero(counts.any(axis=1)).tolist():
        month = int(months[row])
        found[month] = found[month] + counts[row] if month in found else counts[row]


def _at(found: Mapping[int, Int64s], months: Int64s, width: int) -> Int64s:
    rows: list[Any] = [found.get(month, np.zeros(width, dtype=np.int64)) for month in months.tolist()]
    return np.array(rows, dtype=np.int64).reshape(len(months), width)


def _categories(vocabulary: Vocabulary, counts: Int64s) -> Categories:
    values = list(vocabulary.codes)
    names, place = named(values, counts.sum(axis=0)[: len(values)])
    table = np.zeros((len(counts), len(names) + 1), dtype=np.int64)
    for code in range(len(values)):
        table[:, place[code]] += counts[:, code]
    return Categories(names, table)
