"""How each kind of contact-policy rule is applied: which rows it stops now, and until when."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy import ActivePromise, FrequencyCap, HoldStop, Rule
from decisioning.moments import LocalDays
from domain.clock import MISSING, US_PER_DAY, local_days, local_us, to_day
from domain.tables import HOLD_KINDS
from features.state import AccountStates

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
Stopped = tuple[Bools, Int64s]
"""(n,) whether the rule stops contact now; (n,) the earliest moment at which it would not, ``MISSING`` if unknown."""


def stops(rule: Rule, states: AccountStates, days: LocalDays, *, channels: tuple[str, ...]) -> Stopped:
    """Rows which a rule stops on the channels it covers, on the local days on which it is in force."""
    stopped, until = APPLY[rule.kind](rule, states, days, channels)
    return stopped & _in_force(rule, days.day), until


def _in_force(rule: Rule, day: Int64s) -> Bools:
    in_force = np.ones(len(day), dtype=np.bool_)
    if rule.effective_from:
        in_force &= day >= to_day(rule.effective_from)
    if rule.effective_to:
        in_force &= day < to_day(rule.effective_to)
    return in_force


def _hold_stop(rule: Rule, states: AccountStates, _days: LocalDays, _channels: tuple[str, ...]) -> Stopped:
    assert isinstance(rule, HoldStop)
    held = (states.holds >> HOLD_KINDS.index(rule.hold)) & 1 == 1
    return held, np.full(len(held), MISSING)


def _active_promise(rule: Rule, states: AccountStates, _days: LocalDays, _channels: tuple[str, ...]) -> Stopped:
    assert isinstance(rule, ActivePromise)
    return states.active_promise, np.full(len(states), MISSING)


def _frequency_cap(rule: Rule, states: AccountStates, days: LocalDays, channels: tuple[str, ...]) -> Stopped:
    assert isinstance(rule, FrequencyCap)
    row = np.repeat(np.arange(len(days.day)), np.diff(states.contact_offsets))
    # A contact on a channel that is no longer configured still reached somebody: it counts where all channels do.
    covered = np.array([*(rule.covers(channel) for channel in channels), rule.channels is None])
    leaves = _leaves_window(rule, states, days, row)
    counted = covered[states.contact_channel] & (leaves > days.as_of_us[row])
    number = np.bincount(row[counted], minlength=len(days.day))
    full = number >= rule.max_contacts
    first = np.cumsum(number) - number
    # Contacts stand in time order: this one has to leave before there is room for another.
    blocking = np.where(full, first + number - rule.max_contacts, 0)
    until = np.full(len(full), MISSING)
    until[full] = leaves[counted][blocking[full]]
    return full, until


def _leaves_window(rule: FrequencyCap, states: AccountStates, days: LocalDays, row: Int64s) -> Int64s:
    """(m,) the moment from which each contact no longer counts."""
    if rule.window == "rolling":
        return states.contact_at_us + rule.days * US_PER_DAY
    zone = days.zone[row]
    made_on = local_days(local_us(states.contact_at_us, zone, days.names))
    return LocalDays(states.contact_at_us, made_on, zone, days.names).at(made_on + rule.days)


APPLY: Mapping[str, Callable[[Rule, AccountStates, LocalDays, tuple[str, ...]], Stopped]] = {
    "hold_stop": _hold_stop,
    "active_promise": _active_promise,
    "frequency_cap": _frequency_cap,
}
