from __future__ import annotations

import json

import pytest

from decisioning.shadows import Pair, Side


@pytest.fixture
def log(tmp_path):
    waits = {"action": "wait/none/any", "action_prob": 1.0, "expected_net_value": 0.0}
    sends = {"action": "sms/none/any", "action_prob": 0.9, "expected_net_value": 2.5}
    pairs = [
        Pair("a1", "t", Side("7", {"30d": 0.1}, **waits), Side("8", {"30d": 0.4}, **sends)),
        Pair("a2", "t", Side("7", {"30d": 0.2}, **waits), Side("8", {"30d": 0.2}, **waits)),
    ]
    (tmp_path / "shadow-2026-03-02.jsonl").write_text("".join(pair.to_line() + "\n" for pair in pairs) + '{"torn')
    return tmp_path


def test_people_see_how_the_two_versions_compare(acerto, log):
    result = acerto("shadow", "--log", str(log))
    assert result.code == 0
    assert "version 7, and version 8 on the same 2 answers" in result.out
    assert "0.1500" in result.out
    assert "the same action on 50.0% of 2 decisions" in result.err
    assert "1 lines could not be read" in result.err


def test_machines_get_the_same_numbers(acerto, log):
    found = json.loads(acerto("shadow", "--log", str(log), "--json").out)
    assert found["torn_lines"] == 1
    assert found["compared"][0]["horizons"]["30d"]["mean_difference"] == pytest.approx(0.15)


def test_a_folder_without_pairs_is_told(acerto, tmp_path):
    result = acerto("shadow", "--log", str(tmp_path))
    assert result.code == 1
    assert "found no pair of answers" in result.err


def test_without_a_folder_the_option_is_named(acerto, monkeypatch):
    monkeypatch.delenv("ACERTO_SHADOW_LOG", raising=False)
    assert acerto("shadow").code == 2
