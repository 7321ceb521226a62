"""The files of a run, each written in one step: a collector or a browser never sees half of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from decisioning.integrity import canonical_json

JSON, PAGE, GAUGES = "monitor.json", "monitor.html", "monitor.prom"


def write(out: Path, name: str, content: bytes) -> Path:
    """One file of a folder, which is made where it is not there."""
    out.mkdir(parents=True, exist_ok=True)
    draft = out / f".{name}.part"
    draft.write_bytes(content)
    return draft.replace(out / name)


def write_numbers(out: Path, told: Mapping[str, Any]) -> Path:
    """``monitor.json``: canonical, so that the same run writes the same bytes."""
    return write(out, JSON, canonical_json(told) + b"\n")
