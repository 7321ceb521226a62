"""Rules that bound pressure: a cap on what a debtor carries of it, and none of it on who is in distress."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.pressure import Forbearance, PressureCap
from decisioning.contact_policy.rules import Rule
from decisioning.pressure import channel_pressure
from decisioning.restrictions.contacts import leaves
from decisioning.restrictions.history import attempts, ends, gave, latest
from decisioning.restrictions.page import Blocked, Page
from decisioning.restrictions.standing import on_hold
from domain.clock import FOREVER, MISSING

Int64s = npt.NDArray[np.int64]
_UNITS = 1_000_000
"""Pressure is counted in whole millionths: ten times 0.6 is 6, and not a rounding error more."""


def pressure_cap(rule: Rule, page: Page) -> Blocked | None:
    """Until enough of the earlier contacts no longer count for the action to fit; for good where it never does."""
    assert isinstance(rule, PressureCap)
    found = attempts(page, own=rule.scope == "account")
    covered = np.array([*(rule.covers(channel) for channel in page.catalogue.channels), rule.channels is None])
    found = found.take(covered[found.channel])
    lifts = leaves(rule.days, rule.window, page.days, found.row, found.at_us)
    added, most = _units(page.catalogue.columns.intrusiveness), _most_units(rule.max_pressure)
    if not len(found.row) and added.max() <= most:
        return None
    order = np.lexsort((lifts, found.row))
    row, lifts = found.row[order], lifts[order]
    carried = _still_carried(row, _units(channel_pressure(page.catalogue))[found.channel[order]])
    if carried.max(initial=0) + added.max() <= most:
        return None
    until = np.tile(np.where(added > most, FOREVER, MISSING), (page.size, 1))
    for weight in np.unique(added).tolist():
        at_us = np.full(page.size, FOREVER if weight > most else MISSING)
        over = carried + weight > most
        np.maximum.at(at_us, row[over], lifts[over])
        until[:, added == weight] = at_us[:, None]
    return Blocked.until(until)


def _still_carried(row: Int64s, weight: Int64s) -> Int64s:
    """(m,) what each contact and those of its row after it weigh together, rows being in order."""
    total = np.append(np.cumsum(weight[::-1])[::-1], 0)
    return np.asarray(total[:-1] - total[np.searchsorted(row, row, side="right")], dtype=np.int64)


def _units(pressure: npt.NDArray[np.float64]) -> Int64s:
    return np.rint(pressure * _UNITS).astype(np.int64)


def _most_units(pressure: float) -> int:
    return round(min(pressure, 1e6) * _UNITS)


def forbearance(rule: Rule, page: Page) -> Blocked | None:
    """What presses, for as long as the debtor is in distress."""
    assert isinstance(rule, Forbearance)
    columns = page.catalogue.columns
    presses = columns.gated | (columns.intrusiveness > rule.max_intrusiveness)
    until = in_distress_until(page, rule.holds, rule.reasons, days=rule.reason_days)
    if (until == MISSING).all():
        return None
    return Blocked.until(np.where(presses, until[:, None], MISSING))


def in_distress_until(page: Page, holds: tuple[str, ...], reasons: Sequence[str], *, days: int) -> Int64s:
    """(n,) until when each debtor counts as in distress: ``MISSING`` where not, ``FOREVER`` while a hold is on.

    ``days`` is how long a reason that was given counts.
    """
    said = gave(page, reasons) if reasons else None
    until = (
        np.full(page.size, MISSING)
        if said is None or not len(said.row)
        else ends(latest(said, 1, size=page.size)[:, 0], days)
    )
    return np.where(on_hold(page, holds), FOREVER, until) if holds else until
