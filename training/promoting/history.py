"""The history of promotions: lines of JSON of which each holds the SHA-256 of the line before.

A line that is changed, moved or taken out breaks the chain at the next one. That the last lines are there, and that
the whole was not written anew, two others tell: the champion's alias and the tracking store name the line which set
them.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from decisioning.integrity import canonical_json

FILE = "history.jsonl"
BEGINNING = "0" * 64
"""What stands where the digest of an earlier line would."""
_MOVES = ("promoted", "forced", "rolled_back")


@dataclass(frozen=True, slots=True)
class Line:
    """An entry and its digest; ``entry`` is ``None`` where the line is no JSON object."""

    number: int
    entry: Mapping[str, Any] | None
    digest: str


@contextmanager
def appending(root: Path, content: Mapping[str, Any], *, at: str) -> Iterator[str]:
    """Adds an entry once the block has ended well; gives the digest that it will have.

    Nobody else appends meanwhile.

    Parameters
    ----------
    content : what happened: ``kind``, ``version``, ``by``, ``why`` and more
    at : the present moment, RFC 3339
    """
    root.mkdir(parents=True, exist_ok=True)
    path = root / FILE
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        lines = file.read().splitlines()
        before = _digest(lines[-1]) if lines else BEGINNING
        line = canonical_json({"sequence": len(lines) + 1, "at": at, **content, "before": before})
        yield _digest(line)
        file.seek(0, os.SEEK_END)
        # A line that a crash cut short stays as it is, and is told as what it is.
        broken = file.tell() > 0 and path.read_bytes()[-1:] != b"\n"
        file.write((b"\n" if broken else b"") + line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read(root: Path) -> list[Line]:
    """All lines in their order; none where nothing was ever recorded."""
    path = root / FILE
    raw = path.read_bytes().splitlines() if path.is_file() else []
    return [Line(number, _parsed(line), _digest(line)) for number, line in enumerate(raw, start=1)]


def breaks(lines: Sequence[Line], heads: Mapping[str, str]) -> list[str]:
    """Every place at which the history does not hold, in words.

    Parameters
    ----------
    heads : digest of the line that something else names as the one which set it, by what names it
    """
    found, before = [], BEGINNING
    for line in lines:
        if line.entry is None:
            found.append(f"line {line.number} cannot be read")
        elif line.entry.get("before") != before:
            found.append(f"line {line.number} does not follow from the line before")
        elif line.entry.get("sequence") != line.number:
            found.append(f"line {line.number} says that it is line {line.entry.get('sequence')}")
        before = line.digest
    known = {line.digest for line in lines}
    missing = [who for who, digest in sorted(heads.items()) if digest not in known]
    return found + [f"the line that {who} names is not there, or was changed" for who in missing]


def champion_of(lines: Sequence[Line]) -> str | None:
    """The version that the last promotion or rollback made champion; ``None`` where there was none."""
    entries = [line.entry for line in lines if line.entry is not None and line.entry.get("kind") in _MOVES]
    return str(entries[-1].get("version")) if entries else None


def _digest(line: bytes) -> str:
    return sha256(line).hexdigest()


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
