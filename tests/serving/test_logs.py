"""What libraries, threads and Python itself would print, in a process of its own: its handlers are taken over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from structlog.contextvars import bound_contextvars

from serving.logs import request_id
from serving.store import Store
from serving.store.opening import writing
from serving.store.schema import DECISION_LOG

ROOT = Path(__file__).parents[2]
SECRET = "529.982.247-25"
BEFORE = f"""
import asyncio, gc, logging, threading, warnings
from serving.logs import configure_libraries, configure_logs
logging.basicConfig(level=logging.DEBUG)
for name in ("uvicorn.access", "bentoml.access", "uvicorn.error"):
    logging.getLogger(name).addHandler(logging.StreamHandler())
configure_logs(); configure_libraries()
secret = "{SECRET}"
def fail(): raise ValueError(secret)
"""
WAYS = {
    "an error that a library logs": "try: fail()\nexcept ValueError: logging.getLogger('uvicorn').exception(secret)",
    "a message with arguments": "logging.getLogger('sqlalchemy.engine').warning('row %s', secret)",
    "an access log": "logging.getLogger('uvicorn.access').info('GET /v1/decisions/%s', secret)",
    "an access log of the framework": "logging.getLogger('bentoml.access').warning('GET /v1/decisions/%s', secret)",
    "a warning": "warnings.warn(secret)",
    "a thread that dies": "thread = threading.Thread(target=fail); thread.start(); thread.join()",
    "an error that nobody catches": "fail()",
    "an error while something is deleted": "class Dies:\n    def __del__(self): fail()\none = Dies(); del one",
    "a task that nobody waits for": (
        "async def left():\n    async def dies(): fail()\n    task = asyncio.ensure_future(dies())\n"
        "    await asyncio.sleep(0)\n    del task\n    gc.collect()\nasyncio.run(left())"
    ),
}


def printed(way: str) -> tuple[str, str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", BEFORE + WAYS[way]]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout, done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_a_message_is_printed(way: str) -> None:
    out, err = printed(way)
    assert (SECRET in out + err, err) == (False, "")
    assert all({"at", "event", "level"} <= json.loads(line).keys() for line in out.splitlines())


@pytest.mark.parametrize("way", [way for way in WAYS if "access" not in way])
def test_that_something_happened_and_where_is_printed(way: str) -> None:
    told = [json.loads(line) for line in printed(way)[0].splitlines()]
    assert any("place" in line or " at " in line.get("error", "") for line in told)


def test_what_a_database_refuses_is_told_without_the_row(store: Store) -> None:
    row: dict[str, Any] = {"tenant": SECRET, "sequence": 1, "kind": SECRET, "recorded_at": 0}
    with pytest.raises(IntegrityError) as refused, writing(store.engine) as connection:
        connection.execute(insert(DECISION_LOG), row)
    assert SECRET not in str(refused.value)


def test_a_line_says_which_request_it_is_about() -> None:
    with bound_contextvars(request_id="r1"):
        assert request_id() == "r1"
    assert request_id() is None
