"""``acerto evaluate``: what a policy would have been worth, from decisions that another policy took and logged."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, moment
from cli.output import OnStep, progress, say, show_json, show_table
from domain.clock import to_us
from domain.errors import NotEnoughDataError

if TYPE_CHECKING:
    from decisioning.bundle import ModelBundle
    from training.ope.table import PlainLog
    from training.ope.told import Told
    from training.ope.verdict import Options

_HELP = {
    "log": "CSV or Parquet: decision_id, action, action_prob, reward, pi_<name> per policy; optional debtor_id, "
    "eligible, x_<covariate>, q with q_<name>, channel_prob with channel_pi_<name> (docs/evaluation.md). Without "
    "covariates or q, DR has the mean reward of other debtors for its outcome model.",
    "data": "Directory of canonical tables with decisions; with --log, where its accounts are found for --model.",
    "model": "With --data: champion (the default), challenger, a version, or a bundle directory. With --log and --data "
    "it is evaluated as the policy `model` on the table, which then needs account_id and decided_at.",
    "baseline": "What policies are compared with: logged, the logging policy, or the name of a policy.",
    "clip": "Cap the weights: less variance, and a bias of unknown size. Marked in the result.",
    "estimate": "Estimate action_prob from the table in place of the logged one; every figure and verdict is marked.",
    "horizon": "With --data: days over which money counts; by default the longest that enough decisions lived through.",
    "from": "With --data: only decisions from this moment on, RFC 3339 with offset; best after the model's training.",
}


def evaluate(
    log: Annotated[Path | None, typer.Option("--log", help=_HELP["log"])] = None,
    data: Annotated[Path | None, typer.Option("--data", help=_HELP["data"])] = None,
    model: Annotated[str | None, typer.Option("--model", help=_HELP["model"])] = None,
    baseline: Annotated[str, typer.Option("--baseline", help=_HELP["baseline"])] = "logged",
    clip: Annotated[float | None, typer.Option("--clip", help=_HELP["clip"])] = None,
    estimate: Annotated[bool, typer.Option("--estimate-action-prob", help=_HELP["estimate"])] = False,
    horizon_days: Annotated[int | None, typer.Option("--horizon-days", min=1, help=_HELP["horizon"])] = None,
    since: Annotated[str | None, typer.Option("--from", help=_HELP["from"])] = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Value policies on logged decisions: IPS, SNIPS and doubly robust, with intervals, support and a verdict.

    Exit code 1 and no_support where the log cannot say anything about a policy; not_established where it says too
    little for a verdict.
    """
    _check_usage(log, data, model, only_data=(horizon_days, since), estimate=estimate)
    if clip is not None and not clip > 0:
        raise typer.BadParameter(f"found --clip {clip:g}, needed a weight above 0")
    from_moment = None if since is None else moment(since, option="--from")
    from training.ope.verdict import Options

    options = Options(baseline=baseline, clip=clip)
    with progress("evaluating", quiet=as_json) as step:
        if log is not None:
            told = _of_table(log, options, estimate=estimate, beside=data, model=model, configs=configs)
        else:
            assert data is not None  # one of the two is given
            told = _of_data(
                data, model or "champion", options, horizon_days=horizon_days, since=from_moment, configs=configs,
                step=step,
            )  # fmt: skip
    if as_json:
        show_json(told.as_json())
    else:
        _show(told)
    if told.refused:
        raise NotEnoughDataError(told.refusal)


def _check_usage(
    log: Path | None, data: Path | None, model: str | None, *, only_data: tuple[object, ...], estimate: bool
) -> None:
    if log is None and data is None:
        raise typer.BadParameter("give --log FILE, or --data DIR")
    if log is not None and (model is None) != (data is None):
        raise typer.BadParameter(
            "--log FILE alone tells policies by columns pi_<name>; to evaluate a model on it give both --model and "
            "--data DIR, where its accounts are found"
        )
    if log is not None and any(option is not None for option in only_data):
        raise typer.BadParameter("--horizon-days and --from are for --data DIR alone: a plain table holds its rewards")
    if log is None and estimate:
        raise typer.BadParameter("--estimate-action-prob needs --log FILE: canonical decisions carry action_prob")


def _of_table(
    path: Path, options: Options, *, estimate: bool, beside: Path | None, model: str | None, configs: Path
) -> Told:
    from training.ope.estimated import with_estimated_action_prob
    from training.ope.table import read_log
    from training.ope.told import Told
    from training.ope.verdict import evaluate

    plain = read_log(path, action_prob=not estimate, policies=model is None)
    if model is not None and beside is not None:
        plain = _with_model(plain, path, beside, model, configs=configs)
    if estimate:
        plain = with_estimated_action_prob(plain)
    found = evaluate(plain.log, plain.targets(), options=options)
    return Told(found, outcome_model=plain.outcome_model, estimated=estimate)


def _with_model(plain: PlainLog, path: Path, data: Path, model: str, *, configs: Path) -> PlainLog:
    from decisioning.engine import load_desk
    from training.ope.joined import with_model

    tables = tables_io.read(data, configs=configs)
    return with_model(plain, path, tables, _bundle(model), desk=load_desk(configs))


def _bundle(model: str) -> ModelBundle:
    from decisioning.bundle import read_bundle
    from training.registry import Tracking, resolve

    folder, note = resolve(model, Tracking.from_environment())
    if note:
        say(note)
    return read_bundle(folder)


def _of_data(
    data: Path,
    model: str,
    options: Options,
    *,
    horizon_days: int | None,
    since: datetime | None,
    configs: Path,
    step: OnStep,
) -> Told:
    from decisioning.engine import load_desk
    from training.config import load_training_config
    from training.ope.canonical import Question, evaluate_data

    bundle = _bundle(model)
    step("reading", 0.0)
    question = Question(horizon_days, None if since is None else to_us(since), options)
    return evaluate_data(
        tables_io.read(data, configs=configs), bundle, desk=load_desk(configs),
        config=load_training_config(configs / "training.yaml"), question=question, on_step=step,
    )  # fmt: skip


def _show(told: Told) -> None:
    """The result as tables for people."""
    show_table(told.title, *told.values)
    show_table("uplift and support", *told.verdicts)
    for line in told.remarks:
        say(line)
