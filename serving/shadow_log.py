"""The log of the shadow, read: pairs of answers in order of time, or the latest of them within a bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from decisioning.shadows import Pair

_FILES = "shadow-*.jsonl"


def read_pairs(folder: Path, torn: list[str]) -> Iterator[Pair]:
    """The pairs of a log in order of time; names of files with a line that cannot be read are added to ``torn``."""
    for path in sorted(folder.glob(_FILES)):
        with path.open(encoding="utf-8") as lines:
            yield from _pairs(lines, path.name, torn)


def latest_pairs(folder: Path, torn: list[str], *, most_bytes: int) -> list[Pair]:
    """The pairs of the last ``most_bytes`` of a log, in order of time."""
    found: list[list[Pair]] = []
    left = most_bytes
    for path in sorted(folder.glob(_FILES), reverse=True):
        if left <= 0:
            break
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - left))
            content = file.read(left)
        # What is read from the middle of a file begins within a line.
        lines = content.decode("utf-8", errors="replace").split("\n")[1 if size > left else 0 :]
        found.append(list(_pairs(lines, path.name, torn)))
        left -= len(content)
    return [pair for some in reversed(found) for pair in some]


def _pairs(lines: Iterable[str], name: str, torn: list[str]) -> Iterator[Pair]:
    for line in filter(str.strip, lines):
        try:
            yield Pair.from_line(line)
        except ValueError:
            torn.append(name)
