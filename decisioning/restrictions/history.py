"""Contacts and events of a page's debtors, as moments by row: what rules count."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.kinds import FrequencyCap
from decisioning.restrictions.page import Page
from domain.clock import FOREVER, MISSING, US_PER_DAY
from domain.sheets import ID
from features.columns import index_of
from features.dossier import Dossier, spread
from features.sheets import CONTACT, REASON, RESPONSE_KIND
from features.vocabulary import KINDS

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
_RESPONSES = index_of(KINDS["response"])


class Moments(NamedTuple):
    """Things that happened, each (m,): the row that they belong to, when, and what is known of where.

    ``channel`` is a position among the configured channels, -1 where unknown or not configured; ``own`` whether it was
    on the account itself; ``debt`` and ``point`` are codes of ids, negative where none is named.
    """

    row: Int64s
    at_us: Int64s
    channel: Int64s
    own: Bools
    debt: Int64s
    point: Int64s

    def take(self, keep: Bools | Int64s) -> Moments:
        """The ones at some positions, or where the mask is true."""
        return Moments(
            self.row[keep], self.at_us[keep], self.channel[keep], self.own[keep], self.debt[keep], self.point[keep]
        )


def nothing() -> Moments:
    """No moments at all."""
    none = np.zeros(0, dtype=np.int64)
    return Moments(none, none, none, np.zeros(0, dtype=np.bool_), none, none)


def contacts_of(page: Page, rule: FrequencyCap) -> Moments:
    """The contacts that a cap is about, those that its exceptions spare left out."""
    plain = rule.counts == "attempts" and not rule.not_counted and rule.consent_spares_days is None
    if (plain and rule.scope == "person") or page.dossier is None:
        return _recent(page)
    found = contacts(page)
    if rule.counts == "conversations":
        found = found.take(_answered(page.dossier, rule.conversations))
    elif rule.not_counted:
        found = found.take(~_answered(page.dossier, rule.not_counted))
    if rule.consent_spares_days is not None:
        found = found.take(~_consented(page, found, rule.consent_spares_days))
    return found if rule.scope == "person" else found.take(found.own)


def attempts(page: Page, *, own: bool) -> Moments:
    """The contacts of the last days with the debtor, or those on the account itself alone."""
    if not own or page.dossier is None:
        return _recent(page)
    found = contacts(page)
    return found.take(found.own)


def _recent(page: Page) -> Moments:
    """The contacts with the debtor that the state itself holds."""
    states = page.states
    row = np.repeat(np.arange(page.size), np.diff(states.contact_offsets))
    unknown = np.full(len(row), -1, dtype=np.int64)
    channel = states.contact_channel.astype(np.int64)
    return Moments(row, states.contact_at_us, channel, np.ones(len(row), dtype=np.bool_), unknown, unknown)


def contacts(page: Page) -> Moments:
    """All contacts with the debtors of a page, in the order of ``Dossier.known``."""
    if "contacts" not in page.told:
        page.told["contacts"] = _contacts(page)
    found: Moments = page.told["contacts"]
    return found


def _contacts(page: Page) -> Moments:
    dossier = page.dossier
    if dossier is None or not dossier.encoded.tables.has("contacts"):
        return nothing()
    found = dossier.known("contacts")
    channel = dossier.text("contacts", "channel").recode(index_of(page.catalogue.channels)).astype(np.int64)
    debt = dossier.encoded.linked("contacts", "debt_id", to="debts")[found.source].astype(np.int64)
    point = dossier.text("contacts", "contact_point_id").codes.astype(np.int64)
    return Moments(found.row, found.at_us, channel, found.own, debt, point)


def _answered(dossier: Dossier, kinds: Sequence[str]) -> Bools:
    """(m,) whether each known contact has a response of these kinds that was known as well."""
    contacts, responses = dossier.known("contacts"), dossier.known("responses")
    if not len(responses.row):
        return np.zeros(len(contacts.row), dtype=np.bool_)
    sheet = dossier.encoded.sheet("responses")
    fits = np.isin(sheet[RESPONSE_KIND, responses.source], [_RESPONSES[kind] for kind in kinds])
    width = np.int64(1) << 40
    answered = responses.row[fits] * width + sheet[CONTACT, responses.source][fits]
    return np.isin(contacts.row * width + dossier.encoded.sheet("contacts")[ID, contacts.source], answered)


def _consented(page: Page, found: Moments, days: int) -> Bools:
    """(m,) whether the debtor had consented to the channel in the days before each contact."""
    row, channel, given_us = granted(page)
    if not len(row):
        return np.zeros(len(found.row), dtype=np.bool_)
    # Who, channel and time in one number, in order: the last consent before a contact is one search away.
    times = np.unique(np.concatenate([given_us, found.at_us]))
    width = len(page.catalogue.channels) + 1
    order = (row * width + channel) * len(times) + np.searchsorted(times, given_us)
    sequence = np.argsort(order)
    wanted = (found.row * width + found.channel) * len(times) + np.searchsorted(times, found.at_us)
    before = sequence[np.maximum(np.searchsorted(order[sequence], wanted, side="right") - 1, 0)]
    same = (row[before] == found.row) & (channel[before] == found.channel) & (given_us[before] <= found.at_us)
    return np.asarray(same & (found.at_us < given_us[before] + days * US_PER_DAY), dtype=np.bool_)


def granted(page: Page) -> tuple[Int64s, Int64s, Int64s]:
    """Row, channel and moment of each consent that an account's own debtor gave on it."""
    if "granted" not in page.told:
        page.told["granted"] = _granted(page)
    found: tuple[Int64s, Int64s, Int64s] = page.told["granted"]
    return found


