"""The core of the catalogue: at most 80 features by which every family is there, whatever a data set shows of it.

The families that are not here at all (payments, contacts, reach, timing, siblings) need no place in it: they showed on
held-out data that they add to it (benchmarks/families.md). What is beyond the core in other families did not, and went.
"""

from __future__ import annotations

CORE = frozenset({
    "days_past_due", "balance_cents", "overdue_cents", "principal_cents", "credit_cents", "open_debts",
    "overdue_debts", "overdue_share", "charges_cents", "charges_share", "charges_booked_cents_sum_365d",
    "debts_issued_count_365d", "debts_issued_recency", "debts_issued_cents_mean_365d", "debts_due_recency",
    "debts_due_cents_sum_90d", "renegotiations_count_365d", "active_promise", "promised_share", "promise_days_left",
    "promises_made_recency", "promises_kept_count", "promises_broken_count", "promises_broken_recency",
    "promises_broken_count_since_kept", "kept_share", "promises_made_count", "active_agreement", "active_slip",
    "agreements_made_count", "agreements_broken_count", "instalments_paid_count", "instalments_paid_share",
    "contacts_with_offer_count_90d", "offer_simulated_count_90d", "offer_simulated_recency",
    "offer_abandoned_count_90d", "offer_accepted_recency", "promises_discount_count", "portal_visits_count_90d",
    "portal_visits_recency", "inbound_count_365d", "reasons_last_kind", "reasons_count_365d",
    "reasons_hardship_count_365d", "reasons_hardship_recency", "reasons_forgot_count_365d",
    "reasons_contested_count_365d", "holds_active", "dispute_active", "hardship_active", "disputes_count_365d",
    "holds_opened_count", "bureau_listings_count_365d", "bureau_listings_recency", "bureau_listed_now",
    "protested_now", "account_age", "product", "creditor", "days_past_due_max_12m", "times_over_30_12m", "cures_12m",
    "day_of_month", "times_over_60_12m", "times_over_90_12m", "months_overdue_12m", "bucket_roll_30d",
    "first_payment_default", "reentries_12m", "days_in_month", "weekday", "days_to_payday",
    "days_to_thirteenth_salary", "days_to_holiday", "working_days_left", "discounts_cents_sum_365d",
    "offer_accepted_count_90d", "renegotiations_recency", "promises_kept_count_365d",
})  # fmt: skip
