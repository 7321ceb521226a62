"""Files of ``acerto decide``, read back: what each decision proposed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from decisioning.proposals import FIELDS, OPTIONAL_FIELDS, Proposal, proposal_from
from domain.errors import DataError

_LISTS = ("debt_ids", "reasons", *OPTIONAL_FIELDS)


def read_proposals(path: Path) -> list[Proposal]:
    """What each decision of a file proposed, in its order.

    Raises
    ------
    DataError : there is no such file, or it is not as ``acerto decide`` writes it: a column is missing, a field cannot
        be read (named with its row, never its value), or an account was decided on twice
    """
    if not path.is_file():
        raise DataError(f"found no file {path}, needed the decisions that `acerto decide --out` wrote")
    if path.suffix not in {".parquet", ".csv"}:
        raise DataError(f"found the decisions {path.name}, needed a name ending in .parquet or .csv")
    records = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    found = []
    for number, record in enumerate(records, start=1):
        try:
            found.append(proposal_from(record))
        except DataError as error:
            raise DataError(f"{path.name}, row {number}: {error}") from error
    if len({one.account_id for one in found}) < len(found):
        raise DataError(
            f"{path.name}: found accounts that were decided on more than once, needed one decision per account; give "
            "the file of one run of `acerto decide`"
        )
    return found


def _parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(path).names
        _check_columns(path, names)
        table = pq.read_table(path, columns=[name for name in (*FIELDS, *OPTIONAL_FIELDS) if name in names])
    except pa.ArrowInvalid as error:
        raise DataError(f"{path.name}: found a file that is no Parquet; decide again, or give the CSV") from error
    yield from table.to_pylist()


def _csv(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            _check_columns(path, rows.fieldnames or ())
            for row in rows:
                yield {**row, **{name: _parsed(row[name]) for name in _LISTS if name in row}}
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: found bytes that are no UTF-8, needed the CSV of `acerto decide`") from error


def _parsed(text: str | None) -> Any:
    """The list that a cell holds as JSON; whatever is none is left to be refused by its field."""
    try:
        return json.loads(text or "")
    except json.JSONDecodeError:
        return None


def _check_columns(path: Path, names: Any) -> None:
    missing = [name for name in FIELDS if name not in names]
    if missing:
        raise DataError(
            f"{path.name}: found no column {', '.join(missing)}, needed the file that `acerto decide --out` wrote"
        )
