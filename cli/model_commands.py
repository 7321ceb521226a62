"""``acerto train``, ``promote`` and ``rollback``: the life of a model version."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import tables as tables_io
from cli.data_checks import LAST, Against, check
from cli.options import DEFAULT_CONFIGS, AsJson, By, Configs, DataDir, moment, signer
from cli.output import OnStep, progress, say, show_json, show_table
from cli.sharding import Cluster, Means, ShardDir, Shards, Workers
from cli.training_output import say_steps, say_tuning, say_workers
from cli.training_runs import computing, growers

if TYPE_CHECKING:
    from training.caching.steps import Steps
    from training.ope.estimators import Estimate
    from training.ope.opponents import Compared
    from training.pipeline import TrainingResult
    from training.registry import Tracking

_PROMOTE_DATA = (
    "Canonical tables with decisions: the version's policy is compared on them with those of the champion, the ladder, "
    "a tuned ladder, the best single action and chance. Best decisions after its training."
)
_MAX_DECISIONS = "With --data: compare on at most so many decisions, drawn by hash. Fewer are faster, and settle less."
_CACHE = (
    "Folder for finished steps, from which a run that was stopped goes on; by default mlruns/cache. cache.max_gib in "
    "training.yaml bounds its size."
)
_NO_CACHE = "Compute every step, and keep none."
_REPORT = "Also write the version's report and keep it on its run."
_METRICS = ("auc", "ks", "brier", "ece", "log_loss")


def train(
    data: DataDir,
    until: Annotated[str | None, typer.Option("--until", help="Use nothing from this moment on.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the run.")] = None,
    against: Against = LAST,
    report: Annotated[bool, typer.Option("--report", help=_REPORT)] = False,
    cache: Annotated[Path | None, typer.Option("--cache", help=_CACHE)] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help=_NO_CACHE)] = False,
    shards: Shards = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    shard_dir: ShardDir = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Train on a directory of canonical tables, measure, and register the version as the challenger.

    With --workers or --cluster the features of the payment model's rows are computed shard by shard elsewhere; the
    model is the same, whatever computed them. With more rows than distributed.above_rows in training.yaml the workers
    also grow its boosters together, which makes another model for another number of workers.
    """
    if no_cache and cache is not None:
        raise typer.BadParameter("found --cache and --no-cache, needed one of them", param_hint="--no-cache")
    stop_at = None if until is None else moment(until, option="--until")
    means = Means.given(shards, workers, cluster, shard_dir)
    kept = None if no_cache else _steps(cache, configs=configs)
    with progress("training", quiet=as_json, lines=True) as step:
        result = run_training(
            data, configs=configs, until=stop_at, name=name, against=against, means=means, steps=kept, on_step=step
        )
    if report:
        _keep_report(result, configs=configs, as_json=as_json)
    summary = summarise(result)
    if as_json:
        show_json(summary)
        return
    show_metrics(summary)
    say_workers(summary["workers"], given=growers(means))
    say_tuning(result.evaluation["tuning"])
    say_steps(result.steps)


def _steps(folder: Path | None, *, configs: Path) -> Steps:
    """The cache of steps in a folder, by default beside the registry."""
    from training.caching.entries import Entries
    from training.caching.steps import Steps
    from training.config import load_training_config
    from training.registry import Tracking

    most = load_training_config(configs / "training.yaml").cache.max_gib
    place = folder or Tracking.from_environment().root / "cache"
    return Steps(Entries(place, max_bytes=int(most * 1024**3)))


def run_training(
    data: Path,
    *,
    configs: Path,
    until: datetime | None,
    name: str | None,
    against: str,
    means: Means,
    steps: Steps | None,
    on_step: OnStep,
) -> TrainingResult:
    """Validate, then train; a critical finding stops it, and an expectation that is not met."""
    from features.findings import raise_if_critical
    from training import pipeline, registry

    on_step("validate", 0.0)
    checked = check(data, configs=configs, against=against, until=until, shards=means.shards)
    raise_if_critical(checked.report)
    on_step("read", 0.01)
    tables = tables_io.read(data, configs=configs)
    tracking = registry.Tracking.from_environment()
    with computing(data, means, configs=configs, beside=tracking.root, on_step=on_step) as compute:
        return pipeline.train(
            tables, configs=configs, until=until, name=name, tracking=tracking, checked=checked, steps=steps,
            compute=compute, workers=growers(means), on_step=on_step,
        )  # fmt: skip


def _keep_report(result: TrainingResult, *, configs: Path, as_json: bool) -> None:
    """The report of the new version, on its run."""
    from decisioning.desk import load_desk
    from training import registry
    from training.reporting.policy import load_policy
    from training.reporting.report import write_report

    with tempfile.TemporaryDirectory(prefix="acerto-") as folder, progress("report", quiet=as_json) as step:
        policy, desk = load_policy(configs), load_desk(configs)
        write_report(result.bundle.folder, Path(folder), policy=policy, desk=desk, told=step)
        registry.keep_report(result.version, Path(folder), registry.Tracking.from_environment())


def summarise(result: TrainingResult) -> dict[str, Any]:
    """Version, hashes and the measurements of the explained horizon."""
    evaluation = result.evaluation
    return {
        "version": result.version,
        "model_hash": result.bundle.model_hash,
        "schema_fingerprint": result.bundle.schema.fingerprint,
        "bundle": str(result.bundle.folder),
        "explained_horizon": evaluation["explained_horizon"],
        "horizons": evaluation["horizons"],
        "response": evaluation["response"],
        "workers": result.bundle.settings.get("workers"),
        "steps": result.steps.told,
        "tuning": {
            model: {key: one for key, one in found.items() if key != "trials"}
            for model, found in evaluation["tuning"].items()
        },
    }


