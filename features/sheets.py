"""The sheets of contacts, responses and holds, and those of all tables together, completed and linked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.balance_arrays import LedgerSheets
from domain.balance_entries import Int32s
from domain.coded import Coded, Vocabulary
from domain.compiled import compiled
from domain.sheets import FIELDS, Sheet, begun, complete, ledger_sheet, link
from domain.tables import HOLD_KINDS, HOLD_SCOPES, Tables
from domain.zones import Zones
from features.vocabulary import CHANNEL_CODES, KINDS, OTHER

CHANNEL, COST, OFFERED = 6, 7, 8
"""Of contacts: a position in ``CHANNEL_CODES``, ten-thousandths of the currency unit, and whether an offer was made."""
RESPONSE_KIND, CONTACT, REASON = 7, 8, 9
"""Of responses, beside ``CHANNEL``, which is -1 where the response does not say it."""
HOLD_KIND, WHOLE_DEBTOR, RELEASED = 6, 7, 8
COST_UNITS = 10_000
"""Contact costs are summed as whole ten-thousandths of the currency unit."""
_FIELDS = {**FIELDS, "contacts": 9, "responses": 10, "holds": 9}
_CHANNELS, _RESPONSES, _REASONS = (Vocabulary(v) for v in (CHANNEL_CODES, KINDS["response"], KINDS["reason"]))
_HOLDS, _SCOPES = Vocabulary(HOLD_KINDS), Vocabulary(HOLD_SCOPES)
_PLAIN = 6


class Sheets(NamedTuple):
    """Every table that events or a state come from; an absent table has no rows."""

    debts: Sheet
    debt_events: Sheet
    payments: Sheet
    promises: Sheet
    contacts: Sheet
    responses: Sheet
    holds: Sheet

    @property
    def ledger(self) -> LedgerSheets:
        """Those that move a balance."""
        return LedgerSheets(self.debts, self.debt_events, self.payments, self.promises)


def sheets_of(tables: Tables, position: Int32s) -> Sheets:
    """The sheets of all tables, to be completed; ``position`` is that of each account id, by its code."""
    return Sheets(*(sheet_of(tables, table, position) for table in Sheets._fields))


def sheet_of(tables: Tables, table: str, position: Int32s) -> Sheet:
    """One table, to be completed; those of no interest to features have the six common fields alone."""
    if not tables.rows(table):
        return np.empty((_FIELDS.get(table, _PLAIN), 0), dtype=np.int64)
    account = _accounts(tables, table, position)
    if table in LedgerSheets._fields:
        return ledger_sheet(tables, table, account)
    sheet = begun(tables, table, _FIELDS.get(table, _PLAIN), account)
    if table in _FILL:
        _FILL[table](tables, sheet)
    return sheet


@compiled
def complete_all(sheets: Sheets, sizes: tuple[int, ...], zones: Zones, zone_of: Int32s) -> None:
    """Fill what only all rows together tell (``domain.sheets.complete``); ``sizes`` is how many ids each table has."""
    complete(sheets.debts, sizes[0], zones, zone_of)
    complete(sheets.debt_events, sizes[1], zones, zone_of)
    complete(sheets.payments, sizes[2], zones, zone_of)
    complete(sheets.promises, sizes[3], zones, zone_of)
    complete(sheets.contacts, sizes[4], zones, zone_of)
    complete(sheets.responses, sizes[5], zones, zone_of)
    complete(sheets.holds, sizes[6], zones, zone_of)


def _accounts(tables: Tables, table: str, position: Int32s) -> Int32s:
    codes = tables.text(table, "account_id").among(tables.text("accounts", "account_id"))
    account: Int32s = np.append(position, np.int32(-1))[codes]
    return account


def channel_codes(channel: Coded, *, missing: int) -> npt.NDArray[np.int32]:
    """Position of each channel in ``CHANNEL_CODES``; unknown ones are ``other``."""
    codes = channel.recode(_CHANNELS, unknown=_CHANNELS[OTHER])
    return codes if missing < 0 else np.where(codes < 0, missing, codes)


def _contacts(tables: Tables, sheet: Sheet) -> None:
    sheet[CHANNEL] = channel_codes(tables.text("contacts", "channel"), missing=_CHANNELS[OTHER])
    sheet[COST] = np.rint(_or_nothing(tables.floats("contacts", "cost")) * COST_UNITS)
    sheet[OFFERED] = tables.text("contacts", "offer").recode({"none": 0}, unknown=1) == 1


def _or_nothing(costs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(np.isnan(costs), 0.0, costs)


def _responses(tables: Tables, sheet: Sheet) -> None:
    sheet[CHANNEL] = channel_codes(tables.text("responses", "channel"), missing=-1)
    kinds = tables.text("responses", "kind").recode(_RESPONSES, unknown=_RESPONSES[OTHER])
    sheet[RESPONSE_KIND] = np.where(kinds < 0, _RESPONSES[OTHER], kinds)
    sheet[CONTACT] = link(tables, "responses", "contact_id", to="contacts")
    sheet[REASON] = tables.text("responses", "reason").recode(_REASONS)


def _holds(tables: Tables, sheet: Sheet) -> None:
    # A kind that is not known counts as the first, a dispute, so that an unreadable hold stops contact.
    sheet[HOLD_KIND] = np.maximum(tables.text("holds", "kind").recode(_HOLDS, unknown=0), 0)
    sheet[WHOLE_DEBTOR] = tables.text("holds", "scope").recode(_SCOPES) == _SCOPES["debtor"]
    sheet[RELEASED] = tables.ints("holds", "released_at")


_FILL = {"contacts": _contacts, "responses": _responses, "holds": _holds}
