"""What is owed, how late it is, how it came to be so, and what was added to it."""

from __future__ import annotations

from collections.abc import Iterator

from features.definitions import Events, Feature, Ratio, days
from features.families.declaring import derived, standing, windowed


def features() -> Iterator[Feature]:
    """Families balance, ageing, charges and recidivism."""
    yield from _balance()
    yield from _ageing()
    yield from _charges()
    yield from _recidivism()


def _balance() -> Iterator[Feature]:
    yield from standing("balance", (
        ("days_past_due", "days", "Days past due of the oldest open debt; negative before it is due",
         "A dívida mais antiga em aberto tem {value} de atraso", "The oldest open debt is {value} past due",
         "ageing", -1),
        ("balance_cents", "cents", "Owed at as_of, accrued charges included",
         "O saldo em aberto é de {value}", "The open balance is {value}", "balance", 0),
        ("overdue_cents", "cents", "Open amount of debts past due",
         "O valor vencido é de {value}", "The overdue amount is {value}", "balance", 0),
        ("principal_cents", "cents", "Open principal, without charges",
         "O principal em aberto é de {value}", "The open principal is {value}", "balance", 0),
        ("credit_cents", "cents", "Paid more than owed",
         "Há {value} pagos a mais", "{value} was paid in excess", "credit", 0),
        ("open_debts", "count", "Debts that are open",
         "Há {value} dívidas em aberto", "{value} debts are open", "open", 0),
        ("overdue_debts", "count", "Debts that are open and past due",
         "Há {value} dívidas vencidas", "{value} debts are overdue", "open", 0),
    ))  # fmt: skip
    yield derived("overdue_share", Ratio("overdue_cents", "balance_cents"), "share", "Overdue share of the balance",
                  pt="{value} do saldo está vencido", en="{value} of the balance is overdue", group="balance",
                  family="balance")  # fmt: skip


def _ageing() -> Iterator[Feature]:
    yield from standing("ageing", (
        ("days_past_due_max_12m", "days", "Most days past due at any of the last 12 monthly looks and now",
         "O maior atraso em 12 meses foi de {value}", "The longest delay over 12 months was {value}", "ageing", -1),
        ("times_over_30_12m", "count", "Monthly looks of the last 12 at more than 30 days past due",
         "Vezes com mais de 30 dias de atraso em 12 meses: {value}", "Times over 30 days late in 12 months: {value}",
         "ageing", -1),
        ("times_over_60_12m", "count", "Monthly looks of the last 12 at more than 60 days past due",
         "Vezes com mais de 60 dias de atraso em 12 meses: {value}", "Times over 60 days late in 12 months: {value}",
         "ageing", -1),
        ("times_over_90_12m", "count", "Monthly looks of the last 12 at more than 90 days past due",
         "Vezes com mais de 90 dias de atraso em 12 meses: {value}", "Times over 90 days late in 12 months: {value}",
         "ageing", -1),
        ("months_overdue_12m", "count", "Monthly looks of the last 12 with anything overdue",
         "Meses com valores vencidos em 12 meses: {value}", "Months with anything overdue in 12: {value}",
         "ageing", 0),
        ("bucket_roll_30d", "number", "Ageing buckets rolled in 30 days; above 0 where the delay grew, below where "
         "it shrank", "Mudança de faixa de atraso em 30 dias: {value}", "Change of delay bucket in 30 days: {value}",
         "roll", 0),
        ("first_payment_default", "flag", "Whether the debt due first was still open 30 days after its due day",
         "O primeiro vencimento ficou mais de 30 dias sem pagamento: {value}",
         "The first due date went unpaid for over 30 days: {value}", "first_payment", 0),
    ))  # fmt: skip


def _charges() -> Iterator[Feature]:
    yield from standing("charges", (
        ("charges_cents", "cents", "Open interest, penalty and fees",
         "Há {value} de juros, multa e encargos", "Interest, penalty and fees are {value}", "charges", 0),
    ))  # fmt: skip
    yield derived("charges_share", Ratio("charges_cents", "balance_cents"), "share", "Share of charges in the balance",
                  pt="{value} do saldo são encargos", en="{value} of the balance is charges", group="charges",
                  family="charges")  # fmt: skip
    yield from windowed("charges_booked_cents", Events("debt_event", ("interest", "fine", "fee")),
                        [("sum", days(365))], family="charges", pt="encargos lançados", en="charges booked",
                        unit="cents", group="charges")  # fmt: skip
    yield from windowed("discounts_cents", Events("debt_event", ("discount",)), [("sum", days(365))], family="charges",
                        pt="descontos concedidos", en="discounts granted", unit="cents")  # fmt: skip


def _recidivism() -> Iterator[Feature]:
    yield from standing("recidivism", (
        ("cures_12m", "count", "Times in the last 12 monthly looks that an overdue account stood cured at the next",
         "Vezes em que o atraso foi regularizado em 12 meses: {value}", "Times a delay was cured in 12 months: {value}",
         "cures", 0),
        ("reentries_12m", "count", "Times in the last 12 monthly looks that a current account stood overdue at the "
         "next", "Vezes em que voltou a atrasar em 12 meses: {value}", "Times it fell behind again in 12 months: "
         "{value}", "cures", 0),
    ))  # fmt: skip
