"""The balance, worked by hand. A debt of 100.00 due on day 10 with 2 % penalty and 1 % a month owes 0.0333… a day."""

import pytest

from domain.clock import MISSING

LATE = {"penalty": 2.0, "interest": 1.0}
RENT = {"id": "d1", "amount": 10_000, "due": 10, "at": 0, **LATE}


def test_a_debt_not_yet_due_owes_its_amount_alone(books):
    standing = books(debts=[RENT]).at(9.5)
    assert (standing.balance, standing.overdue, standing.days_past_due) == (10_000, 0, -1)


def test_on_the_due_day_nothing_is_overdue_and_no_charge_is_owed(books):
    standing = books(debts=[RENT]).at(10.9)
    assert (standing.balance, standing.overdue, standing.days_past_due) == (10_000, 0, 0)


def test_the_day_after_due_owes_the_penalty_and_one_day_of_interest(books):
    standing = books(debts=[RENT]).at(11)
    assert (standing.principal, standing.charges, standing.overdue) == (10_000, 200 + 3, 10_203)


def test_thirty_days_late_owe_one_month_of_interest(books):
    standing = books(debts=[RENT]).at(40)
    assert (standing.balance, standing.charges, standing.days_past_due) == (10_300, 300, 30)


def test_a_payment_on_the_due_day_closes_the_debt_without_charges(books):
    standing = books(debts=[RENT], payments=[{"id": "p", "amount": 10_000, "at": 10.5, "debt": "d1"}]).at(90)
    assert (standing.balance, standing.open_debts, standing.days_past_due) == (0, 0, MISSING)


def test_a_partial_payment_takes_charges_first_and_interest_runs_on_the_rest_alone(books):
    # Day 20: 200 + 33 owed; 5,000 leave 5,233. Day 41: Σ = 100,000 + 21 × 5,233 = 209,893 → 69.96 → 70 − 33 = 37.
    ledger = books(debts=[RENT], payments=[{"id": "p", "amount": 5_000, "at": 20.5, "debt": "d1"}])
    standing = ledger.at(41)
    assert (standing.principal, standing.charges, standing.balance) == (5_233, 37, 5_270)


def test_the_penalty_is_on_the_principal_outstanding_when_the_debt_becomes_overdue(books):
    ledger = books(debts=[RENT], payments=[{"id": "p", "amount": 4_000, "at": 5, "debt": "d1"}])
    assert ledger.at(11).charges == 120 + 2


@pytest.mark.parametrize(("amount", "charges"), [(25, 0), (75, 2), (125, 2)])
def test_half_a_cent_goes_to_the_even_neighbour(books, amount, charges):
    # 2 % of 0.25, 0.75 and 1.25 are 0.5, 1.5 and 2.5 cents.
    debt = {"id": "d1", "amount": amount, "due": 10, "at": 0, "penalty": 2.0}
    assert books(debts=[debt]).at(11).charges == charges


def test_interest_is_rounded_on_its_sum_and_not_day_by_day(books):
    # 0.15 a month of 45.00: half a cent a day would round to nothing for ever.
    debt = {"id": "d1", "amount": 1_500, "due": 0, "at": 0, "interest": 1.0}
    assert [books(debts=[debt]).at(day).charges for day in (1, 2, 3, 30)] == [0, 1, 2, 15]


def test_huge_amounts_do_not_overflow(books):
    debt = {"id": "d1", "amount": 10**13, "due": 0, "at": 0, "interest": 10.0}
    assert books(debts=[debt]).at(3_000).charges == 10**14


def test_a_payment_without_debt_goes_to_the_oldest_due_first_and_then_to_the_next(books):
    newer = {"id": "d0", "amount": 10_000, "due": 60, "at": 0}
    ledger = books(debts=[newer, RENT], payments=[{"id": "p", "amount": 12_000, "at": 20}])
    standing, open_cents = ledger.full(21)
    # 10,233 of it close the older debt.
    assert (open_cents, standing.days_past_due) == ({"d0": 10_000 - (12_000 - 10_233)}, -39)


