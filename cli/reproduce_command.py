"""``acerto reproduce``: a recorded training run, done again from its own configurations, and held against itself."""

from __future__ import annotations

import re
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, DataDir
from cli.output import OnStep, progress, say, say_result, show_json, show_table
from cli.sharding import Cluster, Means, Workers
from cli.training_runs import as_many
from domain.clock import parse_moment

if TYPE_CHECKING:
    from training.registry import Tracking
    from training.runs.reproduce import Reproduced

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_THREADS = "Another number of threads than the run had."


def reproduce(
    model: Annotated[str, typer.Argument(help="A version, champion, challenger, a bundle's folder or a run's id.")],
    data: DataDir,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help=_THREADS)] = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Train again as a version was trained, and compare the model's hash; exit 1 where it is another.

    The recorded configurations are used, and nothing is registered. --configs is only compared with them. A run whose
    boosters were grown on workers needs as many again, by --workers or --cluster.
    """
    from training import registry

    means = Means.given(None, workers, cluster, None)
    tracking = registry.Tracking.from_environment()
    folder = _bundle(model, tracking)
    with progress("training again", quiet=as_json) as step:
        found = _again(folder, data, configs=configs, threads=threads, means=means, on_step=step)
    if as_json:
        hashes = {"recorded_hash": found.recorded_hash, "found_hash": found.found_hash, "same": found.same}
        show_json({"bundle": str(folder), **hashes, "differences": [asdict(one) for one in found.differences]})
    else:
        _show(found)
    if not found.same:
        raise typer.Exit(1)


def _bundle(model: str, tracking: Tracking) -> Path:
    from training import registry

    if _RUN_ID.fullmatch(model):
        return registry.bundle_of(registry.version_of_run(model, tracking), tracking)
    folder, note = registry.resolve(model, tracking)
    if note is not None:
        say(note)
    return folder


def _again(
    folder: Path, data: Path, *, configs: Path, threads: int | None, means: Means, on_step: OnStep
) -> Reproduced:
    from domain.clock import to_us
    from training.facts import known_before
    from training.pipeline import retrain
    from training.runs.fingerprint import data_summary
    from training.runs.record import read_record
    from training.runs.reproduce import compared, recorded_configs

    record = read_record(folder)
    until = None if record["until"] is None else parse_moment(record["until"])
    again_on = as_many(record.get("workers"), means)
    with recorded_configs(record, threads=threads) as used, tempfile.TemporaryDirectory(prefix="acerto-") as scratch:
        on_step("read", 0.0)
        tables = tables_io.read(data, configs=used)
        known = tables if until is None else known_before(tables, until_us=to_us(until))
        again = Path(scratch) / "bundle"
        retrain(
            tables, again, configs=used, until=until, tuning=record.get("tuning") or None, workers=again_on,
            on_step=on_step,
        )  # fmt: skip
        return compared(record, (folder, again), data=data_summary(known), configs=configs)


def _show(found: Reproduced) -> None:
    """What differs as a table, then the verdict."""
    if found.differences:
        rows = [[one.kind, one.name, one.recorded, one.found] for one in found.differences]
        show_table("not as it was recorded", ["what", "name", "recorded", "found"], rows)
    if found.of("configs"):
        say("other configuration files lie here now than the run had; those that were recorded were used")
    if found.same:
        say_result(f"the same model: {found.found_hash}")
        return
    say_result(f"another model: recorded {found.recorded_hash}, found {found.found_hash}")
    causes = [kind for kind in ("data", "lock", "code") if found.of(kind)]
    say(
        f"what it may come from: {', '.join(causes)}"
        if causes
        else "data, packages and code are those that were recorded; that is a fault: report it with this output"
    )
