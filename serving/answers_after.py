"""What the service answers about decisions that were kept, as models for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from serving.answers import Reason, Refusal
from serving.answers_why import Contribution, DecisionChange, Difference, Money, Part


class Change(Part):
    """One thing that stands in the way, or is not as it was decided; ``refuses`` is false where it only informs."""

    code: str
    text: str
    refuses: bool
    rule: str | None = Field(description="of the contact policy, where it is one")
    until: str | None = Field(description="when this alone would forbid the contact no longer; null where unknown")


class Permit(Part):
    """Whether a decision may be carried out at a moment, and what changed since it was taken."""

    decision_id: str
    account_id: str
    action: str
    at: str
    allowed: bool
    allowed_from: str | None = Field(description="the first later moment of its span at which to ask again")
    not_before: str
    valid_until: str
    changes: list[Change]


class PermitsAnswer(Part):
    """One permit per decision, in the order of the request."""

    at: str = Field(description="the moment of the permits, RFC 3339")
    permits: list[Permit]


class DebtorWords(Part):
    """For the debtor: plain sentences, and no number of a model."""

    text: list[str]


class RefusedActions(Part):
    """Why some actions may not be taken, and how many."""

    code: str
    text: str
    actions: int


class AgentContrast(Part):
    """What the action is worth beside the others; null where there is nothing to set it against."""

    wait: str | None
    runner_up: str | None


class AgentWords(Part):
    """For whoever talks with the debtor: what to propose, why, and what must not be done."""

    proposal: str | None
    reasons: list[str]
    contrast: AgentContrast
    differences: list[str] = Field(description="to runner-up and waiting, with what speaks most for and against")
    changes: list[str] = Field(description="what may be asked for or awaited, and would make another proposal best")
    refusals: list[RefusedActions]


class Shares(Part):
    """``base`` plus all contributions is the explained horizon's probability."""

    base: float
    contributions: list[Contribution]


class AuditorWords(Part):
    """For an auditor: factors, contrasts and versions; ``contributions`` where the decision was explained in full."""

    factors: dict[str, Any]
    reasons: list[Reason]
    contributions: Shares | None
    money: Money | None
    differences: dict[str, Difference]
    changes: list[DecisionChange]
    contrast: dict[str, dict[str, str | float] | None]
    refusals: list[Refusal]
    versions: dict[str, str]
    beside: dict[str, str | None] = Field(description="when it was recorded, on what legal basis, and how it was asked")


class ExplanationAnswer(Part):
    """A kept decision in words, for three who ask."""

    decision_id: str
    decided_at: str
    locale: str
    debtor: DebtorWords
    agent: AgentWords
    auditor: AuditorWords


class ReplayAnswer(Part):
    """A kept decision computed again; ``differences`` are JSON pointers into the record, at most a hundred."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    decision_id: str
    same: bool = Field(description="byte for byte, with the probability of every action")
    model_version: str
    policy_version: str
    differences: list[str]