def test_debts_due_together_are_paid_in_the_order_of_issue_and_then_of_id(books):
    pair = [{"id": name, "amount": 100, "due": 10, "at": at} for name, at in (("x", 3), ("b", 2), ("a", 2))]
    assert books(debts=pair, payments=[{"id": "p", "amount": 150, "at": 5}]).full(6)[1] == {"b": 50, "x": 100}


def test_an_overpayment_is_credit(books):
    standing = books(debts=[RENT], payments=[{"id": "p", "amount": 12_000, "at": 5, "debt": "d1"}]).at(30)
    assert (standing.balance, standing.credit, standing.open_debts) == (-2_000, 2_000, 0)


def test_credit_pays_the_next_debt_on_the_day_it_is_issued(books):
    later = {"id": "d2", "amount": 5_000, "due": 50, "at": 30, **LATE}
    ledger = books(debts=[RENT, later], payments=[{"id": "p", "amount": 12_000, "at": 5, "debt": "d1"}])
    assert ledger.full(31)[1] == {"d2": 3_000}
    # Its penalty is on what the credit left: 60 + 1.
    assert ledger.at(51).charges == 61


def test_a_payment_before_the_issue_of_the_debt_it_names_waits_for_that_debt_alone(books):
    ahead = {"id": "d2", "amount": 5_000, "due": 50, "at": 30}
    ledger = books(debts=[RENT, ahead], payments=[{"id": "p", "amount": 5_000, "at": 5, "debt": "d2"}])
    assert ledger.full(9)[0].balance == 10_000 - 5_000
    assert ledger.full(31)[1] == {"d1": 10_000 + 200 + 70}


def test_a_payment_before_any_issue_is_credit_until_then(books):
    ledger = books(debts=[RENT | {"at": 3}], payments=[{"id": "p", "amount": 4_000, "at": 1}])
    assert (ledger.at(2).credit, ledger.at(2).balance) == (4_000, -4_000)
    assert (ledger.at(4).credit, ledger.at(4).balance) == (0, 6_000)


def test_a_reversal_with_its_debt_brings_back_exactly_what_the_payment_took(books):
    paid = {"id": "p", "amount": 5_000, "at": 20, "debt": "d1"}
    back = {"id": "r", "amount": -5_000, "at": 20.5, "debt": "d1"}
    standing = books(debts=[RENT], payments=[paid, back]).at(20.9)
    assert (standing.principal, standing.charges) == (10_000, 233)


def test_a_part_of_a_payment_reversed_comes_back_as_principal_first(books):
    paid = {"id": "p", "amount": 5_000, "at": 20, "debt": "d1"}
    back = {"id": "r", "amount": -4_000, "at": 20.5, "debt": "d1"}
    standing = books(debts=[RENT], payments=[paid, back]).at(20.9)
    assert (standing.principal, standing.charges) == (5_233 + 4_000, 0)


def test_a_reversal_without_debt_takes_credit_first_and_then_undoes_the_debt_due_last(books):
    second = {"id": "d2", "amount": 5_000, "due": 20, "at": 0}
    paid = {"id": "p", "amount": 16_000, "at": 5}
    ledger = books(debts=[RENT, second], payments=[paid, {"id": "r", "amount": -3_000, "at": 6}])
    standing, open_cents = ledger.full(7)
    assert (open_cents, standing.credit) == ({"d2": 2_000}, 0)


def test_a_reversal_of_what_was_never_paid_is_owed_on_the_oldest_debt(books):
    ledger = books(debts=[RENT], payments=[{"id": "r", "amount": -700, "at": 5}])
    assert ledger.full(6)[1] == {"d1": 10_700}


def test_a_reversal_with_no_debt_at_all_is_a_debit(books):
    standing = books(debts=[RENT | {"at": 9}], payments=[{"id": "r", "amount": -700, "at": 5}]).at(6)
    assert (standing.balance, standing.credit, standing.open_debts) == (700, -700, 0)


