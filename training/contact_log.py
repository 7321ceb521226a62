"""What contacts, deals and quiet months have to teach: the material of the funnel's gates, beyond logged decisions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from decisioning.config import Objective
from decisioning.funnel import OTHER_CHANNEL, ROOF
from domain.actions import Action, ActionCatalogue
from domain.clock import US_PER_DAY
from domain.zones import local_us
from features.batch import compute_many
from features.encoding import Encoded
from features.schema import FeatureSchema
from features.spine import Spine
from features.state import local_of
from training import labels, sampling
from training.config import TrainingConfig
from training.dataset import Horizon
from training.receipts import ANSWER_DAYS, Receipts, contact_receipts
from training.response_log import ResponseLog, contacted_actions
from training.sequences import Following, Sequences, sequences
from training.standing import standing_at
from training.survival import completed
from training.windows import Bools, Int64s

Floats = npt.NDArray[np.float64]

_MOST = (100_000, 40_000)
"""Contacts and deals that are learned from, drawn by hash where there are more."""
_MAX_QUIET = 80_000
_MONTH = 30
_US_PER_HOUR = 3_600_000_000
_SENT_PRIOR = (9.0, 10.0)
"""A channel with few decisions is carried out nine times in ten."""


@dataclass(frozen=True)
class Moments:
    """Accounts at moments of their own: ``values`` (n, k), ``debtor`` and ``as_of_us`` (n,)."""

    values: Floats
    debtor: npt.NDArray[np.int32]
    as_of_us: Int64s

    def __len__(self) -> int:
        return len(self.as_of_us)

    def take(self, rows: Int64s | Bools) -> Moments:
        """Some of its rows."""
        return Moments(self.values[rows], self.debtor[rows], self.as_of_us[rows])


@dataclass(frozen=True)
class Contacts:
    """Contacts of accounts that owed: ``action`` (n,) positions in ``actions``, ``hour`` (n,) of the debtor's day."""

    moments: Moments
    actions: tuple[Action, ...]
    action: Int64s
    hour: Floats

    def __len__(self) -> int:
        return len(self.action)

    def take(self, rows: Int64s | Bools) -> Contacts:
        """Some of its rows."""
        return Contacts(self.moments.take(rows), self.actions, self.action[rows], self.hour[rows])


@dataclass(frozen=True)
class Annoyance:
    """Every contact there was, (m,): whose, on which of ``channels``, and whether a complaint or opt-out followed."""

    channels: tuple[str, ...]
    channel: Int64s
    debtor: npt.NDArray[np.int32]
    complained: Bools
    opted_out: Bools

    def by_channel(self, annoyed: Bools) -> dict[str, tuple[int, int]]:
        """Contacts of each channel, and how many of them ``annoyed`` (m,)."""
        made, so_many = (
            np.bincount(of, minlength=len(self.channels)).tolist() for of in (self.channel, self.channel[annoyed])
        )
        return dict(zip(self.channels, zip(made, so_many, strict=True), strict=True))

    def of(self, mine: Bools) -> Annoyance:
        """What belongs to some debtors, ``mine`` by debtor."""
        rows = mine[self.debtor]
        return Annoyance(
            self.channels, self.channel[rows], self.debtor[rows], self.complained[rows], self.opted_out[rows]
        )


@dataclass(frozen=True)
class ContactLog:
    """The material of the funnel.

    ``contacts`` with ``received``, ``agreed``, ``complained`` and ``opted_out`` (n,); ``deals``, contacts that ended in
    an agreement, with ``deal_share`` (d,) of the balance that came back within the value horizon, seen or completed;
    ``quiet``, regular moments of all accounts, with ``quiet_share``; ``annoyance``, what contacts cost in goodwill. Of
    the rows of the response log, ``heard`` (l,) whether the decision was received; ``sent``, the share of decisions
    carried out by channel. ``counts`` tells how much there was. ``sequences`` are those after quiet moments and deals,
    where the learner asks for them.
    """

    contacts: Contacts
    received: Bools
    agreed: Bools
    complained: Bools
    opted_out: Bools
    deals: Contacts
    deal_share: Floats
    quiet: Moments
    quiet_share: Floats
    annoyance: Annoyance
    heard: Bools
    sent: dict[str, float]
    counts: dict[str, int]
    sequences: Sequences | None = None

    def of(self, mine: Bools, log_rows: Int64s) -> ContactLog:
        """What belongs to some debtors, ``mine`` by debtor, without sequences; ``log_rows`` are theirs in the log."""
        contacts, deals, quiet = (
            np.flatnonzero(mine[moments.debtor]) for moments in (self.contacts.moments, self.deals.moments, self.quiet)
        )
        return replace(
            self,
            contacts=self.contacts.take(contacts),
            received=self.received[contacts],
            agreed=self.agreed[contacts],
            complained=self.complained[contacts],
            opted_out=self.opted_out[contacts],
            deals=self.deals.take(deals),
            deal_share=self.deal_share[deals],
            quiet=self.quiet.take(quiet),
            quiet_share=self.quiet_share[quiet],
            annoyance=self.annoyance.of(mine),
            heard=self.heard[log_rows],
            sequences=None,
        )


