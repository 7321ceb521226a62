"""What came of every contact: was it received, did it end in an agreement, and which decision did it carry out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.clock import FOREVER, US_PER_DAY
from domain.coded import Coded
from features.encoding import Encoded
from training.windows import Bools, Int64s

_SEEN = ("read", "clicked", "right_party", "portal_visit")
RECEIVED = (
    *_SEEN, "replied", "refused", "disputed", "opted_out", "offer_simulated", "offer_abandoned", "offer_accepted",
)  # fmt: skip
"""Responses that only somebody who received the contact can give."""
ANSWER_DAYS, AGREEMENT_DAYS, SENDING_DAYS = 7, 3, 7
"""How long after a contact a response is its answer and a promise its fruit; and how long a decision waits for it."""
_NONE = np.int64(-1)


@dataclass(frozen=True)
class Receipts:
    """Contacts as known at the end of the data, by account and time.

    All (m,): ``row`` in the table of contacts, ``account``, ``at_us``, ``received``, ``agreed`` (then it was received,
    too), ``complained`` and ``opted_out`` of it, and ``decision``, the row of ``decisions`` that it carried out, -1
    where it carried out none that is known.
    """

    row: Int64s
    account: npt.NDArray[np.int32]
    at_us: Int64s
    received: Bools
    agreed: Bools
    complained: Bools
    opted_out: Bools
    decision: Int64s

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True)
class _Rows:
    """Some rows of a table: whose, when, and on which of the contacts' channels (-1 unknown)."""

    row: Int64s
    account: Int64s
    at_us: Int64s
    channel: Int64s

    def take(self, places: Int64s | Bools) -> _Rows:
        return _Rows(self.row[places], self.account[places], self.at_us[places], self.channel[places])


def contact_receipts(encoded: Encoded, decisions: Int64s) -> Receipts:
    """Every contact of a known account with what came of it.

    Parameters
    ----------
    decisions : (d,) rows of the table of decisions that contacts may carry out

    Notes
    -----
    A response belongs to the contact that it names, or else to the latest one on its channel within ``ANSWER_DAYS``, or
    on any where it is a complaint that tells no channel; so does a consent that is revoked, which is an opt-out. A
    promise belongs to the latest contact within ``AGREEMENT_DAYS``. On a channel where nothing but delivery is ever
    seen, such as a letter's, what was delivered counts as received. A contact carries out the decision that it names,
    or else, where contacts name none, the latest one for its channel within ``SENDING_DAYS``.
    """
    found = _rows(encoded, "contacts", "occurred_at")
    contacts = found.take(np.lexsort((found.row, found.at_us, found.account)))
    said = _rows(encoded, "responses", "occurred_at")
    complaints = _those(encoded, "responses", said, column="kind", value="complained")
    answered = _answered_by(encoded, contacts, said)
    agreed = answered(("offer_accepted",))
    promised = _latest(contacts, _rows(encoded, "promises", "occurred_at"), days=AGREEMENT_DAYS, same_channel=False)
    agreed[promised[promised >= 0]] = True
    received = answered(RECEIVED) | agreed
    seen = np.bincount(contacts.channel + 1, weights=answered(_SEEN), minlength=1)
    received |= (seen == 0)[contacts.channel + 1] & answered(("delivered",))
    return Receipts(
        row=contacts.row,
        account=contacts.account.astype(np.int32),
        at_us=contacts.at_us,
        received=received,
        agreed=agreed,
        complained=_answered_by(encoded, contacts, complaints, from_anywhere=True)(("complained",)),
        opted_out=answered(("opted_out",)) | _revoked(encoded, contacts),
        decision=_carried_out(encoded, contacts, decisions),
    )


def _revoked(encoded: Encoded, contacts: _Rows) -> Bools:
    """(m,) whether a consent was revoked after each contact, on its channel."""
    found = np.zeros(len(contacts.row), dtype=np.bool_)
    consents = _rows(encoded, "consents", "occurred_at")
    said = _those(encoded, "consents", consents, column="status", value="revoked")
    place = _latest(contacts, said, days=ANSWER_DAYS, same_channel=True)
    found[place[place >= 0]] = True
    return found


def _those(encoded: Encoded, table: str, found: _Rows, *, column: str, value: str) -> _Rows:
    """The rows of a table that say one thing."""
    if not len(found.row):
        return found
    return found.take(encoded.tables.text(table, column).recode({value: 1}, unknown=0)[found.row] == 1)


