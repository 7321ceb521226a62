"""The profile of a data directory: what it keeps, what it must not keep, and that order does not matter."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canonical_files import write_files
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DataError
from features.gates.config import ExpectationsConfig
from features.gates.judging import Declared
from features.gates.profile import LEAST_ROWS, DataProfile
from features.gates.shifts import best_shift
from features.validation import validate

MONTH_US = 30 * 86_400_000_000


def rows(rng: np.random.Generator, count: int = 400) -> dict[str, list[dict[str, Any]]]:
    start = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
    accounts = [
        {"account_id": f"acc-{n}", "creditor": "bank" if n else "Joana Silva", "region": "BR-SP"} for n in range(50)
    ]  # fmt: skip
    payments = []
    for number in range(count):
        at = start + int(rng.integers(0, 6 * MONTH_US))
        payments.append(
            {"payment_id": f"pay-{number}", "account_id": f"acc-{number % 50}", "amount": int(rng.integers(1, 9_999)),
             "occurred_at": at, "recorded_at": at, "method": "pix" if number >= LEAST_ROWS - 1 else "a rare one"}
        )  # fmt: skip
    debt = {"account_id": "acc-0", "debt_id": "deb-0", "amount": 100, "due_on": 19_800, "occurred_at": start}
    return {"accounts": accounts, "debts": [debt], "payments": payments}


def profile(folder: Path, given_rows: dict[str, list[dict[str, Any]]]) -> DataProfile:
    files = write_files(folder, given_rows)
    now = datetime(2025, 1, 1, tzinfo=UTC)
    found = validate(files, attributes={}, now=now, declared=Declared(ExpectationsConfig())).profile
    assert found is not None
    return found


def test_a_profile_comes_back_from_json_as_it_was(tmp_path: Path) -> None:
    found = profile(tmp_path / "data", rows(np.random.default_rng(1)))
    text = json.dumps(found.to_json(), allow_nan=False)
    assert DataProfile.from_json(json.loads(text)).to_json() == found.to_json()


def test_a_profile_is_the_same_whatever_the_order_of_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    given_rows = rows(rng)
    mixed = {name: [table[place] for place in rng.permutation(len(table))] for name, table in given_rows.items()}
    assert profile(tmp_path / "one", given_rows).to_json() == profile(tmp_path / "two", mixed).to_json()


@pytest.mark.parametrize("held_back", ["acc-", "pay-", "deb-", "Joana", "a rare one"])
def test_a_profile_holds_no_id_and_no_text_of_few_rows(tmp_path: Path, held_back: str) -> None:
    found = json.dumps(
        profile(tmp_path / "data", rows(np.random.default_rng(3))).to_json()["tables"]["payments"]["categories"]
    )
    assert held_back not in found


def test_a_row_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    given_rows = rows(np.random.default_rng(4))
    twice = {**given_rows, "payments": [*given_rows["payments"], *given_rows["payments"][:50]]}
    assert profile(tmp_path / "one", given_rows).to_json() == profile(tmp_path / "two", twice).to_json()


@pytest.mark.parametrize(
    "found", [{}, {"format": 0}, {"format": 1}, {"format": 1, "end_day": 1, "tables": {"debts": {}}}]
)
def test_what_is_no_profile_is_refused(found: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="data profile"):
        DataProfile.from_json(found)


@given(
    hours=st.lists(st.integers(min_value=0, max_value=1000), min_size=24, max_size=24), shift=st.integers(-11, 12)
)  # fmt: skip
def test_a_profile_of_hours_that_moved_is_told_to_have_moved_by_an_hour_that_makes_it_the_same(
    hours: list[int], shift: int
) -> None:
    before = np.array(hours)
    now = np.roll(before, shift)
    found = best_shift(now, before)
    assert (np.roll(before, found or 0) == now).all()


def test_hours_that_became_others_altogether_did_not_move() -> None:
    assert best_shift(np.eye(24, dtype=np.int64)[0] * 100, np.ones(24, dtype=np.int64)) is None
