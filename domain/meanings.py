"""What each column of the canonical tables means, in a phrase: for whoever maps tables of their own to them."""

from __future__ import annotations

TABLE_MEANINGS = {
    "accounts": "a debtor's relationship with one creditor; what decisions are taken on",
    "debts": "what is owed: invoices, bills, loans, instalments, one row each",
    "debt_events": "what changes a debt other than payments: charges, discounts, cancellations, listings",
    "payments": "money received, and taken back",
    "contacts": "outbound attempts, one row each",
    "responses": "what came back: delivered, read, answered, refused, opted out",
    "promises": "words to pay and agreements, and what became of them",
    "consents": "permission to use a channel, and its withdrawal",
    "holds": "stops on collecting: disputes, hardship, bankruptcy, death",
    "approvals": "a person's word that a gated action may be taken",
    "decisions": "actions that were chosen, with the probability of each; needed to learn what actions do",
}
"""A row of each table."""

_ANYWHERE = {
    "account_id": "the account that it belongs to",
    "recorded_at": "when your systems knew it; without it, occurred_at",
    "debt_id": "the debt that it is about, where it is about one",
    "decision_id": "the decision that it follows",
    "contact_point_id": "the number or address, as an id that tells nobody what it is",
    "channel": "a channel of configs/actions.yaml",
    "offer": "an offer of configs/actions.yaml",
    "product": "the kind of credit or bill, in your words",
    "promise_id": "the promise or agreement that it belongs to",
}
_OF_TABLE: dict[str, dict[str, str]] = {
    "accounts": {
        "account_id": "one for each debtor and creditor; several rows of one are versions of it",
        "debtor_id": "the person or firm, where one has several accounts; without it, account_id",
        "opened_at": "since when the account exists",
        "creditor": "whose money it is",
        "region": "ISO 3166-2, such as BR-SP; tells the time zone where there is none",
        "timezone": "IANA, such as America/Sao_Paulo; hours of contact are counted in it",
        "birth_year": "protected: rules and checks may read it, no model does",
        "recorded_at": "since when your systems know this version; without it, it counts as always known",
    },
    "debts": {
        "debt_id": "one for each debt",
        "amount": "what was owed at issue, above zero",
        "due_on": "the day on which it is due",
        "occurred_at": "when it was issued",
        "contract_id": "the contract of several debts; without it, debt_id",
        "promise_id": "the agreement of which it is an instalment",
        "penalty_pct": "penalty for paying late, in per cent, once",
        "monthly_interest_pct": "interest for paying late, in per cent a month",
    },
    "debt_events": {
        "event_id": "one for each event",
        "debt_id": "the debt that it changes",
        "kind": "what happened",
        "amount": "its effect on the balance: above zero adds to what is owed",
        "occurred_at": "when it happened",
    },
    "payments": {
        "payment_id": "one for each payment",
        "amount": "what was paid, above zero; a reversal is below",
        "occurred_at": "when it was paid",
        "debt_id": "the debt that it pays; without it, the oldest first",
        "method": "pix, boleto, card; anything else counts as other",
    },
    "contacts": {
        "contact_id": "one for each attempt",
        "occurred_at": "when it was made",
        "cost": "what the attempt cost",
        "duration_s": "how long it took, in seconds",
    },
    "responses": {
        "response_id": "one for each response",
        "kind": "what came back",
        "occurred_at": "when it came",
        "contact_id": "the attempt that it answers",
        "reason": "what was said about why nothing was paid",
    },
    "promises": {
        "promise_id": "one for each promise or agreement",
        "kind": "without it, promise",
        "amount": "what was promised in all",
        "discount_amount": "what is forgiven if it is kept",
        "down_payment": "what is due at once",
        "due_on": "the day of the promise, or of the first instalment",
        "instalments": "how many",
        "occurred_at": "when it was made",
        "resolved_at": "when it was known what became of it",
        "outcome": "what became of it; unseen before resolved_at",
    },
    "consents": {
        "consent_id": "without it, made of the row",
        "status": "granted, revoked, or invalid: the number or address is not theirs",
        "expires_at": "until when it holds",
        "occurred_at": "when it was given or taken back",
    },
    "holds": {
        "hold_id": "without it, made of the row",
        "kind": "why collecting stops",
        "scope": "of the account or of all of the debtor's; without it, account",
        "occurred_at": "since when",
        "released_at": "until when; unseen before",
    },
    "approvals": {
        "approval_id": "one for each approval",
        "action": "the action that is approved, such as protest/none/afternoon",
        "approved_by": "who approved it",
        "expires_at": "until when it may be taken",
        "occurred_at": "when it was approved",
    },
    "decisions": {
        "decision_id": "one for each decision",
        "decided_at": "when it was taken",
        "channel": "a channel of configs/actions.yaml, or wait",
        "offer": "an offer of configs/actions.yaml, or none",
        "moment": "a moment of configs/actions.yaml, or any",
        "action_prob": "the probability with which this action was chosen, above 0 and at most 1",
        "channel_prob": "the same for its channel, whatever offer and moment",
        "arm": "the part of an experiment that the debtor is in",
        "eligible": "the actions that could have been chosen, joined by |",
        "refusal_codes": "the codes by which any action was refused, joined by |",
        "policy": "what chose it",
        "policy_version": "which version of that",
        "recorded_at": "when your systems knew it; without it, decided_at",
    },
}


def meaning(table: str, column: str) -> str | None:
    """What a column of a table means; ``None`` for one that is no canonical column.

    >>> meaning("payments", "amount")
    'what was paid, above zero; a reversal is below'
    """
    return _OF_TABLE.get(table, {}).get(column, _ANYWHERE.get(column))
