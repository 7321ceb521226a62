"""What a decision was computed from, as it is kept with it: the rows of its debtor, so that it can be computed again.

Rows are in the in-memory kinds, without what is missing. Which accounts of the debtor were decided on together is part
of it, since one of them alone is contacted. They stand in the record's payload: digested, and forgotten, with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from domain.tables import TABLES, Column, Tables
from serving.ledgers import Batch
from serving.store.rows import table_of, values_of

Inputs = dict[str, Any]
_ALWAYS_KNOWN = -(2**63)


def inputs_of(batch: Batch) -> Iterator[Inputs]:
    """What each decided account of a batch was decided on, in their order."""
    owner = _owners(batch.tables)
    rows: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(
        lambda: {table: [] for table in batch.tables.columns}
    )
    for table in batch.tables.columns:
        for row in values_of(batch.tables, table):
            known = {name: value for name, value in row.items() if value is not None}
            rows[owner[row["account_id"]]][table].append(known)
    decided: dict[str, list[str]] = defaultdict(list)
    for account_id in batch.account_ids:
        decided[owner[account_id]].append(account_id)
    for account_id in batch.account_ids:
        debtor = owner[account_id]
        yield {
            "decided": decided[debtor],
            "whole_debtors": batch.whole_debtors,
            "assumed": list(batch.assumed),
            "unchecked": sorted(name for name in batch.unchecked if owner.get(name) == debtor),
            "rows": rows[debtor],
        }


def batch_of(inputs: Mapping[str, Any], account_columns: tuple[Column, ...]) -> Batch:
    """The batch of one debtor from what was kept; ``account_columns`` are those with the declared attributes."""
    columns = {table: TABLES[table].columns for table in inputs["rows"]} | {"accounts": account_columns}
    decided = tuple(inputs["decided"])
    return Batch(
        tables=Tables({table: table_of(table, rows, columns[table]) for table, rows in inputs["rows"].items()}),
        positions=tuple(range(len(decided))),
        account_ids=decided,
        whole_debtors=inputs["whole_debtors"],
        assumed=tuple(inputs["assumed"]),
        given=(frozenset(inputs["rows"]),) * len(decided),
        unchecked=frozenset(inputs["unchecked"]),
    )


def _owners(tables: Tables) -> dict[str, str]:
    """The debtor of each account: the one of its first version, as everywhere."""
    first: dict[str, tuple[int, str]] = {}
    for row in values_of(tables, "accounts"):
        recorded = row.get("recorded_at")
        version = _ALWAYS_KNOWN if recorded is None else recorded, row.get("debtor_id") or row["account_id"]
        if row["account_id"] not in first or version[0] < first[row["account_id"]][0]:
            first[row["account_id"]] = version
    return {account_id: debtor for account_id, (_, debtor) in first.items()}
