"""Rules that count contacts, or wait after something has happened."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.kinds import CoolDown, DailyVolume, FrequencyCap
from decisioning.contact_policy.rules import Rule
from decisioning.moments import LocalDays
from decisioning.restrictions.history import Moments, contacts_of, happened, link_to_open_debts
from decisioning.restrictions.page import Blocked, Page
from domain.clock import MISSING, US_PER_DAY, local_days
from domain.zones import local_us
from features.dossier import Dossier
from features.encoding import Encoded

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]


class Counted(NamedTuple):
    """Contacts that count, (m,): what they are counted by, whose row that belongs to, and when they count no longer."""

    group: Int64s
    row: Int64s
    channel: Int64s
    leaves_us: Int64s


def frequency_cap(rule: Rule, page: Page) -> Blocked | None:
    """Full until the contact leaves that makes room for one more."""
    assert isinstance(rule, FrequencyCap)
    found = contacts_of(page, rule)
    # A contact on a channel that is no longer configured still reached somebody: it counts where all channels do.
    covered = np.array([*(rule.covers(channel) for channel in page.catalogue.channels), rule.channels is None])
    found = found.take(covered[found.channel])
    if len(found.row) < rule.max_contacts:
        return None
    counted = _grouped(rule, page, found)
    lifts, row, channel = _full_until(counted, rule.max_contacts)
    if rule.scope not in ("channel", "contact_point"):
        return Blocked.until(_latest(lifts, row, page.size)[:, None])
    width = len(page.catalogue.channels)
    by_channel = _latest(lifts, row * width + channel, page.size * width).reshape(page.size, width)
    return Blocked.until(by_channel[:, page.channel_of])


def _grouped(rule: FrequencyCap, page: Page, found: Moments) -> Counted:
    if rule.scope == "debt":
        place, debt = link_to_open_debts(page, found)
        found = found.take(place)
        group: Int64s = debt
    elif rule.scope in ("channel", "contact_point"):
        # Which contact point would be used is not known: the fullest of a channel closes it.
        found = found.take(found.channel >= 0)
        point = found.point + 1 if rule.scope == "contact_point" else np.zeros(len(found.row), dtype=np.int64)
        width, most = len(page.catalogue.channels), int(point.max(initial=0)) + 1
        group = (found.row * width + found.channel) * most + point
    else:
        group = found.row
    return Counted(group, found.row, found.channel, leaves(rule.days, rule.window, page.days, found.row, found.at_us))


def _full_until(counted: Counted, most: int) -> tuple[Int64s, Int64s, Int64s]:
    """When each group that was ever full has room for one more; with the group's row and channel."""
    order = np.lexsort((counted.leaves_us, counted.group))
    group = counted.group[order]
    ends = np.flatnonzero(np.append(group[1:] != group[:-1], True)) + 1 if len(group) else np.zeros(0, dtype=np.int64)
    starts = np.append(0, ends[:-1]) if len(ends) else ends
    full = ends - starts >= most
    blocking = order[ends[full] - most]
    return counted.leaves_us[blocking], counted.row[blocking], counted.channel[blocking]


def _latest(moments_us: Int64s, place: Int64s, size: int) -> Int64s:
    """(size,) the latest moment of each place, ``MISSING`` where there is none."""
    latest = np.full(size, MISSING)
    np.maximum.at(latest, place, moments_us)
    return latest


def leaves(days: int, window: str, of_rows: LocalDays, row: Int64s, at_us: Int64s) -> Int64s:
    """(m,) the moment from which each event counts no longer."""
    if window == "rolling":
        return at_us + days * US_PER_DAY
    zone = of_rows.zone[row]
    made_on = local_days(local_us(at_us, zone, of_rows.names))
    return LocalDays(at_us, made_on, zone, of_rows.names).at(made_on + days)


def cool_down(rule: Rule, page: Page) -> Blocked | None:
    """Until some days after the latest of the events."""
    assert isinstance(rule, CoolDown)
    found = happened(page, rule.after)
    if not len(found.row):
        return None
    if rule.after_channels is not None:
        about = [name in rule.after_channels for name in page.catalogue.channels]
        found = found.take(np.array([*about, True])[found.channel])
    if rule.scope != "person":
        found = found.take(found.own)
    if rule.scope == "debt":
        found = found.take(link_to_open_debts(page, found)[0])
    lifts = leaves(rule.days, rule.window, page.days, found.row, found.at_us)
    if rule.scope != "channel":
        return Blocked.until(_latest(lifts, found.row, page.size)[:, None])
    # What was said on no channel that is known may have been said on any.
    width = len(page.catalogue.channels)
    some = found.channel >= 0
    by_channel = _latest(lifts[some], (found.row * width + found.channel)[some], page.size * width)
    anywhere = _latest(lifts[~some], found.row[~some], page.size)
    return Blocked.until(np.maximum(by_channel.reshape(page.size, width), anywhere[:, None])[:, page.channel_of])


def daily_volume(rule: Rule, page: Page) -> Blocked | None:
    """Until the next day of the rule's own time zone, once the day's contacts to everybody have been made."""
    assert isinstance(rule, DailyVolume)
    if page.dossier is None:
        return None
    lifts = np.full(page.size, MISSING)
    for as_of_us in sorted(set(page.days.as_of_us.tolist())):
        since_us, until_us = day_of(rule, as_of_us)
        if _made(page.dossier, rule, since_us, as_of_us) >= rule.max_contacts:
            lifts[page.days.as_of_us == as_of_us] = until_us
    return Blocked.until(lifts[:, None])


def _made(dossier: Dossier, rule: DailyVolume, since_us: int, as_of_us: int) -> int:
    """Contacts to anybody in ``[since, as_of)``, known by then, on the channels that the rule covers."""
    encoded, key = dossier.encoded, volume_key(rule, as_of_us)
    if key in encoded.totals:
        return encoded.totals[key]
    # Few rows fill no day, whenever they are from.
    if not encoded.tables.has("contacts") or encoded.tables.rows("contacts") < rule.max_contacts:
        return 0
    encoded.totals[key] = _count(encoded, rule, since_us, as_of_us)
    return encoded.totals[key]


def volume_key(rule: DailyVolume, as_of_us: int) -> tuple[str, ...]:
    """Under which name the contacts of a day are in ``Encoded.totals``.

    Where only some of the accounts are in memory, who knows all of them counts, and says so under this name.
    """
    return rule.id, rule.version, str(as_of_us)


def day_of(rule: DailyVolume, as_of_us: int) -> tuple[int, int]:
    """When the rule's own day of a moment begins and ends, half-open."""
    now, utc = np.array([as_of_us], dtype=np.int64), np.zeros(1, dtype=np.int32)
    day = local_days(local_us(now, utc, (rule.timezone,)))
    here = LocalDays(now, day, utc, (rule.timezone,))
    return int(here.at(day)[0]), int(here.at(day + 1)[0])


def _count(encoded: Encoded, rule: DailyVolume, since_us: int, as_of_us: int) -> int:
    at_us, recorded = encoded.tables.ints("contacts", "occurred_at"), encoded.tables.ints("contacts", "recorded_at")
    known = (at_us >= since_us) & (at_us < as_of_us) & (recorded < as_of_us)
    known &= as_of_us <= encoded.known_until("contacts")
    names = encoded.tables.text("contacts", "channel")
    covered = np.array([*(rule.covers(name) for name in names.values), rule.channels is None])
    return int((known & covered[names.codes]).sum())
