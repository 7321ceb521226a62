"""What could be done on each account of a page: what is allowed, what it leads to, and what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.arms import Controls, arms_of, control_ranks, ladder_ranks
from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from decisioning.draws import uniform
from decisioning.eligibility import Eligibility, Page, eligibility
from decisioning.foreknown import Foreknown
from decisioning.moments import LocalDays
from decisioning.one_contact import Weighed, applies, elsewhere, one_contact_per_debtor
from decisioning.pressure import worth_on
from decisioning.response import Outcomes, PriorResponse
from decisioning.valuation import Worth, amount_due_cents, amounts
from domain.actions import Action
from features.batch import compute_many
from features.dossier import Dossier
from features.encoding import Encoded
from features.spine import Spine
from features.state import AccountStates, account_states

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Offers:
    """n accounts at their moments, before anything is chosen.

    ``values`` (n, k) features and ``p_pay`` (n, H) by horizon; ``eligible``, ``outcomes`` and ``money`` of all actions.
    """

    page: Page
    values: Floats
    p_pay: Floats
    eligible: Eligibility
    outcomes: Outcomes
    money: Worth

    @property
    def spine(self) -> Spine:
        """Which accounts, and when."""
        return self.page.states.spine

    @property
    def gain_cents(self) -> Floats:
        """(n, A) what each action adds to waiting, by what the policy compares; ``NaN`` where it is not allowed."""
        objective = self.money.objective_cents
        return np.where(self.eligible.allowed, objective - objective[:, :1], np.nan)


class Lots(NamedTuple):
    """Who the n accounts are, where their draws fall (n,) in [0, 1), and whose debtor is in a control arm."""

    account_ids: list[str]
    draws: Floats
    controls: Controls


def lots_of(found: Offers, encoded: Encoded, desk: Desk) -> Lots:
    """The draws of a page: hashes of account, local day and policy, so that nothing else moves them."""
    accounts = found.spine.account.tolist()
    names = [encoded.account_ids[account] for account in accounts]
    debtors = [encoded.debtor_ids[encoded.debtor[account]] for account in accounts]
    days = found.page.days.day.tolist()
    draws = [uniform(name, day, desk.policy_version) for name, day in zip(names, days, strict=True)]
    return Lots(names, np.array(draws), _controls(found, debtors, desk))


def _controls(found: Offers, debtors: list[str], desk: Desk) -> Controls:
    arms, allowed = desk.config.arms, found.eligible.allowed
    arm = arms_of(debtors, arms)
    if not arm.any():
        return Controls.nobody(*allowed.shape)
    by_itself = found.outcomes.p_pay[:, 0]
    ladder = ladder_ranks(desk.config.ladder, desk.catalogue, found.page.states.days_past_due, allowed=allowed)
    return Controls(arm, control_ranks(arm, allowed, arms=arms, p_pay=by_itself, ladder=ladder))


def offers(
    encoded: Encoded, spine: Spine, bundle: ModelBundle, desk: Desk, *, known: Foreknown | None = None
) -> Offers:
    """Everything that a choice is made from; what is ``known`` of the accounts already is not computed again."""
    page = _page_at(encoded, spine, desk)
    eligible = eligibility(page, desk.contact_policy)
    if known is None:
        values = compute_many(encoded, spine, bundle.schema)
        p_pay = bundle.payment.predict(values)
        outcomes, money = weighed(page, values, p_pay, bundle, desk, allowed=eligible.allowed)
    else:
        rows = known.rows(spine.account)
        values, p_pay, outcomes = known.values[rows], known.p_pay[rows], known.outcomes_at(rows, eligible.allowed)
        money = worth_on(page, outcomes, objective=desk.config.objective)
    eligible = _on_one_account(eligible, page, encoded, bundle, desk, money=money)
    return Offers(page, values, p_pay, eligible, outcomes, money)


def _page_at(encoded: Encoded, spine: Spine, desk: Desk) -> Page:
    """What rules read of accounts at their moments, with their history."""
    return page_of(account_states(encoded, spine, channels=desk.catalogue.channels), desk, Dossier(encoded, spine))


def page_of(states: AccountStates, desk: Desk, dossier: Dossier | None) -> Page:
    """What rules read of some accounts; without a ``dossier`` no history."""
    asked = amounts(amount_due_cents(states), desk.catalogue.actions, balance_cents=states.balance_cents)
    days = LocalDays(states.spine.as_of_us, states.local_day, states.zone, states.zone_names)
    return Page(states, days, desk.catalogue, asked, dossier)


def weighed(
    page: Page, values: Floats, p_pay: Floats, bundle: ModelBundle, desk: Desk, *, allowed: npt.NDArray[np.bool_]
) -> tuple[Outcomes, Worth]:
    """What each allowed action (n, A) leads to, and what it is worth; ``p_pay`` (n, H) by horizon."""
    explained = p_pay[:, bundle.payment.horizons.index(bundle.payment.explained)]
    outcomes = outcomes_of(values, explained, bundle, desk, allowed=allowed)
    return outcomes, worth_on(page, outcomes, objective=desk.config.objective)


def _on_one_account(
    eligible: Eligibility, page: Page, encoded: Encoded, bundle: ModelBundle, desk: Desk, *, money: Worth
) -> Eligibility:
    """What stays allowed where a rule leaves each debtor's other accounts alone today."""
    if not applies(desk.contact_policy):
        return eligible
    spine = elsewhere(encoded, page.states.spine)
    nothing = eligible.allowed[:0], money.objective_cents[:0]
    others = Weighed(spine, *(_weighed_elsewhere(encoded, spine, bundle, desk) if len(spine) else nothing))
    return one_contact_per_debtor(
        eligible, page, desk.contact_policy, encoded, worth_cents=money.objective_cents, others=others
    )


