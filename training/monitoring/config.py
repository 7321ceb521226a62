"""``monitoring.yaml``: which weeks are looked at, when a check turns amber or red, and whom to tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from domain.config import load_section

Family = Literal["features", "scores", "calibration", "responses", "refusals", "policy", "volumes", "late", "counts"]
FAMILIES: Mapping[str, Family] = {
    "FEATURE_PSI": "features",
    "FEATURE_MISSING": "features",
    "FEATURE_UNSEEN": "features",
    "SCORE_PSI": "scores",
    "CALIBRATION_MEAN": "calibration",
    "CALIBRATION_SLOPE": "calibration",
    "RESPONSE_RATE": "responses",
    "OPT_OUT_RATE": "responses",
    "REFUSAL_SHARE": "refusals",
    "EXPLORATION_SHARE": "policy",
    "WAIT_SHARE": "policy",
    "CONTROL_SHARE": "policy",
    "VOLUME_ACCOUNTS": "volumes",
    "VOLUME_DECISIONS": "volumes",
    "VOLUME_CONTACTS": "volumes",
    "LATE_PAYMENTS": "late",
    "BUDGET_USE": "counts",
    "FALLBACK_SHARE": "counts",
}
"""Every check, and the family within which its tests share their chance of a false alarm; ``counts`` have none."""
TESTED = tuple(dict.fromkeys(family for family in FAMILIES.values() if family != "counts"))
"""The families that are tested; each has the same part of ``alpha``."""


class Limit(BaseModel, frozen=True, extra="forbid"):
    """From ``amber`` on an effect is worth an alert, from ``red`` on a red one; power is told for one of ``red``."""

    amber: PositiveFloat
    red: PositiveFloat

    @model_validator(mode="after")
    def _red_is_worse(self) -> Self:
        if self.red <= self.amber:
            raise ValueError(f"found red {self.red:g} and amber {self.amber:g}, needed red above amber")
        return self


class Webhook(BaseModel, frozen=True, extra="forbid"):
    """How alerts are sent; the address and the secret come from the environment.

    ``severity`` is the least one that is sent. A try ends after ``timeout_s``; there are ``tries`` of them at most,
    with waits that double from ``first_wait_s`` on.
    """

    severity: Literal["amber", "red"] = "amber"
    timeout_s: PositiveFloat = 5.0
    tries: int = Field(default=4, ge=1, le=10)
    first_wait_s: NonNegativeFloat = 0.5


class MonitoringConfig(BaseModel, frozen=True, extra="forbid"):
    """The whole file.

    ``weeks`` are judged, and compared with ``reference_weeks`` before them. ``against`` says what features and scores
    are held against: such weeks, which also tell by how much weeks differ anyway, or the whole of ``training``, as the
    bundle keeps it, where only chance is accounted for. ``rows`` says which moments are scored: those of logged
    ``decisions``, of the ``portfolio`` as it stands when a week begins, or whichever training used (``auto``). Below
    ``min_rows`` debtors a week says nothing of scores, and below ``min_events`` nothing of what is done. ``alpha`` is
    the chance that a whole report in which nothing changed holds any alert; ``min_power`` what the chance of seeing a
    change as large as the red limit must be for a check to be green.
    """

    weeks: int = Field(default=8, ge=1, le=53)
    reference_weeks: int = Field(default=13, ge=4, le=53)
    against: Literal["weeks", "training"] = "weeks"
    rows: Literal["auto", "decisions", "portfolio"] = "auto"
    max_rows_per_week: PositiveInt = 20_000
    min_rows: PositiveInt = 200
    min_events: PositiveInt = 30
    alpha: float = Field(default=0.05, gt=0.0, lt=0.5)
    min_power: float = Field(default=0.8, gt=0.0, lt=1.0)
    limits: dict[str, Limit]
    webhook: Webhook = Webhook()

    @model_validator(mode="after")
    def _one_limit_per_check(self) -> Self:
        missing, unknown = sorted(FAMILIES.keys() - self.limits.keys()), sorted(self.limits.keys() - FAMILIES.keys())
        if missing or unknown:
            raise ValueError(f"limits: missing checks {missing}, unknown checks {unknown}; needed one limit per check")
        return self

    @property
    def family_alpha(self) -> float:
        """The part of ``alpha`` that each family of tests has."""
        return self.alpha / len(TESTED)


def load_monitoring(configs: Path) -> MonitoringConfig:
    """``monitoring.yaml`` of a folder; a ``ConfigError`` where it is missing or not as it should be."""
    return load_section(configs / "monitoring.yaml", MonitoringConfig)
