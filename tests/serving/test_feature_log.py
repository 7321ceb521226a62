from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.bundle import read_bundle
from domain.errors import ConfigError
from features.vectors import Vector
from serving import metrics
from serving.app import create_app
from serving.engine import load_engine
from serving.feature_log import FeatureLog
from serving.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
VECTOR = Vector("a1", 1_772_452_800_000_000, "f", "7", frozenset({"debts"}), frozenset(), 0, (1.0, math.pi))


def vectors_in(folder: Path) -> list[Vector]:
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
    return [Vector.from_line(line) for line in lines if line]


def ask_logged(
    serve: Any, schemas: Any, bundle: Path, folder: Path, *, path: str, body: dict[str, Any], share: float = 1.0
) -> Any:
    settings = Settings(bundle=bundle, configs=ROOT / "configs", feature_log=folder, feature_log_share=share)
    with serve(create_app(schemas, load=lambda: load_engine(settings))) as client:
        answer = client.wait_until_ready().post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/scores"])
def test_the_logged_vector_is_the_one_that_was_scored(
    serve: Any, schemas: Any, bundle: Path, ask: Any, tmp_path: Path, path: str
) -> None:
    answer = ask_logged(serve, schemas, bundle, tmp_path, path=path, body=ask())
    vector = vectors_in(tmp_path)[0]
    p_pay = read_bundle(bundle).payment.predict(np.array([vector.values]))[0].tolist()
    assert list(answer[path.rpartition("/")[2]][0]["p_pay"].values()) == p_pay


def test_a_line_says_what_the_request_brought_and_which_model_scored_it(
    serve: Any, schemas: Any, bundle: Path, ask: Any, ledger: Any, tmp_path: Path
) -> None:
    bare = {"account_id": "a2", "debts": ledger()["debts"], "contacts": []}
    ask_logged(serve, schemas, bundle, tmp_path, path="/v1/scores", body=ask(bare))
    vector = vectors_in(tmp_path)[0]
    assert (vector.given, vector.taken_as_none) == (frozenset({"debts", "contacts"}), frozenset({"payments"}))
    assert (vector.model_version, vector.fingerprint) == ("7", read_bundle(bundle).schema.fingerprint)


def test_other_accounts_of_the_debtor_in_the_request_are_counted(
    serve: Any, schemas: Any, bundle: Path, ask: Any, ledger: Any, tmp_path: Path
) -> None:
    family = [ledger(name, account={"debtor_id": "p"}) for name in ("a1", "a2", "a3")]
    ask_logged(serve, schemas, bundle, tmp_path, path="/v1/scores", body=ask(*family, ledger("b1")))
    assert {vector.account_id: vector.siblings for vector in vectors_in(tmp_path)} == {
        "a1": 2, "a2": 2, "a3": 2, "b1": 0
    }  # fmt: skip


def test_a_line_holds_nothing_of_the_debtor_but_id_and_features(
    serve: Any, schemas: Any, bundle: Path, ask: Any, tmp_path: Path
) -> None:
    ask_logged(serve, schemas, bundle, tmp_path, path="/v1/scores", body=ask())
    record = json.loads(next(tmp_path.glob("*.jsonl")).read_text())
    assert set(record) == {
        "account_id", "as_of", "schema_fingerprint", "model_version", "given", "taken_as_none", "siblings", "values",
    }  # fmt: skip


def test_the_made_up_accounts_of_the_warm_up_are_not_logged(
    serve: Any, schemas: Any, bundle: Path, ask: Any, tmp_path: Path
) -> None:
    ask_logged(serve, schemas, bundle, tmp_path, path="/v1/scores", body=ask())
    assert [vector.account_id for vector in vectors_in(tmp_path)] == ["a1"]


def test_with_a_share_of_zero_nothing_is_logged(
    serve: Any, schemas: Any, bundle: Path, ask: Any, tmp_path: Path
) -> None:
    ask_logged(serve, schemas, bundle, tmp_path, path="/v1/scores", body=ask(), share=0.0)
    assert vectors_in(tmp_path) == []


@given(st.integers(0, 1_000_000), st.floats(0, 1), st.floats(0, 1))
def test_what_a_smaller_share_takes_a_larger_one_takes_too(
    tmp_path_factory: Any, number: int, one: float, other: float
) -> None:
    folder = tmp_path_factory.getbasetemp() / "shares"
    small, large = (FeatureLog(folder, share=share) for share in sorted((one, other)))
    taken = [log.wants(f"a{number}", as_of_us=number) for log in (small, large)]
    for log in (small, large):
        log.close()
    assert taken != [True, False]


def test_about_as_many_are_taken_as_the_share_says(tmp_path: Path) -> None:
    log = FeatureLog(tmp_path, share=0.2)
    taken = np.mean([log.wants(f"a{number}", as_of_us=0) for number in range(4_000)])
    log.close()
    assert abs(taken - 0.2) < 4 * math.sqrt(0.2 * 0.8 / 4_000)


def test_every_day_of_writing_has_a_file_of_its_own(tmp_path: Path) -> None:
    days = iter([NOON, NOON, NOON + timedelta(days=1)])
    log = FeatureLog(tmp_path, share=1.0, now=lambda: next(days))
    log.append([VECTOR])
    log.append([VECTOR])
    log.close()
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "features-2026-03-02.jsonl", "features-2026-03-03.jsonl"
    ]  # fmt: skip


def test_after_a_torn_line_the_next_one_is_whole(tmp_path: Path) -> None:
    (tmp_path / "features-2026-03-02.jsonl").write_text(VECTOR.to_line()[:40])
    log = FeatureLog(tmp_path, share=1.0, now=lambda: NOON)
    log.append([VECTOR])
    log.close()
    assert (tmp_path / "features-2026-03-02.jsonl").read_text().splitlines()[1:] == [VECTOR.to_line()]


def test_two_services_may_write_to_one_folder(tmp_path: Path) -> None:
    logs = [FeatureLog(tmp_path, share=1.0, now=lambda: NOON) for _ in range(2)]
    written = [replace(VECTOR, account_id=f"a{number}") for number in range(20)]
    for number, vector in enumerate(written):
        logs[number % 2].append([vector])
    for log in logs:
        log.close()
    assert vectors_in(tmp_path) == written


def test_a_write_that_fails_is_counted_and_refuses_nothing(tmp_path: Path, capsys: Any) -> None:
    days = iter([NOON, NOON + timedelta(days=1)])
    log = FeatureLog(tmp_path, share=1.0, now=lambda: next(days))
    (tmp_path / "features-2026-03-03.jsonl").mkdir()
    before = metrics.FEATURE_LOG_FAILURES._value.get()
    log.append([VECTOR])
    log.close()
    assert metrics.FEATURE_LOG_FAILURES._value.get() == before + 1
    assert "a1" not in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="ACERTO_FEATURE_LOG"):
        FeatureLog(tmp_path / "file", share=1.0)


def test_nothing_is_logged_unless_a_folder_is_named() -> None:
    assert read_settings({"ACERTO_BUNDLE": "x"}).feature_log is None


def test_folder_and_share_come_from_the_environment() -> None:
    found = read_settings({"ACERTO_BUNDLE": "x", "ACERTO_FEATURE_LOG": "f", "ACERTO_FEATURE_LOG_SHARE": "0.25"})
    assert (found.feature_log, found.feature_log_share) == (Path("f"), 0.25)


@pytest.mark.parametrize("text", ["-0.1", "1.01", "nan", "all"])
def test_a_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        read_settings({"ACERTO_BUNDLE": "x", "ACERTO_FEATURE_LOG_SHARE": text})
