"""``acerto models``: the versions of the registry, and the history of what was promoted, by whom and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DEFAULT_CONFIGS, AsJson, Configs
from cli.output import say, say_result, show_json, show_table

if TYPE_CHECKING:
    from training.promoting.listing import Listed

_VERIFY = "Also ask the tracking store which line of the history was the last; takes seconds."


def models(
    verify: Annotated[bool, typer.Option("--verify", help=_VERIFY)] = False,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """List versions with aliases, gates, hash and who moved them; exit 1 where the history does not hold."""
    from training import registry
    from training.config import load_training_config
    from training.promoting.listing import listing

    tracking = registry.Tracking.from_environment()
    found = listing(tracking, load_training_config(configs / "training.yaml").gates)
    broken = registry.history_breaks(tracking, ask_store=verify)
    if as_json:
        show_json({"versions": [one.as_json() for one in found], "history_breaks": broken})
    else:
        _show(found)
        for line in broken:
            say_result(f"the history does not hold: {line}")
    if broken:
        raise typer.Exit(1)


def _show(found: list[Listed]) -> None:
    """Versions, and below them what happened to them."""
    if not found:
        say("no version is here; run `acerto train`")
        return
    show_table(
        "versions", ["version", "trained", "aliases", "gates", "model hash"],
        [[one.version, one.trained_at[:16], " ".join(one.aliases), _gates(one), one.model_hash[:12]] for one in found],
    )  # fmt: skip
    moves = sorted((move for one in found for move in one.moves), key=lambda move: int(move.get("sequence", 0)))
    if moves:
        names = ("at", "kind", "version", "previous", "by", "why")
        rows = [["" if move.get(name) is None else str(move[name]) for name in names] for move in moves]
        show_table("history", list(names), rows)


def _gates(one: Listed) -> str:
    if not one.gates:
        return one.judged if one.judged != "now" else "not measured"
    met = len(one.gates) - len(one.not_met)
    return f"{met} of {len(one.gates)} met" + (f"; not: {', '.join(one.not_met)}" if one.not_met else "")
