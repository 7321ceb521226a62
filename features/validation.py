"""The data-quality report: what `acerto validate` prints, and what training asks before it starts.

The severity of each kind is argued in docs/data_quality.md: critical is what would make a score or a balance wrong
without anyone noticing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from domain.clock import parse_moment, rfc3339, to_us
from domain.errors import DataError
from domain.tables import TABLES
from features import checks_references, checks_structure, checks_time, checks_values
from features.config import Attribute
from features.findings import Finding, Portfolio, Report, TableSummary, raise_if_critical, sort_key, summary_of
from features.gates.judging import Declared, judge
from features.gates.keyed import counts_of
from features.gates.looking import Look
from features.gates.measuring import ends_of, profile_of
from features.identity import repeated_rows
from features.known import known_rows, without_later
from features.reading import LoadedTable, connect, load_table, only
from features.reading_files import TableFiles, find_files, stray_files
from features.reading_problems import missing_table
from features.vocabulary import CHANNELS

__all__ = ["Finding", "Report", "TableSummary", "raise_if_critical", "validate"]

CHECKS: tuple[Callable[[Portfolio], Iterator[Finding]], ...] = (
    *checks_references.CHECKS,
    *checks_time.CHECKS,
    *checks_values.CHECKS,
)


def validate(
    data_dir: Path,
    *,
    attributes: Mapping[str, Attribute],
    now: datetime,
    channels: Sequence[str] = CHANNELS,
    declared: Declared | None = None,
    until: datetime | None = None,
) -> Report:
    """Everything that is wrong or doubtful about a data directory; bad data are findings, never errors.

    Parameters
    ----------
    data_dir : the directory with the canonical tables
    attributes : declared columns of accounts
    now : aware; what is later than this lies in the future
    channels : channel names that are known; the default are those with features of their own
    declared : what is expected of the tables beyond that, and what they are compared with
    until : expectations look at nothing that happened or was recorded at or after this moment; findings do

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
    report = Report(str(data_dir), rfc3339(now), summaries, tuple(sorted(findings, key=sort_key)))
    return report if declared is None else _gated(report, portfolio, declared, until=until)


def _gated(report: Report, portfolio: Portfolio, declared: Declared, *, until: datetime | None) -> Report:
    """The report with its expectations."""
    known = portfolio if until is None else _known_before(portfolio, to_us(until))
    ends = ends_of(known)
    profile = profile_of(known, ends)
    look = Look(
        files={name: table.files for name, table in portfolio.tables.items()},
        findings=report.findings,
        rows={summary.table: summary.rows for summary in report.tables},
        profile=profile,
        ends=ends,
        counts=counts_of(known, declared.expectations),
        before=declared.before,
    )
    return judged(report, look, declared)


def judged(report: Report, look: Look, declared: Declared) -> Report:
    """The report with what came of the expectations."""
    now_us = to_us(parse_moment(report.now))
    return replace(report, gates=judge(look, declared, now_us=now_us), profile=look.profile)


def _known_before(portfolio: Portfolio, until_us: int) -> Portfolio:
    """What was there and known by then, as training cuts it."""
    tables = {}
    for name, table in portfolio.tables.items():
        known = only(table, np.flatnonzero(known_rows(name, table.data, until_us=until_us)))
        tables[name] = replace(known, data=without_later(name, known.data, until_us=until_us))
    return replace(portfolio, tables=tables)


def found_tables(data_dir: Path) -> tuple[dict[str, TableFiles], list[Finding]]:
    """Where the tables lie, and what is wrong or doubtful about their places.

    Raises
    ------
    DataError : the directory itself does not exist
    """
    found: dict[str, TableFiles] = {}
    findings: list[Finding] = []
    for name, spec in TABLES.items():
        try:
            files = find_files(data_dir, name)
        except DataError as error:
            if not data_dir.is_dir():
                raise
            findings.append(unreadable_table(name, error))
            continue
        if files is not None:
            found[name] = files
        elif spec.required:
            findings.append(Finding("critical", name, None, "missing_table", 0, (), missing_table(name)))
    return found, [*findings, *_strays(data_dir)]


def unreadable_table(name: str, error: DataError) -> Finding:
    """The finding about a table that cannot be read."""
    return Finding("critical", name, None, "unreadable", 0, (), _without_place(name, error))


def _load(data_dir: Path, attributes: Mapping[str, Attribute]) -> tuple[dict[str, LoadedTable], list[Finding]]:
    loaded: dict[str, LoadedTable] = {}
    found, findings = found_tables(data_dir)
    connection = connect()
    try:
        for name, files in found.items():
            try:
                loaded[name] = load_table(connection, files, spec=TABLES[name], attributes=attributes)
            except DataError as error:
                findings.append(unreadable_table(name, error))
    finally:
        connection.close()
    return loaded, findings


def _without_place(table: str, error: DataError) -> str:
    return str(error).removeprefix(f"{table}: ").removeprefix(f"{table}/: ")


def _strays(data_dir: Path) -> Iterator[Finding]:
    for name, near in stray_files(data_dir):
        way_out = f"is it {near}?" if near else "it is left out"
        yield Finding("note", name, None, "unknown_file", 0, (), f"found a file that is no canonical table; {way_out}")


def _without_repeats(table: LoadedTable) -> LoadedTable:
    repeated = repeated_rows(table.data, id_column=table.spec.id_column)
    return only(table, np.flatnonzero(~repeated)) if repeated.any() else table
