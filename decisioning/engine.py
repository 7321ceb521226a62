"""From ledgers to decisions: the whole story on one page.

Features become scores, scores become money, money and rules become a choice, and the choice becomes a record with its
reasons. Allocation under capacities and budgets has its own issue, and belongs between ``worth`` and ``choose``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from decisioning import explanation
from decisioning.assembly import Case, decisions
from decisioning.bundle import ModelBundle
from decisioning.desk import Desk, desk, load_desk
from decisioning.eligibility import Eligibility, Page, eligibility
from decisioning.experience import Experience, experience_notices
from decisioning.moments import LocalDays
from decisioning.nonpayment import Profile, profile, profile_reasons
from decisioning.notices import page_notices, say
from decisioning.one_contact import Weighed, applies, debtor_pages, elsewhere, one_contact_per_debtor
from decisioning.policy import action_probabilities, choose, in_holdout, uniform
from decisioning.pressure import worth_on
from decisioning.rehearsal import free_states
from decisioning.response import Outcomes, PriorResponse
from decisioning.targeting import LeftAlone
from decisioning.valuation import Worth, amount_due_cents, amounts, recovered_cents
from domain.clock import to_us
from domain.decisions import Decision, Reason
from features.batch import compute_many
from features.dossier import Dossier
from features.encoding import Encoded
from features.spine import Spine
from features.state import AccountStates, account_states

__all__ = ["Desk", "Explain", "Scores", "Watch", "decide", "desk", "load_desk", "probabilities", "rehearse", "score"]

Floats = npt.NDArray[np.float64]
Explain = Literal["none", "reasons", "full"]
Watch = Callable[[Spine, Floats], None]
"""Told the rows and the very features (n, k) that were scored, once they are."""
_SYMBOLS = {"BRL": "R$", "EUR": "€", "USD": "US$"}
_PAGE = 1_000
"""Accounts looked at together: the grid of features under all actions stays in cache, and memory flat."""


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
) -> list[Decision]:
    """One decision per account.

    Parameters
    ----------
    as_of : aware moment of the decision; nothing at or after it is used
    accounts : positions in ``encoded.account_ids``; by default every account that owes anything. A listed account that
        owes nothing gets ``wait``
    explain : ``none``, ``reasons`` (codes and texts) or ``full`` (candidates, contributions and contrasts as well)
    locale : ``pt-BR`` or ``en``, of reasons, refusals and notices
    watch : told what was scored, page by page
    log_probs : keep the probabilities of all actions in each decision, for whoever evaluates policies later
    """
    as_of_us = to_us(as_of)
    chosen = _owing(encoded, as_of_us, desk) if accounts is None else np.asarray(accounts, dtype=np.int64)
    found: dict[int, Decision] = {}
    for places, page in debtor_pages(chosen, encoded.debtor[chosen].astype(np.int64), size=_PAGE):
        spine = _spine(page, as_of_us)
        case = _case(encoded, spine, bundle, desk, explain=explain, locale=locale)
        if watch is not None:
            watch(spine, case.values)
        notices = _with_experience(case, bundle, desk, locale=locale)
        decided = decisions(replace(case, log_probs=log_probs, notices=notices), bundle, desk)
        found |= dict(zip(places.tolist(), decided, strict=True))
    return [found[place] for place in range(len(chosen))]


def score(encoded: Encoded, spine: Spine, bundle: ModelBundle, *, desk: Desk, watch: Watch | None = None) -> Scores:
    """Calibrated probabilities, and what is expected to come back, without choosing anything."""
    states = account_states(encoded, spine, channels=desk.catalogue.channels)
    values = compute_many(encoded, spine, bundle.schema)
    p_pay = bundle.payment.predict(values)
    explained = p_pay[:, bundle.payment.horizons.index(bundle.payment.explained)]
    waiting = np.ones((len(values), 1), dtype=np.bool_)
    outcomes = replace(_outcomes(values, explained, bundle, desk, allowed=waiting), p_pay=explained[:, None])
    asked = amounts(amount_due_cents(states), desk.catalogue.actions[:1], balance_cents=states.balance_cents)
    recovered = recovered_cents(outcomes, asked, np.ones(1))[:, 0]
    if watch is not None:
        watch(spine, values)
    return Scores(bundle.payment.horizons, p_pay, recovered, asked.due_cents)


def probabilities(encoded: Encoded, spine: Spine, bundle: ModelBundle, *, desk: Desk) -> Floats:
    """What the policy would do at each row: (n, A) probabilities of all actions of the catalogue, exploration included.

    As in :func:`decide`, but for debtors outside the hold-out, and at a moment of its own for each row: a policy is
    evaluated on decisions that another one took.
    """
    found = [np.zeros((0, len(desk.catalogue.actions)))]
    for rows in _pages(np.arange(len(spine), dtype=np.int64)):
        page_spine = spine.take(rows)
        states = account_states(encoded, page_spine, channels=desk.catalogue.channels)
        values = compute_many(encoded, page_spine, bundle.schema)
        page = _page(states, desk, Dossier(encoded, page_spine))
        eligible = eligibility(page, desk.contact_policy)
        _, money = _weighed(page, values, bundle, desk, allowed=eligible.allowed)
        eligible = _on_one_account(eligible, page, encoded, bundle, desk, money=money)
        found.append(action_probabilities(money.objective_cents, eligible.allowed, desk.config.exploration))
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
    pages = [LeftAlone.nobody()]
    for rows in _pages(np.arange(len(values), dtype=np.int64)):
        states = free_states(values[rows], bundle.schema, channels=len(desk.catalogue.channels))
        page = _page(states, desk, None)
        allowed = eligibility(page, desk.contact_policy).allowed
        outcomes, money = _weighed(page, values[rows], bundle, desk, allowed=allowed)
        best = np.argmax(np.where(allowed, money.objective_cents, -np.inf), axis=1)
        chosen = money.net_cents[np.arange(len(rows)), best]
        pages.append(LeftAlone(outcomes.p_pay[:, 0], money.net_cents[:, 0], chosen, best > 0))
    return LeftAlone.together(pages)


def _page(states: AccountStates, desk: Desk, dossier: Dossier | None) -> Page:
    asked = amounts(amount_due_cents(states), desk.catalogue.actions, balance_cents=states.balance_cents)
    days = LocalDays(states.spine.as_of_us, states.local_day, states.zone, states.zone_names)
    return Page(states, days, desk.catalogue, asked, dossier)


def _weighed(
    page: Page, values: Floats, bundle: ModelBundle, desk: Desk, *, allowed: npt.NDArray[np.bool_]
) -> tuple[Outcomes, Worth]:
    """What each allowed action (n, A) leads to, and what it is worth."""
    p_pay = bundle.payment.predict(values)[:, bundle.payment.horizons.index(bundle.payment.explained)]
    outcomes = _outcomes(values, p_pay, bundle, desk, allowed=allowed)
    return outcomes, worth_on(page, outcomes, objective=desk.config.objective)


def _on_one_account(
    eligible: Eligibility, page: Page, encoded: Encoded, bundle: ModelBundle, desk: Desk, *, money: Worth
) -> Eligibility:
    """What stays allowed where a rule leaves each debtor's other accounts alone today."""
    if not applies(desk.contact_policy):
        return eligible
    spine = elsewhere(encoded, page.states.spine)
    states = account_states(encoded, spine, channels=desk.catalogue.channels)
    other = _page(states, desk, Dossier(encoded, spine))
    allowed = eligibility(other, desk.contact_policy).allowed
    values = compute_many(encoded, spine, bundle.schema)
    theirs = _weighed(other, values, bundle, desk, allowed=allowed)[1] if len(spine) else money
    others = Weighed(spine, allowed, theirs.objective_cents[: len(spine)])
    return one_contact_per_debtor(
        eligible, page, desk.contact_policy, encoded, worth_cents=money.objective_cents, others=others
    )


