"""An evaluation as it is told: to machines as plain JSON values, to people as a table and remarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from training.ope.estimators import Estimate
from training.ope.verdict import LOGGED, Evaluation, PolicyResult

_MARK = "estimated action_prob"
_FAR = 1_000
"""So many times the present log is no answer to how much more it takes."""


@dataclass(frozen=True)
class Told:
    """An evaluation with what the reader must know beside it.

    ``outcome_model`` says what q of DR is; ``estimated`` that ``action_prob`` was; ``asked`` names the policies whose
    lack of support refuses the whole command, all of them where it is empty; ``context`` are further keys for machines,
    and ``notices`` sentences for everyone.
    """

    found: Evaluation
    outcome_model: str
    estimated: bool = False
    asked: tuple[str, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    @property
    def refused(self) -> tuple[str, ...]:
        """The asked policies of which no value is stated."""
        return tuple(name for name in self.found.unsupported if not self.asked or name in self.asked)

    @property
    def refusal(self) -> str:
        """Why, in one message."""
        reasons = [f"policy {name!r}: {'; '.join(self.found.policies[name].reasons)}" for name in self.refused]
        return (
            f"no_support: no value is stated. {'. '.join(reasons)}. "
            "Log with exploration on these actions, or evaluate a policy that keeps to what the log could choose"
        )

    def as_json(self) -> dict[str, Any]:
        """The contract's shape, with further keys; a policy without support has no figures."""
        return {
            "policies": {name: self._policy(result) for name, result in self.found.policies.items()},
            "rows": self.found.rows,
            "debtors": self.found.clusters,
            "explored": self.found.explored,
            "logged": self._estimate(self.found.logged),
            "baseline": self.found.options.baseline,
            "clip": self.found.options.clip,
            "outcome_model": self.outcome_model,
            "estimated_action_prob": self.estimated,
            "notices": list(self.notices),
            **self.context,
        }

    def _policy(self, result: PolicyResult) -> dict[str, Any]:
        figures = result.figures
        named = {}
        if figures is not None:
            named = {"ips": figures.ips, "snips": figures.snips, "dr": figures.dr, "mdr": figures.mdr}
            named["uplift"] = figures.uplift
        support = result.support
        return {
            **{name: None if found is None else self._figure(found) for name, found in named.items()},
            "ess": result.ess,
            "max_weight": result.max_weight,
            "mean_weight": support.mean_weight,
            "mean_weight_se": _finite(support.mean_weight_se),
            "unsupported_share": support.unsupported,
            "unsupported_share_is_estimated": not support.known,
            "verdict": self.verdict(result),
            "reasons": list(result.reasons),
            "settles_uplift_of": _finite(result.settles),
            "more_decisions": result.more_decisions,
            "more_explored_decisions": result.more_explored,
        }

    def verdict(self, result: PolicyResult) -> str:
        """The verdict, marked where probabilities were estimated."""
        marked = self.estimated and result.verdict != "no_support"
        return f"{result.verdict} ({_MARK})" if marked else result.verdict

    def _figure(self, found: Estimate) -> dict[str, Any]:
        """An estimate of a policy, marked where it is not what the plain estimator would give."""
        told = self._estimate(found)
        if self.estimated:
            told["estimated_action_prob"] = True
        if self.found.options.clip is not None:
            told["clip"] = self.found.options.clip
        return told

    @staticmethod
    def _estimate(found: Estimate) -> dict[str, Any]:
        numbers = {"value": found.value, "low": found.low, "high": found.high, "se": found.se}
        return {name: _finite(number) for name, number in numbers.items()}

    def _needed(self, result: PolicyResult) -> str:
        """What a verdict would take, in a sentence."""
        if result.more_decisions is None:
            return "there is no difference to establish"
        able = f"this log settles uplifts from {result.settles:,.4g} on; "
        if result.more_decisions > _FAR * self.found.rows:
            return f"{able}one of this size is beyond {_FAR:,} times as many decisions"
        more = f"about {result.more_decisions:,} more decisions, {result.more_explored:,} of them explored"
        return f"{able}one of this size takes {more}"

    @property
    def title(self) -> str:
        """Over the table for people."""
        mark = f", with {_MARK}" if self.estimated else ""
        clip = "" if self.found.options.clip is None else f", weights clipped at {self.found.options.clip:g}"
        return (
            f"{self.found.rows:,} decisions of {self.found.clusters:,} debtors, {self.found.explored:,} explored; "
            f"logged {_interval(self.found.logged)}{mark}{clip}"
        )

    @property
    def values(self) -> tuple[list[str], list[list[str]]]:
        """Header and rows of the estimates, one row per policy; a dash where no value is stated."""
        rows = []
        for name, result in self.found.policies.items():
            figures = result.figures
            cells = ["–"] * 3
            if figures is not None:
                cells = [_interval(found) for found in (figures.ips, figures.snips, figures.dr)]
            rows.append([name, *cells])
        return ["policy", "IPS", "SNIPS", "DR"], rows

    @property
    def verdicts(self) -> tuple[list[str], list[list[str]]]:
        """Header and rows of what follows from them."""
        rows = []
        for name, result in self.found.policies.items():
            uplift = "–" if result.figures is None else _interval(result.figures.uplift)
            weights = [f"{result.ess:,.1f}", f"{result.max_weight:,.4g}", _share(result)]
            rows.append([name, uplift, *weights, self.verdict(result)])
        return ["policy", "uplift (DR)", "ESS", "largest weight", "unsupported", "verdict"], rows

    @property
    def remarks(self) -> list[str]:
        """What goes under the table."""
        lines = []
        for name, result in self.found.policies.items():
            lines += [f"{name}: {reason}" for reason in result.reasons]
            if result.figures is not None and result.figures.mdr is not None:
                lines.append(f"{name}: DR on the channel marginal {_interval(result.figures.mdr)}")
            if result.verdict == "not_established":
                lines.append(f"{name}: {self._needed(result)}")
        against = "what was logged" if self.found.options.baseline == LOGGED else self.found.options.baseline
        return [*lines, f"uplift is against {against}; q of DR: {self.outcome_model}", *self.notices]


def _share(result: PolicyResult) -> str:
    return f"{'' if result.support.known else '~'}{result.support.unsupported:.1%}"


def _finite(number: float | None) -> float | None:
    return None if number is None or not np.isfinite(number) else number


def _interval(found: Estimate) -> str:
    return f"{found.value:,.4g} [{found.low:,.4g}, {found.high:,.4g}]"
