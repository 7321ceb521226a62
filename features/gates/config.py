"""``data_expectations.yaml``: what must hold of each table, and how bad it is where it does not.

One frozen model per kind of expectation. ``max_*`` are shares of rows from 0 to 1 unless said otherwise.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from domain.tables import TABLES

Severity = Literal["critical", "major", "minor"]
SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor")
Share = Annotated[float, Field(ge=0, le=1)]
Columns = Annotated[tuple[str, ...], Field(min_length=1)]


class Expected(BaseModel):
    """What all kinds share: critical stops training, major stops it unless waived, minor is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    severity: Severity = "major"

    @property
    def columns_named(self) -> tuple[str, ...]:
        """Columns of the table that the expectation is about."""
        found: list[str] = []
        for name in ("column", "then", "at_most", "columns", "same"):
            value: Any = getattr(self, name, ())
            found += [value] if isinstance(value, str) else value
        return tuple(found)


class Few(Expected):
    """At most ``max_share`` of the rows have findings of one code of ``features.validation`` (in one column)."""

    kind: Literal["few"]
    code: str
    column: str | None = None
    max_share: Share

    @property
    def columns_named(self) -> tuple[str, ...]:
        """The column of the finding, if it is to be one."""
        return () if self.column is None else (self.column,)


class WholeFile(Expected):
    """A CSV file ends with its last line complete."""

    kind: Literal["whole_file"]


class Distinct(Expected):
    """At most ``max_share`` of the rows are, in these columns, what another row of another id is."""

    kind: Literal["distinct"]
    same: Columns
    max_share: Share


class Varied(Expected):
    """No value of a column stands in more than ``max_share`` of the rows that have one."""

    kind: Literal["varied"]
    column: str
    max_share: Share


class InOrder(Expected):
    """``column`` is not later than ``then``, by more than ``slack_days``, in more than ``max_share`` of the rows."""

    kind: Literal["in_order"]
    column: str
    then: str
    slack_days: float = 0.0
    max_share: Share


class AtMost(Expected):
    """``column`` is above ``at_most``, another column of numbers, in no more than ``max_share`` of the rows."""

    kind: Literal["at_most"]
    column: str
    at_most: str
    max_share: Share


class OneScale(Expected):
    """At most ``max_share`` of the amounts are ``max_ratio`` times the account's median in the table, or more."""

    kind: Literal["one_scale"]
    column: str
    max_ratio: PositiveFloat
    max_share: Share


class WithinDebts(Expected):
    """At most ``max_share`` of the payments exceed ``max_ratio`` times all that the account ever owed."""

    kind: Literal["within_debts"]
    max_ratio: PositiveFloat
    max_share: Share


class PaidWithinOwed(Expected):
    """At most ``max_share`` of the accounts paid, in all, more than ``max_ratio`` times all that they ever owed."""

    kind: Literal["paid_within_owed"]
    max_ratio: PositiveFloat
    max_share: Share


class KeptIsPaid(Expected):
    """At most ``max_share`` of the promises kept have no payment of the account from the promise until resolved."""

    kind: Literal["kept_is_paid"]
    max_share: Share


class ChosenIsEligible(Expected):
    """At most ``max_share`` of the decisions chose an action that is not among those they list as eligible."""

    kind: Literal["chosen_is_eligible"]
    max_share: Share


class RecordedInTime(Expected):
    """At most ``max_share`` of the rows were recorded more than ``max_days`` after they happened."""

    kind: Literal["recorded_in_time"]
    max_days: PositiveFloat
    max_share: Share


class UpToDate(Expected):
    """The table's last row lies at most ``max_days`` before the end of the data."""

    kind: Literal["up_to_date"]
    max_days: PositiveFloat


class SteadyVolume(Expected):
    """No month has ``max_ratio`` times the rows of the months around it, or a part of them as small."""

    kind: Literal["steady_volume"]
    max_ratio: float = Field(gt=1)


