from collections.abc import Callable

from domain.clock import MISSING
from domain.tables import Tables
from training.facts import end_of_data, known_before

TablesOf = Callable[..., Tables]


def test_nothing_recorded_or_occurring_at_the_cut_is_left(tables_of: TablesOf) -> None:
    rows = [("seen", 4, 4), ("recorded late", 4, 5), ("later", 5, 5), ("dated ahead", 6, 4)]
    payments = [
        {"payment_id": i, "account_id": "a", "amount": 1, "occurred_at": o, "recorded_at": r} for i, o, r in rows
    ]
    cut = known_before(tables_of(accounts=[{"account_id": "a"}], payments=payments), until_us=5)
    assert cut.text("payments", "payment_id").values == ("seen",)


def test_an_outcome_known_later_is_blank(tables_of: TablesOf) -> None:
    promise = {"account_id": "a", "occurred_at": 1, "resolved_at": 9, "outcome": "kept"}
    cut = known_before(tables_of(promises=[promise]), until_us=5)
    assert cut.ints("promises", "resolved_at").tolist() == [MISSING]
    assert cut.text("promises", "outcome").decode() == [None]


def test_the_end_of_the_data_is_just_after_the_last_record_and_never_after_the_cut(tables_of: TablesOf) -> None:
    payments = [{"account_id": "a", "amount": 1, "occurred_at": 3, "recorded_at": 7}]
    tables = tables_of(accounts=[{"account_id": "a", "recorded_at": 99}], payments=payments)
    assert [end_of_data(tables, until_us=cut) for cut in (None, 5, 50)] == [8, 5, 8]
