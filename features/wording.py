"""How features are said in Portuguese and English: phrases for windows, and values in their unit."""

from __future__ import annotations

import math

from features.definitions import Aggregate, Unit, Window

_SWAP = str.maketrans(",.", ".,")
CHANNEL_NAMES = {
    "sms": ("SMS", "SMS"),
    "email": ("e-mail", "e-mail"),
    "whatsapp": ("WhatsApp", "WhatsApp"),
    "voice_bot": ("robô de voz", "voice bot"),
    "chatbot": ("chatbot", "chatbot"),
    "portal": ("portal", "portal"),
    "agent_call": ("ligação de atendente", "agent call"),
    "letter": ("carta", "letter"),
    "protest": ("protesto", "protest"),
}
_SPANS = {
    "24h": ("nas últimas 24 horas", "over the last 24 hours"),
    "72h": ("nas últimas 72 horas", "over the last 72 hours"),
    "7d": ("nos últimos 7 dias", "over the last 7 days"),
    "30d": ("nos últimos 30 dias", "over the last 30 days"),
    "90d": ("nos últimos 90 dias", "over the last 90 days"),
    "180d": ("em 6 meses", "over 6 months"),
    "365d": ("em 12 meses", "over 12 months"),
    "": ("em todo o histórico", "over the whole history"),
    "since_response": ("desde a última resposta", "since the last response"),
    "since_payment": ("desde o último pagamento", "since the last payment"),
    "since_contact": ("desde o último contato", "since the last contact"),
    "since_late": ("desde o último atraso", "since the last late one"),
    "since_on_time": ("desde o último em dia", "since the last one on time"),
    "since_kept": ("desde a última promessa cumprida", "since the last promise kept"),
    "since_broken": ("desde a última promessa quebrada", "since the last promise broken"),
    "since_right_party": ("desde a última conversa com a pessoa certa", "since the last right-party contact"),
}
"""How a window is said; a window that is not here cannot be declared without a wording of its own."""
REASON_WORDS = {
    "unemployment": ("desemprego", "unemployment"),
    "income_drop": ("queda de renda", "a fall in income"),
    "forgot": ("esquecimento", "having forgotten"),
    "no_plan": ("sem previsão de pagar", "no plan to pay"),
    "offer_mismatch": ("proposta inadequada", "an offer that does not fit"),
    "not_recognised": ("dívida não reconhecida", "a debt not recognised"),
    "already_paid": ("já pagou", "already paid"),
    "fraud_suspected": ("suspeita de fraude", "suspected fraud"),
    "dispute": ("contestação", "a dispute"),
    "illness": ("doença", "illness"),
    "other": ("outro motivo", "another reason"),
}
_PHRASES: dict[Aggregate, tuple[str, str, str]] = {
    "count": ("Número de {pt} {span_pt}: {{value}}", "Number of {en} {span_en}: {{value}}", "Number of {en} {span_en}"),
    "sum": ("Total de {pt} {span_pt}: {{value}}", "Total {en} {span_en}: {{value}}", "Total {en} {span_en}"),
    "mean": ("Média de {pt} {span_pt}: {{value}}", "Mean {en} {span_en}: {{value}}", "Mean {en} {span_en}"),
    "max": ("Máximo de {pt} {span_pt}: {{value}}", "Largest {en} {span_en}: {{value}}", "Largest {en} {span_en}"),
    "min": ("Mínimo de {pt} {span_pt}: {{value}}", "Smallest {en} {span_en}: {{value}}", "Smallest {en} {span_en}"),
    "std": ("Variação de {pt} {span_pt}: {{value}}", "Variation of {en} {span_en}: {{value}}",
            "Standard deviation of {en} {span_en}"),
    "recency": ("Tempo desde o registro mais recente de {pt}: {{value}}", "Time since the latest of {en}: {{value}}",
                "Days since the latest of {en}"),
    "age": ("Tempo desde o primeiro registro de {pt}: {{value}}", "Time since the first of {en}: {{value}}",
            "Days since the first of {en}"),
    "last": ("Último registro de {pt}: {{value}}", "Latest {en}: {{value}}", "Latest {en}"),
    "first": ("Primeiro registro de {pt}: {{value}}", "First {en}: {{value}}", "First {en}"),
    "last_kind": ("Último registro de {pt}: {{value}}", "Latest of {en}: {{value}}", "Kind of the latest of {en}"),
    "distinct": ("Variedade de {pt} {span_pt}: {{value}}", "Different {en} {span_en}: {{value}}",
                 "Number of different {en} {span_en}"),
    "days": ("Dias com {pt} {span_pt}: {{value}}", "Days with {en} {span_en}: {{value}}",
             "Distinct local days with {en} {span_en}"),
    "gap_mean": ("Intervalo médio entre {pt}: {{value}}", "Mean time between {en}: {{value}}",
                 "Mean days between consecutive {en}"),
    "gap_std": ("Irregularidade do intervalo entre {pt}: {{value}}", "Irregularity of the time between {en}: {{value}}",
                "Standard deviation of the days between consecutive {en}"),
}  # fmt: skip
_IN_DAYS = {"recency", "age", "gap_mean", "gap_std"}
_COUNTED = {"count", "days", "distinct"}


def in_window(aggregate: Aggregate, window: Window, unit: Unit, *, pt: str, en: str) -> tuple[Unit, str, str, str]:
    """Unit, Portuguese and English reason texts, and description of an aggregate of something over a window."""
    span_pt, span_en = _SPANS[window.label]
    words = {"pt": pt, "en": en, "span_pt": span_pt, "span_en": span_en}
    said_pt, said_en, meaning = (phrase.format(**words) for phrase in _PHRASES[aggregate])
    if aggregate in _IN_DAYS:
        return "days", said_pt, said_en, meaning
    return ("count" if aggregate in _COUNTED else unit), said_pt, said_en, meaning


def say_value(value: float, unit: Unit, *, locale: str, currency: str = "R$") -> str:
    """A feature value as people read it; ``locale`` is ``pt-BR`` or ``en``.

    >>> say_value(123456.0, "cents", locale="pt-BR"), say_value(0.125, "share", locale="en")
    ('R$ 1.234,56', '12.5%')
    """
    portuguese = locale != "en"
    if math.isnan(value):
        return "sem informação" if portuguese else "not known"
    if unit == "flag":
        return ("sim" if value else "não") if portuguese else ("yes" if value else "no")
    text = as_written(_number(value, unit, currency), locale)
    if unit == "days":
        return f"{text} {'dias' if portuguese else 'days'}" if text != "1" else f"1 {'dia' if portuguese else 'day'}"
    return text


def as_written(number: str, locale: str) -> str:
    """A number with commas and a point, as a locale writes it.

    >>> as_written("1,234.50", "pt-BR"), as_written("1,234.50", "en")
    ('1.234,50', '1,234.50')
    """
    return number if locale == "en" else number.translate(_SWAP)


def _number(value: float, unit: Unit, currency: str) -> str:
    if unit == "cents":
        return f"{currency} {value / 100:,.2f}"
    if unit == "cost":
        return f"{currency} {value / 10_000:,.2f}"
    if unit == "share":
        return f"{100 * value:.1f}%"
    if unit == "number":
        return f"{value:.2f}"
    return f"{value:,.0f}"