def _weighed_elsewhere(
    encoded: Encoded, spine: Spine, bundle: ModelBundle, desk: Desk
) -> tuple[npt.NDArray[np.bool_], Floats]:
    """What is allowed on accounts that nobody asked about, and what the policy compares."""
    owes = account_states(encoded, spine, channels=desk.catalogue.channels).owes
    allowed = np.zeros((len(spine), len(desk.catalogue.actions)), dtype=np.bool_)
    objective = np.zeros(allowed.shape)
    # Where nothing is owed nothing but waiting is allowed, and most of a debtor's other accounts are of that kind.
    allowed[:, 0] = True
    if owes.any():
        allowed[owes] = eligibility(_page_at(encoded, spine.take(owes), desk), desk.contact_policy).allowed
    # Where nothing but waiting is allowed no contact is compared.
    some = np.flatnonzero(allowed[:, 1:].any(axis=1))
    if len(some):
        objective[some] = _objective(encoded, spine.take(some), bundle, desk, allowed=allowed[some])
    return allowed, objective


def _objective(
    encoded: Encoded, spine: Spine, bundle: ModelBundle, desk: Desk, *, allowed: npt.NDArray[np.bool_]
) -> Floats:
    """(n, A) what the policy compares, where it is allowed."""
    page, values = _page_at(encoded, spine, desk), compute_many(encoded, spine, bundle.schema)
    return weighed(page, values, bundle.payment.predict(values), bundle, desk, allowed=allowed)[1].objective_cents


def outcomes_of(
    values: Floats, p_pay: Floats, bundle: ModelBundle, desk: Desk, *, allowed: npt.NDArray[np.bool_]
) -> Outcomes:
    """Outcomes of the first actions of the catalogue, as many as ``allowed`` has columns."""
    actions: Sequence[Action] = desk.catalogue.actions
    if allowed.shape[1] < len(actions):
        actions = actions[: allowed.shape[1]]
    if bundle.response is not None:
        return bundle.response.outcomes(values, bundle.schema, actions, allowed=allowed)
    return prior_of(bundle, desk).outcomes(p_pay, actions)


def prior_of(bundle: ModelBundle, desk: Desk) -> PriorResponse:
    """What stands in for a response model: the configured priors, and the share that payers paid in training."""
    measured = bundle.settings.get("payer_share")
    priors = desk.config.priors
    return PriorResponse(priors) if measured is None else PriorResponse(priors, float(measured))
