"""Whether the log can say anything about a policy at all: checked before any value is stated.

A policy that takes actions which the log could not choose has a part whose reward nobody ever saw. No weighting brings
it back: IPS counts it as 0, and DR believes its model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.ope.estimators import Floats, Log, clustered_se

MAX_UNSUPPORTED = 0.01
"""Mass that may lie outside the log: what it can move is then at most a hundredth of the spread of rewards."""
_Z_ONE_IN_TWO_THOUSAND = 3.29


@dataclass(frozen=True, slots=True)
class Support:
    """``unsupported`` share of the policy's mass; ``known`` says that it was summed over whole policies, not estimated.

    ``mean_weight`` should be 1, give or take ``mean_weight_se``; ``weights_too_large`` says that it lies above 1 by
    more than chance allows, so that ``action_prob`` or the policy's probabilities are not what they are said to be.
    """

    unsupported: float
    known: bool
    lacking: bool
    mean_weight: float
    weights_too_large: bool
    mean_weight_se: float = float("nan")


def support(log: Log, weight: Floats, *, unsupported: float | None = None) -> Support:
    """Support of a policy from its unclipped weights, and from its whole mass where that is known.

    Notes
    -----
    The expected weight is Σ_a π(a | x) over the actions that the log could choose: 1 with full support, and 1 less the
    unsupported mass without. So one minus the mean weight estimates that mass. It is believed where it lies beyond
    chance: under full support the variance of a weight is E_π[w] − 1, estimated by Σw² / Σw − 1 (a score test: a sample
    that happens to lack the rare, large weights also has too small a variance of its own). Where the whole mass is
    known to be supported, only a mean that even the rarest logged probability cannot explain says otherwise: a policy
    that seldom does what the log does has no large weight in most samples, and all of its mass on them.
    """
    mean = float(weight.mean())
    known = unsupported is not None
    missing = float(unsupported) if unsupported is not None else max(0.0, 1.0 - mean)
    rarest = float(log.action_prob.min()) if known else 1.0
    off = (mean - 1.0) / _null_se(log, weight, rarest=rarest) if mean > 0 else -np.inf
    above = (mean - 1.0) / _null_se(log, weight, rarest=1.0)
    lacking = (known and missing > MAX_UNSUPPORTED) or (off < -_Z_ONE_IN_TWO_THOUSAND and 1.0 - mean > MAX_UNSUPPORTED)
    shown = max(missing, 1.0 - mean) if lacking and not (known and missing > MAX_UNSUPPORTED) else missing
    too_large = above > _Z_ONE_IN_TWO_THOUSAND and mean - 1.0 > MAX_UNSUPPORTED
    return Support(shown, known, lacking, mean, too_large, clustered_se(weight - mean, log.cluster))


def _null_se(log: Log, weight: Floats, *, rarest: float) -> float:
    """Standard error of the mean weight if support were full, widened by what clusters widen it.

    No weight is above 1 / ``rarest``, so that E_π[w] is not either; with ``rarest`` = 1 the sample alone is asked.
    """
    n = len(weight)
    seen = float((weight**2).sum() / weight.sum()) if weight.sum() > 0 else 1.0
    alone = max(seen, 1.0 / rarest, 1.0) / n - 1.0 / n
    centred = weight - weight.mean()
    independent = float((centred**2).sum()) / n**2
    together = clustered_se(centred, log.cluster) ** 2
    design = max(1.0, together / independent) if independent > 0 and np.isfinite(together) else 1.0
    return float(np.sqrt(alone * design)) + 1e-12
