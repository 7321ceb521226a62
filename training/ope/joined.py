"""A model in the place of a table's ``pi_`` columns: its policy at each row, from canonical tables beside the log."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np

from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from decisioning.engine import probabilities
from domain.clock import parse_moment, to_us
from domain.errors import DataError, UnknownAccountError
from domain.tables import Tables
from features.encoding import Encoded, encode
from features.spine import Spine
from training.ope.decisions import mask_of
from training.ope.estimators import Int64s
from training.ope.table import PlainLog, open_log

MODEL = "model"


def with_model(plain: PlainLog, path: Path, tables: Tables, bundle: ModelBundle, *, desk: Desk) -> PlainLog:
    """The same log with the column ``pi_model``: the policy's probability of each logged action, as of its decision.

    Raises
    ------
    DataError : the table lacks account_id or decided_at, or a moment has no offset
    UnknownAccountError : it names accounts that the tables do not hold
    """
    encoded = encode(tables, attributes=bundle.schema.attributes)
    spine, actions = _read(path, encoded)
    policy = probabilities(encoded, spine, bundle, desk=desk)
    names, inverse = np.unique(actions, return_inverse=True)
    covered = np.array([mask_of(str(name), desk.catalogue) for name in names])
    pi = (policy * covered[inverse]).sum(axis=1)
    return replace(plain, numbers={**plain.numbers, f"pi_{MODEL}": np.clip(pi, 0.0, 1.0)})


def _read(path: Path, encoded: Encoded) -> tuple[Spine, list[str]]:
    with closing(duckdb.connect()) as connection:
        columns = open_log(connection, path)
        missing = [name for name in ("account_id", "decided_at") if name not in columns]
        if missing:
            raise DataError(f"{path.name}: found no column {', '.join(missing)}, needed for --model")
        kind = str(connection.execute("SELECT typeof(decided_at) FROM log LIMIT 1").fetchall()[0][0])
        moment = "decided_at" if kind == "VARCHAR" else "epoch_us(decided_at)"
        rows = connection.execute(f"SELECT CAST(account_id AS VARCHAR), {moment}, action FROM log").fetchall()
    index = encoded.account_index()
    accounts = np.array([index.get(row[0], -1) for row in rows], dtype=np.int32)
    if (accounts < 0).any():
        raise UnknownAccountError(
            f"{path.name}: found {int((accounts < 0).sum())} rows of accounts that the data do not hold; "
            "needed ids from the accounts table"
        )
    if kind == "TIMESTAMP":
        raise DataError(f"{path.name}: found decided_at without a time zone, needed moments with one")
    return Spine(accounts, _moments([row[1] for row in rows], path)), [str(row[2]) for row in rows]


def _moments(found: list[str | int | None], path: Path) -> Int64s:
    known: dict[str | int | None, int] = {}
    for text in dict.fromkeys(found):
        try:
            known[text] = text if isinstance(text, int) else to_us(parse_moment(str(text)))
        except ValueError as error:
            raise DataError(
                f"{path.name}: found a decided_at that is no moment, needed RFC 3339 with an offset in every row"
            ) from error
    return np.array([known[text] for text in found], dtype=np.int64)
