"""What decisions are truly worth: the simulator's truth beside the ladder, waiting, the best action, and chance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.actions import WAIT
from domain.clock import parse_moment
from domain.errors import DataError

_DRAWS = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """Mean true expected net value per account in currency, over the accounts that were decided on.

    ``best`` is the best action of each account chosen with hindsight, which no policy that sees events alone can reach.
    ``gain`` is ``chosen`` − ``ladder`` with its 95 % interval over debtors' accounts (bootstrap, seeded).
    """

    accounts: int
    chosen: float
    ladder: float
    wait: float
    best: float
    gain: float
    gain_low: float
    gain_high: float


def end_of(data: Path) -> datetime:
    """The moment at which a simulated history ends, and for which its truth holds."""
    meta = data / "truth" / "meta.json"
    if not meta.is_file():
        raise DataError(f"found no {meta}, needed a directory that `acerto simulate` wrote")
    return parse_moment(json.loads(meta.read_text(encoding="utf-8"))["as_of"])


def judge(data: Path, chosen: Mapping[str, str]) -> Verdict:
    """The true worth of an action per account; accounts without truth (they owed nothing) are left out.

    Raises
    ------
    DataError : the directory holds no truth, or none of the accounts
    """
    end_of(data)
    picked = pa.table({"account_id": list(chosen), "action": list(chosen.values())})
    with duckdb.connect() as connection:
        connection.register("picked", picked)
        rows = connection.execute(
            """
            SELECT account_id,
                   max(v.expected_net_value) FILTER (v.action = p.action),
                   max(v.expected_net_value) FILTER (v.action = a.ladder_action),
                   max(v.expected_net_value) FILTER (v.action = ?),
                   max(v.expected_net_value)
            FROM read_parquet(?) v JOIN picked p USING (account_id) JOIN read_parquet(?) a USING (account_id)
            GROUP BY account_id ORDER BY account_id
            """,
            [WAIT, str(data / "truth/values.parquet"), str(data / "truth/accounts.parquet")],
        ).fetchall()
    if not rows:
        raise DataError(f"found no truth on these {len(chosen)} accounts in {data}; were they simulated there?")
    values = np.array([row[1:] for row in rows], dtype=np.float64)
    low, high = _interval(values[:, 0] - values[:, 1])
    mean = np.nanmean(values, axis=0)
    gain = float(np.nanmean(values[:, 0] - values[:, 1]))
    return Verdict(len(rows), float(mean[0]), float(mean[1]), float(mean[2]), float(mean[3]), gain, low, high)


def _interval(gain: npt.NDArray[np.float64]) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    means = [float(np.nanmean(gain[rng.integers(0, len(gain), len(gain))])) for _ in range(_DRAWS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
