"""What a request costs the service: CPU time beside a bare BentoML service and ``mlflow models serve``, in turn.

    python benchmarks/bench_requests.py [--rounds 9] [--requests 60] [--cache build/requests] [--accounts 5000]
        [--mlruns DIR --data DIR]

All servers run at the same time, on one core; one client on another asks them in turn, over one connection. CPU is
that of all processes of a server, over a round of requests; the figures are medians of rounds, and ratios are of the
same round. Every request is at a moment of its own. The first run simulates and trains, in ``--cache``.

BentoML takes and gives back one name, in a thread (``sync``) or on the event loop. MLflow predicts one horizon from
features that are ready-made: no events, no calibration, no other horizon, no action.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import request_servers
from request_servers import Server
from request_world import World, arguments, body, world_of

_JSON = {"Content-Type": "application/json"}
_BATCH = 100
_BASES = ("BentoML, sync", "BentoML, async")


@dataclass
class Case:
    """One kind of request: ``make`` gives the body of a number, ``answers`` what is asked for in each.

    ``rounds`` are CPU milliseconds of each answer.
    """

    name: str
    server: Server
    path: str
    make: Callable[[int], bytes]
    answers: int = 1
    rounds: list[float] = field(default_factory=list)


class Client:
    """A connection to a server, kept open."""

    def __init__(self, server: Server) -> None:
        parts = urlsplit(server.url)
        self._connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)

    def ask(self, path: str, content: bytes) -> bytes:
        """The answer to a request; any other than 200 ends the measurement."""
        self._connection.request("POST", path, content, _JSON)
        answer = self._connection.getresponse()
        found = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} was answered {answer.status}: {found[:400].decode()}")
        return found


def measure(cases: list[Case], *, rounds: int, requests: int) -> None:
    """Fills the rounds of all cases, in turn; one round before the first is not counted."""
    number = 0
    for each in range(-1, rounds):
        for case in cases:
            times = max(2, requests // case.answers)
            first, *bodies = [case.make(number + place) for place in range(times + 1)]
            number += times + 1
            # Servers close a connection that is idle for some seconds, so each round has its own.
            client = Client(case.server)
            client.ask(case.path, first)
            before = case.server.cpu_s()
            for content in bodies:
                client.ask(case.path, content)
            used = case.server.cpu_s() - before
            if each >= 0:
                case.rounds.append(1e3 * used / times / case.answers)
        print(f"round {each + 1} of {rounds}", file=sys.stderr, flush=True)


def table(cases: list[Case]) -> str:
    """Markdown: the median of each case with its quartiles, and the medians of its ratios to both greetings."""
    lines = [
        "| | CPU ms, median (quartiles) | to BentoML sync | to BentoML async |",
        "|---|---|---|---|",
    ]
    bases = [next(case for case in cases if case.name == name) for name in _BASES]
    for case in cases:
        low, middle, high = statistics.quantiles(case.rounds, n=4)
        ratios = [
            statistics.median(own / other for own, other in zip(case.rounds, base.rounds, strict=True))
            for base in bases
        ]
        told = " | ".join(f"{ratio:.2f}" for ratio in ratios)
        lines.append(f"| {case.name} | {middle:.2f} ({low:.2f} to {high:.2f}) | {told} |")
    return "\n".join(lines)


def typical(world: World, service: Server, events: int) -> tuple[dict[str, Any], int]:
    """Of the accounts with about so many events, the one with as near to 31 candidate actions as there is."""
    client = Client(service)
    found = []
    for ledger in world.ledgers(events, 20):
        content = body([ledger], 0, explain="full", commit=False)
        decision = json.loads(client.ask("/v1/decisions", content))["decisions"][0]
        found.append((len(decision["candidates"]), ledger))
    number, ledger = min(found, key=lambda pair: (abs(pair[0] - 31), pair[1]["account_id"]))
    return ledger, number


def keep(service: Server, ledger: dict[str, Any]) -> None:
    """Stores the rows of an account, so that it can be given by its id."""
    client, name = Client(service), ledger["account_id"]
    account = {"account_id": name, **ledger["account"]}
    rows = {table: found for table, found in ledger.items() if isinstance(found, list) and table != "debtor_contacts"}
    for table_name, found in {"accounts": [account], **rows}.items():
        content = {"table": table_name, "rows": [{**row, "account_id": name} for row in found]}
        client.ask("/v1/events", json.dumps(content).encode())


def cases_of(world: World, service: Server, others: dict[str, Server]) -> list[Case]:
    """Every kind of request; says on standard output what they are about."""
    small, candidates = typical(world, service, 50)
    large, more = typical(world, service, 200)
    many = world.ledgers(50, _BATCH)
    keep(service, small)
    sizes = [sum(len(rows) for rows in one.values() if isinstance(rows, list)) for one in (small, large)]
    print(
        f"{sizes[0]} events: {candidates} candidate actions; {sizes[1]} events: {more}; a batch: {len(many)} accounts"
    )

    def greeting(number: int) -> bytes:
        return json.dumps({"name": f"number {number}"}).encode()

    def asked(*ledgers: dict[str, Any], **keys: Any) -> Callable[[int], bytes]:
        return lambda number: body(ledgers, number, **keys)

    def decisions(name: str, *ledgers: dict[str, Any], commit: bool = False, explain: str = "none") -> Case:
        make = asked(*ledgers, explain=explain, commit=commit)
        return Case(f"decisions, {name}", service, "/v1/decisions", make, len(ledgers))

    by_id = {"account_id": small["account_id"]}
    features = json.dumps({"dataframe_split": world.features()}).encode()
    return [
        Case("BentoML, sync", others["Plain"], "/sync", greeting),
        Case("BentoML, async", others["Plain"], "/async", greeting),
        Case("BentoML, an ASGI app in it", others["Mounted"], "/app/hello", greeting),
        Case("`mlflow models serve`", others["mlflow"], "/invocations", lambda _: features),
        Case(f"scores, {sizes[0]} events", service, "/v1/scores", asked(small)),
        Case(f"scores, {sizes[1]} events", service, "/v1/scores", asked(large)),
        decisions(f"{sizes[0]} events, without reasons", small),
        decisions(f"{sizes[1]} events, without reasons", large),
        decisions("with reasons", small, explain="reasons"),
        decisions("in full", small, explain="full"),
        decisions("without reasons, kept", small, commit=True),
        decisions("with reasons, kept", small, commit=True, explain="reasons"),
        decisions("by id, without reasons", by_id),
        Case(f"scores, each of {len(many)}", service, "/v1/scores", asked(*many), len(many)),
        decisions(f"without reasons, each of {len(many)}", *many),
    ]


def save_for_mlflow(world: World, folder: Path) -> Path:
    """The booster of the explained horizon as MLflow's LightGBM flavour keeps it, in its native text."""
    import mlflow.lightgbm
    from mlflow.types import ColSpec, Schema

    from decisioning.bundle import read_bundle

    payment = read_bundle(world.bundle).payment
    booster = payment.boosters[payment.explained]
    columns = Schema([ColSpec("double", name) for name in world.features()["columns"]])
    signature = mlflow.models.ModelSignature(inputs=columns)
    mlflow.lightgbm.save_model(booster, folder / "model", signature=signature, pip_requirements=["lightgbm"])
    return folder / "model"


def main() -> None:
    """Measures, and prints a table in Markdown."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=60)
    given = parser.parse_args()
    world = world_of(given)
    request_servers.on_core(0)
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch)
        service = stack.enter_context(request_servers.acerto(world.environ(), folder=folder))
        others = {
            name: stack.enter_context(request_servers.bento(name, folder=folder)) for name in ("Plain", "Mounted")
        }
        model = save_for_mlflow(world, folder)
        others["mlflow"] = stack.enter_context(request_servers.mlflow_models(model, folder=folder))
        cases = cases_of(world, service, others)
        measure(cases, rounds=given.rounds, requests=given.requests)
        print(f"load {os.getloadavg()[0]:.1f}, {given.rounds} rounds of {given.requests} requests\n")
        print(table(cases))


if __name__ == "__main__":
    main()
