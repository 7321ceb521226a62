"""What surrounds the debt: the bureau, the debtor's other accounts, the account itself, and the season."""

from __future__ import annotations

from collections.abc import Iterator

from features.definitions import ALL, Attribute, Calendar, Difference, Events, Feature, days
from features.families.declaring import derived, standing, windowed


def features() -> Iterator[Feature]:
    """Families bureau, siblings, account and season."""
    yield from _bureau()
    yield from _siblings()
    yield from _account()
    yield from _season()


def ingredients() -> Iterator[Feature]:
    """Counts that only differences are made of."""
    for kind, pt, en in (
        ("bureau_listed", "negativações", "bureau listings"), ("bureau_removed", "baixas", "removals"),
        ("protested", "protestos", "protests"), ("protest_cancelled", "protestos cancelados", "protests cancelled"),
    ):  # fmt: skip
        yield from windowed(kind, Events("debt_event", (kind,)), [("count", ALL)], family="bureau", pt=pt, en=en,
                            ingredient=True)  # fmt: skip


def _bureau() -> Iterator[Feature]:
    yield from windowed("bureau_listings", Events("debt_event", ("bureau_listed",)), [("count", days(365)),
                        ("recency", ALL)], family="bureau", pt="negativações", en="bureau listings")  # fmt: skip
    yield derived("bureau_listed_now", Difference("bureau_listed_count", "bureau_removed_count"), "count",
                  "Bureau listings that were not removed", pt="Negativações ainda ativas: {value}",
                  en="Bureau listings still standing: {value}", group="bureau_now", family="bureau")  # fmt: skip
    yield derived("protested_now", Difference("protested_count", "protest_cancelled_count"), "count",
                  "Protests that were not cancelled", pt="Protestos ainda ativos: {value}",
                  en="Protests still standing: {value}", group="bureau_now", family="bureau")  # fmt: skip


def _siblings() -> Iterator[Feature]:
    yield from standing("siblings", (
        ("siblings", "count", "Other accounts of the debtor with a known debt",
         "Outras contas do mesmo devedor: {value}", "Other accounts of the debtor: {value}", "siblings", 0),
        ("siblings_balance_cents", "cents", "Owed on the debtor's other accounts",
         "O saldo em outras contas é de {value}", "The balance on other accounts is {value}", "siblings", 0),
        ("siblings_overdue_cents", "cents", "Overdue on the debtor's other accounts",
         "O valor vencido em outras contas é de {value}", "The overdue amount on other accounts is {value}",
         "siblings", 0),
        ("siblings_days_past_due_max", "days", "Most days past due among the debtor's other accounts",
         "O maior atraso em outras contas é de {value}", "The longest delay on other accounts is {value}",
         "siblings", -1),
    ))  # fmt: skip
    yield from standing("siblings", (
        ("siblings_contacts_30d", "count", "Contacts on the debtor's other accounts over the last 30 days",
         "Contatos por outras contas nos últimos 30 dias: {value}", "Contacts on other accounts over 30 days: {value}",
         "siblings_contacts", 0),
    ), tables=("contacts",))  # fmt: skip
    yield from standing("siblings", (
        ("siblings_payments_90d", "count", "Payments on the debtor's other accounts over the last 90 days",
         "Pagamentos em outras contas nos últimos 90 dias: {value}", "Payments on other accounts over 90 days: {value}",
         "siblings_payments", 1),
    ), tables=("payments",))  # fmt: skip


def _account() -> Iterator[Feature]:
    yield Feature("account_age", Attribute("opened_at"), "days", "Days since the account was opened",
                  "A conta existe há {value}", "The account is {value} old", "account_age", "account")  # fmt: skip
    for name, pt, en in (("product", "O produto", "The product"), ("creditor", "O credor", "The creditor")):
        yield Feature(name, Attribute(name, categorical=True), "code", f"{en} of the account",
                      f"{pt} da conta pesa na estimativa", f"{en} of the account weighs in the estimate", name,
                      "account")  # fmt: skip


def _season() -> Iterator[Feature]:
    rows = (
        ("day_of_month", "day", "Local day of the month at as_of", "O dia do mês é {value}",
         "The day of the month is {value}", "calendar"),
        ("days_in_month", "days", "Length of the local month of as_of", "O mês tem {value}", "The month has {value}",
         "calendar"),
        ("weekday", "day", "Local weekday at as_of, Monday 0", "O dia da semana é {value}", "The weekday is {value}",
         "weekday"),
        ("days_to_payday", "days", "Days until the next fifth working day of a month, when salaries are due in Brazil",
         "Faltam {value} para o dia usual de salário", "The usual payday is {value} away", "calendar"),
        ("days_to_thirteenth_salary", "days", "Days until the next part of the thirteenth salary, 30 November or 20 "
         "December", "Faltam {value} para a próxima parcela do 13º salário",
         "The next part of the thirteenth salary is {value} away", "season"),
        ("days_to_holiday", "days", "Days until the next holiday of the account's region, 30 where none is near",
         "Faltam {value} para o próximo feriado", "The next holiday is {value} away", "season"),
        ("working_days_left", "days", "Working days left in the local month, today included",
         "Restam {value} úteis no mês", "{value} of work are left in the month", "calendar"),
    )  # fmt: skip
    for name, unit, description, pt, en, group in rows:
        yield Feature(name, Calendar(name), unit, description, pt, en, group, "season")  # type: ignore[arg-type]
