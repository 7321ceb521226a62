"""``acerto features --check-skew``: a sample of the vectors that the service logged, recomputed from the tables."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.output import progress, say, show_json, show_table

if TYPE_CHECKING:
    from features.schema import FeatureSchema
    from features.skew import Verdict
    from features.vectors import Vector

_MOST_LINES = 20


@dataclass(frozen=True)
class Sample:
    """Vectors drawn from a log of ``logged`` lines; ``torn`` of the drawn lines could not be read."""

    vectors: list[Vector]
    logged: int
    torn: int


def check_skew(data: Path, log: Path | None, *, model: str, size: int, seed: int, as_json: bool) -> None:
    """Recompute a sample and tell what differs; exit code 1 where anything does.

    Parameters
    ----------
    log : folder of the feature log, by default that of ``ACERTO_FEATURE_LOG``
    model : further place to look for the model that scored, beside the versions that the log names
    """
    named = os.environ.get("ACERTO_FEATURE_LOG")
    folder = log or (Path(named) if named else None)
    if folder is None:
        raise typer.BadParameter("give --log DIR, or set ACERTO_FEATURE_LOG", param_hint="--log")
    with progress("skew", quiet=as_json) as step:
        step("reading the log", 0.0)
        sample = _sampled(folder, size=size, seed=seed)
        step("recomputing", 0.1)
        verdicts = _checked(sample.vectors, data, model=model)
    counts = Counter(verdict.status for verdict in verdicts)
    if as_json:
        show_json(_for_machines(sample, verdicts))
    else:
        _show(sample, verdicts)
    if counts["differs"]:
        raise typer.Exit(1)


def _sampled(folder: Path, *, size: int, seed: int) -> Sample:
    import numpy as np

    from domain.errors import DataError
    from features.vectors import Vector, sample_lines

    files = sorted(folder.glob("features-*.jsonl"))
    if not files:
        raise DataError(
            f"found no features-<day>.jsonl in {folder}, needed the log of a service started with ACERTO_FEATURE_LOG"
        )
    lines, logged = sample_lines(_lines(files), size, rng=np.random.default_rng(seed))
    vectors: list[Vector] = []
    torn = 0
    for line in lines:
        try:
            vectors.append(Vector.from_line(line))
        except ValueError:
            # A process that died in the middle of a line leaves one behind: it is counted and told.
            torn += 1
    return Sample(vectors, logged, torn)


def _lines(files: list[Path]) -> Iterator[str]:
    for path in files:
        with path.open(encoding="ascii", errors="replace") as file:
            yield from file


def _checked(vectors: list[Vector], data: Path, *, model: str) -> list[Verdict]:
    from features.skew import Verdict, check
    from features.tables import read_tables

    schemas = _schemas(vectors, model)
    found: dict[int, Verdict] = {}
    groups: dict[str, list[int]] = defaultdict(list)
    for position, vector in enumerate(vectors):
        groups[vector.fingerprint].append(position)
    for fingerprint, positions in groups.items():
        schema = schemas.get(fingerprint)
        members = [vectors[position] for position in positions]
        if schema is None:
            verdicts = [Verdict(one.account_id, one.as_of_us, "not_comparable", "other_schema") for one in members]
        else:
            verdicts = check(members, read_tables(data, attributes=schema.attributes), schema)
        found.update(zip(positions, verdicts, strict=True))
    return [found[position] for position in range(len(vectors))]


def _schemas(vectors: list[Vector], model: str) -> Mapping[str, FeatureSchema]:
    """Schemas by fingerprint: those of the versions that the log names, and of the model asked for."""
    from decisioning.bundle import read_bundle
    from domain.errors import BundleError, FeatureSchemaMismatchError
    from training.registry import Tracking, resolve

    found: dict[str, FeatureSchema] = {}
    for name in sorted({model, *(vector.model_version for vector in vectors)}):
        try:
            schema = read_bundle(resolve(name, Tracking.from_environment())[0]).schema
        except (BundleError, FeatureSchemaMismatchError) as error:
            # The vectors of a model that is gone are told as not comparable; the others are still compared.
            say(f"model {name}: {error}")
            continue
        found[schema.fingerprint] = schema
    return found


def _summary(sample: Sample, verdicts: list[Verdict]) -> dict[str, Any]:
    statuses = Counter(verdict.status for verdict in verdicts)
    features: dict[str, dict[str, int]] = {}
    for kind in ("differs", "without_table", "without_siblings"):
        tally = Counter(name for verdict in verdicts for name in getattr(verdict, kind))
        features[kind] = dict(tally.most_common())
    return {
        "logged": sample.logged,
        "checked": len(verdicts),
        "torn": sample.torn,
        "equal": statuses["equal"],
        "differs": statuses["differs"],
        "not_comparable": statuses["not_comparable"],
        "reasons": dict(Counter(verdict.reason for verdict in verdicts if verdict.reason)),
        "features": features,
    }


def _for_machines(sample: Sample, verdicts: list[Verdict]) -> dict[str, Any]:
    from domain.clock import rfc3339

    told = [
        {name: value for name, value in asdict(one).items() if name != "as_of_us"} | {"as_of": rfc3339(one.as_of_us)}
        for one in verdicts
        if one.status != "equal"
    ]
    return {**_summary(sample, verdicts), "vectors": told}


def _show(sample: Sample, verdicts: list[Verdict]) -> None:
    from domain.clock import rfc3339

    told = _summary(sample, verdicts)
    different = [verdict for verdict in verdicts if verdict.status == "differs"]
    rows = [
        [
            f"{one.account_id} {rfc3339(one.as_of_us)}",
            str(len(one.differs)),
            "–" if one.largest is None else f"{one.largest:g}",
            ", ".join(one.differs[:3]),
        ]
        for one in different[:_MOST_LINES]
    ]
    if rows:
        show_table("vectors that differ", ["account and moment", "features", "largest", "such as"], rows)
    for kind, why in (("without_table", "left out a table"), ("without_siblings", "lacked accounts of the debtor")):
        if told["features"][kind]:
            say(f"{len(told['features'][kind])} features were not compared where the request {why}")
    for reason, count in told["reasons"].items():
        say(f"{count} vectors cannot be compared: {reason.replace('_', ' ')}")
    if sample.torn:
        say(f"{sample.torn} lines of the log cannot be read")
    say(
        f"{told['checked']} of {told['logged']} logged vectors: {told['equal']} equal, {told['differs']} differ, "
        f"{told['not_comparable']} cannot be compared"
    )
