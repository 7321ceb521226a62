"""The funnel: sent, received, agreed, kept; learned gate by gate from all that contacts have ever shown.

The gates are where the actions differ, and each is seen far more often than a decision is logged. What they leave out
is stated in docs/model.md: a contact that is received and ends in no agreement is taken to bring nothing by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.candidates import candidate_names, rows_for
from decisioning.funnel import ROOF, FunnelModel
from decisioning.response import Head
from domain.errors import NotEnoughDataError
from features.schema import FeatureSchema
from training.boosting import Columns, Recipe
from training.config import TrainingConfig
from training.contact_log import ContactLog, Contacts, Moments
from training.learners.heads import FOLDS, Table, channel_columns, fit_binary, fit_rare, fit_share
from training.learners.learned import LearnedResponse
from training.response_log import ResponseLog
from training.splits import Split, debtor_folds, time_split
from training.windows import Bools

Floats = npt.NDArray[np.float64]

_MIN_CONTACTS, _MIN_AGREED = 1_000, 100
_MONOTONE = "action_discount_pct"


class FunnelLearner:
    """See the module; stateless."""

    def fit(
        self, log: ResponseLog, schema: FeatureSchema, config: TrainingConfig, *, contacts: ContactLog
    ) -> LearnedResponse:
        """Fit the seven heads.

        Raises
        ------
        NotEnoughDataError : too few contacts, agreements or decisions to learn the gates from
        """
        found = len(contacts.contacts), int(contacts.agreed.sum())
        if found[0] < _MIN_CONTACTS or found[1] < _MIN_AGREED:
            raise NotEnoughDataError(
                f"the funnel found {found[0]} contacts with {found[1]} agreements, needed {_MIN_CONTACTS} and "
                f"{_MIN_AGREED}; give contacts, responses and promises, or write `response: {{learner: hurdle}}`"
            )
        names = candidate_names(schema, (*log.actions, *contacts.contacts.actions))
        fitting = Fitting(schema, names, config)
        heads, summary = {}, {}
        for name, (head, told) in fitting.gates(contacts).items():
            heads[name], summary[name] = head, told
        for name, (head, told) in fitting.outcomes(log, contacts.heard).items():
            heads[name], summary[name] = head, told
        return LearnedResponse(FunnelModel(heads=heads, names=names, sent=contacts.sent), summary)


class Fitting:
    """What the heads share: the columns of account and action, and the configuration."""

    def __init__(self, schema: FeatureSchema, names: tuple[str, ...], config: TrainingConfig) -> None:
        self.schema, self.names, self.config = schema, names, config
        self.width = len(schema.names)
        self.columns = Columns((*schema.names, *names), schema.categorical)

    def gates(self, found: ContactLog) -> dict[str, tuple[Head, dict[str, Any]]]:
        """Receipt of every contact, agreement of those received, and what comes back with and without a deal."""
        binary = Recipe("binary", self.config.model)
        (received, was_received), (agreed, was_agreed) = self.gate_tables(found).values()
        return {
            "received": fit_binary(received, was_received, binary),
            "agreed": fit_rare(agreed, was_agreed, held(binary)),
            **self.shares(found),
        }

    def shares(self, found: ContactLog) -> dict[str, tuple[Head, dict[str, Any]]]:
        """What comes back with and without a deal."""
        shares = Recipe("cross_entropy", self.config.model)
        deals = self._undated(self._rows(found.deals), found.deals.moments)
        alone = Columns(self.schema.names, self.schema.categorical)
        quiet = replace(self._undated(found.quiet.values, found.quiet), columns=alone, channel=())
        return {
            "deal": fit_share(deals, found.deal_share / ROOF, shares.small(), unknown=1.0 / ROOF),
            "self": fit_share(quiet, found.quiet_share / ROOF, shares, unknown=0.0),
        }

    def gate_tables(self, found: ContactLog) -> dict[str, tuple[Table, Floats]]:
        """Rows and labels of the two gates: every contact, and those that were received."""
        rows, received = self._rows(found.contacts), found.received
        agreed = self._table(rows[received], found.contacts.moments.take(received))
        return {
            "received": (self._table(rows, found.contacts.moments), received.astype(np.float64)),
            "agreed": (self._rising(agreed), found.agreed[received].astype(np.float64)),
        }

    def outcomes(self, log: ResponseLog, heard: Bools) -> dict[str, tuple[Head, dict[str, Any]]]:
        """What follows a decision: a payment, where action features tell only of what was received; the rare costs."""
        rows = rows_for(log.values, self.schema, log.actions, log.action, names=self.names)
        moments = Moments(log.values, log.debtor, log.as_of_us)
        table = self._table(rows, moments, days=self.config.label.horizon_days)
        touched = rows.copy()
        touched[~heard, self.width :] = 0.0
        binary = Recipe("binary", self.config.model)
        return {
            "pay": fit_binary(replace(table, rows=touched), log.paid, binary),
            "complaint": fit_rare(table, log.complained, binary.small()),
            "opt_out": fit_rare(table, log.opted_out, binary.small()),
        }

    def _rows(self, contacts: Contacts) -> Floats:
        rows = rows_for(contacts.moments.values, self.schema, contacts.actions, contacts.action, names=self.names)
        rows[:, self.width + self.names.index("action_hour")] = contacts.hour
        return rows

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

    def _rising(self, table: Table) -> Table:
        """A larger discount never lowers the chance that the offer is taken."""
        directions = tuple(int(name == _MONOTONE) for name in self.columns.names)
        return replace(table, columns=replace(self.columns, directions=directions))


def held(recipe: Recipe) -> Recipe:
    """The recipe of a head whose declared directions hold, with leaves small enough for few agreements."""
    return replace(recipe, model=recipe.model.model_copy(update={"monotone": "basic"}), min_rows_per_leaf=50)
