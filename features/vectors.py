"""Feature vectors as the service logged them: one line of JSON each, every number as it was."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.clock import parse_moment, rfc3339, to_us


@dataclass(frozen=True, slots=True)
class Vector:
    """What was scored for one account at one moment, and what it was made of.

    ``values`` stand in the order of the schema that ``fingerprint`` names, ``NaN`` where missing. ``given`` are the
    tables that the account's ledger brought (``accounts`` among them where it brought the account's own columns),
    ``taken_as_none`` those that it did not bring and that counted as empty; ``siblings`` is the number of other
    accounts of the same debtor that came along. Beside the pseudonymous id there is nothing of the debtor but features.
    """

    account_id: str
    as_of_us: int
    fingerprint: str
    model_version: str
    given: frozenset[str]
    taken_as_none: frozenset[str]
    siblings: int
    values: tuple[float, ...]

    def to_line(self) -> str:
        """One line without its end; shortest floats that read back as the same bits, missing values as null.

        >>> vector = Vector("a", 0, "f", "1", frozenset(), frozenset(), 0, (0.1, float("nan")))
        >>> vector.to_line()[-20:]
        '"values":[0.1,null]}'
        """
        record = {
            "account_id": self.account_id,
            "as_of": rfc3339(self.as_of_us),
            "schema_fingerprint": self.fingerprint,
            "model_version": self.model_version,
            "given": sorted(self.given),
            "taken_as_none": sorted(self.taken_as_none),
            "siblings": self.siblings,
            "values": [None if math.isnan(value) else value for value in self.values],
        }
        return json.dumps(record, ensure_ascii=True, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> Vector:
        """The vector of a line; a ``ValueError`` where the line is torn or something else."""
        try:
            return _read(json.loads(line))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("found a line that is no logged vector") from error


def _read(record: dict[str, Any]) -> Vector:
    return Vector(
        account_id=str(record["account_id"]),
        as_of_us=to_us(parse_moment(record["as_of"])),
        fingerprint=str(record["schema_fingerprint"]),
        model_version=str(record["model_version"]),
        given=frozenset(record["given"]),
        taken_as_none=frozenset(record["taken_as_none"]),
        siblings=int(record["siblings"]),
        values=tuple(math.nan if value is None else float(value) for value in record["values"]),
    )


def sample_lines(lines: Iterable[str], size: int, *, rng: np.random.Generator) -> tuple[list[str], int]:
    """A random sample of the lines that are not blank, in their order, and how many there are.

    Notes
    -----
    Vitter's algorithm R: one pass, and no more in memory than the sample, however long the log.
    """
    kept: list[tuple[int, str]] = []
    seen = 0
    for line in lines:
        if not line.strip():
            continue
        if len(kept) < size:
            kept.append((seen, line))
        elif (place := int(rng.integers(seen + 1))) < size:
            kept[place] = (seen, line)
        seen += 1
    return [line for _, line in sorted(kept)], seen
