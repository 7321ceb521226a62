"""The compiled balance against a slow twin, and what must hold for every ledger."""

from collections import defaultdict
from math import floor

import pytest
from balance_twin import CLOSING, FALLS_ON_CHARGES, FALLS_ON_PRINCIPAL, REOPENING, slow_standing, visible
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.clock import MISSING

DAYS = st.integers(0, 100)
MOMENTS = st.integers(0, 200).map(lambda half_day: half_day / 2)
CENTS = st.integers(1, 20_000)
DEBT_IDS = ["d1", "d2", "d3", "d4"]
SOME_DEBT = st.sampled_from([None, *DEBT_IDS])


@st.composite
def versions(draw, row):
    """The row as it was first recorded, at times again with another amount or moment."""
    fields = draw(row)
    rows = [fields | {"recorded": fields["at"] + draw(st.sampled_from([0, 0, 0, 2.5, 20]))}]
    if draw(st.integers(0, 4)) == 0:
        change = {"recorded": rows[0]["recorded"] + draw(st.integers(1, 30))}
        if "due" in fields:
            change |= {"due": draw(DAYS)}
        elif "amount" in fields and fields["amount"] is not None:
            change |= {"amount": draw(CENTS)}
        rows.append(fields | change)
    return rows


def rows_of(prefix, row, *, most):
    numbered = st.lists(versions(row), max_size=most)
    return numbered.map(
        lambda groups: [
            version | {"id": f"{prefix}{position}"} for position, group in enumerate(groups) for version in group
        ]
    )


RATES = st.sampled_from([0.0, 0.5, 1.0, 2.0, 10.0])
DEBTS = rows_of(
    "d",
    st.fixed_dictionaries(
        {"amount": st.one_of(CENTS, CENTS, CENTS, st.integers(-500, 0)), "due": DAYS, "at": MOMENTS,
         "penalty": RATES, "interest": RATES}
    ),
    most=4,
)  # fmt: skip
PAYMENTS = rows_of(
    "p",
    st.fixed_dictionaries(
        {"amount": st.one_of(CENTS, CENTS, CENTS.map(lambda cents: -cents)), "at": MOMENTS, "debt": SOME_DEBT}
    ),
    most=8,
)
EVENT_KINDS = sorted(FALLS_ON_PRINCIPAL | FALLS_ON_CHARGES | (CLOSING - {"settled"}) | REOPENING | {"bureau_listed"})
DEBT_EVENTS = rows_of(
    "e",
    st.fixed_dictionaries(
        {"kind": st.sampled_from(EVENT_KINDS), "amount": st.one_of(st.none(), st.integers(-9_000, 9_000)),
         "at": MOMENTS, "debt": st.sampled_from(DEBT_IDS), "promise": st.sampled_from([None, None, "s0", "s1"])}
    ),
    most=6,
)  # fmt: skip
PROMISES = rows_of(
    "s",
    st.fixed_dictionaries(
        {"at": MOMENTS, "resolved": MOMENTS, "outcome": st.sampled_from(["kept", "kept", "broken", None]),
         "discount": st.sampled_from([None, 0, 500, 500]), "debt": SOME_DEBT}
    ),
    most=2,
)  # fmt: skip
LEDGERS = st.fixed_dictionaries(
    {"debts": DEBTS, "payments": PAYMENTS, "debt_events": DEBT_EVENTS, "promises": PROMISES}
)
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(ledger=LEDGERS, as_of=MOMENTS)
def test_the_compiled_balance_equals_the_slow_twin(books, ledger, as_of):
    standing, open_cents = books(**ledger).full(as_of)
    balance, owing, credit, debts = slow_standing(ledger, as_of)
    assert (standing.balance, open_cents, standing.credit) == (balance, owing, credit)
    dues = [debts[name].due for name in owing]
    assert standing.overdue == sum(owing[name] for name in owing if debts[name].due < floor(as_of))
    assert standing.days_past_due == (floor(as_of) - min(dues) if dues else MISSING)


