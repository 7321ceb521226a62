"""Which rule alone keeps a better action from being chosen: found by valuing what it forbids, and deciding anew."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from decisioning.bundle import ModelBundle
from decisioning.contact_policy.rules import Rule
from decisioning.desk import Desk
from decisioning.eligibility import Eligibility, Finding, eligibility
from decisioning.offers import Offers, weighed
from decisioning.refusals import PERSON_UNCHECKED
from domain.clock import FOREVER, MISSING
from domain.decisions import Change

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MOST = 3
_BY_KIND = {
    **dict.fromkeys(("consent_required", "opt_out", "invalid_contact_point", "do_not_call", "affordability"), "debtor"),
    **dict.fromkeys(("approval", "hold_stop"), "operator"),
    **dict.fromkeys(("time_barred", "offer_limit"), "nobody"),
}
"""Who can bring about that a rule of a kind no longer forbids; of the others time does, where it is known when."""
_BY_CODE = {
    **dict.fromkeys(("NO_CONSENT", "CONSENT_REVOKED", "CONTACT_INVALID"), "debtor"),
    **dict.fromkeys(("GATED_NEEDS_APPROVAL", "TIME_ZONE_UNKNOWN", PERSON_UNCHECKED), "operator"),
    **dict.fromkeys(("HOLD_DECEASED", "NOTHING_OWED"), "nobody"),
}


def lifted(found: Offers, bundle: ModelBundle, desk: Desk) -> list[list[Change]]:
    """For each account at most three rules, those first without which most would be gained.

    What another account of the debtor would be worth is taken as it is: where that one has the contact of the day, no
    other rule is said to stand in the way.
    """
    best = _best(found)
    alone = _alone(found.eligible)
    told: list[list[Change]] = [[] for _ in best]
    refused = np.logical_or.reduce([np.zeros_like(found.eligible.allowed), *alone.values()])
    if not refused.any():
        return told
    worth = weighed(found.page, found.values, found.p_pay, bundle, desk, allowed=refused)[1].objective_cents
    for rule, mask in alone.items():
        better = mask & (np.where(mask, worth, -np.inf) > best[:, None])
        if not better.any():
            continue
        gain = np.where(better & _without(rule, found, desk), worth - best[:, None], -np.inf)
        for row in np.flatnonzero((gain > 0).any(axis=1)).tolist():
            action = int(np.argmax(gain[row]))
            told[row].append(_change(found, desk, rule, pair=(row, action), gain=float(gain[row, action])))
    return [sorted(row, key=lambda one: (-one.gain_cents, one.rule or ""))[:MOST] for row in told]


def _best(found: Offers) -> Floats:
    best: Floats = np.where(found.eligible.allowed, found.money.objective_cents, -np.inf).max(axis=1)
    return best


def _alone(eligible: Eligibility) -> Mapping[str, Bools]:
    """By rule, the pairs (n, A) that it refuses and no other one does."""
    by_rule: dict[str, Bools] = {}
    for finding in eligible.findings:
        name = finding.origin.rule
        by_rule[name] = by_rule.get(name, np.zeros_like(finding.refused)) | finding.refused
    times = sum((mask.astype(np.int64) for mask in by_rule.values()), np.zeros(eligible.allowed.shape, dtype=np.int64))
    return {name: mask & (times == 1) for name, mask in by_rule.items()}


def _without(rule: str, found: Offers, desk: Desk) -> Bools:
    """(n, A) what would be allowed without the rule, every other one looked at anew."""
    elsewhere = found.eligible.elsewhere
    allowed = eligibility(found.page, desk.contact_policy, without=rule).allowed
    for name, mask in elsewhere.items():
        if name != rule:
            allowed = allowed & ~mask
    return allowed


def _change(found: Offers, desk: Desk, rule: str, *, pair: tuple[int, int], gain: float) -> Change:
    eligible = found.eligible
    finding = next(one for one in eligible.findings if one.origin.rule == rule and one.refused[pair])
    declared = next((one for one in desk.contact_policy.rules if one.id == rule), None)
    opens = int(eligible.openings.at_us[pair])
    return Change(
        kind="rule", action=eligible.names[pair[1]], gain_cents=gain, by=_by(declared, finding, pair), rule=rule,
        code=finding.origin.code, allowed_from_us=None if opens in (FOREVER, MISSING) else opens,
    )  # fmt: skip


def _by(declared: Rule | None, finding: Finding, pair: tuple[int, int]) -> str:
    """Who can bring about that it is not forbidden."""
    by = _BY_CODE.get(finding.origin.code) or _BY_KIND.get("" if declared is None else declared.kind)
    if by is not None:
        return by
    return "nobody" if int(finding.until_us[pair]) in (MISSING, FOREVER) else "time"
