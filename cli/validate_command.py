"""``acerto validate``: the data-quality report of a directory of canonical tables."""

from __future__ import annotations

import sys

import typer

from cli.data_checks import LAST, Against, check
from cli.options import DEFAULT_CONFIGS, AsJson, Configs, DataDir
from cli.output import show_json


def validate(
    data: DataDir, against: Against = LAST, configs: Configs = DEFAULT_CONFIGS, as_json: AsJson = False
) -> None:
    """Check a directory of canonical tables: what is there, what is wrong; exit code 1 where training would stop."""
    report = check(data, configs=configs, against=against).report
    if as_json:
        show_json(report.to_json())
    else:
        sys.stdout.write(report.text() + "\n")
    if not report.usable:
        raise typer.Exit(1)
