"""What the expected net value of an action is made of: learned quantities, what is given, and how they multiply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from decisioning.candidates import Grid, grid
from decisioning.config import Objective
from decisioning.funnel import ROOF, SURE, FunnelModel, untouched
from decisioning.quantity_shares import Margins, margins_of, names_of
from decisioning.response import HurdleModel, PriorResponse, ResponseModel
from decisioning.valuation import Amounts, present_value
from domain.actions import Action
from features.schema import FeatureSchema

Floats = npt.NDArray[np.float64]
Values = Mapping[str, Floats]

FACTORS = {
    "reached": ("sent", "received", "reach"),
    "agrees": ("agreed",),
    "pays": ("pay", "by_itself", "lift"),
    "amount": ("deal", "self", "share", "late", "terms", "kept"),
    "cost": ("attempt", "benefit"),
    "complaint": ("complaint", "opt_out"),
}
"""What is told as one factor, and the parts that it has in one or another form of model."""
FACTOR_OF = {part: place for place, parts in enumerate(FACTORS.values()) for part in parts}


@dataclass(frozen=True)
class Account:
    """One account under all actions: its features (1, k), what it owes and is offered, and the model's form of it.

    ``by_itself`` is what priors rest on, the probability that it pays without any contact, of one candidate.
    """

    values: Floats
    asked: Amounts
    schema: FeatureSchema
    actions: Sequence[Action]
    response: ResponseModel | PriorResponse
    objective: Objective
    by_itself: Margins | None = None

    @property
    def names(self) -> list[str]:
        """Names of the columns in which shares are computed."""
        learned = () if isinstance(self.response, PriorResponse) else self.response.names
        return names_of(self.schema.names, learned)


@dataclass(frozen=True)
class Parts:
    """Learned quantities of some candidates, what is given of each, and the net value that they make, in cents.

    ``of_contact`` are the quantities that are 0 without a contact, ``of_deal`` those that do not matter without one.
    """

    learned: Mapping[str, Margins]
    given: list[dict[str, float]]
    net: Callable[[Values], Floats]
    of_contact: tuple[str, ...] = ()
    of_deal: tuple[str, ...] = ()


def parts_of(account: Account, actions: Sequence[int]) -> Parts | None:
    """The parts of the value of some actions; ``None`` where there is no model of a known form."""
    response, asked = account.response, [account.actions[place] for place in actions]
    if isinstance(response, PriorResponse):
        return _priors(account, response, actions)
    table = grid(account.values, account.schema, asked, names=response.names)
    if isinstance(response, FunnelModel):
        return _funnel(account, response, table, asked)
    if isinstance(response, HurdleModel):
        return _hurdle(account, response, table, actions)
    return None


def _learned(response: ResponseModel, table: Grid, heads: Sequence[str]) -> dict[str, Margins] | None:
    at = np.arange(len(table.past))
    found = {name: margins_of(response.heads[name], table, at) for name in heads}
    return {name: part for name, part in found.items() if part is not None} if None not in found.values() else None


def _funnel(account: Account, response: FunnelModel, table: Grid, asked: Sequence[Action]) -> Parts | None:
    contact = ("received", "agreed", "complaint", "opt_out")
    learned = _learned(response, table, (*contact, "deal"))
    alone = margins_of(response.heads["self"], untouched(account.values, response.names), np.zeros(1, np.int64))
    if learned is None or alone is None:
        return None
    given = [{**_prices(action), "sent": response.sent_of(action)} for action in asked]
    balance, objective = float(max(account.asked.balance_cents[0], 0)), account.objective

    def net(q: Values) -> Floats:
        share, added = np.clip(q["self"], SURE, 1.0 - SURE), np.clip(q["deal"], SURE, 1.0 - SURE)
        itself, deal = ROOF * share, ROOF * expit(logit(share) + logit(added))
        reached = q["sent"] * q["received"]
        returned = itself + response.kept * reached * q["agreed"] * (deal - itself)
        worth: Floats = returned * balance - _costs(q, objective, sent=q["sent"], reached=reached)
        return worth

    return Parts(learned | {"self": _repeated(alone, len(asked))}, given, net, contact, ("deal",))


def _hurdle(account: Account, response: HurdleModel, table: Grid, actions: Sequence[int]) -> Parts | None:
    learned = _learned(response, table, tuple(response.heads))
    if learned is None:
        return None
    terms = _terms(account, actions)
    given = [{**_prices(account.actions[at]), "terms": own} for at, own in zip(actions, terms, strict=True)]
    due = float(account.asked.due_cents[0])

    def net(q: Values) -> Floats:
        share, late = np.clip(q["share"], 0.0, 1.0), np.clip(q["late"], 0.0, 1.0)
        recovered = q["pay"] * share * q["terms"] + (1.0 - q["pay"]) * late * due
        worth: Floats = recovered - _costs(q, account.objective, sent=np.ones(1), reached=np.ones(1))
        return worth

    return Parts(learned, given, net)


def _priors(account: Account, response: PriorResponse, actions: Sequence[int]) -> Parts | None:
    """Of priors one thing is learned, that the account pays by itself; all else is given with the action."""
    if account.by_itself is None:
        return None
    given = [
        {
            **_prices(action), "terms": terms, "reach": response.reach(action), "lift": response.lift(action),
            "kept": 1.0 - action.discount_pct / 100.0, "complaint": response.priors.complaint * action.intrusiveness,
            "opt_out": response.priors.opt_out * action.intrusiveness,
        }
        for action, terms in zip((account.actions[at] for at in actions), _terms(account, actions), strict=True)
    ]  # fmt: skip
    late = response.late * float(account.asked.due_cents[0])

    def net(q: Values) -> Floats:
        pays, share = response.pays_and_share(q["by_itself"], reach=q["reach"], lift=q["lift"], kept=q["kept"])
        recovered = pays * share * q["terms"] + (1.0 - pays) * late
        worth: Floats = recovered - _costs(q, account.objective, sent=np.ones(1), reached=np.ones(1))
        return worth

    return Parts({"by_itself": _repeated(account.by_itself, len(actions))}, given, net)


def _terms(account: Account, actions: Sequence[int]) -> list[float]:
    """Present value of what each action asks for, in cents."""
    chosen = [account.actions[at] for at in actions]
    present = present_value(chosen, account.objective.monthly_discount_rate)
    terms: list[float] = (account.asked.offer_cents[0, list(actions)] * present).tolist()
    return terms


def _repeated(part: Margins, times: int) -> Margins:
    """A quantity of the account alone, which is the same under any action."""
    added = np.broadcast_to(part.added, (times, part.added.shape[1]))
    return Margins(part.base, added, part.base_value, np.broadcast_to(part.value, times))


def _prices(action: Action) -> dict[str, float]:
    return {"attempt": 100.0 * action.unit_cost, "benefit": 100.0 * action.offer_cost}


def _costs(q: Values, objective: Objective, *, sent: Floats, reached: Floats) -> Floats:
    harm = objective.complaint_cost * q["complaint"] + objective.opt_out_cost * q["opt_out"]
    return sent * q["attempt"] + reached * q["benefit"] + 100.0 * sent * harm
