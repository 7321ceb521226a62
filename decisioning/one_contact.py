"""At most one contact per debtor and day: of all accounts that the debtor owes on, the one where it is worth most."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy import ContactPolicy
from decisioning.contact_policy.kinds import OneContactPerDebtor
from decisioning.eligibility import Eligibility, Finding, Page
from decisioning.restrictions.page import Bools
from decisioning.restrictions.registry import in_force_today, origin_of
from decisioning.restrictions.segments import rows_of
from features import records
from features.dossier import spread
from features.encoding import Encoded
from features.spine import Spine

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Weighed:
    """Accounts at their moments, what is allowed to each, and what the policy compares, (n, A) each."""

    spine: Spine
    allowed: Bools
    worth_cents: Floats


def applies(policy: ContactPolicy) -> bool:
    """Whether any rule asks for it."""
    return any(isinstance(rule, OneContactPerDebtor) for rule in policy.rules)


def elsewhere(encoded: Encoded, spine: Spine) -> Spine:
    """The debtors' other accounts at the same moments, those left out that the spine has itself."""
    if len(encoded.account_ids) == 1:
        return spine.take(np.zeros(0, dtype=np.int64))
    family = records.siblings(encoded)
    debtor = family.debtor[spine.account]
    row, place = spread(family.offsets[debtor], family.offsets[debtor + 1])
    found = np.unique(np.stack([spine.as_of_us[row], family.accounts[place].astype(np.int64)]), axis=1)
    own = {*zip(spine.as_of_us.tolist(), spine.account.tolist(), strict=True)}
    new = np.array([pair not in own for pair in zip(*found.tolist(), strict=True)], dtype=np.bool_)
    return Spine(found[1][new].astype(np.int32), found[0][new])


def one_contact_per_debtor(
    found: Eligibility, page: Page, policy: ContactPolicy, encoded: Encoded, *, worth_cents: Floats, others: Weighed
) -> Eligibility:
    """What is allowed once each debtor is left alone on all accounts but one.

    Parameters
    ----------
    worth_cents : (n, A) what the policy compares; read only where allowed
    others : the debtors' accounts that are not on the page, as ``elsewhere`` gives them

    Notes
    -----
    A contact is worth what it adds to the best that may be done without one. The first in the order of ids has it among
    equals. The choice is made before anything is explored, and over all that is known of the debtor, so that it does
    not depend on what else is asked, and every probability is what it says.
    """
    own = Weighed(page.states.spine, found.allowed, worth_cents)
    for rule in policy.rules:
        if not isinstance(rule, OneContactPerDebtor):
            continue
        about = page.about(rule)
        rows = rows_of(rule, page) & in_force_today(rule, page)
        left_alone = (rows & ~_first(own, others, encoded.debtor, about))[:, None] & about
        found = replace(found, elsewhere={**found.elsewhere, rule.id: left_alone})
        refused = left_alone & found.allowed
        if refused.any():
            until = np.broadcast_to(page.days.at(page.days.day + 1)[:, None], refused.shape)
            found = found.with_finding(Finding(origin_of(rule), refused, until))
    return found


def _first(own: Weighed, others: Weighed, debtor: npt.NDArray[np.int32], about: Bools) -> Bools:
    """(n,) whether each own row is the one of its debtor at its moment where a contact adds most."""
    if len(own.spine) == 1 and not len(others.spine):
        return np.ones(1, dtype=np.bool_)
    account = np.concatenate([own.spine.account, others.spine.account])
    moment = np.concatenate([own.spine.as_of_us, others.spine.as_of_us])
    gain = np.concatenate([_gain(own, about), _gain(others, about)])
    whose = debtor[account]
    order = np.lexsort((account, -gain, moment, whose))
    new = (np.diff(whose[order]) != 0) | (np.diff(moment[order]) != 0)
    first = np.zeros(len(order), dtype=np.bool_)
    first[order[np.append(True, new)[: len(order)]]] = True
    return first[: len(own.spine)]


def _gain(rows: Weighed, about: Bools) -> Floats:
    """(n,) what the best contact adds, -inf where none is allowed."""
    contact = np.where(rows.allowed & about, rows.worth_cents, -np.inf).max(axis=1)
    without = np.where(rows.allowed & ~about, rows.worth_cents, -np.inf).max(axis=1)
    return np.asarray(contact - without, dtype=np.float64)
