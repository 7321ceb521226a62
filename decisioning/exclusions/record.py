"""The figures as a file beside the decisions that they are of."""

from __future__ import annotations

import json
from hashlib import file_digest
from pathlib import Path

from pydantic import ValidationError

from decisioning.exclusions.figures import Exclusions
from domain.errors import DataError


def beside(decisions: Path) -> Path:
    """Where the figures of a file of decisions stand.

    >>> beside(Path("out/d.parquet")).as_posix()
    'out/d.parquet.funnel.json'
    """
    return decisions.with_name(f"{decisions.name}.funnel.json")


def write_exclusions(found: Exclusions, decisions: Path) -> None:
    """Writes the figures beside the decisions, whose hash they take along; the same bytes for the same decisions."""
    signed = found.model_copy(update={"decisions_sha256": _sha256(decisions)})
    text = json.dumps(signed.as_json(), ensure_ascii=False, indent=1, allow_nan=False)
    beside(decisions).write_text(text + "\n", encoding="utf-8")


def read_exclusions(decisions: Path) -> Exclusions:
    """The figures that stand beside a file of decisions.

    Raises
    ------
    DataError : a file is missing or cannot be read, or the figures are of other decisions
    """
    path = beside(decisions)
    for needed in (decisions, path):
        if not needed.is_file():
            raise DataError(
                f"found no file {needed}, needed the decisions and {path.name} beside them: `acerto decide --out "
                f"{decisions.name}` writes both"
            )
    try:
        found = Exclusions.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, ValidationError) as error:
        kind = type(error).__name__
        raise DataError(
            f"{path}: found no figures of decisions ({kind}), needed what `acerto decide` writes"
        ) from error
    if found.decisions_sha256 != _sha256(decisions):
        raise DataError(
            f"{path}: found figures of other decisions than those of {decisions.name}, needed both of one run; "
            "decide again"
        )
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()
