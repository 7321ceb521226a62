from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest

from domain.clock import to_us
from domain.config import load_section
from domain.tables import TABLES
from features.config import FeaturesConfig
from features.encoding import encode
from features.spine import every_account
from features.state import account_states
from features.tables import read_tables
from simulation import assumptions
from simulation.world import simulate

WRITTEN = [name for name in TABLES if name != "approvals"]
"""In the simulated world nobody asks for approvals."""


def digest(folder: Path) -> dict[str, str]:
    files = sorted(folder.rglob("*.*"))
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.is_file()}


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path, catalogue):
    for name, seed in (("first", 5), ("again", 5), ("other", 6)):
        simulate(accounts=40, seed=seed, out=tmp_path / name, catalogue=catalogue)
    assert digest(tmp_path / "first") == digest(tmp_path / "again")
    different = digest(tmp_path / "other")
    assert all(different[name] != value for name, value in digest(tmp_path / "first").items())


def test_every_canonical_table_is_written_with_its_columns(world):
    for name in WRITTEN:
        columns = {row[0] for row in world.rows(f"DESCRIBE SELECT * FROM @{name}")}
        required = {column.name for column in TABLES[name].columns if column.required}
        assert required <= columns
        assert columns <= {column.name for column in TABLES[name].columns} | {"income", "employment"}


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "accounts"])
def test_identities_are_unique(world, name):
    key = TABLES[name].id_column
    assert world.one(f"SELECT count(*) = count(DISTINCT ({key}, recorded_at)) AND count(*) > 0 FROM @{name}") == (True,)


@pytest.mark.parametrize("name", [name for name in WRITTEN if name not in ("accounts", "decisions")])
def test_events_lie_within_the_life_of_their_account_and_are_recorded_later_but_before_the_end(world, name):
    query = f"""SELECT count(*) FILTER (e.occurred_at < a.opened_at OR e.recorded_at < e.occurred_at
                OR epoch_us(e.recorded_at) >= {to_us(assumptions.END)}), count(*)
                FROM @{name} e LEFT JOIN @accounts a USING (account_id)"""
    outside, rows = world.one(query)
    assert outside == 0
    assert rows == world.one(f"SELECT count(*) FROM @{name}")[0]


def test_some_payments_are_posted_days_after_they_were_made(world):
    share = world.one("SELECT avg((date_diff('hour', occurred_at, recorded_at) > 24)::INT) FROM @payments")[0]
    assert 0.10 < share < 0.60


def test_a_tenth_of_the_debtors_hold_several_accounts(world):
    share, debtors = world.one(
        "SELECT avg((n > 1)::INT), count(*) FROM ( SELECT count(*) AS n FROM @accounts GROUP BY debtor_id )"
    )
    assert abs(share - assumptions.SHARING) < 4 * math.sqrt(assumptions.SHARING * 0.9 / debtors)


def test_decisions_log_the_true_probability_of_what_they_chose(world):
    rows = world.rows("SELECT channel||'/'||offer||'/'||moment, action_prob, arm, eligible FROM @decisions")
    explored = assumptions.EXPLORED
    for action, prob, arm, eligible in rows:
        floor = explored / len(eligible)
        assert action in eligible and len(set(eligible)) == len(eligible) and "wait/none/any" in eligible
        assert prob == pytest.approx(floor, abs=1e-12) or prob == pytest.approx(1 - explored + floor, abs=1e-12)
        assert arm == "explore" or prob > 1 - explored
        assert not action.startswith("protest")


def test_exploration_takes_its_share(world):
    share, n = world.one("SELECT avg((arm = 'explore')::INT), count(*) FROM @decisions")
    assert abs(share - assumptions.EXPLORED) < 4 * math.sqrt(assumptions.EXPLORED * 0.9 / n)


def test_the_inverse_of_the_logged_probabilities_averages_to_one(world):
    # E[1(not the ladder's action) / action_prob] is the number of other eligible actions, if they are true.
    values = world.rows(
        "SELECT CASE WHEN action_prob < 0.5 THEN 1 / action_prob ELSE 0 END / (len(eligible) - 1) FROM @decisions"
    )
    weights = np.array(values, dtype=np.float64).ravel()
    assert abs(weights.mean() - 1.0) < 4 * weights.std() / math.sqrt(len(weights))


