"""Arrays of one page of accounts into decision records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.arms import ARMS
from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from decisioning.eligibility import Page, made_of
from decisioning.explanation import Shares, contrast, contributions
from decisioning.listed import Listed
from decisioning.money_parts import Account
from decisioning.money_told import Compared, told_money
from decisioning.nonpayment import Profile
from decisioning.offers import prior_of
from decisioning.policy import Choice
from decisioning.quantity_shares import Margins
from decisioning.response import Outcomes
from decisioning.valuation import Worth
from domain.decisions import Candidate, Change, Decision, Explanation, LostToBudget, Reason, Refusal

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """All that is known about one page: n accounts in rows, A actions in columns; ``shares`` only where asked.

    ``spans`` are from when and until when, half-open, each action may be carried out today, (n, A) µs each.
    ``log_probs`` asks for the probabilities of all actions in each record, ``changes`` (n,) are what would change each
    decision, with ``shares``. Where capacities or budgets were allotted,
    ``charge_cents`` (n, A) is what each action pays for what it uses, and ``lost`` what each row lost by that.
    """

    page: Page
    account_ids: Sequence[str]
    debt_ids: Sequence[tuple[str, ...]]
    values: Floats
    p_pay: Floats
    allowed: npt.NDArray[np.bool_]
    spans: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    outcomes: Outcomes
    money: Worth
    choice: Choice
    profile: Profile
    reasons: Sequence[tuple[Reason, ...]]
    refusals: Sequence[tuple[Refusal, ...]] | Listed
    notices: Sequence[tuple[str, ...]]
    shares: Shares | None = None
    log_probs: bool = False
    charge_cents: Floats | None = None
    lost: Sequence[LostToBudget | None] = ()
    changes: Sequence[tuple[Change, ...]] = ()

    @property
    def compared_cents(self) -> Floats:
        """(n, A) what the policy compares: the objective, less what is charged."""
        objective = self.money.objective_cents
        return objective if self.charge_cents is None else objective - self.charge_cents


def decisions(case: Case, bundle: ModelBundle, desk: Desk) -> list[Decision]:
    """The decision of each row."""
    own = np.arange(len(case.account_ids)), case.choice.action
    columns = (runners_up(case), channel_probs(case), *(span[own] for span in case.spans))
    refusals = case.refusals.of_rows(made_of(case.refusals)) if isinstance(case.refusals, Listed) else case.refusals
    rows = zip(*(column.tolist() for column in columns), refusals, strict=True)
    return [_decision(case, row, bundle, desk, beside=_Beside(*found)) for row, found in enumerate(rows)]


class _Beside(NamedTuple):
    """What is made for a whole page at once: ``runner_up`` is the position of an action, -1 where there is none."""

    runner_up: int
    channel_prob: float
    not_before_us: int
    valid_until_us: int
    refusals: tuple[Refusal, ...]


def decision_id(account_id: str, as_of_us: int, bundle: ModelBundle, policy_version: str) -> str:
    """The identity of a decision: the same account, moment, model and policy give the same."""
    parts = (account_id, str(as_of_us), bundle.version, bundle.model_hash, policy_version)
    return sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _decision(case: Case, row: int, bundle: ModelBundle, desk: Desk, *, beside: _Beside) -> Decision:
    position = int(case.choice.action[row])
    action = desk.catalogue.actions[position]
    chosen = candidate(case, row, position)
    second = candidate(case, row, beside.runner_up) if beside.runner_up >= 0 else None
    as_of_us, account_id = int(case.page.days.as_of_us[row]), case.account_ids[row]
    full = case.shares is not None
    lost = case.lost[row] if case.lost else None
    return Decision(
        decision_id=decision_id(account_id, as_of_us, bundle, desk.policy_version),
        account_id=account_id,
        decided_at_us=as_of_us,
        action=action.name,
        channel=action.channel,
        offer=action.offer,
        moment=action.moment,
        action_prob=float(case.choice.action_prob[row]),
        channel_prob=beside.channel_prob,
        arm=ARMS[int(case.choice.arm[row])],
        p_pay=dict(zip(bundle.payment.horizons, case.p_pay[row].tolist(), strict=True)),
        chosen=chosen,
        runner_up=second,
        debt_ids=case.debt_ids[row],
        amount_due_cents=int(case.page.asked.due_cents[row]),
        not_before_us=beside.not_before_us,
        valid_until_us=beside.valid_until_us,
        reasons=case.reasons[row],
        refusals=beside.refusals,
        model_version=bundle.version,
        policy_version=desk.policy_version,
        schema_fingerprint=bundle.schema.fingerprint,
        notices=case.notices[row],
        candidates=ranking(case, row) if full else (),
        explanation=_explanation(case, row, bundle, desk, second=beside.runner_up) if full else None,
        action_probs=_action_probs(case, row) if case.log_probs else {},
        nonpayment=case.profile.of(row),
        lost_to_budget=lost,
    )


def candidate(case: Case, row: int, action: int) -> Candidate:
    """One allowed action of a row with the factors of its value; money rounded to cents here and not before."""
    money, asked, outcomes = case.money, case.page.asked, case.outcomes
    net = round(float(money.net_cents[row, action]))
    return Candidate(
        action=case.page.catalogue.actions[action].name,
        allowed=bool(case.allowed[row, action]),
        p_pay=float(outcomes.p_pay[row, action]),
        expected_recovered_cents=round(float(money.recovered_cents[row, action])),
        expected_cost_cents=float(money.cost_cents[row, action]),
        p_complaint=float(outcomes.p_complaint[row, action]),
        p_opt_out=float(outcomes.p_opt_out[row, action]),
        expected_net_cents=net,
        incremental_net_cents=net - round(float(money.net_cents[row, 0])),
        offer_amount_cents=int(asked.offer_cents[row, action]),
        discount_cents=int(asked.discount_cents[row, action]),
        instalment_cents=int(asked.instalment_cents[row, action]),
        p_sent=_part(outcomes.p_sent, row, action),
        p_reached=_part(outcomes.p_reached, row, action),
        p_agreed=_part(outcomes.p_agreed, row, action),
        complaint_cents=float(money.complaint_cents[row, action]),
        opt_out_cents=float(money.opt_out_cents[row, action]),
        charge_cents=_part(case.charge_cents, row, action),
        pressure_cents=float(money.pressure_cents[row, action]),
    )


def _part(found: Floats | None, row: int, action: int) -> float | None:
    return None if found is None else float(found[row, action])


def ranking(case: Case, row: int) -> tuple[Candidate, ...]:
    """All allowed actions of a row, best first by what the policy compares."""
    allowed = np.flatnonzero(case.allowed[row])
    order = np.argsort(-case.compared_cents[row, allowed], kind="stable")
    return tuple(candidate(case, row, int(action)) for action in allowed[order])


def _action_probs(case: Case, row: int) -> dict[str, float]:
    possible = np.flatnonzero(case.choice.probabilities[row] > 0)
    return {case.page.catalogue.actions[place].name: float(case.choice.probabilities[row, place]) for place in possible}


def channel_probs(case: Case) -> Floats:
    """(n,) probability of the channel of each chosen action: what evaluates by channel takes a tenth of the log."""
    channel = case.page.channel_of
    same = channel[case.choice.action][:, None] == channel
    # A sum of parts that make 1 may end an ulp above it, which no reader of the log would take for a probability.
    total = (case.choice.probabilities * same).sum(axis=1)
    return np.asarray(np.minimum(total, 1.0), dtype=np.float64)


def runners_up(case: Case) -> npt.NDArray[np.int64]:
    """(n,) the best allowed action other than the chosen one, -1 where there is none."""
    rows = np.arange(len(case.account_ids))
    others = np.where(case.allowed, case.compared_cents, -np.inf)
    others[rows, case.choice.action] = -np.inf
    best = np.argmax(others, axis=1)
    return np.where(np.isfinite(others[rows, best]), best, -1)


def _explanation(case: Case, row: int, bundle: ModelBundle, desk: Desk, *, second: int) -> Explanation:
    assert case.shares is not None
    position = int(case.choice.action[row])
    chosen = candidate(case, row, position)
    others = {name: place for name, place in (("runner_up", second), ("wait", 0)) if place >= 0}
    compared = Compared(case.money.net_cents[row], case.compared_cents[row])
    apart = {name: place for name, place in others.items() if place != position}
    money, differences = told_money(_account(case, row, bundle, desk), compared, position, apart)
    return Explanation(
        base=float(case.shares.base[row]),
        contributions=contributions(case.shares, case.values, bundle.schema, row),
        contrast={
            name: contrast(_factors(chosen), _factors(candidate(case, row, place))) for name, place in others.items()
        },
        money=money,
        differences=differences,
        changes=case.changes[row] if case.changes else (),
    )


def _account(case: Case, row: int, bundle: ModelBundle, desk: Desk) -> Account:
    """One row of the page, for whoever splits its money."""
    assert case.shares is not None
    return Account(
        case.values[row : row + 1], case.page.asked.of_row(row), bundle.schema, desk.catalogue.actions,
        bundle.response or prior_of(bundle, desk), desk.config.objective,
        by_itself=None if bundle.response else _by_itself(case.shares, row),
    )  # fmt: skip


def _by_itself(found: Shares, row: int) -> Margins:
    """The explained probability as a quantity whose shares add up as they are."""
    added = np.append(found.contributions[row], 0.0)[None]
    base = float(found.base[row])
    return Margins(base, added, base, found.p_pay[row : row + 1])


def _factors(found: Candidate) -> Mapping[str, float]:
    return {
        "p_pay": found.p_pay,
        "p_complaint": found.p_complaint,
        "p_opt_out": found.p_opt_out,
        "expected_recovered_cents": float(found.expected_recovered_cents),
        "expected_cost_cents": found.expected_cost_cents,
        "discount_cents": float(found.discount_cents),
        "expected_net_cents": float(found.expected_net_cents),
        "pressure_cents": found.pressure_cents,
    }
