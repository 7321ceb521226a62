"""Expectations that were not met, whether they were waived, and what that means for training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import DataError
from features.gates.config import SEVERITIES, Severity
from features.gates.waivers import Waiver


@dataclass(frozen=True, slots=True)
class Miss:
    """In what an expectation is not met: counts and shares alone, never an id or a value of a debtor.

    ``count`` is the number of rows, accounts or months that are not as expected, 0 where nothing is counted.
    """

    column: str | None
    count: int
    found: str
    needed: str
    way_out: str


@dataclass(frozen=True, slots=True)
class Breach:
    """An expectation of a table that is not met; ``waived`` is the waiver that lets it pass."""

    severity: Severity
    table: str
    expectation: str
    kind: str
    miss: Miss
    waived: Waiver | None = None

    @property
    def stops(self) -> bool:
        """Whether training must not go on with it."""
        return self.severity == "critical" or (self.severity == "major" and self.waived is None)

    def line(self) -> str:
        """The breach as one sentence."""
        miss = self.miss
        place = f"{self.table}.{miss.column}" if miss.column else self.table
        told = f"{place}: found {miss.found}, needed {miss.needed}; {miss.way_out} [{self.expectation}]"
        return told if self.waived is None else f"{told} (waived until {self.waived.until}: {self.waived.reason})"

    def to_json(self) -> dict[str, Any]:
        """The breach for machines."""
        miss = self.miss
        return {
            "severity": self.severity,
            "table": self.table,
            "column": miss.column,
            "expectation": self.expectation,
            "kind": self.kind,
            "count": miss.count,
            "found": miss.found,
            "needed": miss.needed,
            "way_out": miss.way_out,
            "stops": self.stops,
            "waived": None if self.waived is None else self.waived.model_dump(mode="json"),
        }


@dataclass(frozen=True, slots=True)
class Gates:
    """What came of all expectations.

    ``declared`` is how many there are, ``against`` what the data were compared with, or ``None``; ``expired`` are
    waivers that do not count any more, ``idle`` those that nothing called for.
    """

    declared: int = 0
    against: str | None = None
    breaches: tuple[Breach, ...] = ()
    expired: tuple[Waiver, ...] = ()
    idle: tuple[Waiver, ...] = ()

    @property
    def stopping(self) -> tuple[Breach, ...]:
        """Breaches with which training refuses to start."""
        return tuple(breach for breach in self.breaches if breach.stops)

    def to_json(self) -> dict[str, Any]:
        """The result for machines, and for the record of a run."""
        return {
            "declared": self.declared,
            "against": self.against,
            "counts": {severity: sum(b.severity == severity for b in self.breaches) for severity in SEVERITIES},
            "passed": not self.stopping,
            "breaches": [breach.to_json() for breach in self.breaches],
            "expired_waivers": [waiver.model_dump(mode="json") for waiver in self.expired],
            "idle_waivers": [waiver.model_dump(mode="json") for waiver in self.idle],
        }

    def tags(self) -> Mapping[str, str]:
        """The result in a few words, for the tags of a run."""
        waived = sorted({f"{b.table}.{b.expectation}" for b in self.breaches if b.waived is not None})
        if not self.declared:
            return {"data_gates": "none declared"}
        verdict = "stopped" if self.stopping else ("waived" if waived else "passed")
        return {"data_gates": verdict, "data_gates_waived": ", ".join(waived)}

    def lines(self) -> list[str]:
        """The result for people, line by line; none where nothing was declared."""
        if not self.declared:
            return []
        against = f", against {self.against}" if self.against else ", with no earlier training to compare with"
        lines = ["", f"EXPECTATIONS ({self.declared}{against})"]
        for severity in SEVERITIES:
            lines += [f"  {severity}: {breach.line()}" for breach in self.breaches if breach.severity == severity]
        lines += [] if self.breaches else ["  all met"]
        lines += [
            f"  {_named(one)} expired on {one.until} and does not count: renew it or take it out"
            for one in self.expired
        ]
        return lines + [f"  {_named(one)} is not needed any more: take it out" for one in self.idle]


def _named(waiver: Waiver) -> str:
    return f"the waiver of {waiver.expectation} on {waiver.table}"


def raise_if_stopped(gates: Gates) -> None:
    """Stops what must not go on with such data.

    Raises
    ------
    DataError : expectations are not met that are critical, or major and not waived; each is named
    """
    if gates.stopping:
        lines = "\n".join(f"  {breach.severity}: {breach.line()}" for breach in gates.stopping)
        major = any(breach.severity == "major" for breach in gates.stopping)
        way_out = "; correct the data, or waive what is major in waivers.yaml" if major else "; correct the data"
        expired = f" ({len(gates.expired)} waivers have expired)" if gates.expired else ""
        raise DataError(
            f"found {len(gates.stopping)} expectations of the data that are not met, needed all{expired}{way_out} "
            f"(docs/data_quality.md):\n{lines}"
        )
