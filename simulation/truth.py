"""The truth about the last moment of the data: the expected net value of every action on every account that owes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from domain.actions import ActionCatalogue
from domain.clock import US_PER_DAY, rfc3339, to_us
from simulation import assumptions
from simulation.arrow import ids
from simulation.futures import COMPLAINT, COST, HORIZON_WEEKS, MEASURES, OPT_OUT, PAID_7, RECOVERED, value_actions
from simulation.journal import WEEK
from simulation.ladder import playbook_of
from simulation.parquet import open_parquet
from simulation.portfolio import Portfolio
from simulation.states import STATE
from simulation.stress import NO_STRESS, Stress

BLOCK = 1_000
END_DAY = to_us(assumptions.END) // US_PER_DAY
_HORIZONS = (7, 30, 60, 90)
_SHOWN = ("able", "will", "forget", "bargain", "tiring", "complaining", "moment", "salary_dom", "portal")


@dataclass(frozen=True, slots=True)
class Objective:
    """What a decision is worth: as ``objective`` and ``value_horizon_days`` of ``decision.yaml``, which it mirrors."""

    complaint_cost: float = 250.0
    opt_out_cost: float = 10.0
    monthly_discount_rate: float = 0.01


@dataclass(frozen=True, slots=True)
class World:
    """A world at its end: who lives in it, how they stand, and the catalogue that acts on them."""

    folk: Portfolio
    states: npt.NDArray[np.void]
    catalogue: ActionCatalogue
    seed: int
    stress: Stress = NO_STRESS


def write_truth(world: World, out: Path, *, objective: Objective, tell: Callable[[float], None]) -> None:
    """Write ``values.parquet`` (account × action), ``accounts.parquet`` (traits, ladder) and ``meta.json``.

    Notes
    -----
    By intention to treat: the action is decided at the end of the data, carried out or not; from the next decision day
    on the ladder is in charge again. Money counts on debts known at the end, for 364 days, discounted monthly.
    """
    out.mkdir(parents=True, exist_ok=True)
    book, week = playbook_of(world.catalogue, stress=world.stress), first_page(objective)
    owing = np.flatnonzero(world.states["known"][:, 2] > 0)
    runs = int(np.clip(assumptions.RUNS_BUDGET // max(len(world.states), 1), 2, 32))
    actions = [number for number, action in enumerate(world.catalogue.actions) if not action.gated]
    spare = np.zeros(3, dtype=STATE)
    sink: Any = None
    for start in range(0, len(owing), BLOCK):
        block = owing[start : start + BLOCK]
        results = np.zeros((len(block), len(world.catalogue.actions), MEASURES))
        value_actions(world.folk.traits, world.states, (book, week, spare), (block, results, runs))
        table = _values_table(block, results[:, actions], actions, world.catalogue, objective)
        sink = sink or open_parquet(out / "values.parquet", table.schema)
        sink.write_table(table)
        tell(start / len(owing))
    if sink is not None:
        sink.close()
    pq.write_table(_accounts_table(world), out / "accounts.parquet", compression="zstd", compression_level=1)
    meta = {"seed": world.seed, "accounts": len(world.states), "as_of": rfc3339(assumptions.END), "runs": runs}
    meta |= {"owing": len(owing), "value_horizon_days": 364, "objective": asdict(objective)}
    if world.stress != NO_STRESS:
        meta |= {"stress": asdict(world.stress)}
    (out / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


def first_page(objective: Objective, *, day: int = END_DAY, weeks: int = HORIZON_WEEKS) -> npt.NDArray[np.void]:
    """The page of the first imagined week, (1,), which writes nothing: by default it starts when the data end."""
    week = np.zeros(1, dtype=WEEK)
    week["day"], week["end"], week["value_day"], week["weeks"], week["silent"] = day, day + 7, day, weeks, 1
    week["daily_rate"] = np.log1p(objective.monthly_discount_rate) / 30.4375
    return week


def net_values(
    world: World, accounts: npt.NDArray[np.int64], book: npt.NDArray[np.void], page: npt.NDArray[np.void], *, runs: int
) -> npt.NDArray[np.float64]:
    """(k, n_actions) the true net value of every action to some accounts, as their states are; gated ones −∞.

    Parameters
    ----------
    book, page : the playbook in force, and the page of :func:`first_page` that says when and over how many weeks
    runs : how many futures are imagined for each account
    """
    results = np.zeros((len(accounts), len(world.catalogue.actions), MEASURES))
    value_actions(world.folk.traits, world.states, (book, page, np.zeros(3, dtype=STATE)), (accounts, results, runs))
    net = _net(results, Objective())
    net[:, [action.gated for action in world.catalogue.actions]] = -np.inf
    return net


def _net(measures: npt.NDArray[np.float64], objective: Objective) -> npt.NDArray[np.float64]:
    spent = measures[..., COST] + objective.complaint_cost * measures[..., COMPLAINT]
    net: npt.NDArray[np.float64] = measures[..., RECOVERED] - (spent + objective.opt_out_cost * measures[..., OPT_OUT])
    return net


def _values_table(
    accounts: npt.NDArray[np.int64],
    results: npt.NDArray[np.float64],
    actions: list[int],
    catalogue: ActionCatalogue,
    objective: Objective,
) -> pa.Table:
    """The long form: one row per account and action."""
    flat = results.reshape(-1, MEASURES)
    names = pa.array([catalogue.actions[number].name for number in actions])
    places = np.repeat(np.arange(len(accounts), dtype=np.int32), len(actions))
    which = np.tile(np.arange(len(actions), dtype=np.int32), len(accounts))
    columns: dict[str, Any] = {
        "account_id": pa.DictionaryArray.from_arrays(pa.array(places), ids("a", accounts)).cast(pa.string()),
        "action": pa.DictionaryArray.from_arrays(pa.array(which), names).cast(pa.string()),
        "expected_net_value": pa.array(np.round(_net(flat, objective), 4)),
        "expected_recovered": pa.array(np.round(flat[:, RECOVERED], 4)),
        "expected_cost": pa.array(np.round(flat[:, COST], 4)),
        "p_complaint": pa.array(flat[:, COMPLAINT]),
        "p_opt_out": pa.array(flat[:, OPT_OUT]),
    }
    for number, days in enumerate(_HORIZONS):
        columns[f"p_pay_{days}d"] = pa.array(flat[:, PAID_7 + number])
    return pa.table(columns)


def _accounts_table(world: World) -> pa.Table:
    """Every account at the end: latent traits, how it stands as known, and what the ladder would do."""
    traits, states = world.folk.traits, world.states
    standing = states["known"]
    names = np.array(world.catalogue.names())
    columns: dict[str, Any] = {
        "account_id": ids("a", traits["account"].copy()),
        "days_past_due": pa.array(standing[:, 0], mask=standing[:, 2] == 0),
        "overdue": pa.array(standing[:, 1] / 100.0),
        "balance": pa.array(standing[:, 2] / 100.0),
        "ladder_action": pa.array(names[states["ladder"]]),
        "fatigue": pa.array(states["fatigue"].copy()),
        "in_hardship": pa.array(states["hardship"] > 0),
        "forgot": pa.array(states["forgot"] > 0),
    }
    for name in _SHOWN:
        columns[name] = pa.array(traits[name].copy())
    for c, channel in enumerate(world.catalogue.channels):
        columns[f"affinity_{channel}"] = pa.array(traits["affinity"][:, c].copy())
    return pa.table(columns)