def _granted(page: Page) -> tuple[Int64s, Int64s, Int64s]:
    dossier = page.dossier
    if dossier is None or not dossier.encoded.tables.has("consents"):
        none = np.zeros(0, dtype=np.int64)
        return none, none, none
    found = dossier.known("consents")
    channel = dossier.text("consents", "channel").recode(index_of(page.catalogue.channels)).astype(np.int64)
    given = dossier.text("consents", "status").recode({"granted": 1}, unknown=0) == 1
    keep = found.own & given & (channel >= 0)
    return found.row[keep], channel[keep], found.at_us[keep]


def responses(page: Page) -> tuple[Moments, Int64s]:
    """All responses of the debtors of a page, on the channel they say or that of their contact, and their kinds."""
    if "responses" not in page.told:
        page.told["responses"] = _said(page)
    found: tuple[Moments, Int64s] = page.told["responses"]
    return found


def _said(page: Page) -> tuple[Moments, Int64s]:
    dossier = page.dossier
    if dossier is None or not dossier.encoded.tables.has("responses"):
        return nothing(), np.zeros(0, dtype=np.int64)
    found, encoded = dossier.known("responses"), dossier.encoded
    sheet = encoded.sheet("responses")
    channel = dossier.text("responses", "channel").recode(index_of(page.catalogue.channels)).astype(np.int64)
    point = dossier.text("responses", "contact_point_id").codes.astype(np.int64)
    debt = np.full(len(found.row), -1, dtype=np.int64)
    if encoded.tables.rows("contacts"):
        of_contact = _contact_of(dossier)
        said = encoded.tables.text("contacts", "channel").recode(index_of(page.catalogue.channels))
        named = dossier.text("responses", "channel").codes >= 0
        channel = np.where(~named & (of_contact >= 0), said[of_contact], channel)
        linked = encoded.linked("contacts", "debt_id", to="debts").astype(np.int64)
        debt = np.where(of_contact >= 0, linked[of_contact], -1)
    return Moments(found.row, found.at_us, channel, found.own, debt, point), sheet[RESPONSE_KIND, found.source]


