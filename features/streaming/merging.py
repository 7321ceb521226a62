"""Findings about pieces of a table as findings about the whole: counts add up, and the smallest ids are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from features.findings import Finding
from features.reading import EXAMPLES, RowPlace


class Merged:
    """Findings of one kind of trouble as one, in the order in which the kinds came."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, ...], Finding] = {}

    def add(self, findings: Iterable[Finding]) -> None:
        """Takes in what was found in the next piece."""
        for finding in findings:
            key = (finding.severity, finding.table, finding.column or "", finding.code, finding.text)
            known = self._found.get(key)
            self._found[key] = finding if known is None else _together(known, finding)

    def findings(self) -> list[Finding]:
        """What was found in all pieces."""
        return list(self._found.values())


def _together(first: Finding, second: Finding) -> Finding:
    examples = smallest((*first.examples, *second.examples))
    return replace(first, count=first.count + second.count, examples=examples)


def smallest(examples: Iterable[str]) -> tuple[str, ...]:
    """The first few ids; rows that have none only where there is no id, in their order."""
    every = list(examples)
    named = {one for one in every if not isinstance(one, RowPlace)}
    return tuple(sorted(named)[:EXAMPLES]) or tuple(every[:EXAMPLES])
