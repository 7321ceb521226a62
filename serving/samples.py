"""Requests as the OpenAPI document shows them: small, and each of them answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WHEN = "2026-03-02T12:00:00Z"
_LEDGER = {
    "account_id": "a1",
    "account": {"region": "BR-SP", "opened_at": "2024-05-01T00:00:00Z"},
    "debts": [{"debt_id": "d1", "amount": 1500.00, "due_on": "2026-01-10"}],
    "payments": [{"amount": 320.00, "occurred_at": "2025-11-12T15:00:00Z"}],
    "contacts": [{"channel": "sms", "occurred_at": "2026-02-20T09:30:00-03:00"}],
    "consents": [{"channel": "whatsapp", "status": "granted", "occurred_at": "2025-11-03T12:00:00Z"}],
}
_PAYMENT = {"payment_id": "y1", "account_id": "a1", "amount": 320.00, "occurred_at": "2025-11-12T15:00:00Z"}
_DECISION_ID = "bf39e21cd891510e179a0f017069d300"

SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "ScoresRequest": {"as_of": _WHEN, "accounts": [_LEDGER]},
    "DecisionsRequest": {"as_of": _WHEN, "explain": "reasons", "locale": "pt-BR", "accounts": [_LEDGER]},
    "PermitsRequest": {"at": _WHEN, "locale": "en", "permits": [{"decision_id": _DECISION_ID}]},
    "PaymentRows": {"table": "payments", "rows": [_PAYMENT]},
    "OutcomeRequest": {"decision_id": _DECISION_ID, "status": "sent", "at": _WHEN, "contact_id": "c2"},
    "ReviewRequest": {"kind": "request", "by": "debtor", "reason": "not_mine", "text": "I do not know this debt."},
}
"""By the name of the request's model."""
