"""The funnel: sent, received, agreed, kept; learned gate by gate from all that contacts have ever shown.

The gates are where the actions differ, and each is seen far more often than a decision is logged. What they leave out
is stated in docs/model.md: a contact that is received and ends in no agreement is taken to bring nothing by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.special import logit

from decisioning.candidates import PART_SURPLUS, candidate_names, rows_for
from decisioning.funnel import ROOF, SURE, FunnelModel
from decisioning.response import AnyHead, Head
from domain.errors import NotEnoughDataError
from features.schema import FeatureSchema
from training.boosting import Columns, Recipe
from training.config import TrainingConfig
from training.contact_log import ContactLog, Contacts, Moments
from training.learners.heads import FOLDS, Table, channel_columns, fit_binary, fit_rare, fit_share
from training.learners.learned import LearnedResponse
from training.learners.lift import apart, fit_lift
from training.learners.offsets import with_offsets
from training.response_log import ResponseLog
from training.splits import Split, debtor_folds, time_split
from training.windows import Bools

Floats = npt.NDArray[np.float64]

_MIN_CONTACTS, _MIN_AGREED = 1_000, 100
_RISING = {"received": PART_SURPLUS, "agreed": "action_discount_pct"}
"""What never lowers a gate: a part of the day in which the account is received more often; a larger discount."""

_OF_THE_HOUR = ("action_hour", PART_SURPLUS)
"""When a contact is made: what decides whether it is received, and is taken to decide nothing that comes after."""


class FunnelLearner:
    """See the module; stateless."""

    def fit(
        self, log: ResponseLog, schema: FeatureSchema, config: TrainingConfig, *, contacts: ContactLog
    ) -> LearnedResponse:
        """Fit the seven heads, with offsets by offer where offers differ most.

        Raises
        ------
        NotEnoughDataError : too few contacts, agreements or decisions to learn the gates from
        """
        return corrected(self.plain(log, schema, config, contacts=contacts), contacts, schema)

    def plain(
        self, log: ResponseLog, schema: FeatureSchema, config: TrainingConfig, *, contacts: ContactLog
    ) -> LearnedResponse:
        """The same without offsets on ``agreed``, which may yet be blended; raises as :meth:`fit`."""
        found = len(contacts.contacts), int(contacts.agreed.sum())
        if found[0] < _MIN_CONTACTS or found[1] < _MIN_AGREED:
            raise NotEnoughDataError(
                f"the funnel found {found[0]} contacts with {found[1]} agreements, needed {_MIN_CONTACTS} and "
                f"{_MIN_AGREED}; give contacts, responses and promises, or write `response: {{learner: hurdle}}`"
            )
        if not len(contacts.deals):
            raise NotEnoughDataError(
                "the funnel found no agreement that was followed for a month, and so nothing of what one brings; give "
                "data that go on for longer, or write `response: {learner: hurdle}`"
            )
        names = candidate_names(schema, (*log.actions, *contacts.contacts.actions))
        fitting = Fitting(schema, names, config)
        heads: dict[str, AnyHead] = {}
        summary: dict[str, Any] = {}
        for name, (head, told) in fitting.gates(contacts).items():
            heads[name], summary[name] = head, told
        heads["pay"], summary["pay"] = fitting.payment(log, contacts.heard)
        for name, (head, told) in fitting.annoyances(contacts).items():
            heads[name], summary[name] = head, told
        return LearnedResponse(FunnelModel(heads=heads, names=names, sent=contacts.sent), summary)


def corrected(found: LearnedResponse, contacts: ContactLog, schema: FeatureSchema) -> LearnedResponse:
    """The funnel with offsets by offer on what is agreed to."""
    model = found.model
    assert isinstance(model, FunnelModel)
    heard, agreed = contacts.contacts.take(contacts.received), contacts.agreed[contacts.received].astype(np.float64)
    head, offsets = with_offsets(model.heads["agreed"], heard, agreed, schema=schema, names=model.names)
    summary = {**found.summary, "agreed": {**found.summary["agreed"], "offsets": offsets}}
    return LearnedResponse(replace(model, heads={**model.heads, "agreed": head}), summary)


class Fitting:
    """What the heads share: the columns of account and action, and the configuration."""

    def __init__(self, schema: FeatureSchema, names: tuple[str, ...], config: TrainingConfig) -> None:
        self.schema, self.names, self.config = schema, names, config
        self.width = len(schema.names)
        self.columns = Columns((*schema.names, *names), schema.categorical)

    def gates(self, found: ContactLog) -> dict[str, tuple[AnyHead, dict[str, Any]]]:
        """Receipt of every contact, agreement of those received, and what comes back with and without a deal."""
        recipe = gate_recipes(self.config)
        (received, was_received), (agreed, was_agreed) = self.gate_tables(found).values()
        return {
            "received": fit_binary(received, was_received, recipe["received"]),
            "agreed": fit_rare(agreed, was_agreed, recipe["agreed"]),
            **self.money(found),
        }

    def money(self, found: ContactLog) -> dict[str, tuple[AnyHead, dict[str, Any]]]:
        """What comes back by itself, and what a deal adds to it."""
        shares, alone = Recipe("cross_entropy", self.config.model), Columns(self.schema.names, self.schema.categorical)
        quiet = replace(self._undated(found.quiet.values, found.quiet), columns=alone, channel=())
        share, brought = found.quiet_share / ROOF, found.deal_share / ROOF
        itself, told = fit_share(quiet, share, shares, unknown=0.0)
        deals = self._undated(self._at_no_hour(self._rows(found.deals)), found.deals.moments)
        without = np.full(len(brought), logit(np.clip(itself.constant or 0.0, SURE, 1.0 - SURE)))
        if itself.booster is not None:
            rounds = itself.booster.current_iteration()
            without = apart(quiet, share, found.deals.moments, recipe=shares, rounds=rounds)
        lift, gained = fit_lift(deals, brought, shares.small(), alone=without)
        added, offsets = with_offsets(lift, found.deals, brought, schema=self.schema, names=self.names, beside=without)
        return {"self": (itself, told), "deal": (added, {**gained, "offsets": offsets})}

    def gate_tables(self, found: ContactLog) -> dict[str, tuple[Table, Floats]]:
        """Rows and labels of the two gates: every contact, and those that were received."""
        rows, received = self._rows(found.contacts), found.received
        agreed = self._table(self._at_no_hour(rows[received]), found.contacts.moments.take(received))
        return {
            "received": (
                self._rising(self._table(rows, found.contacts.moments), "received"),
                received.astype(np.float64),
            ),
            "agreed": (self._rising(agreed, "agreed"), found.agreed[received].astype(np.float64)),
        }

    def payment(self, log: ResponseLog, heard: Bools) -> tuple[Head, dict[str, Any]]:
        """A payment after a decision, where action features tell only of what was received."""
        rows = rows_for(log.values, self.schema, log.actions, log.action, names=self.names)
        moments = Moments(log.values, log.debtor, log.as_of_us)
        touched = self._at_no_hour(rows)
        touched[~heard, self.width :] = 0.0
        table = self._table(touched, moments, days=self.config.label.horizon_days)
        return fit_binary(table, log.paid, Recipe("binary", self.config.model))

    def annoyances(self, found: ContactLog) -> dict[str, tuple[Head, dict[str, Any]]]:
        """What a contact costs in goodwill: of the contact itself, whatever others there were in the same weeks."""
        table = self._table(self._rows(found.contacts), found.contacts.moments)
        small, every = Recipe("binary", self.config.model).small(), found.annoyance
        channels = self._channels(every.channels)[every.channel]
        labels = {
            "complaint": (found.complained, every.complained),
            "opt_out": (found.opted_out, every.opted_out),
        }
        fitted = {}
        for name, (drawn, all_of_them) in labels.items():
            wider = channels, all_of_them.astype(np.float64)
            head, told = fit_rare(table, drawn.astype(np.float64), small, wider=wider)
            fitted[name] = head, {**told, "by_channel": every.by_channel(all_of_them)}
        return fitted

    def _channels(self, channels: tuple[str, ...]) -> csr_matrix:
        """(channels, width of a row) with the columns that tell a channel; of one that has none, a contact alone."""
        rows = np.zeros((len(channels), len(self.columns.names)))
        rows[:, self.width + self.names.index("action_contact")] = 1.0
        for place, channel in enumerate(channels):
            if (name := f"action_channel_{channel}") in self.names:
                rows[place, self.width + self.names.index(name)] = 1.0
        return csr_matrix(rows)

    def _rows(self, contacts: Contacts) -> Floats:
        return rows_for(
            contacts.moments.values, self.schema, contacts.actions, contacts.action, names=self.names,
            hours=contacts.hour,
        )  # fmt: skip

    def _at_no_hour(self, rows: Floats) -> Floats:
        """The same rows with the hour blank, so that nothing can split by it.

        Of a few thousand agreements a booster finds hours that seem to bring more of them; that noise is as large as
        what the debtor's own part of the day does to receipt, and picked the wrong one as often as the right one.
        """
        timeless = rows.copy()
        timeless[:, [self.width + self.names.index(name) for name in _OF_THE_HOUR if name in self.names]] = 0.0
        return timeless

    def _table(self, rows: Floats, moments: Moments, *, days: int = 7) -> Table:
        everything = np.ones(len(moments), dtype=np.bool_)
        split = time_split(moments.as_of_us, everything, ~everything, horizon_days=days, config=self.config.splits)
        return replace(self._undated(rows, moments), split=split)

    def _undated(self, rows: Floats, moments: Moments) -> Table:
        """Without a split by time: shares are split by debtor, and a few hundred deals have no rows for another."""
        fold = debtor_folds(moments.debtor, folds=FOLDS, seed=self.config.model.seed)
        nothing = np.zeros(0, dtype=np.int64)
        split = Split(nothing, nothing, nothing, valid_from_us=0, test_from_us=0, dropped=0)
        return Table(rows, self.columns, channel_columns(self.names, self.width), fold, moments.debtor, split)

    def _rising(self, table: Table, gate: str) -> Table:
        """The table with the direction in which a gate may be moved by one of its columns."""
        directions = tuple(int(name == _RISING[gate]) for name in self.columns.names)
        return replace(table, columns=replace(self.columns, directions=directions))


def gate_recipes(config: TrainingConfig) -> dict[str, Recipe]:
    """How receipt and agreement are grown: the directions of their tables hold, whatever the payment model's do.

    The leaves of agreement are small enough for few agreements.
    """
    held = Recipe("binary", config.model.model_copy(update={"monotone": "basic"}))
    return {"received": held, "agreed": replace(held, leaf_scale=0.5)}
