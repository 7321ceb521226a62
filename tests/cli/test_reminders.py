"""Reminders before the due date, from data to decision and against the truth of the simulated portfolio."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from decisioning.desk import load_desk
from decisioning.engine import decide
from domain.clock import to_us
from features.batch import compute_many
from features.spine import every_account
from simulation import assumptions

REMINDER = "sms/none/morning"
NORMAL_99 = 2.58


@pytest.fixture(scope="module")
def desk(project):
    return load_desk(project / "configs")


@pytest.fixture(scope="module")
def not_due(project):
    """Accounts that owe and are not overdue, by id: forgetfulness, and what the reminder truly adds to p_pay_30d."""
    truth = project / "data/truth"
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""SELECT account_id, forget, sum(p_pay_30d * CASE action WHEN '{REMINDER}' THEN 1 ELSE -1 END)
                FROM '{truth}/accounts.parquet' JOIN '{truth}/values.parquet' USING (account_id)
                WHERE balance > 0 AND overdue = 0 AND action IN ('{REMINDER}', 'wait/none/any') GROUP BY ALL"""
        ).fetchall()
    return {account: (forget, gain) for account, forget, gain in rows}


@pytest.fixture(scope="module")
def decided(encoded, bundle, desk):
    return decide(encoded, as_of=assumptions.END, bundle=bundle, desk=desk)


def lower_difference(gain, forget):
    """The lower end of the interval of the mean gain of the most forgetful third over that of the least."""
    low, high = np.quantile(forget, [1 / 3, 2 / 3])
    most, least = gain[forget > high], gain[forget <= low]
    deviation = np.sqrt(most.var(ddof=1) / len(most) + least.var(ddof=1) / len(least))
    return most.mean() - least.mean() - NORMAL_99 * deviation


def test_accounts_that_are_not_yet_due_are_decided_on(decided, not_due):
    assert not_due and set(not_due) <= {decision.account_id for decision in decided}


def test_some_of_them_are_reminded(decided, not_due):
    assert any(decision.channel != "wait" for decision in decided if decision.account_id in not_due)


def test_a_discount_is_offered_to_none_of_them(decided, not_due):
    offers = {decision.offer for decision in decided if decision.account_id in not_due}
    assert not offers & {"disc10", "disc25", "inst3", "inst6"}


def test_their_decisions_give_reasons(decided, not_due):
    assert all(decision.reasons for decision in decided if decision.account_id in not_due)


def test_a_reminder_truly_makes_the_forgetful_pay_in_time_more_than_others(not_due):
    forget, gain = np.array(list(not_due.values())).T
    assert lower_difference(gain, forget) > 0.0


def test_the_model_expects_a_reminder_to_add_to_the_chance_of_a_payment(encoded, bundle, desk, not_due):
    spine = every_account(len(encoded.account_ids), as_of_us=to_us(assumptions.END))
    values = compute_many(encoded, spine, bundle.schema)
    actions = [desk.catalogue.actions[desk.catalogue.index[name]] for name in (REMINDER, "wait/none/any")]
    p_pay = bundle.response.outcomes(values, bundle.schema, actions).p_pay
    gain = (p_pay[:, 0] - p_pay[:, 1])[[encoded.account_index()[account] for account in not_due]]
    assert gain.mean() - NORMAL_99 * gain.std(ddof=1) / np.sqrt(len(gain)) > 0.0
