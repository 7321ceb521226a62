"""A mapping file made ready to run: read, its sources found, and every problem with them told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from domain.config import Document, load_document, parse_section
from domain.errors import ConfigError
from domain.tables import TABLES, TableSpec
from features.config import Attribute
from features.mapping.checking import (
    Problem,
    entry_problems,
    nearest,
    source_problems,
    table_problems,
    target_problems,
)
from features.mapping.rules import Entry, MappingConfig, Source
from features.mapping.values import Target
from features.reading import columns_of
from features.reading_files import Dialect, Scan, TableFiles, open_scan

_FORMATS: dict[str, Literal["parquet", "csv"]] = {
    ".parquet": "parquet", ".csv": "csv", ".txt": "csv", ".tsv": "csv",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """One entry of a table: its columns with their rules, and how its source is read."""

    entry: Entry
    targets: tuple[Target, ...]
    files: TableFiles
    scan: Scan


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do for each mapped table, in the order of the canonical tables."""

    mapping: MappingConfig
    tables: Mapping[str, tuple[PlannedEntry, ...]]


def make_plan(path: Path, *, folder: Path, attributes: Mapping[str, Attribute], connection: Any) -> Plan:
    """A mapping file with its sources, checked; nothing of the sources is read but what they say of their columns.

    Parameters
    ----------
    path : the mapping
    folder : where the files of its sources are looked for
    attributes : declared columns of accounts

    Raises
    ------
    ConfigError : the file is no mapping, or says something of a table or a source that is not so; all of it is told,
        each with its line
    DataError : a source cannot be read at all
    """
    document = load_document(path)
    mapping = parse_section(document.raw or {}, MappingConfig, source=str(path), line=document.line)
    _raise(document, list(table_problems(mapping)))
    problems: list[Problem] = []
    files = {name: _files(name, source, folder, problems) for name, source in mapping.sources.items()}
    scans = {name: open_scan(connection, found) for name, found in files.items() if found is not None}
    tables: dict[str, tuple[PlannedEntry, ...]] = {}
    for spec in TABLES.values():
        entries = mapping.tables.get(spec.name, ())
        for number, entry in enumerate(entries):
            place = ("tables", spec.name, number)
            problems += _wrong(
                place, spec, entry, mapping=mapping, scans=scans, attributes=attributes, connection=connection
            )
        if entries and not problems:
            tables[spec.name] = tuple(
                PlannedEntry(
                    entry, _targets(spec, entry, mapping, attributes), _there(files[entry.source]), scans[entry.source]
                )
                for entry in entries
            )
    _raise(document, problems)
    return Plan(mapping, tables)


def _there(files: TableFiles | None) -> TableFiles:
    assert files is not None  # a source without files is a problem, and with problems there is no plan
    return files


def _raise(document: Document, problems: list[Problem]) -> None:
    if problems:
        told = [f"line {document.line(place)}: {'.'.join(map(str, place))}: {text}" for place, text in problems]
        raise ConfigError(f"{document.path}: " + "\n  ".join(told))


def _files(name: str, source: Source, folder: Path, problems: list[Problem]) -> TableFiles | None:
    """The files of a source in the order of their names; ``None``, and a problem, where there is nothing to read."""
    place = ("sources", name)
    paths = sorted({path for pattern in source.files for path in _matching(folder, pattern)})
    if not paths:
        wanted = ", ".join(source.files)
        problems.append((place, f"found no file {wanted} in {folder}, needed one; mend files, or give --source DIR"))
        return None
    formats = {_FORMATS.get(path.suffix.lower()) for path in paths}
    found = next(iter(formats))
    if len(formats) > 1 or found is None:
        suffixes = ", ".join(sorted({path.suffix or "none" for path in paths}))
        needed = f"one of {', '.join(_FORMATS)}"
        problems.append((place, f"found files that end in {suffixes}, needed {needed}; make a source for each"))
        return None
    return TableFiles(name, found, tuple(paths), source.files[0], Dialect(source.delimiter, source.encoding))


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    whole = folder / pattern
    if whole.is_file():
        # A name may hold what a pattern takes for a class of characters.
        yield whole
        return
    start = Path(whole.anchor) if Path(pattern).is_absolute() else folder
    wanted = str(Path(pattern).relative_to(start)) if Path(pattern).is_absolute() else pattern
    yield from (path for path in start.glob(wanted) if path.is_file())


def _targets(
    spec: TableSpec, entry: Entry, mapping: MappingConfig, attributes: Mapping[str, Attribute]
) -> tuple[Target, ...]:
    columns = columns_of(spec, attributes)
    return tuple(Target(c, entry.columns[c.name], entry, mapping) for c in columns if c.name in entry.columns)


def _wrong(
    place: tuple[Any, ...],
    spec: TableSpec,
    entry: Entry,
    *,
    mapping: MappingConfig,
    scans: Mapping[str, Scan],
    attributes: Mapping[str, Attribute],
    connection: Any,
) -> list[Problem]:
    """Everything that is wrong with one entry; what needs the source is asked only where there is one."""
    if entry.source not in mapping.sources:
        text = f"found the source {entry.source!r}, needed one of sources; {nearest(entry.source, mapping.sources)}"
        return [((*place, "source"), text)]
    problems = list(entry_problems(place, spec, entry, attributes))
    scan = scans.get(entry.source)
    if scan is None:
        return problems
    absent = list(source_problems(place, entry, scan))
    for target in () if absent else _targets(spec, entry, mapping, attributes):
        where = (*place, "columns", target.column.name)
        problems += target_problems(where, target, scan, connection)
    return problems + absent