@dataclass(frozen=True)
class Money:
    """Receipts of money, how long it counts, at which rate it is discounted to the decision, and what contacts cost."""

    receipts: labels.Receipts
    horizon: Horizon
    value_days: int
    monthly_rate: float
    objective: Objective = field(default_factory=Objective)


def contact_log(
    encoded: Encoded,
    schema: FeatureSchema,
    config: TrainingConfig,
    *,
    catalogue: ActionCatalogue,
    money: Money,
    log: ResponseLog,
) -> ContactLog:
    """Everything that contacts and quiet months teach; parts of it may be empty."""
    receipts = contact_receipts(encoded, log.row)
    drawn, fruitful = _drawn(encoded, receipts, money, seed=config.model.seed)
    contacts, kept = _contacts(encoded, schema, catalogue, receipts, drawn)
    deals, signed = _contacts(encoded, schema, catalogue, receipts, fruitful)
    plan = np.array([action.instalments for action in deals.actions], dtype=np.int64)
    signed_at = Spine(receipts.account[signed], receipts.at_us[signed])
    quiet = _quiet(encoded, config, money)
    heard, sent = _decisions(receipts, log)
    follow = Following(encoded, schema, catalogue, money.horizon, money.objective, seed=config.model.seed)
    return ContactLog(
        contacts=contacts,
        received=receipts.received[kept],
        agreed=receipts.agreed[kept],
        complained=receipts.complained[kept],
        opted_out=receipts.opted_out[kept],
        deals=deals,
        deal_share=shares_returned(encoded, signed_at, money, plan[deals.action] if len(plan) else deals.action),
        quiet=_moments(encoded, schema, quiet),
        quiet_share=shares_returned(encoded, quiet, money, np.zeros(len(quiet), dtype=np.int64)),
        annoyance=_annoyance(encoded, receipts, money),
        heard=heard,
        sent=sent,
        counts=_counts(receipts),
        sequences=sequences(follow, receipts, quiet=quiet, deals=signed_at) if config.response.looks_ahead else None,
    )


def _annoyance(encoded: Encoded, receipts: Receipts, money: Money) -> Annoyance:
    """Of every contact that is old enough to have been answered."""
    channel = encoded.tables.text("contacts", "channel")
    channels = tuple(sorted(channel.values))
    code = channel.recode({name: place for place, name in enumerate(channels)})[receipts.row].astype(np.int64)
    rows = (code >= 0) & (receipts.at_us + ANSWER_DAYS * US_PER_DAY <= money.horizon.end_us)
    return Annoyance(
        channels=channels,
        channel=code[rows],
        debtor=encoded.debtor[receipts.account[rows]],
        complained=receipts.complained[rows],
        opted_out=receipts.opted_out[rows],
    )


def _counts(receipts: Receipts) -> dict[str, int]:
    flags = {"received": receipts.received, "agreed": receipts.agreed, "of_logged_decisions": receipts.decision >= 0}
    return {"contacts": len(receipts), **{name: int(flag.sum()) for name, flag in flags.items()}}


