"""Checks of moments and days: the future, knowledge before the fact, dates that cannot be, unknown time zones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, US_PER_DAY, Int64s, to_day, zone_of
from domain.coded import Coded
from features.findings import Finding, Portfolio, Severity, finding_at
from features.known import happened_in
from features.reading import LoadedTable

_MAY_LIE_AHEAD = {"due_on", "expires_at"}
_EARLIEST_DAY, _LATEST_DAY = to_day(date(1970, 1, 2)), to_day(date(2100, 1, 1))
_YEAR_DAYS = 365
_ENDS = {"promises": "resolved_at", "holds": "released_at", "consents": "expires_at"}


def _future(portfolio: Portfolio) -> Iterator[Finding]:
    """What happened later than now has not happened; what is recorded later is merely not known yet."""
    for table in portfolio.tables.values():
        for column in table.spec.columns:
            if column.kind != "moment" or column.name in _MAY_LIE_AHEAD:
                continue
            happened = column.name in ("occurred_at", "decided_at")
            severity: Severity = "critical" if happened else "warning"
            way_out = "correct the clock or the zone of the source" if happened else "until then it is unseen"
            yield from finding_at(
                table, _ints(table, column.name) > portfolio.now_us, severity=severity, column=column.name,
                code="future", text=f"found times in the future, needed none; {way_out}",
            )  # fmt: skip


def _known_before_the_fact(portfolio: Portfolio) -> Iterator[Finding]:
    for table in portfolio.tables.values():
        happened_name = happened_in(table.spec.name)
        if happened_name not in table.data:
            continue
        happened, recorded = _ints(table, happened_name), _ints(table, "recorded_at")
        yield from finding_at(
            table, (happened != MISSING) & (recorded < happened),
            severity="warning", column="recorded_at", code="recorded_before_occurred",
            text=f"found rows recorded before {happened_name}; they are seen once both have passed",
        )  # fmt: skip


def _ended_before_begun(portfolio: Portfolio) -> Iterator[Finding]:
    for name, end in _ENDS.items():
        table = portfolio.tables.get(name)
        if table is not None:
            ends = _ints(table, end)
            yield from finding_at(
                table, (ends != MISSING) & (ends < _ints(table, "occurred_at")),
                severity="warning", column=end, code="ended_before_begun",
                text=f"found {end} before occurred_at, needed it after; check which is which",
            )  # fmt: skip


def _unresolved_outcomes(portfolio: Portfolio) -> Iterator[Finding]:
    promises = portfolio.tables.get("promises")
    if promises is not None:
        outcome = promises.data["outcome"]
        assert isinstance(outcome, Coded)
        yield from finding_at(
            promises, (outcome.codes >= 0) & (_ints(promises, "resolved_at") == MISSING),
            severity="warning", column="outcome", code="outcome_without_resolved_at",
            text="found outcomes without resolved_at; when they became known is unknown, so they are never seen",
        )  # fmt: skip


def _due_long_before_issue(portfolio: Portfolio) -> Iterator[Finding]:
    debts = portfolio.tables.get("debts")
    if debts is not None:
        due, issued = _ints(debts, "due_on"), _ints(debts, "occurred_at")
        both = (due != MISSING) & (issued != MISSING)
        issued_day = np.where(both, issued, 0) // US_PER_DAY
        yield from finding_at(
            debts, both & (np.where(both, due, 0) < issued_day - _YEAR_DAYS),
            severity="warning", column="due_on", code="due_before_issue",
            text="found debts due more than a year before they were issued, so that days past due start in the years; "
            "check occurred_at: it is when the debt was issued, not when it was loaded",
        )  # fmt: skip


def _implausible(portfolio: Portfolio) -> Iterator[Finding]:
    """Placeholders such as 1900-01-01 and 9999-12-31 stand for no value, and must not count as dates."""
    for table in portfolio.tables.values():
        for column in table.spec.columns:
            if column.kind not in ("moment", "day"):
                continue
            values = _ints(table, column.name)
            days = values // US_PER_DAY if column.kind == "moment" else values
            strange = (values != MISSING) & ((days < _EARLIEST_DAY) | (days >= _LATEST_DAY))
            yield from finding_at(
                table, strange, severity="warning", column=column.name, code="implausible_date",
                text="found dates before 1970 or after 2099; leave the value empty where there is none",
            )  # fmt: skip


def _zones(portfolio: Portfolio) -> Iterator[Finding]:
    accounts = portfolio.tables.get("accounts")
    if accounts is None:
        return
    region, zone = accounts.data["region"], accounts.data["timezone"]
    assert isinstance(region, Coded)
    assert isinstance(zone, Coded)
    bad_zone = _rows_where(zone, [zone_of(None, value) is None for value in zone.values])
    bad_region = _rows_where(region, [zone_of(value) is None for value in region.values])
    contact = "hours of contact cannot be checked there, so rules that need them refuse"
    yield from finding_at(
        accounts, bad_zone, severity="warning", column="timezone", code="unknown_time_zone",
        text=f"found time zones that are not in the IANA list, needed names such as America/Sao_Paulo; {contact}",
    )  # fmt: skip
    yield from finding_at(
        accounts, bad_region & (zone.codes < 0), severity="warning", column="region", code="unknown_region",
        text=f"found regions of no known time zone, needed ISO 3166-2 such as BR-SP, or a timezone; {contact}",
    )  # fmt: skip
    yield from finding_at(
        accounts, (region.codes < 0) & (zone.codes < 0), severity="warning", column="timezone", code="no_time_zone",
        text=f"found neither timezone nor region; {contact}",
    )  # fmt: skip


def _rows_where(column: Coded, bad: list[bool]) -> npt.NDArray[np.bool_]:
    return np.array([*bad, False])[column.codes]


def _ints(table: LoadedTable, column: str) -> Int64s:
    return np.asarray(table.data[column]).astype(np.int64, copy=False)


CHECKS = (
    _future, _known_before_the_fact, _ended_before_begun, _unresolved_outcomes, _due_long_before_issue, _implausible,
    _zones,
)  # fmt: skip
