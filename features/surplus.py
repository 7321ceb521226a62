"""How much better than usual an account is received in each part of the day: one step of Newton's method.

The log-odds that a contact on channel c is received in part p are taken as those of the channel plus b_p, and b_p as
normal over accounts with mean 0 and standard deviation τ. From b = 0, where the probability is the channel's usual
rate r_c, one step towards the largest posterior gives

    b_p = Σ_c (k_cp − r_c · n_cp) / (Σ_c r_c · (1 − r_c) · n_cp + 1/τ²)

with n_cp contacts, k_cp of them received. Less the mean over parts, only the contrast is left: who is hard to reach at
any time of the day is told by other features. What is usual is that of the channel, because a ladder writes e-mails in
the morning and WhatsApp messages in the afternoon, and the rates of these parts would tell of channels, not of debtors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.balance_entries import Int32s
from domain.compiled import compiled
from features.definitions import Feature, Surplus

Floats = npt.NDArray[np.float64]


class SurplusPlan(NamedTuple):
    """F surpluses over P parts of the day and C channels: feature f, of part ``part[f]``, goes to ``column[f]``.

    ``received`` and ``attempts`` (F, P, C) are the columns of k and n; ``usual`` (F, C) the rates r; ``precision`` (F,)
    is 1/τ².
    """

    column: Int32s
    part: Int32s
    received: Int32s
    attempts: Int32s
    usual: Floats
    precision: Floats


def surplus_plan(
    features: Sequence[Feature], *, index: Mapping[str, int], priors: Mapping[str, tuple[float, ...]]
) -> SurplusPlan:
    """The plan of all surpluses, with the rates of ``priors`` where they are fitted; columns as in ``derived_plan``."""
    found = [(place, one.name, one.rule) for place, one in enumerate(features) if isinstance(one.rule, Surplus)]
    rules = [rule for _, _, rule in found]
    parts, channels = (len(rules[0].attempts), len(rules[0].usual)) if rules else (0, 0)
    grid = len(rules), parts, channels
    return SurplusPlan(
        column=np.array([place for place, _, _ in found], dtype=np.int32),
        part=np.array([rule.part for rule in rules], dtype=np.int32),
        received=_columns([rule.received for rule in rules], index).reshape(grid),
        attempts=_columns([rule.attempts for rule in rules], index).reshape(grid),
        usual=np.array([priors.get(name, rule.usual) for _, name, rule in found]).reshape(len(rules), channels),
        precision=np.array([rule.spread**-2 for rule in rules], dtype=np.float64),
    )


def _columns(tables: Sequence[tuple[tuple[str, ...], ...]], index: Mapping[str, int]) -> Int32s:
    """Positions of all names, one after the other."""
    return np.array([index[name] for table in tables for names in table for name in names], dtype=np.int32)


@compiled
def surpluses(plan: SurplusPlan, out: Floats) -> None:
    """Every surplus of every row of ``out``, whose counts are already filled; missing where a count is."""
    parts = plan.attempts.shape[1]
    for row in range(out.shape[0]):
        for feature in range(len(plan.column)):
            total, own = 0.0, 0.0
            for part in range(parts):
                step = _step(plan, out[row], feature, part)
                total += step
                if part == plan.part[feature]:
                    own = step
            out[row, plan.column[feature]] = own - total / parts


@compiled
def _step(plan: SurplusPlan, values: Floats, feature: int, part: int) -> float:
    """b of one part, as in the module's formula; of a contact that was read twice one counts, so k is at most n."""
    score, information = 0.0, plan.precision[feature]
    for channel in range(plan.usual.shape[1]):
        usual, made = plan.usual[feature, channel], values[plan.attempts[feature, part, channel]]
        received = values[plan.received[feature, part, channel]]
        score += (made if received > made else received) - usual * made
        information += usual * (1.0 - usual) * made
    return float(score / information)


def usual_rates(rule: Surplus, values: Floats, *, index: Mapping[str, int]) -> tuple[float, ...]:
    """Received contacts per contact by channel, over all parts of the day and all rows of a training matrix.

    A channel without contacts in training keeps the rate that it was declared with.

    Parameters
    ----------
    values : (n, k), with the columns of ``index``
    """
    rates = []
    for channel, declared in enumerate(rule.usual):
        made, received = (
            values[:, [index[names[channel]] for names in table]] for table in (rule.attempts, rule.received)
        )
        total = float(np.nansum(made))
        rates.append(float(np.nansum(np.minimum(received, made))) / total if total else declared)
    return tuple(rates)
