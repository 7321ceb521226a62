"""Which accounts a rule is about: segments by region, product, creditor, attribute and age, unknown values included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.rules import Condition, Rule, Where
from decisioning.restrictions.page import Page
from domain.clock import from_day
from domain.coded import Coded

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def rows_of(rule: Rule, page: Page) -> Bools:
    """(n,) whether the rule is about each account: what is unknown is in ``where``, and not in ``except_where``."""
    rows = np.ones(page.size, dtype=np.bool_)
    if rule.where is not None:
        rows &= _fits(rule.where, page, unknown=True)
    if rule.except_where is not None:
        rows &= ~_fits(rule.except_where, page, unknown=False)
    return rows


def _fits(where: Where, page: Page, *, unknown: bool) -> Bools:
    fits = np.ones(page.size, dtype=np.bool_)
    if where.regions is not None:
        fits &= _in_regions(where.regions, page, unknown=unknown)
    for column, names in (("product", where.products), ("creditor", where.creditors)):
        if names is not None:
            fits &= _one_of(_text(page, column), names.__contains__, unknown=unknown)
    for name, condition in where.attributes.items():
        fits &= _satisfies(condition, page, name, unknown=unknown)
    if where.age is not None:
        year = np.array([from_day(day).year for day in page.days.day.tolist()], dtype=np.float64)
        fits &= _between(where.age, year - _number(page, "birth_year"), unknown=unknown)
    return fits


def _in_regions(regions: Sequence[str], page: Page, *, unknown: bool) -> Bools:
    codes, names = page.regions
    return np.asarray(_inside(tuple(regions), tuple(names), unknown=unknown)[np.maximum(codes, -1)], dtype=np.bool_)


@lru_cache(maxsize=512)
def _inside(regions: tuple[str, ...], names: tuple[str, ...], *, unknown: bool) -> Bools:
    """Whether each named region is one of some, and last what holds where none is known."""

    def inside(name: str) -> bool:
        country, _, state = name.partition("-")
        # An account that says its country alone may be in any of its states.
        anywhere = unknown and not state and any(region.startswith(f"{country}-") for region in regions)
        return name in regions or country in regions or anywhere

    return np.array([*map(inside, names), unknown], dtype=np.bool_)


def _satisfies(condition: Condition, page: Page, name: str, *, unknown: bool) -> Bools:
    if condition.one_of is not None:
        return _one_of(_text(page, name), condition.one_of.__contains__, unknown=unknown)
    return _between(condition, _number(page, name), unknown=unknown)


def _one_of(found: Coded, fits: Callable[[str], bool], *, unknown: bool) -> Bools:
    table = np.array([*(fits(value) for value in found.values), unknown], dtype=np.bool_)
    return np.asarray(table[np.maximum(found.codes, -1)], dtype=np.bool_)


def _between(condition: Condition, values: Floats, *, unknown: bool) -> Bools:
    low = -np.inf if condition.at_least is None else condition.at_least
    high = np.inf if condition.at_most is None else condition.at_most
    return np.where(np.isfinite(values), (values >= low) & (values <= high), unknown)


def _text(page: Page, column: str) -> Coded:
    if page.dossier is None:
        return Coded(np.full(page.size, -1, dtype=np.int32), ())
    return page.dossier.account(column)


def _number(page: Page, column: str) -> Floats:
    return np.full(page.size, np.nan) if page.dossier is None else page.dossier.number(column)
