"""Broken requests over raw sockets against a real service, judged by the OpenAPI document.

    python benchmarks/soak_mutants.py [--mutants 10000] [--seed 1] [--only N] [--bundle DIR] [--configs configs]

Bytes, values, heads, framings, content types and first lines of good requests are broken, sent in pieces and
pipelined, connections are dropped or reset (``mutants.py``); what may be answered is in ``mutant_oracle.py``. After
each batch the same worker has to answer a good request as it did at first. Then slow clients (``slow_clients.py``).
Prints each failure with its number, which ``--only`` sends again alone, and its bytes in hex. Exit code 1 where
something failed, the worker was replaced, leaked descriptors or grew by more than ``MOST_GROWTH_MIB``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzz_service import Guarded, guarded
from mutant_oracle import Oracle, due
from mutant_wire import Came, send
from mutants import Good, Mutant, mutant
from scratch_registry import newest
from slow_clients import slow_clients
from soak_clients import body as decision_body

MOST_GROWTH_MIB = 100
"""What a worker may have grown by after all; while it reads eight bodies of 32 MiB at once it is larger."""
MOST_LEAKED = 8
"""Descriptors that may be open after all and were not before: connections of the store, by thread."""
_BATCH = 200
_SETTLE_S = 8.0
"""Longer than the web server keeps a connection that is idle."""
_SHOWN = 600
_READ_AT_ONCE = 1 << 16
_WHEN = "2026-03-02T12:00:00Z"


@dataclass
class Seen:
    """What came of mutants: by kind of end, by status, and what failed."""

    ends: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    growth_mib: float = 0.0
    leaked: int = 0

    @property
    def right(self) -> bool:
        """Whether nothing failed, and the worker is as it was."""
        return not self.failures and self.growth_mib <= MOST_GROWTH_MIB and self.leaked <= MOST_LEAKED


def goods(service: Guarded) -> list[Good]:
    """A good request of each operation; those on a decision are on one that is taken here."""
    ledgers = json.loads(decision_body(1))
    decide = Good("POST", "/v1/decisions", ledgers)
    decision_id = json.loads(_answered(service, decide))["decisions"][0]["decision_id"]
    row = {"payment_id": "y1", "account_id": "a1", "amount": 10.5, "occurred_at": _WHEN}
    of_it = f"/v1/decisions/{decision_id}"
    return [
        decide,
        Good("POST", "/v1/scores", ledgers),
        Good("POST", "/v1/events", {"table": "payments", "rows": [row]}),
        Good("POST", "/v1/outcomes", {"decision_id": decision_id, "status": "sent", "at": _WHEN}),
        Good("POST", f"{of_it}/review", {"kind": "request", "by": "debtor", "text": "I do not know this debt."}),
        Good("POST", "/v1/permits", {"at": _WHEN, "permits": [{"decision_id": decision_id}], **_accounts(ledgers)}),
        Good("GET", of_it),
        Good("GET", f"{of_it}/explanation?locale=en"),
        Good("GET", f"{of_it}/replay"),
        *(Good("GET", path) for path in ("/v1/model", "/livez", "/readyz", "/metrics", "/docs", "/openapi.json")),
    ]


def _accounts(ledgers: dict[str, Any]) -> dict[str, Any]:
    return {"accounts": ledgers["accounts"]}


def _answered(service: Guarded, good: Good) -> bytes:
    """The body of the answer to a good request; fails where it is none."""
    came = send(Mutant(-1, "good", (good.raw(token=service.token),)), address_of(service.url))
    if [answer.status for answer in came.answers] != [200]:
        raise AssertionError(f"a good {good.method} {good.path} was not answered: {came}")
    return came.answers[0].body


def address_of(url: str) -> tuple[str, int]:
    """Host and port of an address."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host, int(port)


def soak(service: Guarded, document: dict[str, Any], numbers: list[int], *, seed: int, threads: int = 8) -> Seen:
    """Sends the mutants of these numbers, in batches with a good request after each."""
    oracle, seen, asked = Oracle(document), Seen(), goods(service)
    for good in asked:
        _answered(service, good)
    first, (rss, descriptors) = _answered(service, asked[0]), _size(service)
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(numbers), _BATCH):
            made = [mutant(number, asked, token=service.token, seed=seed) for number in numbers[start : start + _BATCH]]
            for one, came in zip(made, pool.map(lambda one: send(one, address_of(service.url)), made), strict=True):
                _judge(oracle, one, came, seen)
            if not service.worker.is_running() or _answered(service, asked[0]) != first:
                seen.failures.append(f"after {made[-1].number} the worker died, or does not answer as it did")
                break
    end = time.monotonic() + _SETTLE_S
    while (after := _size(service))[1] > descriptors and time.monotonic() < end:
        time.sleep(0.1)
    seen.growth_mib, seen.leaked = (after[0] - rss) / 2**20, after[1] - descriptors
    return seen


def _size(service: Guarded) -> tuple[int, int]:
    return service.worker.memory_info().rss, service.worker.num_fds()


def _judge(oracle: Oracle, one: Mutant, came: Came, seen: Seen) -> None:
    wrong = oracle.faults(one, came.answers)
    if came.ended in ("not in time", "no HTTP"):
        wrong.append(f"the connection ended: {came.ended} {came.wrong}")
    # Where more was sent than the service read before it closed, the answer is lost on the way: that is how TCP resets.
    lost = came.ended == "reset" and len(one.sent) > _READ_AT_ONCE
    if one.ending == "read" and not came.answers and not lost and due(one.sent).answer:
        wrong.append(f"no answer: {came.ended}")
    seen.ends[f"{one.ending}, {'answered' if came.answers else 'closed'} {came.ended}"] += 1
    seen.statuses.update(answer.status for answer in came.answers)
    if wrong:
        told = [(answer.status, answer.body[:_SHOWN]) for answer in came.answers]
        hexes = one.sent[:_SHOWN].hex() + ("…" if len(one.sent) > _SHOWN else "")
        seen.failures.append(f"mutant {one.number} ({one.kind}; {one.ending}): {wrong}\n  {told}\n  {hexes}")


def told(seen: Seen) -> str:
    """What came of it, and the failures."""
    lines = [f"statuses {dict(sorted(seen.statuses.items()))}", f"ends {dict(seen.ends)}"]
    lines.append(f"the worker grew by {seen.growth_mib:.0f} MiB and {seen.leaked} descriptors")
    return "\n".join([*lines, *(f"FAILED {failure}" for failure in seen.failures)])


def main() -> int:
    """Prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    given = parser.parse_args()
    numbers = list(range(given.mutants)) if given.only is None else [given.only]
    document = json.loads(Path("docs/openapi.json").read_text(encoding="utf-8"))
    bundle = given.bundle or newest(Path("mlruns"))[-1]
    with tempfile.TemporaryDirectory() as folder, guarded(bundle, Path(folder), configs=given.configs) as service:
        began = time.monotonic()
        seen = soak(service, document, numbers, seed=given.seed)
        print(f"seed {given.seed}: {len(numbers)} mutants, {time.monotonic() - began:.0f} s\n{told(seen)}", flush=True)
        slow = slow_clients(address_of(service.url), token=service.token) if given.only is None else {}
        alive = service.worker.is_running()
    print("\n".join(f"slow: {what}: {said}" for what, (_, said) in slow.items()))
    print(f"the same worker: {alive}")
    return 0 if seen.right and alive and all(fine for fine, _ in slow.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
