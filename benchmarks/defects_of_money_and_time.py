"""The other half of ``defects``: amounts, moments, volumes, and what leaks from the future."""

from __future__ import annotations

import numpy as np
import pandas as pd
from defects import defect, largest_creditor, recent, some, under_new_ids

# --- money ---------------------------------------------------------------------------------------------------------


@defect("payments in cents", "critical", "payments.units")
def _(world, _rng):
    frame = world.frame("payments")
    return {"payments": frame.assign(amount=frame["amount"] * 100)}


@defect("debts in hundreds", "critical", "payments.units")
def _(world, _rng):
    frame = world.frame("debts")
    return {"debts": frame.assign(amount=(frame["amount"] / 100).clip(lower=0.01).round(2))}


@defect("one creditor's payments in cents lately", "major", "payments.scale_steady", "payments.one_scale")
def _(world, rng):
    frame = world.frame("payments")
    rows = recent(frame, world) & frame["account_id"].isin(largest_creditor(world, rng))
    return {"payments": frame.assign(amount=frame["amount"].where(~rows, frame["amount"] * 100))}


@defect("one creditor's debts in cents", "major", "debts.scale_kept")
def _(world, rng):
    frame = world.frame("debts")
    rows = frame["account_id"].isin(largest_creditor(world, rng))
    return {"debts": frame.assign(amount=frame["amount"].where(~rows, frame["amount"] * 100))}


@defect("some payments in cents", "major", "payments.one_scale", "payments.within_debts")
def _(world, rng):
    frame = world.frame("payments")
    return {"payments": frame.assign(amount=frame["amount"].where(~some(frame, 0.03, rng), frame["amount"] * 100))}


@defect("some debts in cents", "major", "debts.one_scale")
def _(world, rng):
    frame = world.frame("debts")
    return {"debts": frame.assign(amount=frame["amount"].where(~some(frame, 0.02, rng), frame["amount"] * 100))}


@defect("cents cut off", "major", "payments.cents_kept")
def _(world, _rng):
    frame = world.frame("payments")
    return {"payments": frame.assign(amount=np.sign(frame["amount"]) * np.ceil(frame["amount"].abs()))}


@defect("amounts filled in", "major", "debts.amounts_vary")
def _(world, rng):
    frame = world.frame("debts")
    return {"debts": frame.assign(amount=frame["amount"].where(~some(frame, 0.7, rng), 99.9))}


@defect("sign the other way round", "critical", "payments:negative_without_payment")
def _(world, _rng):
    frame = world.frame("payments")
    return {"payments": frame.assign(amount=-frame["amount"])}


@defect("reversals of nothing", "major", "payments.reversals_covered")
def _(world, rng):
    frame = world.frame("payments")
    rows = some(frame, 0.04, rng)
    # Larger than all that the account paid before, so that nothing covers them.
    return {"payments": frame.assign(amount=frame["amount"].where(~rows, -1e5))}


@defect("payments of nothing", "major", "payments.of_something")
def _(world, rng):
    frame = world.frame("payments")
    return {"payments": frame.assign(amount=frame["amount"].where(~some(frame, 0.05, rng), 0.0))}


@defect("debts of nothing or less", "critical", "debts:amount_not_positive")
def _(world, rng):
    frame = world.frame("debts")
    return {"debts": frame.assign(amount=frame["amount"].where(~some(frame, 0.01, rng), -frame["amount"]))}


@defect("amounts that changed places", "major", "promises.down_payment_within")
def _(world, _rng):
    frame = world.frame("promises")
    both = frame["down_payment"].notna()
    amount = frame["amount"].where(~both, frame["down_payment"])
    return {"promises": frame.assign(amount=amount, down_payment=frame["amount"].where(both, frame["down_payment"]))}


@defect("all promises kept", "major", "promises.kept_is_paid")
def _(world, _rng):
    frame = world.frame("promises")
    return {"promises": frame.assign(outcome=frame["outcome"].where(frame["outcome"].isna(), "kept"))}


@defect("half of the debts missing", "major", "payments.within_owed", "debts.rows_kept")
def _(world, rng):
    frame = world.frame("debts")
    return {"debts": frame[~some(frame, 0.5, rng)]}


# --- volume --------------------------------------------------------------------------------------------------------


@defect("a month missing", "major", "payments.volume_steady", "payments.rows_kept")
def _(world, rng):
    frame = world.frame("payments")
    start = world.end - pd.Timedelta(days=int(rng.integers(90, 500)))
    gone = (frame["occurred_at"] > start) & (frame["occurred_at"] < start + pd.Timedelta(days=31))
    return {"payments": frame[~gone]}


@defect("a third of the rows missing", "major", "contacts.rows_kept")
def _(world, rng):
    frame = world.frame("contacts")
    return {"contacts": frame[~some(frame, 0.3, rng)]}


@defect("most of the last two months missing", "major", "responses.volume_steady")
def _(world, rng):
    frame = world.frame("responses")
    return {"responses": frame[~(recent(frame, world) & some(frame, 0.8, rng))]}


@defect("last two months four times", "major", "payments.volume_steady")
def _(world, rng):
    frame = world.frame("payments")
    last = frame[recent(frame, world)]
    again = []
    for turn in range(3):
        moved = pd.to_timedelta(rng.integers(1, 600, len(last)), unit="min")
        twin = last.assign(payment_id=last["payment_id"] + f"-{turn}", occurred_at=last["occurred_at"] - moved)
        again.append(twin)
    return {"payments": pd.concat([frame, *again])}


@defect("table ends early", "major", "payments.current")
def _(world, rng):
    frame = world.frame("payments")
    return {"payments": frame[frame["occurred_at"] < world.end - pd.Timedelta(days=int(rng.integers(35, 90)))]}


