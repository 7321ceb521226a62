"""One condition of a promotion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TOLD_ONLY = "nothing (told only)"


@dataclass(frozen=True, slots=True)
class Gate:
    """What was found (a number, or a verdict), what was needed, and whether that is met.

    A gate that is told only is always met: no bound is set, or there is too little to judge by.
    """

    name: str
    found: float | str | None
    needed: str
    met: bool

    def as_json(self) -> dict[str, Any]:
        """For files and for machines."""
        return {"gate": self.name, "found": self.found, "needed": self.needed, "met": self.met}


def at_most(name: str, found: float | None, bound: float | None) -> Gate:
    """A gate with an upper bound; ``None`` as bound tells only, ``None`` as found is not met."""
    if bound is None:
        return Gate(name, found, TOLD_ONLY, True)
    return Gate(name, found, f"at most {bound:g}", found is not None and found <= bound)


def as_json(gates: Sequence[Gate]) -> list[dict[str, Any]]:
    """All of them."""
    return [gate.as_json() for gate in gates]
