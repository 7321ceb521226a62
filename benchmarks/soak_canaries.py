"""Made-up personal data through every path of a real service; afterwards none of it may be anywhere but in the store.

    python benchmarks/soak_canaries.py [--rounds 3] [--mlruns mlruns] [--configs configs]

`acerto serve` runs with keys, the feature log and the shadow over the two newest bundles. Each round plants thousands
of strings in every field of every endpoint, in heads, paths, and what is no HTTP; in requests that are taken, refused,
and on which the engine or the store fails. Then twelve-character pieces of them, in several spellings, are looked for
in output, error bodies, heads of answers, metrics, and every file that the service wrote but the store's. The logs of
features and of the shadow may hold an account's id, as documented. One more string is leaked on purpose, and has to be
found. Exit code 1 where anything else was found, a line of the log is no JSON, or a status never came.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from canaries import IDS, Canary, Ground, Nest
from canary_faults import LEAK, SLOW
from canary_requests import Planter, Shot, post, story
from scratch_registry import ScratchRegistry, arguments, newest
from soak_drain import free_port

from serving.access.tokens import SCOPES, new_key
from serving.store import Store
from serving.store.opening import FILE, sqlite_url

ROOT = Path(__file__).parents[1]
STATUSES = {200, 400, 401, 403, 404, 405, 409, 410, 413, 414, 415, 422, 429, 431, 500, 503}
_RATE = 400
_READY_S = 180


class House:
    """A service in a folder of its own, what was sent to it, and what it told."""

    def __init__(self, folder: Path, *, bundles: tuple[Path, Path], configs: Path) -> None:
        self.folder, self.url = folder, sqlite_url(folder / "mlruns" / FILE)
        registry = ScratchRegistry(folder / "mlruns")
        for alias, version, bundle in zip(("champion", "challenger"), ("1", "2"), bundles, strict=True):
            shutil.copytree(bundle, registry.bundle(version))
            registry.point(version, alias=alias)
        self.keys = self._keys()
        self.port, self.sent = free_port(), 0
        self.statuses: Counter[int] = Counter()
        self.refused: list[bytes] = []
        self.answered: list[bytes] = []
        self.heads: list[bytes] = []
        for name in ("tmp", "home"):
            (folder / name).mkdir()
        self.before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        command = [sys.executable, str(ROOT / "benchmarks" / "canary_faults.py"), "serve", "--port", str(self.port)]
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            self.process = subprocess.Popen(
                [*command, "--configs", str(configs.resolve())], cwd=folder, env=self._environ(), stdout=out, stderr=err
            )

    def _environ(self) -> dict[str, str]:
        given = {name: value for name, value in os.environ.items() if not name.startswith("ACERTO_")}
        return given | {
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "benchmarks"))), "TMPDIR": str(self.folder / "tmp"),
            "HOME": str(self.folder / "home"), "ACERTO_RATE_LIMIT": f"{_RATE}/minute", "ACERTO_DEADLINE_S": "1",
            "ACERTO_DRAIN_S": "0.2", "ACERTO_SHADOW": "challenger", "ACERTO_SHADOW_LOG": str(self.folder / "shadow"),
            "ACERTO_FEATURE_LOG": str(self.folder / "features"), "ACERTO_FEATURE_LOG_SHARE": "1",
        }  # fmt: skip

    def _keys(self) -> dict[str, list[str]]:
        """Tokens by what they may; of ``all`` many, since each may come so often."""
        store, found = Store.open(self.url), dict[str, list[str]]()
        for name, scopes, count in (("all", SCOPES, 40), ("ingest", ("ingest",), 1), ("flood", SCOPES, 1)):
            made = [new_key("default", frozenset(scopes), now=datetime.now(UTC)) for _ in range(count)]
            for _, key in made:
                store.add_key(key)
            found[name] = [token for token, _ in made]
        store.close()
        return found

    def _token(self, name: str) -> str:
        tokens = self.keys[name]
        return tokens[(self.sent // (_RATE * 2 // 3)) % len(tokens)]

    def send(self, shot: Shot) -> tuple[int, Any]:
        """Sends a request; its status, and what its answer holds where that is 200 and JSON."""
        self.sent += 1
        if shot.raw is not None:
            return self._raw(shot), None
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(shot.method, shot.path)
        headers = (
            shot.headers
            if shot.token == "none"
            else {"Authorization": f"Bearer {self._token(shot.token)}", **shot.headers}
        )
        if shot.body is not None:
            headers = {"Content-Length": str(len(shot.body)), **headers}
        for name, value in headers.items():
            connection.putheader(name, value.encode())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused while it was being sent
            connection.endheaders(shot.body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self._keep(answer.status, content, str(answer.headers).encode(), path=shot.path)
        if answer.status != 200 or "json" not in str(answer.headers["Content-Type"]):
            return answer.status, None
        return 200, json.loads(content) if content else None

    def _keep(self, status: int, content: bytes, head: bytes, *, path: str) -> None:
        self.statuses[status] += 1
        self.heads.append(head)
        if status != 200 or not path.startswith("/v1/"):
            self.refused.append(content)
        elif path in ("/v1/scores", "/v1/decisions"):
            self.answered.append(content)

    def _raw(self, shot: Shot) -> int:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            if shot.method == "LEFT":
                connection.sendall((shot.raw or b"") + self._token("all").encode() + b"\r\n\r\n" + (shot.body or b""))
                time.sleep(0.01)
                return 0
            connection.sendall(shot.raw or b"")
            connection.shutdown(socket.SHUT_WR)
            told = b""
            with contextlib.suppress(ConnectionResetError):
                while part := connection.recv(1 << 16):
                    told += part
        self.refused.append(told)
        return 0

    def wait_until_ready(self, nest: Nest) -> None:
        """Asks until it is ready; on the way, what it says to those who come too early."""
        end = time.monotonic() + _READY_S
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.send(post("/v1/decisions", {nest.lay(): nest.lay()}))
                if self.send(Shot("GET", "/readyz", token="none"))[0] == 200:
                    return
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the service never was ready; see its output in {self.folder}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Ends the service and all its processes."""
        family = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        for one in psutil.wait_procs(family, timeout=10)[1]:
            one.kill()


