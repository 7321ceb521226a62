"""A randomised e-mail test as logs for ``acerto evaluate``: ``python examples/hillstrom.py SRC OUT``.

SRC holds ``hillstrom.csv`` (Hillstrom's MineThatData e-mail challenge: 64,000 customers, three arms, what they did
within two weeks; not part of this project). OUT gets ``<reward>_<seed>.parquet`` for three rewards and four seeds, each
a plain table (docs/evaluation.md) of the half of the customers on which nothing was learned. What was decided:

- The action is the arm, ``action_prob`` is 1/3: the test drew it so. A customer is one row, and stands alone.
- ``pi_mens``, ``pi_womens`` and ``pi_none`` always take one arm. ``pi_best_arm`` always takes the arm with the highest
  mean on the other half, and ``pi_learned`` the best one for each customer by a model of the other half. So both were
  chosen without a look at the rows on which they are judged.
- The model is that of Acerto's hurdle: one booster, fed with the customer and with what the arm is. Money is never
  regressed: spend is P(conversion) × the amount of a buyer, which is taken not to depend on the arm (docs/adr/0005),
  so that the arm which is best for conversion is best for spend.
- An e-mail costs nothing here. ``history_segment`` only repeats ``history``, and is left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.boosting import Columns, Recipe, fit_rounds, fit_stopped, margins
from training.config import ModelConfig

Floats = npt.NDArray[np.float64]
SOURCE = "hillstrom.csv"
ARMS = {"Mens E-Mail": "mens", "Womens E-Mail": "womens", "No E-Mail": "none"}
LEARNED_FROM = {"visit": "visit", "conversion": "conversion", "spend": "conversion"}
SEEDS = (0, 1, 2, 3)
STOPPING_SHARE = 0.2  # of the learning half, to find the number of trees


def convert(source: Path, out: Path, *, seeds: tuple[int, ...] = SEEDS) -> dict[str, int]:
    """Writes ``OUT/<reward>_<seed>.parquet`` and returns the number of rows of each."""
    file = source / SOURCE
    if not file.is_file():
        raise FileNotFoundError(f"{source}: found no {SOURCE}, needed Hillstrom's e-mail test")
    out.mkdir(parents=True, exist_ok=True)
    customers = pd.read_csv(file)
    rows = {}
    for reward in LEARNED_FROM:
        for seed in seeds:
            log = held_out_log(customers, reward, seed=seed)
            log.to_parquet(out / f"{reward}_{seed}.parquet")
            rows[f"{reward}_{seed}"] = len(log)
    return rows


def held_out_log(customers: pd.DataFrame, reward: str, *, seed: int) -> pd.DataFrame:
    """The plain table of a random half of the customers; its policies were chosen on the other half."""
    order = np.random.default_rng(seed).permutation(len(customers))
    learning, judging = customers.iloc[order[: len(order) // 2]], customers.iloc[np.sort(order[len(order) // 2 :])]
    action = judging["segment"].map(ARMS)
    best_arm = str(learning.groupby(learning["segment"].map(ARMS))[reward].mean().idxmax())
    values = expected(learning, judging, LEARNED_FROM[reward], seed=seed)
    # Where the trees tell no arm from another, the arm that is best for everybody comes first.
    arms = sorted(ARMS.values(), key=lambda arm: arm != best_arm)
    learned = np.array(arms)[np.argmax(np.column_stack([values[arm] for arm in arms]), axis=1)]
    policies = {**{arm: arm for arm in ARMS.values()}, "best_arm": best_arm, "learned": learned}
    return pd.DataFrame(
        {
            "decision_id": judging.index,
            "action": action,
            "action_prob": 1.0 / len(ARMS),
            "reward": judging[reward].astype(float),
            **{f"pi_{name}": (action == chosen).astype(float) for name, chosen in policies.items()},
            **covariates(judging),
        }
    )


def expected(learning: pd.DataFrame, judging: pd.DataFrame, label: str, *, seed: int) -> dict[str, Floats]:
    """Margin of the label of every customer of ``judging`` under each arm: (n,) by arm."""
    model = ModelConfig(seed=seed, threads=1)
    recipe = Recipe("binary", model) if label == "visit" else Recipe("binary", model).small()  # buyers are rare
    rows, target = with_arm(learning, learning["segment"].map(ARMS)), learning[label].to_numpy(dtype=np.float64)
    columns = Columns(tuple(rows.columns), ())
    values, cut = rows.to_numpy(dtype=np.float64), int(len(rows) * (1 - STOPPING_SHARE))
    stopped = fit_stopped(recipe, columns, train=(values[:cut], target[:cut]), valid=(values[cut:], target[cut:]))
    booster = fit_rounds(recipe, columns, data=(values, target), rounds=stopped.num_trees())
    asked = {arm: with_arm(judging, pd.Series(arm, index=judging.index)) for arm in ARMS.values()}
    return {arm: margins(booster, rows.to_numpy(dtype=np.float64), threads=1) for arm, rows in asked.items()}


def with_arm(customers: pd.DataFrame, arm: pd.Series[str]) -> pd.DataFrame:
    """What the booster reads: the customer, whether there was an e-mail, and which one."""
    return pd.DataFrame({**covariates(customers), "email": arm != "none", "for_men": arm == "mens"}).astype(float)


def covariates(customers: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """What was known of each customer before the test, as numbers; texts become one 0/1 per value."""
    plain = {f"x_{name}": customers[name].astype(float) for name in ("recency", "history", "mens", "womens", "newbie")}
    places = {f"x_{value.lower()}": customers["zip_code"] == value for value in ("Rural", "Surburban", "Urban")}
    bought = {f"x_by_{value.lower()}": customers["channel"] == value for value in ("Multichannel", "Phone", "Web")}
    return {**plain, **{name: column.astype(float) for name, column in {**places, **bought}.items()}}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: python examples/hillstrom.py SRC OUT")
    for written, count in convert(Path(sys.argv[1]), Path(sys.argv[2])).items():
        print(f"{written:<14} {count:>7,} rows")
