"""What was counted, as it is told: a count with the interval of its share."""

from __future__ import annotations

from scipy.stats import binomtest


def share_of(count: int, of: int) -> str:
    """A count with Clopper and Pearson's 95 % interval of the share."""
    found = binomtest(count, of).proportion_ci(method="exact")
    return f"{count} of {of} [{found.low:.1%}, {found.high:.1%}]"


def wilson(count: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of the share (1927)."""
    found = binomtest(count, of).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
