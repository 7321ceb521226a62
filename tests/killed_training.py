"""A training in a process of its own that kills itself, as no handler can catch, when it comes to a step."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from training import pipeline, responding
from training.caching.entries import Entries


def die(*_: Any, **__: Any) -> NoReturn:
    """What kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("outlived SIGKILL")


def _in_the_middle_of_a_write(self: Entries, name: str, write: Callable[[Any], None]) -> None:
    """Dies once files are there and their manifest is not."""
    _keep(self, name, die_after(write) if name.startswith("logged_decisions-") else write)


def die_after(write: Callable[[Any], None]) -> Callable[[Any], None]:
    """Writes, and dies."""

    def written(folder: Any) -> None:
        write(folder)
        die()

    return written


_keep = Entries.keep
DEATHS: dict[str, Callable[[], None]] = {
    "response": lambda: setattr(responding, "response_log", die),
    "writing": lambda: setattr(Entries, "keep", _in_the_middle_of_a_write),
    "evaluation": lambda: setattr(pipeline, "discount_learning", die),
}
"""Where it ends, and how that is arranged."""

if __name__ == "__main__":
    DEATHS[sys.argv[1]]()
    from cli.main import main

    sys.argv = ["acerto", *sys.argv[2:]]
    main()
