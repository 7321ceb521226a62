"""The record of a run, kept in its bundle: everything that is needed to do it again, and how long it took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from decisioning.integrity import canonical_json
from domain.clock import rfc3339, to_us
from domain.errors import BundleError
from training.runs import environment
from training.runs.configs import Configs

FILE = "run.json"
FORMAT = 1


def run_record(
    loaded: Configs,
    *,
    until: datetime | None,
    data: Mapping[str, Any],
    seconds: Mapping[str, Any],
    steps: Mapping[str, Any] | None = None,
    tuning: Mapping[str, Any] | None = None,
    workers: int | None = None,
) -> dict[str, Any]:
    """The record of a run.

    Parameters
    ----------
    data : the summary of what was trained on (``fingerprint.data_summary``)
    seconds : wall and CPU seconds by step, of those that ended before the bundle was written
    steps : key of each cached step, and how often an earlier run had done it
    tuning : what was searched and found, by model
    workers : how many grew the payment model's boosters together, where this process did not
    """
    versions = environment.lock()
    return {
        "format": FORMAT,
        "until": None if until is None else rfc3339(to_us(until)),
        "data": data,
        "configs": {
            name: {"sha256": sha256(content).hexdigest(), "text": content.decode("utf-8")}
            for name, content in sorted(loaded.files.items())
        },
        "lock": {"versions": versions, "sha256": environment.lock_hash(versions)},
        "code": environment.code(),
        "seconds": seconds,
        "steps": dict(steps or {}),
        "tuning": dict(tuning or {}),
        **({"workers": workers} if workers else {}),
    }


def as_bytes(record: Mapping[str, Any]) -> bytes:
    """The record's file."""
    return canonical_json(dict(record), indent=1)


def read_record(bundle: Path) -> dict[str, Any]:
    """The record in a bundle's folder.

    Raises
    ------
    BundleError : the bundle is of before runs were recorded, or the record is of another format
    """
    path = bundle / "evaluation" / FILE
    if not path.is_file():
        raise BundleError(
            f"{bundle.name}: found no record of its run, needed evaluation/{FILE}; the version was trained before runs "
            "were recorded: train again"
        )
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if found.get("format") != FORMAT:
        raise BundleError(f"{path}: found format {found.get('format')}, needed {FORMAT}; use the build that trained it")
    return found


def params_of(record: Mapping[str, Any], loaded: Configs) -> dict[str, str]:
    """What a tracking server lists as parameters: settings and tuned shapes by dotted name, hashes of the record."""
    hashes = {
        "data_sha256": str(record["data"]["sha256"]),
        "lock_sha256": str(record["lock"]["sha256"]),
        **{f"config_sha256.{name}": str(one["sha256"]) for name, one in record["configs"].items()},
        **{f"code_sha256.{name}": str(one) for name, one in record["code"].items()},
    }
    shapes = {f"tuned.{model}": found["shape"] for model, found in record.get("tuning", {}).items()}
    settings = {**loaded.training.model_dump(mode="json"), **shapes}
    grown = {"workers": str(record["workers"])} if "workers" in record else {}
    return {**_flat(settings), **hashes, **grown, "until": str(record["until"])}


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in settings.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": str(value)}
    return found
