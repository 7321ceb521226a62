"""What limits refuse, among the refusals of rules: with the moment from which the action could be had again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from decisioning.allocation.resources import Resources
from decisioning.allocation.words import say_spent
from decisioning.contact_policy.rules import Layer
from decisioning.eligibility import Eligibility, Finding
from decisioning.listed import Listed
from decisioning.offers import Offers
from decisioning.opening import Openings
from decisioning.refusals import BUDGET_RULE
from decisioning.restrictions.page import Origin
from domain.clock import FOREVER
from domain.decisions import LostToBudget, Refusal

LAYER: Layer = "limit"
"""How often, and when: the layer in which rules of a pack limit volumes as well."""


def refusals_of(
    eligible: Eligibility, lost: Sequence[LostToBudget | None], *, policy_version: str, locale: str
) -> list[tuple[Refusal, ...]]:
    """All refusals of each account of a page: those of rules, and after them its best action where that was lost.

    Parameters
    ----------
    lost : of every account, or empty where nothing was allotted
    policy_version : stands for that of the limit, which is configured beside the actions and has none of its own
    """
    told = eligible.refusals(locale=locale)
    for row, refusal in _of_budgets(eligible, lost, policy_version).items():
        told[row] = (*told[row], refusal)
    return told


def listed_of(
    eligible: Eligibility, lost: Sequence[LostToBudget | None], *, policy_version: str, locale: str
) -> Listed:
    """The same with one object for all accounts that share a refusal."""
    return eligible.listed(locale=locale).plus(_of_budgets(eligible, lost, policy_version))


def _of_budgets(eligible: Eligibility, lost: Sequence[LostToBudget | None], policy_version: str) -> dict[int, Refusal]:
    """The refusal of what each row lost, by row."""
    places = {row: eligible.names.index(one.action) for row, one in enumerate(lost) if one is not None}
    # What is out of reach for everybody is among the refusals already.
    places = {row: place for row, place in places.items() if eligible.allowed[row, place]}
    opens = _openings(eligible, lost, places) if places else None
    found: dict[int, Refusal] = {}
    for row, place in places.items():
        one = lost[row]
        assert one is not None
        assert opens is not None
        whole_us, reason = int(opens.at_us[row, place]), int(opens.reason[row, place])
        found[row] = Refusal(
            action=one.action, rule=rule_of(one.resource), code=one.code, until_us=one.until_us, text=one.text,
            layer=LAYER, version=policy_version, allowed_from_us=None if whole_us == FOREVER else whole_us,
            depends_on=opens.reasons[reason] if reason >= 0 else None,
        )  # fmt: skip
    return found


def _openings(eligible: Eligibility, lost: Sequence[LostToBudget | None], places: dict[int, int]) -> Openings:
    """When all rules would allow the lost actions, looked for from the day on that has resources of its own."""
    wanted, from_us = np.zeros(eligible.allowed.shape, dtype=np.bool_), eligible.not_before_us.copy()
    for row, place in places.items():
        one = lost[row]
        assert one is not None
        wanted[row, place], from_us[row, place] = True, one.until_us
    return eligible.openings_from(from_us, wanted)


def out_of_reach(
    found: Offers, short: npt.NDArray[np.bool_], resources: Resources, *, policy_version: str
) -> Eligibility:
    """What stays allowed where an action needs more of something than is left of it today.

    Parameters
    ----------
    short : (n, A, K) whether what is left of a resource is too little for an action
    """
    eligible, days = found.eligible, found.page.days
    until = np.broadcast_to(days.at(days.day + 1)[:, None], eligible.allowed.shape)
    for place, one in enumerate(resources.items):
        refused = short[:, :, place] & found.eligible.allowed
        if refused.any():
            spent = Origin(rule_of(one.name), LAYER, one.code, policy_version, partial(say_spent, one))
            eligible = eligible.with_finding(Finding(spent, refused, until))
    return eligible


def rule_of(resource: str) -> str:
    """The name under which a resource refuses."""
    return f"{BUDGET_RULE}{resource}"
