from __future__ import annotations

import numpy as np
import pytest

from decisioning.alike import alike


# Few rows are looked up in a dictionary, many by compiled code.
@pytest.mark.parametrize("rows", [0, 1, 40, 5_000])
def test_rows_of_a_kind_are_the_same_and_kinds_are_not(rows: int) -> None:
    rng = np.random.default_rng(3)
    columns = [rng.integers(-2, 3, rows), np.where(rng.random(rows) < 0.2, np.iinfo(np.int64).max, 7)]
    first, kind = alike(*columns)
    table = np.stack(columns, axis=1)
    assert (table[first][kind] == table).all()
    assert len({*map(tuple, table[first].tolist())}) == len(first)


@pytest.mark.parametrize("rows", [40, 5_000])
def test_a_kind_is_known_by_its_first_row(rows: int) -> None:
    column = np.random.default_rng(4).integers(0, 9, rows)
    first, kind = alike(column)
    assert all(place == np.flatnonzero(kind == number)[0] for number, place in enumerate(first.tolist()))
    assert (np.diff(first) > 0).all()


def test_few_rows_and_many_get_the_same_numbers() -> None:
    columns = np.random.default_rng(5).integers(-3, 4, (3, 60))
    first, kind = alike(*columns)
    many_first, many_kind = alike(*np.tile(columns, 50))
    assert first.tolist() == many_first.tolist() and np.tile(kind, 50).tolist() == many_kind.tolist()


def test_rows_that_are_all_different_are_told_apart() -> None:
    extremes = np.iinfo(np.int64)
    numbers = np.concatenate([np.arange(extremes.min, extremes.min + 500), np.arange(extremes.max - 499, extremes.max)])
    first, kind = alike(numbers, -numbers)
    assert first.tolist() == kind.tolist() == list(range(len(numbers)))
