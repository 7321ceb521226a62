"""What the debtor promised and kept, what was offered and done on the portal, what was said, and what holds."""

from __future__ import annotations

from collections.abc import Iterator

from features.definitions import ALL, Aggregate, Events, Feature, Rate, Ratio, Window, days, since
from features.families.declaring import derived, standing, windowed
from features.vocabulary import KINDS
from features.wording import REASON_WORDS

MADE, KEPT, BROKEN = (Events("promise", (kind,)) for kind in ("made", "kept", "broken"))


def features() -> Iterator[Feature]:
    """Families promises, agreements, offers, portal, reasons and holds."""
    yield from _promises()
    yield from _agreements()
    yield from _offers()
    yield from _reasons()
    yield from _holds()


def ingredients() -> Iterator[Feature]:
    """Amounts and counts that only ratios are made of."""
    yield from standing("promises", (
        ("promised_cents", "cents", "Amount of the promises that are running",
         "As promessas em curso somam {value}", "Running promises amount to {value}", "promise_now", 0),
    ), tables=("promises",), ingredient=True)  # fmt: skip
    yield from windowed("instalments_due", Events("debt", ("instalment",)), [("count", ALL)], family="agreements",
                        pt="parcelas de acordo vencidas", en="agreement instalments fallen due",
                        ingredient=True)  # fmt: skip


def _promises() -> Iterator[Feature]:
    yield from standing("promises", (
        ("active_promise", "flag", "Whether a promise to pay is running",
         "Há promessa de pagamento em curso: {value}", "A promise to pay is running: {value}", "promise_now", 0),
        ("promise_days_left", "days", "Days until the running promise that ends first ends",
         "A promessa em curso vence em {value}", "The running promise ends in {value}", "promise_now", 0),
    ), tables=("promises",))  # fmt: skip
    yield derived("promised_share", Ratio("promised_cents", "balance_cents"), "share",
                  "Running promises over the balance", pt="As promessas em curso cobrem {value} do saldo",
                  en="Running promises cover {value} of the balance", group="promise_now",
                  family="promises")  # fmt: skip
    yield from windowed("promises_made", MADE, [("count", ALL), ("recency", ALL)],
                        family="promises", pt="promessas feitas", en="promises made", actionable=True)  # fmt: skip
    yield from windowed("promises_kept", KEPT, [("count", days(365)), ("count", ALL)], family="promises",
                        pt="promessas cumpridas", en="promises kept", direction=1, actionable=True)  # fmt: skip
    yield from windowed("promises_broken", BROKEN, [("count", ALL), ("recency", ALL),
                        ("count", since("kept", KEPT))], family="promises", pt="promessas quebradas",
                        en="promises broken", direction=-1)  # fmt: skip
    yield derived("kept_share", Rate("promises_kept_count", "promises_made_count", 0.5, 2.0), "number",
                  "Promises kept per promise made", pt="A razão entre promessas cumpridas e feitas é {value}",
                  en="Promises kept per promise made is {value}", group="promises_kept_how_much", family="promises",
                  direction=1)  # fmt: skip


def _agreements() -> Iterator[Feature]:
    agreements = ("agreement", "agreement_discount")
    yield from standing("agreements", (
        ("active_agreement", "flag", "Whether an agreement is running",
         "Há acordo em curso: {value}", "An agreement is running: {value}", "agreement_now", 0),
        ("active_slip", "flag", "Whether a payment slip is open",
         "Há boleto em aberto: {value}", "A payment slip is open: {value}", "agreement_now", 0),
    ), tables=("promises",))  # fmt: skip
    for kind, pt, en in (("made", "acordos feitos", "agreements made"), ("broken", "acordos quebrados",
                         "agreements broken")):  # fmt: skip
        yield from windowed(f"agreements_{kind}", Events("promise", (kind,), facets=agreements),
                            [("count", ALL)], family="agreements", pt=pt, en=en)  # fmt: skip
    yield from windowed("instalments_paid", Events("payment", ("instalment",)), [("count", ALL)],
                        family="agreements", pt="parcelas de acordo pagas", en="agreement instalments paid",
                        direction=1)  # fmt: skip
    yield derived("instalments_paid_share", Ratio("instalments_paid_count", "instalments_due_count"), "number",
                  "Agreement instalments paid per instalment fallen due",
                  pt="A razão entre parcelas pagas e vencidas é {value}",
                  en="Instalments paid per instalment due is {value}", group="instalments", family="agreements",
                  direction=1)  # fmt: skip


