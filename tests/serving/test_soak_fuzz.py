"""The short form of benchmarks/soak_fuzz.py: all phases, over a web server in this process."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soak_fuzz
import uvicorn
from fuzz_rules import LARGE
from fuzz_service import key_in
from soak_drain import free_port

from serving.app import create_app
from serving.settings import Limits
from serving.store import Store
from serving.store.opening import sqlite_url

ROOT = Path(__file__).parents[2]
WITHIN_S = 120


@pytest.fixture
def served(schemas: Any, engine: Any, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Address and key of a service over the small bundle."""
    store = sqlite_url(tmp_path / "fuzz.db")
    token, limits = key_in(store), Limits(rate="10000000/minute")
    app = create_app(schemas, load=lambda: engine, open_store=lambda: Store.open(store), keys=True, limits=limits)
    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_config=None))
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    for _ in range(WITHIN_S * 100):
        if server.started:
            break
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.config.port}", token
    server.should_exit = True
    running.join(WITHIN_S)


@pytest.mark.filterwarnings("default")  # what Schemathesis warns of is its own
def test_no_answer_is_another_than_the_document_says(served: tuple[str, str]) -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    url, token = served
    seen = soak_fuzz.fuzz(url, token, document, examples=4, uncovered=LARGE, within_s=WITHIN_S)
    assert {"examples", "coverage", "fuzzing", "stateful"} <= seen.phases.keys(), soak_fuzz.told(seen)
    assert not seen.failures, soak_fuzz.told(seen)
