"""Checks between tables: rows that point at something that is not there, or that belongs to another account."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from domain.coded import Coded
from features.findings import Finding, Portfolio, Trouble, finding_of
from features.reading import LoadedTable

TARGETS = {"debt_id": "debts", "promise_id": "promises", "contact_id": "contacts", "decision_id": "decisions"}
_TEXTS = {
    "debts": "found debts that are not in debts; the rows count for the account as a whole",
    "promises": "found promises that are not in promises; agreements cannot be followed through these rows",
    "contacts": "found contacts that are not in contacts; these responses are credited to no attempt",
    "decisions": "found decisions that are not in decisions; these rows teach nothing about what was decided",
}


ORPHAN_ACCOUNT = Trouble(
    "critical",
    "orphan_account",
    "found accounts that are not in accounts, needed every one; add them or leave the rows out",
)
DEBT_OF_ANOTHER = Trouble(
    "warning",
    "debt_of_another_account",
    "found debts of another account, needed the row's own; check how the tables were joined",
)
IDLE_ACCOUNT = Trouble(
    "note", "account_without_debt", "found accounts that never owed anything; no decision is taken on them"
)


def orphan(column: str) -> Trouble:
    """Rows that point at something that is not there, by the column that points."""
    return Trouble("warning", "orphan_" + column.removesuffix("_id"), _TEXTS[TARGETS[column]])


def _orphan_accounts(portfolio: Portfolio) -> Iterator[Finding]:
    accounts = portfolio.tables.get("accounts")
    for table in portfolio.tables.values():
        if table.spec.name == "accounts" or accounts is None:
            continue
        strangers = _not_among(_ids(table, "account_id"), _ids(accounts, "account_id"))
        yield from finding_of(table, strangers, ORPHAN_ACCOUNT, column="account_id")


def _orphans(portfolio: Portfolio) -> Iterator[Finding]:
    """References are checked only where the table they point at was given: an absent one is unknown."""
    for table in portfolio.tables.values():
        for column, target_name in TARGETS.items():
            target = portfolio.tables.get(target_name)
            if target is None or target_name == table.spec.name or column not in table.data:
                continue
            orphans = _not_among(_ids(table, column), _ids(target, target.spec.id_column))
            yield from finding_of(table, orphans, orphan(column), column=column)


def _debts_of_others(portfolio: Portfolio) -> Iterator[Finding]:
    debts = portfolio.tables.get("debts")
    for table in portfolio.tables.values():
        if debts is None or table.spec.name == "debts" or "debt_id" not in table.data:
            continue
        yield from finding_of(table, _owned_by_another(table, debts), DEBT_OF_ANOTHER, column="debt_id")


def _owned_by_another(table: LoadedTable, debts: LoadedTable) -> npt.NDArray[np.bool_]:
    debt_ids, owners = _ids(debts, "debt_id"), _ids(debts, "account_id")
    owner_of_debt = np.full(len(debt_ids.values) + 1, -1, dtype=np.int32)
    owner_of_debt[debt_ids.codes] = owners.codes
    owner_of_debt[-1] = -1
    debt = _ids(table, "debt_id").among(debt_ids)
    owner, own = owner_of_debt[debt], _ids(table, "account_id").among(owners, unknown=-2)
    foreign: npt.NDArray[np.bool_] = (owner >= 0) & (own != -1) & (owner != own)
    return foreign


def _idle_accounts(portfolio: Portfolio) -> Iterator[Finding]:
    accounts, debts = portfolio.tables.get("accounts"), portfolio.tables.get("debts")
    if accounts is not None and debts is not None and debts.rows:
        idle = _not_among(_ids(accounts, "account_id"), _ids(debts, "account_id"))
        yield from finding_of(accounts, idle, IDLE_ACCOUNT, column="account_id")


def _ids(table: LoadedTable, column: str) -> Coded:
    ids = table.data[column]
    assert isinstance(ids, Coded)
    return ids


def _not_among(ids: Coded, known: Coded) -> npt.NDArray[np.bool_]:
    """Rows whose id is given and is not in another column: (n,) mask."""
    return (ids.codes >= 0) & (ids.among(known) < 0)


CHECKS = (_orphan_accounts, _orphans, _debts_of_others, _idle_accounts)