def _offers() -> Iterator[Feature]:
    yield from windowed("contacts_with_offer", Events("contact", ("offered",)), [("count", days(90))],
                        family="offers", pt="contatos com proposta", en="contacts with an offer")  # fmt: skip
    yield from windowed("promises_discount", Events("promise", ("made",), facets=("promise_discount", "slip_discount",
                        "agreement_discount")), [("count", ALL)], family="offers", pt="promessas com desconto",
                        en="promises at a discount")  # fmt: skip
    offers = {"offer_simulated": ("simulações", "simulations"),
              "offer_abandoned": ("ofertas abandonadas", "abandoned offers"),
              "offer_accepted": ("ofertas aceitas", "accepted offers")}  # fmt: skip
    for kind, (pt, en) in offers.items():
        shapes: list[tuple[Aggregate, Window]] = [("count", days(90)), ("recency", ALL)]
        shapes = shapes[:1] if kind == "offer_abandoned" else shapes
        yield from windowed(kind, Events("response", (kind,)), shapes, family="offers", pt=pt, en=en)
    yield from windowed("portal_visits", Events("response", ("portal_visit",)), [("count", days(90)),
                        ("days", days(365)), ("recency", ALL)], family="portal", pt="visitas ao portal",
                        en="portal visits", actionable=True)  # fmt: skip
    yield from windowed("inbound", Events("response", ("inbound",)), [("count", days(365)), ("recency", ALL)],
                        family="portal", pt="contatos recebidos", en="inbound contacts", actionable=True)  # fmt: skip


def _reasons() -> Iterator[Feature]:
    hardship = ("unemployment", "income_drop", "illness")
    reasons = tuple(REASON_WORDS[kind] for kind in KINDS["reason"])
    last = "Kind of the latest reason given for not paying"
    yield from (
        Feature(one.name, one.rule, "code", last, "Último motivo informado para não pagar: {value}",
                "Latest reason given for not paying: {value}", "reasons", "reasons", words=reasons)
        for one in windowed("reasons", Events("reason"), [("last_kind", ALL)], family="reasons", pt="motivos",
                            en="reasons")
    )  # fmt: skip
    yield from windowed("reasons", Events("reason"), [("count", days(365))], family="reasons",
                        pt="motivos informados", en="reasons given")  # fmt: skip
    yield from windowed("reasons_hardship", Events("reason", hardship), [("count", days(365)), ("recency", ALL)],
                        family="reasons", pt="relatos de dificuldade financeira", en="reports of hardship")  # fmt: skip
    yield from windowed("reasons_forgot", Events("reason", ("forgot",)), [("count", days(365))], family="reasons",
                        pt="relatos de esquecimento", en="reports of having forgotten")  # fmt: skip
    yield from windowed("reasons_contested", Events("reason", ("not_recognised", "already_paid", "fraud_suspected",
                        "dispute")), [("count", days(365))], family="reasons", pt="relatos de dívida contestada",
                        en="reports of a contested debt")  # fmt: skip


def _holds() -> Iterator[Feature]:
    yield from standing("holds", (
        ("holds_active", "count", "Holds that are in force, of any kind",
         "Há {value} suspensões em vigor", "{value} holds are in force", "holds", 0),
        ("dispute_active", "flag", "Whether a dispute is open",
         "Há contestação em aberto: {value}", "A dispute is open: {value}", "holds", 0),
        ("hardship_active", "flag", "Whether a hold for hardship, over-indebtedness or bankruptcy is in force",
         "Há suspensão por dificuldade financeira: {value}", "A hold for hardship is in force: {value}", "holds", 0),
    ), tables=("holds",))  # fmt: skip
    yield from windowed("disputes", Events("response", ("disputed",)), [("count", days(365))], family="holds",
                        pt="contestações", en="disputes", group="disputes")  # fmt: skip
    yield from windowed("holds_opened", Events("hold", ("opened",)), [("count", ALL)],
                        family="holds", pt="suspensões abertas", en="holds opened")  # fmt: skip
