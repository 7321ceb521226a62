"""Event codes: every (source, kind, facet) that an event can be, numbered once for encoder and kernel alike.

A facet tells events of one kind apart: the channel of a contact, the method of a payment, the form of a promise.
"""

from __future__ import annotations

from domain.tables import DEBT_EVENT_KINDS, HOLD_KINDS, PAYMENT_METHODS, PROMISE_KINDS, REASONS, RESPONSE_KINDS

CHANNELS = ("sms", "email", "whatsapp", "voice_bot", "chatbot", "portal", "agent_call", "letter", "protest")
"""Channels with features of their own; a channel added in actions.yaml counts as ``other`` until it is named here."""
OTHER = "other"
CHANNEL_CODES = (*CHANNELS, OTHER)
POSITIVE_RESPONSES = (
    "read", "clicked", "replied", "answered", "right_party", "inbound", "portal_visit", "offer_simulated",
    "offer_accepted",
)  # fmt: skip
"""Responses that show the debtor was reached and did something with it."""
RECEIPTS = ("read", "right_party")
"""Responses that say no more than that a message or a call was received, one for each contact at most."""
PROMISE_FORMS = (*PROMISE_KINDS, *(f"{kind}_discount" for kind in PROMISE_KINDS))
"""What was promised, and whether at a discount."""
KINDS: dict[str, tuple[str, ...]] = {
    "payment": ("paid", "reversed", "late", "on_time", "early", "partial", "instalment"),
    "debt": ("issued", "due", "instalment"),
    "debt_event": DEBT_EVENT_KINDS,
    "contact": ("attempt", "offered"),
    "response": (*RESPONSE_KINDS, OTHER),
    "reason": REASONS,
    "promise": ("made", "kept", "broken", "cancelled", "replaced"),
    "hold": ("opened", "released"),
    "receipt": ("received",),
}
FACETS: dict[str, tuple[str, ...]] = {
    "payment": PAYMENT_METHODS,
    "contact": CHANNEL_CODES,
    "response": CHANNEL_CODES,
    "promise": PROMISE_FORMS,
    "hold": HOLD_KINDS,
    "receipt": CHANNEL_CODES,
}
SOURCE_TABLE = {
    "payment": "payments",
    "debt": "debts",
    "debt_event": "debt_events",
    "contact": "contacts",
    "response": "responses",
    "reason": "responses",
    "promise": "promises",
    "hold": "holds",
    "receipt": "responses",
}
CODES: tuple[tuple[str, str, str], ...] = tuple(
    (source, kind, facet) for source, kinds in KINDS.items() for kind in kinds for facet in FACETS.get(source, ("",))
)
CODE_INDEX: dict[tuple[str, str, str], int] = {code: index for index, code in enumerate(CODES)}


def first_code(source: str, kind: str) -> int:
    """The code of a kind's first facet; the others follow it."""
    return CODE_INDEX[source, kind, FACETS.get(source, ("",))[0]]
