"""IPS, SNIPS and doubly robust estimates of a policy's mean reward, each with a cluster-robust interval.

For row i let a_i be the logged action, p_i the probability with which it was chosen (``action_prob``), r_i the
reward, π(a | x_i) the evaluated policy, w_i = π(a_i | x_i) / p_i, and q an estimate of the expected reward that has not
seen the rewards of row i's cluster. Means are over all n rows:

- IPS (Horvitz and Thompson 1952): mean of w·r
- SNIPS (Swaminathan and Joachims 2015, NeurIPS, eq. 8): mean of w·r over mean of w
- DR (Dudík, Langford and Li 2011, ICML, eq. 1): mean of Σ_a π(a | x)·q(x, a) + w·(r − q(x, a_i))
- MDR: DR with the weight of the action's channel, Σ_{a in c} π(a | x) / Σ_{a in c} p(a | x), in the place of w, as
  in Saito and Joachims (2022, ICML) for embeddings of actions: much less variance, and biased as far as offers and
  moments matter within a channel and q does not know it

With the same inputs they are the estimates of Open Bandit Pipeline 0.5.7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Log:
    """What was logged, one row per decision, all (n,): ``action_prob`` in (0, 1], ``reward``, ``cluster`` codes from 0.

    Rows of one cluster (debtor) may depend on each other; clusters may not.
    """

    action_prob: Floats
    reward: Floats
    cluster: Int64s

    def __len__(self) -> int:
        return len(self.reward)


@dataclass(frozen=True, slots=True)
class Target:
    """An evaluated policy at the logged rows.

    Parameters
    ----------
    pi : (n,) the policy's probability of the logged action
    q_logged, q_target : (n,) expected reward of the logged action, and under the policy; from a model that has not seen
        the row's cluster. Equal where the model does not look at the action: then both are what the row brings anyway
    channel_weight : (n,) weight of the logged action's channel, where the log tells it
    unsupported : share of the policy's mass on actions that the log could not choose, where whole policies are known
    """

    pi: Floats
    q_logged: Floats
    q_target: Floats
    channel_weight: Floats | None = None
    unsupported: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its standard error and 95 % interval."""

    value: float
    se: float

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.value - Z_95 * self.se

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.value + Z_95 * self.se


def weights(log: Log, target: Target, *, clip: float | None = None) -> Floats:
    """(n,) importance weights; ``clip`` caps them, which trades variance for a bias of unknown size."""
    found = target.pi / log.action_prob
    return found if clip is None else np.minimum(found, clip)


def ips(log: Log, weight: Floats) -> Estimate:
    """Inverse propensity score: unbiased, and the noisiest."""
    return mean_of(weight * log.reward, log.cluster)


def snips(log: Log, weight: Floats) -> Estimate:
    """Self-normalised IPS; its interval is that of a ratio (delta method), so it needs some weight above 0."""
    value = float((weight * log.reward).sum() / weight.sum())
    influence = weight * (log.reward - value) / weight.mean()
    return Estimate(value, clustered_se(influence, log.cluster))


def doubly_robust(log: Log, target: Target, weight: Floats) -> Estimate:
    """DR: the mean of :func:`dr_scores`."""
    return mean_of(dr_scores(log, target, weight), log.cluster)


def dr_scores(log: Log, target: Target, weight: Floats) -> Floats:
    """(n,) per row, q under the policy plus what the logged reward corrects: scores of two policies can be paired."""
    return np.asarray(target.q_target + weight * (log.reward - target.q_logged), dtype=np.float64)


def mean_of(scores: Floats, cluster: Int64s) -> Estimate:
    """Mean of the scores of all rows."""
    value = float(scores.mean())
    return Estimate(value, clustered_se(scores - value, cluster))


def clustered_se(influence: Floats, cluster: Int64s) -> float:
    """Standard error of a mean whose rows depend on each other within clusters; ``inf`` where there is one cluster.

    Notes
    -----
    √(G / (G − 1) · Σ_g s_g²) / n with s_g the sum of the (centred) influence over cluster g (Liang and Zeger 1986).
    """
    sums = np.bincount(cluster, weights=influence)
    groups = clusters_in(cluster)
    if groups < 2:
        return float("inf")
    return float(np.sqrt(groups / (groups - 1) * (sums**2).sum()) / len(influence))


def clusters_in(cluster: Int64s) -> int:
    """How many clusters there are; codes may have gaps."""
    return int(np.count_nonzero(np.bincount(cluster)))


def effective_rows(weight: Floats) -> float:
    """Kish's effective sample size, (Σw)² / Σw²: how many equally weighted rows tell as much; 0 without any weight."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0
