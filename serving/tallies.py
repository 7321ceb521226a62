"""The tallies of the models that this process serves, told to Prometheus about once a second.

Each process counts for itself, and tells what it counted; one that is killed takes with it what it did not tell yet.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # The process that watches over the workers does without what decides.
    from serving.tally import Tally

EVERY_S = 1.0


class Tallies:
    """Tallies by the seal of their bundle; the model that scored last is told as the one being served."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}
        self._told: Tally | None = None
        self._lock = Lock()

    def kept(self, tally: Tally) -> Tally:
        """The tally of the same model, where there is one already; else this one."""
        with self._lock:
            return self._tallies.setdefault(tally.bundle.seal, tally)

    def tell(self) -> None:
        """Brings the metrics up to now."""
        with self._lock:
            for tally in self._tallies.values():
                if tally.tell() and tally is not self._told:
                    tally.take_over(self._told)
                    self._told = tally
