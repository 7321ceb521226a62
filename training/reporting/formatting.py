"""Numbers as a reader writes them."""

from __future__ import annotations

import math

from features.wording import as_written
from training.reporting.lights import Figure
from training.reporting.parts import Column, Value

DASH = "–"


def number(value: float | int | None, places: int, locale: str) -> str:
    """A number with thousands apart; a missing one is a dash.

    >>> number(1234.5, 2, "pt-BR")
    '1.234,50'
    """
    if value is None or math.isnan(value):
        return DASH
    return as_written(f"{value:,.{places}f}", locale)


def plain(value: float | int, column: Column, locale: str) -> str:
    """One number of a column."""
    if column.kind == "percent":
        return f"{number(100.0 * value, column.places if column.places < 4 else 1, locale)} %"
    if column.kind == "count":
        return number(value, 0, locale)
    return number(value, 2 if column.kind == "money" else column.places, locale)


def interval(figure: Figure, column: Column, locale: str) -> str:
    """The interval of a figure in brackets; nothing where it has none."""
    if figure.bounds is None:
        return ""
    low, high = (plain(one, column, locale) for one in figure.bounds)
    return f"[{low}; {high}]"


def size(value: Value, locale: str) -> str:
    """How many rows, and debtors, a figure is of; nothing where it does not say."""
    if not isinstance(value, Figure) or value.n is None:
        return ""
    return number(value.n, 0, locale)
