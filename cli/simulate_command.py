"""``acerto simulate``: a Brazilian portfolio with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import DEFAULT_CONFIGS, AsJson, Configs
from cli.output import progress, say, show_json


def simulate(
    accounts: Annotated[int, typer.Option("--accounts", min=10, max=5_000_000, help="Number of accounts.")],
    out: Annotated[Path, typer.Option("--out", help="Directory to write canonical tables and truth/ to.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same bytes.")] = 0,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Simulate three years of bills, payments, contacts and decisions, with the true value of each action."""
    from domain.actions import ActionCatalogue, ActionsConfig
    from domain.config import load_section
    from simulation.world import simulate as run

    catalogue = ActionCatalogue(load_section(configs / "actions.yaml", ActionsConfig))
    with progress(f"simulating {accounts:,} accounts", quiet=as_json) as step:
        run(accounts=accounts, seed=seed, out=out, catalogue=catalogue, on_step=step)
    if as_json:
        show_json({"accounts": accounts, "seed": seed, "data": str(out), "truth": str(out / "truth")})
        return
    say(f"{accounts:,} accounts in {out}, with the true value of every action in {out / 'truth'}")
