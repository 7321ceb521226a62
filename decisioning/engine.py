"""From ledgers to decisions: the whole story on one page.

Features become scores, scores become money, money and rules become a choice, and the choice becomes a record with its
reasons. Capacities and budgets look over all accounts: ``portfolio`` allots what there is, and hands in what chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from decisioning import explanation
from decisioning.allocation.allotted import Allot, unlimited
from decisioning.allocation.refused import listed_of, refusals_of
from decisioning.assembly import Case, decisions
from decisioning.bundle import ModelBundle
from decisioning.changes import changes
from decisioning.desk import Desk, desk, load_desk
from decisioning.eligibility import eligibility
from decisioning.experience import Experience, experience_notices
from decisioning.foreknown import Foreknown
from decisioning.nonpayment import Profile, profile, profile_reasons
from decisioning.notices import page_notices, say
from decisioning.offers import Offers, lots_of, offers, outcomes_of, page_of, weighed
from decisioning.pages import debtor_pages, owing, pages, spine_at
from decisioning.policy import action_probabilities
from decisioning.rehearsal import free_states
from decisioning.targeting import LeftAlone
from decisioning.valuation import amount_due_cents, amounts, recovered_cents
from domain.clock import to_us
from domain.decisions import Decision, Reason
from features.batch import compute_many
from features.encoding import Encoded
from features.spine import Spine
from features.state import AccountStates, account_states

__all__ = [
    "Desk",
    "Explain",
    "Scores",
    "Watch",
    "cases",
    "decide",
    "desk",
    "load_desk",
    "probabilities",
    "rehearse",
    "score",
]

Floats = npt.NDArray[np.float64]
Explain = Literal["none", "codes", "reasons", "full"]
Watch = Callable[[Spine, Floats, Floats], None]
"""Told the rows, the very features (n, k) that were scored, and ``p_pay`` (n, H), once they are."""


@dataclass(frozen=True, slots=True)
class Scores:
    """``p_pay`` (n, H) by horizon; ``expected_recovered_cents`` and ``amount_due_cents`` (n,), treated as usual."""

    horizons: tuple[int, ...]
    p_pay: Floats
    expected_recovered_cents: Floats
    amount_due_cents: npt.NDArray[np.int64]


def decide(
    encoded: Encoded,
    *,
    as_of: datetime,
    bundle: ModelBundle,
    desk: Desk,
    accounts: npt.NDArray[np.int64] | None = None,
    explain: Explain = "reasons",
    locale: str = "pt-BR",
    watch: Watch | None = None,
    log_probs: bool = False,
    allot: Allot | None = None,
) -> list[Decision]:
    """One decision per account.

    Parameters
    ----------
    as_of : aware moment of the decision; nothing at or after it is used
    accounts : positions in ``encoded.account_ids``; by default every account that owes anything. A listed account that
        owes nothing gets ``wait``
    explain : ``none``, ``codes`` of reasons without their texts, ``reasons`` with them, or ``full`` (candidates,
        contributions and contrasts as well)
    locale : ``pt-BR`` or ``en``, of reasons, refusals and notices
    watch : told what was scored, page by page
    log_probs : keep the probabilities of all actions in each decision, for whoever evaluates policies later
    allot : what chooses under capacities and budgets (``portfolio``); without it each account is decided on alone
    """
    everyone = owing(encoded, to_us(as_of), channels=desk.catalogue.channels) if accounts is None else accounts
    chosen = np.asarray(everyone, dtype=np.int64)
    found: dict[int, Decision] = {}
    pages_of = cases(
        encoded, chosen, as_of=as_of, bundle=bundle, desk=desk, explain=explain, locale=locale, watch=watch,
        log_probs=log_probs, allot=allot,
    )  # fmt: skip
    for places, case in pages_of:
        decided = decisions(case, bundle, desk)
        decided = [_with_money(one, locale=locale) for one in decided] if explain == "full" else decided
        found |= dict(zip(places.tolist(), decided, strict=True))
    return [found[place] for place in range(len(chosen))]


def cases(
    encoded: Encoded,
    accounts: npt.NDArray[np.int64],
    *,
    as_of: datetime,
    bundle: ModelBundle,
    desk: Desk,
    explain: Explain = "reasons",
    locale: str = "pt-BR",
    watch: Watch | None = None,
    log_probs: bool = False,
    allot: Allot | None = None,
    known: Foreknown | None = None,
) -> Iterator[tuple[npt.NDArray[np.int64], Case]]:
    """Everything that is known and chosen of the accounts, page by page, with their places in ``accounts``.

    Parameters are those of :func:`decide`. Where codes alone are asked for, refusals come as ``Listed``; what is
    ``known`` of the accounts is not computed again. The accounts of a debtor come on one page.
    """
    for places, page in debtor_pages(accounts, encoded.debtor[accounts].astype(np.int64)):
        spine = spine_at(page, to_us(as_of))
        found = offers(encoded, spine, bundle, desk, known=known)
        case = _case(encoded, found, bundle, desk, explain=explain, locale=locale, allot=allot)
        if watch is not None:
            watch(spine, case.values, case.p_pay)
        notices = _with_experience(case, bundle, desk, locale=locale)
        yield places, replace(case, log_probs=log_probs, notices=notices)


def score(encoded: Encoded, spine: Spine, bundle: ModelBundle, *, desk: Desk, watch: Watch | None = None) -> Scores:
    """Calibrated probabilities, and what is expected to come back, without choosing anything."""
    states = account_states(encoded, spine, channels=desk.catalogue.channels)
    values = compute_many(encoded, spine, bundle.schema)
    p_pay = bundle.payment.predict(values)
    explained = p_pay[:, bundle.payment.horizons.index(bundle.payment.explained)]
    waiting = np.ones((len(values), 1), dtype=np.bool_)
    outcomes = replace(outcomes_of(values, explained, bundle, desk, allowed=waiting), p_pay=explained[:, None])
    asked = amounts(amount_due_cents(states), desk.catalogue.actions[:1], balance_cents=states.balance_cents)
    recovered = recovered_cents(outcomes, asked, np.ones(1))[:, 0]
    if watch is not None:
        watch(spine, values, p_pay)
    return Scores(bundle.payment.horizons, p_pay, recovered, asked.due_cents)


def probabilities(encoded: Encoded, spine: Spine, bundle: ModelBundle, *, desk: Desk) -> Floats:
    """What the policy would do at each row: (n, A) probabilities of all actions of the catalogue, exploration included.

    As in :func:`decide`, but for debtors outside the hold-out, and at a moment of its own for each row: a policy is
    evaluated on decisions that another one took.
    """
    found = [np.zeros((0, len(desk.catalogue.actions)))]
    for rows in pages(np.arange(len(spine), dtype=np.int64)):
        page = offers(encoded, spine.take(rows), bundle, desk)
        found.append(action_probabilities(page.money.objective_cents, page.eligible.allowed, desk.config.exploration))
    return np.concatenate(found)


def rehearse(values: Floats, bundle: ModelBundle, *, desk: Desk) -> LeftAlone:
    """What is expected of accounts that are left alone, and of the best action on each, from feature rows alone.

    Parameters
    ----------
    values : (n, k) in the order of the bundle's schema, which has the features ``rehearsal.NEEDED``

    Notes
    -----
    As if every channel were consented to, and nobody had been contacted of late (``rehearsal``); without exploration.
    """
    parts = [LeftAlone.nobody()]
    for rows in pages(np.arange(len(values), dtype=np.int64)):
        states = free_states(values[rows], bundle.schema, channels=len(desk.catalogue.channels))
        page = page_of(states, desk, None)
        allowed = eligibility(page, desk.contact_policy).allowed
        p_pay = bundle.payment.predict(values[rows])
        outcomes, money = weighed(page, values[rows], p_pay, bundle, desk, allowed=allowed)
        best = np.argmax(np.where(allowed, money.objective_cents, -np.inf), axis=1)
        chosen = money.net_cents[np.arange(len(rows)), best]
        parts.append(LeftAlone(outcomes.p_pay[:, 0], money.net_cents[:, 0], chosen, best))
    return LeftAlone.together(parts)


def _case(
    encoded: Encoded, found: Offers, bundle: ModelBundle, desk: Desk, *, explain: Explain, locale: str,
    allot: Allot | None,
) -> Case:  # fmt: skip
    lots = lots_of(found, encoded, desk)
    given = unlimited(found, lots, desk.config.exploration) if allot is None else allot(found, lots, locale=locale)

    eligible = given.eligible or found.eligible
    shares = None if explain == "none" else explanation.shares(bundle.payment, found.values)
    kinds, states = profile(found.values, bundle.schema), found.page.states
    names, told = lots.account_ids, listed_of if explain == "codes" else refusals_of
    worded = None if explain == "codes" else locale
    return Case(
        page=found.page, account_ids=names, debt_ids=_debts_meant(encoded, states), values=found.values,
        p_pay=found.p_pay, allowed=eligible.allowed, outcomes=found.outcomes, money=found.money, profile=kinds,
        choice=given.choice, charge_cents=given.charge_cents, lost=given.lost,
        spans=(eligible.not_before_us, eligible.valid_until_us),
        refusals=told(eligible, given.lost, policy_version=desk.policy_version, locale=locale),
        reasons=_reasons((shares, kinds), found.values, bundle, desk, locale=worded) if shares else [()] * len(names),
        notices=_notices(encoded, states, bundle, desk, locale=locale, limited=allot is not None),
        shares=shares if explain == "full" else None,
        changes=changes(found, given, bundle, desk) if explain == "full" else (),
    )  # fmt: skip


def _reasons(
    found: tuple[explanation.Shares, Profile], values: Floats, bundle: ModelBundle, desk: Desk, *, locale: str | None
) -> list[tuple[Reason, ...]]:
    """What moves the probability, and after it the kind of non-payment where there is evidence of one."""
    currency = desk.config.currency_symbol
    moved = explanation.reasons(found[0], values, bundle.schema, locale=locale, currency=currency)
    kind = profile_reasons(found[1], values, bundle.schema, locale=locale, currency=currency)
    return [(*first, *last) for first, last in zip(moved, kind, strict=True)]


def _notices(
    encoded: Encoded, states: AccountStates, bundle: ModelBundle, desk: Desk, *, locale: str, limited: bool
) -> list[tuple[str, ...]]:
    common = page_notices(bundle, desk, present=encoded.present, locale=locale, limited=limited)
    nothing = (*common, say("nothing_owed", locale))
    return [common if owes else nothing for owes in states.owes.tolist()]


def _with_experience(case: Case, bundle: ModelBundle, desk: Desk, *, locale: str) -> list[tuple[str, ...]]:
    """The notices of each row, and that its action was hardly ever tried, where the model can tell."""
    learned = Experience.of(bundle.settings) if bundle.response is not None else None
    wording = locale, desk.config.currency_symbol
    untried = experience_notices(
        learned, desk.catalogue.actions, case.choice.action, net_cents=case.money.net_cents, allowed=case.allowed,
        wording=wording,
    )  # fmt: skip
    return [(*common, *own) for common, own in zip(case.notices, untried, strict=True)]


def _with_money(decision: Decision, *, locale: str) -> Decision:
    """The decision, which says so where its money could not be split."""
    if decision.explanation is None or decision.explanation.money is not None:
        return decision
    return replace(decision, notices=(*decision.notices, say("money", locale)))


def _debts_meant(encoded: Encoded, states: AccountStates) -> list[tuple[str, ...]]:
    """The debts behind the amount due: those past due, or all open ones where none is."""
    row = np.repeat(np.arange(len(states.local_day)), np.diff(states.open_offsets))
    late = encoded.debts.due_day[states.open_debt] < states.local_day[row]
    meant = []
    for position, (start, end) in enumerate(zip(states.open_offsets[:-1], states.open_offsets[1:], strict=True)):
        names, overdue = states.debt_ids(position), late[start:end]
        some = overdue.any() and states.overdue_cents[position] > 0
        meant.append(tuple(name for name, is_late in zip(names, overdue, strict=True) if is_late) if some else names)
    return meant
