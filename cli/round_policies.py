"""The policies of the closed loop that learn: a model trained on the log decides, with or without exploration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cli import tables as tables_io
from decisioning.arms import Arms
from decisioning.config import Exploration
from decisioning.engine import Desk, decide, desk
from features.encoding import encode
from simulation.choices import Choice
from training import pipeline, registry

if TYPE_CHECKING:
    from decisioning.bundle import ModelBundle
    from domain.decisions import Decision
    from simulation.rounds import Due

Retrain = Callable[["Due"], "ModelBundle | None"]


@dataclass
class ModelPolicy:
    """``decisioning.engine.decide`` on the tables of each round, by the bundle that is in force then.

    ``retrain`` gives a new bundle in the rounds in which there is one; ``versions`` says which was used since when.
    """

    bundle: ModelBundle
    desk: Desk
    configs: Path
    retrain: Retrain = lambda _due: None
    versions: dict[int, str] = field(default_factory=dict)

    def __call__(self, due: Due) -> Choice:
        """Decide on the accounts that are due, from what the directory holds."""
        self.bundle = self.retrain(due) or self.bundle
        if self.bundle.model_hash not in self.versions.values():
            self.versions[due.number] = self.bundle.model_hash
        encoded = encode(tables_io.read(due.data, configs=self.configs), attributes=self.bundle.schema.attributes)
        places = np.array([encoded.index[name] for name in due.account_ids], dtype=np.int64)
        found = decide(
            encoded, as_of=due.moment, bundle=self.bundle, desk=self.desk, accounts=places, explain="none",
            log_probs=True,
        )  # fmt: skip
        return _choice(found, self.desk, version=f"{self.desk.policy_version}/{self.bundle.model_hash[:8]}")


def without_holdout(base: Desk, *, explores: bool) -> Desk:
    """The desk with nobody held out, so that policies differ in what they choose alone; greedy unless it explores."""
    exploration = base.config.exploration if explores else Exploration(share=0.0)
    config = base.config.model_copy(update={"arms": Arms(holdout=0.0), "exploration": exploration})
    return desk(base.catalogue, config, base.contact_policy)


def train(data: Path, *, configs: Path, until: datetime, name: str, mlruns: Path) -> ModelBundle:
    """A bundle from what a directory holds before a moment, in a registry beside the run."""
    tables = tables_io.read(data, configs=configs)
    tracking = registry.Tracking(root=mlruns)
    return pipeline.train(tables, configs=configs, until=until, name=name, tracking=tracking).bundle


def every(rounds: int, *, configs: Path, name: str, mlruns: Path) -> Retrain:
    """Train anew after so many rounds, on the run's own tables: the history, and what its own decisions brought."""

    def retrain(due: Due) -> ModelBundle | None:
        if due.number == 1 or (due.number - 1) % rounds:
            return None
        return train(due.data, configs=configs, until=due.moment, name=f"{name}-{due.number}", mlruns=mlruns)

    return retrain


def _choice(decisions: list[Decision], base: Desk, *, version: str) -> Choice:
    index = base.catalogue.index
    shape = len(decisions), len(index)
    probabilities, eligible = np.zeros(shape), np.ones(shape, dtype=np.bool_)
    for row, decision in enumerate(decisions):
        for name, probability in decision.action_probs.items():
            probabilities[row, index[name]] = probability
        eligible[row, [index[refusal.action] for refusal in decision.refusals]] = False
    action = np.array([index[decision.action] for decision in decisions], dtype=np.int64)
    arms = tuple(decision.arm for decision in decisions)
    return Choice(action, probabilities, eligible, arms, version)
