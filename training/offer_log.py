"""Logged decisions as what discount learning is read from: who was offered a discount, and who paid in full later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.actions import ActionCatalogue
from domain.clock import FOREVER, US_PER_DAY
from domain.errors import NotEnoughDataError
from features.encoding import Encoded
from features.spine import Spine
from training import labels
from training.dataset import Horizon
from training.ope.decisions import Decisions, usable
from training.windows import Bools, EventIndex, Int64s, index_events

Floats = npt.NDArray[np.float64]

PAID_DAYS, AFTER_DAYS, BEFORE_DAYS = 30, 90, 365
"""Days in which a payment answers a decision; that count after an offer's validity; and that tell how somebody pays."""
NOTHING, AFTER_DISCOUNT, IN_FULL = 0, 1, 2
PAID_BEFORE = ("nothing", "after_discount", "in_full")
"""How the debtor paid in the year before: not at all, at least once at a discount, or always what was asked."""


@dataclass(frozen=True)
class OfferLog:
    """Logged decisions, all (n,), and ``valid_days``, within which an offer is taken or not.

    ``discount`` and ``other`` say whether the action was a contact that offered a discount, or one that did not;
    ``plain`` those of the latter that offered nothing at all. ``earlier`` counts the discount offers made to the debtor
    before, and ``paid_before`` is a position in ``PAID_BEFORE``.

    ``share`` is what the compared policies (a discount, or nothing, on a channel that could have had either) give the
    logged action, 0 where it is of neither; ``action_prob`` what the log's own policy gave it. ``paid`` within
    ``PAID_DAYS``. ``taken``: paid or agreed to something while the offer was valid. ``later``: paid what was asked in
    the ``AFTER_DAYS`` after it. ``mature`` where those are over.
    """

    debtor: Int64s
    discount: Bools
    other: Bools
    plain: Bools
    earlier: Int64s
    paid_before: Int64s
    share: Floats
    action_prob: Floats
    paid: Bools
    taken: Bools
    later: Bools
    mature: Bools
    valid_days: int

    def __len__(self) -> int:
        return len(self.debtor)


def offer_log(encoded: Encoded, catalogue: ActionCatalogue, horizon: Horizon, *, seed: int) -> OfferLog:
    """The decisions of canonical data that are old enough to be read.

    Raises
    ------
    NotEnoughDataError : there is no such log, or it does not tell what this needs; says what
    DataError : ``action_prob`` is none that a choice can have had
    """
    valid_days = _validity(catalogue)
    _needs(encoded)
    found = usable(encoded, catalogue, horizon, days=PAID_DAYS, from_us=None, seed=seed)
    if not found.eligible_known:
        raise NotEnoughDataError(
            "decisions do not say what was eligible, so that nobody knows where either offer could have been made; "
            "log `eligible` with each decision"
        )
    money = labels.receipts(encoded)
    after = Spine(found.spine.account, found.spine.as_of_us + valid_days * US_PER_DAY)
    full = ~_discounted(encoded)
    in_full = index_events(money.account[full], money.at_us[full])
    agreed = _promises(encoded).any_within(found.spine, horizon_days=valid_days) | _named(encoded, found.rows)
    contact = np.array([not action.is_wait for action in found.actions])[found.action]
    discount = np.array([action.discount_pct > 0 for action in found.actions])[found.action]
    plain = np.array([action.offer_kind == "none" for action in found.actions])[found.action]
    return OfferLog(
        debtor=encoded.debtor[found.spine.account].astype(np.int64),
        discount=contact & discount, other=contact & ~discount, plain=contact & plain,
        earlier=_earlier(encoded, catalogue, found.spine),
        paid_before=_paid_before(encoded, money, full, found.spine),
        share=_shares(found, catalogue), action_prob=found.action_prob,
        paid=labels.paid_within(money, found.spine, horizon_days=PAID_DAYS),
        taken=agreed | money.index.any_within(found.spine, horizon_days=valid_days),
        later=in_full.any_within(after, horizon_days=AFTER_DAYS),
        mature=horizon.mature(found.spine.as_of_us, valid_days + AFTER_DAYS), valid_days=valid_days,
    )  # fmt: skip


def _validity(catalogue: ActionCatalogue) -> int:
    """The longest validity of any discount: the same days for both sides of the comparison."""
    days = [offer.valid_days for offer in catalogue.config.offers.values() if offer.kind == "discount"]
    if not days:
        raise NotEnoughDataError("found no offer of kind discount in actions.yaml, so that there is none to wait for")
    return max(days)


def _needs(encoded: Encoded) -> None:
    if not (encoded.tables.has("promises") or encoded.tables.has("debt_events")):
        raise NotEnoughDataError(
            "found neither promises nor debt_events, so that no payment is known to be at a discount or in full; give "
            "promises with discount_amount, and payments with their promise_id"
        )


