"""How debts are issued and how they are paid: how often, how much, when, and how regularly."""

from __future__ import annotations

from collections.abc import Iterator

from features.definitions import ALL, Events, Feature, Rate, Ratio, days, since
from features.families.declaring import derived, windowed

PAID = Events("payment", ("paid",))


def features() -> Iterator[Feature]:
    """Families debts and payments."""
    yield from _debts()
    yield from _amounts()
    yield from _habits()
    yield from _delays()
    yield from _ratios()


def ingredients() -> Iterator[Feature]:
    """Counts that only ratios are made of."""
    yield from windowed("payments_payday", Events("payment", ("paid",), payday=True), [("count", days(365))],
                        family="payments", pt="pagamentos na época do salário", en="payments around payday",
                        ingredient=True)  # fmt: skip

    yield from windowed("debts_due_cents", Events("debt", ("due",)), [("sum", days(365))], family="debts",
                        pt="valor vencido no período", en="amount fallen due", unit="cents",
                        ingredient=True)  # fmt: skip


def _debts() -> Iterator[Feature]:
    issued, due = Events("debt", ("issued",)), Events("debt", ("due",))
    yield from windowed("debts_issued", issued, [("count", days(365)), ("recency", ALL)],
                        family="debts", pt="dívidas emitidas", en="debts issued")  # fmt: skip
    yield from windowed("debts_issued_cents", issued, [("mean", days(365))],
                        family="debts", pt="valor emitido", en="amount issued", unit="cents")  # fmt: skip
    yield from windowed("debts_due", due, [("recency", ALL)],
                        family="debts", pt="vencimentos", en="due dates")  # fmt: skip
    yield from windowed("debts_due_cents", due, [("sum", days(90))], family="debts",
                        pt="valor vencido no período", en="amount fallen due", unit="cents")  # fmt: skip
    yield from windowed("renegotiations", Events("debt_event", ("renegotiated",)), [("count", days(365)),
                        ("recency", ALL)], family="debts", pt="renegociações", en="renegotiations")  # fmt: skip


def _amounts() -> Iterator[Feature]:
    yield from windowed("payments", PAID, [("count", days(30)), ("count", days(90)), ("count", days(180)),
                        ("count", days(365)), ("recency", ALL), ("age", ALL), ("gap_mean", ALL), ("gap_std", ALL)],
                        family="payments", pt="pagamentos", en="payments", direction=1, actionable=True)  # fmt: skip
    yield from windowed("payments_cents", PAID, [("sum", days(30)), ("sum", days(90)), ("sum", days(365)),
                        ("mean", days(365)), ("max", days(365)), ("min", days(365)), ("std", days(365)), ("last", ALL)],
                        family="payments", pt="valor pago", en="amount paid", unit="cents")  # fmt: skip
    yield from windowed("reversals", Events("payment", ("reversed",)), [("count", days(365)), ("recency", ALL)],
                        family="payments", pt="estornos", en="reversals")  # fmt: skip


def _habits() -> Iterator[Feature]:
    yield from windowed("payment_methods", PAID, [("distinct", days(365))], family="payments",
                        pt="formas de pagamento", en="payment methods")  # fmt: skip
    yield from windowed("payments", PAID, [("count", since("contact", Events("contact", ("attempt",))))],
                        family="payments", pt="pagamentos", en="payments", group="payments_unprompted")  # fmt: skip
    yield from windowed("payments_early", Events("payment", ("early",)), [("count", days(365)), ("recency", ALL)],
                        family="payments", pt="pagamentos antecipados", en="early payments", direction=1)  # fmt: skip
    yield from windowed("payments_partial", Events("payment", ("partial",)), [("count", days(365)), ("recency", ALL)],
                        family="payments", pt="pagamentos parciais", en="partial payments")  # fmt: skip


def _delays() -> Iterator[Feature]:
    late, on_time = Events("payment", ("late",)), Events("payment", ("on_time",))
    yield from windowed("payments_late", late, [("count", days(365)), ("recency", ALL), ("count", since("on_time",
                        on_time))], family="payments", pt="pagamentos em atraso", en="late payments")  # fmt: skip
    yield from windowed("days_late", late, [("mean", days(365)), ("max", days(365)), ("std", days(365)), ("last", ALL)],
                        family="payments", pt="atraso dos pagamentos", en="delay of payments", unit="days",
                        group="days_late")  # fmt: skip
    yield from windowed("payments_on_time", on_time, [("count", days(90)), ("count", days(365)), ("count", since(
                        "late", late))], family="payments", pt="pagamentos em dia", en="payments on time",
                        direction=1, actionable=True)  # fmt: skip


def _ratios() -> Iterator[Feature]:
    yield derived("late_share_365d", Rate("payments_late_count_365d", "payments_count_365d", 0.3, 3.0), "share",
                  "Share of payments made after the due date in 365 days",
                  pt="{value} dos pagamentos de 12 meses foram em atraso",
                  en="{value} of the payments of 12 months were late", group="days_late", family="payments",
                  direction=-1)  # fmt: skip
    yield derived("payday_share_365d", Rate("payments_payday_count_365d", "payments_count_365d", 0.3, 3.0), "share",
                  "Share of payments made on the fifth to the tenth day of a month in 365 days",
                  pt="{value} dos pagamentos de 12 meses foram na época do salário",
                  en="{value} of the payments of 12 months came around payday", group="payday",
                  family="payments")  # fmt: skip
    yield derived("payments_trend", Ratio("payments_count_90d", "payments_count_365d", 365 / 90), "number",
                  "Payments a day in 90 days over those in 365 days",
                  pt="O ritmo de pagamentos de 90 dias é {value} vezes o de 12 meses",
                  en="The pace of payments over 90 days is {value} times that of 12 months",
                  group="payments_how_much", family="payments", direction=1)  # fmt: skip
    yield derived("paid_share_90d", Ratio("payments_cents_sum_90d", "debts_due_cents_sum_90d"), "number",
                  "Amount paid over amount fallen due in 90 days",
                  pt="Nos últimos 90 dias, o valor pago dividido pelo vencido é {value}",
                  en="Over 90 days, the amount paid over the amount fallen due is {value}", group="paid_share",
                  family="payments")  # fmt: skip
    yield derived("paid_share_365d", Ratio("payments_cents_sum_365d", "debts_due_cents_sum_365d"), "number",
                  "Amount paid over amount fallen due in 365 days",
                  pt="Em 12 meses, o valor pago dividido pelo vencido é {value}",
                  en="Over 12 months, the amount paid over the amount fallen due is {value}", group="paid_share",
                  family="payments", direction=1)  # fmt: skip
