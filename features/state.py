"""The state of accounts at a moment: what is owed, what is on hold, what was consented, and who was just contacted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.balance import Standings, open_debts, standings
from domain.clock import MISSING, US_PER_DAY, Int64s
from features import records
from features.columns import Int32s
from features.encoding import Encoded
from features.spine import Spine
from features.statescan import consent_states, hold_masks, local_rows, promised_until, recent_contacts

RECENT_DAYS = 60
"""Contacts this far back are kept in a state: no frequency rule may look further."""


@dataclass(frozen=True, slots=True)
class Local:
    """Of each spine row: time zone (position in ``zone_names``, -1 unknown), ``accounts`` row (-1 none), local day."""

    zone: Int32s
    row: Int64s
    day: Int64s


@dataclass(frozen=True, slots=True)
class AccountStates:
    """One row per spine row; money in cents (contract §2).

    ``days_past_due`` is ``clock.MISSING`` where nothing is open and negative before the due date. Open debts of row r
    are ``open_debt[open_offsets[r]:open_offsets[r + 1]]``, rows of the debts table, with what is open of each.
    ``consent`` is (n, channels): 0 none, 1 granted, 2 revoked, 3 invalid. ``holds`` has bit i set where HOLD_KINDS[i]
    is in force, holds on the debtor counting for every account. ``contact_*`` are the outbound contacts of the last
    60 days to the debtor, on all accounts, in order of time.
    """

    spine: Spine
    balance_cents: Int64s
    overdue_cents: Int64s
    principal_cents: Int64s
    charges_cents: Int64s
    credit_cents: Int64s
    days_past_due: Int64s
    open_offsets: Int64s
    open_debt: Int64s
    open_cents: Int64s
    debt_names: npt.NDArray[np.object_]
    consent: npt.NDArray[np.int8]
    holds: Int64s
    active_promise: npt.NDArray[np.bool_]
    local_day: Int64s
    zone: Int32s
    zone_names: tuple[str, ...]
    contact_offsets: Int64s
    contact_at_us: Int64s
    contact_channel: Int32s
    consent_until_us: Int64s | None = None
    promised_until_day: Int64s | None = None

    def __len__(self) -> int:
        return len(self.spine)

    @property
    def owes(self) -> npt.NDArray[np.bool_]:
        """Whether there is anything to decide about: something is owed at ``as_of``."""
        return self.balance_cents > 0

    def debt_ids(self, row: int) -> tuple[str, ...]:
        """Ids of the open debts of a row, oldest due first."""
        return tuple(self.debt_names[self.open_offsets[row] : self.open_offsets[row + 1]])


def local_of(encoded: Encoded, spine: Spine) -> Local:
    """Where each row's account lives as known at ``as_of``, and which day it is there (UTC where unknown)."""
    recorded = encoded.tables.ints("accounts", "recorded_at")
    versions = encoded.version_offsets, encoded.version_rows, recorded
    return Local(*local_rows(versions, encoded.row_zones, encoded.zone_table, spine.account, spine.as_of_us))


def balances(encoded: Encoded, spine: Spine, local: Local) -> Standings:
    """What every row owes at its own ``as_of``."""
    ledger = (encoded.debts, encoded.entries, encoded.debt_bounds, encoded.entry_bounds)
    return standings(*ledger, spine.account, spine.as_of_us, local.day)


def account_states(encoded: Encoded, spine: Spine, *, channels: Sequence[str]) -> AccountStates:
    """The whole state of every row; ``channels`` gives the columns of ``consent`` and the codes of contacts."""
    local = local_of(encoded, spine)
    ledger = (encoded.debts, encoded.entries, encoded.debt_bounds, encoded.entry_bounds)
    standing = balances(encoded, spine, local)
    offsets, debt, cents = open_debts(*ledger, spine.account, spine.as_of_us, local.day)
    family = records.siblings(encoded)
    since_us = RECENT_DAYS * US_PER_DAY
    contact_offsets, contact_at_us, contact_channel = recent_contacts(
        records.contacts(encoded, channels), family, spine.account, spine.as_of_us, since_us
    )
    names = encoded.tables.text("debts", "debt_id")
    consent, consent_until = consent_states(
        records.consents(encoded, channels), spine.account, spine.as_of_us, len(channels)
    )
    promised = promised_until(records.rows_of(encoded, "promises"), spine.account, spine.as_of_us, local.day)
    return AccountStates(
        spine=spine,
        balance_cents=standing.balance,
        overdue_cents=standing.overdue,
        principal_cents=standing.principal,
        charges_cents=standing.charges,
        credit_cents=standing.credit,
        days_past_due=standing.days_past_due,
        open_offsets=offsets,
        open_debt=debt,
        open_cents=cents,
        debt_names=np.array(names.take(encoded.debt_source[debt]).decode(), dtype=object),
        consent=consent,
        holds=hold_masks(records.rows_of(encoded, "holds"), family, spine.account, spine.as_of_us),
        active_promise=promised != MISSING,
        local_day=local.day,
        zone=local.zone,
        zone_names=encoded.zone_names,
        contact_offsets=contact_offsets,
        contact_at_us=contact_at_us,
        contact_channel=contact_channel,
        consent_until_us=consent_until,
        promised_until_day=promised,
    )
