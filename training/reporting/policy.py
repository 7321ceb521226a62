"""``report_policy.yaml`` and ``report_owner.yaml``: when a light turns, and what only the model's owner can say.

Thresholds are a policy that somebody sets and versions. The report shows them as that, never as a regulation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, PositiveInt, model_validator

from domain.config import load_section

Severity = Literal["low", "medium", "high"]


class Limit(BaseModel, frozen=True, extra="forbid"):
    """From ``amber`` on a figure is amber, from ``red`` on red; whether more or less is worse is the light's own."""

    amber: float
    red: float


class Move(BaseModel, frozen=True, extra="forbid"):
    """What happens to a feature of every account: it is multiplied, then added to; its kind's bounds are kept."""

    times: float = Field(default=1.0, ge=0.0)
    add: float = 0.0


class Scenario(BaseModel, frozen=True, extra="forbid"):
    """One state of the economy: what it does to the odds of paying and to what accounts look like.

    ``odds`` multiplies every account's odds of paying at unchanged features, which no score can see. ``features`` moves
    features, by name or by a pattern such as ``payments_cents_*``. ``source`` says where the numbers come from, or that
    they are assumed; both it and ``title`` are texts in Portuguese and in English.
    """

    name: str = Field(pattern=r"[a-z][a-z0-9_]*")
    title: tuple[str, str]
    source: tuple[str, str]
    odds: float = Field(default=1.0, gt=0.0)
    features: dict[str, Move] = Field(default_factory=dict)


class ReportPolicy(BaseModel, frozen=True, extra="forbid"):
    """The whole file.

    ``min_rows`` and ``min_debtors``: below them a figure is not stated. ``family_error`` is the chance with which a
    search over many segments, bands or features may call noise a weakness. ``selected_share`` is the share of rows,
    from the highest probability down, that counts as selected in fairness checks; ``noise`` the share of each value,
    for reasons, or of a feature's spread, for the score, by which inputs are shaken; ``bands`` the number of bands;
    ``scenarios`` are what the economy may do.
    """

    version: str
    min_rows: PositiveInt = 200
    min_debtors: PositiveInt = 50
    family_error: float = Field(default=0.01, gt=0.0, lt=0.5)
    selected_share: float = Field(default=0.3, gt=0.0, lt=1.0)
    noise: float = Field(default=0.01, gt=0.0)
    bands: int = Field(default=10, ge=10, le=50)
    limits: dict[str, Limit]
    scenarios: tuple[Scenario, ...] = ()

    @model_validator(mode="after")
    def _names_every_light(self) -> Self:
        from training.reporting.lights import WORSE  # noqa: PLC0415  (lights are judged by limits)

        missing, unknown = sorted(WORSE.keys() - self.limits.keys()), sorted(self.limits.keys() - WORSE.keys())
        if missing or unknown:
            raise ValueError(f"limits: missing lights {missing}, unknown lights {unknown}; needed one limit per light")
        named = [one.name for one in self.scenarios]
        if len(set(named)) < len(named):
            raise ValueError(f"scenarios: found names {named}, needed each once")
        for code, limit in self.limits.items():
            if (limit.red - limit.amber) * (1 if WORSE[code] == "more" else -1) < 0:
                raise ValueError(f"limits.{code}: found red {limit.red} on the better side of amber {limit.amber}")
        return self


class OpenFinding(BaseModel, frozen=True, extra="forbid"):
    """Something found and not yet mended; ``due_on`` is a date in words of ISO 8601."""

    id: str
    severity: Severity
    text: str
    due_on: str | None = None


class Override(BaseModel, frozen=True, extra="forbid"):
    """Decisions of a period that people overrode."""

    period: str
    decisions: PositiveInt
    overridden: int = Field(ge=0)
    why: str = ""


class ReportOwner(BaseModel, frozen=True, extra="forbid"):
    """What no computation can tell; every key may be left out, and the report then says that it is not given."""

    owner: str | None = None
    approver: str | None = None
    tier: str | None = None
    intended_use: str | None = None
    out_of_scope: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()
    findings: tuple[OpenFinding, ...] = ()
    overrides: tuple[Override, ...] = ()
    monitoring_owner: str | None = None
    cadence: str | None = None
    triggers: tuple[str, ...] = ()
    rollback: str | None = None


def load_policy(configs: Path) -> ReportPolicy:
    """``report_policy.yaml`` of a folder; a ``ConfigError`` where it is missing or not as it should be."""
    return load_section(configs / "report_policy.yaml", ReportPolicy)


def load_owner(configs: Path) -> ReportOwner:
    """``report_owner.yaml`` of a folder, empty where there is none; a ``ConfigError`` where it cannot be read."""
    path = configs / "report_owner.yaml"
    return load_section(path, ReportOwner) if path.exists() else ReportOwner()
