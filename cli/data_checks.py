"""A data directory, validated and held against what is declared of it: what ``validate`` shows and ``train`` asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import ENOSPC
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import OnStep
from cli.sharding import ROWS_IN_ONE_PIECE, ended_in_order
from cli.tables import attributes_of
from domain.errors import DataError

if TYPE_CHECKING:
    from features.config import Attribute
    from features.findings import Report
    from features.gates.judging import Declared
    from training.data_gates import Checked

_AGAINST = (
    "Which training to compare the data with: challenger (the last one), champion, a version, a bundle directory, or "
    "none, for a portfolio that has nothing to do with those before."
)
Against = Annotated[str, typer.Option("--against", help=_AGAINST)]
LAST = "challenger"
_SHARDS = (
    "Put rows that have to meet into so many parts, on disk where they are many; else as the size of the data asks."
)
Parts = Annotated[int | None, typer.Option("--shards", min=1, help=_SHARDS)]


def check(
    data: Path,
    *,
    configs: Path,
    against: str,
    until: datetime | None = None,
    shards: int | None = None,
    on_step: OnStep = lambda _step, _share: None,
) -> Checked:
    """Validation with the declared expectations; bad data are findings, never errors.

    Parameters
    ----------
    shards : parts by which memory is bounded; where not given, as many as large data ask for, and none for small ones

    Raises
    ------
    DataError : the directory does not exist, or there is no room for what is put aside
    """
    from domain.actions import ActionsConfig
    from domain.config import load_section
    from features.gates.judging import load_declared
    from training.data_gates import Checked, profile_of_training
    from training.registry import Tracking

    before, name = profile_of_training(against, Tracking.from_environment())
    declared = load_declared(configs, before=before, against=name if before is not None else None)
    channels = tuple(load_section(configs / "actions.yaml", ActionsConfig).channels)
    asked = Asked(attributes_of(configs), datetime.now(UTC), channels, declared, until)
    parts = shards or _parts(data)
    report = _in_one_piece(data, asked) if parts is None else _by_parts(data, asked, parts, on_step=on_step)
    return Checked(report, declared)


@dataclass(frozen=True, slots=True)
class Asked:
    """What validation is asked."""

    attributes: Mapping[str, Attribute]
    now: datetime
    channels: tuple[str, ...]
    declared: Declared
    until: datetime | None


def _parts(data: Path) -> int | None:
    """How many parts bound memory where the data are large."""
    from features.reading_files import estimated_rows
    from features.streaming.scattered import ROWS_PER_PART

    rows = estimated_rows(data)
    return -(-rows // ROWS_PER_PART) if rows > ROWS_IN_ONE_PIECE else None


def _in_one_piece(data: Path, asked: Asked) -> Report:
    from features.validation import validate

    return validate(
        data, attributes=asked.attributes, now=asked.now, channels=asked.channels, declared=asked.declared,
        until=asked.until,
    )  # fmt: skip


def _by_parts(data: Path, asked: Asked, parts: int, *, on_step: OnStep) -> Report:
    from features.streaming.checking import validate_by_parts
    from features.streaming.scattered import Sizes

    with ended_in_order(), TemporaryDirectory(prefix="acerto-validate-") as scratch:
        try:
            return validate_by_parts(
                data, Path(scratch), sizes=Sizes(parts), attributes=asked.attributes, now=asked.now,
                channels=asked.channels, declared=asked.declared, until=asked.until, on_step=on_step,
            )  # fmt: skip
        except OSError as error:
            if error.errno != ENOSPC:
                raise
            raise DataError(
                f"found no room left in {gettempdir()}, needed about three times what the tables take as Parquet; "
                "make room, or set TMPDIR to a folder that has it"
            ) from error