def test_a_fee_is_a_charge_and_its_waiver_takes_it_back(books):
    fee = {"id": "e1", "kind": "fee", "amount": 1_500, "at": 5, "debt": "d1"}
    waiver = {"id": "e2", "kind": "fee", "amount": -1_500, "at": 6, "debt": "d1"}
    assert books(debts=[RENT], debt_events=[fee]).at(6).charges == 1_500
    assert books(debts=[RENT], debt_events=[fee, waiver]).at(7).charges == 0


def test_a_discount_event_and_the_payment_of_the_rest_settle_the_debt(books):
    # Day 40: 10,300 owed; 30 % off leaves 7,210.
    discount = {"id": "e", "kind": "discount", "amount": -3_090, "at": 40, "debt": "d1"}
    standing = books(
        debts=[RENT], debt_events=[discount], payments=[{"id": "p", "amount": 7_210, "at": 40.1, "debt": "d1"}]
    ).at(100)
    assert (standing.balance, standing.open_debts) == (0, 0)


def test_a_discount_beyond_what_is_owed_is_credit(books):
    discount = {"id": "e", "kind": "discount", "amount": -10_100, "at": 5, "debt": "d1"}
    assert books(debts=[RENT], debt_events=[discount]).at(6).balance == -100


def test_bureau_and_protest_events_move_nothing_and_an_unknown_debt_is_not_touched(books):
    events = [
        {"id": f"e{i}", "kind": kind, "amount": 9_999, "at": 5, "debt": debt}
        for i, (kind, debt) in enumerate([("bureau_listed", "d1"), ("protested", "d1"), ("fee", "elsewhere")])
    ]
    assert books(debts=[RENT], debt_events=events).at(6).balance == 10_000


def test_a_broken_agreement_gives_the_old_debt_back_with_its_charges(books):
    instalments = [{"id": f"i{n}", "amount": 3_500, "due": 40 + 30 * n, "at": 40, "promise": "g"} for n in range(3)]
    events = [
        {"id": "e1", "kind": "renegotiated", "at": 40, "debt": "d1"},
        {"id": "e2", "kind": "cancelled", "at": 80, "debt": "i1"},
        {"id": "e3", "kind": "cancelled", "at": 80, "debt": "i2"},
        {"id": "e4", "kind": "reinstated", "at": 80, "debt": "d1"},
        {"id": "e5", "kind": "correction", "amount": -3_500, "at": 80, "debt": "d1"},
    ]
    ledger = books(
        debts=[RENT, *instalments],
        debt_events=events,
        payments=[{"id": "p", "amount": 3_500, "at": 40.5, "debt": "i0"}],
    )
    assert ledger.full(39)[1] == {"d1": 10_297}
    assert ledger.full(41)[1] == {"i1": 3_500, "i2": 3_500}
    # Day 80: 70 days of interest ran meanwhile: 200 + 233; the creditor carries over what was paid.
    assert ledger.full(80.5)[1] == {"d1": 10_000 + 433 - 3_500}


def test_an_assigned_debt_is_not_owed_until_it_is_recalled(books):
    events = [
        {"id": "e1", "kind": "assigned", "at": 12, "debt": "d1"},
        {"id": "e2", "kind": "recalled", "at": 20, "debt": "d1"},
    ]
    ledger = books(debts=[RENT], debt_events=events)
    assert [ledger.at(day).balance for day in (12, 13, 20.5)] == [10_207, 0, 10_233]


KEPT = {"id": "s", "at": 40, "kind": "promise", "amount": 7_000, "discount": 3_300, "resolved": 45, "outcome": "kept"}
PAID = {"id": "p", "amount": 7_000, "at": 44, "debt": "d1", "promise": "s"}


def test_a_kept_settlement_without_discount_event_closes_its_debt_once_resolved(books):
    ledger = books(debts=[RENT], promises=[KEPT | {"debt": "d1"}], payments=[PAID])
    assert ledger.at(45).balance > 3_000
    assert ledger.at(45.1).balance == 0


