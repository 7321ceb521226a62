"""How often the debtor was contacted, on which channels and at what cost; who answered, how, and when."""

from __future__ import annotations

from collections.abc import Iterator

from features.definitions import ALL, Events, Feature, Rate, Surplus, days, hours, since
from features.events import PART_HOURS, PARTS
from features.families.declaring import derived, windowed
from features.vocabulary import CHANNELS, POSITIVE_RESPONSES
from features.wording import CHANNEL_NAMES

ATTEMPT = Events("contact", ("attempt",))
ANSWER = Events("response", POSITIVE_RESPONSES)
_RATE = (0.2, 5.0)
_HABIT_CHANNELS = {
    "call": (("agent_call", "voice_bot"), 0.2, ("por ligação", "by call")),
    "sms": (("sms",), 0.3, ("por SMS", "by SMS")),
    "email": (("email",), 0.2, ("por e-mail", "by e-mail")),
    "whatsapp": (("whatsapp",), 0.5, ("por WhatsApp", "by WhatsApp")),
}
"""Channels that have an hour worth choosing, those of a kind together, with a usual rate of receipt to start from."""
_HABIT_SPREAD = 0.5
"""Log-odds by which parts of the day are expected to differ for one account; twice as much or half changes little."""
_PART_WORDS = {
    "night": ("à noite", "at night"),
    "morning": ("de manhã", "in the morning"),
    "afternoon": ("à tarde", "in the afternoon"),
    "evening": ("no fim do dia", "in the evening"),
}
_KINDS = {
    "delivered": ("mensagens entregues", "messages delivered"),
    "read": ("mensagens lidas", "messages read"),
    "clicked": ("cliques", "clicks"),
    "replied": ("mensagens respondidas", "messages replied to"),
    "answered": ("ligações atendidas", "calls answered"),
    "no_answer": ("ligações sem resposta", "calls unanswered"),
    "right_party": ("contatos com a pessoa certa", "right-party contacts"),
    "wrong_party": ("contatos com a pessoa errada", "wrong-party contacts"),
    "refused": ("recusas", "refusals"),
    "bounced": ("mensagens devolvidas", "bounced messages"),
    "opted_out": ("pedidos de descadastro", "opt-outs"),
    "complained": ("reclamações", "complaints"),
}


def features() -> Iterator[Feature]:
    """Families contacts, reach and timing."""
    yield from _attempts()
    for channel in CHANNELS:
        yield from _channel(channel)
    yield from _answers()
    yield from _timing()


def ingredients() -> Iterator[Feature]:
    """Counts that only rates are made of."""
    yield from windowed("contacts", ATTEMPT, [("count", days(365))], family="contacts", pt="contatos", en="contacts",
                        ingredient=True)  # fmt: skip
    for part in PARTS:
        pt, en = _PART_WORDS[part]
        yield from windowed(f"contacts_{part}", Events("contact", ("attempt",), parts=(part,)), [("count", days(365))],
                            family="timing", pt=f"contatos {pt}", en=f"contacts {en}", ingredient=True)  # fmt: skip
    yield from windowed("contacts_weekend", Events("contact", ("attempt",), weekend=True), [("count", days(365))],
                        family="timing", pt="contatos no fim de semana", en="contacts at the weekend",
                        ingredient=True)  # fmt: skip
    for part in PART_HOURS:
        for name, (channels, _, by) in _HABIT_CHANNELS.items():
            pt, en = (f"{how} {when}" for how, when in zip(by, _PART_WORDS[part], strict=True))
            yield from windowed(f"contacts_{name}_{part}",
                                Events("contact", ("attempt",), facets=channels, parts=(part,)), [("count", ALL)],
                                family="timing", pt=f"contatos {pt}", en=f"contacts {en}", ingredient=True)  # fmt: skip
            yield from windowed(f"receipts_{name}_{part}",
                                Events("receipt", facets=channels, parts=(part,)), [("count", ALL)], family="timing",
                                pt=f"contatos recebidos {pt}", en=f"contacts received {en}",
                                ingredient=True)  # fmt: skip


def _attempts() -> Iterator[Feature]:
    yield from windowed("contacts", ATTEMPT, [("count", hours(24)), ("count", days(7)), ("count", days(30)),
                        ("count", days(90)), ("days", days(90)), ("recency", ALL), ("gap_mean", ALL)],
                        family="contacts", pt="contatos", en="contacts")  # fmt: skip
    yield from windowed("contact_channels", ATTEMPT, [("distinct", days(90))], family="contacts",
                        pt="canais de contato", en="contact channels")  # fmt: skip
    yield from windowed("contacts", ATTEMPT, [("count", since("response", ANSWER)), ("count", since("payment",
                        Events("payment", ("paid",))))], family="contacts", pt="contatos", en="contacts",
                        group="fatigue")  # fmt: skip
    yield from windowed("contacts_cost", ATTEMPT, [("sum", days(90)), ("sum", since("payment", Events("payment",
                        ("paid",))))], family="contacts", pt="custo dos contatos", en="cost of contacts",
                        unit="cost")  # fmt: skip