def _case(encoded: Encoded, spine: Spine, bundle: ModelBundle, desk: Desk, *, explain: Explain, locale: str) -> Case:
    config = desk.config
    states = account_states(encoded, spine, channels=desk.catalogue.channels)
    values = compute_many(encoded, spine, bundle.schema)
    p_pay = bundle.payment.predict(values)

    page = _page(states, desk, Dossier(encoded, spine))
    eligible = eligibility(page, desk.contact_policy)

    explained = p_pay[:, bundle.payment.horizons.index(bundle.payment.explained)]
    outcomes = _outcomes(values, explained, bundle, desk, allowed=eligible.allowed)
    money = worth_on(page, outcomes, objective=config.objective)
    eligible = _on_one_account(eligible, page, encoded, bundle, desk, money=money)

    names = [encoded.account_ids[account] for account in spine.account.tolist()]
    debtors = [encoded.debtor_ids[encoded.debtor[account]] for account in spine.account.tolist()]
    draws = np.array(
        [uniform(name, day, desk.policy_version) for name, day in zip(names, page.days.day.tolist(), strict=True)]
    )
    holdout = in_holdout(debtors, config.arms.holdout)
    choice = choose(money.objective_cents, eligible.allowed, config.exploration, draws=draws, holdout=holdout)

    shares = None if explain == "none" else explanation.shares(bundle.payment, values)
    kinds = profile(values, bundle.schema)
    return Case(
        page=page, account_ids=names, debt_ids=_debts_meant(encoded, states), values=values, p_pay=p_pay,
        allowed=eligible.allowed, spans=(eligible.not_before_us, eligible.valid_until_us), outcomes=outcomes,
        money=money, choice=choice, profile=kinds,
        reasons=_reasons((shares, kinds), values, bundle, desk, locale=locale) if shares else [()] * len(names),
        refusals=eligible.refusals(locale=locale), notices=_notices(encoded, states, bundle, desk, locale=locale),
        shares=shares if explain == "full" else None,
    )  # fmt: skip


