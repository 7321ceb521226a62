from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.shadow_log import latest_pairs, read_pairs

SIDE = {"model_version": "7", "p_pay": {"30d": 0.2}}


def line(number: int) -> str:
    return json.dumps({"account_id": str(number), "as_of": "2026-03-02", "champion": SIDE, "challenger": SIDE}) + "\n"


def written(folder: Path, days: list[int]) -> list[str]:
    """A log with so many pairs on each day; their accounts in order."""
    for path in folder.glob("*"):
        path.unlink()
    number = 0
    for day, count in enumerate(days, 10):
        lines = [line(number + one) for one in range(count)]
        (folder / f"shadow-2026-03-{day}.jsonl").write_text("".join(lines))
        number += count
    return [str(one) for one in range(number)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(days=st.lists(st.integers(0, 4), min_size=1, max_size=4), most=st.integers(0, 3000))
def test_the_latest_pairs_are_an_end_of_all_of_them_and_none_is_torn(tmp_path: Path, days: Any, most: int) -> None:
    everything, torn = written(tmp_path, days), []
    found = [pair.account_id for pair in latest_pairs(tmp_path, torn, most_bytes=most)]
    assert found == everything[len(everything) - len(found) :]
    assert torn == []


def test_all_pairs_are_the_latest_where_there_is_room_for_them(tmp_path: Path) -> None:
    everything = written(tmp_path, [2, 0, 3])
    assert [pair.account_id for pair in latest_pairs(tmp_path, [], most_bytes=1 << 20)] == everything
    assert [pair.account_id for pair in read_pairs(tmp_path, [])] == everything


def test_a_line_that_is_torn_is_left_out_and_its_file_named(tmp_path: Path) -> None:
    written(tmp_path, [2])
    path = tmp_path / "shadow-2026-03-10.jsonl"
    path.write_text(path.read_text()[:-20])
    torn: list[str] = []
    assert [pair.account_id for pair in latest_pairs(tmp_path, torn, most_bytes=1 << 20)] == ["0"]
    assert torn == [path.name]