def sing(house: House, planter: Planter) -> None:
    """One round of requests."""
    for shots in (planter.syntax(), planter.wrong(), planter.heads(), planter.raw(), planter.faults(), planter.left()):
        for shot in shots:
            house.send(shot)
    story(planter, house.send)
    _forgotten(house, planter)
    _crowd(house, planter)


def _forgotten(house: House, planter: Planter) -> None:
    ledger = planter.ledger()
    asked = post("/v1/decisions", planter.asked(ledger), Idempotency_Key=planter.nest.lay("email"))
    _, found = house.send(asked)
    store = Store.open(house.url)
    store.erase(ledger["account"]["debtor_id"], tenant="default")
    store.close()
    house.send(asked)
    for tail in ("", "/explanation", "/replay"):
        house.send(Shot("GET", f"/v1/decisions/{found['decisions'][0]['decision_id']}{tail}"))


def _crowd(house: House, planter: Planter) -> None:
    """More than may be computed at once, one key twice at once, and one key too often."""
    keyed = post("/v1/decisions", planter.asked(planter.ledger(SLOW)), Idempotency_Key=planter.nest.lay("email"))
    slow = [post("/v1/decisions", planter.asked(planter.ledger(SLOW))) for _ in range(3)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(house.send, [keyed, keyed, *slow]))
    for _ in range(_RATE + 5):
        house.send(Shot("GET", "/v1/model", headers={"User-Agent": planter.nest.made[-1].text}, token="flood"))