def _discounted(encoded: Encoded) -> Bools:
    """(m,) by payment of ``labels.receipts``: it names a promise with a discount, or a debt that a discount closed."""
    tables = encoded.tables
    rows = np.flatnonzero((encoded.known_until("payments") == FOREVER) & (encoded.account_of("payments") >= 0))
    rows = rows[tables.ints("payments", "amount")[rows] > 0]
    found = np.zeros(len(rows), dtype=np.bool_)
    if tables.has("promises"):
        promises = tables.text("promises", "promise_id")
        with_discount = np.zeros(len(promises.values) + 1, dtype=np.bool_)
        with_discount[promises.codes[tables.ints("promises", "discount_amount") > 0]] = True
        found |= with_discount[tables.text("payments", "promise_id").take(rows).among(promises)]
    if tables.has("debt_events"):
        debts = tables.text("debt_events", "debt_id")
        kind = tables.text("debt_events", "kind").recode({"discount": 1}, unknown=0) == 1
        closed = np.zeros(len(debts.values) + 1, dtype=np.bool_)
        closed[debts.codes[kind & (encoded.known_until("debt_events") == FOREVER) & (debts.codes >= 0)]] = True
        found |= closed[tables.text("payments", "debt_id").take(rows).among(debts)]
    return found


def _promises(encoded: Encoded) -> EventIndex:
    if not encoded.tables.has("promises"):
        return index_events(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64))
    return index_events(encoded.account_of("promises"), encoded.tables.ints("promises", "occurred_at"))


def _named(encoded: Encoded, rows: Int64s) -> Bools:
    """Whether a promise names each decision: the offer was taken, whenever that was."""
    decisions = encoded.tables.text("decisions", "decision_id")
    named = np.zeros(len(decisions.values) + 1, dtype=np.bool_)
    if encoded.tables.has("promises"):
        codes = encoded.tables.text("promises", "decision_id").among(decisions)
        named[codes[codes >= 0]] = True
    return np.asarray(named[decisions.codes[rows]], dtype=np.bool_)


def _earlier(encoded: Encoded, catalogue: ActionCatalogue, spine: Spine) -> Int64s:
    """(n,) discount offers that contacts with the debtor carried before each moment, or without contacts decisions."""
    table, column = ("contacts", "occurred_at") if encoded.tables.has("contacts") else ("decisions", "decided_at")
    discounts = {name: 1 for name, offer in catalogue.config.offers.items() if offer.kind == "discount"}
    made = encoded.tables.text(table, "offer").recode(discounts, unknown=0) == 1
    made &= (encoded.account_of(table) >= 0) & (encoded.known_until(table) == FOREVER)
    debtor = encoded.debtor[encoded.account_of(table)[made]]
    known = np.maximum(encoded.tables.ints(table, column), encoded.tables.ints(table, "recorded_at"))[made]
    return _count_before(debtor, known, encoded.debtor[spine.account], spine.as_of_us)


def _paid_before(encoded: Encoded, money: labels.Receipts, full: Bools, spine: Spine) -> Int64s:
    """(n,) position in ``PAID_BEFORE``, by the payments of the debtor in the year before each moment."""
    debtor, of_row = encoded.debtor[money.account], encoded.debtor[spine.account]
    since = spine.as_of_us - BEFORE_DAYS * US_PER_DAY
    paid, discounted = (
        _count_before(debtor[some], money.at_us[some], of_row, spine.as_of_us)
        - _count_before(debtor[some], money.at_us[some], of_row, since)
        for some in (np.ones(len(full), dtype=np.bool_), ~full)
    )
    return np.where(discounted > 0, AFTER_DISCOUNT, np.where(paid > 0, IN_FULL, NOTHING)).astype(np.int64)


def _count_before(whose: npt.NDArray[np.int32], at_us: Int64s, of_row: npt.NDArray[np.int32], moment: Int64s) -> Int64s:
    """(n,) how many events of each row's debtor lie before its moment."""
    times = np.unique(at_us)
    width = len(times) + 1
    keys = np.sort(whose.astype(np.int64) * width + np.searchsorted(times, at_us))
    first = of_row.astype(np.int64) * width
    return np.searchsorted(keys, first + np.searchsorted(times, moment)) - np.searchsorted(keys, first)


def _shares(found: Decisions, catalogue: ActionCatalogue) -> Floats:
    """(n,) what a policy that draws a channel on which either could be offered, and then an offer, gives each action.

    One of the two compared policies offers one of the discounts, the other nothing; both draw the channel alike.
    """
    actions = catalogue.actions
    channels = np.array([[one.channel == name for name in catalogue.channels] for one in actions], dtype=np.float64)
    sides = [np.array([one.discount_pct > 0 for one in actions]),
             np.array([not one.is_wait and one.offer_kind == "none" for one in actions])]  # fmt: skip
    eligible = found.eligible.astype(np.float64)
    counts = [eligible @ (channels * side[:, None]) for side in sides]
    both = (counts[0] > 0) & (counts[1] > 0)
    share = np.zeros(len(found))
    for side, count in zip(sides, counts, strict=True):
        each = np.where(both, 1.0 / np.maximum(count * both.sum(axis=1, keepdims=True), 1.0), 0.0)
        stands_for = ((found.covers & side)[found.action] & found.eligible).astype(np.float64)
        share += np.einsum("nc,nc->n", stands_for @ channels, each)
    return share
