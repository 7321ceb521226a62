"""Compiled scans behind ``features.state``: each walks the records of an account that were known at ``as_of``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from domain.clock import FOREVER, MISSING, US_PER_DAY, Int64s
from domain.compiled import compiled
from domain.sheets import DAY, INSTALMENTS, KIND, OCCURRED, OUTCOME, PROMISE_DUE, RECORDED, RESOLVED, UNTIL, Sheet
from domain.tables import PROMISE_KINDS
from domain.zones import Zones, offset_us
from features.columns import Int32s
from features.records import GRANTED, INVALID, REVOKED, Consents, Contacts, Rows, Siblings
from features.sheets import HOLD_KIND, RELEASED, WHOLE_DEBTOR

_AGREEMENT = PROMISE_KINDS.index("agreement")
_FALLBACK_PROMISE_DAYS = 30


@compiled
def local_rows(
    versions: tuple[Int64s, Int64s, Int64s], row_zones: Int32s, zones: Zones, account: Int32s, as_of_us: Int64s
) -> tuple[Int32s, Int64s, Int64s]:
    """Zone, row of ``accounts`` and local day of each row asked for, by the latest version known before ``as_of``.

    ``versions`` are offsets by account, rows in order of recording, and when each was recorded. Zone and row are -1
    where nothing was known; the day is then that of UTC.
    """
    offsets, rows, recorded = versions
    zone, found = np.full(len(account), -1, dtype=np.int32), np.full(len(account), -1, dtype=np.int64)
    day = np.empty(len(account), dtype=np.int64)
    for index in range(len(account)):
        for position in range(offsets[account[index] + 1] - 1, offsets[account[index]] - 1, -1):
            if recorded[rows[position]] < as_of_us[index]:
                found[index], zone[index] = rows[position], row_zones[rows[position]]
                break
        day[index] = (as_of_us[index] + offset_us(zones, zone[index], as_of_us[index])) // US_PER_DAY
    return zone, found, day


@compiled
def _consent_of(
    consents: Consents, bounds: tuple[int, int], as_of_us: int, state: npt.NDArray[np.int8], until: Int64s
) -> None:
    """Latest first: an invalid contact point voids older records of it, and the first standing word decides."""
    settled = np.zeros(len(state), dtype=np.bool_)
    for row in range(bounds[1] - 1, bounds[0] - 1, -1):
        seen = consents.occurred_us[row] < as_of_us and consents.known_from[row] < as_of_us <= consents.known_until[row]
        channel = consents.channel[row]
        if not seen or channel < 0 or settled[channel]:
            continue
        status, point = consents.status[row], consents.point[row]
        if status == INVALID:
            state[channel] = INVALID
            settled[channel] = point < 0
            continue
        voided = False
        for later in range(row + 1, bounds[1]):
            if (
                consents.channel[later] == channel
                and consents.point[later] == point
                and consents.status[later] == INVALID
            ):
                known = consents.known_from[later] < as_of_us <= consents.known_until[later]
                voided = voided or (known and consents.occurred_us[later] < as_of_us)
        if voided:
            continue
        expires = consents.expires_us[row]
        expired = status == GRANTED and expires != MISSING and expires <= as_of_us
        state[channel] = 0 if expired else (GRANTED if status == GRANTED else REVOKED)
        until[channel] = expires if state[channel] == GRANTED and expires != MISSING else FOREVER
        settled[channel] = True


@compiled
def consent_states(
    consents: Consents, account: Int32s, as_of_us: Int64s, n_channels: int
) -> tuple[npt.NDArray[np.int8], Int64s]:
    """(n, channels): 0 none, 1 granted, 2 revoked, 3 invalid; an unreadable status counts as revoked.

    And until when what is granted holds, (n, channels), ``FOREVER`` where it does not expire.
    """
    states = np.zeros((len(account), n_channels), dtype=np.int8)
    until = np.full((len(account), n_channels), FOREVER, dtype=np.int64)
    for row in range(len(account)):
        bounds = (consents.offsets[account[row]], consents.offsets[account[row] + 1])
        _consent_of(consents, bounds, as_of_us[row], states[row], until[row])
    return states, until


@compiled
def hold_mask(holds: Rows, family: Siblings, account: int, as_of_us: int) -> int:
    """Bit mask of the holds in force on an account, those on its debtor's other accounts included."""
    mask, sheet, debtor = 0, holds.sheet, family.debtor[account]
    for position in range(family.offsets[debtor], family.offsets[debtor + 1]):
        other = family.accounts[position]
        for hold in range(holds.offsets[other], holds.offsets[other + 1]):
            seen = sheet[OCCURRED, hold] < as_of_us and sheet[RECORDED, hold] < as_of_us <= sheet[UNTIL, hold]
            over = sheet[RELEASED, hold] != MISSING and sheet[RELEASED, hold] < as_of_us
            if seen and not over and (other == account or sheet[WHOLE_DEBTOR, hold] == 1):
                mask |= np.int64(1) << sheet[HOLD_KIND, hold]
    return int(mask)


