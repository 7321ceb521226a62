"""The core of the catalogue: the features that every family is there by, whatever a data set shows of it.

At most 80. Beyond it a family has to show on held-out data that it adds something (benchmarks/families.md).
"""

from __future__ import annotations

CORE = frozenset({
    "days_past_due", "balance_cents", "overdue_cents", "principal_cents", "open_debts", "overdue_debts",
    "overdue_share", "days_past_due_max_12m", "times_over_30_12m", "bucket_roll_30d", "first_payment_default",
    "charges_share", "cures_12m", "debts_issued_count_365d", "debts_issued_recency", "debts_issued_cents_mean_365d",
    "debts_due_recency", "debts_due_cents_sum_90d", "payments_count_30d", "payments_count_90d",
    "payments_count_365d", "payments_recency", "payments_age", "payments_gap_mean", "payments_gap_std",
    "payments_cents_sum_90d", "payments_cents_mean_365d", "payments_cents_last", "payments_late_count_365d",
    "days_late_mean_365d", "days_late_last", "payments_on_time_count_365d", "late_share_365d", "paid_share_90d",
    "paid_share_365d", "payments_partial_count_365d", "reversals_count_365d", "contacts_count_7d",
    "contacts_count_30d", "contacts_count_90d", "contacts_recency", "contacts_count_since_response",
    "contacts_cost_sum_90d", "responses_count_30d", "responses_count_90d", "responses_recency",
    "responses_read_count_365d", "responses_answered_count_365d", "responses_right_party_count_365d",
    "responses_refused_count_365d", "responses_opted_out_count_365d", "right_party_rate_365d",
    "response_rate_morning_365d", "response_rate_evening_365d", "responses_weekend_count_365d", "active_promise",
    "promised_share", "promises_made_recency", "promises_kept_count", "promises_broken_count",
    "promises_broken_recency", "kept_share", "active_agreement", "instalments_paid_count",
    "contacts_with_offer_count_90d", "offer_simulated_recency", "offer_accepted_recency", "portal_visits_recency",
    "reasons_last_kind", "reasons_hardship_recency", "holds_active", "disputes_count_365d", "bureau_listed_now",
    "protested_now", "siblings", "siblings_overdue_cents", "account_age", "product", "day_of_month",
    "days_to_payday",
})  # fmt: skip
