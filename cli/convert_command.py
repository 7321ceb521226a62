"""``acerto convert``: one's own tables as canonical ones, by a mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DEFAULT_CONFIGS, AsJson, Configs
from cli.output import say, say_result, show_json
from cli.tables import attributes_of
from domain.errors import DataError

if TYPE_CHECKING:
    from features.mapping.fates import Converted

_SOURCE = "Folder of the files that the mapping names; by default the one that the mapping is in."
Source = Annotated[Path | None, typer.Option("--source", help=_SOURCE)]
_SUMMARY = "conversion.json"
"""Beside the tables: what became of every row. It also says that the folder may be written over."""


def convert(
    mapping: Annotated[Path, typer.Option("--mapping", help="The mapping, as acerto init writes one to fill in.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the canonical tables to.")],
    source: Source = None,
    configs: Configs = DEFAULT_CONFIGS,
    as_json: AsJson = False,
) -> None:
    """Write canonical tables from your own ones, and say what became of every row; all of it, or nothing."""
    _refuse_other_data(out)
    with converted(mapping, source=source, configs=configs, beside=out) as (folder, done):
        _replace(out, folder, done)
    if as_json:
        show_json(done.to_json())
        return
    say_result(done.text())
    say(f"written to {out}; next: acerto validate --data {out}")


@contextmanager
def converted(
    mapping: Path, *, source: Path | None, configs: Path, beside: Path | None = None
) -> Iterator[tuple[Path, Converted]]:
    """The canonical tables that a mapping makes, in a folder that is gone afterwards, and what became of every row."""
    from features.mapping.converting import convert as run

    place = None if beside is None else beside.parent
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".acerto-", dir=place) as scratch:
        folder = Path(scratch) / "tables"
        yield folder, run(mapping, folder, folder=source or mapping.parent, attributes=attributes_of(configs))


def _refuse_other_data(out: Path) -> None:
    """Only a folder that a conversion wrote, or an empty one, is written to: no table of another origin stays in it."""
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / _SUMMARY).is_file())):
        raise DataError(
            f"{out}: found something that acerto convert did not write, needed no or an empty folder; "
            "give another --out, or move it away"
        )


def _replace(out: Path, folder: Path, done: Converted) -> None:
    """The new tables instead of those of the last conversion, of which none stays."""
    from domain.tables import TABLES

    out.mkdir(exist_ok=True)
    for table in TABLES:
        (out / f"{table}.parquet").unlink(missing_ok=True)
    for path in sorted(folder.iterdir()):
        path.rename(out / path.name)
    summary = json.dumps(done.to_json(), ensure_ascii=False, indent=2)
    (out / _SUMMARY).write_text(summary + "\n", encoding="utf-8")
