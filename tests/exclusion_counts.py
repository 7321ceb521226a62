"""Counts of refusals by plain sets, beside which those of ``decisioning.exclusions`` are held."""

from __future__ import annotations

from collections.abc import Sequence

from decisioning.exclusions import Exclusions, RuleExclusion
from domain.decisions import Decision


def refused_pairs(decisions: Sequence[Decision], *, but: str | None = None) -> set[tuple[str, str]]:
    """Pairs of account and action that any rule refuses, one rule left out."""
    return {(one.account_id, found.action) for one in decisions for found in one.refusals if found.rule != but}


def rule(found: Exclusions, name: str) -> RuleExclusion:
    return next(one for one in found.rules if one.rule == name)