def soak(folder: Path, *, bundles: tuple[Path, Path], configs: Path, rounds: int = 1) -> dict[str, Any]:
    """Plants, and looks for what was planted.

    Returns
    -------
    ``planted`` and ``sent`` counts, ``statuses``; ``leaks`` places by what was found there, without the one that was
    leaked on purpose; ``leaked`` where that one was found; ``unstructured`` lines that are no JSON object
    """
    nests = [Nest(seed) for seed in range(rounds)]
    house = House(folder, bundles=bundles, configs=configs)
    try:
        house.wait_until_ready(nests[0])
        for nest in nests:
            sing(house, Planter(nest, configs))
        on_purpose = Nest(-1)
        house.send(post("/v1/decisions", {"accounts": [], LEAK + on_purpose.lay("name"): 1}))
        house.send(Shot("GET", "/metrics"))
        places = dict(_files(house))
    finally:
        house.stop()
    places |= dict(_files(house))
    places |= {"error bodies": house.refused, "heads of answers": house.heads}
    made = [canary for nest in nests for canary in nest.made]
    leaked = on_purpose.made[0]
    found = _seen([*made, leaked], places)
    told = Ground(b"\n".join(house.answered)).seen(canary for canary in made if canary.kind not in IDS)
    found |= {"answers": told} if told else {}
    return {
        "planted": len(made),
        "sent": house.sent,
        "statuses": dict(sorted(house.statuses.items())),
        "leaks": {name: dict(kinds) for name, seen in found.items() if (kinds := _kinds(seen - {leaked}))},
        "leaked": sorted(name for name, seen in found.items() if leaked in seen),
        "unstructured": [line for line in (folder / "stdout").read_text().splitlines() if not _is_line(line)],
        "errors": (folder / "stderr").read_text().splitlines(),
    }


def right(found: dict[str, Any]) -> bool:
    """Whether nothing leaked but what was to, everything was tried, and all that was logged has a form."""
    missing = STATUSES - set(found["statuses"])
    return not (found["leaks"] or found["unstructured"] or missing) and found["leaked"] == ["stdout"]


def _files(house: House) -> Iterator[tuple[str, list[bytes]]]:
    """Every file that was written but those of the store, by name; without the account's id where that may stand."""
    for path in sorted(house.folder.rglob("*")):
        if not path.is_file() or path.name.startswith(FILE):
            continue
        parts = [path.read_bytes()]
        if house.before.get(path) == parts[0]:
            continue
        if path.parent.name in ("features", "shadow"):
            parts = [_without_id(line) for line in parts[0].splitlines()]
        yield str(path.relative_to(house.folder)), parts


def _without_id(line: bytes) -> bytes:
    told = json.loads(line)
    return json.dumps({name: value for name, value in told.items() if name != "account_id"}).encode()


def _seen(made: list[Canary], places: dict[str, list[bytes]]) -> dict[str, set[Canary]]:
    """The canaries that are seen in each place where there are any."""
    somewhere = Ground(b"\n".join(part for parts in places.values() for part in parts)).seen(made)
    found = {name: Ground(b"\n".join(parts)).seen(somewhere) for name, parts in places.items()} if somewhere else {}
    return {name: seen for name, seen in found.items() if seen}


def _kinds(seen: set[Canary]) -> Counter[str]:
    return Counter(canary.kind for canary in seen)


def _is_line(line: str) -> bool:
    try:
        told = json.loads(line)
    except ValueError:
        return False
    return isinstance(told, dict) and {"at", "event", "level"} <= told.keys()


def main() -> int:
    """Prints what came of it."""
    parser = arguments(__doc__, clients=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    bundles = newest(given.mlruns)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = soak(Path(folder), bundles=(bundles[-1], bundles[0]), configs=given.configs, rounds=given.rounds)
    print(f"{time.monotonic() - began:.0f} s: {json.dumps(found, indent=1)}")
    return 0 if right(found) else 1


if __name__ == "__main__":
    sys.exit(main())
