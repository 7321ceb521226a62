"""Is a decision that was kept still allowed, and still worth it? Asked just before the contact, with ledgers of now."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from decisioning.proposals import Proposal, proposal_from
from decisioning.records import json_bytes
from domain.clock import rfc3339
from serving import metrics
from serving.brain import Answer, Brain
from serving.handling import Reply, each, moment_of, read_accounts
from serving.known_accounts import known_batch
from serving.ledgers import Batch
from serving.schemas import Schemas
from serving.storing import content_of
from serving.tenants import DEFAULT_TENANT

if TYPE_CHECKING:
    from serving.store import Store


def permits(body: bytes, brain: Brain, schemas: Schemas, *, store: Store, tenant: str = DEFAULT_TENANT) -> Reply:
    """``POST /v1/permits``: nothing is chosen anew, and nothing is stored.

    The ledger of a decided account is the one that the request brings, else what the store knows of its debtor now.
    """
    asked = read_accounts(body, schemas.permits, schemas)
    at = moment_of(asked.at)
    kept = store.decisions([one.decision_id for one in asked.permits], tenant=tenant)
    proposals = [
        proposal_from(content_of(kept.get(one.decision_id), place=f"/permits/{place}")["answer"])
        for place, one in enumerate(asked.permits)
    ]
    rows = _rows_of(proposals)
    given = {ledger.account_id for ledger in asked.accounts}
    needed = [account_id for account_id in rows if account_id not in given]
    ledgers = [*asked.accounts, *(schemas.ledger(account_id=account_id) for account_id in needed)]

    def place_of(position: int) -> str:
        from_decisions = position - len(asked.accounts)
        return f"/accounts/{position}" if from_decisions < 0 else f"/permits/{rows[needed[from_decisions]][0]}"

    known = known_batch(ledgers, schemas.account_columns, store=store, tenant=tenant, place_of=place_of)
    found: dict[int, Answer] = {}

    def permitted(batch: Batch) -> list[None]:
        some = [row for account_id in batch.account_ids for row in rows.get(account_id, ())]
        if some:
            told = brain.permits(batch, [proposals[row] for row in some], at=at, locale=asked.locale)
            found.update(zip(some, told, strict=True))
        return [None] * len(batch.positions)

    each(ledgers, schemas, permitted, known=known)
    metrics.observe_permits(found.values())
    return Reply(json_bytes({"at": rfc3339(at), "permits": [found[row] for row in range(len(proposals))]}), [])


def _rows_of(proposals: list[Proposal]) -> dict[str, list[int]]:
    """Which of the decisions are about each account."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, one in enumerate(proposals):
        rows[one.account_id].append(row)
    return dict(rows)
