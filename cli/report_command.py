"""``acerto report``: the risk report of a version and of what it decided."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, Model
from cli.output import OnStep, progress, say, show_json

if TYPE_CHECKING:
    from decisioning.desk import Desk
    from features.encoding import Encoded
    from training.reporting.decided import DecidedRows, Proposed
    from training.reporting.evidence import Run

_OUT = "Directory to write report.html, report.pdf and report.json to."
_DECISIONS = (
    "A file of `acerto decide`, with the FILE.funnel.json beside it: the report then tells what actions were chosen "
    "from, which rules took the rest away, and the prices of what was scarce."
)
_DATA = (
    "The tables that were decided on: with --decisions, pressure, discounts and refusals are told by group of the "
    "protected attributes; and what the policy adds to its control arms, where decisions are logged."
)
_ARM_DAYS = 90
_COLUMNS = ("account_id", "decided_at", "channel", "arm", "discount_amount", "amount_due", "refusals")


def report(
    out: Annotated[Path, typer.Option("--out", help=_OUT)],
    model: Model = "champion",
    decisions: Annotated[Path | None, typer.Option("--decisions", help=_DECISIONS)] = None,
    data: Annotated[Path | None, typer.Option("--data", help=_DATA)] = None,
    locale: Annotated[str, typer.Option("--locale", help="pt-BR or en.")] = "pt-BR",
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Write the risk report of a model and of its decisions: an offline page, a PDF, and every number as JSON."""
    if locale not in {"pt-BR", "en"}:
        raise typer.BadParameter(f"found {locale!r}, needed pt-BR or en", param_hint="--locale")
    from decisioning.engine import load_desk
    from training.registry import Tracking, resolve
    from training.reporting.policy import load_owner, load_policy
    from training.reporting.report import write_report

    policy, owner, desk = load_policy(configs), load_owner(configs), load_desk(configs)
    folder, note = resolve(model, Tracking.from_environment())
    if note:
        say(note)
    with progress("report", quiet=as_json) as step:
        run = _run(decisions, data, desk=desk, configs=configs, on_step=step)
        write_report(
            folder, out, policy=policy, owner=owner, locale=locale, desk=desk, run=run,
            told=lambda what, share: step(what, 0.3 + 0.7 * share),
        )  # fmt: skip
    files = {kind: str(out / f"report.{kind}") for kind in ("html", "pdf", "json")}
    lights = _lights(out / "report.json")
    if as_json:
        show_json({"bundle": str(folder), **files, "lights": lights})
        return
    colours = list(lights.values())
    told = ", ".join(f"{colours.count(colour)} {colour}" for colour in ("green", "amber", "red", "not_available"))
    say(f"{', '.join(files.values())} written; lights: {told.replace('_', ' ')}")
    red = [code for code, colour in lights.items() if colour == "red"]
    if red:
        say(f"red: {', '.join(red)}")


def _lights(path: Path) -> dict[str, str]:
    return {code: one["light"] for code, one in json.loads(path.read_text(encoding="utf-8"))["lights"].items()}


def _run(decisions: Path | None, data: Path | None, *, desk: Desk, configs: Path, on_step: OnStep) -> Run:
    """What the files of a run tell, as far as they were given."""
    from decisioning.allocation.prices import SUFFIX, read_prices
    from decisioning.exclusions.record import read_exclusions
    from training.reporting.evidence import Run

    exclusions = prices = decided = arms = None
    if decisions is not None:
        on_step("reading decisions", 0.0)
        exclusions = read_exclusions(decisions)
        beside = decisions.with_name(f"{decisions.name}{SUFFIX}")
        prices = read_prices(beside) if beside.is_file() else None
    if data is not None:
        on_step("reading the tables", 0.05)
        encoded = _encoded(data, configs)
        if decisions is not None:
            decided = _decided(decisions, encoded, desk)
        on_step("comparing arms", 0.2)
        arms = _arms(encoded, desk, configs)
    return Run(exclusions, prices, decided, arms)


def _encoded(data: Path, configs: Path) -> Encoded:
    from features.encoding import encode

    return encode(tables_io.read(data, configs=configs), attributes=tables_io.attributes_of(configs))


def _decided(path: Path, encoded: Encoded, desk: Desk) -> DecidedRows | None:
    from training.reporting.decided import decided_rows

    found = _proposed(path)
    return None if found is None else decided_rows(found, encoded, desk.catalogue)


def _proposed(path: Path) -> Proposed | None:
    """Columns of a decisions file; ``None`` where it holds no decision."""
    import numpy as np

    from domain.clock import parse_moment, to_us
    from training.reporting.decided import Proposed

    rows = list(_parquet(path) if path.suffix == ".parquet" else _csv(path))
    if not rows:
        return None
    first = rows[0]["decided_at"]
    return Proposed(
        account_id=[row["account_id"] for row in rows],
        decided_at_us=to_us(parse_moment(first) if isinstance(first, str) else first),
        channel=[row["channel"] for row in rows],
        arm=[row["arm"] for row in rows],
        discount=np.array([float(row["discount_amount"] or 0.0) for row in rows]),
        amount_due=np.array([float(row["amount_due"]) for row in rows]),
        refused=np.array([len({refusal["action"] for refusal in row["refusals"]}) for row in rows], dtype=np.float64),
    )


def _parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow.parquet as pq

    yield from pq.read_table(path, columns=list(_COLUMNS)).to_pylist()


def _csv(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {**row, "refusals": json.loads(row["refusals"])}


def _arms(encoded: Encoded, desk: Desk, configs: Path) -> Mapping[str, Any] | None:
    """What the policy adds to its control arms, or why that cannot be told."""
    from domain.errors import NotEnoughDataError
    from training.arm_lift import Period, arm_lifts
    from training.config import load_training_config
    from training.dataset import Horizon
    from training.facts import end_of_data

    lag = load_training_config(configs / "training.yaml").posting_lag_days
    horizon = Horizon(end_of_data(encoded.tables, until_us=None), lag)
    try:
        found = arm_lifts(encoded, desk.catalogue, horizon, objective=desk.config.objective, period=Period(_ARM_DAYS))
    except NotEnoughDataError as error:
        return {"why": str(error)}
    return found.to_json()