@SLOW
@given(ledger=LEDGERS, as_of=MOMENTS)
def test_open_debts_less_credit_are_the_balance_and_never_stand_beside_credit(books, ledger, as_of):
    standing, open_cents = books(**ledger).full(as_of)
    assert standing.balance == sum(open_cents.values()) - standing.credit
    assert standing.balance == standing.principal + standing.charges - standing.credit
    assert standing.open_debts == len(open_cents)
    assert not (open_cents and standing.credit > 0)


@SLOW
@given(ledger=LEDGERS, as_of=MOMENTS)
def test_without_closings_and_accruals_the_balance_is_amounts_and_events_less_payments(books, ledger, as_of):
    stays = [row for row in ledger["debt_events"] if row["kind"] in FALLS_ON_PRINCIPAL | FALLS_ON_CHARGES]
    plain = [row | {"penalty": 0.0, "interest": 0.0} for row in ledger["debts"]]
    ledger = {"debts": plain, "payments": ledger["payments"], "debt_events": stays}
    debts = visible(plain, as_of)
    known = {row["id"] for row in debts}
    events = [row["amount"] or 0 for row in visible(stays, as_of) if row["debt"] in known]
    paid = [row["amount"] for row in visible(ledger["payments"], as_of)]
    assert books(**ledger).at(as_of).balance == sum(row["amount"] for row in debts) + sum(events) - sum(paid)


@SLOW
@given(ledger=LEDGERS, as_of=MOMENTS, late=LEDGERS, by_recording=st.booleans())
def test_what_happens_or_is_recorded_at_or_after_as_of_changes_nothing(books, ledger, as_of, late, by_recording):
    grown = defaultdict(list)
    for table, rows in ledger.items():
        grown[table] += rows
    for table, rows in late.items():
        for row in rows:
            moved = {"recorded": as_of + row["recorded"]} | ({} if by_recording else {"at": as_of + row["at"]})
            new = {} if by_recording else {"id": f"{row['id']}-late"}
            grown[table].append(row | moved | new)
    unique = {table: list({(r["id"], r["recorded"]): r for r in rows}.values()) for table, rows in grown.items()}
    seen = {table: [row for row in rows if row["recorded"] < as_of] for table, rows in ledger.items()}
    assert books(**unique).full(as_of) == books(**seen).full(as_of)


@SLOW
@given(ledger=LEDGERS, as_of=MOMENTS, seed=st.randoms())
def test_the_order_of_the_rows_changes_nothing(books, ledger, as_of, seed):
    def shuffled(size):
        return seed.sample(range(size), size)

    plain, mixed = books(**ledger).arrays(), books(shuffled, **ledger).arrays()
    for mine, other in zip([*plain[0], *plain[1]], [*mixed[0], *mixed[1]], strict=True):
        if mine is not plain[1].promise:  # a code in a vocabulary, which follows the rows
            assert mine.tolist() == other.tolist()
    assert books(**ledger).full(as_of) == books(shuffled, **ledger).full(as_of)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(ledger=LEDGERS, days=st.lists(MOMENTS, min_size=1, max_size=5))
def test_many_rows_at_once_equal_one_by_one(books, ledger, days):
    ledger_books = books(**ledger)
    columns, (offsets, _, cents) = ledger_books.many(days)
    for position, day in enumerate(days):
        standing, open_cents = ledger_books.full(day)
        assert tuple(int(column[2 * position]) for column in columns) == tuple(standing)
        assert cents[offsets[2 * position] : offsets[2 * position + 1]].tolist() == list(open_cents.values())
        assert int(columns.balance[2 * position + 1]) == 0
        assert offsets[2 * position + 2] == offsets[2 * position + 1]


@pytest.mark.parametrize("as_of", [5.0, 50.0, 99.5])
def test_the_twin_knows_the_example_of_the_contract(as_of):
    ledger = {
        "debts": [{"id": "d", "amount": 1_000, "due": 10, "at": 0, "recorded": 0, "penalty": 2.0, "interest": 0.0}],
        "payments": [], "debt_events": [], "promises": [],
    }  # fmt: skip
    assert slow_standing(ledger, as_of)[0] == (1_000 if as_of <= 11 else 1_020)
