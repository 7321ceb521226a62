"""Simulated worlds, what their logs teach, and the truth about them that no log shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from decisioning.response import ResponseModel
from decisioning.valuation import amount_due_cents, amounts, worth
from domain.actions import Action
from domain.clock import to_us
from domain.tables import Tables
from features.batch import compute_many
from features.encoding import Encoded, encode
from features.schema import FeatureSchema, fit_schema
from features.spine import Spine
from features.state import AccountStates, account_states
from features.tables import read_tables
from simulation import assumptions
from simulation.world import simulate
from training import labels
from training.config import ModelConfig, TrainingConfig
from training.contact_log import ContactLog, Money, contact_log
from training.dataset import Horizon
from training.learners.funnel import FunnelLearner
from training.learners.learned import LearnedResponse
from training.response_log import ResponseLog, response_log
from training.runs.configs import Configs

CONFIGS = Configs.load(Path("configs"))


@dataclass(frozen=True)
class Material:
    """What a log teaches a learner; ``money`` as the labels count it."""

    encoded: Encoded
    schema: FeatureSchema
    config: TrainingConfig
    money: labels.Receipts
    log: ResponseLog
    contacts: ContactLog


@dataclass(frozen=True)
class Judged:
    """Accounts that owe at the end of a simulated world, and what every action is truly worth to each of them."""

    material: Material
    folder: Path

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """Those that may be taken; waiting first."""
        return tuple(action for action in CONFIGS.catalogue.actions if not action.gated)

    @cached_property
    def truth(self) -> pd.DataFrame:
        """(n, A) true net value, by account and action."""
        long = pd.read_parquet(self.folder / "truth/values.parquet")
        wide = long.pivot(index="account_id", columns="action", values="expected_net_value")
        return wide[[action.name for action in self.actions]]

    @cached_property
    def spine(self) -> Spine:
        place = {name: number for number, name in enumerate(self.material.encoded.account_ids)}
        account = np.array([place[name] for name in self.truth.index], dtype=np.int32)
        return Spine(account, np.full(len(account), to_us(assumptions.END)))

    @cached_property
    def states(self) -> AccountStates:
        return account_states(self.material.encoded, self.spine, channels=CONFIGS.catalogue.channels)

    @cached_property
    def debtor(self) -> np.ndarray:
        return self.material.encoded.debtor[self.spine.account]

    @cached_property
    def in_arrears(self) -> np.ndarray:
        return np.asarray(self.states.overdue_cents) > 0

    def predicted(self, model: ResponseModel) -> np.ndarray:
        """(n, A) what a model expects every action to be worth, in the unit of the truth."""
        values = compute_many(self.material.encoded, self.spine, self.material.schema)
        asked = amounts(amount_due_cents(self.states), self.actions, balance_cents=self.states.balance_cents)
        outcomes = model.outcomes(values, self.material.schema, self.actions)
        return worth(outcomes, asked, self.actions, CONFIGS.decision.objective).net_cents / 100.0

    def gained(self, model: ResponseModel) -> np.ndarray:
        """(n,) true value of the action that a model ranks first."""
        chosen = self.predicted(model).argmax(axis=1)
        return self.truth.to_numpy()[np.arange(len(chosen)), chosen]

    def own_moment(self, model: ResponseModel) -> np.ndarray:
        """(n, channels) whether contacting without an offer is ranked best in the debtor's own part of the day."""
        values = compute_many(self.material.encoded, self.spine, self.material.schema)
        reached = np.asarray(model.outcomes(values, self.material.schema, self.actions).p_reached)
        moments = list(CONFIGS.catalogue.config.moments)
        accounts = pd.read_parquet(self.folder / "truth/accounts.parquet").set_index("account_id")
        own = accounts.loc[self.truth.index, "moment"].to_numpy()
        names = [action.name for action in self.actions]
        channels = ("sms", "email", "whatsapp", "voice_bot", "agent_call")
        asked = np.array([[names.index(f"{channel}/none/{moment}") for moment in moments] for channel in channels])
        return np.asarray(reached[:, asked].argmax(axis=2) == own[:, None])

    def laddered(self) -> np.ndarray:
        """(n,) true value of what the fixed ladder does."""
        accounts = pd.read_parquet(self.folder / "truth/accounts.parquet").set_index("account_id")
        chosen = self.truth.columns.get_indexer(accounts.loc[self.truth.index, "ladder_action"])
        return self.truth.to_numpy()[np.arange(len(chosen)), chosen]


def learn_from(tables: Tables, config: TrainingConfig) -> Material:
    """Everything that training reads off a data set before it fits a response model."""
    encoded = encode(tables, attributes=CONFIGS.features.attributes)
    schema = fit_schema(encoded, attributes=CONFIGS.features.attributes)
    days, rate = CONFIGS.decision.value_horizon_days, CONFIGS.decision.objective.monthly_discount_rate
    money, horizon = labels.receipts(encoded), Horizon(to_us(assumptions.END), config.posting_lag_days)
    log = response_log(
        encoded, schema, config, catalogue=CONFIGS.catalogue, money=money, horizon=horizon, value_days=days
    )
    worth_of = Money(money, horizon, days, rate)
    contacts = contact_log(encoded, schema, config, catalogue=CONFIGS.catalogue, money=worth_of, log=log)
    return Material(encoded, schema, config, money, log, contacts)


def _config(rounds: int) -> TrainingConfig:
    return TrainingConfig(model=ModelConfig(threads=1, max_rounds=rounds, max_leaves=15, max_depth=4))


def _tables(folder: Path, accounts: int, seed: int) -> Tables:
    simulate(accounts=accounts, seed=seed, out=folder, catalogue=CONFIGS.catalogue)
    return read_tables(folder, attributes=CONFIGS.features.attributes)


@pytest.fixture(scope="session")
def small_tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return _tables(tmp_path_factory.mktemp("small"), 300, 7)


@pytest.fixture(scope="session")
def small(small_tables: Tables) -> Material:
    return learn_from(small_tables, _config(8))


@pytest.fixture(scope="session")
def small_again(small_tables: Tables) -> Material:
    """The same world with the rows of every table in another order."""
    rng = np.random.default_rng(1)
    columns = {}
    for name, table in small_tables.columns.items():
        order = rng.permutation(small_tables.rows(name))
        columns[name] = {c: v[order] if isinstance(v, np.ndarray) else v.take(order) for c, v in table.items()}
    return learn_from(Tables(columns), _config(8))


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    folder = tmp_path_factory.mktemp("judged")
    return Judged(learn_from(_tables(folder, 1_500, 3), _config(60)), folder)


@pytest.fixture(scope="session")
def judged_funnel(judged: Judged) -> LearnedResponse:
    """The funnel that the log of the larger world teaches."""
    found = judged.material
    return FunnelLearner().fit(found.log, found.schema, found.config, contacts=found.contacts)
