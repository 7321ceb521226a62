"""How features are said in Portuguese and English: phrases for windows, and values in their unit."""

from __future__ import annotations

import math

from features.definitions import ALL, Aggregate, Unit

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
_SPAN_PT = {7: "nos últimos 7 dias", 30: "nos últimos 30 dias", 90: "nos últimos 90 dias", 180: "em 6 meses",
            365: "em 12 meses", ALL: "em todo o histórico"}  # fmt: skip
_SPAN_EN = {7: "over the last 7 days", 30: "over the last 30 days", 90: "over the last 90 days", 180: "over 6 months",
            365: "over 12 months", ALL: "over the whole history"}  # fmt: skip
_PHRASES: dict[Aggregate, tuple[str, str, str]] = {
    "count": ("Número de {pt} {span_pt}: {{value}}", "Number of {en} {span_en}: {{value}}", "Number of {en} {span_en}"),
    "sum": ("Total de {pt} {span_pt}: {{value}}", "Total {en} {span_en}: {{value}}", "Total {en} {span_en}"),
    "mean": ("Média de {pt} {span_pt}: {{value}}", "Mean {en} {span_en}: {{value}}", "Mean {en} {span_en}"),
    "max": ("Máximo de {pt} {span_pt}: {{value}}", "Largest {en} {span_en}: {{value}}", "Largest {en} {span_en}"),
    "recency": ("Tempo desde o registro mais recente de {pt}: {{value}}", "Time since the latest of {en}: {{value}}",
                "Days since the latest of {en}"),
    "age": ("Tempo desde o primeiro registro de {pt}: {{value}}", "Time since the first of {en}: {{value}}",
            "Days since the first of {en}"),
    "last": ("Último registro de {pt}: {{value}}", "Latest {en}: {{value}}", "Latest {en}"),
    "days": ("Dias com {pt} {span_pt}: {{value}}", "Days with {en} {span_en}: {{value}}",
             "Distinct local days with {en} {span_en}"),
    "gap_mean": ("Intervalo médio entre {pt}: {{value}}", "Mean time between {en}: {{value}}",
                 "Mean days between consecutive {en}"),
    "gap_std": ("Irregularidade do intervalo entre {pt}: {{value}}", "Irregularity of the time between {en}: {{value}}",
                "Standard deviation of the days between consecutive {en}"),
}  # fmt: skip
_IN_DAYS = {"recency", "age", "gap_mean", "gap_std"}


def in_window(aggregate: Aggregate, days: int, unit: str, *, pt: str, en: str) -> tuple[Unit, str, str, str]:
    """Unit, Portuguese and English reason texts, and description of an aggregate of something over a window."""
    words = {"pt": pt, "en": en, "span_pt": _SPAN_PT[days], "span_en": _SPAN_EN[days]}
    said_pt, said_en, meaning = (phrase.format(**words) for phrase in _PHRASES[aggregate])
    own_unit: str = "days" if aggregate in _IN_DAYS else "count" if aggregate in {"count", "days"} else unit
    return own_unit, said_pt, said_en, meaning  # type: ignore[return-value]


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
    text = _number(value, unit, currency)
    if portuguese:
        text = text.translate(str.maketrans(",.", ".,"))
    if unit == "days":
        return f"{text} {'dias' if portuguese else 'days'}" if text != "1" else f"1 {'dia' if portuguese else 'day'}"
    return text


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
