"""What would happen under each action: learned from logged decisions, or assumed from priors where there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from decisioning.calibration import Calibrator
from decisioning.candidates import Grid, grid
from decisioning.config import Priors
from decisioning.tree_shap import ByBooster, TreeShap, explainer_of
from decisioning.trees import Trees
from domain.actions import Action
from domain.errors import BundleError
from features.schema import FeatureSchema

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

HEADS = ("pay", "share", "late", "complaint", "opt_out")
PRIORS_NOTICE = "rests on configured priors: no response model was learned"

# How often an attempt gets through: orders of magnitude, meant to be replaced in decision.yaml by one's own.
DEFAULT_REACH = {
    "sms": 0.35, "email": 0.20, "whatsapp": 0.45, "voice_bot": 0.25, "chatbot": 0.30, "portal": 0.10,
    "agent_call": 0.30, "letter": 0.40,
}  # fmt: skip
_OTHER_REACH = 0.25
_LIFT_OF_KIND = {"none": 1.10, "instalments": 1.25, "incentive": 1.15}
_LIFT_PER_DISCOUNT_POINT = 0.02
_PRIOR_SHARE = 0.7
_PRIOR_PAYS_LATER = 0.3
"""Who let a month pass and still pays within the year: early arrears do better, old ones worse."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What each action leads to, all (n, A), ``NaN`` where the action was not asked about.

    ``p_pay``, probability that the account pays within the label's horizon; ``p_complaint`` and ``p_opt_out``. Money
    comes in one of two forms. A hurdle has ``share`` of what the offer asks for that comes in within the value horizon,
    given that the account pays, and ``late``, the share of the full amount due (an offer not taken gives no discount)
    that comes in given that it does not. A funnel has ``returned``, the present value of all that comes in within the
    value horizon as a share of the balance, and tells its gates: ``p_sent``, that what was decided is carried out;
    ``p_reached``, that it is and the debtor receives it; ``p_agreed``, that who receives it takes the offer or
    promises. What a form does not have is ``None``.
    """

    p_pay: Floats
    p_complaint: Floats
    p_opt_out: Floats
    share: Floats | None = None
    late: Floats | None = None
    returned: Floats | None = None
    p_sent: Floats | None = None
    p_reached: Floats | None = None
    p_agreed: Floats | None = None

    def named(self) -> dict[str, Floats]:
        """The arrays that there are, by name."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {name: values for name, values in found.items() if values is not None}


@dataclass(frozen=True)
class Head:
    """One learned quantity: a booster with its calibrator, or a ``constant`` where too little was known to learn."""

    booster: Any | None = None
    calibrator: Calibrator | None = None
    constant: float | None = None

    def __post_init__(self) -> None:
        learned = self.booster is not None and self.calibrator is not None
        if learned == (self.constant is not None):
            raise BundleError("a head needs either a booster and its calibrator, or a constant")

    @cached_property
    def trees(self) -> Trees:
        """The booster's trees, read once."""
        return Trees.of(self.booster)

    @cached_property
    def explainer(self) -> TreeShap | ByBooster:
        """What tells how each feature adds to the booster's margin."""
        return explainer_of(self.booster)

    def apply(self, table: Grid, wanted: Bools) -> Floats:
        """The quantity (n, A) for accounts under the ``wanted`` actions, ``NaN`` elsewhere."""
        if self.constant is not None or self.calibrator is None:
            return np.where(wanted, self.constant or 0.0, np.nan)
        return np.asarray(self.calibrator.apply(self.trees.margins(table, wanted)), dtype=np.float64)


@dataclass(frozen=True)
class HurdleModel:
    """P(pay | x, a), the shares recovered of payers and of the others, complaint and opt-out, on factored features.

    ``heads`` by name (``HEADS``); ``names`` are the action features the boosters were trained on, after the account's.
    """

    heads: Mapping[str, Head]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if set(self.heads) != set(HEADS):
            raise BundleError(f"found the response heads {sorted(self.heads)}, needed {sorted(HEADS)}")

    def outcomes(
        self, values: Floats, schema: FeatureSchema, actions: Sequence[Action], *, allowed: Bools | None = None
    ) -> Outcomes:
        """Outcomes of all accounts under all (allowed) actions.

        Parameters
        ----------
        values : (n, k) account features in the order of ``schema``
        allowed : (n, A) which pairs are wanted; all of them by default
        """
        wanted = np.ones((len(values), len(actions)), dtype=np.bool_) if allowed is None else allowed
        table = grid(values, schema, actions, names=self.names)
        pay, share, late, complaint, opt_out = (self.heads[name].apply(table, wanted) for name in HEADS)
        share, late = np.clip(share, 0.0, 1.0), np.clip(late, 0.0, 1.0)
        return Outcomes(p_pay=pay, share=share, late=late, p_complaint=complaint, p_opt_out=opt_out)


