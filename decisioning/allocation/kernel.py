"""The loops of the allocation over accounts and actions, compiled; single-threaded, so that sums never change.

Arrays are those of ``problem.Problem``; ``start`` (A + 1,) is where the pairs of each action begin.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from domain.compiled import compiled

Array = Any

RELIEVE, YIELD, FULFIL, FILL = 0, 1, 2, 3
"""What a move is for: less of what is over its limit, the same at the cost of minimums, more of what is under its
minimum, or more value."""


@compiled
def respond(
    value: Array, segment: Array, amount: Array, start: Array, base: Array, pair_price: Array, choice: Array,
    counts: Array, pair_use: Array,
) -> float:  # fmt: skip
    """The best action of every account at given prices; returns the sum of what they are worth less their prices.

    ``base`` (S, A) is the price of the constant uses, ``pair_price`` (P,) that of a unit of each amount. Writes
    ``choice`` (n,), ``counts`` (S, A) of chosen actions, and ``pair_use`` (P,) of chosen amounts. The first of equals
    wins.
    """
    total = 0.0
    for i in range(value.shape[0]):
        s = segment[i]
        best, chosen = 0.0, 0
        for a in range(1, value.shape[1]):
            worth = value[i, a] - base[s, a]
            for p in range(start[a], start[a + 1]):
                worth -= pair_price[p] * amount[i, p]
            if worth > best:
                best, chosen = worth, a
        total += best
        choice[i] = chosen
        counts[s, chosen] += 1
        for p in range(start[chosen], start[chosen + 1]):
            pair_use[p] += amount[i, p]
    return total


@compiled
def add_use(
    constant: Array, amount: Array, start: Array, pair_resource: Array, i: int, s: int, a: int, sign: float, out: Array
) -> None:
    """Adds to ``out`` (K,) what action ``a`` uses on account ``i`` of segment ``s``; a ``sign`` of −1 takes it off."""
    for k in range(len(out)):
        out[k] += sign * constant[s, a, k]
    for p in range(start[a], start[a + 1]):
        out[pair_resource[p]] += sign * amount[i, p]


@compiled
def usage(
    segment: Array, constant: Array, amount: Array, start: Array, pair_resource: Array, choice: Array, use: Array
) -> None:
    """Adds to ``use`` (K,) what the ``choice`` (n,) of all accounts uses."""
    for i in range(len(choice)):
        add_use(constant, amount, start, pair_resource, i, segment[i], choice[i], 1.0, use)


@compiled
def extremes(
    value: Array, segment: Array, constant: Array, amount: Array, start: Array, pair_resource: Array, paid: Array,
    dearest: Array, costliest: Array, most: Array,
) -> None:  # fmt: skip
    """What a unit of each resource may be worth at most, cost at most, and how much of it can be used; all (K,).

    ``paid`` (K,) is what is paid on top for a unit. ``dearest`` is the greatest value and pay per unit, ``costliest``
    the greatest loss against the best action per unit, ``most`` the use where every account takes what uses most.
    """
    own, top = np.zeros(len(paid)), np.zeros(len(paid))
    for i in range(value.shape[0]):
        best = 0.0
        for a in range(value.shape[1]):
            if value[i, a] > best:  # noqa: PLR1730  the compiled max of a NaN is NaN
                best = value[i, a]
        top[:] = 0.0
        for a in range(1, value.shape[1]):
            if value[i, a] > -np.inf:
                own[:] = 0.0
                add_use(constant, amount, start, pair_resource, i, segment[i], a, 1.0, own)
                worth = value[i, a] + np.dot(paid, own)
                for k in range(len(paid)):
                    if own[k] > 0.0:
                        dearest[k] = max(dearest[k], worth / own[k])
                        costliest[k] = max(costliest[k], (best - value[i, a]) / own[k])
                        top[k] = max(top[k], own[k])
        most += top


@compiled
def admitted(change: Array, use: Array, limit: Array, minimum: Array, purpose: int) -> bool:
    """Whether a change of use breaks no limit that holds and makes none worse, and, unless yielding, no minimum."""
    for k in range(len(change)):
        after = use[k] + change[k]
        if change[k] > 0.0 and after > limit[k]:
            return False
        if purpose != YIELD and change[k] < 0.0 and after < minimum[k]:
            return False
    return True


@compiled
def mended(change: Array, use: Array, limit: Array, minimum: Array, purpose: int) -> float:
    """How much of what is wrong a change of use mends, each resource as a share of what is used or wanted of it."""
    total = 0.0
    for k in range(len(change)):
        if purpose == FULFIL:
            short = minimum[k] - use[k]
            if short > 0.0 and change[k] > 0.0:
                total += min(change[k], short) / minimum[k]
        else:
            over = use[k] - limit[k]
            if over > 0.0 and change[k] < 0.0:
                total += min(-change[k], over) / use[k]
    return total


@compiled
def best_move(
    value: Array, segment: Array, constant: Array, amount: Array, start: Array, pair_resource: Array, price: Array,
    limit: Array, minimum: Array, use: Array, purpose: int, i: int, a: int, change: Array,
) -> tuple[int, float]:  # fmt: skip
    """The cheapest admitted move of account ``i`` away from action ``a``, and its cost; −1 where there is none.

    The cost is what is lost at the prices, for each share that is mended; of moves that add value, what is lost alone.
    """
    best, least = -1, np.inf
    for b in range(value.shape[1]):
        if b == a or not value[i, b] > -np.inf or (purpose == FILL and not value[i, b] > value[i, a]):
            continue
        change[:] = 0.0
        add_use(constant, amount, start, pair_resource, i, segment[i], b, 1.0, change)
        add_use(constant, amount, start, pair_resource, i, segment[i], a, -1.0, change)
        if not admitted(change, use, limit, minimum, purpose):
            continue
        cost = float(value[i, a]) - float(value[i, b]) + np.dot(price, change)
        if purpose != FILL:
            share = mended(change, use, limit, minimum, purpose)
            # What costs nothing at the prices still ranks by how much it mends.
            cost = max(cost, 1e-12) / share if share > 0.0 else np.inf
        if cost < least:
            best, least = b, cost
    return best, least


@compiled
def rank(
    value: Array, segment: Array, constant: Array, amount: Array, start: Array, pair_resource: Array, price: Array,
    limit: Array, minimum: Array, use: Array, purpose: int, choice: Array, cost: Array,
) -> None:  # fmt: skip
    """Writes the ``cost`` (n,) of the best move of every account, +inf where there is none."""
    change = np.zeros(len(price))
    for i in range(value.shape[0]):
        cost[i] = best_move(
            value, segment, constant, amount, start, pair_resource, price, limit, minimum, use, purpose, i, choice[i],
            change,
        )[1]  # fmt: skip


@compiled
def unfinished(use: Array, limit: Array, minimum: Array, purpose: int) -> bool:
    """Whether there is anything left that moves of a ``purpose`` could mend; of value there always may be."""
    if purpose == FILL:
        return True
    return bool((use < minimum).any()) if purpose == FULFIL else bool((use > limit).any())


@compiled
def apply(
    value: Array, segment: Array, constant: Array, amount: Array, start: Array, pair_resource: Array, price: Array,
    limit: Array, minimum: Array, use: Array, purpose: int, choice: Array, order: Array,
) -> int:  # fmt: skip
    """Makes moves in ``order`` until nothing is left to mend; returns how many. Changes ``choice`` and ``use``."""
    change, made = np.zeros(len(price)), 0
    for i in order:
        if not unfinished(use, limit, minimum, purpose):
            break
        # What the move was ranked by may be used up by now, so the best one is looked for again.
        b, _ = best_move(
            value, segment, constant, amount, start, pair_resource, price, limit, minimum, use, purpose, i, choice[i],
            change,
        )  # fmt: skip
        if b >= 0:
            add_use(constant, amount, start, pair_resource, i, segment[i], choice[i], -1.0, use)
            add_use(constant, amount, start, pair_resource, i, segment[i], b, 1.0, use)
            choice[i] = b
            made += 1
    return made
