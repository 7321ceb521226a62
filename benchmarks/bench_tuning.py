"""What tuning brings on a simulated portfolio, on rows and on a truth that the search has not seen, and what it costs.

    python benchmarks/bench_tuning.py [--accounts 20000] [--seed 0] [--trials 30] [--response-trials 10] [--folds 4]

The best shape that a search found is compared with the shipped one whether it was taken or not, so that the table also
tells what the rule that takes a shape is worth. ``--response-trials 0`` leaves the response model out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
from policy_world import World, judged, open_world

from decisioning.response import ResponseModel
from decisioning.valuation import amounts, worth
from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from simulation.world import simulate
from training.boosting import margins
from training.caching.steps import Chain
from training.calibration import losses_of
from training.config import ModelConfig
from training.contact_log import Money, contact_log
from training.dataset import Horizon, payment_rows, payment_target
from training.facts import end_of_data
from training.labels import receipts
from training.learners import LEARNERS
from training.metrics import METRICS, cluster_weights
from training.ope.estimators import mean_of
from training.payment import fit_evaluated
from training.responding import World as Teaching
from training.response_log import response_log
from training.runs.configs import Configs
from training.runs.learning import columns_of
from training.tuning.payment import PaymentMaterial
from training.tuning.shapes import shape_of, with_shape
from training.tuning.tuned import PAYMENT, RESPONSE, tune

Floats = npt.NDArray[np.float64]
CONFIGS = Path(__file__).parent.parent / "configs"
DAYS = 30


def settings(asked: argparse.Namespace) -> Configs:
    """The shipped configurations on one thread, with the search switched on."""
    loaded = Configs.load(CONFIGS)
    training = loaded.training
    tuning = training.tuning.model_copy(
        update={
            "enabled": True,
            "trials": asked.trials,
            "response_trials": asked.response_trials,
            "folds": asked.folds,
        }
    )
    changed = {"model": training.model.model_copy(update={"threads": 1}), "tuning": tuning}
    return replace(loaded, training=training.model_copy(update=changed))


def payment(material: PaymentMaterial, shapes: list[ModelConfig]) -> list[Floats]:
    """(t,) probabilities on test rows of the models of two shapes, as training evaluates them."""
    found, split = [], material.target.split
    for model in shapes:
        booster, calibrator = fit_evaluated(
            material.values, material.columns, material.target, debtor=material.debtor, config=model, train=split.train
        )
        found.append(calibrator.apply(margins(booster, material.values[split.test], threads=1)))
    return found


def told_payment(material: PaymentMaterial, shapes: list[ModelConfig]) -> None:
    """AUC and log-loss of both on test rows, and their paired difference by a bootstrap over debtors."""
    test = material.target.split.test
    paid, debtor = material.target.paid[test], material.debtor[test]
    both = payment(material, shapes)
    weights = cluster_weights(debtor, replications=400, rng=np.random.default_rng(0))
    ones = np.ones(len(paid))
    for name in ("auc", "log_loss"):
        metric = METRICS[name]
        values = [float(metric(paid, p, ones)) for p in both]
        drawn = np.asarray(metric(paid, both[1], weights)) - np.asarray(metric(paid, both[0], weights))
        low, high = np.quantile(drawn, (0.025, 0.975))
        gain = values[1] - values[0]
        difference = f"{gain:+.5f} [{low:+.5f}, {high:+.5f}]"
        print(f"  {name:9s} shipped {values[0]:.5f}  best {values[1]:.5f}  difference {difference}")
    cluster = np.unique(debtor, return_inverse=True)[1].astype(np.int64)
    fall = mean_of(losses_of(paid, both[0]) - losses_of(paid, both[1]), cluster)
    rows = f"{len(paid):,} test rows of {len(np.unique(debtor)):,} debtors"
    print(f"  {rows}; fall of the log-loss {fall.value:+.5f} ± {fall.se:.5f}", flush=True)


def learned(teaching: Teaching, loaded: Configs, model: ModelConfig) -> ResponseModel:
    """The configured learner's model of all logged decisions, before the check of its money."""
    config, decision = loaded.training.model_copy(update={"model": model}), loaded.decision
    terms = decision.value_horizon_days, decision.objective.monthly_discount_rate, decision.objective
    log = response_log(
        teaching.encoded, teaching.schema, config, catalogue=teaching.catalogue, money=teaching.money,
        horizon=teaching.horizon, value_days=decision.value_horizon_days,
    )  # fmt: skip
    money = Money(teaching.money, teaching.horizon, *terms)
    contacts = contact_log(
        teaching.encoded, teaching.schema, config, catalogue=teaching.catalogue, money=money, log=log
    )
    return LEARNERS[config.response.learner].fit(log, teaching.schema, config, contacts=contacts).model