def show_metrics(summary: dict[str, Any]) -> None:
    """The measurements as a table: the model beside the scorecard and days past due alone."""
    days = summary["explained_horizon"]
    explained = summary["horizons"][str(days)]
    columns = {"model": "metrics", "scorecard": "scorecard", "days past due": "days_past_due"}
    rows = [
        [metric, *(_interval(explained.get(place, {}).get(metric)) for place in columns.values())]
        for metric in _METRICS
    ]
    show_table(f"version {summary['version']}, p_pay_{days}d on held-out rows", ["", *columns], rows)
    refused = summary["response"].get("refused")
    say(f"no response model: {refused}; decisions rest on configured priors" if refused else "response model trained")
    say(f"model hash {summary['model_hash']}")


def _interval(found: dict[str, float] | None) -> str:
    if not found or found.get("value") is None:
        return "–"
    low, high = found.get("low"), found.get("high")
    return f"{found['value']:.4f}" + (f" [{low:.4f}, {high:.4f}]" if low is not None and high is not None else "")


def promote(
    version: Annotated[str | None, typer.Option("--version", help="By default the challenger.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Promote past gates that are not met; needs --why.")] = False,
    why: Annotated[str | None, typer.Option("--why", help="The reason, which is recorded.")] = None,
    data: Annotated[Path | None, typer.Option("--data", help=_PROMOTE_DATA)] = None,
    max_decisions: Annotated[int, typer.Option("--max-decisions", min=1, help=_MAX_DECISIONS)] = 150_000,
    by: By = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Check the gates of a version and make it the champion."""
    if force and not why:
        raise typer.BadParameter("--force needs --why TEXT, which is recorded with the promotion", param_hint="--why")
    from training import promotion, registry
    from training.config import load_training_config

    gates = load_training_config(configs / "training.yaml").gates
    tracking = registry.Tracking.from_environment()
    chosen = registry.challenger(tracking) if version is None else version
    with progress("comparing", quiet=as_json or data is None) as step:
        compared = _compared(chosen, data, tracking, configs=configs, max_rows=max_decisions, on_step=step)
    if compared.comparisons:
        # Before the gates: what stopped a version belongs in its record as much as what let it pass.
        registry.keep_comparison(chosen, compared.as_json(), tracking)
    if not as_json:
        _show_compared(compared)
    done = promotion.promote(
        tracking, version=chosen, gates=gates, why=why if force else None, by=signer(by),
        comparisons=compared.comparisons,
    )  # fmt: skip
    if as_json:
        checked = [gate.as_json() for gate in done.gates]
        told = {"version": done.version, "previous": done.previous, "gates": checked, "forced": done.forced}
        show_json({**told, "compared": compared.as_json()})
        return
    for gate in done.gates:
        found = f"{gate.found:.4f}" if isinstance(gate.found, float) else gate.found
        say(f"{'met' if gate.met else 'NOT met'}: {gate.name}, found {found}, needed {gate.needed}")
    before = f" instead of version {done.previous}" if done.previous not in {None, done.version} else ""
    say(f"version {done.version} is champion{before}")


def _compared(
    version: str, data: Path | None, tracking: Tracking, *, configs: Path, max_rows: int, on_step: OnStep
) -> Compared:
    """A version against its opponents on the decisions of a directory; the champion is one where it is another."""
    from decisioning.bundle import read_bundle
    from decisioning.engine import load_desk
    from training import registry
    from training.config import load_training_config
    from training.ope.opponents import Compared, compare_on

    if data is None:
        return Compared((), ("not compared with champion, ladder or any other policy: give --data DIR with decisions",))
    on_step("reading", 0.0)
    bundle = read_bundle(registry.bundle_of(version, tracking))
    before = registry.champions(tracking)[-1:]
    champion = read_bundle(registry.bundle_of(before[0], tracking)) if before and before[0] != version else None
    return compare_on(
        tables_io.read(data, configs=configs), bundle, champion=champion, desk=load_desk(configs),
        config=load_training_config(configs / "training.yaml"), max_rows=max_rows, on_step=on_step,
    )  # fmt: skip


def _show_compared(compared: Compared) -> None:
    """The comparisons as a table for people."""
    rows = [
        [found.opponent, _gain(found.uplift), _gain(found.mdr_uplift), found.verdict] for found in compared.comparisons
    ]
    if rows:
        title = f"value per decision over {compared.days} days, on {compared.decisions:,} decisions, less that of"
        show_table(title, ["opponent", "DR", "DR on channels", "verdict"], rows)
    open_ = compared.with_verdict("not_established")
    if open_:
        say(
            f"not established: these decisions do not tell whether the version is worth more than {', '.join(open_)}; "
            "more of them, or exploring fewer actions, would"
        )
    for line in compared.notices:
        say(line)


def _gain(found: Estimate | None) -> str:
    return "–" if found is None else f"{found.value:,.2f} [{found.low:,.2f}, {found.high:,.2f}]"


def rollback(
    why: Annotated[str | None, typer.Option("--why", help="The reason, which is recorded.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Make the champion before the present one champion again."""
    from training import registry

    down, up = registry.roll_back(registry.Tracking.from_environment(), by=signer(by), why=why)
    if as_json:
        show_json({"version": up, "previous": down})
        return
    say(f"version {up} is champion again; version {down} is no longer")
