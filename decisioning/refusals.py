"""Codes of refusals that come from consent, offers, time and permits, with their wording; packs bring their own."""

from __future__ import annotations

PERSON_UNCHECKED = "DEBTOR_CONTACTS_UNKNOWN"
BUDGET_RULE = "budget."
"""How the rules of capacities, budgets and minimums begin; their layer on record is ``limit``."""
TEXTS: dict[str, tuple[str, str]] = {
    "NOTHING_OWED": ("Não há valor em aberto na conta.", "Nothing is owed on the account."),
    "NO_CONSENT": ("Não há consentimento para este canal.", "There is no consent for this channel."),
    "CONSENT_REVOKED": ("O consentimento para este canal foi revogado.", "Consent for this channel was revoked."),
    "CONTACT_INVALID": ("O dado de contato deste canal é inválido.", "The contact data of this channel are invalid."),
    "GATED_NEEDS_APPROVAL": ("Esta ação exige aprovação registrada.", "This action needs an approval on record."),
    "OFFER_MIN_DAYS_PAST_DUE": (
        "A oferta vale somente a partir de mais dias de atraso.",
        "The offer opens at more days past due.",
    ),
    "OFFER_MAX_DAYS_PAST_DUE": (
        "A oferta vale somente até menos dias de atraso.",
        "The offer closes at fewer days past due.",
    ),
    "OFFER_FLOOR": ("O valor da oferta fica abaixo do mínimo.", "The amount of the offer is below its floor."),
    "OFFER_MAX_PCT": (
        "O desconto passa da parte permitida do saldo.",
        "The discount exceeds the allowed share of the balance.",
    ),
    "MOMENT_OVER": ("Este horário já passou hoje para o devedor.", "This time of day is over for the debtor today."),
    "MOMENT_NOT_YET": ("Este horário ainda não começou para o devedor.", "This time of day has not begun yet."),
    "NO_TIME_LEFT": (
        "As regras juntas não deixam horário para esta ação hoje.",
        "The rules together leave no time for this action today.",
    ),
    "TIME_ZONE_UNKNOWN": (
        "O fuso horário do devedor é desconhecido.",
        "The debtor's time zone is not known.",
    ),
    PERSON_UNCHECKED: (
        "Não se sabe dos contatos nas outras contas do devedor.",
        "What contacts there were on the debtor's other accounts is not known.",
    ),
}
PERMIT_TEXTS: dict[str, tuple[str, str]] = {
    "DECISION_WAITS": (
        "A decisão é aguardar: não há contato a autorizar.",
        "The decision is to wait: there is no contact to permit.",
    ),
    "UNKNOWN_ACTION": ("A ação não existe mais na configuração.", "The action is no longer configured."),
    "PAID_SINCE": (
        "Depois da decisão soube-se de um pagamento das dívidas dela.",
        "After the decision a payment of its debts became known.",
    ),
    "OFFER_CHANGED": (
        "O que se proporia agora não é mais o que a decisão propõe.",
        "What would be proposed now is no longer what the decision proposes.",
    ),
    "NOT_WORTH_IT": (
        "Com o que se soube desde a decisão, o contato não vale mais do que aguardar.",
        "By what became known since the decision, a contact is worth no more than waiting.",
    ),
    "NOT_YET": ("A decisão ainda não pode ser executada.", "The decision may not be carried out yet."),
    "EXPIRED": ("A decisão venceu; é preciso decidir de novo.", "The decision has expired; decide again."),
    "POLICY_CHANGED": (
        "Ações, parâmetros ou regras mudaram desde a decisão; valem os de agora.",
        "Actions, parameters or rules changed since the decision; those of now hold.",
    ),
}
"""What became of a decision between when it was taken and when it is carried out (``permits``)."""


def refusal_text(code: str, locale: str) -> str:
    """What a code says in ``pt-BR`` or ``en``.

    >>> refusal_text("NO_CONSENT", "en")
    'There is no consent for this channel.'
    """
    portuguese, english = TEXTS[code] if code in TEXTS else PERMIT_TEXTS[code]
    return english if locale == "en" else portuguese
