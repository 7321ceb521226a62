"""``decision.yaml``: what a decision is worth, how much is explored, and what is assumed where nothing was learned."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from decisioning.arms import Arms, LadderStep
from decisioning.budgets import Budget, Capacity, Segment


class Objective(BaseModel, frozen=True, extra="forbid"):
    """Money behind a decision, in the currency of the file.

    ``discount_weight`` is what one unit of discount given away counts against an action beyond the money itself: it
    moves the choice and is in no amount that is written down. So does ``pressure_price``, in currency per unit of
    pressure: a contact that is sent counts its channel's intrusiveness, times one and the pressure that the debtor
    carries from the last 30 days (``decisioning.pressure``), so that the tenth contact is dearer than the first.
    """

    complaint_cost: NonNegativeFloat = 250.0
    opt_out_cost: NonNegativeFloat = 10.0
    discount_weight: NonNegativeFloat = 0.0
    pressure_price: NonNegativeFloat = 0.0
    monthly_discount_rate: float = Field(default=0.01, ge=0.0, lt=1.0)


class Exploration(BaseModel, frozen=True, extra="forbid"):
    """How much is tried out, so that the next model and every evaluation have something to learn from.

    ``share`` of the decisions explores: ``floor_share`` of those uniformly on all allowed actions, the others on the
    ``top_k`` best. ``max_expected_loss`` caps what exploring may cost a decision in expectation, in currency.
    """

    share: float = Field(default=0.05, ge=0.0, le=1.0)
    top_k: PositiveInt = 8
    floor_share: float = Field(default=0.2, ge=0.0, le=1.0)
    max_expected_loss: NonNegativeFloat | None = None


class Priors(BaseModel, frozen=True, extra="forbid"):
    """What is assumed about actions where no response model was learned (``response.PriorResponse``).

    ``reach`` is by channel, the probability that an attempt gets through; ``lift`` by offer or by channel, what getting
    through multiplies the hazard of paying with; ``share`` of the amount due that a payer pays within the value
    horizon; ``complaint`` and ``opt_out`` their probability for a contact of intrusiveness 1.
    """

    reach: dict[str, float] = {}
    lift: dict[str, PositiveFloat] = {}
    share: float | None = Field(default=None, gt=0.0, le=1.0)
    complaint: float = Field(default=0.002, ge=0.0, le=1.0)
    opt_out: float = Field(default=0.005, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _reaches_are_probabilities(self) -> Self:
        wrong = {name: value for name, value in self.reach.items() if not 0.0 <= value <= 1.0}
        if wrong:
            raise ValueError(f"reach must lie between 0 and 1, found {wrong}")
        return self


class DecisionConfig(BaseModel, frozen=True, extra="forbid"):
    """``decision.yaml`` as a whole."""

    currency: str = Field(default="BRL", pattern=r"^[A-Z]{3}$")
    horizon_days: tuple[PositiveInt, ...] = (7, 30, 60, 90)
    value_horizon_days: PositiveInt = 365
    contact_policy: str | list[str] = "br"
    objective: Objective = Objective()
    exploration: Exploration = Exploration()
    arms: Arms = Arms()
    ladder: tuple[LadderStep, ...] = ()
    capacities: dict[str, Capacity] = {}
    budgets: dict[str, Budget] = {}
    segments: dict[str, Segment] = {}
    priors: Priors = Priors()

    @model_validator(mode="after")
    def _horizons_rise(self) -> Self:
        if not self.horizon_days or list(self.horizon_days) != sorted(set(self.horizon_days)):
            raise ValueError(f"horizon_days must be distinct and rising, found {list(self.horizon_days)}")
        return self

    @property
    def explained_horizon(self) -> int:
        """The horizon whose probability reasons add up to: 30 days, or the first where 30 is not listed."""
        return 30 if 30 in self.horizon_days else self.horizon_days[0]

    @property
    def is_limited(self) -> bool:
        """Whether anything limits how many contacts there may be, or how much money."""
        return bool(self.capacities or self.budgets or self.segments)

    @property
    def currency_symbol(self) -> str:
        """How amounts are written for people."""
        return {"BRL": "R$", "EUR": "€", "USD": "US$"}.get(self.currency, self.currency)

    @property
    def packs(self) -> tuple[str, ...]:
        """Names of the contact-policy packs in force, in order."""
        return (self.contact_policy,) if isinstance(self.contact_policy, str) else tuple(self.contact_policy)
