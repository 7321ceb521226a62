"""A made-up request with a row in every table: computed at start, so that nothing is compiled while a client waits."""

from __future__ import annotations

import json

from serving import handling
from serving.brain import Brain
from serving.schemas import Schemas

_WHEN = "2026-02-01T12:00:00Z"
_ROWS = {
    "debts": [{"debt_id": "d", "amount": 100.0, "due_on": "2026-01-10", "occurred_at": "2025-12-01T12:00:00Z",
               "penalty_pct": 2, "monthly_interest_pct": 1}],
    "debt_events": [{"debt_id": "d", "kind": "fee", "amount": 1.0, "occurred_at": _WHEN}],
    "payments": [{"amount": 10.0, "occurred_at": _WHEN, "debt_id": "d"}],
    "contacts": [{"contact_id": "c", "channel": "sms", "occurred_at": _WHEN}],
    "responses": [{"kind": "read", "contact_id": "c", "occurred_at": _WHEN}],
    "promises": [{"kind": "promise", "amount": 10.0, "due_on": "2026-02-03", "occurred_at": _WHEN,
                  "resolved_at": "2026-02-05T12:00:00Z", "outcome": "broken"}],
    "consents": [{"channel": "whatsapp", "status": "granted", "occurred_at": _WHEN}],
    "holds": [{"kind": "dispute", "occurred_at": _WHEN, "released_at": "2026-02-02T12:00:00Z"}],
}  # fmt: skip
_PLACE = {"region": "BR-SP"}
ACCOUNTS = ("acerto-warm-up", "acerto-warm-up-bare")
"""Made-up accounts: the feature log leaves them out."""


def warm_up(brain: Brain, schemas: Schemas) -> None:
    """Scores and decisions on a full ledger, on a bare one, and on several at once."""
    full = {"account_id": ACCOUNTS[0], "account": _PLACE, **_ROWS}
    bare = {"account_id": ACCOUNTS[1], "account": _PLACE, "debts": _ROWS["debts"], "payments": []}
    for accounts in ([full], [bare], [full, bare]):
        request = {"as_of": "2026-03-02T12:00:00Z", "accounts": accounts}
        handling.scores(json.dumps(request).encode(), brain, schemas)
        handling.decisions(json.dumps({**request, "explain": "full", "commit": False}).encode(), brain, schemas)
