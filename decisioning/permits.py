"""Is a decision still allowed, and still worth it, at the very moment of the contact? Asked before every one of them.

A decision was taken on what was known then. Here rules, amounts and value are looked at again on what is known now,
and the answer names what became different. Nothing is chosen anew, and what cannot be known refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from decisioning.proposals import Proposal, proposal_of
from decisioning.rechecks import (
    Look,
    Refused,
    by_contacts_elsewhere,
    by_rules,
    known_until,
    not_worth_it,
    offer_changed,
    opens_us,
)
from decisioning.refusals import refusal_text
from decisioning.restrictions.page import Bools
from domain.clock import rfc3339, to_us
from domain.decisions import Decision
from domain.errors import UnknownAccountError
from features.encoding import Encoded

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that stands in the way or is not as it was decided; ``refuses`` is false where it only informs.

    ``rule`` is that of the contact policy, where it is one; ``until_us`` the earliest moment at which this alone would
    forbid the contact no longer, ``None`` where that is not known.
    """

    code: str
    text: str
    refuses: bool = True
    rule: str | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether one decision may be carried out at ``at_us``, and what changed: payments first, then rules, then terms.

    ``allowed_from_us`` is the first later moment within the decision's own span at which it would be allowed, nothing
    new being assumed; ``None`` where it is allowed now, or there is none. It is no permit: ask again then.
    """

    decision_id: str
    account_id: str
    at_us: int
    allowed: bool
    allowed_from_us: int | None
    changes: tuple[Change, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of what refuses, in order, each once."""
        return tuple(dict.fromkeys(change.code for change in self.changes if change.refuses))


def allowed_now(
    encoded: Encoded,
    decision: Decision | Proposal,
    *,
    at: datetime,
    bundle: ModelBundle,
    desk: Desk,
    locale: str = "pt-BR",
) -> Permit:
    """Whether one decision may be carried out at a moment; as :func:`permits`."""
    return permits(encoded, [decision], at=at, bundle=bundle, desk=desk, locale=locale)[0]


def permits(
    encoded: Encoded,
    decided: Sequence[Decision | Proposal],
    *,
    at: datetime,
    bundle: ModelBundle,
    desk: Desk,
    locale: str = "pt-BR",
) -> list[Permit]:
    """Whether each decision may be carried out at a moment, in their order.

    Parameters
    ----------
    encoded : ledgers that hold the decided accounts and, for rules on the person, all others of their debtors
    at : aware moment of the contact; only what happened and was recorded before it counts
    bundle, desk : the model and the rules of now, be they those of the decision or not
    locale : ``pt-BR`` or ``en``, of the texts

    Raises
    ------
    UnknownAccountError : a decision is about an account that the ledgers do not hold

    Notes
    -----
    Of a debtor's accounts, the one to be contacted was chosen with the decision, and is not chosen again: another one
    is in the way once it was contacted on the same local day. The value is looked at again where anything became known
    of the debtor since; a decision that was worth no more than waiting, as exploration takes, is not held to it.
    """
    proposals = [proposal_of(one) for one in decided]
    _check_accounts(proposals, encoded)
    at_us, found = to_us(at), dict[int, Permit]()
    inside = np.array([one.not_before_us <= at_us < one.valid_until_us for one in proposals], dtype=np.bool_)
    for within in (True, False):
        rows = np.flatnonzero(inside == within).tolist()
        for start in range(0, len(rows), _PAGE):
            some = rows[start : start + _PAGE]
            look = Look.at(at_us, [proposals[row] for row in some], encoded, desk=desk, within=within)
            found |= dict(zip(some, _judged(look, bundle, locale=locale), strict=True))
    return [found[row] for row in range(len(proposals))]


def permit_json(permit: Permit) -> dict[str, Any]:
    """A permit for machines: moments in RFC 3339, ``null`` where there is none."""
    return {
        "decision_id": permit.decision_id,
        "account_id": permit.account_id,
        "at": rfc3339(permit.at_us),
        "allowed": permit.allowed,
        "allowed_from": _moment(permit.allowed_from_us),
        "changes": [
            {
                "code": one.code,
                "text": one.text,
                "refuses": one.refuses,
                "rule": one.rule,
                "until": _moment(one.until_us),
            }
            for one in permit.changes
        ],
    }


def _moment(moment_us: int | None) -> str | None:
    return None if moment_us is None else rfc3339(moment_us)


def _check_accounts(proposals: Sequence[Proposal], encoded: Encoded) -> None:
    unknown = sum(one.account_id not in encoded.index for one in proposals)
    if unknown:
        raise UnknownAccountError(
            f"found {unknown} of {len(proposals)} decisions about an account that these ledgers do not hold, needed "
            "the account that was decided on; give its own ledger, or the data that the decisions were made from"
        )


@dataclass(frozen=True)
class _Answer:
    """Changes of each row, as they are found."""

    rows: list[list[Change]]
    locale: str

    def tell(self, where: Iterable[bool], code: str, *, refuses: bool = True) -> None:
        for changes, holds in zip(self.rows, where, strict=True):
            if holds:
                changes.append(Change(code, refusal_text(code, self.locale), refuses=refuses))

    def tell_rule(self, found: Refused) -> None:
        text = found.origin.text(self.locale)
        for row in np.flatnonzero(found.rows).tolist():
            until = known_until(found, row)
            self.rows[row].append(Change(found.origin.code, text, rule=found.origin.rule, until_us=until))

    def refused(self) -> Bools:
        return np.array([any(change.refuses for change in changes) for changes in self.rows], dtype=np.bool_)


def _judged(look: Look, bundle: ModelBundle, *, locale: str) -> list[Permit]:
    """The permits of one look; what is ``lasting`` no later moment of the decision's span helps against."""
    answer, desk, proposals = _Answer([[] for _ in look.proposals], locale), look.desk, look.proposals
    answer.tell((not one.contacts for one in proposals), "DECISION_WAITS")
    answer.tell((one.contacts and one.action not in desk.catalogue.index for one in proposals), "UNKNOWN_ACTION")
    answer.tell(look.since.paid([one.debt_ids for one in proposals]), "PAID_SINCE")
    lasting, opens = answer.refused(), opens_us(look)
    for found in by_rules(look):
        answer.tell_rule(found)
    lasting |= opens >= np.array([one.valid_until_us for one in proposals], dtype=np.int64)
    for found in by_contacts_elsewhere(look):
        answer.tell_rule(found)
        lasting |= found.rows
    changed = offer_changed(look)
    answer.tell(changed, "OFFER_CHANGED")
    unworthy = not_worth_it(look, bundle, asked=~(lasting | changed))
    answer.tell(unworthy, "NOT_WORTH_IT")
    _tell_span(answer, look)
    refused = answer.refused()
    answer.tell((one.policy_version != desk.policy_version for one in proposals), "POLICY_CHANGED", refuses=False)
    later = refused & ~(lasting | changed | unworthy)
    return [
        Permit(
            one.decision_id, one.account_id, look.at_us, allowed=not refused[row],
            allowed_from_us=int(opens[row]) if later[row] else None, changes=tuple(answer.rows[row]),
        )
        for row, one in enumerate(proposals)
    ]  # fmt: skip


def _tell_span(answer: _Answer, look: Look) -> None:
    for one, changes in zip(look.proposals, answer.rows, strict=True):
        if look.at_us < one.not_before_us:
            text = refusal_text("NOT_YET", answer.locale)
            changes.append(Change("NOT_YET", text, until_us=one.not_before_us))
        if look.at_us >= one.valid_until_us:
            changes.append(Change("EXPIRED", refusal_text("EXPIRED", answer.locale)))
