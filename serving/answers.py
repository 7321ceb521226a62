"""What the service answers, as models for the OpenAPI document; a test holds real answers against them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from serving.answers_why import Explanation, Part


class Horizons(BaseModel):
    """What holds for every account; the explained horizon's probability stands under its own name, ``p_pay_30d``."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": {"type": "number"}})

    account_id: str
    p_pay: dict[str, float] = Field(
        description="calibrated probability of a payment within each horizon", examples=[{"7d": 0.08, "30d": 0.21}]
    )
    model_version: str
    schema_fingerprint: str


class Score(Horizons):
    """One account's score: what is expected to come back if it is treated as usual."""

    expected_recovered: float = Field(description="currency")
    amount_due: float = Field(description="currency; what is overdue, or owed where nothing is")


class ScoresAnswer(Part):
    """One score per account, in the order of the request."""

    as_of: str = Field(description="the moment of the scores, RFC 3339")
    scores: list[Score]


class Candidate(Part):
    """One action with the factors of its value; money in currency, present value."""

    action: str
    p_pay: float
    expected_recovered: float
    expected_cost: float
    p_complaint: float
    p_opt_out: float
    pressure_cost: float = Field(description="currency; what the price of pressure counts against it, in no value")
    expected_net_value: float
    incremental_net_value: float
    offer_amount: float
    discount_amount: float
    instalment_amount: float | None
    resource_charge: float | None = Field(
        default=None, description="what it pays for scarce resources at their prices, in no amount that is money"
    )


class Reason(Part):
    """A reason code with its wording; the contribution is in probability of the explained horizon, 0 for a kind."""

    code: str
    feature: str
    value: float | None = Field(description="of the feature, in its unit: cents, days, a share; null where missing")
    contribution: float
    text: str


class Refusal(Part):
    """An action that was not allowed: rule, code, and the earliest moment at which the rule would allow it.

    ``allowed_from`` is when no rule would forbid the action, nothing new and no other amounts being assumed; where time
    alone does not bring that it is null, and ``depends_on`` the code of what stands in the way.
    """

    action: str
    rule: str
    code: str
    version: str
    layer: str
    until: str | None
    allowed_from: str | None
    depends_on: str | None
    text: str


class ActionProb(Part):
    """An action that could have been chosen, and the probability with which it would have been."""

    action: str
    action_prob: float = Field(gt=0, le=1)


class Nonpayment(Part):
    """What speaks for a debtor who forgets, and for one who cannot pay: scores of evidence, no probabilities."""

    forgets: float = Field(ge=0, lt=1)
    unable: float = Field(ge=0, lt=1)


class LostToBudget(Part):
    """The action worth most here, which others make more of, or for which too little is left today.

    ``price`` is that of a unit of the resource in currency, ``use`` how many units the action would use, ``charge``
    what all it uses costs at the prices, ``lost_value`` how much more it is worth than what the account gets instead.
    """

    action: str
    resource: str
    code: str
    price: float
    use: float
    charge: float
    lost_value: float
    text: str


class Review(Part):
    """A review that was asked for, or what came of it."""

    kind: str
    by: str
    reason: str | None = None
    outcome: str | None = None
    text: str | None = None
    recorded_at: str


class Decision(Horizons):
    """One decision, whole; ``candidates``, ``action_probs`` and ``explanation`` come with ``explain: full``.

    ``resource_charge`` and ``lost_to_budget`` come where the service decides by prices.
    """

    decision_id: str
    decided_at: str
    action: str
    channel: str
    offer: str
    moment: str
    action_prob: float = Field(gt=0, le=1, description="probability with which the policy chose this action")
    channel_prob: float = Field(gt=0, le=1, description="probability with which the policy chose this action's channel")
    arm: str
    expected_recovered: float
    expected_cost: float
    p_complaint: float
    expected_net_value: float
    incremental_net_value: float
    runner_up: Candidate | None
    debt_ids: list[str]
    amount_due: float
    offer_amount: float
    discount_amount: float
    instalment_amount: float | None
    not_before: str
    valid_until: str
    reasons: list[Reason]
    nonpayment: Nonpayment
    refusals: list[Refusal]
    policy_version: str
    notices: list[str]
    candidates: list[Candidate] = []
    action_probs: list[ActionProb] = []
    explanation: Explanation | None = None
    resource_charge: float | None = None
    lost_to_budget: LostToBudget | None = None
    reviews: list[Review] = Field(default=[], description="of a kept decision, where any was asked for")


class DecisionsAnswer(Part):
    """One decision per account, in the order of the request."""

    as_of: str = Field(description="the moment of the decisions, RFC 3339")
    decisions: list[Decision]


class EventsAnswer(Part):
    """What became of the rows: stored, there already, or a further version of one that is."""

    table: str
    new: int = Field(ge=0)
    same: int = Field(ge=0, description="were stored already, or stand twice in the request")
    corrected: int = Field(ge=0, description="have the id of a stored row and another recorded_at")


class OutcomeAnswer(Part):
    """Whether the outcome was stored, or was there already."""

    new: int = Field(ge=0)
    same: int = Field(ge=0)


class RefusedModel(Part):
    """A version that was promoted and could not be served: a code and what it means, and when it was refused."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_version: str | None
    code: str
    reason: str
    at: str


class ModelAnswer(Part):
    """What is being served."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_version: str
    model_hash: str
    trained_at: str
    schema_fingerprint: str
    policy_version: str
    horizon_days: list[int]
    explained_horizon_days: int
    has_response_model: bool
    notice: str | None = Field(description="what an operator should know, such as that no champion was promoted")
    refused: RefusedModel | None = Field(description="the promoted version where it was refused, and another is served")


class Place(Part):
    """One place that is wrong: a JSON pointer of known keys and positions, and what was needed."""

    pointer: str
    detail: str


class ProblemAnswer(Part):
    """RFC 9457 problem details; nothing of the request is repeated."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[Place] = Field(default=[])


class Health(Part):
    """The state of this worker."""

    status: str
