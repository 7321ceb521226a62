"""The canonical tables of a world that goes on: at each moment they hold what was known by then, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.tables import TABLES
from simulation.arrow import Ints
from simulation.canonical import BUILDERS, NO_OUTCOME, Setting, accounts_table, as_known
from simulation.journal import COLUMNS, TABLE, WIDTH
from simulation.parquet import open_parquet

_NAMES = tuple(COLUMNS)
_ANEW = ("promises", "holds")
"""Tables whose rows are completed later, by their end: their one file is written anew at each moment."""
_OUTCOME = 1 + COLUMNS["promises"].index("outcome")


def _no_rows() -> Ints:
    return np.zeros((0, WIDTH), dtype=np.int64)


@dataclass
class KnownTables:
    """A data directory of a folder of parts per table, and the journal rows that are not known yet.

    ``later`` are journal rows (m, WIDTH) recorded after what was written last, ``ended`` those of the tables that are
    written anew; a promise that is running has its open row in ``running`` instead.
    """

    folder: Path
    setting: Setting
    later: Ints = field(default_factory=_no_rows)
    ended: Ints = field(default_factory=_no_rows)
    running: Ints = field(default_factory=_no_rows)

    @classmethod
    def begin(cls, folder: Path, setting: Setting, journals: Iterable[Ints], *, until_us: int) -> Self:
        """Write the history: its rows recorded before ``until_us``, with the others kept for later."""
        _clear(folder)
        tables = cls(folder, setting)
        tables.write("accounts", accounts_table(setting.folk), part="history")
        tables.advance(np.concatenate([journal.copy() for journal in journals]), until_us=until_us, part="history")
        return tables

    def copied(self, folder: Path) -> KnownTables:
        """The same tables in a directory of their own, to go on differently."""
        _clear(folder)
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return replace(self, folder=folder)

    def advance(self, journal: Ints, *, until_us: int, part: str) -> None:
        """Write what is known before ``until_us`` and was not yet, the rows of a journal among it.

        The journal has the open row of every promise that is running.
        """
        rows = np.concatenate([self.later, journal])
        promised = (rows[:, 0] == TABLE.promises) & (rows[:, _OUTCOME] == NO_OUTCOME)
        anew = np.isin(rows[:, 0], [_NAMES.index(name) for name in _ANEW])
        self.running = rows[promised]
        self.ended = np.concatenate([self.ended, rows[anew & ~promised]])
        others = rows[~anew]
        known = _recorded(others) < until_us
        self.later = others[~known]
        for name in _NAMES:
            if name in _ANEW:
                self._put(name, np.concatenate([self.ended, self.running]), until_us=until_us, part="known")
            elif len(others[known & _of(name, others)]) or not (self.folder / name).is_dir():
                # Written once even where it is empty: an absent table means unknown, an empty one that nothing was.
                self._put(name, others, until_us=until_us, part=part)

    def _put(self, name: str, journal: Ints, *, until_us: int, part: str) -> None:
        rows = journal[_of(name, journal)]
        columns = {column: rows[:, place + 1] for place, column in enumerate(COLUMNS[name])}
        known = as_known(name, columns, until_us=until_us)
        self.write(name, BUILDERS[name](known, self.setting), part=part)

    def write(self, table: str, data: pa.Table, *, part: str) -> None:
        """Write a part of a table, in place of one of the same name."""
        (self.folder / table).mkdir(parents=True, exist_ok=True)
        with open_parquet(self.folder / table / f"{part}.parquet", data.schema) as file:
            file.write_table(data, row_group_size=max(len(data), 1))


def _clear(folder: Path) -> None:
    """Remove the tables of an earlier run; whatever else is in the directory stays."""
    for name in TABLES:
        shutil.rmtree(folder / name, ignore_errors=True)


def _recorded(rows: Ints) -> Ints:
    """(m,) when each journal row was recorded; decisions when they were taken."""
    when = [columns.index("recorded" if "recorded" in columns else "decided") for columns in COLUMNS.values()]
    found: Ints = rows[np.arange(len(rows)), 1 + np.array(when)[rows[:, 0]]]
    return found


def _of(name: str, rows: Ints) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = rows[:, 0] == _NAMES.index(name)
    return found
