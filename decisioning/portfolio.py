"""A portfolio under capacities and budgets: all offers are gathered, allotted together, and then decided on.

Offers are computed twice, once to allot and once to decide. Keeping them would take several kilobytes an account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

import numpy as np
import numpy.typing as npt

from decisioning.allocation.membership import check_segments, members
from decisioning.allocation.plan import Plan, gather, planned
from decisioning.allocation.problem import Floats
from decisioning.allocation.resources import resources_of
from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from decisioning.draws import uniform
from decisioning.offers import Lots, Offers, lots_of, offers
from decisioning.pages import debtor_pages, owing, spine_at
from domain.clock import to_us
from features.encoding import Encoded

Int64s = npt.NDArray[np.int64]
OnShare = Callable[[float], None]


def allot(
    encoded: Encoded,
    *,
    as_of: datetime,
    bundle: ModelBundle,
    desk: Desk,
    accounts: Int64s | None = None,
    on_share: OnShare = lambda _: None,
) -> Plan | None:
    """The plan of a day for all accounts that owe anything, or for those given; ``None`` where nothing is limited.

    Raises
    ------
    ConfigError, DataError : a segment goes by what these accounts do not have, or by what decides nothing
    """
    if not desk.config.is_limited:
        return None
    check_segments(desk.config.segments, encoded, bundle.schema.attributes)
    as_of_us = to_us(as_of)
    everyone = owing(encoded, as_of_us, channels=desk.catalogue.channels) if accounts is None else accounts
    rising = np.unique(np.asarray(everyone, dtype=np.int64))
    resources = resources_of(desk.config, desk.catalogue.actions)
    inside = partial(_members, encoded=encoded, desk=desk)

    def weighed() -> Iterator[tuple[Offers, Lots, Floats]]:
        done = 0
        for _, page in debtor_pages(rising, encoded.debtor[rising].astype(np.int64)):
            found = offers(encoded, spine_at(page, as_of_us), bundle, desk)
            lots = lots_of(found, encoded, desk)
            yield found, lots, _turns(lots, found.page.days.day, desk.policy_version)
            done += len(page)
            on_share(done / len(rising))

    gathered = gather(weighed(), resources, accounts=rising, members=inside)
    return planned(gathered, resources, desk.config.exploration, members=inside, currency=desk.config.currency_symbol)


def _members(found: Offers, *, encoded: Encoded, desk: Desk) -> Floats:
    return members(tuple(desk.config.segments.values()), encoded, found.page.states)


def _turns(lots: Lots, days: Int64s, policy_version: str) -> Floats:
    """Who draws when: another hash than the draws, so that neither tells anything of the other."""
    keys = zip(lots.account_ids, days.tolist(), strict=True)
    return np.array([uniform("turn", name, day, policy_version) for name, day in keys])
