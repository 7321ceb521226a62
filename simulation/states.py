"""What is known of one account between two weeks: its traits, which never change, and its state, which does."""

from __future__ import annotations

import numpy as np

MAX_CHANNELS = 16
MAX_OPEN = 40
"""Open debts an account can have at once: billing stops long before, see ``assumptions.SUSPENDED_FROM``."""

TRAITS = np.dtype(
    [
        ("account", np.int64),
        ("key", np.uint64),
        ("debtor_key", np.uint64),
        ("phase", np.int64),
        ("start_day", np.int64),
        ("offset_h", np.int64),
        ("able", np.float64),
        ("will", np.float64),
        ("forget", np.float64),
        ("bargain", np.float64),
        ("tiring", np.float64),
        ("complaining", np.float64),
        ("habit", np.float64),
        ("portal", np.float64),
        ("affinity", np.float64, (MAX_CHANNELS,)),
        ("moment", np.int64),
        ("salary_dom", np.int64),
        ("income_cents", np.int64),
        ("bill_cents", np.int64),
        ("varies", np.float64),
        ("due_dom", np.int64),
        ("first_month", np.int64),
        ("bills", np.int64),
        ("penalty_bp", np.int64),
        ("interest_bp", np.int64),
        ("lists_from", np.int64),
        ("method", np.int64),
        ("invalid", np.int64),
        ("consents", np.int64),
    ]
)
"""Latent and fixed traits of an account. ``able``, ``will`` are log-odds; ``forget`` a probability; days are local days
since 1970; ``invalid`` and ``consents`` are bit masks over channels; ``*_bp`` are hundredths of a percent."""

STATE = np.dtype(
    [
        ("month", np.int64),
        ("month_now", np.int64),
        ("billed", np.int64),
        ("debts", np.int64),
        ("n_open", np.int64),
        ("serial", np.int64, (MAX_OPEN,)),
        ("due", np.int64, (MAX_OPEN,)),
        ("principal", np.int64, (MAX_OPEN,)),
        ("charges", np.int64, (MAX_OPEN,)),
        ("accrued_to", np.int64, (MAX_OPEN,)),
        ("days", np.int64, (MAX_OPEN,)),
        ("interest", np.int64, (MAX_OPEN,)),
        ("touched", np.int64, (MAX_OPEN,)),
        ("role", np.int64, (MAX_OPEN,)),
        ("nudge", np.float64),
        ("fatigue", np.float64),
        ("late", np.float64),
        ("forgot", np.int64),
        ("reminded_until", np.int64),
        ("hardship", np.int64),
        ("off", np.int64),
        ("granted", np.int64),
        ("listed", np.int64),
        ("hold_until", np.int64),
        ("gone", np.int64),
        ("next_decision", np.int64),
        ("contact_day", np.int64),
        ("contact_us", np.int64),
        ("promise", np.int64),
        ("promise_kind", np.int64),
        ("promise_offer", np.int64),
        ("promise_due", np.int64),
        ("promise_from", np.int64),
        ("promise_from_us", np.int64),
        ("promise_cents", np.int64),
        ("promise_discount", np.int64),
        ("promise_paid", np.int64),
        ("promise_decision", np.int64),
        ("promises", np.int64),
        ("parts", np.int64),
        ("part", np.int64),
        ("missed", np.int64),
        ("contacts", np.int64),
        ("decisions", np.int64),
        ("payments", np.int64),
        ("paid_week", np.int64),
        ("responses", np.int64),
        ("events", np.int64),
        ("reversal", np.int64, (8,)),
        ("unseen_until_us", np.int64),
        ("unseen_due", np.int64),
        ("unseen_cents", np.int64),
        ("known", np.int64, (3,)),
        ("ladder", np.int64),
        ("recovered", np.float64),
        ("first_paid_us", np.int64),
    ]
)
"""What changes from week to week. Open debts stand in due order; ``role`` says what each is (``books``). ``known``
(days past due, cents overdue, cents open) and the ``ladder``'s action are filled when the data end."""