@compiled
def hold_masks(holds: Rows, family: Siblings, account: Int32s, as_of_us: Int64s) -> Int64s:
    """(n,) masks as in ``hold_mask``."""
    masks = np.zeros(len(account), dtype=np.int64)
    for row in range(len(account)):
        masks[row] = hold_mask(holds, family, account[row], as_of_us[row])
    return masks


@compiled
def last_promised_day(promises: Sheet, promise: int) -> int:
    """The local day through which a promise runs; an agreement runs a month for each instalment.

    One without due day runs for 30 days from the day it was made.
    """
    due = promises[PROMISE_DUE, promise]
    due = promises[DAY, promise] + _FALLBACK_PROMISE_DAYS if due == MISSING else due
    if promises[KIND, promise] != _AGREEMENT:
        return int(due)
    return int(due + 31 * (max(promises[INSTALMENTS, promise], 1) - 1))


@compiled
def is_running(promises: Sheet, promise: int, as_of_us: int, day: int) -> bool:
    """Whether a promise made before ``as_of`` is neither resolved nor past its last day."""
    known = promises[RECORDED, promise] < as_of_us <= promises[UNTIL, promise]
    resolved = promises[RESOLVED, promise] if promises[OUTCOME, promise] >= 0 else MISSING
    over = resolved != MISSING and resolved < as_of_us
    made = promises[OCCURRED, promise] < as_of_us
    return bool(known and made and not over and last_promised_day(promises, promise) >= day)


@compiled
def promised_until(promises: Rows, account: Int32s, as_of_us: Int64s, day: Int64s) -> Int64s:
    """(n,) the last local day through which any promise runs, ``MISSING`` where none is running."""
    last = np.full(len(account), MISSING, dtype=np.int64)
    for row in range(len(account)):
        for promise in range(promises.offsets[account[row]], promises.offsets[account[row] + 1]):
            if is_running(promises.sheet, promise, as_of_us[row], day[row]):
                last[row] = max(last[row], last_promised_day(promises.sheet, promise))
    return last


@compiled
def recent_contacts(
    contacts: Contacts, family: Siblings, account: Int32s, as_of_us: Int64s, since_us: int
) -> tuple[Int64s, Int64s, Int32s]:
    """Offsets (n + 1,), moments and channels of the debtor's contacts in ``[as_of - since, as_of)``, oldest first."""
    offsets = np.zeros(len(account) + 1, dtype=np.int64)
    for counting in (True, False):
        if not counting:
            offsets = np.cumsum(offsets)
            moments, channels = np.zeros(offsets[-1], dtype=np.int64), np.zeros(offsets[-1], dtype=np.int32)
        for row in range(len(account)):
            moment, debtor, filled = as_of_us[row], family.debtor[account[row]], 0
            for position in range(family.offsets[debtor], family.offsets[debtor + 1]):
                other = family.accounts[position]
                for contact in range(contacts.offsets[other + 1] - 1, contacts.offsets[other] - 1, -1):
                    at = contacts.occurred_us[contact]
                    if at < moment - since_us:
                        break
                    known = contacts.known_from[contact] < moment <= contacts.known_until[contact]
                    if at < moment and known:
                        if not counting:
                            moments[offsets[row] + filled] = at
                            channels[offsets[row] + filled] = contacts.channel[contact]
                        filled += 1
            if counting:
                offsets[row + 1] = filled
            else:
                order = np.argsort(moments[offsets[row] : offsets[row + 1]], kind="mergesort")
                moments[offsets[row] : offsets[row + 1]] = moments[offsets[row] : offsets[row + 1]][order]
                channels[offsets[row] : offsets[row + 1]] = channels[offsets[row] : offsets[row + 1]][order]
    return offsets, moments, channels
