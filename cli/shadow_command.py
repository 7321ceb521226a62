"""``acerto shadow``: what the model in the champion's shadow would have answered, beside what was answered."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import AsJson
from cli.output import say, show_json, show_table
from domain.errors import DataError

if TYPE_CHECKING:
    from decisioning.shadows import Compared


def shadow(
    log: Annotated[
        Path | None, typer.Option("--log", help="Folder of the shadow's log; by default that of ACERTO_SHADOW_LOG.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two models on the requests that a service answered with ACERTO_SHADOW."""
    from decisioning.shadows import compare
    from serving.shadow_log import read_pairs

    named = os.environ.get("ACERTO_SHADOW_LOG")
    folder = log or (Path(named) if named else None)
    if folder is None:
        raise typer.BadParameter("give --log DIR, or set ACERTO_SHADOW_LOG", param_hint="--log")
    torn: list[str] = []
    found = compare(read_pairs(folder, torn))
    if not found:
        raise DataError(f"found no pair of answers in {folder}, needed what a service with ACERTO_SHADOW writes there")
    if as_json:
        show_json({"compared": [asdict(one) for one in found], "torn_lines": len(torn)})
        return
    for one in found:
        _show(one)
    if torn:
        say(f"{len(torn)} lines could not be read")


def _show(one: Compared) -> None:
    rows = [
        [f"p_pay {days}", f"{each.champion:.4f}", f"{each.challenger:.4f}", f"{each.mean_difference:.4f}",
         f"{each.largest_difference:.4f}"]
        for days, each in one.horizons.items()
    ]  # fmt: skip
    if one.champion_net_value is not None and one.challenger_net_value is not None:
        rows.append(["net value", f"{one.champion_net_value:,.2f}", f"{one.challenger_net_value:,.2f}", "–", "–"])
    columns = ["mean of", "champion", "challenger", "|difference|", "largest"]
    show_table(f"version {one.champion}, and version {one.challenger} on the same {one.pairs:,} answers", columns, rows)
    if one.same_action_share is not None:
        say(f"the same action on {one.same_action_share:.1%} of {one.decisions:,} decisions")
