"""The decision record: what was chosen, with which amounts, what was refused, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Candidate:
    """One action that could have been chosen, with every factor of its value.

    Money is in cents; probabilities are under this action. ``expected_net_cents`` = recovered − cost − complaint and
    opt-out cost; ``incremental_net_cents`` is its difference to ``wait``. ``p_sent``, ``p_reached`` and ``p_agreed``
    are the funnel's gates, ``None`` where the model has none. ``charge_cents`` is what the action pays for scarce
    resources at their prices, in no amount that is money; ``None`` where nothing was allotted. Nor is
    ``pressure_cents`` in any, which its pressure counts against it in the choice.
    """

    action: str
    allowed: bool
    p_pay: float
    expected_recovered_cents: int
    expected_cost_cents: float
    p_complaint: float
    p_opt_out: float
    expected_net_cents: int
    incremental_net_cents: int
    offer_amount_cents: int
    discount_cents: int
    instalment_cents: int
    p_sent: float | None = None
    p_reached: float | None = None
    p_agreed: float | None = None
    complaint_cents: float = 0.0
    opt_out_cents: float = 0.0
    charge_cents: float | None = None
    pressure_cents: float = 0.0


class Refusal(NamedTuple):
    """Why an action was not allowed: rule, code, and the earliest moment at which this rule would allow it.

    ``version`` is that of the rule, or the policy version where a budget refuses; ``layer`` is eligible, applicable,
    suitable or limit. ``allowed_from_us`` is when no rule would forbid the action, nothing new and no other amounts
    being assumed; it is ``None`` where time alone does not bring that, and ``depends_on`` the code of what stands in
    the way. ``until_us`` is ``None`` where the rule's part is not known.
    """

    action: str
    rule: str
    code: str
    until_us: int | None
    text: str = ""
    layer: str = ""
    version: str = ""
    allowed_from_us: int | None = None
    depends_on: str | None = None


@dataclass(frozen=True, slots=True)
class LostToBudget:
    """The action worth most on an account, which it did not get because others make more of what that uses.

    ``resource`` is what decided it, ``price`` that of a unit of it in currency (of money: per unit of money), ``use``
    how many units the action would use. ``charge_cents`` is what all it uses costs at the prices, ``lost_cents`` how
    much more it is worth than what the account gets instead. ``until_us`` is when a new day's resources begin.
    """

    action: str
    resource: str
    code: str
    price: float
    use: float
    charge_cents: float
    lost_cents: float
    until_us: int
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason code with its wording; ``contribution`` is in probability points of the explained score.

    ``value`` is that of the feature, in the feature's unit; ``None`` where it is missing, and of a kind of non-payment.
    """

    code: str
    feature: str
    contribution: float
    text: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Nonpayment:
    """How much speaks for an account that forgets, and how much for one that cannot pay: 0 (nothing) to below 1.

    Scores of declared evidence, not probabilities: no data set says which of the two a debtor is.
    """

    forgets: float = 0.0
    unable: float = 0.0


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature adds to the explained probability; the base and all contributions add up to it."""

    feature: str
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class MoneySplit:
    """Where an amount in cents comes from, each part in whole cents.

    ``average_cents`` plus all of ``by_factor`` is ``total_cents``, and so is ``average_cents`` plus all of
    ``by_feature``, whose name is ``None`` for what no feature explains. ``average_cents`` is what an average account
    that owes the same has, and takes what rounding leaves; it is 0 where the amount is a difference.
    """

    total_cents: int
    average_cents: int
    by_factor: Mapping[str, int]
    by_feature: tuple[tuple[str | None, int], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """The chosen action against another, by what the policy compares; ``split`` is ``None`` where it is not known."""

    action: str
    total_cents: int
    split: MoneySplit | None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that, alone and all else held fixed, makes ``action`` the best, by ``gain_cents`` of what is compared.

    ``kind`` is ``rule``, ``feature`` or ``price``; ``by`` who can bring it about: ``debtor``, ``operator``, ``time`` or
    ``nobody``. A rule has its ``rule`` and ``code``, and ``allowed_from_us`` where time lifts it; a feature its values
    before and after, ``None`` where missing; a price ``rise``, in currency per attempt of the chosen action.
    """

    kind: str
    action: str
    gain_cents: float
    by: str
    rule: str | None = None
    code: str | None = None
    allowed_from_us: int | None = None
    feature: str | None = None
    value: float | None = None
    needed: float | None = None
    rise: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Base probability, contributions of all features, and the chosen action against runner-up and ``wait``.

    ``money`` is the expected net value by factor and by feature, ``differences`` the same against the others, and
    ``changes`` what would change the decision.
    """

    base: float
    contributions: tuple[Contribution, ...]
    contrast: Mapping[str, Mapping[str, float]]
    money: MoneySplit | None = None
    differences: Mapping[str, Difference] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about one account (contract §4).

    A decision that only waits, or whose every contact was refused, is a decision like any other, with its reasons.
    ``action_prob`` is the probability with which the policy chose ``action``, ``channel_prob`` that of its channel with
    any offer and moment; ``action_probs`` holds those of all actions that it could have chosen, where they were asked
    for, and sums to 1.
    """

    decision_id: str
    account_id: str
    decided_at_us: int
    action: str
    channel: str
    offer: str
    moment: str
    action_prob: float
    channel_prob: float
    arm: str
    p_pay: Mapping[int, float]
    chosen: Candidate
    runner_up: Candidate | None
    debt_ids: tuple[str, ...]
    amount_due_cents: int
    not_before_us: int
    valid_until_us: int
    reasons: tuple[Reason, ...]
    refusals: tuple[Refusal, ...]
    model_version: str
    policy_version: str
    schema_fingerprint: str
    notices: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    explanation: Explanation | None = field(default=None)
    action_probs: Mapping[str, float] = field(default_factory=dict)
    nonpayment: Nonpayment = field(default_factory=Nonpayment)
    lost_to_budget: LostToBudget | None = None
