"""What an operator can read off his log: the value of every action on other accounts' logged decisions, by a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cli import tables as tables_io
from decisioning.engine import Desk
from features.batch import compute_many
from features.encoding import encode
from features.schema import fit_schema
from simulation.tuned import Judged
from training.config import load_training_config
from training.dataset import Horizon
from training.facts import end_of_data
from training.ope.decisions import usable
from training.ope.grid_outcome import cross_fitted_grid
from training.ope.outcome import folds_of
from training.ope.rewards import Terms, rewards
from training.standing import standing_at


def judged_by_log(data: Path, desk: Desk, *, configs: Path, days: int) -> Judged:
    """The logged decisions of a directory, each action judged by a cross-fitted model of their rewards.

    By a model and not by the mean reward of each action: of a hundred means of a few rewards the best is the luckiest.
    The worth of an action that was not eligible is 0 and not read.

    Parameters
    ----------
    days : over how many days money counts

    Raises
    ------
    NotEnoughDataError : no decision of the log is that old
    """
    config, tables = load_training_config(configs / "training.yaml"), tables_io.read(data, configs=configs)
    encoded = encode(tables, attributes=tables_io.attributes_of(configs))
    horizon = Horizon(end_of_data(tables, until_us=None), config.posting_lag_days)
    log = usable(encoded, desk.catalogue, horizon, days=days, from_us=None, seed=config.model.seed)
    terms = Terms(days, min(days, config.label.horizon_days), desk.config.objective)
    reward = rewards(encoded, log.spine, log.actions, log.action, rows=log.rows, terms=terms)
    schema = fit_schema(encoded, attributes=encoded.attributes)
    fold = folds_of(encoded.debtor[log.spine.account].astype(np.int64), seed=config.model.seed)
    outcome = cross_fitted_grid(
        log, compute_many(encoded, log.spine, schema), reward, fold, schema=schema, catalogue=desk.catalogue,
        wanted=log.eligible, model=config.model,
    )  # fmt: skip
    standing = standing_at(encoded, log.spine)
    return Judged(standing.days_past_due, standing.overdue_cents, log.eligible, np.where(log.eligible, outcome.q, 0.0))