class AnyHead(Protocol):
    """A head of either form: grown alone, or blended with its twin."""

    @property
    def booster(self) -> Any | None:
        """The LightGBM booster, where there is one."""

    @property
    def calibrator(self) -> Calibrator | None:
        """What turns its margins into the quantity, where there is a booster."""

    @property
    def constant(self) -> float | None:
        """The quantity itself, where too little was known to learn."""

    def apply(self, table: Grid, wanted: Bools) -> Floats:
        """The quantity (n, A) for accounts under the ``wanted`` actions, ``NaN`` elsewhere."""


class ResponseModel(Protocol):
    """What training hands over and deciding asks: a hurdle, or a funnel."""

    @property
    def heads(self) -> Mapping[str, AnyHead]:
        """Its learned quantities by name."""

    @property
    def names(self) -> tuple[str, ...]:
        """The action features that they were trained on."""

    def outcomes(
        self, values: Floats, schema: FeatureSchema, actions: Sequence[Action], *, allowed: Bools | None = None
    ) -> Outcomes:
        """Outcomes of all accounts under all (allowed) actions."""


@dataclass(frozen=True, slots=True)
class PriorResponse:
    """Outcomes assumed from the payment model and configured priors.

    With p0 the payment model's probability, r the channel's reach and l the lift: an attempt gets through with
    probability r, and then multiplies the hazard of paying by l, so that p1 = 1 − (1 − p0)^l and
    p_pay = (1 − r)·p0 + r·p1. A discount is given away only where the attempt got through. Waiting has p0 itself.
    Who does not pay within the label's horizon still pays within the value horizon with probability ``pays_later``,
    after any action alike, and then the same share, of the full amount.
    """

    priors: Priors
    share: float = _PRIOR_SHARE
    pays_later: float = _PRIOR_PAYS_LATER

    def outcomes(self, p_pay: Floats, actions: Sequence[Action]) -> Outcomes:
        """Outcomes (n, A) from the explained probability (n,)."""
        reach = np.array([self.reach(action) for action in actions])
        lift = np.array([self.lift(action) for action in actions])
        kept = np.array([1.0 - action.discount_pct / 100.0 for action in actions])
        intrusive = np.array([action.intrusiveness for action in actions])
        pays, share = self.pays_and_share(p_pay[:, None], reach=reach, lift=lift, kept=kept)
        flat = np.ones_like(pays)
        return Outcomes(
            p_pay=pays,
            share=share,
            late=flat * self.late,
            p_complaint=flat * (self.priors.complaint * intrusive),
            p_opt_out=flat * (self.priors.opt_out * intrusive),
        )

    def pays_and_share(self, base: Floats, *, reach: Floats, lift: Floats, kept: Floats) -> tuple[Floats, Floats]:
        """The probability of paying, and the share of what is asked for that a payer pays; shapes as they broadcast.

        ``base`` is the probability without any contact, ``kept`` the part of what is due that the offer asks for.
        """
        reached = reach * (1.0 - (1.0 - base) ** lift)
        missed = (1.0 - reach) * base
        pays = missed + reached
        # Who pays without having been reached pays without the discount: more than the offer asks for.
        share = (self.priors.share or self.share) * (missed + reached * kept) / (np.maximum(pays, 1e-300) * kept)
        return pays, share

    @property
    def late(self) -> float:
        """The share of all that is due that comes in late where the account does not pay within the horizon."""
        return (self.priors.share or self.share) * self.pays_later

    def reach(self, action: Action) -> float:
        """Probability that an attempt on the action's channel gets through; 0 for waiting."""
        if action.is_wait:
            return 0.0
        return self.priors.reach.get(action.channel, DEFAULT_REACH.get(action.channel, _OTHER_REACH))

    def lift(self, action: Action) -> float:
        """What getting through multiplies the hazard of paying with: by offer times by channel, or the default."""
        configured = self.priors.lift
        default = _LIFT_OF_KIND.get(action.offer_kind, 1.0 + _LIFT_PER_DISCOUNT_POINT * action.discount_pct)
        return configured.get(action.offer, default) * configured.get(action.channel, 1.0)