class SteadyMix(Expected):
    """Codes of the last months are distributed as before: a PSI of at most ``max_psi``, or no more than chance."""

    kind: Literal["steady_mix"]
    columns: Columns
    max_psi: PositiveFloat


class SteadyHours(Expected):
    """Hours of the last months are distributed as before, by PSI."""

    kind: Literal["steady_hours"]
    max_psi: PositiveFloat


class SteadyScale(Expected):
    """Median amounts of the last months, by creditor, are within ``max_ratio`` times those before, and 1 over it."""

    kind: Literal["steady_scale"]
    column: str
    max_ratio: float = Field(gt=1)


class SteadyMissing(Expected):
    """The share of rows without a value rose in no column by more than ``max_rise`` in the last months."""

    kind: Literal["steady_missing"]
    apart_from: tuple[str, ...] = ()
    max_rise: Share


class RowsKept(Expected):
    """Months of the last training have as many rows as then, within ``max_change``; accounts are no fewer."""

    kind: Literal["rows_kept"]
    max_change: Share


class VocabularyKept(Expected):
    """At most ``max_unseen`` of the rows have a value that the last training had not, and none of weight is gone."""

    kind: Literal["vocabulary_kept"]
    columns: Columns
    max_unseen: Share


class MixKept(Expected):
    """Values in the months of the last training are distributed as then, within a PSI of ``max_psi``."""

    kind: Literal["mix_kept"]
    columns: Columns
    max_psi: PositiveFloat


class HoursKept(Expected):
    """Hours in the months of the last training are distributed as then, within a PSI of ``max_psi``."""

    kind: Literal["hours_kept"]
    max_psi: PositiveFloat


class ScaleKept(Expected):
    """Median amounts in the months of the last training, by creditor, are within ``max_ratio`` of those then."""

    kind: Literal["scale_kept"]
    column: str
    max_ratio: float = Field(gt=1)


class CentsKept(Expected):
    """The share of amounts without cents rose by at most ``max_rise`` since the last training."""

    kind: Literal["cents_kept"]
    column: str
    max_rise: Share


class MissingKept(Expected):
    """The share of rows without a value rose in no column by more than ``max_rise`` since the last training."""

    kind: Literal["missing_kept"]
    apart_from: tuple[str, ...] = ()
    max_rise: Share


Expectation = Annotated[
    Few | WholeFile | Distinct | Varied | InOrder | AtMost | OneScale | WithinDebts | PaidWithinOwed | KeptIsPaid
    | ChosenIsEligible | RecordedInTime | UpToDate | SteadyVolume | SteadyMix | SteadyHours | SteadyScale
    | SteadyMissing | RowsKept | VocabularyKept | MixKept | HoursKept | ScaleKept | CentsKept | MissingKept,
    Field(discriminator="kind"),
]  # fmt: skip


class Leakage(Expected):
    """No feature tells by itself who pays with an AUC above ``max_auc``, of at least ``least_events`` payers."""

    max_auc: float = Field(default=0.92, gt=0.5, le=1)
    least_events: PositiveInt = 50


class ExpectationsConfig(BaseModel):
    """The whole file: expectations by table and name, and the one about features."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    tables: dict[str, dict[str, Expectation]] = {}
    leakage: Leakage | None = None

    @model_validator(mode="after")
    def _names_what_is_there(self) -> Self:
        for table, named in self.tables.items():
            if table not in TABLES:
                raise ValueError(f"found the table {table!r}, needed one of {', '.join(TABLES)}")
            for name, expected in named.items():
                # Attributes are columns of accounts too, and declared elsewhere.
                unknown = [one for one in expected.columns_named if TABLES[table].column(one) is None]
                if unknown and table != "accounts":
                    raise ValueError(f"{table}.{name}: found the columns {unknown}, which {table} has not")
        return self

    def severity_of(self, table: str, name: str) -> Severity | None:
        """How bad an expectation is where it is not met; ``None`` where there is no such."""
        if table == "features":
            return None if self.leakage is None or name != "leakage" else self.leakage.severity
        found = self.tables.get(table, {}).get(name)
        return None if found is None else found.severity
