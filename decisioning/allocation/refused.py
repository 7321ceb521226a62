"""What a budget refuses, among the refusals of rules: with the moment from which the action could be had again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from decisioning.eligibility import Eligibility
from decisioning.offers import Offers
from decisioning.opening import Openings
from domain.clock import FOREVER
from domain.decisions import LostToBudget, Refusal

LAYER = "limit"
"""How often, and when: the layer in which rules of a pack limit volumes as well."""


def refusals_of(
    found: Offers, lost: Sequence[LostToBudget | None], *, policy_version: str, locale: str
) -> list[tuple[Refusal, ...]]:
    """All refusals of each account of a page: those of rules, and after them its best action where that was lost.

    Parameters
    ----------
    lost : of every account, or empty where nothing was allotted
    policy_version : stands for that of the limit, which is configured beside the actions and has none of its own
    """
    told = found.eligible.refusals(locale=locale)
    rows = [row for row, one in enumerate(lost) if one is not None]
    if not rows:
        return told
    opens = _openings(found.eligible, lost)
    for row in rows:
        one = lost[row]
        assert one is not None
        place = found.eligible.names.index(one.action)
        whole_us, reason = int(opens.at_us[row, place]), int(opens.reason[row, place])
        refusal = Refusal(
            action=one.action, rule=f"budget.{one.resource}", code=one.code, until_us=one.until_us, text=one.text,
            layer=LAYER, version=policy_version, allowed_from_us=None if whole_us == FOREVER else whole_us,
            depends_on=opens.reasons[reason] if reason >= 0 else None,
        )  # fmt: skip
        told[row] = (*told[row], refusal)
    return told


def _openings(eligible: Eligibility, lost: Sequence[LostToBudget | None]) -> Openings:
    """When all rules would allow the lost actions, looked for from the day on that has resources of its own."""
    wanted, from_us = np.zeros(eligible.allowed.shape, dtype=np.bool_), eligible.not_before_us.copy()
    for row, one in enumerate(lost):
        if one is not None:
            place = eligible.names.index(one.action)
            wanted[row, place], from_us[row, place] = True, one.until_us
    return eligible.openings_from(from_us, wanted)