def _contact_of(dossier: Dossier) -> Int64s:
    """(m,) the row of the contact that each known response answers, -1 where none is known by then."""
    contacts, responses, encoded = dossier.known("contacts"), dossier.known("responses"), dossier.encoded
    if not len(contacts.row):
        return np.full(len(responses.row), -1, dtype=np.int64)
    # Row and contact in one number, in order: the contact that was known to a row is one search away.
    width = np.int64(1) << 40
    keys = contacts.row * width + encoded.sheet("contacts")[ID, contacts.source]
    order = np.argsort(keys, kind="stable")
    code = encoded.sheet("responses")[CONTACT, responses.source]
    wanted = responses.row * width + code
    place = order[np.maximum(np.searchsorted(keys[order], wanted, side="right") - 1, 0)]
    return np.where((code >= 0) & (keys[place] == wanted), contacts.source[place], -1)


def happened(page: Page, what: Sequence[str]) -> Moments:
    """Events of some kinds: responses by their kind, and ``payment``."""
    found, kinds = responses(page)
    some = found.take(_listed("response", tuple(kind for kind in what if kind != "payment"))[kinds])
    if "payment" not in what:
        return some
    parts = [some]
    if page.dossier is not None and page.dossier.encoded.tables.has("payments"):
        paid = page.dossier.known("payments")
        paid = paid.take(page.dossier.ints("payments", "amount") > 0)
        debt = page.dossier.encoded.linked("payments", "debt_id", to="debts")[paid.source].astype(np.int64)
        unknown = np.full(len(paid.row), -1, dtype=np.int64)
        parts.append(Moments(paid.row, paid.at_us, unknown, paid.own, debt, unknown))
    return Moments(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@lru_cache(maxsize=256)
def _listed(kind: str, names: tuple[str, ...]) -> Bools:
    """Whether each code of a kind's vocabulary is one of some names; the last, for what is missing, is not."""
    index = index_of(KINDS[kind])
    found = np.zeros(len(index) + 1, dtype=np.bool_)
    found[[index[name] for name in names]] = True
    return found


def gave(page: Page, reasons: Sequence[str]) -> Moments:
    """When the debtors of a page gave one of some reasons for not paying, on any account; on no channel."""
    dossier = page.dossier
    if dossier is None or not dossier.encoded.tables.has("responses"):
        return nothing()
    found = dossier.known("responses")
    given = dossier.encoded.sheet("responses")[REASON, found.source]
    found = found.take(_listed("reason", tuple(reasons))[given])
    unknown = np.full(len(found.row), -1, dtype=np.int64)
    return Moments(found.row, found.at_us, unknown, found.own, unknown, unknown)


def link_to_open_debts(page: Page, found: Moments) -> tuple[Int64s, Int64s]:
    """Every pair of something that happened and an open debt of its row that it is about: position, and open debt.

    What names no debt that is known may have been about any of them.
    """
    offsets = page.states.open_offsets
    place, debt = spread(offsets[found.row], offsets[found.row + 1])
    about = found.debt[place] < 0
    if page.dossier is not None:
        encoded = page.dossier.encoded
        codes = encoded.tables.text("debts", "debt_id").codes[encoded.debt_source[page.states.open_debt]]
        about |= codes[debt] == found.debt[place]
    return place[about], debt[about]


def latest(moments: Moments, width: int, *, size: int) -> Int64s:
    """(size, width) the latest moment by row and channel; one without channel counts on all; ``MISSING`` where none."""
    found = np.full((size, width), MISSING)
    some = moments.channel >= 0
    np.maximum.at(found, (moments.row[some], moments.channel[some]), moments.at_us[some])
    anywhere = np.full(size, MISSING)
    np.maximum.at(anywhere, moments.row[~some], moments.at_us[~some])
    return np.asarray(np.maximum(found, anywhere[:, None]), dtype=np.int64)


def ends(since_us: Int64s, days: int | None) -> Int64s:
    """When something that began at some moments is over: after some days, or never; ``MISSING`` stays."""
    if days is None:
        return np.where(since_us == MISSING, MISSING, FOREVER)
    return np.where(since_us == MISSING, MISSING, np.where(since_us == MISSING, 0, since_us) + days * US_PER_DAY)
