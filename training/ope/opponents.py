"""The model's policy against each policy it must not lose to, on the same decisions: better, worse, not established."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from domain.errors import NotEnoughDataError
from domain.tables import Tables
from training.config import TrainingConfig
from training.ope.canonical import (
    CHAMPION,
    MODEL,
    OnStep,
    Question,
    Valued,
    notices,
    seen_in_training,
    trained_until_us,
    value,
)
from training.ope.decisions import MAX_ROWS
from training.ope.estimators import Estimate, Log, Target, dr_scores, mean_of, weights
from training.ope.support import support
from training.ope.told import Told
from training.ope.verdict import Options, Verdict, evaluate

OPPONENTS = (CHAMPION, "ladder", "tuned_ladder", "constant", "random")


@dataclass(frozen=True, slots=True)
class Comparison:
    """``uplift`` of the model's DR value over the opponent's, per decision; ``mdr_uplift`` on the channel marginal.

    The verdict rests on DR alone. Where one of the two policies lacks support it is ``no_support``, and there is no
    uplift; MDR needs a log that tells probabilities of channels, and a policy that is known as a whole.
    """

    opponent: str
    verdict: Verdict
    uplift: Estimate | None = None
    mdr_uplift: Estimate | None = None
    reasons: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "verdict": self.verdict,
            "uplift": _interval(self.uplift),
            "mdr_uplift": _interval(self.mdr_uplift),
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """All comparisons of a version, or none with the reason in ``notices``; money is of ``days`` per decision.

    ``seen`` of the ``decisions`` were known when the version was trained; ``champion`` is the version it was compared
    with, and ``policy_version`` says under which actions and rules all of them decided. ``evaluated`` are the values of
    every policy with ESS and support, and how the logged probabilities were spread, as plain values.
    """

    comparisons: tuple[Comparison, ...]
    notices: tuple[str, ...]
    decisions: int = 0
    days: int | None = None
    seen: int = 0
    champion: str | None = None
    policy_version: str | None = None
    evaluated: Mapping[str, Any] | None = None

    def with_verdict(self, verdict: Verdict) -> tuple[str, ...]:
        """The opponents against whom that came out."""
        return tuple(found.opponent for found in self.comparisons if found.verdict == verdict)

    def as_json(self) -> dict[str, Any]:
        """Plain values, comparisons by opponent."""
        told = {found.opponent: found.as_json() for found in self.comparisons}
        return {
            "decisions": self.decisions, "horizon_days": self.days, "seen_in_training": self.seen,
            "champion": self.champion, "policy_version": self.policy_version, "opponents": told,
            "notices": list(self.notices), "evaluated": None if self.evaluated is None else dict(self.evaluated),
        }  # fmt: skip


def compare_on(
    tables: Tables,
    bundle: ModelBundle,
    *,
    champion: ModelBundle | None,
    desk: Desk,
    config: TrainingConfig,
    max_rows: int = MAX_ROWS,
    on_step: OnStep | None = None,
) -> Compared:
    """Compare a version with its opponents on the decisions after its training, or on all where there are none.

    "After" is after the training of both the version and the champion: whichever has seen a decision looks too good on
    it. Without decisions that can be valued nothing is compared, and the notice says why.

    Raises
    ------
    DataError : ``action_prob`` is none that a choice can have had
    """
    for start in dict.fromkeys((_unseen_from_us(bundle, champion), None)):
        question = Question(from_us=start, max_rows=max_rows)
        try:
            valued = value(
                tables, bundle, desk=desk, config=config, question=question, champion=champion, on_step=on_step
            )
        except NotEnoughDataError as error:
            missing = str(error)
            continue
        return _compared(valued, bundle, champion=champion, desk=desk)
    return Compared((), (f"not compared with any policy: {missing}",))


def _unseen_from_us(bundle: ModelBundle, champion: ModelBundle | None) -> int | None:
    ends = [trained_until_us(one) for one in (bundle, champion) if one is not None]
    known = [end for end in ends if end is not None]
    return max(known) if known else None


def _compared(valued: Valued, bundle: ModelBundle, *, champion: ModelBundle | None, desk: Desk) -> Compared:
    seen = seen_in_training(valued.decisions, bundle)
    return Compared(
        tuple(doubted(found, seen) for found in compare(valued.log, valued.targets)),
        notices(valued, bundle, longest=desk.config.value_horizon_days),
        decisions=len(valued.decisions),
        days=valued.days,
        seen=seen,
        champion=None if champion is None else champion.version,
        policy_version=desk.policy_version,
        evaluated=_evaluated(valued),
    )


def _evaluated(valued: Valued) -> dict[str, Any]:
    """Every policy against what was logged; ``overlap`` are quantiles of the logged probabilities."""
    shares = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 1.0)
    spread = np.quantile(valued.log.action_prob, shares)
    told = Told(
        evaluate(valued.log, valued.targets),
        outcome_model="LightGBM on features and action, cross-fitted by debtor",
        context={"overlap": {f"{share:g}": float(one) for share, one in zip(shares, spread, strict=True)}},
    )
    return told.as_json()


def doubted(found: Comparison, seen: int) -> Comparison:
    """No gain is established on decisions that the version has learned from; a loss on them is one all the more."""
    if not seen or found.verdict != "better":
        return found
    reason = f"{seen:,} of the decisions were known when the version was trained, so that its figures are too good"
    return replace(found, verdict="not_established", reasons=(*found.reasons, reason))


def compare(log: Log, targets: Mapping[str, Target]) -> tuple[Comparison, ...]:
    """The policy ``model`` against every opponent among the targets, in the order of ``OPPONENTS``."""
    return tuple(_against(log, targets[MODEL], targets[name], name) for name in OPPONENTS if name in targets)


def _against(log: Log, model: Target, other: Target, name: str) -> Comparison:
    if support(log, weights(log, other), unsupported=other.unsupported).lacking:
        return Comparison(name, "no_support", reasons=(f"{name} takes actions that the log could not choose",))
    found = evaluate(log, {MODEL: model, name: other}, options=Options(baseline=name)).policies[MODEL]
    if found.figures is None:
        return Comparison(name, "no_support", reasons=found.reasons)
    return Comparison(name, found.verdict, found.figures.uplift, _on_channels(log, model, other), found.reasons)


def _on_channels(log: Log, model: Target, other: Target) -> Estimate | None:
    if model.channel_weight is None or other.channel_weight is None:
        return None
    gain = dr_scores(log, model, model.channel_weight) - dr_scores(log, other, other.channel_weight)
    return mean_of(gain, log.cluster)


def _interval(found: Estimate | None) -> dict[str, float | None] | None:
    """Plain values; a bound that one debtor alone cannot give is ``None``."""
    if found is None:
        return None
    numbers = {"value": found.value, "low": found.low, "high": found.high}
    return {name: float(number) if np.isfinite(number) else None for name, number in numbers.items()}
