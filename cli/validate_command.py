"""``acerto validate``: the data-quality report of a directory of canonical tables."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import typer

from cli import tables as tables_io
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, DataDir
from cli.output import show_json


def validate(data: DataDir, configs: Configs = DEFAULT_CONFIGS, as_json: AsJson = False) -> None:
    """Check a directory of canonical tables: what is there, and what is wrong; exit code 1 on a critical finding."""
    from domain.actions import ActionsConfig
    from domain.config import load_section
    from features.validation import validate as check

    channels = tuple(load_section(configs / "actions.yaml", ActionsConfig).channels)
    attributes = tables_io.attributes_of(configs)
    report = check(data, attributes=attributes, now=datetime.now(UTC), channels=channels)
    if as_json:
        show_json(report.to_json())
    else:
        sys.stdout.write(report.text() + "\n")
    if report.critical:
        raise typer.Exit(1)
