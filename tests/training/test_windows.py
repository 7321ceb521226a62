import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import US_PER_DAY
from features.spine import Spine
from training.windows import index_events

moments = st.integers(-3, 3).map(lambda half_days: half_days * US_PER_DAY // 2)
events = st.lists(st.tuples(st.integers(-1, 2), moments), max_size=12)
rows = st.lists(st.tuples(st.integers(0, 2), moments), min_size=1, max_size=6)


@given(events=events, rows=rows, days=st.integers(1, 2))
def test_pairs_are_those_of_a_plain_double_loop(
    events: list[tuple[int, int]], rows: list[tuple[int, int]], days: int
) -> None:
    account = np.array([a for a, _ in events], dtype=np.int32)
    at_us = np.array([t for _, t in events], dtype=np.int64)
    spine = Spine(np.array([a for a, _ in rows], dtype=np.int32), np.array([t for _, t in rows], dtype=np.int64))
    row, event = index_events(account, at_us).pairs(spine, horizon_days=days)
    expected = {
        (i, j)
        for i, (owner, as_of) in enumerate(rows)
        for j, (whose, at) in enumerate(events)
        if owner == whose and as_of <= at < as_of + days * US_PER_DAY
    }
    assert sorted(zip(row.tolist(), event.tolist(), strict=True)) == sorted(expected)
