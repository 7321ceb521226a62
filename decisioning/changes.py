"""What would change a decision: a rule that did not forbid, a step of the debtor, a dearer contact.

Each holds alone, with all else fixed, and each was computed by deciding anew. They are of what the policy takes but for
exploration. Of control arms nothing is said, as nothing about an account changes what those do. Where capacities or
budgets have prices only the margin of cost is told: at what price another action would come cannot be known before the
day goes on.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from decisioning.allocation.allotted import Allotted
from decisioning.bundle import ModelBundle
from decisioning.changes_features import reached
from decisioning.changes_rules import lifted
from decisioning.desk import Desk
from decisioning.offers import Offers
from domain.decisions import Change

Floats = npt.NDArray[np.float64]


def changes(found: Offers, given: Allotted, bundle: ModelBundle, desk: Desk) -> list[tuple[Change, ...]]:
    """For each account of a page: rules, then features, then the price, of each the smallest or most useful first."""
    apart = given.choice.set_apart.tolist()
    priced = given.charge_cents is not None
    rules = [[] for _ in apart] if priced else lifted(found, bundle, desk)
    told: list[tuple[Change, ...]] = []
    for row, is_apart in enumerate(apart):
        if is_apart:
            told.append(())
            continue
        features = [] if priced else reached(found, row, bundle, desk)
        told.append((*rules[row], *features, *_price(found, given, row)))
    return told


def _price(found: Offers, given: Allotted, row: int) -> list[Change]:
    """By how much an attempt of the chosen action may become dearer until another one is better."""
    chosen = int(given.choice.action[row])
    allowed = (given.eligible or found.eligible).allowed[row]
    charge = 0.0 if given.charge_cents is None else given.charge_cents[row]
    compared = np.where(allowed, found.money.objective_cents[row] - charge, -np.inf)
    sent = found.outcomes.p_sent
    often = 1.0 if sent is None else float(sent[row, chosen])
    if chosen == 0 or int(np.argmax(compared)) != chosen or not often > 0.0:
        return []
    other = compared.copy()
    other[chosen] = -np.inf
    second = int(np.argmax(other))
    rise = cost_rise_cents(float(compared[chosen]), float(compared[second]), often)
    name = found.page.catalogue.actions[second].name
    return [Change(kind="price", action=name, gain_cents=0.0, by="operator", rise=rise / 100.0)]


def cost_rise_cents(best: float, second: float, often: float) -> int:
    """The least rise of the cost of an attempt, in whole cents, that leaves ``best`` below ``second``.

    ``often`` is the share of decisions that are carried out: an attempt costs that often.

    >>> cost_rise_cents(500.0, 400.0, 0.8)
    126
    """
    rise = math.floor((best - second) / often) + 1
    # What is one more than a rounded quotient may fall short of it by the last bit.
    return rise if best - often * rise < second else rise + 1