def _rows(encoded: Encoded, table: str, moment: str, rows: Int64s | None = None) -> _Rows:
    """The latest versions of a table's rows on known accounts, or those given."""
    tables = encoded.tables
    if not tables.rows(table):
        nothing = np.zeros(0, dtype=np.int64)
        return _Rows(nothing, nothing, nothing, nothing)
    account = encoded.account_of(table)
    if rows is None:
        rows = np.flatnonzero((encoded.known_until(table) == FOREVER) & (account >= 0))
    channel = np.full(len(rows), _NONE)
    if table != "promises":
        channel = tables.text(table, "channel").among(tables.text("contacts", "channel"))[rows].astype(np.int64)
    return _Rows(rows, account[rows].astype(np.int64), tables.ints(table, moment)[rows], channel)


def _answered_by(
    encoded: Encoded, contacts: _Rows, said: _Rows, *, from_anywhere: bool = False
) -> Callable[[tuple[str, ...]], Bools]:
    """Tells of some kinds of response (m,) whether any of them answers each contact."""
    if not len(said.row):
        return lambda _kinds: np.zeros(len(contacts.row), dtype=np.bool_)
    tables = encoded.tables
    ids, kind = tables.text("contacts", "contact_id"), tables.text("responses", "kind")
    place = _places(ids, contacts.row)[tables.text("responses", "contact_id").among(ids)[said.row]]
    unnamed = place < 0
    place[unnamed] = _latest(contacts, said.take(unnamed), days=ANSWER_DAYS, same_channel=True)
    if from_anywhere:
        nowhere = unnamed & (tables.text("responses", "channel").codes[said.row] < 0)
        place[nowhere] = _latest(contacts, said.take(nowhere), days=ANSWER_DAYS, same_channel=False)

    def answered(kinds: tuple[str, ...]) -> Bools:
        wanted = kind.recode(dict.fromkeys(kinds, 1), unknown=0)[said.row] == 1
        found = np.zeros(len(contacts.row), dtype=np.bool_)
        found[place[wanted & (place >= 0)]] = True
        return found

    return answered


def _carried_out(encoded: Encoded, contacts: _Rows, decisions: Int64s) -> Int64s:
    """(m,) row of the decision that each contact carried out, -1 for none."""
    if not len(decisions):
        return np.full(len(contacts.row), _NONE)
    ids = encoded.tables.text("decisions", "decision_id")
    named = _places(ids, decisions)[encoded.tables.text("contacts", "decision_id").among(ids)[contacts.row]]
    if not (named >= 0).any():
        taken = _rows(encoded, "decisions", "decided_at", decisions)
        named = _latest(taken, contacts, days=SENDING_DAYS, same_channel=True)
    return np.where(named >= 0, decisions[named], _NONE)


def _places(ids: Coded, rows: Int64s) -> Int64s:
    """By code of an id, its place among ``rows``; -1 where it is not among them, and in the last place, for no id."""
    places = np.full(len(ids.values) + 1, _NONE)
    places[ids.codes[rows]] = np.arange(len(rows))
    places[-1] = _NONE
    return places


def _latest(causes: _Rows, effects: _Rows, *, days: int, same_channel: bool) -> Int64s:
    """Place of the latest cause on the account (and channel) of each effect, at or before it; -1 where none is near."""
    if not len(causes.row):
        return np.full(len(effects.row), _NONE)
    width = 2 + int(max(causes.channel.max(initial=-1), effects.channel.max(initial=-1))) if same_channel else 1
    own, theirs = (rows.account * width + (rows.channel + 1 if same_channel else 0) for rows in (causes, effects))
    times = np.unique(np.concatenate([causes.at_us, effects.at_us]))
    order = np.lexsort((causes.at_us, own))
    keys = own[order] * (len(times) + 1) + np.searchsorted(times, causes.at_us[order])
    asked = theirs * (len(times) + 1) + np.searchsorted(times, effects.at_us)
    place = np.searchsorted(keys, asked, side="right") - 1
    found = order[np.maximum(place, 0)]
    near = (place >= 0) & (own[found] == theirs) & (effects.at_us - causes.at_us[found] < days * US_PER_DAY)
    return np.where(near, found, _NONE)
