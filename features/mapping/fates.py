"""What became of the rows of every source, in counts and reasons, and what a mapping takes for granted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from features.known import happened_in
from features.mapping.planning import Plan, PlannedEntry
from features.mapping.times import has_hours


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that cannot be used because of one column; ``shape`` is what one of the texts looks like, never the text."""

    column: str
    reason: str
    rows: int
    shape: str | None

    def line(self) -> str:
        """The reason as a phrase."""
        looks = f", such as {self.shape!r} (digits as 9, letters as a)" if self.shape else ""
        return f"{self.column} {self.reason} in {self.rows:,}{looks}"


@dataclass(frozen=True, slots=True)
class Fate:
    """Rows of one entry: read, meant by ``where``, unusable, and kept; a row with two faults is unusable once."""

    source: str
    read: int
    chosen: int
    unusable: int
    kept: int
    left_out: tuple[LeftOut, ...]

    def reasons(self) -> str:
        """Why rows are unusable, in words."""
        return "; ".join(one.line() for one in self.left_out)

    def line(self) -> str:
        """What became of its rows, in words."""
        parts = [f"{self.read:,} rows read"]
        if self.chosen != self.read:
            parts.append(f"{self.chosen:,} meant by where")
        if self.unusable:
            parts.append(f"{self.unusable:,} left out ({self.reasons()})")
        if self.kept != self.chosen - self.unusable:
            parts.append(f"{self.chosen - self.unusable - self.kept:,} gave way by keep")
        return f"{self.source}: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class TableFate:
    """One table: its rows, how many were the same as another in everything, and where they come from."""

    table: str
    rows: int
    merged: int
    entries: tuple[Fate, ...]


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion did, without a value of anybody."""

    mapping: str
    tables: tuple[TableFate, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)

    def text(self) -> str:
        """For people, as plain text."""
        width = max(len(table.table) for table in self.tables)
        lines = [f"{self.mapping}", ""]
        for table in self.tables:
            merged = f", {table.merged:,} repeated ones once" if table.merged else ""
            lines.append(f"  {table.table:<{width}}  {table.rows:>12,} rows{merged}")
            lines += [f"  {'':<{width}}  {'':>12} {fate.line()}" for fate in table.entries]
        notes = ["", "TAKEN FOR GRANTED", *(f"  {note}" for note in self.notes)] if self.notes else []
        return "\n".join([*lines, *notes])


def notes_of(plan: Plan) -> Iterator[str]:
    """What a mapping takes for granted: above all when rows were known, on which rests that nothing leaks."""
    for table, entries in plan.tables.items():
        if any("recorded_at" not in planned.entry.columns for planned in entries):
            yield _unrecorded(table)
        for planned in entries:
            yield from _days_alone(table, planned)
    yield from _unused(plan)


def _unrecorded(table: str) -> str:
    if table == "accounts":
        return "accounts: without recorded_at they count as always known, so what changed since leaks into the past"
    happened = happened_in(table)
    return (
        f"{table}: without recorded_at a row counts as known from {happened} on; where it reached you later, training "
        "sees it too early: map recorded_at, or give it with plus_days"
    )


def _days_alone(table: str, planned: PlannedEntry) -> Iterator[str]:
    rule = planned.entry.columns.get("recorded_at") or planned.entry.columns.get("occurred_at")
    if rule is None or rule.constant is not None or rule.plus_days or not rule.format:
        return
    if not any(has_hours(format_) for format_ in rule.format):
        yield (
            f"{table} from {planned.entry.source}: days without hours count as known from their first second on; where "
            "the day's rows are there in the evening only, say recorded_at with plus_days: 1"
        )


def _unused(plan: Plan) -> Iterator[str]:
    used: dict[str, set[str]] = {}
    scans = {}
    for planned in (planned for entries in plan.tables.values() for planned in entries):
        scans[planned.entry.source] = planned.scan
        read = used.setdefault(planned.entry.source, set())
        read.update(column for rule in planned.entry.columns.values() for column in rule.columns)
        read.update(condition.column for condition in planned.entry.where)
    for source, scan in scans.items():
        left = [name for name in scan.types if name not in used[source]]
        if left:
            yield f"{source}: not used: {', '.join(left)}"
    for source in (name for name in plan.mapping.sources if name not in used):
        yield f"{source}: no table has it as its source"
