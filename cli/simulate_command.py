"""``acerto simulate``: a Brazilian portfolio with known truth; with ``--rounds``, policies that decide on it weekly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.options import DEFAULT_CONFIGS, AsJson, Configs
from cli.output import progress, say, show_json
from simulation.stress import Stress

_HELP = {
    "out": "Directory to write canonical tables and truth/ to.",
    "rounds": "Play so many weekly rounds of decide, act and observe after the history, under each policy.",
    "policies": "With --rounds, separated by commas: ladder, tuned_ladder, constant (both "
    "tuned on the truth of other accounts), tuned_ladder_log, constant_log (on their log), greedy, exploration, "
    "all_knowing, wait, logging. The tuned ladder is always played: the others are compared with it.",
    "retrain": "With --rounds: play greedy and exploration a second time, trained anew after so many rounds.",
    "model": "With --rounds: champion, challenger, a version or a bundle directory; trained on the history by default.",
    "drift": "With --rounds: how strongly a channel loses reach and hardship spreads over the rounds; 0 is not at all.",
    "tie": "Correlation of willingness with the reach of every channel. Without it the usual one, "
    "0.41 to 0.47 by channel; a stress that says something is 0.7 to 0.9, and 0 parts the two.",
    "hidden": "Let the ladder see hardship, which is in no table, and wait on accounts in it.",
    "others": "With --rounds: accounts on whom the tuned ladder and the best constant are chosen; as many by default.",
    "weeks": "With --rounds: over how many weeks they, and the all-knowing policy, count money; the rounds by default.",
}


def simulate(
    accounts: Annotated[int, typer.Option("--accounts", min=10, max=5_000_000, help="Number of accounts.")],
    out: Annotated[Path, typer.Option("--out", help=_HELP["out"])],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same bytes.")] = 0,
    rounds: Annotated[int | None, typer.Option("--rounds", min=1, max=52, help=_HELP["rounds"])] = None,
    policies: Annotated[str | None, typer.Option("--policies", help=_HELP["policies"])] = None,
    retrain_every: Annotated[int | None, typer.Option("--retrain-every", min=1, help=_HELP["retrain"])] = None,
    model: Annotated[str | None, typer.Option("--model", help=_HELP["model"])] = None,
    drift: Annotated[float, typer.Option("--drift", min=0.0, help=_HELP["drift"])] = 0.0,
    others: Annotated[int | None, typer.Option("--others", min=10, help=_HELP["others"])] = None,
    value_weeks: Annotated[int | None, typer.Option("--value-weeks", min=1, max=52, help=_HELP["weeks"])] = None,
    tie_reach: Annotated[float | None, typer.Option("--tie-reach", min=0.0, max=1.0, help=_HELP["tie"])] = None,
    hidden_ladder: Annotated[bool, typer.Option("--hidden-ladder", help=_HELP["hidden"])] = False,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Simulate three years of bills, payments, contacts and decisions, with the true value of each action.

    With --rounds the world goes on from there, once under each policy, and what they brought and cost is compared.
    """
    if rounds is None:
        _only_with_rounds(policies, retrain_every, model, others, value_weeks, drift or None)
        stress = Stress(tie_reach=tie_reach, hidden_ladder=hidden_ladder)
        _history(accounts, out, seed=seed, configs=configs, as_json=as_json, stress=stress)
        return
    if tie_reach is not None or hidden_ladder:
        raise typer.BadParameter("found a stress with --rounds, which plays the ordinary world; leave one of them out")
    from cli.rounds import DEFAULT, Loop, chosen, run_loop, show_rounds
    from simulation.rounds import Terms

    loop = Loop(
        accounts, seed, out, configs, Terms(rounds, drift=drift, value_weeks=value_weeks or rounds),
        policies=DEFAULT if policies is None else chosen(policies), retrain_every=retrain_every, model=model,
        others=others,
    )  # fmt: skip
    with progress(f"{rounds} rounds on {accounts:,} accounts", quiet=as_json) as step:
        found = run_loop(loop, on_step=step)
    (out / "rounds.json").write_text(json.dumps(found, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    if as_json:
        show_json(found)
        return
    show_rounds(found)
    say(f"written to {out / 'rounds.json'}; the tables of each policy are beside it")


def _only_with_rounds(*given: object) -> None:
    if any(value is not None for value in given):
        raise typer.BadParameter("found options of the closed loop, needed --rounds with them; add --rounds 13")


def _history(accounts: int, out: Path, *, seed: int, configs: Path, as_json: bool, stress: Stress) -> None:
    """The history alone, with its truth."""
    from domain.actions import ActionCatalogue, ActionsConfig
    from domain.config import load_section
    from simulation.world import simulate as run

    catalogue = ActionCatalogue(load_section(configs / "actions.yaml", ActionsConfig))
    with progress(f"simulating {accounts:,} accounts", quiet=as_json) as step:
        run(accounts=accounts, seed=seed, out=out, catalogue=catalogue, on_step=step, stress=stress)
    if as_json:
        show_json({"accounts": accounts, "seed": seed, "data": str(out), "truth": str(out / "truth")})
        return
    say(f"{accounts:,} accounts in {out}, with the true value of every action in {out / 'truth'}")
