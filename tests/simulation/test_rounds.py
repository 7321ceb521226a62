"""The world that is stepped: it goes on as it would have, shows nothing of what comes later, and shares its luck."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest

from domain.clock import to_us
from domain.errors import DataError
from features.tables import read_tables
from simulation.choices import Choice
from simulation.journal import COLUMNS, TABLE, WEEK, WIDTH, keep
from simulation.ladder import playbook_of
from simulation.parts import entry
from simulation.policies import all_knowing, ladder, logging_ladder, wait
from simulation.rounds import Terms, begin, drifted, play_rounds
from simulation.truth import END_DAY
from simulation.week import play_week

TERMS = Terms(rounds=6, runs=4)


@entry
def play_on(traits, states, tools, plan):
    """The undisturbed world: the ladder with its exploration stays in charge."""
    journal, weeks, first_day = plan
    book, week = tools[0][0], tools[1][0]
    written = 0
    for account in range(len(traits)):
        for number in range(weeks):
            week.day, week.end = first_day + 7 * number, first_day + 7 * number + 7
            play_week(traits[account], states[account], book, week)
            written = keep(week, journal, written)
    return written


@pytest.fixture(scope="module")
def start(tmp_path_factory, catalogue):
    folder = tmp_path_factory.mktemp("start")
    return begin(400, seed=11, catalogue=catalogue, out=folder, on_step=lambda _what, _share: None)


@pytest.fixture(scope="module")
def undisturbed(start, catalogue):
    """Journal rows of the weeks after the end, and the states after them."""
    book, week = playbook_of(catalogue), np.zeros(1, dtype=WEEK)
    week["logged"], week["billing"] = 1, 1
    journal, states = np.zeros((200_000, WIDTH), dtype=np.int64), start.world.states.copy()
    written = play_on(start.world.folk.traits, states, (book, week), (journal, TERMS.rounds, END_DAY))
    return journal[:written], states


def spied(policy, found):
    def watched(due):
        found.append(due)
        return policy(due)

    return watched


def rows(folder: Path, query: str) -> list[tuple]:
    words = [
        f"read_parquet('{folder}/{word[1:]}/*.parquet')" if word.startswith("@") else word for word in query.split()
    ]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(" ".join(words)).fetchall()


def digest(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*.parquet"))
    }


def test_stepping_with_the_ladders_own_actions_brings_the_money_of_the_undisturbed_world(start, undisturbed, tmp_path):
    tally = play_rounds(start, logging_ladder, name="logging", terms=TERMS, out=tmp_path)
    journal, _ = undisturbed
    paid = journal[journal[:, 0] == TABLE.payments]
    money = np.zeros(len(start.world.states))
    np.add.at(money, paid[:, 1], paid[:, 1 + COLUMNS["payments"].index("amount")] / 100.0)
    assert np.array_equal(tally.received, money)
    assert tally.received.sum() > 0


def test_stepping_with_the_ladders_own_actions_makes_the_decisions_of_the_undisturbed_world(
    start, undisturbed, catalogue, tmp_path
):
    play_rounds(start, logging_ladder, name="logging", terms=TERMS, out=tmp_path)
    journal, _ = undisturbed
    taken = journal[journal[:, 0] == TABLE.decisions]
    columns = COLUMNS["decisions"]
    names = catalogue.names()
    expected = [
        (f"a{row[1]:07d}", f"x{row[1]:07d}-{row[2]:04d}", row[1 + columns.index("decided")],
         names[row[1 + columns.index("action")]], row[1 + columns.index("eligible")])
        for row in taken.tolist()
    ]  # fmt: skip
    logged = rows(
        tmp_path,
        "SELECT account_id, decision_id, epoch_us(decided_at), channel||'/'||offer||'/'||moment, len(eligible) "
        "FROM @decisions WHERE decided_at >= TIMESTAMPTZ '2026-03-02 12:00:00+00'",
    )
    assert sorted(logged) == sorted(expected)


def test_the_probabilities_of_the_ladder_with_exploration_are_those_of_its_log(start, tmp_path):
    play_rounds(start, logging_ladder, name="logging", terms=replace(TERMS, rounds=2), out=tmp_path)
    wrong = rows(
        tmp_path,
        "SELECT count(*) FROM @decisions WHERE abs(action_prob - 0.1 / len(eligible)) > 1e-9 "
        "AND abs(action_prob - 0.9 - 0.1 / len(eligible)) > 1e-9",
    )
    assert wrong == [(0,)]


def test_a_decision_sees_no_row_that_was_recorded_later(start, tmp_path):
    seen = []

    def watched(due):
        tables = read_tables(due.data, attributes={})
        latest = max(int(tables.ints(name, "recorded_at").max()) for name in tables.columns if tables.rows(name))
        ends = [int(tables.ints("promises", "resolved_at").max()), int(tables.ints("holds", "released_at").max())]
        seen.append((max(latest, *ends), to_us(due.moment)))
        return ladder(due)

    play_rounds(start, watched, name="ladder", terms=TERMS, out=tmp_path)
    assert len(seen) == TERMS.rounds
    assert all(latest < moment for latest, moment in seen)


def test_what_was_known_in_a_round_is_known_ever_after(start, tmp_path):
    counts = []

    def watched(due):
        tables = read_tables(due.data, attributes={})
        counts.append({name: tables.rows(name) for name in tables.columns})
        return ladder(due)

    play_rounds(start, watched, name="ladder", terms=TERMS, out=tmp_path)
    assert all(earlier[name] <= later[name] for earlier, later in pairwise(counts) for name in later)
    assert all(counts[0][name] < counts[-1][name] for name in ("payments", "contacts", "decisions", "responses"))


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "decisions"])
def test_no_row_of_the_undisturbed_world_is_lost_or_doubled(start, undisturbed, tmp_path, name):
    play_rounds(start, logging_ladder, name="logging", terms=TERMS, out=tmp_path)
    journal, states = undisturbed
    columns = COLUMNS[name]
    new = journal[journal[:, 0] == list(COLUMNS).index(name)]
    ends_us = to_us(TERMS.end)
    known = int((new[:, 1 + columns.index("recorded")] < ends_us).sum())
    late = int((start.tables.later[:, 0] == list(COLUMNS).index(name)).sum())
    # Promises that ran at the start are rows of the history; those that run at the end have not been resolved.
    running = int((states["promise"] > 0).sum()) - int((start.world.states["promise"] > 0).sum())
    before = rows(start.tables.folder, f"SELECT count(*) FROM @{name}")[0][0]
    after = rows(tmp_path, f"SELECT count(*) FROM @{name}")[0][0]
    assert after == before + known + late + (running if name == "promises" else 0)


def test_identities_stay_unique_over_the_rounds(start, tmp_path):
    play_rounds(start, ladder, name="ladder", terms=TERMS, out=tmp_path)
    keys = {"payments": "payment_id", "promises": "promise_id", "contacts": "contact_id", "decisions": "decision_id"}
    for name, key in keys.items():
        assert rows(tmp_path, f"SELECT count(*) - count(DISTINCT {key}) FROM @{name}") == [(0,)]


def test_the_same_seed_plays_the_same_bytes(start, catalogue, tmp_path):
    again = begin(400, seed=11, catalogue=catalogue, out=tmp_path / "start", on_step=lambda _what, _share: None)
    for name, world in (("one", start), ("two", again)):
        play_rounds(world, all_knowing, name="all_knowing", terms=replace(TERMS, rounds=2), out=tmp_path / name)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_a_policy_leaves_the_start_as_it_was(start, tmp_path):
    before = start.world.states.copy(), digest(start.tables.folder)
    play_rounds(start, wait, name="wait", terms=TERMS, out=tmp_path)
    assert np.array_equal(start.world.states, before[0])
    assert digest(start.tables.folder) == before[1]


def test_waiting_sends_nothing_and_costs_nothing(start, tmp_path):
    tally = play_rounds(start, wait, name="wait", terms=TERMS, out=tmp_path)
    assert (tally.attempts.sum(), tally.contact_cost.sum(), tally.benefit_cost.sum()) == (0, 0.0, 0.0)


def test_accounts_are_independent_so_that_a_policy_changes_only_whom_it_treats_differently(start, tmp_path):
    touched: set[int] = set()

    def half(due):
        action = np.where(due.account % 2 == 0, due.ladder, 0)
        touched.update(due.account[action != due.ladder].tolist())
        return Choice.sure(action, due.eligible, version="half")

    usual = play_rounds(start, ladder, name="ladder", terms=TERMS, out=tmp_path / "ladder")
    other = play_rounds(start, half, name="half", terms=TERMS, out=tmp_path / "half")
    differing = set(np.flatnonzero(usual.received != other.received).tolist())
    assert differing <= touched
    assert differing


def test_a_gated_action_is_refused(start, catalogue, tmp_path):
    gated = next(place for place, action in enumerate(catalogue.actions) if action.gated)

    def protest(due):
        return Choice.sure(np.full(len(due.account), gated), due.eligible, version="protest")

    with pytest.raises(DataError, match="gated"):
        play_rounds(start, protest, name="protest", terms=TERMS, out=tmp_path)


def test_the_unpaid_share_starts_at_everything_and_only_bills_of_the_start_count(start, tmp_path):
    tally = play_rounds(start, wait, name="wait", terms=TERMS, out=tmp_path)
    assert (tally.unpaid_cents <= tally.start_cents.sum(axis=1)).all()
    assert 0 < tally.unpaid_cents.sum() < tally.start_cents.sum()


def test_without_drift_the_playbook_stays_and_with_it_reach_falls_and_hardship_grows(catalogue):
    usual, still = playbook_of(catalogue), drifted(catalogue, rounds=9, strength=0.0)
    moved = drifted(catalogue, rounds=9, strength=1.0)
    place = catalogue.channels.index("whatsapp")
    assert usual.tobytes() == still.tobytes()
    assert moved["reach"][0, place] < usual["reach"][0, place]
    assert moved["falls"][0] > usual["falls"][0]
