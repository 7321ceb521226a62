"""``waivers.yaml``: which expectations may stay unmet for a while, why, and who says so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from domain.clock import US_PER_DAY, to_day
from domain.errors import ConfigError
from features.gates.config import ExpectationsConfig

_LEAST_REASON = 10


class Waiver(BaseModel):
    """One expectation of one table that does not stop training up to and including the day ``until`` (UTC).

    ``column`` narrows it to what was found in one column; ``by`` is who answers for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    expectation: str
    table: str
    column: str | None = None
    reason: str = Field(min_length=_LEAST_REASON)
    by: str = Field(min_length=1)
    until: date

    def holds(self, now_us: int) -> bool:
        """Whether it still counts."""
        return now_us // US_PER_DAY <= to_day(self.until)

    def covers(self, *, table: str, expectation: str, column: str | None) -> bool:
        """Whether it is about this."""
        return (self.table, self.expectation) == (table, expectation) and self.column in (None, column)


class WaiversConfig(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    waivers: tuple[Waiver, ...] = ()


def check_waivers(waivers: Iterable[Waiver], expectations: ExpectationsConfig) -> None:
    """Refuses waivers of what there is not, and of what must not be waived.

    Raises
    ------
    ConfigError : a waiver names no declared expectation, or a critical one
    """
    for waiver in waivers:
        severity = expectations.severity_of(waiver.table, waiver.expectation)
        named = f"the waiver of {waiver.expectation} on {waiver.table}"
        if severity is None:
            raise ConfigError(
                f"waivers.yaml: found {named}, which data_expectations.yaml does not declare; take it out or correct it"
            )
        if severity == "critical":
            raise ConfigError(
                f"waivers.yaml: found {named}, which is critical, needed one that is major or minor: what would make "
                "a score or a balance wrong unseen is not waived; correct the data"
            )
