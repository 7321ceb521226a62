"""What the benchmark of policies is judged on: accounts at the end of a simulated world, and the truth about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from decisioning.candidates import candidate_names, grid
from decisioning.desk import Desk, load_desk
from decisioning.eligibility import Page, eligibility
from decisioning.moments import LocalDays
from decisioning.valuation import amount_due_cents, amounts
from domain.actions import Action
from domain.clock import to_us
from features.batch import compute_many
from features.encoding import Encoded, encode
from features.schema import FeatureSchema, fit_schema
from features.spine import Spine
from features.state import account_states
from features.tables import read_tables
from simulation.judge import end_of

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ORACLE = {
    "objective": "regression", "num_leaves": 63, "learning_rate": 0.1, "min_data_in_leaf": 200, "feature_fraction": 0.5,
    "max_bin": 127, "num_threads": 1, "verbosity": -1, "seed": 0,
}  # fmt: skip
_ROUNDS, _PAIRS = 300, 0.5
_SMALLEST_DUE = 50.0
"""The effect is fitted as a share of what is due, of at least this much, so that no tiny debt has a huge share."""


@dataclass(frozen=True)
class World:
    """A simulated world as the pipeline reads it."""

    data: Path
    encoded: Encoded
    desk: Desk

    @property
    def actions(self) -> tuple[Action, ...]:
        """The whole catalogue; positions in it are what arrays of actions hold."""
        return tuple(self.desk.catalogue.actions)

    def schema(self) -> FeatureSchema:
        """The features that the project would compute of this world, with its own categories."""
        return fit_schema(self.encoded, attributes={})


def open_world(data: Path, configs: Path) -> World:
    """Read and encode what ``acerto simulate`` wrote."""
    return World(data, encode(read_tables(data, attributes={}), attributes={}), load_desk(configs))


@dataclass(frozen=True)
class Judged:
    """Owing accounts of a world at its end, n of them, under A actions.

    ``values`` (n, k) features; ``allowed`` (n, A) by the shipped rules; ``net``, ``recovered`` (n, A) the truth in
    currency over a year, ``NaN`` where there is none; ``ladder`` (n,) the action of the ladder; ``due_cents``,
    ``balance_cents``, ``overdue_cents`` and ``debtor`` (n,); ``days`` (n,) past due.
    """

    values: Floats
    allowed: Bools
    net: Floats
    recovered: Floats
    ladder: Int64s
    due_cents: Int64s
    balance_cents: Int64s
    overdue_cents: Int64s
    days: Floats
    debtor: Int64s

    def __len__(self) -> int:
        return len(self.values)

    def of(self, chosen: Int64s, table: Floats | None = None) -> Floats:
        """(n,) the true net value, or another table's, of one action per account."""
        return (self.net if table is None else table)[np.arange(len(self)), chosen]

    def best(self, predicted: Floats) -> Int64s:
        """(n,) the allowed action of the largest predicted value."""
        return np.where(self.allowed, predicted, -np.inf).argmax(axis=1)


def judged(world: World, schema: FeatureSchema) -> Judged:
    """Every owing account with its truth, described by the features of whoever is to decide on it."""
    encoded, desk = world.encoded, world.desk
    end = to_us(end_of(world.data))
    everyone = np.arange(len(encoded.account_ids), dtype=np.int32)
    names = np.array(encoded.account_ids)
    truth = _truth(world, {str(name): place for place, name in enumerate(names)})
    states = account_states(encoded, Spine(everyone, np.full(len(everyone), end)), channels=desk.catalogue.channels)
    known = np.flatnonzero(states.owes & np.isfinite(truth[0][:, 0]))
    spine = Spine(everyone[known], np.full(len(known), end))
    states = account_states(encoded, spine, channels=desk.catalogue.channels)
    due = amount_due_cents(states)
    asked = amounts(due, world.actions, balance_cents=states.balance_cents)
    days = LocalDays(spine.as_of_us, states.local_day, states.zone, states.zone_names)
    net, recovered, ladder = (part[known] for part in truth)
    allowed = eligibility(Page(states, days, desk.catalogue, asked), desk.contact_policy).allowed
    return Judged(
        values=compute_many(encoded, spine, schema),
        allowed=allowed & np.isfinite(net),
        net=net,
        recovered=recovered,
        ladder=ladder,
        due_cents=due,
        balance_cents=states.balance_cents,
        overdue_cents=states.overdue_cents,
        days=np.nan_to_num(states.days_past_due.astype(np.float64)),
        debtor=encoded.debtor[spine.account].astype(np.int64),
    )


def _truth(world: World, place: dict[str, int]) -> tuple[Floats, Floats, Int64s]:
    """Net value and recovered money (accounts, A), ``NaN`` where there is no truth, and the ladder's action."""
    index = world.desk.catalogue.index
    net, recovered = (np.full((len(place), len(world.actions)), np.nan) for _ in range(2))
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT account_id, action, expected_net_value, expected_recovered FROM read_parquet(?)",
            [str(world.data / "truth/values.parquet")],
        ).fetchnumpy()
        usual = connection.execute(
            "SELECT account_id, ladder_action FROM read_parquet(?)", [str(world.data / "truth/accounts.parquet")]
        ).fetchall()
    account = np.array([place[name] for name in rows["account_id"].tolist()])
    action = np.array([index[name] for name in rows["action"].tolist()])
    net[account, action] = rows["expected_net_value"]
    recovered[account, action] = rows["expected_recovered"]
    ladder = np.zeros(len(place), dtype=np.int64)
    for name, usually in usual:
        ladder[place[name]] = index[usually]
    return net, recovered, ladder


def best_on_observables(learned: list[Judged], judge: Judged, schema: FeatureSchema, actions: list[Action]) -> Floats:
    """(n, A) effects over waiting that one LightGBM predicts, fitted on the noise-free truth of other worlds.

    Parameters
    ----------
    learned : accounts of other worlds, and ``judge`` those to decide on, all of them described by ``schema``
    """
    rng = np.random.default_rng(0)
    names = candidate_names(schema, actions)
    rows, effects = [], []
    for one in learned:
        possible = one.allowed & (one.overdue_cents > 0)[:, None] & (np.arange(len(actions)) > 0)
        account, action = np.nonzero(possible & (rng.random(possible.shape) < _PAIRS))
        rows.append(grid(one.values, schema, actions, names=names).rows(account, action).astype(np.float32))
        effects.append((one.net[account, action] - one.net[account, 0]) / _scale(one)[account])
    data = lgb.Dataset(np.concatenate(rows), np.concatenate(effects), params={"max_bin": _ORACLE["max_bin"]})
    booster = lgb.train(_ORACLE, data, _ROUNDS)
    account, action = np.nonzero(judge.allowed & (judge.overdue_cents > 0)[:, None] & (np.arange(len(actions)) > 0))
    found = np.where(np.arange(len(actions)) > 0, -1.0, 0.0) * np.ones((len(judge), 1))
    table = grid(judge.values, schema, actions, names=names)
    found[account, action] = booster.predict(table.rows(account, action), num_threads=1) * _scale(judge)[account]
    return found


def _scale(one: Judged) -> Floats:
    return np.maximum(one.due_cents / 100.0, _SMALLEST_DUE)
