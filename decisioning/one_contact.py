"""At most one contact per debtor and day: of the accounts decided on together, the one where it is worth most."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy import ContactPolicy
from decisioning.contact_policy.kinds import OneContactPerDebtor
from decisioning.eligibility import Eligibility, Finding, Page
from decisioning.restrictions.page import Bools, Int64s
from decisioning.restrictions.registry import in_force_today, origin_of
from decisioning.restrictions.segments import rows_of

Floats = npt.NDArray[np.float64]


def one_contact_per_debtor(
    found: Eligibility, page: Page, policy: ContactPolicy, *, debtor: Int64s, worth_cents: Floats
) -> Eligibility:
    """What is allowed once each debtor's other accounts are left alone today.

    Parameters
    ----------
    debtor : (n,) whose account each row is; rows of one debtor have to be on one page
    worth_cents : (n, A) what the policy compares; read only where allowed

    Notes
    -----
    A contact is worth what it adds to the best that may be done without one. The first in the order of ids has it among
    equals; and the choice is made before anything is explored, so that every probability is what it says.
    """
    for rule in policy.rules:
        if not isinstance(rule, OneContactPerDebtor):
            continue
        about = np.array([not one.is_wait and rule.covers(one.channel) for one in page.catalogue.actions])
        rows = rows_of(rule, page) & in_force_today(rule, page)
        others = rows & ~_first(debtor, _gain(worth_cents, found.allowed, about), page.states.spine.account)
        refused = others[:, None] & about & found.allowed
        if refused.any():
            until = np.broadcast_to(page.days.at(page.days.day + 1)[:, None], refused.shape)
            found = found.with_finding(Finding(origin_of(rule), refused, until))
    return found


def _gain(worth_cents: Floats, allowed: Bools, about: Bools) -> Floats:
    """(n,) what the best contact adds, -inf where none is allowed."""
    contact = np.where(allowed & about, worth_cents, -np.inf).max(axis=1)
    return np.asarray(contact - np.where(allowed & ~about, worth_cents, -np.inf).max(axis=1), dtype=np.float64)


def _first(debtor: Int64s, gain: Floats, account: npt.NDArray[np.int32]) -> Bools:
    """(n,) whether each row is the one of its debtor where the gain is largest."""
    order = np.lexsort((account, -gain, debtor))
    first = np.zeros(len(order), dtype=np.bool_)
    first[order[np.append(True, debtor[order][1:] != debtor[order][:-1])[: len(order)]]] = True
    return first


def debtor_pages(accounts: Int64s, debtor: Int64s, *, size: int) -> Iterator[tuple[Int64s, Int64s]]:
    """Accounts in pages that keep each debtor's together, of at least ``size`` where there are as many.

    Yields positions in ``accounts``, and the accounts at them.
    """
    order = np.lexsort((accounts, debtor)).astype(np.int64)
    ends = np.append(np.flatnonzero(np.diff(debtor[order])) + 1, len(order))
    start = 0
    while start < len(order):
        end = int(ends[np.searchsorted(ends, min(start + size, len(order)))])
        yield order[start:end], accounts[order[start:end]]
        start = end
