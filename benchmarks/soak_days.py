"""Two services that spend one day together, killed over and over: no limit is exceeded, nothing is lost.

    python benchmarks/soak_days.py [--accounts 1000] [--limit 40] [--kills 3] [--clients 8] [--bundle DIR] [--url postgresql://…]

Each account is decided on once, under a key, by one service or the other. How many are contacted is up to the model:
give a limit that is reached after the last kill. Each kill takes every process of both services by SIGKILL, and both
are started again; clients go on by the retries of ``serving.client``. Exit code 1 where a decision that was answered is
not kept as it was, where the day tells another use than its decisions, where a limit is exceeded, or where something
of it is left over.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

from scratch_prices import LIMITS, limited_and_priced
from scratch_registry import newest
from soak_once import PATIENT, Killed

from serving.answers import Decision
from serving.client import Client
from serving.store import Store
from serving.store.opening import sqlite_url

ROOT = Path(__file__).parents[1]
TENANT = "default"
AS_OF = "2026-03-02T12:00:00Z"
DAY = (date(2026, 3, 2) - date(1970, 1, 1)).days
CHANNELS = ("sms", "voice_bot")


def account(number: int) -> dict[str, Any]:
    """One of many alike, whom contacting pays for."""
    debts = [{"debt_id": "d1", "amount": 1_500.0, "due_on": "2025-11-20"}]
    nothing: dict[str, Any] = {name: [] for name in ("payments", "contacts", "consents", "holds", "debtor_contacts")}
    return {"account_id": f"a{number}", "account": {"region": "BR-SP"}, "debts": debts, **nothing}


def soak(
    environ: dict[str, str],
    folder: Path,
    *,
    accounts: int,
    limit: int,
    kills: int,
    clients: int = 8,
    url: str | None = None,
) -> dict[str, Any]:
    """Decides on all accounts, and tells what came of it.

    Returns
    -------
    ``answered`` decisions, those of them that are ``lost`` or kept ``otherwise`` than they were answered; by channel
    the ``contacts`` answered, what the day tells was ``used``, and the ``limits``; ``kills``
    """
    capacities = {name: {"per_day": limit} for name in CHANNELS}
    configs, prices = limited_and_priced(folder, LIMITS | {"capacities": capacities, "budgets": {}, "segments": {}})
    url = url or sqlite_url(folder / "days.db")
    own = {"ACERTO_CONFIGS": str(configs), "ACERTO_PRICES": str(prices), "ACERTO_DATABASE_URL": url}
    due = {accounts * number // (kills + 1) for number in range(1, kills + 1)}
    services = Killed({**environ, **own}, after=due, log=folder / "log", services=2)
    try:
        found = _decided(services, accounts=accounts, clients=clients)
    finally:
        services.stop()
    return {"kills": services.kills, "limits": dict.fromkeys(CHANNELS, limit), **_kept(url, found)}


def _decided(services: Killed, *, accounts: int, clients: int) -> list[Decision]:
    with ExitStack() as opened, ThreadPoolExecutor(clients) as pool:
        asking = [opened.enter_context(Client(one.url, retries=PATIENT)) for one in services.running]

        def one(number: int) -> Decision:
            client = asking[number % len(asking)]
            found = client.decisions([account(number)], as_of=AS_OF, idempotency_key=f"soak-days-{number}")
            services.answered()
            return found.decisions[0]

        return list(pool.map(one, range(accounts)))


def _kept(url: str, found: list[Decision]) -> dict[str, Any]:
    store = Store.open(url)
    kept = store.decisions([one.decision_id for one in found], tenant=TENANT)
    day = json.loads(store.day(DAY, tenant=TENANT) or "{}")
    store.close()
    answers = {name: one.content["answer"]["action"] for name, one in kept.items() if one.content}
    contacts = Counter(one.channel for one in found)
    return {
        "answered": len(found),
        "lost": sum(one.decision_id not in answers for one in found),
        "otherwise": sum(answers.get(one.decision_id, one.action) != one.action for one in found),
        "contacts": {name: contacts[name] for name in CHANNELS},
        "used": {name: int(sum(day["used"][f"{name}.contacts"].values())) for name in CHANNELS},
    }


def right(found: dict[str, Any], *, accounts: int, kills: int) -> bool:
    """Whether nothing was lost, and each limit was used to the last and not beyond."""
    whole = found["answered"] == accounts and found["kills"] == kills
    spent = found["contacts"] == found["used"] == found["limits"]
    return bool(whole and spent and not found["lost"] + found["otherwise"])


def main() -> int:
    """Prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--limit", type=int, default=40)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--bundle")
    parser.add_argument("--url", help="an empty database; by default a SQLite file")
    given = parser.parse_args()
    environ = {**os.environ, "ACERTO_BUNDLE": str(given.bundle or newest(Path("mlruns"))[-1])}
    environ |= {"PYTHONPATH": str(ROOT), "ACERTO_INSECURE": "1", "ACERTO_RATE_LIMIT": "1000000/minute"}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = soak(
            environ,
            Path(folder),
            accounts=given.accounts,
            limit=given.limit,
            kills=given.kills,
            clients=given.clients,
            url=given.url,
        )
    print(f"{given.accounts} accounts, {time.monotonic() - began:.0f} s: {found}")
    return 0 if right(found, accounts=given.accounts, kills=given.kills) else 1


if __name__ == "__main__":
    sys.exit(main())
