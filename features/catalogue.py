"""Every feature of the system, in model order. Adding one is one entry here, and a retraining."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from features.definitions import ALL, Aggregate, Attribute, Calendar, Events, Feature, Ratio, Standing, Windowed
from features.vocabulary import CHANNELS, POSITIVE_RESPONSES
from features.wording import CHANNEL_NAMES, in_window, say_value

_RATE_PRIOR, _RATE_STRENGTH = 0.2, 5.0


def _standing() -> Iterable[Feature]:
    rows: Sequence[tuple[str, str, str, str, str, str, int]] = (
        ("days_past_due", "days", "Days past due of the oldest open debt; negative before it is due",
         "A dívida mais antiga em aberto tem {value} de atraso", "The oldest open debt is {value} past due",
         "ageing", -1),
        ("balance_cents", "cents", "Owed at as_of, accrued charges included",
         "O saldo em aberto é de {value}", "The open balance is {value}", "balance", 0),
        ("overdue_cents", "cents", "Open amount of debts past due",
         "O valor vencido é de {value}", "The overdue amount is {value}", "balance", 0),
        ("principal_cents", "cents", "Open principal, without charges",
         "O principal em aberto é de {value}", "The open principal is {value}", "balance", 0),
        ("charges_cents", "cents", "Open interest, penalty and fees",
         "Há {value} de juros, multa e encargos", "Interest, penalty and fees are {value}", "charges", 0),
        ("credit_cents", "cents", "Paid more than owed",
         "Há {value} pagos a mais", "{value} was paid in excess", "credit", 0),
        ("open_debts", "count", "Debts that are open",
         "Há {value} dívidas em aberto", "{value} debts are open", "open", 0),
        ("overdue_debts", "count", "Debts that are open and past due",
         "Há {value} dívidas vencidas", "{value} debts are overdue", "open", 0),
        ("active_promise", "flag", "Whether a promise to pay is running",
         "Há promessa de pagamento em curso: {value}", "A promise to pay is running: {value}", "promise_now", 0),
        ("holds_active", "count", "Holds that are in force, of any kind",
         "Há {value} suspensões em vigor", "{value} holds are in force", "holds", 0),
        ("dispute_active", "flag", "Whether a dispute is open",
         "Há contestação em aberto: {value}", "A dispute is open: {value}", "holds", 0),
    )  # fmt: skip
    for name, unit, description, reason_pt, reason_en, group, direction in rows:
        yield Feature(name, Standing(name), unit, description, reason_pt, reason_en, group, direction)  # type: ignore[arg-type]


def _windowed(
    stem: str, events: Events, shapes: Iterable[tuple[Aggregate, int]], *, pt: str, en: str, unit: str = "count",
    direction: int = 0, group: str | None = None,
) -> Iterable[Feature]:  # fmt: skip
    """One feature per (aggregate, window); ``pt`` and ``en`` are the plural noun phrase of what is counted."""
    for aggregate, days in shapes:
        own_unit, said_pt, said_en, meaning = in_window(aggregate, days, unit, pt=pt, en=en)
        sign = -direction if aggregate == "recency" else direction
        yield Feature(
            name=f"{stem}_{aggregate}" + (f"_{days}d" if days else ""),
            rule=Windowed(events, aggregate, days),
            unit=own_unit,
            description=meaning,
            reason_pt=said_pt,
            reason_en=said_en,
            group=group or f"{stem}_{'when' if aggregate in {'recency', 'age'} else 'how_much'}",
            direction=sign if aggregate in {"count", "sum", "recency"} else 0,
        )


def _payments() -> Iterable[Feature]:
    paid = Events("payment", ("paid",))
    yield from _windowed(
        "payments", paid,
        [("count", 30), ("count", 90), ("count", 180), ("count", 365), ("count", ALL), ("recency", ALL), ("age", ALL),
         ("gap_mean", ALL), ("gap_std", ALL)], pt="pagamentos", en="payments", direction=1,
    )  # fmt: skip
    yield from _windowed(
        "payments_cents", paid, [("sum", 30), ("sum", 90), ("sum", 365), ("mean", 365), ("max", 365), ("last", ALL)],
        pt="valor pago", en="amount paid", unit="cents",
    )  # fmt: skip
    late = Events("payment", ("late",))
    yield from _windowed("payments_late", late, [("count", 365), ("recency", ALL)], pt="pagamentos em atraso",
                         en="late payments")  # fmt: skip
    yield from _windowed("days_late", late, [("mean", 365), ("max", 365), ("last", ALL)], pt="atraso dos pagamentos",
                         en="delay of payments", unit="days", group="days_late")  # fmt: skip
    yield from _windowed("payments_on_time", Events("payment", ("on_time",)), [("count", 90), ("count", 365)],
                         pt="pagamentos em dia", en="payments on time")  # fmt: skip
    yield from _windowed("payments_partial", Events("payment", ("partial",)), [("count", 365), ("recency", ALL)],
                         pt="pagamentos parciais", en="partial payments")  # fmt: skip
    yield from _windowed("reversals", Events("payment", ("reversed",)), [("count", 365), ("recency", ALL)],
                         pt="estornos", en="reversals")  # fmt: skip


def _debts() -> Iterable[Feature]:
    issued, due = Events("debt", ("issued",)), Events("debt", ("due",))
    yield from _windowed("debts_issued", issued, [("count", 90), ("count", 365), ("recency", ALL), ("age", ALL)],
                         pt="dívidas emitidas", en="debts issued")  # fmt: skip
    yield from _windowed("debts_issued_cents", issued, [("sum", 365), ("mean", 365)], pt="valor emitido",
                         en="amount issued", unit="cents")  # fmt: skip
    yield from _windowed("debts_due", due, [("count", 90), ("count", 365), ("recency", ALL)], pt="vencimentos",
                         en="due dates")  # fmt: skip
    yield from _windowed("debts_due_cents", due, [("sum", 90), ("sum", 365)], pt="valor vencido no período",
                         en="amount fallen due", unit="cents")  # fmt: skip
    yield from _windowed("bureau_listings", Events("debt_event", ("bureau_listed",)), [("count", 365)],
                         pt="negativações", en="bureau listings")  # fmt: skip
    yield from _windowed("renegotiations", Events("debt_event", ("renegotiated",)), [("count", 365), ("recency", ALL)],
                         pt="renegociações", en="renegotiations")  # fmt: skip


def _contacts() -> Iterable[Feature]:
    yield from _windowed("contacts", Events("contact"), [("count", 7), ("count", 30), ("count", 90), ("days", 90),
                         ("recency", ALL)], pt="contatos", en="contacts")  # fmt: skip
    yield from _windowed("contacts_cost", Events("contact"), [("sum", 90)], pt="custo dos contatos",
                         en="cost of contacts", unit="cost")  # fmt: skip
    for channel in CHANNELS[:-1]:
        pt, en = CHANNEL_NAMES[channel]
        attempts = Events("contact", channels=(channel,))
        answers = Events("response", POSITIVE_RESPONSES, channels=(channel,))
        yield from _windowed(f"contacts_{channel}", attempts, [("count", 30), ("count", 365), ("recency", ALL)],
                             pt=f"contatos por {pt}", en=f"contacts by {en}")  # fmt: skip
        yield from _windowed(f"responses_{channel}", answers, [("count", 365)],
                             pt=f"respostas por {pt}", en=f"responses by {en}", direction=1)  # fmt: skip
        yield Feature(
            name=f"response_rate_{channel}_365d",
            rule=Ratio(
                f"responses_{channel}_count_365d", f"contacts_{channel}_count_365d", _RATE_PRIOR, _RATE_STRENGTH
            ),
            unit="number",
            description=f"Responses per contact by {en} in 365 days, drawn to {_RATE_PRIOR} as if {_RATE_STRENGTH:g} "
            "more contacts had been made",
            reason_pt=f"A taxa de resposta por {pt} em 12 meses é {{value}}",
            reason_en=f"The response rate by {en} over 12 months is {{value}}",
            group=f"responses_{channel}_how_much",
        )


def _responses() -> Iterable[Feature]:
    positive = Events("response", POSITIVE_RESPONSES)
    yield from _windowed("responses", positive, [("count", 30), ("count", 90), ("recency", ALL)], pt="respostas",
                         en="responses", direction=1)  # fmt: skip
    kinds = {
        "read": ("mensagens lidas", "messages read"),
        "clicked": ("cliques", "clicks"),
        "answered": ("ligações atendidas", "calls answered"),
        "no_answer": ("ligações sem resposta", "calls unanswered"),
        "right_party": ("contatos com a pessoa certa", "right-party contacts"),
        "wrong_party": ("contatos com a pessoa errada", "wrong-party contacts"),
        "refused": ("recusas", "refusals"),
        "bounced": ("mensagens devolvidas", "bounced messages"),
        "opted_out": ("pedidos de descadastro", "opt-outs"),
        "complained": ("reclamações", "complaints"),
        "disputed": ("contestações", "disputes"),
    }
    for kind, (pt, en) in kinds.items():
        yield from _windowed(f"responses_{kind}", Events("response", (kind,)), [("count", 365)], pt=pt, en=en)
    for part, (pt, en) in {"morning": ("de manhã", "in the morning"), "afternoon": ("à tarde", "in the afternoon"),
                           "evening": ("no fim do dia", "in the evening")}.items():  # fmt: skip
        yield from _windowed(f"responses_{part}", Events("response", POSITIVE_RESPONSES, parts=(part,)),
                             [("count", 365)], pt=f"respostas {pt}", en=f"responses {en}")  # fmt: skip
    yield from _windowed("responses_weekend", Events("response", POSITIVE_RESPONSES, weekend=True), [("count", 365)],
                         pt="respostas no fim de semana", en="responses at the weekend")  # fmt: skip
    portal = {"portal_visit": ("visitas ao portal", "portal visits"), "offer_simulated": ("simulações", "simulations"),
              "offer_abandoned": ("ofertas abandonadas", "abandoned offers"),
              "offer_accepted": ("ofertas aceitas", "accepted offers")}  # fmt: skip
    for kind, (pt, en) in portal.items():
        yield from _windowed(f"{kind}s" if kind == "portal_visit" else kind, Events("response", (kind,)),
                             [("count", 90), ("recency", ALL)], pt=pt, en=en)  # fmt: skip
    hardship = ("unemployment", "income_drop", "illness")
    yield from _windowed("reasons_hardship", Events("reason", hardship), [("count", 365), ("recency", ALL)],
                         pt="relatos de dificuldade financeira", en="reports of hardship")  # fmt: skip
    yield from _windowed("reasons_forgot", Events("reason", ("forgot",)), [("count", 365)],
                         pt="relatos de esquecimento", en="reports of having forgotten")  # fmt: skip


def _promises() -> Iterable[Feature]:
    yield from _windowed("promises_made", Events("promise", ("made",)),
                         [("count", 365), ("count", ALL), ("recency", ALL)],
                         pt="promessas feitas", en="promises made")  # fmt: skip
    yield from _windowed("promises_made_cents", Events("promise", ("made",)), [("last", ALL)], pt="valor prometido",
                         en="amount promised", unit="cents")  # fmt: skip
    yield from _windowed("promises_kept", Events("promise", ("kept",)), [("count", 365), ("count", ALL)],
                         pt="promessas cumpridas", en="promises kept", direction=1)  # fmt: skip
    yield from _windowed("promises_broken", Events("promise", ("broken",)), [("count", 365), ("count", ALL),
                         ("recency", ALL)], pt="promessas quebradas", en="promises broken", direction=-1)  # fmt: skip


def _calendar() -> Iterable[Feature]:
    yield Feature("day_of_month", Calendar("day_of_month"), "day", "Local day of the month at as_of",
                  "O dia do mês é {value}", "The day of the month is {value}", "calendar")  # fmt: skip
    yield Feature("days_in_month", Calendar("days_in_month"), "days", "Length of the local month of as_of",
                  "O mês tem {value}", "The month has {value}", "calendar")  # fmt: skip
    yield Feature("weekday", Calendar("weekday"), "day", "Local weekday at as_of, Monday 0",
                  "O dia da semana é {value}", "The weekday is {value}", "weekday")  # fmt: skip
    yield Feature("days_to_payday", Calendar("days_to_payday"), "days",
                  "Days until the next fifth day of a month, when most salaries in Brazil are paid",
                  "Faltam {value} para o dia usual de salário", "The usual payday is {value} away",
                  "calendar")  # fmt: skip


def _ratios() -> Iterable[Feature]:
    yield Feature("overdue_share", Ratio("overdue_cents", "balance_cents"), "share", "Overdue share of the balance",
                  "{value} do saldo está vencido", "{value} of the balance is overdue", "balance")  # fmt: skip
    yield Feature("charges_share", Ratio("charges_cents", "balance_cents"), "share", "Share of charges in the balance",
                  "{value} do saldo são encargos", "{value} of the balance is charges", "charges")  # fmt: skip
    yield Feature("late_share_365d", Ratio("payments_late_count_365d", "payments_count_365d", 0.3, 3.0), "share",
                  "Share of payments made after the due date in 365 days, drawn to 0.3 as if 3 more had been made",
                  "{value} dos pagamentos de 12 meses foram em atraso",
                  "{value} of the payments of 12 months were late", "days_late", -1)  # fmt: skip
    yield Feature("paid_share_90d", Ratio("payments_cents_sum_90d", "debts_due_cents_sum_90d"), "number",
                  "Amount paid over amount fallen due in 90 days",
                  "Nos últimos 90 dias, o valor pago dividido pelo vencido é {value}",
                  "Over 90 days, the amount paid over the amount fallen due is {value}", "paid_share")  # fmt: skip
    yield Feature("paid_share_365d", Ratio("payments_cents_sum_365d", "debts_due_cents_sum_365d"), "number",
                  "Amount paid over amount fallen due in 365 days",
                  "Em 12 meses, o valor pago dividido pelo vencido é {value}",
                  "Over 12 months, the amount paid over the amount fallen due is {value}", "paid_share", 1)  # fmt: skip
    yield Feature("kept_share", Ratio("promises_kept_count", "promises_made_count", 0.5, 2.0), "number",
                  "Promises kept per promise made, drawn to 0.5 as if 2 more had been made",
                  "A razão entre promessas cumpridas e feitas é {value}", "Promises kept per promise made is {value}",
                  "promises_kept_how_much", 1)  # fmt: skip


def _accounts() -> Iterable[Feature]:
    yield Feature("account_age", Attribute("opened_at"), "days", "Days since the account was opened",
                  "A conta existe há {value}", "The account is {value} old", "account_age")  # fmt: skip
    for name, pt, en in (("product", "O produto", "The product"), ("region", "A região", "The region"),
                         ("creditor", "O credor", "The creditor")):  # fmt: skip
        yield Feature(name, Attribute(name, categorical=True), "code", f"{en} of the account",
                      f"{pt} da conta pesa na estimativa", f"{en} of the account weighs in the estimate",
                      name)  # fmt: skip


CATALOGUE: tuple[Feature, ...] = (
    *_standing(), *_payments(), *_debts(), *_contacts(), *_responses(), *_promises(), *_accounts(), *_calendar(),
    *_ratios(),
)  # fmt: skip

_BY_NAME = {feature.name: feature for feature in CATALOGUE}


def feature(name: str) -> Feature:
    """The declaration of a feature; a declared attribute, which the catalogue does not hold, is a ``KeyError``."""
    return _BY_NAME[name]


def reason_text(declared: Feature, value: float, *, locale: str, currency: str = "R$") -> str:
    """The wording of a feature's reason code with its value; ``locale`` is ``pt-BR`` or ``en``."""
    template = declared.reason_en if locale == "en" else declared.reason_pt
    return template.format(value=say_value(value, declared.unit, locale=locale, currency=currency))
