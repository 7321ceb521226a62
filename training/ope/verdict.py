"""From scores to a verdict: is a policy better than what was logged, and how much more log would it take to tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from domain.errors import DataError
from training.ope.estimators import (
    Z_95,
    Estimate,
    Floats,
    Log,
    Target,
    clusters_in,
    doubly_robust,
    dr_scores,
    effective_rows,
    ips,
    mean_of,
    snips,
    weights,
)
from training.ope.support import Support, support

Verdict = Literal["better", "worse", "not_established", "no_support"]
LOGGED = "logged"
MIN_EFFECTIVE = 30.0
"""Effective rows, and clusters, below which a normal interval is not believed, however narrow it looks."""


@dataclass(frozen=True, slots=True)
class Options:
    """``baseline``: what policies are compared with, ``logged`` or a policy's name; ``clip``: cap of the weights."""

    baseline: str = LOGGED
    clip: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The estimates of one policy; ``mdr`` where the log tells probabilities of channels."""

    ips: Estimate
    snips: Estimate
    dr: Estimate
    mdr: Estimate | None
    uplift: Estimate


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """What can be said of one policy; ``figures`` is ``None`` where support is lacking.

    ``settles`` is the smallest uplift that an interval of this width would establish.
    ``more_decisions`` is how many further logged decisions a verdict would need, ``more_explored`` how many explored
    ones among them; ``None`` where there is a verdict, or where no number would do. ``reasons`` say why there is none.
    """

    support: Support
    ess: float
    max_weight: float
    verdict: Verdict
    figures: Figures | None = None
    settles: float | None = None
    more_decisions: int | None = None
    more_explored: int | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All policies of a log, and ``logged``: what the logging policy itself was worth, the mean reward."""

    rows: int
    clusters: int
    explored: int
    logged: Estimate
    options: Options
    policies: Mapping[str, PolicyResult] = field(default_factory=dict)

    @property
    def unsupported(self) -> tuple[str, ...]:
        """Names of the policies about which the log can say nothing."""
        return tuple(name for name, found in self.policies.items() if found.verdict == "no_support")


def evaluate(log: Log, targets: Mapping[str, Target], *, options: Options | None = None) -> Evaluation:
    """Support first, then estimates, then verdicts.

    Raises
    ------
    DataError : the baseline is none of the policies, or lacks support itself
    """
    options = options or Options()
    supports = {
        name: support(log, weights(log, target), unsupported=target.unsupported) for name, target in targets.items()
    }
    baseline = _baseline(log, targets, supports, options)
    return Evaluation(
        rows=len(log),
        clusters=clusters_in(log.cluster),
        explored=int(_explored(log).sum()),
        logged=mean_of(log.reward, log.cluster),
        options=options,
        policies={
            name: _judged(log, target, supports[name], baseline, options=options) for name, target in targets.items()
        },
    )


def _baseline(log: Log, targets: Mapping[str, Target], supports: Mapping[str, Support], options: Options) -> Floats:
    """(n,) scores whose mean is the baseline's value: of the logging policy they are the rewards themselves."""
    name = options.baseline
    if name == LOGGED:
        return log.reward
    if name not in targets:
        raise DataError(f"found no policy {name!r} to compare with, needed 'logged' or one of {sorted(targets)}")
    if supports[name].lacking:
        raise DataError(f"no_support: the baseline {name!r} takes actions that the log could not choose; take another")
    return dr_scores(log, targets[name], weights(log, targets[name], clip=options.clip))


def _judged(log: Log, target: Target, found: Support, baseline: Floats, *, options: Options) -> PolicyResult:
    weight = weights(log, target, clip=options.clip)
    ess, largest = effective_rows(weight), float(weight.max(initial=0.0))
    if found.lacking:
        return PolicyResult(found, ess, largest, "no_support", reasons=(_lacks(found),))
    gain = _without_dust(dr_scores(log, target, weight) - baseline, log)
    uplift = mean_of(gain, log.cluster)
    mdr = None
    if target.channel_weight is not None:
        mdr = mean_of(dr_scores(log, target, target.channel_weight), log.cluster)
    figures = Figures(ips(log, weight), snips(log, weight), doubly_robust(log, target, weight), mdr, uplift)
    width = uplift.high - uplift.low
    reasons = _doubts(log, found, ess, uplift)
    if not reasons:
        return PolicyResult(found, ess, largest, "better" if uplift.value > 0 else "worse", figures, width)
    more = further_share(uplift)
    return PolicyResult(
        found, ess, largest, "not_established", figures, width,
        more_decisions=None if more is None else int(np.ceil(more * len(log))),
        more_explored=None if more is None else int(np.ceil(more * _explored(log).sum())),
        reasons=reasons,
    )  # fmt: skip


def _without_dust(gain: Floats, log: Log) -> Floats:
    """Gains that are rounding errors of equal scores are 0: dust can be biased, and would be called a verdict."""
    return np.where(np.abs(gain) <= 1e-12 * np.abs(log.reward).max(initial=0.0), 0.0, gain)


def too_wide(uplift: Estimate) -> bool:
    """Whether the interval of the uplift is wider than the uplift itself.

    Notes
    -----
    Stricter than an interval that leaves out 0: the uplift must be 3.9 standard errors. Several policies are looked at,
    weights and amounts have heavy tails, and a model that is promoted by luck costs money for months.
    """
    return not uplift.high - uplift.low < abs(uplift.value)


def further_share(uplift: Estimate) -> float | None:
    """How many times the present log must be added before the interval is as narrow as the uplift.

    Notes
    -----
    With more rows of the same kind the standard error falls as 1/√n. The width 2·z·se·√(n/m) of the interval equals the
    uplift u at m = n·(2·z·se/u)², so m/n − 1 more logs are needed. It takes today's uplift for the truth, and is
    ``None`` where there is no uplift or no standard error to go by.
    """
    if uplift.value == 0.0 or not np.isfinite(uplift.se):
        return None
    found = (2.0 * Z_95 * uplift.se / uplift.value) ** 2 - 1.0
    return max(found, 0.0) if np.isfinite(found) else None


def _explored(log: Log) -> npt.NDArray[np.bool_]:
    """Rows that were not what the logging policy mostly did: at most half of the probability was theirs."""
    return log.action_prob <= 0.5


def _lacks(found: Support) -> str:
    how = "" if found.known else "about "
    return f"{how}{found.unsupported:.1%} of the policy's mass lies on actions that the log could not choose"


def _doubts(log: Log, found: Support, ess: float, uplift: Estimate) -> tuple[str, ...]:
    reasons = []
    clusters = clusters_in(log.cluster)
    if ess < MIN_EFFECTIVE:
        reasons.append(f"the effective sample is {ess:.1f} rows, needed {MIN_EFFECTIVE:.0f}")
    if clusters < MIN_EFFECTIVE:
        reasons.append(f"there are {clusters} debtors, needed {MIN_EFFECTIVE:.0f}")
    if found.weights_too_large:
        reasons.append(
            f"the weights average {found.mean_weight:.3f} where they should average 1: action_prob or the policy's "
            "probabilities are not what they are said to be"
        )
    if too_wide(uplift):
        reasons.append("the interval is wider than the uplift")
    return tuple(reasons)
