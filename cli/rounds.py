"""The closed loop of ``acerto simulate --rounds``: every policy from the same start, with the same luck."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cli.output import OnStep, say, show_table
from cli.round_log import judged_by_log
from cli.round_policies import ModelPolicy, every, train, without_holdout
from decisioning.bundle import ModelBundle, read_bundle
from decisioning.engine import load_desk
from domain.errors import ConfigError
from simulation import policies, tuned
from simulation.choices import Choice
from simulation.comparison import compare
from simulation.rounds import Due, Policy, Start, Terms, begin, play_rounds
from simulation.tally import Tally
from simulation.tuned import Judged
from training.ope.policies import LADDER_DAYS
from training.registry import Tracking, resolve

REFERENCE = "tuned_ladder"
_ALSO_AGAINST = ("tuned_ladder_log", "ladder")
DEFAULT = (
    "ladder", "tuned_ladder_log", "constant_log", "tuned_ladder", "constant", "greedy", "exploration", "all_knowing",
)  # fmt: skip
KNOWN = (*DEFAULT, "wait", "logging")
_LEARNED = ("greedy", "exploration")
_OTHERS_SEED = 7_919
"""Added to the seed of those on whom ladders are tuned, so that nobody is tuned on the accounts he is judged on."""
_TUNED_ON_ROUNDS = 4


@dataclass(frozen=True)
class Loop:
    """What is asked for: a portfolio, its rounds, the policies by name, and where everything goes.

    ``retrain_every`` so many rounds a second form of each learned policy is trained anew; ``model`` stands in for the
    one trained on the history; ladders are tuned on so many ``others``.
    """

    accounts: int
    seed: int
    out: Path
    configs: Path
    terms: Terms
    policies: tuple[str, ...] = DEFAULT
    retrain_every: int | None = None
    model: str | None = None
    others: int | None = None


def chosen(text: str) -> tuple[str, ...]:
    """Policies from a comma-separated list; the reference is always among them.

    Raises
    ------
    ConfigError : a name that is none
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise ConfigError(f"--policies: found {unknown}, needed names among {', '.join(KNOWN)}")
    return names if REFERENCE in names else (REFERENCE, *names)


def run_loop(loop: Loop, *, on_step: OnStep) -> dict[str, Any]:
    """Play every policy; returns the settings and the figures of each, as plain values."""
    base = load_desk(loop.configs)
    start = begin(
        loop.accounts, seed=loop.seed, catalogue=base.catalogue, out=loop.out / "history",
        on_step=lambda what, share: on_step(what, 0.1 * share),
    )  # fmt: skip
    on_step("tuning the opponents on other accounts", 0.1)
    made, learned = _opponents(loop, start), _learned(loop, on_step)
    tallies: dict[str, Tally] = {}
    everyone = _in_order(loop, {**made, **learned})
    for number, (name, policy) in enumerate(everyone.items()):
        on_step(f"playing {name}", 0.3 + 0.7 * number / len(everyone))
        tallies[name] = play_rounds(start, policy, name=name, terms=loop.terms, out=loop.out / name)
    figures: dict[str, dict[str, Any]] = {}
    for against in (name for name in (REFERENCE, *_ALSO_AGAINST) if name in tallies):
        found = compare(tallies, reference=against, debtor=start.world.folk.debtor)
        figures[against] = {name: one.as_json() for name, one in found.items()}
    return {**_settings(loop, start, learned), "policies": _plain(figures[REFERENCE]), "against": _differences(figures)}


def _plain(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: {key: value for key, value in one.items() if not key.endswith("_difference")}
        for name, one in found.items()
    }


