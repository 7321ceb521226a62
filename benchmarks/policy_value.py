"""What policies learned from a simulated log are truly worth, beside the ladder, tuned rules and public learners.

    python benchmarks/policy_value.py --learn DIR [DIR ...] --judge DIR --work DIR [--rows 20000 100000] [--seeds 5]
        [--learners funnel_blend funnel hurdle] [--peers DR S T X --peers-python PYTHON]

Each DIR is a world that ``acerto simulate --accounts 20000 --seed N --out DIR`` wrote. A learner gets so many logged
decisions of one of the first ``--seeds`` worlds to learn from, and decides on every owing account of the judge's world.
Results are kept under ``--work`` and not computed again; the last lines are the table.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from policy_rules import applied, best_on_truth, cells, from_log, known_costs, logged
from policy_table import Found, file_name, found_of_rule, found_of_values, keep, recall, table
from policy_world import Judged, World, best_on_observables, judged, open_world

from decisioning.candidates import candidate_names, grid, rows_for
from decisioning.valuation import amount_due_cents, amounts, worth
from domain.actions import Action
from features.schema import FeatureSchema
from features.spine import Spine
from training import labels
from training.contact_log import ContactLog, Money, contact_log
from training.dataset import Horizon
from training.facts import end_of_data
from training.money_check import Checking
from training.responding import fit_response
from training.response_log import ResponseLog, response_log
from training.runs.configs import Configs
from training.standing import standing_at

Floats = npt.NDArray[np.float64]

CONFIGS = Path(__file__).parent.parent / "configs"
PEER_SECONDS = 360
PEERS = {
    "DR": "EconML DRLearner", "S": "causalml S-learner", "T": "causalml T-learner", "X": "causalml X-learner",
}  # fmt: skip
RULES = {False: "best constant", True: "tuned static ladder"}
BEST, PLAIN = "best policy on observables", "S-learner (own, LightGBM)"
HINDSIGHT = (BEST, *(f"{rule} with hindsight" for rule in RULES.values()))
_LEAST_ROWS = 10
"""Of an arm in the log, for a peer to be shown it: in each of two folds there must be some."""


@dataclass(frozen=True)
class Material:
    """One draw of a world's log, what learning from it needs, and the accounts that the learned are judged on."""

    world: World
    schema: FeatureSchema
    configs: Configs
    log: ResponseLog
    contacts: ContactLog
    money: Money
    judge: Judged

    @property
    def share(self) -> Floats:
        """(n,) what came back, of what was due; ``NaN`` where not enough time has passed."""
        asked = np.array([1.0 - action.discount_pct / 100.0 for action in self.log.actions])[self.log.action]
        return np.where(self.log.paid > 0, self.log.share * asked, self.log.late)

    @property
    def costs(self) -> Floats:
        """(A,) what each action costs, complaints and opt-outs of its channel included, in currency."""
        objective = self.configs.decision.objective
        return known_costs(
            self.log, self.world.actions, complaint=objective.complaint_cost, opt_out=objective.opt_out_cost
        )

    def plain_seconds(self) -> float:
        """CPU seconds of one plain ``lightgbm.train`` on these rows: who responded, 100 rounds, all else default."""
        rows = rows_for(self.log.values, self.schema, self.log.actions, self.log.action)
        params = {"objective": "binary", "num_threads": 1, "verbosity": -1}
        started = time.process_time()
        lgb.train(params, lgb.Dataset(rows, self.log.paid), 100)
        return time.process_time() - started


def material(world: World, judge: World, *, rows: int) -> Material:
    """Draw that many decisions from a world's log, by the project's pipeline and shipped settings, on one thread."""
    loaded, encoded, schema = Configs.load(CONFIGS), world.encoded, world.schema()
    training = loaded.training.model_copy(
        update={
            "model": loaded.training.model.model_copy(update={"threads": 1}),
            "response": loaded.training.response.model_copy(update={"max_rows": rows}),
        }
    )
    configs = Configs(training, loaded.decision, loaded.features, loaded.catalogue)
    horizon = Horizon(end_of_data(encoded.tables, until_us=None), training.posting_lag_days)
    days, rate = loaded.decision.value_horizon_days, loaded.decision.objective.monthly_discount_rate
    money = Money(labels.receipts(encoded), horizon, days, rate)
    catalogue = loaded.catalogue
    log = response_log(
        encoded, schema, training, catalogue=catalogue, money=money.receipts, horizon=horizon, value_days=days
    )
    contacts = contact_log(encoded, schema, training, catalogue=catalogue, money=money, log=log)
    return Material(world, schema, configs, log, contacts, money, judged(judge, schema))


