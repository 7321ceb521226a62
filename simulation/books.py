"""The open debts of one account: what is owed on each, and how money, discounts and agreements change them.

Charges are those of ``domain.balance`` written forward, to the cent: a penalty once a debt is late, simple interest on
principal-cents × days with the sum alone rounded, and payments that settle charges before principal.
"""

from __future__ import annotations

from typing import Any

from simulation.parts import part
from simulation.states import MAX_OPEN

BILL, PARKED, PART = 0, 1, 2
"""Roles: an ordinary debt, one that an agreement renegotiated, and an instalment of an agreement."""


@part
def half_even(numerator: int, denominator: int) -> int:
    """A quotient of non-negative integers, rounded half to even."""
    quotient = numerator // denominator
    twice = 2 * (numerator - quotient * denominator)
    up = twice > denominator or (twice == denominator and quotient % 2 == 1)
    return quotient + 1 if up else quotient


@part
def accrue(me: Any, it: Any, j: int, day: int) -> None:
    """Bring the charges of a debt up to a day; instalments of an agreement bear none."""
    since = it.accrued_to[j]
    if day <= since or it.role[j] == PART:
        return
    if since == it.due[j]:
        it.charges[j] += half_even(it.principal[j] * me.penalty_bp, 10_000)
    it.days[j] += it.principal[j] * (day - since)
    it.accrued_to[j] = day
    interest = half_even(it.days[j] * me.interest_bp, 300_000)
    it.charges[j] += interest - it.interest[j]
    it.interest[j] = interest


@part
def accrue_all(me: Any, it: Any, day: int) -> None:
    """Bring the charges of every open debt up to a day."""
    for j in range(it.n_open):
        accrue(me, it, j, day)


@part
def owed(it: Any, j: int) -> int:
    """What closes a debt at the day to which it has accrued, in cents."""
    return int(it.principal[j] + it.charges[j])


@part
def open_debt(it: Any, due: int, cents: int, role: int) -> int:
    """Add a debt in due order; returns its place."""
    j = it.n_open
    while j > 0 and it.due[j - 1] > due:
        _move(it, j - 1, j)
        j -= 1
    it.serial[j], it.due[j], it.principal[j], it.role[j] = it.debts, due, cents, role
    it.charges[j], it.accrued_to[j], it.days[j], it.interest[j], it.touched[j] = 0, due, 0, 0, 0
    it.n_open += 1
    it.debts += 1
    return int(j)


@part
def _move(it: Any, source: int, target: int) -> None:
    it.serial[target], it.due[target], it.role[target] = it.serial[source], it.due[source], it.role[source]
    it.principal[target], it.charges[target] = it.principal[source], it.charges[source]
    it.accrued_to[target], it.days[target] = it.accrued_to[source], it.days[source]
    it.interest[target], it.touched[target] = it.interest[source], it.touched[source]


@part
def close_debt(it: Any, j: int) -> None:
    """Take a debt out of the open ones."""
    for k in range(j, it.n_open - 1):
        _move(it, k + 1, k)
    it.n_open -= 1


@part
def pay_in(it: Any, j: int, cents: int) -> None:
    """Money that does not close a debt, at the day to which it has accrued: charges first, then principal."""
    to_charges = min(cents, it.charges[j])
    it.charges[j] -= to_charges
    it.principal[j] -= cents - to_charges
    it.touched[j] = 1


@part
def write_down(it: Any, j: int, cents: int) -> None:
    """A correction in the debtor's favour: principal first, then charges."""
    to_principal = min(cents, it.principal[j])
    it.principal[j] -= to_principal
    it.charges[j] -= cents - to_principal
    it.touched[j] = 1


@part
def has_room(it: Any, needed: int) -> bool:
    """Whether so many more debts fit."""
    return bool(it.n_open + needed <= MAX_OPEN)


@part
def standing(it: Any, day: int) -> tuple[int, int, int]:
    """Cents overdue, the due day of the oldest open debt (0: none), and cents open in all; renegotiated debts apart."""
    overdue, oldest, total = 0, 0, 0
    for j in range(it.n_open):
        if it.role[j] != PARKED:
            total += owed(it, j)
            oldest = it.due[j] if oldest == 0 else oldest
            overdue += owed(it, j) if it.due[j] < day else 0
    return overdue, oldest, total