def _differences(figures: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By policy that the others are compared with, the differences of each other one."""
    return {
        against: {
            name: {key: value for key, value in one.items() if key.endswith("_difference")}
            for name, one in found.items()
            if name != against
        }
        for against, found in figures.items()
    }


def _in_order(loop: Loop, made: dict[str, Policy]) -> dict[str, Policy]:
    """As they were asked for, each that is trained anew after the one that is not."""
    names = [form for name in loop.policies for form in (name, f"{name}_retrained")]
    return {name: made[name] for name in names if name in made}


def _opponents(loop: Loop, start: Start) -> dict[str, Policy]:
    """The policies that need no model of ours."""
    world = _others(loop, start)
    makers: dict[str, Callable[[], Policy]] = {
        "ladder": lambda: policies.ladder,
        "logging": lambda: policies.logging_ladder,
        "wait": lambda: policies.wait,
        "all_knowing": lambda: policies.all_knowing,
        "constant": lambda: tuned.best_constant(true()),
        "tuned_ladder": lambda: tuned.tuned_ladder(true(), days=LADDER_DAYS).choose,
        "constant_log": lambda: tuned.best_constant(logged()),
        "tuned_ladder_log": lambda: tuned.tuned_ladder(logged(), days=LADDER_DAYS).choose,
    }

    @cache
    def true() -> Judged:
        return _judged_by_truth(loop, world)

    @cache
    def logged() -> Judged:
        days = 7 * loop.terms.value_weeks
        return judged_by_log(world.tables.folder, load_desk(loop.configs), configs=loop.configs, days=days)

    return {name: makers[name]() for name in loop.policies if name in makers}


def _others(loop: Loop, start: Start) -> Start:
    """Accounts that take no part in the rounds, at the end of their history."""
    return begin(
        loop.others or loop.accounts, seed=loop.seed + _OTHERS_SEED, catalogue=start.world.catalogue,
        out=loop.out / "others" / "history", on_step=lambda _what, _share: None,
    )  # fmt: skip


def _judged_by_truth(loop: Loop, world: Start) -> Judged:
    """The others as they are due in the first rounds under the logging ladder, with what their actions are worth."""
    judged: list[Judged] = []

    def watched(due: Due) -> Choice:
        judged.append(Judged.of(due))
        return policies.logging_ladder(due)

    terms = Terms(_TUNED_ON_ROUNDS, value_weeks=loop.terms.value_weeks, runs=loop.terms.runs)
    play_rounds(world, watched, name="logging", terms=terms, out=loop.out / "others" / "rounds")
    return Judged.together(judged)


def _learned(loop: Loop, on_step: OnStep) -> dict[str, ModelPolicy]:
    """The policies that rest on a model; with retraining each of them a second time."""
    names = [name for name in loop.policies if name in _LEARNED]
    if not names:
        return {}
    on_step("training on the history", 0.2)
    bundle = _first_bundle(loop)
    base, found = load_desk(loop.configs), {}
    for name in names:
        desk = without_holdout(base, explores=name == "exploration")
        found[name] = ModelPolicy(bundle, desk, loop.configs)
        if loop.retrain_every is not None:
            again = f"{name}_retrained"
            retrain = every(loop.retrain_every, configs=loop.configs, name=again, mlruns=loop.out / "mlruns")
            found[again] = ModelPolicy(bundle, desk, loop.configs, retrain)
    return found


def _first_bundle(loop: Loop) -> ModelBundle:
    if loop.model is not None:
        folder, note = resolve(loop.model, Tracking.from_environment())
        if note:
            say(note)
        return read_bundle(folder)
    data, until = loop.out / "history", Terms(0).end
    return train(data, configs=loop.configs, until=until, name="history", mlruns=loop.out / "mlruns")


def _settings(loop: Loop, start: Start, learned: dict[str, ModelPolicy]) -> dict[str, Any]:
    return {
        "accounts": loop.accounts,
        "debtors": int(start.world.folk.debtor[-1]) + 1,
        "seed": loop.seed,
        "rounds": loop.terms.rounds,
        "from": Terms(0).end.isoformat(),
        "drift": loop.terms.drift,
        "value_weeks": loop.terms.value_weeks,
        "others": loop.others or loop.accounts,
        "retrain_every": loop.retrain_every,
        "models": {name: policy.versions for name, policy in learned.items()},
    }


def show_rounds(found: dict[str, Any]) -> None:
    """The figures as tables: by policy, and as differences to the ladders."""
    by_policy: dict[str, dict[str, Any]] = found["policies"]
    title = f"{found['accounts']:,} accounts, {found['rounds']} weekly rounds; money per account of the portfolio"
    header = [
        "policy",
        "unpaid %",
        "received",
        "contact",
        "other cost",
        "net",
        "forgiven",
        "attempts",
        "compl.",
        "opt-outs",
    ]
    rows = [
        [name, f"{100 * one['unpaid_share']:.2f}", f"{one['received']:.2f}", f"{one['contact_cost']:.3f}",
         f"{one['benefit_cost'] + one['complaint_cost'] + one['opt_out_cost']:.3f}", f"{one['net']:.2f}",
         f"{one['forgiven']:.2f}", f"{one['attempts']:,}", str(one["complaints"]), str(one["opt_outs"])]
        for name, one in by_policy.items()
    ]  # fmt: skip
    show_table(title, header, rows)
    names = ("unpaid_share_difference", "net_difference", "contact_cost_difference")
    for against, others in found["against"].items():
        differences = [
            [name, *(_interval(one[which], scale=100.0 if which == names[0] else 1.0) for which in names)]
            for name, one in others.items()
        ]
        show_table(f"less {against} [95 %]", ["policy", "unpaid, points", "net", "contact cost"], differences)


def _interval(found: dict[str, float], *, scale: float) -> str:
    value, low, high = (scale * found[name] for name in ("value", "low", "high"))
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"
