"""The pressure that a debtor carries: the intrusiveness of each contact of the last 30 days, added up.

One measure for what pressure costs (``objective.pressure_price``) and for what caps it (rules of kind
``pressure_cap``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from decisioning.config import Objective
from decisioning.response import Outcomes
from decisioning.valuation import Worth, worth
from domain.actions import ActionCatalogue
from domain.clock import US_PER_DAY
from features.columns import Int32s

if TYPE_CHECKING:
    # Rules that cap pressure read it here, so that a page of them cannot be imported from here as well.
    from decisioning.restrictions.page import Page

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

CARRIED_DAYS = 30
"""Days after which a contact no longer makes the next one dearer."""
_UNKNOWN = 1.0
"""A channel that is no longer configured may have been any: its contacts count as the most intrusive there are."""


class Contacted(Protocol):
    """What is read of the accounts' states: the contacts with the debtor of each row, on all accounts."""

    @property
    def contact_offsets(self) -> Int64s:
        """(n + 1,) where each row's contacts begin and end."""

    @property
    def contact_at_us(self) -> Int64s:
        """(m,) when each was made."""

    @property
    def contact_channel(self) -> Int32s:
        """(m,) position among the configured channels, -1 where it is none of them."""


def channel_pressure(catalogue: ActionCatalogue) -> Floats:
    """(channels + 1,) pressure of one contact on each configured channel, and last on any other."""
    return np.array([*(channel.intrusiveness for channel in catalogue.config.channels.values()), _UNKNOWN])


def pressure_carried(states: Contacted, catalogue: ActionCatalogue, *, as_of_us: Int64s) -> Floats:
    """(n,) units of pressure from the contacts in ``[as_of - 30 days, as_of)`` with each row's debtor.

    ``as_of_us`` is (n,); what happened at or after it is in no state.
    """
    row = np.repeat(np.arange(len(as_of_us)), np.diff(states.contact_offsets))
    recent = states.contact_at_us >= as_of_us[row] - CARRIED_DAYS * US_PER_DAY
    weight = channel_pressure(catalogue)[states.contact_channel] * recent
    return np.bincount(row, weights=weight, minlength=len(as_of_us)).astype(np.float64)


def worth_on(page: Page, outcomes: Outcomes, *, objective: Objective) -> Worth:
    """What every action is worth on a page, the pressure that its debtors carry counted."""
    carried = pressure_carried(page.states, page.catalogue, as_of_us=page.days.as_of_us)
    return worth(outcomes, page.asked, page.catalogue.actions, objective, carried=carried)