def own(name: str, given: Material) -> Found:
    """A learner of the project, fitted as training fits it, and valued as decisions are."""
    decision, training = given.configs.decision, given.configs.training
    config = training.model_copy(update={"response": training.response.model_copy(update={"learner": name})})
    checking = Checking(
        given.world.encoded, given.schema, given.configs.catalogue, given.money, decision.objective, seed=0
    )
    started = time.process_time()
    model, told = fit_response(given.log, given.contacts, checking, config=config)
    seconds = time.process_time() - started
    if model is None or "fell_back" in told:
        raise SystemExit(f"{name} found too little in {len(given.log)} decisions; give it more --rows")
    judge, actions = given.judge, given.world.actions
    outcomes = model.outcomes(judge.values, given.schema, actions, allowed=judge.allowed)
    asked = amounts(judge.due_cents, actions, balance_cents=judge.balance_cents)
    net = worth(outcomes, asked, actions, decision.objective).net_cents / 100.0
    return _valued(name, net, given, seconds=seconds, whole=True)


def plain_s_learner(given: Material) -> Found:
    """One LightGBM of the share that came back, on features and features of the action."""
    known = np.flatnonzero(np.isfinite(given.share))
    log, names = given.log, candidate_names(given.schema, given.world.actions)
    rows = rows_for(log.values[known], given.schema, log.actions, log.action[known], names=names)
    params = {"objective": "regression", "num_threads": 1, "verbosity": -1}
    started = time.process_time()
    booster = lgb.train(params, lgb.Dataset(rows, given.share[known]), 100)
    seconds = time.process_time() - started
    account, action = np.nonzero(given.judge.allowed)
    share = np.full(given.judge.allowed.shape, np.nan)
    candidates = grid(given.judge.values, given.schema, given.world.actions, names=names)
    share[account, action] = booster.predict(candidates.rows(account, action), num_threads=1)
    net = share * given.judge.due_cents[:, None] / 100.0 - given.costs
    return _valued(PLAIN, net, given, seconds=seconds, whole=True)


def peer(key: str, given: Material, *, python: str, work: Path) -> Found:
    """A learner of another package, in an environment of its own, on arms channel × offer."""
    actions, judge = given.world.actions, given.judge
    arms = {name: place for place, name in enumerate(dict.fromkeys(_arm(one) for one in actions))}
    treatment = np.array([arms[_arm(one)] for one in given.log.actions])[given.log.action]
    often = np.bincount(treatment, minlength=len(arms))[treatment] >= _LEAST_ROWS
    known = np.flatnonzero(np.isfinite(given.share) & often)
    chance = given.world.encoded.tables.floats("decisions", "action_prob")[given.log.row]
    rows, out = work / f"peer_rows_{os.getpid()}.npz", work / f"peer_out_{os.getpid()}.npz"
    np.savez(
        rows, x=_filled(given.log.values[known]), treatment=treatment[known], share=given.share[known],
        chance=chance[known], judge=_filled(judge.values), arms=len(arms),
    )  # fmt: skip
    script = Path(__file__).with_name("policy_peers.py")
    subprocess.run([python, str(script), key, str(rows), str(out)], check=True, timeout=PEER_SECONDS)
    found = np.load(out)
    effect = found["effect"][:, [arms[_arm(one)] for one in actions]]
    net = effect * judge.due_cents[:, None] / 100.0 - given.costs
    return _valued(PEERS[key], net, given, seconds=float(found["seconds"]), whole=False)


def _arm(action: Action) -> str:
    return f"{action.channel}/{action.offer}"


def _filled(values: Floats) -> Floats:
    # Not every step of every peer takes missing values; no count is below 0, so trees can still tell them apart.
    return np.nan_to_num(values, nan=-1.0)


def _valued(name: str, net: Floats, given: Material, *, seconds: float, whole: bool) -> Found:
    ratio = seconds / given.plain_seconds()
    return found_of_values(name, net, given.judge, given.world.actions, whole=whole, seconds=seconds, ratio=ratio)