def _outcomes(
    values: Floats, p_pay: Floats, bundle: ModelBundle, desk: Desk, *, allowed: npt.NDArray[np.bool_]
) -> Outcomes:
    """Outcomes of the first actions of the catalogue, as many as ``allowed`` has columns."""
    actions = desk.catalogue.actions[: allowed.shape[1]]
    if bundle.response is not None:
        return bundle.response.outcomes(values, bundle.schema, actions, allowed=allowed)
    measured = bundle.settings.get("payer_share")
    prior = (
        PriorResponse(desk.config.priors) if measured is None else PriorResponse(desk.config.priors, float(measured))
    )
    return prior.outcomes(p_pay, actions)


def _reasons(
    found: tuple[explanation.Shares, Profile], values: Floats, bundle: ModelBundle, desk: Desk, *, locale: str
) -> list[tuple[Reason, ...]]:
    """What moves the probability, and after it the kind of non-payment where there is evidence of one."""
    currency = _SYMBOLS.get(desk.config.currency, desk.config.currency)
    moved = explanation.reasons(found[0], values, bundle.schema, locale=locale, currency=currency)
    kind = profile_reasons(found[1], values, bundle.schema, locale=locale, currency=currency)
    return [(*first, *last) for first, last in zip(moved, kind, strict=True)]


def _notices(
    encoded: Encoded, states: AccountStates, bundle: ModelBundle, desk: Desk, *, locale: str
) -> list[tuple[str, ...]]:
    common = page_notices(bundle, desk, present=encoded.present, locale=locale)
    nothing = (*common, say("nothing_owed", locale))
    return [common if owes else nothing for owes in states.owes.tolist()]


def _with_experience(case: Case, bundle: ModelBundle, desk: Desk, *, locale: str) -> list[tuple[str, ...]]:
    """The notices of each row, and that its action was hardly ever tried, where the model can tell."""
    learned = Experience.of(bundle.settings) if bundle.response is not None else None
    wording = locale, _SYMBOLS.get(desk.config.currency, desk.config.currency)
    untried = experience_notices(
        learned, desk.catalogue.actions, case.choice.action, net_cents=case.money.net_cents, allowed=case.allowed,
        wording=wording,
    )  # fmt: skip
    return [(*common, *own) for common, own in zip(case.notices, untried, strict=True)]


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


def _owing(encoded: Encoded, as_of_us: int, desk: Desk) -> npt.NDArray[np.int64]:
    everyone = np.arange(len(encoded.account_ids), dtype=np.int64)
    pages = [account_states(encoded, _spine(page, as_of_us), channels=desk.catalogue.channels).owes
             for page in _pages(everyone, size=50 * _PAGE)]  # fmt: skip
    owing: npt.NDArray[np.int64] = everyone[np.concatenate([*pages, np.zeros(0, dtype=np.bool_)])]
    return owing


def _spine(accounts: npt.NDArray[np.int64], as_of_us: int) -> Spine:
    return Spine(account=accounts.astype(np.int32), as_of_us=np.full(len(accounts), as_of_us, dtype=np.int64))


def _pages(accounts: npt.NDArray[np.int64], *, size: int = _PAGE) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, len(accounts), size):
        yield accounts[start : start + size]