@defect("creditor not delivered", "major", "accounts.rows_kept", "accounts.vocabulary_kept")
def _(world, rng):
    gone = largest_creditor(world, rng)
    frames = {table: world.frame(table) for table in world.tables}
    return {table: frame[~frame["account_id"].isin(gone)] for table, frame in frames.items()}


@defect("past delivered again under new ids", "major", "contacts.rows_kept", "contacts.not_double")
def _(world, rng):
    frame = world.frame("contacts")
    old = frame[(frame["occurred_at"] < world.end - pd.Timedelta(days=200)) & some(frame, 0.5, rng)]
    return {"contacts": pd.concat([frame, under_new_ids(old, "contact_id")])}


# --- time ----------------------------------------------------------------------------------------------------------


@defect("local times as UTC", "major", "payments.hours_kept")
def _(world, _rng):
    return {"payments": moved(world.frame("payments"), slice(None), hours=-3)}


@defect("local times as UTC lately", "major", "responses.hours_steady")
def _(world, _rng):
    frame = world.frame("responses")
    return {"responses": moved(frame, recent(frame, world), hours=-3)}


@defect("zone applied twice lately", "major", "payments.hours_steady")
def _(world, _rng):
    frame = world.frame("payments")
    return {"payments": moved(frame, recent(frame, world), hours=3)}


@defect("hours lost lately", "major", "contacts.hours_steady")
def _(world, _rng):
    frame = world.frame("contacts")
    at = frame["occurred_at"]
    return {"contacts": frame.assign(occurred_at=at.where(~recent(frame, world), at.dt.normalize()))}


def moved(frame: pd.DataFrame, rows, *, hours: int) -> pd.DataFrame:
    """Rows whose both times are off by some hours."""
    by = pd.Timedelta(hours=hours)
    for name in ("occurred_at", "recorded_at"):
        frame.loc[rows, name] = frame.loc[rows, name] + by
    return frame


@defect("events of the future", "critical", "payments:future")
def _(world, rng):
    frame = world.frame("payments")
    rows = some(frame, 0.005, rng)
    late = frame["occurred_at"] + pd.DateOffset(years=10)
    return {"payments": frame.assign(occurred_at=frame["occurred_at"].where(~rows, late))}


@defect("day and month changed places", "major", "debts.due_after_issue")
def _(world, _rng):
    frame = world.frame("debts")
    due = pd.to_datetime(frame["due_on"])
    swapped = pd.to_datetime(
        {"year": due.dt.year, "month": due.dt.day.where(due.dt.day <= 12, due.dt.month),
         "day": due.dt.month.where(due.dt.day <= 12, due.dt.day)}
    )  # fmt: skip
    return {"debts": frame.assign(due_on=swapped.dt.date)}


@defect("recorded before it happened", "major", "payments.recorded_after")
def _(world, rng):
    frame = world.frame("payments")
    rows = some(frame, 0.05, rng)
    before = frame["occurred_at"] - pd.Timedelta(days=2)
    return {"payments": frame.assign(recorded_at=frame["recorded_at"].where(~rows, before))}


@defect("resolved before it was promised", "major", "promises.in_order")
def _(world, rng):
    frame = world.frame("promises")
    rows = some(frame, 0.1, rng) & frame["resolved_at"].notna()
    before = frame["occurred_at"] - pd.Timedelta(days=5)
    return {"promises": frame.assign(resolved_at=frame["resolved_at"].where(~rows, before))}


@defect("outcomes without a date", "major", "promises.outcomes_dated")
def _(world, rng):
    frame = world.frame("promises")
    return {"promises": frame.assign(resolved_at=frame["resolved_at"].where(~some(frame, 0.2, rng), pd.NaT))}


@defect("recorded when loaded", "major", "payments.recorded_in_time")
def _(world, rng):
    frame = world.frame("payments")
    rows = some(frame, 0.2, rng)
    return {"payments": frame.assign(recorded_at=frame["recorded_at"].where(~rows, world.end))}


@defect("all moments of loading", "major", "payments.moments_vary")
def _(world, rng):
    frame = world.frame("payments")
    rows = some(frame, 0.5, rng)
    loaded = world.end - pd.Timedelta(days=1)
    return {"payments": frame.assign(
        occurred_at=frame["occurred_at"].where(~rows, loaded), recorded_at=frame["recorded_at"].where(~rows, loaded)
    )}  # fmt: skip


@defect("placeholders for dates", "major", "debts.dates_plausible")
def _(world, rng):
    frame = world.frame("debts")
    return {
        "debts": frame.assign(due_on=frame["due_on"].where(~some(frame, 0.01, rng), pd.Timestamp("9999-12-31").date()))
    }


# --- leakage -------------------------------------------------------------------------------------------------------


@defect("portal visits dated by the payment", "major", "features.leakage", leak=True)
def _(world, _rng):
    return {"responses": beside_payments(world, "responses", "response_id", of=("kind", "portal_visit"))}


@defect("letters dated by the payment", "major", "features.leakage", leak=True)
def _(world, _rng):
    return {"contacts": beside_payments(world, "contacts", "contact_id", of=("channel", "letter"))}


def beside_payments(world, table: str, column: str, *, of: tuple[str, str]) -> pd.DataFrame:
    """Rows of one kind, a month before each payment: what a source writes that dates a change by its invoice."""
    frame, payments = world.frame(table), world.frame("payments")
    at = payments["occurred_at"] - pd.Timedelta(days=30)
    leaked = pd.DataFrame({column: "leak-" + payments["payment_id"], "account_id": payments["account_id"]})
    leaked = leaked.assign(**{of[0]: of[1]}, occurred_at=at, recorded_at=at)
    return pd.concat([frame[frame[of[0]] != of[1]], leaked])
