"""The whole way: canonical rows as ledgers to the service, its feature log, and the check against the same rows."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from cli.ledger import ledger_json
from cli.tables import attributes_of, read
from domain.clock import parse_moment, to_us
from domain.tables import Tables
from serving.app import create_app
from serving.engine import load_engine
from serving.schemas import build_schemas
from serving.settings import Settings

MOMENTS = ("2025-06-10T15:30:00.123456Z", "2026-03-02T12:00:00Z")
ACCOUNTS = 40
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def data(project: Path) -> Path:
    """The simulated data, with payments corrected after the first moment, and one recorded only after it."""
    folder = Path(shutil.copytree(project / "data", project / "data-skew"))
    payments = pd.read_parquet(folder / "payments.parquet")
    moment = pd.Timestamp(MOMENTS[0])
    early = payments[payments["occurred_at"] < moment].sort_values(["account_id", "payment_id"])
    some = early.drop_duplicates("account_id").head(ACCOUNTS).copy()
    corrected = some.head(ACCOUNTS // 2).copy()
    corrected["recorded_at"] = moment + pd.Timedelta(days=20)
    corrected["amount"] = corrected["amount"] + 10
    late = payments["payment_id"].isin(some.tail(5)["payment_id"])
    payments.loc[late, "recorded_at"] = moment + pd.Timedelta(days=3)
    pd.concat([payments, corrected.astype(payments.dtypes)]).to_parquet(folder / "payments.parquet")
    return folder


@pytest.fixture(scope="module")
def tables(data: Path, project: Path) -> Tables:
    return read(data, configs=project / "configs")


@pytest.fixture(scope="module")
def serve_log(project: Path, tables: Tables) -> Callable[..., Path]:
    """Sends ledgers of every moment through the service, changed on the way, and returns its feature log."""

    def served(name: str, change: Change = lambda _: None) -> Path:
        folder, configs = project / name, project / "configs"
        bundle = project / "mlruns" / "bundles" / "1"
        settings = Settings(bundle=bundle, configs=configs, feature_log=folder, feature_log_share=1.0)
        ids = sorted(set(tables.text("accounts", "account_id").values))[:ACCOUNTS]
        for moment in MOMENTS:
            ledgers = [ledger_json(tables, name, before_us=to_us(parse_moment(moment))) for name in ids]
            change(ledgers[0])
            # An app that is started again loads again, beside what it answers, and tells of it at any time later.
            app = create_app(build_schemas(attributes_of(configs)), load=lambda: load_engine(settings))
            asyncio.run(_posted(app, {"as_of": moment, "explain": "none", "accounts": ledgers}))
        return folder

    return served


async def _posted(app: Any, body: dict[str, Any]) -> None:
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
    ):
        while (await client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.01)
        answer = await client.post("/v1/decisions", json=body)
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def log(serve_log: Callable[..., Path]) -> Path:
    return serve_log("log")


def lines_of(folder: Path) -> tuple[Path, list[str]]:
    path = next(folder.glob("*.jsonl"))
    return path, path.read_text(encoding="ascii").splitlines()


def test_what_the_service_scored_is_what_the_tables_give(acerto: Any, data: Path, log: Path) -> None:
    result = acerto("features", "--check-skew", "--data", data, "--log", log, "--json")
    told = json.loads(result.out)
    assert result.code == 0
    assert (told["checked"], told["differs"], told["not_comparable"]) == (2 * ACCOUNTS, 0, 0)


def test_one_number_changed_in_the_log_is_found_and_named(acerto: Any, data: Path, log: Path, tmp_path: Path) -> None:
    path, lines = lines_of(log)
    record = json.loads(lines[7])
    record["values"][1] = record["values"][1] + 1.0
    lines[7] = json.dumps(record)
    (tmp_path / path.name).write_text("\n".join(lines) + "\n", encoding="ascii")
    result = acerto("features", "--check-skew", "--data", data, "--log", tmp_path, "--json")
    found = json.loads(result.out)["vectors"]
    assert result.code == 1
    assert [(one["account_id"], one["differs"], one["largest"]) for one in found] == [
        (record["account_id"], ["balance_cents"], 1.0)
    ]


def test_a_ledger_without_one_of_its_events_is_found(acerto: Any, data: Path, serve_log: Callable[..., Path]) -> None:
    log = serve_log("log-short", lambda ledger: ledger["contacts"].pop())
    result = acerto("features", "--check-skew", "--data", data, "--log", log, "--json")
    told = json.loads(result.out)
    assert result.code == 1
    assert any(name.startswith("contacts_") for one in told["vectors"] for name in one["differs"])


def test_a_table_that_a_ledger_left_out_is_told_and_is_no_skew(
    acerto: Any, data: Path, serve_log: Callable[..., Path]
) -> None:
    log = serve_log("log-without", lambda ledger: ledger.pop("contacts") and None)
    result = acerto("features", "--check-skew", "--data", data, "--log", log, "--json")
    told = json.loads(result.out)
    assert (result.code, told["differs"]) == (0, 0)
    assert any(name.startswith("contacts_") for name in told["features"]["without_table"])


def test_a_sample_is_checked_and_the_same_seed_draws_the_same(acerto: Any, data: Path, log: Path) -> None:
    options = ("features", "--check-skew", "--data", data, "--log", log, "--sample", 5, "--seed", 2, "--json")
    told = [json.loads(acerto(*options).out) for _ in range(2)]
    assert told[0]["checked"] == 5
    assert told[0] == told[1]


def test_vectors_of_a_model_that_is_gone_cannot_be_compared(acerto: Any, data: Path, log: Path, tmp_path: Path) -> None:
    path, lines = lines_of(log)
    gone = {**json.loads(lines[0]), "schema_fingerprint": "0" * 64, "model_version": "99"}
    (tmp_path / path.name).write_text(json.dumps(gone) + "\n", encoding="ascii")
    result = acerto("features", "--check-skew", "--data", data, "--log", tmp_path, "--json")
    assert (result.code, json.loads(result.out)["reasons"]) == (0, {"other_schema": 1})


def test_a_torn_line_is_counted_and_the_others_are_compared(acerto: Any, data: Path, log: Path, tmp_path: Path) -> None:
    path, lines = lines_of(log)
    (tmp_path / path.name).write_text(f"{lines[0]}\n{lines[1][:50]}\n", encoding="ascii")
    told = json.loads(acerto("features", "--check-skew", "--data", data, "--log", tmp_path, "--json").out)
    assert (told["equal"], told["torn"]) == (1, 1)


def test_a_folder_without_a_log_is_refused(acerto: Any, data: Path, tmp_path: Path) -> None:
    result = acerto("features", "--check-skew", "--data", data, "--log", tmp_path)
    assert result.code == 1
    assert "ACERTO_FEATURE_LOG" in result.err


def test_without_a_log_the_command_says_how_to_name_one(
    acerto: Any, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACERTO_FEATURE_LOG", raising=False)
    assert acerto("features", "--check-skew", "--data", data).code == 2
