"""How families are declared: one call for a selection of events and the aggregates and windows taken of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from features.definitions import (
    Aggregate,
    Derived,
    Events,
    Family,
    Feature,
    Rate,
    Standing,
    Unit,
    Window,
    Windowed,
)
from features.wording import in_window

_SIGNED = {"count", "sum", "recency"}
_CHANGE = {"count": 1, "recency": -1}
_TIMES = {"recency", "age", "gap_mean", "gap_std"}


def windowed(
    stem: str,
    events: Events,
    shapes: Iterable[tuple[Aggregate, Window]],
    *,
    family: Family,
    pt: str,
    en: str,
    unit: Unit = "count",
    direction: int = 0,
    group: str | None = None,
    ingredient: bool = False,
    actionable: bool = False,
) -> Iterator[Feature]:
    """One feature per (aggregate, window), named after both.

    ``pt`` and ``en`` are the plural noun phrase of what is counted; ``direction`` is the sign of *more of it*, and
    turned round for the time since the latest. ``actionable`` says that the debtor can do more of it: then it is
    counted up, and the latest is more recent.
    """
    for aggregate, window in shapes:
        own_unit, said_pt, said_en, meaning = in_window(aggregate, window, unit, pt=pt, en=en)
        sign = -direction if aggregate == "recency" else direction
        yield Feature(
            name=f"{stem}_{aggregate}" + (f"_{window.label}" if window.label else ""),
            rule=Windowed(events, aggregate, window),
            unit=own_unit,
            description=meaning,
            reason_pt=said_pt,
            reason_en=said_en,
            group=group or f"{stem}_{'when' if aggregate in _TIMES else 'how_much'}",
            family=family,
            direction=sign if aggregate in _SIGNED else 0,
            ingredient=ingredient,
            actionable=_CHANGE.get(aggregate, 0) if actionable else 0,
        )


def standing(
    family: Family,
    rows: Iterable[tuple[str, Unit, str, str, str, str, int]],
    *,
    tables: tuple[str, ...] = (),
    ingredient: bool = False,
) -> Iterator[Feature]:
    """Columns of the standing: (name, unit, description, pt, en, group, direction) each."""
    for name, unit, description, pt, en, group, direction in rows:
        yield Feature(
            name, Standing(name), unit, description, pt, en, group, family, direction=direction, tables=tables,
            ingredient=ingredient,
        )  # fmt: skip


def derived(
    name: str, rule: Derived, unit: Unit, description: str, *, pt: str, en: str, group: str, family: Family,
    direction: int = 0,
) -> Feature:  # fmt: skip
    """A feature made of others."""
    about = f"{description}, drawn to the usual rate" if isinstance(rule, Rate) else description
    return Feature(name, rule, unit, about, pt, en, group, family, direction=direction)
