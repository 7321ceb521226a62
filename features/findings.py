"""What validation found: one finding per table, column and kind of trouble, and the report that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, rfc3339
from domain.errors import DataError
from domain.tables import TABLES
from features.config import Attribute
from features.gates.breaches import Gates, raise_if_stopped
from features.gates.profile import DataProfile
from features.reading import LoadedTable, example_ids
from features.reading_problems import rows_and_examples

Severity = Literal["critical", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of trouble in one column; ``examples`` are up to three ids of rows, never other values.

    ``count`` is the number of rows, 0 where the finding is about a table or column as such.
    """

    severity: Severity
    table: str
    column: str | None
    code: str
    count: int
    examples: tuple[str, ...]
    text: str

    def line(self) -> str:
        """The finding as one sentence."""
        place = f"{self.table}.{self.column}" if self.column else self.table
        return f"{place}: {self.text}{rows_and_examples(self.count, self.examples)} [{self.code}]"


@dataclass(frozen=True, slots=True)
class TableSummary:
    """What lies there: rows in the files, and the first and last moment (RFC 3339, ``None`` where there is none)."""

    table: str
    place: str
    files: int
    rows: int
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What the checks look at: the tables, each row once, and the moment that counts as now."""

    tables: Mapping[str, LoadedTable]
    attributes: Mapping[str, Attribute]
    channels: tuple[str, ...]
    now_us: int


@dataclass(frozen=True, slots=True)
class Report:
    """The data-quality report of one directory, in a fixed order: severity, table, column, code.

    ``gates`` are the declared expectations, ``profile`` is what the tables look like; neither is there where the tables
    cannot be looked at.
    """

    directory: str
    now: str
    tables: tuple[TableSummary, ...]
    findings: tuple[Finding, ...]
    gates: Gates = field(default_factory=Gates)
    profile: DataProfile | None = None

    @property
    def usable(self) -> bool:
        """Whether training would start with these data."""
        return not self.critical and not self.gates.stopping

    @property
    def critical(self) -> tuple[Finding, ...]:
        """Findings with which training refuses to start."""
        return tuple(finding for finding in self.findings if finding.severity == "critical")

    def to_json(self) -> dict[str, Any]:
        """The report for machines; the command line prints it with ``--json``."""
        counts = {severity: sum(f.severity == severity for f in self.findings) for severity in SEVERITIES}
        return {
            "directory": self.directory,
            "now": self.now,
            "tables": [asdict(table) for table in self.tables],
            "findings": [asdict(finding) for finding in self.findings],
            "counts": counts,
            "gates": self.gates.to_json(),
            "usable": self.usable,
        }

    def text(self) -> str:
        """The report for people, as plain text."""
        width = max((len(summary.table) for summary in self.tables), default=5)
        lines = [f"{self.directory}, checked as of {self.now}", ""]
        for table in self.tables:
            span = f"{table.first} to {table.last}" if table.first else "no times"
            lines.append(f"  {table.table:<{width}}  {table.rows:>12,} rows  {span}  ({table.place})")
        for severity in SEVERITIES:
            found = [finding.line() for finding in self.findings if finding.severity == severity]
            if found:
                lines += ["", f"{severity.upper()} ({len(found)})", *(f"  {line}" for line in found)]
        lines += self.gates.lines()
        verdict = "cannot be used until what is critical is gone, and what is major is gone or waived"
        return "\n".join([*lines, "", f"The data {'can be used' if self.usable else verdict}."])


def sort_key(finding: Finding) -> tuple[int, int, str, str]:
    """Order of findings in a report."""
    tables = [*TABLES, finding.table]
    return SEVERITIES.index(finding.severity), tables.index(finding.table), finding.column or "", finding.code


def finding_at(
    table: LoadedTable, rows: npt.NDArray[Any], *, severity: Severity, column: str, code: str, text: str
) -> list[Finding]:
    """A finding about some rows (a mask or positions), or none where there are no rows."""
    positions = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
    if len(positions) == 0:
        return []
    examples = example_ids(table, positions)
    return [Finding(severity, table.spec.name, column, code, len(positions), examples, text)]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a finding is about wherever it is found: how bad, the code, and the words."""

    severity: Severity
    code: str
    text: str


def finding_of(table: LoadedTable, rows: npt.NDArray[Any], trouble: Trouble, *, column: str) -> list[Finding]:
    """A finding about some rows (a mask or positions), or none where there are no rows."""
    return finding_at(table, rows, severity=trouble.severity, column=column, code=trouble.code, text=trouble.text)


def summary_of(table: LoadedTable) -> TableSummary:
    """Rows, files and range of times of one table."""
    name = next(c for c in ("occurred_at", "decided_at", "opened_at") if c in table.data)
    moments = np.asarray(table.data[name])
    known = moments[moments != MISSING]
    first, last = (rfc3339(int(known.min())), rfc3339(int(known.max()))) if len(known) else (None, None)
    return TableSummary(table.spec.name, table.files.place, len(table.files.paths), table.rows, first, last)


def raise_if_critical(report: Report) -> None:
    """Stops what must not go on with such data.

    Raises
    ------
    DataError : the report holds critical findings, each named with table, column, count and three ids; or expectations
        are not met that stop training
    """
    if report.critical:
        lines = "\n".join(f"  {finding.line()}" for finding in report.critical)
        raise DataError(f"{report.directory}: found {len(report.critical)} critical findings, needed none:\n{lines}")
    raise_if_stopped(report.gates)
