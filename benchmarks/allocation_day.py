"""A day of decisions taken one by one, at the prices that yesterday's portfolio had."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from allocation_world import portfolio

from decisioning.allocation import Solution, solve
from decisioning.allocation.online import PriceBook
from decisioning.allocation.prices import Price, PriceList
from decisioning.allocation.problem import Floats, Problem


@dataclass(frozen=True)
class Day:
    """What a day brought beyond waiting, beside ``bound``, what nobody could have exceeded; and what was used."""

    gain: float
    bound: float
    use: Floats
    limit: Floats


def price_list(problem: Problem, found: Solution, *, factor: Floats | float = 1.0) -> PriceList:
    """The prices of a solution; by a ``factor`` they are made wrong."""
    used = problem.constant[problem.segment, found.choice] > 0
    for action, resource in zip(problem.pair_action, problem.pair_resource, strict=True):
        used[:, resource] |= found.choice == action
    rows = zip(problem.limit, found.use, used.sum(axis=0), found.price * factor, strict=True)
    return PriceList(
        made_at="2026-03-01T12:00:00Z", local_days=[], currency="BRL", policy_version="", model_version="",
        accounts=len(problem), gain=found.value, bound=found.bound, gap=found.gap,
        resources=[
            Price(
                name=str(place), kind="contacts", per_contact=1.0, limit=limit, minimum=0.0, used=use, uses=int(uses),
                price=price / 100.0, scale=found.bound / limit / 100.0,
            )
            for place, (limit, use, uses, price) in enumerate(rows)
        ],
    )  # fmt: skip


def day(accounts: int, *, adjustments: int = 200, factor: Floats | float = 1.0, seed: int = 1) -> Day:
    """Accounts come in a random order; prices are adjusted so many times.

    Yesterday's portfolio, whose prices the day begins with, has other debtors and its limits are as wide.
    """
    today, yesterday = portfolio(accounts, seed=seed), portfolio(accounts, seed=seed - 1)
    book = PriceBook.opened(price_list(yesterday, solve(yesterday), factor=factor), ())
    book = _limited(book, today.limit)
    order = np.random.default_rng(1_000 + seed).permutation(accounts)
    gain = 0.0
    for end in np.linspace(0, accounts, adjustments + 1).astype(int)[1:]:
        rows = order[round(book.done[0] * accounts) : end]
        net = _net(today, rows, book.price)
        for row, worth in zip(rows.tolist(), net, strict=True):
            if worth.max() > 0:
                action, use = _choice(today, row, worth, book)
                book, gain = book.spend(use), gain + float(today.value[row, action])
        book = book.adjusted(end / accounts)
    return Day(gain, solve(today).bound, book.used, today.limit)


def _limited(book: PriceBook, limit: Floats) -> PriceBook:
    items = tuple(replace(one, limit=float(most)) for one, most in zip(book.resources.items, limit, strict=True))
    return replace(book, resources=type(book.resources)(items, ()))


def _net(problem: Problem, rows: np.ndarray, price: Floats) -> Floats:
    net = problem.value[rows] - (problem.constant @ price)[problem.segment[rows]]
    for column, (action, resource) in enumerate(zip(problem.pair_action, problem.pair_resource, strict=True)):
        net[:, action] -= price[resource] * problem.amount[rows, column]
    return np.nan_to_num(net, nan=-np.inf)


def _choice(problem: Problem, row: int, net: Floats, book: PriceBook) -> tuple[int, Floats]:
    use = problem.constant[problem.segment[row]].copy()
    use[problem.pair_action, problem.pair_resource] += problem.amount[row]
    action = int(np.argmax(np.where(book.within_reach(use), net, -np.inf)))
    return action, use[action]