def _drawn(encoded: Encoded, receipts: Receipts, money: Money, *, seed: int) -> tuple[Int64s, Int64s]:
    """Places of the contacts that the gates learn from, and of the deals that could be followed for a month."""
    known = receipts.at_us + ANSWER_DAYS * US_PER_DAY <= money.horizon.end_us
    rows = np.flatnonzero(known & standing_at(encoded, Spine(receipts.account, receipts.at_us)).owes)
    fruitful = rows[receipts.agreed[rows] & _followed(money, receipts.at_us[rows])]
    spines = [Spine(receipts.account[some], receipts.at_us[some]) for some in (rows, fruitful)]
    places = [sampling.at_most(spine, most, seed=seed) for spine, most in zip(spines, _MOST, strict=True)]
    return rows[places[0]], fruitful[places[1]]


def _followed(money: Money, at_us: Int64s) -> Bools:
    """Whether a row could be followed for a month at least."""
    return money.horizon.mature(at_us, _MONTH)


def _contacts(
    encoded: Encoded, schema: FeatureSchema, catalogue: ActionCatalogue, receipts: Receipts, chosen: Int64s
) -> tuple[Contacts, Int64s]:
    """Contacts whose channel and offer are still configured, and their places among the receipts."""
    actions, action = contacted_actions(encoded, receipts.row[chosen], catalogue)
    kept = chosen[action >= 0]
    spine = Spine(receipts.account[kept], receipts.at_us[kept])
    wall = local_us(spine.as_of_us, local_of(encoded, spine).zone, encoded.zone_names)
    hour = (wall % US_PER_DAY) / _US_PER_HOUR
    return Contacts(_moments(encoded, schema, spine), actions, action[action >= 0], hour), kept


def _quiet(encoded: Encoded, config: TrainingConfig, money: Money) -> Spine:
    """Moments at which what comes back by itself is looked at: regular ones, and as many at which it was decided.

    Regular ones reach back as far as the history does; decided ones are like those at which the model is asked.
    """
    regular = sampling.periodic(encoded, config.sampling, end_us=money.horizon.end_us, seed=config.model.seed)
    found = []
    for spine in (regular, sampling.decided(encoded)[0]):
        followed = spine.take(_followed(money, spine.as_of_us))
        owing = followed.take(standing_at(encoded, followed).owes)
        found.append(owing.take(sampling.at_most(owing, _MAX_QUIET // 2, seed=config.model.seed)))
    account, as_of_us = (np.concatenate([getattr(spine, name) for spine in found]) for name in ("account", "as_of_us"))
    return Spine(account, as_of_us)


def _moments(encoded: Encoded, schema: FeatureSchema, spine: Spine) -> Moments:
    return Moments(compute_many(encoded, spine, schema), encoded.debtor[spine.account], spine.as_of_us)


def shares_returned(encoded: Encoded, spine: Spine, money: Money, group: Int64s) -> Floats:
    """(n,) share of the balance that comes back within the value horizon as present value, 0 … ``ROOF``."""
    if not len(spine):
        return np.zeros(0)
    balance = standing_at(encoded, spine).balance_cents
    ends = [min(_MONTH * (month + 1), money.value_days) for month in range(-(-money.value_days // _MONTH))]
    total = np.stack(
        [
            labels.present_value_cents(money.receipts, spine, horizon_days=days, monthly_rate=money.monthly_rate)
            for days in ends
        ],
        axis=1,
    )
    observed = np.sum([money.horizon.mature(spine.as_of_us, days) for days in ends], axis=0)
    share = np.clip(total / np.maximum(balance, 1)[:, None], 0.0, ROOF)
    monthly = np.diff(share, axis=1, prepend=0.0)
    return np.clip(completed(monthly, observed, group), 0.0, ROOF)


def _decisions(receipts: Receipts, log: ResponseLog) -> tuple[Bools, dict[str, float]]:
    """Which decisions of the log were received, and which share is carried out, by channel and of all."""
    carried, heard = np.isin(log.row, receipts.decision), np.isin(log.row, receipts.decision[receipts.received])
    channel = np.array([action.channel for action in log.actions])[log.action] if len(log) else np.zeros(0, dtype=str)
    contact = np.array([not action.is_wait for action in log.actions])[log.action] if len(log) else carried
    named = {name: contact & (channel == name) for name in sorted({a.channel for a in log.actions if not a.is_wait})}
    rates = {name: _rate(carried[rows]) for name, rows in {**named, OTHER_CHANNEL: contact}.items()}
    return heard & contact, rates


def _rate(carried: Bools) -> float:
    return float((carried.sum() + _SENT_PRIOR[0]) / (len(carried) + _SENT_PRIOR[1]))
