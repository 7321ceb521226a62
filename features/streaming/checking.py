"""The data-quality report of a directory of any size: the same findings and judgements as ``features.validation``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import US_PER_DAY, rfc3339, to_us
from domain.errors import DataError
from domain.tables import TABLES
from features.checks_references import TARGETS
from features.checks_structure import CONFLICTING, REPEATED
from features.config import Attribute
from features.findings import Finding, Report, sort_key
from features.gates import config as kinds
from features.gates.judging import Declared
from features.gates.keyed import paid_within_owed
from features.gates.looking import Counted, Look
from features.gates.measuring import named
from features.gates.profile import DataProfile
from features.out_of_core import limited
from features.reading import typed_query
from features.reading_files import TableFiles, most_rows
from features.streaming.flags import Flags, findings_of
from features.streaming.identity import of_shared_ids, repeated_and_conflicting
from features.streaming.latest import ends_of
from features.streaming.listing import INSTEAD
from features.streaming.months import Groups
from features.streaming.references import idle_accounts, references, reversals
from features.streaming.scan import Asked, Before, Scan, owed_in_all, padded
from features.streaming.scattered import Room, Sizes
from features.validation import found_tables, judged, unreadable_table
from features.vocabulary import CHANNELS

Bools = npt.NDArray[np.bool_]
OnStep = Callable[[str, float], None]


@dataclass
class _Found:
    """What is known of all tables while they are read one after another."""

    asked: Asked
    room: Room
    before: Before = field(default_factory=Before)
    scans: dict[str, Scan] = field(default_factory=dict)
    skipped: dict[str, Bools] = field(default_factory=dict)
    flags: list[Flags] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def validate_by_parts(
    data_dir: Path,
    scratch: Path,
    *,
    sizes: Sizes,
    attributes: Mapping[str, Attribute],
    now: datetime,
    channels: Sequence[str] = CHANNELS,
    declared: Declared | None = None,
    until: datetime | None = None,
    on_step: OnStep = lambda _step, _share: None,
) -> Report:
    """As ``features.validation.validate``, within bounded memory.

    Parameters
    ----------
    scratch : an empty folder for what does not fit memory
    sizes : what bounds memory

    Raises
    ------
    DataError : the directory itself does not exist
    """
    files, findings = found_tables(data_dir)
    expectations = kinds.ExpectationsConfig() if declared is None else declared.expectations
    asked = Asked(
        attributes, tuple(channels), to_us(now), expectations, most_rows(files.values()),
        None if until is None else to_us(until),
    )  # fmt: skip
    found = _Found(asked, Room(scratch, sizes), findings=findings)
    with limited(scratch / "spill") as connection:
        # Which of two equal rows is the later one, and whose a debt is, go by the order of rows in the files.
        connection.execute("SET preserve_insertion_order = true")
        _read_all(connection, files, found, on_step=on_step)
        on_step("looking at what meets", len(files) / (len(files) + 1))
        _across(found)
        _name_rows(connection, found)
    summaries = tuple(scan.summary for scan in found.scans.values())
    report = Report(str(data_dir), rfc3339(now), summaries, tuple(sorted(found.findings, key=sort_key)))
    report = report if declared is None else judged(report, _look(report, found, declared), declared)
    for scan in found.scans.values():
        scan.forget()
    return report


def _read_all(connection: Any, files: Mapping[str, TableFiles], found: _Found, *, on_step: OnStep) -> None:
    """Every table that can be read, each after those that it needs: accounts, then debts."""
    for place, (name, table_files) in enumerate(files.items()):
        on_step(f"reading {name}", place / (len(files) + 1))
        try:
            _read(connection, table_files, found)
        except DataError as error:
            found.findings.append(unreadable_table(name, error))


def _name_rows(connection: Any, found: _Found) -> None:
    """The findings of all tables, those about rows that had to meet with the ids of a few of them."""
    for name, scan in found.scans.items():
        own = [flags for flags in found.flags if flags.table == name]
        found.findings += scan.found.findings()
        found.findings += findings_of(
            connection, scan.query, own, skipped=found.skipped.get(name),
            rows_at_once=found.room.sizes.rows_at_once,
        )  # fmt: skip


def _read(connection: Any, files: TableFiles, found: _Found) -> None:
    """One table: once where every row has an id of its own, else again for what is alike, and without repeats."""
    name, spec, attributes = files.table, TABLES[files.table], found.asked.attributes
    instead = INSTEAD if name == "decisions" else {}
    query = typed_query(connection, files, spec=spec, attributes=attributes, instead=instead)
    scan = Scan(query, found.asked, found.before, found.room).run(connection)
    shared = of_shared_ids(scan.ids, scan.rows)
    flags: list[Flags] = []
    if shared is not None:
        whole = typed_query(connection, files, spec=spec, attributes=attributes)
        repeated, conflicting = repeated_and_conflicting(connection, whole, shared, found.room)
        marked = ((REPEATED, repeated), (CONFLICTING, conflicting))
        flags = [Flags.of(name, spec.id_column, trouble, rows) for trouble, rows in marked if rows.any()]
        if repeated.any():
            scan.forget()
            scan = Scan(query, found.asked, found.before, found.room, skipped=repeated).run(connection)
            found.skipped[name] = repeated
    found.flags += flags
    found.scans[name] = scan
    if name not in TARGETS.values():
        scan.ids.forget()
    _remember(scan, found.before)
    if name == "payments":
        found.flags += reversals(scan)


def _remember(scan: Scan, before: Before) -> None:
    """What the tables after this one must know of it."""
    if scan.spec.name == "accounts":
        before.in_accounts = scan.seen
        before.groups = _groups(scan, before.accounts.count)
    if scan.spec.name == "debts":
        before.in_debts, before.owed = scan.seen, scan.owed


def _groups(accounts: Scan, count: int) -> Groups:
    vocabulary = accounts.months.vocabularies["creditor"]
    if not vocabulary.small:
        return Groups(("",), np.zeros(count, dtype=np.int32))
    values = list(vocabulary.codes)
    names, place = named(values, accounts.months.rows_of("creditor")[: len(values)])
    creditor = padded(accounts.creditor, count, -1)[:count]
    return Groups((*names, ""), place[creditor].astype(np.int32))


def _across(found: _Found) -> None:
    found.flags += list(references(found.scans))
    if "accounts" in found.scans and "debts" in found.scans:
        found.flags += list(idle_accounts(found.scans["accounts"], found.scans["debts"], found.before))


def _look(report: Report, found: _Found, declared: Declared) -> Look:
    ends = ends_of({name: scan.latest for name, scan in found.scans.items()}, now_us=found.asked.now_us)
    end_day = int(ends.all_us // US_PER_DAY + 1)
    month = int(np.datetime64(end_day - 1, "D").astype("datetime64[M]").astype(np.int64))
    counts = {key: counted for scan in found.scans.values() for key, counted in _counts(scan, found)}
    profiles = {name: scan.months.profile(month, found.before.groups) for name, scan in found.scans.items()}
    return Look(
        files={name: scan.query.files for name, scan in found.scans.items()},
        findings=report.findings,
        rows={summary.table: summary.rows for summary in report.tables},
        profile=DataProfile(end_day, profiles),
        ends=ends,
        counts=counts,
        before=declared.before,
    )


def _counts(scan: Scan, found: _Found) -> Iterator[tuple[tuple[str, kinds.Expected], Counted]]:
    """What was counted of one table for its expectations."""
    name, payments = scan.spec.name, found.scans.get("payments")
    yield from (((name, expected), counted) for expected, counted in scan.counts.items())
    for keyed in scan.keyed:
        counted = keyed.counted(payments.paying if payments is not None else None)
        if counted is not None:
            yield (name, keyed.expected), counted
    for expected in found.asked.expectations.tables.get(name, {}).values():
        if isinstance(expected, kinds.PaidWithinOwed):
            yield (name, expected), _paid(scan, found.before, expected)


def _paid(scan: Scan, before: Before, expected: kinds.PaidWithinOwed) -> Counted:
    """Accounts without debts owed nothing, and are another check's business: all together they are one payer."""
    count = before.accounts.count
    paid, owed = padded(scan.paid, count)[:count], owed_in_all(before, count)
    if before.in_debts is not None:
        inside = padded(before.in_debts, count)[:count]
        paid, owed = np.append(paid[inside], paid[~inside].sum()), np.append(owed[inside], np.inf)
    return paid_within_owed(paid, owed, expected)