def told_response(world: World, teaching: Teaching, loaded: Configs, shapes: list[ModelConfig]) -> None:
    """The true value of what both models would choose for every owing account, over a year, and the difference."""
    judge, objective = judged(world, teaching.schema), loaded.decision.objective
    values = []
    for model in shapes:
        started = time.process_time()
        found = learned(teaching, loaded, model)
        seconds = time.process_time() - started
        outcomes = found.outcomes(judge.values, teaching.schema, world.actions, allowed=judge.allowed)
        asked = amounts(judge.due_cents, world.actions, balance_cents=judge.balance_cents)
        net = worth(outcomes, asked, world.actions, objective).objective_cents
        values.append(judge.of(judge.best(net)))
        print(f"  true value per account {values[-1].mean():.2f}, learned in {seconds:.0f} CPU-s")
    gain = mean_of(values[1] - values[0], judge.debtor)
    over = values[0] - judge.of(judge.ladder)
    print(f"  best over shipped {gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]")
    print(f"  shipped over the ladder {over.mean():.2f}")


def told_search(name: str, found: dict[str, Any]) -> None:
    """What the search itself says."""
    if "not_tuned" in found:
        print(f"{name}: not tuned: {found['not_tuned']}")
        return
    pruned = sum(trial["state"] == "pruned" for trial in found["trials"])
    print(f"{name}: {found['objective']}; {len(found['trials']) - 1} trials, {pruned} of them pruned")
    if "fell_back" in found:
        print(f"  fell back: {found['fell_back']}")
    best = found["trials"][found["best"]]
    chosen, confirmed = (f"{found[key]['value']:+.5f} ± {found[key]['se']:.5f}" for key in ("chosen", "confirmed"))
    print(
        f"  best is trial {best['number']}: gain where chosen {chosen}, confirmed {confirmed}, taken: {found['taken']}"
    )
    falls = np.array(found["trials"][0]["losses"]) - np.array(best["losses"])
    print(f"  gain by fold {np.round(falls, 5).tolist()}")
    print(f"  { ({key: round(one, 3) for key, one in best['shape'].items()}) }")
    if "value" in found:
        for side, one in found["value"].items():
            print(
                f"  {side}: {one['value']:.2f} [{one['low']:.2f}, {one['high']:.2f}], {one['effective']:.0f} effective"
            )


def main() -> None:
    """Simulate, search, and judge what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--response-trials", type=int, default=10)
    parser.add_argument("--folds", type=int, default=4)
    asked = parser.parse_args()
    loaded = settings(asked)
    print(f"{asked.accounts} accounts, seed {asked.seed}, {asked.folds} folds", flush=True)
    with tempfile.TemporaryDirectory(prefix="acerto-tuning-") as folder:
        catalogue = ActionCatalogue(load_section(CONFIGS / "actions.yaml", ActionsConfig))
        simulate(accounts=asked.accounts, seed=asked.seed, out=Path(folder), catalogue=catalogue)
        world = open_world(Path(folder), CONFIGS)
        measure(world, loaded)


def measure(world: World, loaded: Configs) -> None:
    """Search on a world, and print what it says and what is true."""
    encoded, config = world.encoded, loaded.training
    horizon = Horizon(end_of_data(encoded.tables, until_us=None), config.posting_lag_days)
    rows = payment_rows(encoded, world.schema(), config, horizon, longest_days=max(loaded.decision.horizon_days))
    money = receipts(encoded)
    target = payment_target(rows, money, horizon, days=DAYS, config=config)
    material = PaymentMaterial(rows.values, columns_of(rows.schema), target, rows.rows.debtor, rows.rows.as_of_us)
    started = time.process_time()
    found = tune(material, encoded, loaded, horizon=horizon, after=Chain()).told
    print(f"searched for {time.process_time() - started:.0f} CPU-s", flush=True)
    for name in (PAYMENT, RESPONSE):
        told_search(name, found[name])
        if "not_tuned" in found[name]:
            continue
        best = found[name]["trials"][found[name]["best"]]["shape"]
        shapes = [with_shape(config.model, shape) for shape in (shape_of(config.model), best)]
        if name == PAYMENT:
            told_payment(material, shapes)
        else:
            teaching = Teaching(encoded, rows.schema, loaded.catalogue, money, horizon)
            told_response(world, teaching, loaded, shapes)


if __name__ == "__main__":
    main()
