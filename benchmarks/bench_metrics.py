"""What metrics cost: CPU of all that counts, as a share of the CPU of a decision request.

    python benchmarks/bench_metrics.py [--requests 150] [--mlruns mlruns] [--configs configs]

One account with a ledger of sixteen rows is decided on, with reasons and in a store, through the app in this process.
In between what counts is timed alone: for one request, and what tells Prometheus once a second, as if this one
core had answered as many requests in that second as it can. In files, as the workers of a service count.
Exit code 1 at 3 % or more.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import structlog
from scratch_registry import arguments, newest

MOST = 0.03
_ROUNDS = 15


def request() -> dict[str, Any]:
    """One account that is decided on."""
    days = [f"2026-0{1 + number // 5}-{10 + number}T12:00:00Z" for number in range(5)]
    return {
        "as_of": "2026-03-02T12:00:00Z",
        "accounts": [{
            "account_id": "a1",
            "account": {"region": "BR-SP", "opened_at": "2024-05-01T00:00:00Z", "income": 3000},
            "debts": [{"debt_id": f"d{place}", "amount": 500.0 + place, "due_on": "2026-01-10"} for place in range(5)],
            "payments": [{"amount": 10.0, "occurred_at": day} for day in days],
            "contacts": [{"channel": "sms", "occurred_at": day} for day in days],
            "consents": [{"channel": "whatsapp", "status": "granted", "occurred_at": days[0]}],
            "responses": [], "promises": [], "holds": [], "debtor_contacts": [],
        }],
    }  # fmt: skip


def cpu_s(work: Callable[[], object], times: int) -> float:
    """CPU seconds of one time."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times


def measured(bundle: Path, configs: Path, folder: Path, *, requests: int) -> dict[str, float]:
    """Median CPU seconds of ``request``, of ``counting`` it, and of ``telling`` once."""
    import httpx

    from serving.app import create_app
    from serving.engine import load_engine
    from serving.metrics import observe_unknown_codes
    from serving.schemas import build_schemas
    from serving.settings import Limits, Settings
    from serving.store import Store
    from serving.store.opening import sqlite_url
    from serving.tallies import Tallies

    tallies = Tallies()
    engine = load_engine(Settings(bundle=bundle, configs=configs), observe=observe_unknown_codes, tallies=tallies)
    app = create_app(
        build_schemas(engine.bundle.schema.attributes), load=lambda: engine, tallies=tallies,
        open_store=lambda: Store.open(sqlite_url(folder / "acerto.db")), limits=Limits(rate="1000000/second"),
    )  # fmt: skip
    body = json.dumps(request()).encode()

    async def asked() -> dict[str, float]:
        found: dict[str, list[float]] = {"request": [], "counting": [], "telling": []}
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench")
        async with app.router.lifespan_context(app):
            while (await client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.1)
            for _ in range(_ROUNDS):
                began = time.process_time()
                for _ in range(requests // _ROUNDS):
                    answer = await client.post(
                        "/v1/decisions", content=body, headers={"Content-Type": "application/json"}
                    )
                found["request"].append((time.process_time() - began) / (requests // _ROUNDS))
                counting = counter(engine, tallies, answer.json()["decisions"])
                found["counting"].append(cpu_s(counting, 20))
                found["telling"].append(cpu_s(tallies.tell, 1))
        return {name: median(values) for name, values in found.items()}

    return asyncio.run(asked())


def counter(engine: Any, tallies: Any, answers: list[dict[str, Any]]) -> Callable[[], None]:
    """All that is counted for one request."""
    import numpy as np

    from serving import metrics
    from serving.tally import Tally

    tally = tallies.kept(Tally(engine.bundle))
    values = np.array(engine.bundle.golden["values"][:1], dtype=np.float64)
    p_pay = engine.bundle.payment.predict(values)

    def counted() -> None:
        metrics.IN_FLIGHT.inc()
        with metrics.TURN_SECONDS.time(), metrics.WAITING.track_inprogress():
            pass
        tally.add(values, p_pay, fallbacks=("limits_not_kept",))
        metrics.observe_unknown_codes({})
        metrics.observe_answers(answers, route="/v1/decisions")
        metrics.STORE_COMMITS.inc()
        metrics.STORE_WRITES.inc()
        metrics.IN_FLIGHT.dec()
        metrics.REQUESTS.labels(route="/v1/decisions", method="POST", status="200").inc()
        metrics.LATENCY.labels(route="/v1/decisions").observe(0.01)

    return counted


def main() -> int:
    """Prints the shares."""
    parser = arguments(__doc__, clients=1)
    parser.add_argument("--requests", type=int, default=150)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        # Before anything counts: values are in memory or in files from their first moment on.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        bundle = newest(given.mlruns)[-1]
        found = measured(bundle, given.configs, Path(folder), requests=given.requests)
    each = found["counting"] / found["request"]
    # In a second of CPU so many requests are answered, and once it is told.
    told = found["telling"]
    print(
        f"request {found['request'] * 1e3:.2f} ms CPU, counting {found['counting'] * 1e6:.0f} µs ({each:.2%}), "
        f"telling once a second {found['telling'] * 1e3:.2f} ms ({told:.2%}), together {each + told:.2%}"
    )
    return 0 if each + told < MOST else 1


if __name__ == "__main__":
    sys.exit(main())
