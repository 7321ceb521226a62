"""Event codes: every (source, kind, channel) that an event can be, numbered once for encoder and kernel alike."""

from __future__ import annotations

from domain.tables import DEBT_EVENT_KINDS, HOLD_KINDS, REASONS, RESPONSE_KINDS

CHANNELS = ("sms", "email", "whatsapp", "voice_bot", "chatbot", "portal", "agent_call", "letter", "protest")
"""Channels with features of their own; a channel added in actions.yaml counts as ``other`` until it is named here."""
OTHER = "other"
CHANNEL_CODES = (*CHANNELS, OTHER)
POSITIVE_RESPONSES = (
    "read", "clicked", "replied", "answered", "right_party", "inbound", "portal_visit", "offer_simulated",
    "offer_accepted",
)  # fmt: skip
"""Responses that show the debtor was reached and did something with it."""
PAYMENT_KINDS = ("paid", "reversed", "late", "on_time", "partial")
DEBT_KINDS = ("issued", "due")
PROMISE_KINDS = ("made", "kept", "broken", "cancelled", "replaced")
KINDS: dict[str, tuple[str, ...]] = {
    "payment": PAYMENT_KINDS,
    "debt": DEBT_KINDS,
    "debt_event": DEBT_EVENT_KINDS,
    "contact": ("attempt",),
    "response": (*RESPONSE_KINDS, OTHER),
    "reason": REASONS,
    "promise": PROMISE_KINDS,
    "hold": ("opened", "released"),
}
_BY_CHANNEL = {"contact", "response"}
SOURCE_TABLE = {
    "payment": "payments",
    "debt": "debts",
    "debt_event": "debt_events",
    "contact": "contacts",
    "response": "responses",
    "reason": "responses",
    "promise": "promises",
    "hold": "holds",
}
CODES: tuple[tuple[str, str, str], ...] = tuple(
    (source, kind, channel)
    for source, kinds in KINDS.items()
    for kind in kinds
    for channel in (CHANNEL_CODES if source in _BY_CHANNEL else ("",))
)
CODE_INDEX: dict[tuple[str, str, str], int] = {code: index for index, code in enumerate(CODES)}
HOLD_BITS = {kind: bit for bit, kind in enumerate(HOLD_KINDS)}
