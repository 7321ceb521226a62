"""``acerto validate``: the data-quality report of a directory of canonical tables, or of what a mapping makes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.convert_command import Source, converted
from cli.data_checks import LAST, Against, Parts, check
from cli.options import DEFAULT_CONFIGS, AsJson, Configs
from cli.output import progress, say_result, show_json

_MAPPING = "Check a mapping, and the tables that it makes of your own ones, which are not kept."


def validate(
    data: Annotated[Path | None, typer.Option("--data", help="Directory of canonical tables.")] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help=_MAPPING)] = None,
    source: Source = None,
    against: Against = LAST,
    shards: Parts = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Check canonical tables, or those that a mapping makes: what is wrong; exit code 1 where training would stop.

    Data of more than some million rows are read in pieces, so that memory stays bounded; the report is the same.
    """
    with (
        _tables(data, mapping, source=source, configs=configs, as_json=as_json) as (folder, told),
        progress("validating", quiet=as_json) as step,
    ):
        report = check(folder, configs=configs, against=against, shards=shards, on_step=step).report
    report = replace(report, directory=str(data or mapping))
    if as_json:
        show_json({**report.to_json(), **told})
    else:
        sys.stdout.write(report.text() + "\n")
    if not report.usable:
        raise typer.Exit(1)


@contextmanager
def _tables(
    data: Path | None, mapping: Path | None, *, source: Path | None, configs: Path, as_json: bool
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Where the tables lie, and for machines what a mapping did; people are told it here."""
    if (data is None) == (mapping is None):
        raise typer.BadParameter("give one of --data DIR and --mapping FILE", param_hint="--data")
    if data is not None:
        yield data, {}
    elif mapping is not None:
        with converted(mapping, source=source, configs=configs) as (folder, done):
            if not as_json:
                say_result(done.text() + "\n")
            yield folder, {"conversion": done.to_json()}