def _channel(channel: str) -> Iterator[Feature]:
    pt, en = CHANNEL_NAMES[channel]
    attempts = Events("contact", ("attempt",), facets=(channel,))
    answers = Events("response", POSITIVE_RESPONSES, facets=(channel,))
    yield from windowed(f"contacts_{channel}", attempts, [("count", days(30)), ("count", days(365)), ("recency", ALL)],
                        family="contacts", pt=f"contatos por {pt}", en=f"contacts by {en}")  # fmt: skip
    yield from windowed(f"responses_{channel}", answers, [("count", days(365))], family="reach",
                        pt=f"respostas por {pt}", en=f"responses by {en}", direction=1,
                        actionable=True)  # fmt: skip
    yield derived(f"response_rate_{channel}_365d",
                  Rate(f"responses_{channel}_count_365d", f"contacts_{channel}_count_365d", *_RATE), "number",
                  f"Responses per contact by {en} in 365 days",
                  pt=f"A taxa de resposta por {pt} em 12 meses é {{value}}",
                  en=f"The response rate by {en} over 12 months is {{value}}", group=f"responses_{channel}_how_much",
                  family="reach")  # fmt: skip


def _answers() -> Iterator[Feature]:
    yield from windowed("responses", ANSWER, [("count", days(30)), ("count", days(90)), ("recency", ALL)],
                        family="reach", pt="respostas", en="responses", direction=1, actionable=True)  # fmt: skip
    yield from windowed("response_channels", ANSWER, [("distinct", days(365))], family="reach",
                        pt="canais com resposta", en="channels with a response")  # fmt: skip
    for kind, (pt, en) in _KINDS.items():
        yield from windowed(f"responses_{kind}", Events("response", (kind,)), [("count", days(365))], family="reach",
                            pt=pt, en=en)  # fmt: skip
    yield from windowed("responses_right_party", Events("response", ("right_party",)), [("recency", ALL)],
                        family="reach", pt="contatos com a pessoa certa", en="right-party contacts",
                        direction=1)  # fmt: skip
    yield derived("read_rate_365d", Rate("responses_read_count_365d", "responses_delivered_count_365d", 0.4, 5.0),
                  "number", "Messages read per message delivered in 365 days",
                  pt="A taxa de leitura em 12 meses é {value}", en="The reading rate over 12 months is {value}",
                  group="responses_read_how_much", family="reach")  # fmt: skip
    yield derived("right_party_rate_365d",
                  Rate("responses_right_party_count_365d", "contacts_count_365d", 0.05, 20.0), "number",
                  "Right-party contacts per contact in 365 days",
                  pt="A taxa de contato com a pessoa certa em 12 meses é {value}",
                  en="The right-party rate over 12 months is {value}", group="responses_right_party_how_much",
                  family="reach", direction=1)  # fmt: skip


def _timing() -> Iterator[Feature]:
    for part in PARTS:
        pt, en = _PART_WORDS[part]
        yield from windowed(f"responses_{part}", Events("response", POSITIVE_RESPONSES, parts=(part,)),
                            [("count", days(365))], family="timing", pt=f"respostas {pt}",
                            en=f"responses {en}")  # fmt: skip
        yield derived(f"response_rate_{part}_365d",
                      Rate(f"responses_{part}_count_365d", f"contacts_{part}_count_365d", *_RATE), "number",
                      f"Responses {en} per contact {en} in 365 days",
                      pt=f"A taxa de resposta {pt} em 12 meses é {{value}}",
                      en=f"The response rate {en} over 12 months is {{value}}", group=f"responses_{part}_how_much",
                      family="timing")  # fmt: skip
    yield from _habit()
    yield from windowed("responses_weekend", Events("response", POSITIVE_RESPONSES, weekend=True),
                        [("count", days(365))], family="timing", pt="respostas no fim de semana",
                        en="responses at the weekend")  # fmt: skip
    yield derived("response_rate_weekend_365d",
                  Rate("responses_weekend_count_365d", "contacts_weekend_count_365d", *_RATE), "number",
                  "Responses at the weekend per contact at the weekend in 365 days",
                  pt="A taxa de resposta no fim de semana em 12 meses é {value}",
                  en="The response rate at the weekend over 12 months is {value}", group="responses_weekend_how_much",
                  family="timing")  # fmt: skip


def _habit() -> Iterator[Feature]:
    """Over the whole history: contacts by part of the day are few, and habits stay."""
    received, attempts = (
        tuple(tuple(f"{stem}_{name}_{part}_count" for name in _HABIT_CHANNELS) for part in PART_HOURS)
        for stem in ("receipts", "contacts")
    )
    usual = tuple(rate for _, rate, _ in _HABIT_CHANNELS.values())
    for place, part in enumerate(PART_HOURS):
        pt, en = _PART_WORDS[part]
        yield derived(f"reception_surplus_{part}", Surplus(place, received, attempts, usual, _HABIT_SPREAD), "number",
                      f"Log-odds by which contacts {en} are received more often than is usual for their channels, less "
                      "the mean of all parts of the day",
                      pt=f"Quanto os contatos {pt} são recebidos acima do usual: {{value}}",
                      en=f"How far contacts {en} are received above what is usual: {{value}}",
                      group=f"reception_{part}", family="timing")  # fmt: skip
