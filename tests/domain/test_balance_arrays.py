import numpy as np
import pytest

from domain.balance import ENTRY_OF_DEBT_EVENT
from domain.balance_arrays import ledger_arrays
from domain.balance_entries import SETTLE
from domain.sheets import RECORDED, UNTIL
from domain.tables import DEBT_EVENT_KINDS

RENT = {"id": "d1", "amount": 10_000, "due": 10, "at": 0}
KEPT = {"id": "s", "at": 40, "discount": 3_300, "resolved": 45, "outcome": "kept"}


def test_the_same_debt_id_on_two_accounts_is_two_debts(books):
    ledger = books(
        debts=[RENT, RENT | {"account": "b", "amount": 7_000}],
        payments=[{"id": "p", "account": "b", "amount": 2_000, "at": 5, "debt": "d1"}],
    )
    assert (ledger.at(6, 0).balance, ledger.at(6, 1).balance) == (10_000, 5_000)


def test_a_payment_that_names_a_debt_of_another_account_counts_as_naming_none(books):
    ledger = books(
        debts=[RENT, RENT | {"id": "d2", "account": "b"}],
        payments=[{"id": "p", "amount": 2_000, "at": 5, "debt": "d2"}],
    )
    assert (ledger.at(6, 0).balance, ledger.at(6, 1).balance) == (8_000, 10_000)


def test_orphans_are_left_out(books):
    ledger = books(debts=[RENT, RENT | {"account": "nobody"}], payments=[{"id": "p", "account": "nobody", "at": 1,
                                                                         "amount": 5}])  # fmt: skip
    debts, entries, *_ = ledger.arrays()
    assert (len(debts.account), len(entries.account)) == (1, 0)


@pytest.mark.parametrize("hole", [{"amount": None}, {"due": None}])
def test_a_debt_without_amount_or_due_day_is_left_out(books, hole):
    assert books(debts=[RENT, RENT | {"id": "d2"} | hole]).at(5).balance == 10_000


def test_a_version_replaced_as_it_was_recorded_can_never_count_and_is_left_out(books):
    ledger = books(debts=[RENT], payments=[{"id": "p", "amount": 2_000, "at": 5}])
    sheets = ledger.sheets()
    sheets.payments[UNTIL] = sheets.payments[RECORDED]
    entries = ledger_arrays(ledger.tables, sheets, n_accounts=3)[1]
    assert len(entries.account) == 0


def test_every_debt_event_is_an_entry_or_only_informs():
    informs = {"bureau_listed", "bureau_removed", "protested", "protest_cancelled"}
    assert set(ENTRY_OF_DEBT_EVENT) | informs == set(DEBT_EVENT_KINDS)
    assert not set(ENTRY_OF_DEBT_EVENT) & informs


def test_bounds_hold_the_rows_of_each_account_and_the_source_leads_back(books):
    rows = [RENT | {"id": "z", "account": "c"}, RENT, RENT | {"id": "d0", "due": 3}]
    debts, _, debt_bounds, entry_bounds, source = books(debts=rows).arrays()
    assert debt_bounds.tolist() == [0, 2, 2, 3]
    assert entry_bounds.tolist() == [0, 0, 0, 0]
    assert source.tolist() == [2, 1, 0]
    assert debts.account.tolist() == [0, 0, 2]


def test_versions_of_a_debt_share_the_row_of_the_first(books):
    rows = [RENT | {"due": 5, "recorded": 3}, RENT, RENT | {"id": "d2", "due": 7}]
    debts, *_ = books(debts=rows).arrays()
    assert debts.due_day.tolist() == [5, 7, 10]
    assert debts.first.tolist() == [2, 1, 2]


def test_entries_of_one_moment_stand_by_recording_then_id_with_settlements_last(books):
    ledger = books(
        debts=[RENT],
        payments=[
            {"id": name, "amount": cents, "at": 45, "recorded": late}
            for name, cents, late in (("b", 1, 50), ("c", 2, 45), ("a", 3, 50))
        ],
        promises=[KEPT],
    )
    _, entries, *_ = ledger.arrays()
    assert entries.amount.tolist() == [2, 3, 1, 0]
    assert entries.kind.tolist()[-1] == SETTLE


def test_a_settlement_that_names_an_unknown_debt_closes_nothing(books):
    assert books(debts=[RENT], promises=[KEPT | {"debt": "elsewhere"}]).at(60).balance == 10_000


def test_no_debts_and_no_payments_make_empty_arrays(books):
    debts, entries, debt_bounds, entry_bounds, source = books(debts=[], promises=[KEPT]).arrays()
    assert len(debts.account) == len(entries.account) == len(source) == 0
    assert np.all(debt_bounds == 0) and np.all(entry_bounds == 0)
    assert books(debts=[]).at(5).balance == 0
