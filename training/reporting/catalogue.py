"""The sections in their order: the twenty a risk manager reads, those on decisions, stress and seeds."""

from __future__ import annotations

from collections.abc import Callable

from training.reporting.behaviour import directions, reason_codes, robustness
from training.reporting.challenger import challenger
from training.reporting.decisions import decision_controls, decision_funnel
from training.reporting.evidence import Evidence
from training.reporting.fairness import decision_fairness, fairness
from training.reporting.identity import data_quality, identity, lineage, split
from training.reporting.importance import dependence, importance, local
from training.reporting.limits import limitations, monitoring
from training.reporting.parts import Section
from training.reporting.performance import calibration, discrimination, gains
from training.reporting.policy_value import discount_learning, policy_value, response, targeting
from training.reporting.seed_variance import seed_variance
from training.reporting.stability import segments, stability
from training.reporting.stress import economy

SECTIONS: tuple[Callable[[Evidence], Section], ...] = (
    identity, lineage, data_quality, split, discrimination, calibration, gains, stability, segments, fairness,
    importance, dependence, directions, local, reason_codes, challenger, policy_value, robustness, limitations,
    monitoring, response, targeting, decision_funnel, decision_controls, decision_fairness, discount_learning,
    economy, seed_variance,
)  # fmt: skip


def every_section(evidence: Evidence, told: Callable[[str, float], None] | None = None) -> list[Section]:
    """All sections; ``told`` hears the name of each before it is made, and the share of them that is done."""
    found = []
    for number, make in enumerate(SECTIONS):
        if told is not None:
            told(make.__name__.replace("_", " "), number / len(SECTIONS))
        found.append(make(evidence))
    return found