def test_decided_contacts_are_mostly_but_not_always_carried_out(world):
    share = world.one(
        "SELECT count(c.contact_id) / count(*) FROM @decisions d LEFT JOIN @contacts c USING (decision_id) "
        "WHERE d.channel <> 'wait'"
    )[0]
    assert 0.70 <= share <= 0.90


def test_a_contact_follows_its_decision_within_two_days_and_by_its_channel(world):
    wrong = world.one(
        "SELECT count(*) FROM @contacts c JOIN @decisions d USING (decision_id) WHERE c.channel <> d.channel "
        "OR c.offer <> d.offer OR c.occurred_at < d.decided_at OR c.occurred_at > d.decided_at + INTERVAL 2 DAY"
    )[0]
    assert wrong == 0


def test_consents_opt_outs_and_holds_are_respected(world):
    barred = world.one(
        "SELECT count(*) FROM @decisions d JOIN @consents s ON s.account_id = d.account_id AND s.channel = d.channel "
        "AND s.status <> 'granted' AND s.occurred_at < d.decided_at"
    )[0]
    unasked = world.one(
        "SELECT count(*) FROM @decisions d WHERE d.channel IN ('whatsapp', 'chatbot') AND NOT EXISTS ( FROM "
        "@consents s WHERE s.account_id = d.account_id AND s.channel = d.channel AND s.status = 'granted' "
        "AND s.occurred_at < d.decided_at )"
    )[0]
    held = world.one(
        "SELECT count(*) FROM @decisions d JOIN @holds h ON h.account_id = d.account_id "
        "AND h.occurred_at < d.decided_at AND (h.released_at IS NULL OR h.released_at > d.decided_at)"
    )[0]
    assert (barred, unasked, held) == (0, 0, 0)


def test_nobody_pays_much_more_than_was_billed(world):
    worst = world.one(
        "SELECT max(paid / owed) FROM ( SELECT account_id, sum(amount) AS paid FROM @payments GROUP BY 1 ) JOIN "
        "( SELECT account_id, sum(amount) AS owed FROM @debts WHERE promise_id IS NULL GROUP BY 1 ) USING (account_id)"
    )[0]
    assert worst < 1.25  # a penalty of 2 % and 1 % a month, for at most three years


def test_an_agreement_is_broken_more_often_with_each_instalment(world):
    # Of the instalments that fell due in full view, by number: the share never paid.
    rows = world.rows(
        """SELECT number, avg((paid IS NULL)::INT), count(*) FROM ( SELECT row_number() OVER (PARTITION BY d.promise_id
        ORDER BY d.due_on) AS number, y.paid, d.due_on FROM @debts d LEFT JOIN ( SELECT debt_id, sum(amount) AS paid
        FROM @payments GROUP BY 1 ) y USING (debt_id) WHERE d.promise_id IS NOT NULL ) WHERE due_on < DATE '2026-02-01'
        GROUP BY 1 ORDER BY 1"""
    )
    shares = [share for number, share, n in rows if number <= 3]
    assert shares == sorted(shares) and shares[0] < shares[2]


def test_settlements_and_broken_agreements_leave_their_debt_events(world):
    kinds = {row[0] for row in world.rows("SELECT DISTINCT kind FROM @debt_events")}
    assert {"discount", "renegotiated", "cancelled", "reinstated", "bureau_listed", "bureau_removed"} <= kinds
    assert world.one("SELECT count(*) > 0 FROM @payments WHERE amount < 0") == (True,)


def test_the_balance_of_the_domain_agrees_with_the_simulated_books(world):
    attributes = load_section(Path("configs/features.yaml"), FeaturesConfig).attributes
    encoded = encode(read_tables(world.folder, attributes=attributes), attributes=attributes)
    spine = every_account(len(encoded.account_ids), as_of_us=to_us(assumptions.END))
    states = account_states(encoded, spine, channels=("sms",))
    rows = world.rows("SELECT balance FROM @truth/accounts ORDER BY account_id")
    simulated = np.array([round(row[0] * 100) for row in rows])
    # The rest are payments posted after the end, of which a settlement or a part of a debt shows differently.
    assert np.mean(states.balance_cents == simulated) > 0.98
