"""A portfolio under capacities and budgets: all offers are gathered, allotted together, and then decided on.

Offers are computed twice, once to allot and once to decide. Keeping them would take several kilobytes an account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

import numpy as np
import numpy.typing as npt

from decisioning.allocation.claims import Claims, Members, claims_of, gathered
from decisioning.allocation.membership import check_segments, members
from decisioning.allocation.plan import Plan, planned
from decisioning.allocation.problem import Floats
from decisioning.allocation.resources import resources_of
from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from decisioning.draws import uniform
from decisioning.foreknown import Keeping
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
    everyone = owing(encoded, to_us(as_of), channels=desk.catalogue.channels) if accounts is None else accounts
    rising = np.unique(np.asarray(everyone, dtype=np.int64))
    found = claim(encoded, rising, as_of=as_of, bundle=bundle, desk=desk, on_share=on_share)
    return plan_of(found, rising, desk, members=members_in(encoded, desk))


def claim(
    encoded: Encoded,
    accounts: Int64s,
    *,
    as_of: datetime,
    bundle: ModelBundle,
    desk: Desk,
    on_share: OnShare = lambda _: None,
    keeping: Keeping | None = None,
) -> Claims:
    """What accounts (positions, rising) could use of what is scarce, and what that is worth.

    With ``keeping`` what was computed on the way is taken down, for when the accounts are decided on.

    Raises
    ------
    ConfigError, DataError : as :func:`allot`
    """
    check_segments(desk.config.segments, encoded, bundle.schema.attributes)
    resources = resources_of(desk.config, desk.catalogue.actions)

    def weighed() -> Iterator[tuple[Offers, Lots, Floats]]:
        done = 0
        for _, page in debtor_pages(accounts, encoded.debtor[accounts].astype(np.int64)):
            found = offers(encoded, spine_at(page, to_us(as_of)), bundle, desk)
            lots = lots_of(found, encoded, desk)
            if keeping is not None:
                keeping.keep(page, found.values, found.p_pay, found.outcomes)
            yield found, lots, _turns(lots, found.page.days.day, desk.policy_version)
            done += len(page)
            on_share(done / len(accounts))

    return claims_of(weighed(), resources, accounts=accounts, members=members_in(encoded, desk))


def plan_of(found: Claims, accounts: Int64s, desk: Desk, *, members: Members) -> Plan:
    """The plan of a day for the claims of all accounts (positions, rising), which are changed in place."""
    resources = resources_of(desk.config, desk.catalogue.actions)
    return planned(
        gathered(found, resources, accounts=accounts), resources, desk.config.exploration, members=members,
        currency=desk.config.currency_symbol,
    )  # fmt: skip


def members_in(encoded: Encoded, desk: Desk) -> Members:
    """Which segments of the configuration the accounts of a page are in."""
    return partial(_members, encoded=encoded, desk=desk)


def _members(found: Offers, *, encoded: Encoded, desk: Desk) -> Floats:
    return members(tuple(desk.config.segments.values()), encoded, found.page.states)


def _turns(lots: Lots, days: Int64s, policy_version: str) -> Floats:
    """Who draws when: another hash than the draws, so that neither tells anything of the other."""
    keys = zip(lots.account_ids, days.tolist(), strict=True)
    return np.array([uniform("turn", name, day, policy_version) for name, day in keys])
