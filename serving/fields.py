"""JSON values into the in-memory kinds: money into cents, times into microseconds, days into day numbers.

Every message says what was needed and nothing of what was found. Bounds keep any sum of a request within int64.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.clock import to_day, to_us
from domain.money import one_to_cents
from domain.tables import Column

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YEARS = (1900, 2200)
_FIRST_US, _END_US = (to_us(datetime(year, 1, 1, tzinfo=UTC)) for year in _YEARS)
MOST_MONEY = 1e10
_MOST_COST = 1e6
_MOST_NUMBER = 1e15
_MOST_INTEGER = 1_000_000_000
# Codes that move money or protect a person are closed: one that is not understood must not be passed over. Other codes
# may be newer than this service, so they count as `other` and are told in a metric.
_CLOSED = {
    ("debt_events", "kind"),
    ("promises", "outcome"),
    ("consents", "status"),
    ("holds", "kind"),
    ("holds", "scope"),
}
_NOT_NEGATIVE = {"debts": {"amount"}, "promises": {"amount", "discount_amount", "down_payment"}}
_RATES = {"penalty_pct", "monthly_interest_pct"}


def _refuse(needed: str) -> PydanticCustomError:
    return PydanticCustomError("needed", needed)


def moment_us(value: object) -> int:
    """An RFC 3339 time with offset, as microseconds UTC."""
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise _refuse("needed an RFC 3339 time with offset, such as 2026-03-02T12:00:00Z or 2026-03-02T09:00:00-03:00")
    try:
        found = datetime.fromisoformat(value.upper())
    except (ValueError, OverflowError):
        raise _refuse("needed a time that exists, such as 2026-03-02T12:00:00Z") from None
    at_us = to_us(found)
    if not _FIRST_US <= at_us < _END_US:
        raise _refuse(f"needed a time between the years {_YEARS[0]} and {_YEARS[1]}")
    return at_us


def day_number(value: object) -> int:
    """A calendar day, as days since 1970-01-01."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise _refuse("needed a day such as 2026-01-10, without a time")
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise _refuse("needed a day that exists, such as 2026-01-10") from None
    if not _YEARS[0] <= found.year < _YEARS[1]:
        raise _refuse(f"needed a day between the years {_YEARS[0]} and {_YEARS[1]}")
    return to_day(found)


def _numeric(low: float, high: float) -> Callable[[object], float]:
    needed = f"needed a number between {low:.0f} and {high:.0f}"

    def check(value: object) -> float:
        if type(value) not in (int, float) or not low <= value <= high:  # type: ignore[operator]
            raise _refuse(needed)
        return float(value)  # type: ignore[arg-type]

    return check


def whole(value: object) -> int:
    """An integer; 3.0 is one."""
    fine = type(value) is int or (type(value) is float and math.isfinite(value) and value.is_integer())
    if not fine or abs(value) > _MOST_INTEGER:  # type: ignore[arg-type]
        raise _refuse(f"needed an integer of at most {_MOST_INTEGER}")
    return int(value)  # type: ignore[call-overload,no-any-return]


def _money(low: float) -> Callable[[object], int]:
    check = _numeric(low, MOST_MONEY)
    return lambda value: one_to_cents(check(value))


def _typed(kind: Any, read: Callable[[object], Any], **schema: Any) -> Any:
    return Annotated[kind, PlainValidator(read), WithJsonSchema(schema)]


Moment = _typed(int, moment_us, type="string", format="date-time")
Day = _typed(int, day_number, type="string", format="date")
Whole = _typed(int, whole, type="integer", minimum=-_MOST_INTEGER, maximum=_MOST_INTEGER)
Money = _typed(int, _money(-MOST_MONEY), type="number", minimum=-MOST_MONEY, maximum=MOST_MONEY)
Owed = _typed(int, _money(0), type="number", minimum=0, maximum=MOST_MONEY)
Cost = _typed(float, _numeric(0, _MOST_COST), type="number", minimum=0, maximum=_MOST_COST)
Rate = _typed(float, _numeric(0, 100), type="number", minimum=0, maximum=100)
Number = _typed(
    float, _numeric(-_MOST_NUMBER, _MOST_NUMBER), type="number", minimum=-_MOST_NUMBER, maximum=_MOST_NUMBER
)
Id = Annotated[str, StringConstraints(strict=True, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:+=/#-]*$")]
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]
Words = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")
]
"""Free text of people: lines and tabs, and no other control character."""
Code = Annotated[str, StringConstraints(strict=True, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]

_KINDS: dict[str, Any] = {
    "id": Id,
    "text": Text,
    "code": Code,
    "money": Money,
    "cost": Cost,
    "moment": Moment,
    "day": Day,
    "number": Number,
    "integer": Whole,
}


def type_of(table: str, column: Column) -> Any:
    """The annotated type that reads one column of a table from JSON."""
    if (table, column.name) in _CLOSED:
        return Literal[column.codes]
    if column.name in _NOT_NEGATIVE.get(table, ()):
        return Owed
    return Rate if column.name in _RATES else _KINDS[column.kind]
