"""Values of a request, as JSON gives them, into integers and floats: many at once, and strictly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, to_us
from domain.coded import Coded, coded
from domain.money import to_cents
from features.sheets import COST_UNITS

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_MOST_MONEY = 1e10
_NUMBERS = frozenset({int, float, type(None)})
_TEXTS = frozenset({str, type(None)})
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST = np.zeros(1, dtype=np.int32)
_FEW = 3


def _numbers(values: list[Any]) -> Floats:
    """Floats, ``NaN`` for ``None``; anything but a finite number is a ``TypeError`` or ``ValueError``."""
    if not _NUMBERS.issuperset(map(type, values)):
        raise TypeError("no number")
    if values == [None]:
        return np.array([np.nan])
    found = np.array(values, dtype=np.float64)
    finite = np.isfinite(found)
    if not finite.all() and not (finite | np.array([value is None for value in values])).all():
        raise ValueError("no finite number")
    return found


def _known(values: list[Any]) -> Floats:
    found = _numbers(values)
    return np.where(np.isnan(found), 0.0, found)


def _money(values: list[Any]) -> Int64s:
    found = _numbers(values)
    if (np.abs(found) > _MOST_MONEY).any():
        raise ValueError("no such money")
    return to_cents(found)


def _points(values: list[Any]) -> Floats:
    return np.rint(np.maximum(_known(values), 0.0) * 100.0)


def _integers(values: list[Any]) -> Int64s:
    found = _numbers(values)
    whole = np.where(np.isnan(found), 0.0, found)
    if (whole != np.rint(whole)).any():
        raise ValueError("no whole number")
    return np.where(np.isnan(found), MISSING, whole.astype(np.int64))


def _moments(values: list[Any]) -> Int64s:
    """Microseconds of RFC 3339 times with offset; all of them in UTC, as nearly everybody writes, is a fast way."""
    if len(values) <= _FEW:
        return _one_by_one(values)
    try:
        lines = "\n".join(values)
        ended = lines.count("Z\n") + lines.endswith("Z")
        if ended == lines.count("Z") == lines.count("T") == len(values) and "+" not in lines:
            return np.array(lines.replace("Z", "").split("\n"), dtype="datetime64[us]").astype(np.int64)
    except (TypeError, ValueError):
        pass  # something is missing, or written otherwise
    return _one_by_one(values)


def _one_by_one(values: list[Any]) -> Int64s:
    return np.array(
        [MISSING if value is None else to_us(datetime.fromisoformat(value)) for value in values], dtype=np.int64
    )


def _days(values: list[Any]) -> Int64s:
    return np.array(
        [MISSING if value is None else date.fromisoformat(value).toordinal() - _EPOCH for value in values],
        dtype=np.int64,
    )


def _texts(values: list[Any]) -> Any:
    if not _TEXTS.issuperset(map(type, values)):
        raise TypeError("no text")
    if len(values) == 1 and values[0] is not None:
        return Coded(_FIRST, (values[0],))
    return coded(values)


CONVERTERS: Mapping[str, Callable[[list[Any]], Any]] = {
    "money": _money,
    "moment": _moments,
    "day": _days,
    "integer": _integers,
    "number": _numbers,
    "points": _points,
    "cost": lambda values: np.rint(_known(values) * COST_UNITS),
    "text": _texts,
    "ready": lambda values: np.array(values, dtype=np.int64),
}
"""By kind: cents, µs, day numbers, integers, floats, hundredths of a percent, cost units, codes of texts."""
