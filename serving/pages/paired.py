"""The challenger less the champion on the same rows, as training kept it, and in words what that establishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["better", "worse", "open"]
Why = Literal["never", "another", "unreadable"]
_MORE_IS_BETTER = {"auc": True, "ks": True, "brier": False, "ece": False, "log_loss": False}


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of the challenger less the champion's, with the ends of its 95 % interval, where it has one."""

    name: str
    value: float
    low: float | None
    high: float | None

    @property
    def verdict(self) -> Verdict:
        """Better or worse where the whole interval is on that side of nothing; else nothing is established."""
        if self.low is None or self.high is None or self.low <= 0.0 <= self.high:
            return "open"
        return "better" if (self.low > 0.0) == _MORE_IS_BETTER[self.name] else "worse"


@dataclass(frozen=True, slots=True)
class Paired:
    """All of them, on so many ``rows`` of so many ``debtors``; ``unseen`` where neither side learned from any."""

    horizon_days: int
    rows: int
    debtors: int
    unseen: bool
    differences: Sequence[Difference]

    def named(self, verdict: Verdict) -> list[str]:
        """The metrics with a verdict."""
        return [one.name for one in self.differences if one.verdict == verdict]

    @property
    def verdict(self) -> str:
        """All metrics together: ``better``, ``worse``, ``mixed``, or ``open`` where no difference is established."""
        better, worse = self.named("better"), self.named("worse")
        if better and worse:
            return "mixed"
        return "better" if better else "worse" if worse else "open"


def paired(
    champion: tuple[str, Mapping[str, Any]], challenger: tuple[str, Mapping[str, Any]]
) -> tuple[Paired | None, Why | None]:
    """What either bundle kept of the other, challenger less champion; or why there is nothing.

    Parameters
    ----------
    champion, challenger : model hash, and what ``evaluation/paired.json`` of its bundle holds, empty without one
    """
    (own_hash, own), (other_hash, other) = champion, challenger
    try:
        if other.get("model_hash") == own_hash:
            return _read(other, sign=1.0), None
        # After a rollback the challenger is the older one, and the champion was measured beside it.
        if own.get("model_hash") == other_hash:
            return _read(own, sign=-1.0), None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, "unreadable"
    return None, "another" if other or own else "never"


def _read(told: Mapping[str, Any], *, sign: float) -> Paired:
    found = [_difference(name, told["metrics"][name], sign=sign) for name in _MORE_IS_BETTER if name in told["metrics"]]
    return Paired(
        int(told["horizon_days"]), int(told["rows"]), int(told["debtors"]), told["rows_of"] == "unseen", found
    )


def _difference(name: str, told: Mapping[str, Any], *, sign: float) -> Difference:
    ends = [None if told[end] is None else sign * float(told[end]) for end in ("low", "high")]
    low, high = ends if sign > 0 else ends[::-1]
    return Difference(name, sign * float(told["difference"]), low, high)
