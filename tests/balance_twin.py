"""A slow balance for tests, written from the contract's text with fractions and dictionaries, apart from ``domain``."""

from fractions import Fraction
from math import floor

FALLS_ON_PRINCIPAL = {"discount", "correction", "write_off"}
FALLS_ON_CHARGES = {"interest", "fine", "fee"}
CLOSING = {"cancelled", "renegotiated", "assigned", "settled"}
REOPENING = {"reinstated", "recalled"}


class SlowDebt:
    def __init__(self, row):
        self.row, self.due = row, row["due"]
        self.principal = max(row["amount"], 0)
        self.moved_charges = 0  # fees and waivers, less what was paid
        self.history = [(-(10**6), self.principal)]  # principal from each day on
        self.paid = {"principal": 0, "charges": 0, "unnamed": 0}
        self.closed = False

    def accrued(self, day):
        """Penalty on the principal when it became overdue, and interest on every day since, from the history alone."""
        if day <= self.due:
            return 0
        at_due = [principal for since, principal in self.history if since <= self.due][-1]
        penalty = round(Fraction(round(self.row["penalty"] * 100) * at_due, 10_000))
        summed = Fraction(0)
        for position, (since, principal) in enumerate(self.history):
            until = self.history[position + 1][0] if position + 1 < len(self.history) else day
            summed += principal * max(min(until, day) - max(since, self.due), 0)
        return penalty + round(summed * round(self.row["interest"] * 100) / 10_000 / 30)

    def charges(self, day):
        return self.accrued(day) + self.moved_charges

    def owed(self, day):
        return self.principal + self.charges(day)

    def change_principal(self, amount, day):
        self.principal += amount
        self.history.append((day, self.principal))

    def pay(self, amount, day):
        to_charges = min(amount, self.charges(day))
        to_principal = min(amount - to_charges, self.principal)
        self.moved_charges -= to_charges
        self.change_principal(-to_principal, day)
        self.paid["charges"] += to_charges
        self.paid["principal"] += to_principal
        return to_charges + to_principal

    def unpay(self, amount, day):
        to_principal = min(amount, self.paid["principal"])
        to_charges = min(amount - to_principal, self.paid["charges"])
        self.change_principal(to_principal, day)
        self.moved_charges += to_charges
        self.paid["principal"] -= to_principal
        self.paid["charges"] -= to_charges
        self.paid["unnamed"] = min(self.paid["unnamed"], self.paid["principal"] + self.paid["charges"])
        return to_principal + to_charges

    def fall(self, amount, day, *, principal_first):
        from_charges = 0 if principal_first else min(amount, self.charges(day))
        from_principal = min(amount - from_charges, self.principal)
        self.change_principal(-from_principal, day)
        if principal_first:
            from_charges = min(amount - from_principal, self.charges(day))
        self.moved_charges -= from_charges
        return amount - from_principal - from_charges


def recorded(row):
    return row["recorded"]


def visible(rows, as_of):
    """The latest version recorded before ``as_of`` of each id, where it happened before ``as_of``."""
    latest = {}
    for row in sorted(rows, key=recorded):
        if recorded(row) < as_of:
            latest[row["id"]] = row
    return [row for row in latest.values() if row["at"] < as_of]


def movements(ledger, as_of):
    """(time, issues first and settlements last, recorded, id, kind, debt or None, amount), in order."""
    found = []
    for row in visible(ledger["payments"], as_of):
        found.append((row["at"], 1, recorded(row), row["id"], "payment", row["debt"], row["amount"]))
    for row in visible(ledger["debt_events"], as_of):
        found.append((row["at"], 1, recorded(row), row["id"], row["kind"], row["debt"], row["amount"] or 0))
    discounted = {
        row["promise"]
        for row in ledger["debt_events"]
        if row["kind"] == "discount" and recorded(row) < as_of and row["at"] < as_of
    }
    for row in visible(ledger["promises"], as_of):
        kept = row["outcome"] == "kept" and row["resolved"] < as_of and row["discount"]
        if kept and row["id"] not in discounted:
            known = [debt["id"] for debt in visible(ledger["debts"], row["at"])]
            for debt in [row["debt"]] if row["debt"] else known:
                found.append((row["resolved"], 2, 0, row["id"], "settled", debt, 0))
    for row in visible(ledger["debts"], as_of):
        found.append((row["at"], 0, row["due"], row["id"], "issue", row["id"], row["amount"]))
    return sorted(found, key=lambda entry: entry[:4])


def slow_standing(ledger, as_of):
    """(balance, open cents by id, credit), and the sum that the contract's formula gives for debts never closed."""
    debts = {row["id"]: SlowDebt(row) for row in visible(ledger["debts"], as_of)}
    in_order = sorted(debts, key=lambda name: (debts[name].due, debts[name].row["at"], name))
    issued, credit = set(), 0
    for at, _, _, _, kind, name, amount in movements(ledger, as_of):
        day, debt = floor(at), debts.get(name)
        if kind == "issue":
            issued.add(name)
            credit += max(-amount, 0)
        elif kind == "payment" and amount >= 0:
            credit += amount - (debt.pay(amount, day) if debt else 0)
        elif kind == "payment":
            credit = slow_reversal(debts, in_order, issued, debt, -amount, day, credit)
        elif debt and kind in CLOSING | REOPENING:
            debt.closed = kind in CLOSING
        elif debt and kind in FALLS_ON_PRINCIPAL | FALLS_ON_CHARGES:
            if amount < 0:
                credit += debt.fall(-amount, day, principal_first=kind in FALLS_ON_PRINCIPAL)
            elif kind in FALLS_ON_PRINCIPAL:
                debt.change_principal(amount, day)
            else:
                debt.moved_charges += amount
        for other in (debts[key] for key in in_order if key in issued and not debts[key].closed):
            if credit > 0:
                taken = other.pay(credit, day)
                other.paid["unnamed"] += taken
                credit -= taken
    today = floor(as_of)
    owing = {name: debts[name].owed(today) for name in in_order if not debts[name].closed}
    owing = {name: cents for name, cents in owing.items() if cents > 0}
    return sum(owing.values()) - credit, owing, credit, debts


def slow_reversal(debts, in_order, issued, named, amount, day, credit):
    if named:
        amount -= named.unpay(amount, day)
    from_credit = min(amount, max(credit, 0))
    credit, amount = credit - from_credit, amount - from_credit
    for name in reversed(in_order):
        undone = min(amount, debts[name].paid["unnamed"])
        debts[name].paid["unnamed"] -= undone
        amount -= debts[name].unpay(undone, day)
    oldest = [debts[name] for name in in_order if name in issued and not debts[name].closed]
    target = named or (oldest[0] if oldest else None)
    if target is None:
        return credit - amount
    target.change_principal(amount, day)
    return credit
