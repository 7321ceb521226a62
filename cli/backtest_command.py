"""``acerto backtest``: the payment model as it would have been trained at earlier moments, and what came after each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, DataDir
from cli.output import progress, say, show_json, show_table

if TYPE_CHECKING:
    from training.registry import RunRecord

_WINDOW = "Days of judged rows after each origin; windows follow each other."
_CURVE = "Whether the last origin is also trained on shares of the debtors."


def backtest(
    data: DataDir,
    origins: Annotated[int, typer.Option("--origins", min=1, max=60, help="How many moments to train at.")] = 6,
    window_days: Annotated[int, typer.Option("--window-days", min=1, help=_WINDOW)] = 30,
    curve: Annotated[bool, typer.Option("--curve/--no-curve", help=_CURVE)] = True,
    out: Annotated[Path, typer.Option("--out", help="Folder for backtest.json and backtest.md.")] = Path("backtest"),
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Train at several earlier moments on what was known then, and judge each on what came after.

    Nothing is registered as a version. Each origin is a child run of one run of the tracking store.
    """
    from training import registry
    from training.backtesting.backtest import as_json as json_file
    from training.backtesting.backtest import as_markdown
    from training.backtesting.backtest import backtest as made
    from training.runs.configs import Configs as Loaded

    loaded = Loaded.load(configs)
    with progress("backtest", quiet=as_json, lines=True) as step:
        tables = tables_io.read(data, configs=configs)
        found = made(tables, loaded, origins=origins, window_days=window_days, curve=curve, on_step=step)
    files = {"backtest.json": json_file(found), "backtest.md": as_markdown(found)}
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    registry.keep_backtest(_record(found, files), registry.Tracking.from_environment())
    if as_json:
        show_json(found)
        return
    _show(found)
    say(f"written: {out / 'backtest.md'} and {out / 'backtest.json'}")


def _record(found: dict[str, Any], files: dict[str, bytes]) -> RunRecord:
    """The run of the whole, with one below it for each origin that was measured."""
    from training.backtesting.backtest import metrics_of
    from training.registry import RunRecord

    params = {name: str(found[name]) for name in ("horizon_days", "window_days")}
    params["data_sha256"] = str(found["data"]["sha256"])
    children = [
        RunRecord(one["origin"], {**params, "origin": one["origin"]}, metrics_of(one))
        for one in found["origins"]
        if "not_measured" not in one
    ]
    return RunRecord("backtest", params, {"origins": len(children)}, files, children=children)


def _show(found: dict[str, Any]) -> None:
    rows = [
        [one["origin"][:10], *(["not measured"] + [""] * 5 if "not_measured" in one else _row(one))]
        for one in found["origins"]
    ]
    title = f"p_pay_{found['horizon_days']}d at earlier moments, judged on the {found['window_days']} days after"
    show_table(title, ["origin", "rows", "AUC", "log-loss", "slope", "ECE", "expected / received"], rows)


def _row(one: dict[str, Any]) -> list[str]:
    names = ("auc", "log_loss", "slope", "ece", "expected_over_received")
    return [f"{one['rows']:,}", *(_figure(one.get(name)) for name in names)]


def _figure(found: dict[str, Any] | None) -> str:
    if not found or found["value"] is None:
        return "–"
    low, high = found["low"], found["high"]
    return f"{found['value']:.3f}" + (f" [{low:.3f}, {high:.3f}]" if low is not None and high is not None else "")
