"""The plain hurdle: P(pay | x, action), the share payers bring, what the others bring later; complaint and opt-out.

Rows count equally, whatever the probability of their action: with about a hundred actions and little exploration,
weighting by its inverse brought nothing reliable, and cost variance (docs/adr/0004).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from decisioning.candidates import candidate_names, rows_for
from decisioning.response import HurdleModel
from features.schema import FeatureSchema
from training.boosting import Columns, Recipe
from training.config import TrainingConfig
from training.contact_log import ContactLog
from training.learners.heads import FOLDS, Table, channel_columns, fit_binary, fit_rare, fit_share
from training.learners.learned import LearnedResponse
from training.response_log import ResponseLog
from training.splits import debtor_folds, time_split

Floats = npt.NDArray[np.float64]


class HurdleLearner:
    """See the module; stateless."""

    def fit(
        self,
        log: ResponseLog,
        schema: FeatureSchema,
        config: TrainingConfig,
        *,
        contacts: ContactLog | None = None,  # noqa: ARG002
    ) -> LearnedResponse:
        """Fit the five heads; what contacts showed is not looked at.

        Raises
        ------
        NotEnoughDataError : the log has too few rows on either side of the time split
        """
        names = candidate_names(schema, log.actions)
        table = _table(log, schema, names, config)
        heads, summary = {}, {}
        heads["pay"], summary["pay"] = fit_binary(table, log.paid, Recipe("binary", config.model))
        shares = Recipe("cross_entropy", config.model)
        heads["share"], summary["share"] = fit_share(table, log.share, shares, unknown=1.0)
        accounts = _accounts_only(table, width=len(schema.names))
        heads["late"], summary["late"] = fit_share(accounts, log.late, shares.small(), unknown=0.0)
        for name, label in (("complaint", log.complained), ("opt_out", log.opted_out)):
            heads[name], summary[name] = fit_rare(table, label, Recipe("binary", config.model).small())
        return LearnedResponse(HurdleModel(heads=heads, names=names), summary)


def _table(log: ResponseLog, schema: FeatureSchema, names: tuple[str, ...], config: TrainingConfig) -> Table:
    everything = np.ones(len(log), dtype=np.bool_)
    split = time_split(
        log.as_of_us, everything, ~everything, horizon_days=config.label.horizon_days, config=config.splits
    )
    width = len(schema.names)
    return Table(
        rows=rows_for(log.values, schema, log.actions, log.action, names=names),
        columns=Columns((*schema.names, *names), schema.categorical),
        channel=channel_columns(names, width),
        fold=debtor_folds(log.debtor, folds=FOLDS, seed=config.model.seed),
        debtor=log.debtor,
        split=split,
    )  # fmt: skip


def _accounts_only(table: Table, *, width: int) -> Table:
    """The same rows without what the action was; trees grown on them answer alike for every action.

    Notes
    -----
    Late money is learned like this. Who does not pay after a good action is a worse payer than who does not pay after a
    poor one, and action features take that selection for an effect of the action. They also told nothing more: on
    debtors left out their log-loss was lower by less than two standard errors (docs/adr/0005).
    """
    columns = Columns(table.columns.names[:width], table.columns.categorical)
    return replace(table, rows=table.rows[:, :width], columns=columns, channel=())