def rule_from_log(name: str, given: Material, *, by_cell: bool) -> Found:
    """The best constant or ladder that the log itself shows."""
    encoded, log, catalogue = given.world.encoded, given.log, given.configs.catalogue
    account = encoded.account_of("decisions")[log.row].astype(np.int32)
    standing = standing_at(encoded, Spine(account, log.as_of_us))
    shown = logged(encoded, log, catalogue)
    reward = given.share * amount_due_cents(standing) / 100.0 - np.where(
        shown.action >= 0, given.costs[shown.action], 0
    )
    cell = cells(standing.days.astype(np.float64), standing.balance_cents)
    chosen = applied(from_log(shown, reward=reward, cell=cell if by_cell else None), given.judge)
    return found_of_rule(name, chosen, given.judge, given.world.actions)


def on_log(given: Material, arguments: argparse.Namespace) -> dict[str, Callable[[], Found]]:
    """Everything that is learned from one draw of one world's log, by name."""
    named: dict[str, Callable[[], Found]] = {name: partial(own, name, given) for name in arguments.learners}
    for by_cell, rule in RULES.items():
        named[f"{rule} from the log"] = partial(rule_from_log, f"{rule} from the log", given, by_cell=by_cell)
    named[PLAIN] = partial(plain_s_learner, given)
    for key in arguments.peers:
        named[PEERS[key]] = partial(peer, key, given, python=arguments.peers_python, work=arguments.work)
    return named


def learn(arguments: argparse.Namespace) -> None:
    """Measure what has not been measured yet, world by world."""
    judge = None
    for place in arguments.learn[: arguments.seeds]:
        world = None
        for rows in arguments.rows:
            wanted = [name for name in names(arguments) if not _file(arguments, name, rows, place).is_file()]
            if not wanted:
                continue
            judge = judge or open_world(arguments.judge, CONFIGS)
            world = world or open_world(place, CONFIGS)
            made = on_log(material(world, judge, rows=rows), arguments)
            for name in wanted:
                try:
                    keep(_file(arguments, name, rows, place), made[name]())
                except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
                    print(f"{name}, {rows} decisions of {place.name}: {type(error).__name__}", flush=True)


def names(arguments: argparse.Namespace) -> list[str]:
    """What is learned from a log, in the order of the table."""
    rules = [f"{rule} from the log" for rule in RULES.values()]
    return [*arguments.learners, *rules, PLAIN, *(PEERS[key] for key in arguments.peers)]


def _file(arguments: argparse.Namespace, name: str, rows: int, place: Path) -> Path:
    return Path(arguments.work / file_name(name, rows=rows, world=place.name))


def with_hindsight(arguments: argparse.Namespace) -> dict[str, Found]:
    """The best policy on observables, and rules, both on the truth of the worlds that others learn logs of."""
    places = {name: arguments.work / file_name(name, rows=0, world="truth") for name in HINDSIGHT}
    if not all(place.is_file() for place in places.values()):
        first = open_world(arguments.learn[0], CONFIGS)
        schema, actions = first.schema(), first.actions
        others = [judged(first, schema), *(judged(open_world(one, CONFIGS), schema) for one in arguments.learn[1:])]
        judge = judged(open_world(arguments.judge, CONFIGS), schema)
        np.save(arguments.work / "debtor.npy", judge.debtor)
        for by_cell, name in enumerate(HINDSIGHT[1:]):
            chosen = applied(best_on_truth(others, by_cell=bool(by_cell)), judge)
            keep(places[name], found_of_rule(name, chosen, judge, actions))
        effects = best_on_observables(others, judge, schema, list(actions))
        keep(places[BEST], found_of_values(BEST, effects, judge, actions, whole=False, seconds=np.nan, ratio=np.nan))
    return {name: recall(place) for name, place in places.items()}


def main() -> None:
    """Measure what has not been measured yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learn", type=Path, nargs="+", required=True)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--learners", nargs="*", default=["funnel_blend", "funnel", "hurdle"])
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=[])
    parser.add_argument("--peers-python", default="python")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    learn(arguments)
    found = {(name, 0): [one] for name, one in with_hindsight(arguments).items()}
    for rows in arguments.rows:
        for name in names(arguments):
            files = [_file(arguments, name, rows, place) for place in arguments.learn]
            some = [recall(file) for file in files if file.is_file()]
            if some:
                found[(name, rows)] = some
    print(table(found, found[(BEST, 0)][0].gain, np.load(arguments.work / "debtor.npy")))


if __name__ == "__main__":
    main()
