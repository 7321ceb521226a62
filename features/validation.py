"""The data-quality report: what `acerto validate` prints, and what training asks before it starts.

The severity of each kind is argued in docs/data_quality.md: critical is what would make a score or a balance wrong
without anyone noticing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from domain.clock import rfc3339, to_us
from domain.errors import DataError
from domain.tables import TABLES
from features import checks_references, checks_structure, checks_time, checks_values
from features.config import Attribute
from features.findings import Finding, Portfolio, Report, TableSummary, raise_if_critical, sort_key, summary_of
from features.identity import without_repeats
from features.reading import LoadedTable, connect, load_table
from features.reading_files import find_files, stray_files
from features.reading_problems import missing_table
from features.vocabulary import CHANNELS

__all__ = ["Finding", "Report", "TableSummary", "raise_if_critical", "validate"]

CHECKS: tuple[Callable[[Portfolio], Iterator[Finding]], ...] = (
    *checks_references.CHECKS,
    *checks_time.CHECKS,
    *checks_values.CHECKS,
)


def validate(
    data_dir: Path, *, attributes: Mapping[str, Attribute], now: datetime, channels: Sequence[str] = CHANNELS
) -> Report:
    """Everything that is wrong or doubtful about a data directory; bad data are findings, never errors.

    Parameters
    ----------
    data_dir : the directory with the canonical tables
    attributes : declared columns of accounts
    now : aware; what is later than this lies in the future
    channels : channel names that are known; the default are those with features of their own

    Raises
    ------
    DataError : the directory itself does not exist
    """
    loaded, findings = _load(data_dir, attributes)
    summaries = tuple(summary_of(table) for table in loaded.values())
    for table in loaded.values():
        findings += checks_structure.findings_of(table, attributes)
    once = {name: _without_repeats(table) for name, table in loaded.items()}
    portfolio = Portfolio(once, attributes, tuple(channels), to_us(now))
    findings += [finding for check in CHECKS for finding in check(portfolio)]
    return Report(str(data_dir), rfc3339(now), summaries, tuple(sorted(findings, key=sort_key)))


def _load(data_dir: Path, attributes: Mapping[str, Attribute]) -> tuple[dict[str, LoadedTable], list[Finding]]:
    loaded: dict[str, LoadedTable] = {}
    findings: list[Finding] = []
    connection = connect()
    try:
        for name, spec in TABLES.items():
            try:
                files = find_files(data_dir, name)
                if files is not None:
                    loaded[name] = load_table(connection, files, spec=spec, attributes=attributes)
                elif spec.required:
                    findings.append(Finding("critical", name, None, "missing_table", 0, (), missing_table(name)))
            except DataError as error:
                if not data_dir.is_dir():
                    raise
                findings.append(Finding("critical", name, None, "unreadable", 0, (), _without_place(name, error)))
    finally:
        connection.close()
    return loaded, findings + list(_strays(data_dir))


def _without_place(table: str, error: DataError) -> str:
    return str(error).removeprefix(f"{table}: ").removeprefix(f"{table}/: ")


def _strays(data_dir: Path) -> Iterator[Finding]:
    for name, near in stray_files(data_dir):
        way_out = f"is it {near}?" if near else "it is left out"
        yield Finding("note", name, None, "unknown_file", 0, (), f"found a file that is no canonical table; {way_out}")


def _without_repeats(table: LoadedTable) -> LoadedTable:
    return replace(table, data=without_repeats(table.data, id_column=table.spec.id_column))
