"""``acerto serve``: the scoring service in the foreground."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.options import DEFAULT_CONFIGS, Configs
from cli.output import say

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to bind.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to bind.")] = 3000,
    insecure: Annotated[bool, typer.Option("--insecure", help="Serve without keys; on loopback alone.")] = False,
    model: Annotated[
        str, typer.Option("--model", help="champion, challenger, a version, or a directory.")
    ] = "champion",
    prices: Annotated[
        Path | None,
        typer.Option(
            "--prices", help="Price list of acerto decide, or a folder with such; keeps capacities and budgets."
        ),
    ] = None,
    reports: Annotated[
        Path | None, typer.Option("--reports", help="Folder of reports, listed at /reports/ by model version.")
    ] = None,
    configs: Configs = DEFAULT_CONFIGS,
) -> None:
    """Serve scores and decisions over HTTP until Ctrl-C."""
    if insecure and host not in _LOOPBACK:
        raise typer.BadParameter(
            f"found --host {host} with --insecure: without keys only this machine is answered; leave out one of them",
            param_hint="--insecure",
        )
    environ = {
        **environment(model, configs=configs, reports=reports, prices=prices),
        "ACERTO_INSECURE": "1" if insecure else "0",
    }
    from serving.launch import run

    if insecure:
        say("without keys: whoever is on this machine may ask everything, and nobody else anything")
    else:
        say("requests need a key (Authorization: Bearer acerto_…); `acerto keys create` makes one")
    say(f"serving on http://{host}:{port}/docs, ready at /readyz; Ctrl-C ends it")
    raise typer.Exit(run(host, port, environ=environ))


def environment(
    model: str, *, configs: Path, reports: Path | None = None, prices: Path | None = None
) -> dict[str, str]:
    """The service's environment: registry or bundle, configurations, reports and prices, as absolute paths.

    The champion is followed through promotions and rollbacks; any other model is the one bundle it is now.
    """
    from training.registry import CHAMPION, Tracking, resolve

    tracking = Tracking.from_environment()
    folder, note = resolve(model, tracking)
    if note:
        say(note)
    followed = model == CHAMPION
    own = {
        "ACERTO_BUNDLE": "" if followed else str(folder.resolve()),
        "ACERTO_MLRUNS": str(tracking.root.resolve()),
        "ACERTO_CONFIGS": str(configs.resolve()),
    }
    if reports is not None:
        own["ACERTO_REPORTS"] = str(reports.resolve())
    if prices is not None:
        own["ACERTO_PRICES"] = str(prices.resolve())
    return {**os.environ, **own}
