"""CPU and memory of the steps inside one process: the functions that do them are timed in place."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

PLACES = (
    ("shards", "features.shards", "prepare"),
    ("ledgers", "decisioning.batch.job", "read_shard"),
    ("ledgers", "decisioning.batch.job", "encode"),
    ("states", "decisioning.offers", "account_states"),
    ("features", "decisioning.offers", "compute_many"),
    ("scores", "decisioning.models", "PaymentModel.predict"),
    ("candidates", "decisioning.offers", "weighed"),
    ("eligibility", "decisioning.offers", "eligibility"),
    ("eligibility", "decisioning.offers", "one_contact_per_debtor"),
    ("allocation", "decisioning.batch.sharing", "share"),
    ("reasons", "decisioning.explanation", "shares"),
    ("reasons", "decisioning.explanation", "reasons"),
    ("refusals", "decisioning.engine", "listed_of"),
    ("figures", "decisioning.batch.deciding", "refused_in"),
    ("figures", "decisioning.exclusions.tally", "Tally.add"),
    ("figures", "decisioning.batch.deciding", "outline_of"),
    ("rows", "decisioning.batch.deciding", "columns_of"),
    ("rows", "decisioning.batch.deciding", "_write"),
    ("written", "decisioning.batch.files", "write_decisions"),
)
"""Step, module and the function or method that does it, as the module that calls it knows it."""
OTHER = "the rest"


class Steps:
    """CPU seconds of each step without those of steps in it, and the most memory that was held in it, in bytes."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = defaultdict(float)
        self.peak: dict[str, int] = defaultdict(int)
        self._stack, self._since = [OTHER], time.process_time()
        self._ended = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Steps:
        for step, module, name in PLACES:
            self._time(step, module, name)
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._turn()
        self._ended.set()
        self._watching.join()

    def _time(self, step: str, module: str, name: str) -> None:
        owner: Any = import_module(module)
        *outer, last = name.split(".")
        for part in outer:
            owner = getattr(owner, part)
        setattr(owner, last, self._timed(step, getattr(owner, last)))

    def _timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*given: Any, **named: Any) -> Any:
            self._turn()
            self._stack.append(step)
            try:
                return function(*given, **named)
            finally:
                self._turn()
                self._stack.pop()

        return timed

    def _turn(self) -> None:
        now = time.process_time()
        self.cpu_s[self._stack[-1]] += now - self._since
        self._since = now

    def _watch(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._ended.wait(0.05):
            resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * page
            step = self._stack[-1]
            self.peak[step] = max(self.peak[step], resident)
