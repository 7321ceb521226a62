"""``acerto evaluate``: what a policy would have been worth, from decisions that another policy took and logged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DEFAULT_CONFIGS, AsJson, Configs
from cli.output import progress, say, show_json, show_table
from domain.errors import NotEnoughDataError

if TYPE_CHECKING:
    from training.ope.told import Told

_HELP = {
    "log": "CSV or Parquet: decision_id, action, action_prob, reward, pi_<name> per policy; optional debtor_id, "
    "eligible, x_<covariate>, q with q_<name>, channel_prob with channel_pi_<name> (docs/evaluation.md).",
    "data": "Directory of canonical tables with decisions.",
    "model": "With --data: champion, challenger, a version, or a bundle directory.",
    "baseline": "What policies are compared with: logged, the logging policy, or the name of a policy.",
    "clip": "Cap the weights: less variance, and a bias of unknown size. Marked in the result.",
    "estimate": "Estimate action_prob from the table in place of the logged one; every figure and verdict is marked.",
    "horizon": "With --data: days over which money counts; by default the longest that enough decisions lived through.",
}


def evaluate(
    log: Annotated[Path | None, typer.Option("--log", help=_HELP["log"])] = None,
    data: Annotated[Path | None, typer.Option("--data", help=_HELP["data"])] = None,
    model: Annotated[str | None, typer.Option("--model", help=_HELP["model"])] = None,
    baseline: Annotated[str, typer.Option("--baseline", help=_HELP["baseline"])] = "logged",
    clip: Annotated[float | None, typer.Option("--clip", help=_HELP["clip"])] = None,
    estimate: Annotated[bool, typer.Option("--estimate-action-prob", help=_HELP["estimate"])] = False,
    horizon_days: Annotated[int | None, typer.Option("--horizon-days", min=1, help=_HELP["horizon"])] = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Value policies on logged decisions: IPS, SNIPS and doubly robust, with intervals, support and a verdict."""
    _check_usage(log, data, model, clip=clip, estimate=estimate, horizon_days=horizon_days)
    with progress("evaluating", quiet=as_json) as step:
        if log is not None:
            told = _of_table(log, baseline=baseline, clip=clip, estimate=estimate)
        else:
            raise NotImplementedError
        step("done", 1.0)
    if as_json:
        show_json(told.as_json())
    else:
        _show(told)
    if told.refused:
        raise NotEnoughDataError(told.refusal)


def _check_usage(
    log: Path | None,
    data: Path | None,
    model: str | None,
    *,
    clip: float | None,
    estimate: bool,
    horizon_days: int | None,
) -> None:
    if (log is None) == (data is None):
        raise typer.BadParameter("give --log FILE, or --data DIR, and not both")
    if log is not None and (model is not None or horizon_days is not None):
        raise typer.BadParameter(
            "--model and --horizon-days need --data DIR: a plain table tells a policy by its pi_<name> column"
        )
    if data is not None and estimate:
        raise typer.BadParameter("--estimate-action-prob needs --log FILE: canonical decisions carry action_prob")
    if clip is not None and not clip > 0:
        raise typer.BadParameter(f"found --clip {clip:g}, needed a weight above 0")


def _of_table(path: Path, *, baseline: str, clip: float | None, estimate: bool) -> Told:
    from training.ope.table import read_log
    from training.ope.told import Told
    from training.ope.verdict import Options, evaluate

    plain = read_log(path, action_prob=not estimate)
    options = Options(baseline=baseline, clip=clip)
    if estimate:
        from training.ope.estimated import with_estimated_action_prob

        plain = with_estimated_action_prob(plain)
    found = evaluate(plain.log, plain.targets(), options=options)
    return Told(found, outcome_model=plain.outcome_model, estimated=estimate)


def _show(told: Told) -> None:
    """The result as tables for people."""
    show_table(told.title, *told.values)
    show_table("uplift and support", *told.verdicts)
    for line in told.remarks:
        say(line)