def test_a_settlement_that_names_no_debt_closes_those_known_when_it_was_made(books):
    later = {"id": "d2", "amount": 5_000, "due": 60, "at": 41}
    assert books(debts=[RENT, later], promises=[KEPT], payments=[PAID]).full(46)[1] == {"d2": 5_000}


def test_a_settlement_with_a_discount_event_rests_on_the_event_alone(books):
    discount = {"id": "e", "kind": "discount", "amount": -3_000, "at": 45, "debt": "d1", "promise": "s"}
    ledger = books(debts=[RENT], promises=[KEPT], payments=[PAID], debt_events=[discount])
    # Day 44: 10,313 owed, less 7,000; a day of interest on 3,313; less 3,000; a day on 313: 114.54 of interest in all.
    assert ledger.at(46).balance == 313 + (115 - 113)


def test_a_discount_event_recorded_late_takes_over_from_then_on(books):
    discount = {"id": "e", "kind": "discount", "amount": -3_000, "at": 45, "recorded": 50, "debt": "d1", "promise": "s"}
    ledger = books(debts=[RENT], promises=[KEPT], payments=[PAID], debt_events=[discount])
    assert [ledger.at(day).balance > 0 for day in (46, 50, 50.1)] == [False, False, True]


@pytest.mark.parametrize("change", [{"outcome": "broken"}, {"outcome": None}, {"discount": 0}, {"discount": None}])
def test_a_promise_that_was_not_kept_or_had_no_discount_closes_nothing(books, change):
    assert books(debts=[RENT], promises=[KEPT | change], payments=[PAID]).at(60).balance > 3_000


def test_a_payment_made_before_but_recorded_after_as_of_is_unseen(books):
    ledger = books(debts=[RENT], payments=[{"id": "p", "amount": 10_000, "at": 5, "recorded": 8, "debt": "d1"}])
    assert [ledger.at(day).balance for day in (6, 8, 8.001)] == [10_000, 10_000, 0]


def test_a_correction_replaces_the_earlier_version_from_its_recording_on(books):
    first = {"id": "p", "amount": 4_000, "at": 5, "debt": "d1"}
    ledger = books(debts=[RENT], payments=[first, first | {"amount": 1_000, "recorded": 7}])
    assert [ledger.at(day).balance for day in (6, 7, 7.001)] == [6_000, 6_000, 9_000]


def test_a_corrected_debt_keeps_its_payments(books):
    ledger = books(
        debts=[RENT, RENT | {"amount": 8_000, "due": 5, "recorded": 7}],
        payments=[{"id": "p", "amount": 1_000, "at": 3, "debt": "d1"}],
    )
    assert (ledger.at(7).balance, ledger.at(7).days_past_due) == (9_000, -3)
    assert (ledger.at(8).principal, ledger.at(8).days_past_due) == (7_000, 3)


def test_a_debt_without_issue_moment_is_known_always(books):
    assert books(debts=[RENT | {"at": None}]).at(-500).balance == 10_000


def test_a_credit_note_pays_the_open_debts(books):
    note = {"id": "n", "amount": -1_000, "due": 5, "at": 5}
    assert books(debts=[RENT, note]).full(6)[1] == {"d1": 9_000}


def test_closing_and_paying_after_it_leaves_no_credit(books):
    cancelled = {"id": "e", "kind": "cancelled", "at": 12, "debt": "d1"}
    late = {"id": "p", "amount": 4_000, "at": 13, "debt": "d1"}
    assert books(debts=[RENT], debt_events=[cancelled], payments=[late]).at(14).balance == 0


def test_days_past_due_are_those_of_the_oldest_open_debt(books):
    debts = [RENT | {"id": f"d{due}", "due": due} for due in (30, 10, 20)]
    standing = books(debts=debts, payments=[{"id": "p", "amount": 10_000, "at": 9, "debt": "d10"}]).at(25)
    assert (standing.days_past_due, standing.open_debts, standing.overdue_debts) == (5, 2, 1)
