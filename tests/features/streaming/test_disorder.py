"""Tables in any disorder, rows, ids and columns at random: the report in pieces and parts is that of one piece."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from defects import World, as_csv
from hypothesis import given, settings
from hypothesis import strategies as hs
from reports import by_parts, declared_of, small_world, told, whole
from soak_gates import as_arrow
from strategies import examples

_MOST_ROWS = 300
Frames = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return small_world(tmp_path_factory.mktemp("world") / "data", accounts=40)


def _moved(frame: pd.DataFrame, rows: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Values of one column where they do not belong, or nowhere; now and then it is the id, or the account."""
    name = frame.columns[int(rng.integers(len(frame.columns)))] if rng.random() < 0.6 else frame.columns[0]
    values = frame[name].to_numpy(dtype=object).copy()
    what = int(rng.integers(3))
    if what == 0:
        values[rows] = None
    elif what == 1:
        values[rows] = values[rng.permutation(len(values))][rows]
    elif len(values):
        one = values[int(rng.integers(len(values)))]
        for row in rows:
            values[row] = one
    return frame.assign(**{name: pd.Series(values, index=frame.index).astype(frame[name].dtype, errors="ignore")})


def _twice(frame: pd.DataFrame, rows: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    again = frame.iloc[rows]
    return pd.concat([frame, again if rng.random() < 0.5 else _moved(again, np.arange(len(again)), rng)])


def _strange(frame: pd.DataFrame, rows: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Amounts of the wrong sign or size, times far away, texts that nobody knows."""
    name = frame.columns[int(rng.integers(1, len(frame.columns)))]
    values = frame[name].copy()
    chosen = np.isin(np.arange(len(values)), rows)
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        far = pd.Timestamp(("1899-05-01", "2031-01-01", "2099-12-31")[int(rng.integers(3))], tz="UTC")
        return frame.assign(**{name: values.where(~chosen, far.as_unit("us"))})
    if values.dtype.kind in "fi":
        return frame.assign(**{name: values.where(~chosen, values * (-1, 0, 1000)[int(rng.integers(3))])})
    if values.map(lambda value: isinstance(value, str) or value is None).all():
        return frame.assign(**{name: values.where(~chosen, ("ação", "x" * 40, "")[int(rng.integers(3))])})
    return frame


def disorder(world: World, folder: Path, seed: int) -> None:
    """A directory of tables that have little to do with each other any more."""
    rng = np.random.default_rng(seed)
    for table in world.tables:
        if rng.random() < 0.1:
            continue
        frame = world.frame(table)
        frame = frame.iloc[np.sort(rng.permutation(len(frame))[: int(rng.integers(_MOST_ROWS))])]
        for change in (_moved, _twice, _strange):
            for _ in range(int(rng.integers(3))):
                frame = change(frame, np.flatnonzero(rng.random(len(frame)) < rng.choice([0.02, 0.3])), rng)
        if rng.random() < 0.3:
            frame = frame.iloc[rng.permutation(len(frame))]
        if rng.random() < 0.2:
            frame = frame.drop(columns=frame.columns[int(rng.integers(len(frame.columns)))])
        pq.write_table(as_arrow(frame), folder / f"{table}.parquet")
        if rng.random() < 0.2 and table != "decisions":
            as_csv(folder, table)


def moments() -> Iterator[datetime | None]:
    yield None
    yield datetime(2025, 6, 17, 3, tzinfo=UTC)


@settings(max_examples=examples(12), deadline=None)
@given(
    seed=hs.integers(0, 2**32 - 1), parts=hs.integers(1, 5), rows_at_once=hs.sampled_from([7, 64, 1000]),
    until=hs.sampled_from([*moments()]),
)  # fmt: skip
def test_any_disorder_gives_the_same_report(world, seed, parts, rows_at_once, until):
    declared = declared_of(world)
    with TemporaryDirectory() as name:
        folder = Path(name) / "data"
        folder.mkdir()
        disorder(world, folder, seed)
        expected = told(whole(folder, declared=declared, until=until))
        found = by_parts(
            folder, Path(name) / "scratch", parts, rows_at_once=rows_at_once, declared=declared, until=until
        )
        assert told(found) == expected
