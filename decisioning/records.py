"""A decision as a row of the batch file (contract §4) and as an answer of the service (contract §5)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from domain.clock import from_us, rfc3339
from domain.decisions import Candidate, Change, Decision, Difference, Explanation, LostToBudget, MoneySplit, Refusal
from domain.money import from_cents

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_MONEY = "_cents"
_ROW_ONLY = ("eligible", "reason_values")


def decision_row(decision: Decision, *, candidates: bool = False) -> dict[str, Any]:
    """One row of the batch file: money in currency with two decimals, moments as aware datetimes, lists as lists.

    ``action_probs`` is there where the decision holds them: every action that could have been chosen, with its
    probability; and ``eligible``, their names, which a table of decisions has (contract §2). ``resource_charge`` and
    ``lost_to_budget`` are there where capacities or budgets were allotted; ``candidates`` where they are asked for.
    """
    return _row(decision, [refusal_row(refusal) for refusal in decision.refusals], candidates=candidates)


def _row(decision: Decision, refusals: list[dict[str, Any]], *, candidates: bool = False) -> dict[str, Any]:
    logged = [{"action": action, "action_prob": prob} for action, prob in decision.action_probs.items()]
    chosen, second = decision.chosen, decision.runner_up
    return {
        "decision_id": decision.decision_id,
        "account_id": decision.account_id,
        "decided_at": from_us(decision.decided_at_us),
        "action": decision.action,
        "channel": decision.channel,
        "offer": decision.offer,
        "moment": decision.moment,
        "action_prob": decision.action_prob,
        "channel_prob": decision.channel_prob,
        "arm": decision.arm,
        **{f"p_pay_{days}d": p_pay for days, p_pay in decision.p_pay.items()},
        "expected_recovered": from_cents(chosen.expected_recovered_cents),
        "expected_cost": _currency(chosen.expected_cost_cents),
        "p_complaint": chosen.p_complaint,
        "expected_net_value": from_cents(chosen.expected_net_cents),
        "incremental_net_value": from_cents(chosen.incremental_net_cents),
        "runner_up": second.action if second else None,
        "debt_ids": list(decision.debt_ids),
        "amount_due": from_cents(decision.amount_due_cents),
        "offer_amount": from_cents(chosen.offer_amount_cents),
        "discount_amount": from_cents(chosen.discount_cents),
        "instalment_amount": _instalment(chosen),
        "not_before": from_us(decision.not_before_us),
        "valid_until": from_us(decision.valid_until_us),
        "reasons": [reason.code for reason in decision.reasons],
        "reason_values": [reason.value for reason in decision.reasons],
        "nonpayment": {"forgets": decision.nonpayment.forgets, "unable": decision.nonpayment.unable},
        "refusals": refusals,
        "model_version": decision.model_version,
        "policy_version": decision.policy_version,
        "schema_fingerprint": decision.schema_fingerprint,
        "notices": list(decision.notices),
        **({"action_probs": logged, "eligible": list(decision.action_probs)} if logged else {}),
        **(_allotted(decision) if chosen.charge_cents is not None else {}),
        **({"candidates": [factors_json(one) for one in decision.candidates]} if candidates else {}),
    }


def _allotted(decision: Decision) -> dict[str, Any]:
    lost, charge = decision.lost_to_budget, decision.chosen.charge_cents
    return {
        "resource_charge": _currency(charge or 0.0),
        "lost_to_budget": None if lost is None else lost_row(lost),
    }


def lost_row(lost: LostToBudget) -> dict[str, Any]:
    """What an account lost to a budget, as a batch file and the service tell it."""
    return {
        "action": lost.action, "resource": lost.resource, "code": lost.code, "price": round(lost.price, 4),
        "use": round(lost.use, 4), "charge": _currency(lost.charge_cents), "lost_value": _currency(lost.lost_cents),
        "text": lost.text,
    }  # fmt: skip


def decision_json(decision: Decision, *, explained: int) -> dict[str, Any]:
    """One decision as the service answers it.

    Parameters
    ----------
    explained : days of the explained horizon; its probability is given once, under its own name
    """
    row = _row(decision, [_refusal_json(refusal) for refusal in decision.refusals])
    days = list(decision.p_pay)
    answer = {name: row[name] for name in row if not name.startswith("p_pay_") and name not in _ROW_ONLY}
    answer["p_pay"] = {f"{horizon}d": decision.p_pay[horizon] for horizon in days}
    answer[f"p_pay_{explained}d"] = decision.p_pay[explained]
    answer |= {name: rfc3339(row[name]) for name in ("decided_at", "not_before", "valid_until")}
    answer["runner_up"] = candidate_json(decision.runner_up) if decision.runner_up else None
    answer["reasons"] = [
        {"code": one.code, "feature": one.feature, "value": one.value, "contribution": one.contribution,
         "text": one.text}
        for one in decision.reasons
    ]  # fmt: skip
    if decision.explanation is not None:
        answer["candidates"] = [candidate_json(candidate) for candidate in decision.candidates]
        answer["explanation"] = explanation_json(decision.explanation)
    return answer


def candidate_json(candidate: Candidate) -> dict[str, Any]:
    """One action with the factors of its value, as the service answers it; its charge where something was allotted."""
    charge = candidate.charge_cents
    return {
        "action": candidate.action,
        "p_pay": candidate.p_pay,
        "expected_recovered": from_cents(candidate.expected_recovered_cents),
        "expected_cost": _currency(candidate.expected_cost_cents),
        "p_complaint": candidate.p_complaint,
        "p_opt_out": candidate.p_opt_out,
        "pressure_cost": _currency(candidate.pressure_cents),
        "expected_net_value": from_cents(candidate.expected_net_cents),
        "incremental_net_value": from_cents(candidate.incremental_net_cents),
        "offer_amount": from_cents(candidate.offer_amount_cents),
        "discount_amount": from_cents(candidate.discount_cents),
        "instalment_amount": _instalment(candidate),
        **({} if charge is None else {"resource_charge": _currency(charge)}),
    }


def factors_json(candidate: Candidate) -> dict[str, Any]:
    """The same with all that went into the comparison: the gates of the funnel, each cost, and the charge.

    ``expected_net_value`` = recovered − cost − complaint cost − opt-out cost. What the policy compares is that, less
    the configured weight of discounts and ``resource_charge``, what the action pays for scarce resources at their
    prices.
    """
    charge = candidate.charge_cents
    return candidate_json(candidate) | {
        "p_sent": candidate.p_sent,
        "p_reached": candidate.p_reached,
        "p_agreed": candidate.p_agreed,
        "complaint_cost": _currency(candidate.complaint_cents),
        "opt_out_cost": _currency(candidate.opt_out_cents),
        "resource_charge": None if charge is None else _currency(charge),
    }


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """Base, contributions, contrasts, money and what would change it; a missing feature value is null."""
    money = explanation.money
    return {
        "base": explanation.base,
        "contributions": [
            {
                "feature": item.feature,
                "value": None if math.isnan(item.value) else item.value,
                "contribution": item.contribution,
            }
            for item in explanation.contributions
        ],
        "contrast": {
            other: {
                name.removesuffix(_MONEY): _currency(gap) if name.endswith(_MONEY) else gap
                for name, gap in gaps.items()
            }
            for other, gaps in explanation.contrast.items()
        },
        "money": None if money is None else {"average": from_cents(money.average_cents), **_split(money)},
        "differences": {other: _difference(gap) for other, gap in explanation.differences.items()},
        "changes": [_change(one) for one in explanation.changes],
    }


def _difference(gap: Difference) -> dict[str, Any]:
    told = _split(gap.split) if gap.split else {"by_factor": None, "by_feature": None}
    return {"action": gap.action, "total": from_cents(gap.total_cents), **told}


def _split(split: MoneySplit) -> dict[str, Any]:
    return {
        "by_factor": {name: from_cents(cents) for name, cents in split.by_factor.items()},
        "by_feature": [{"feature": name, "amount": from_cents(cents)} for name, cents in split.by_feature],
    }


def _change(one: Change) -> dict[str, Any]:
    """What its kind has, and no other keys."""
    own: dict[str, dict[str, Any]] = {
        "rule": {"rule": one.rule, "code": one.code, "allowed_from": _moment(one.allowed_from_us)},
        "feature": {"feature": one.feature, "value": one.value, "needed": one.needed},
        "price": {"cost_rise": one.rise},
    }
    return {"kind": one.kind, "action": one.action, "gain": _currency(one.gain_cents), "by": one.by, **own[one.kind]}


def _instalment(candidate: Candidate) -> float | None:
    return from_cents(candidate.instalment_cents) if candidate.instalment_cents else None


def _currency(cents: float) -> float:
    return round(cents / 100.0, 2)


@lru_cache(maxsize=65_536)
def _refusal_parts(refusal: Refusal) -> tuple[tuple[str, Any], ...]:
    moments = {"until": refusal.until_us, "allowed_from": refusal.allowed_from_us}
    return (
        ("action", refusal.action), ("rule", refusal.rule), ("code", refusal.code), ("version", refusal.version),
        ("layer", refusal.layer),
        *((name, None if moment is None else from_us(moment)) for name, moment in moments.items()),
        ("depends_on", refusal.depends_on),
    )  # fmt: skip


def refusal_row(refusal: Refusal) -> dict[str, Any]:
    """A refusal as a batch file tells it, with moments as aware datetimes."""
    return dict(_refusal_parts(refusal))


class ToldRefusal(dict[str, Any]):
    """A refusal as the service answers it, with its JSON: it is told again all day, and not to be written to."""

    written: bytes


@lru_cache(maxsize=16_384)
def _refusal_json(refusal: Refusal) -> ToldRefusal:
    told = ToldRefusal(
        action=refusal.action, rule=refusal.rule, code=refusal.code, version=refusal.version, layer=refusal.layer,
        until=_moment(refusal.until_us), allowed_from=_moment(refusal.allowed_from_us),
        depends_on=refusal.depends_on, text=refusal.text,
    )  # fmt: skip
    told.written = json_bytes(told)
    return told


def json_bytes(value: Any) -> bytes:
    """As the service sends JSON: no spaces, and letters as they are; a number that is none is a ``ValueError``."""
    return _ENCODER.encode(value).encode()


def decision_bytes(answer: Mapping[str, Any]) -> bytes:
    """The ``json_bytes`` of a decision, in which those of its refusals are not made anew: they are most of it.

    >>> decision_bytes({"a": 1, "refusals": [{"b": 2}], "c": 3}), decision_bytes({"refusals": []})
    (b'{"a":1,"refusals":[{"b":2}],"c":3}', b'{"refusals":[]}')
    """
    if "refusals" not in answer:
        return json_bytes(answer)
    names = [*answer]
    place = names.index("refusals")
    head, tail = (
        json_bytes({name: answer[name] for name in some})[1:-1] for some in (names[:place], names[place + 1 :])
    )
    told = b",".join([getattr(one, "written", None) or json_bytes(one) for one in answer["refusals"]])
    return b"{" + b",".join([part for part in (head, b'"refusals":[%b]' % told, tail) if part]) + b"}"


@lru_cache(maxsize=65_536)
def _moment(moment_us: int | None) -> str | None:
    """As text; the refusals of a decision share a few moments, and so do decisions of a day."""
    return None if moment_us is None else rfc3339(moment_us)
