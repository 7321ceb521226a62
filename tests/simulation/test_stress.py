from __future__ import annotations

import json
import math

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from domain.errors import ConfigError
from simulation import assumptions
from simulation.portfolio import draw_portfolio
from simulation.states import STATE, TRAITS
from simulation.stress import NO_STRESS, Stress
from simulation.truth import Objective, World, write_truth
from simulation.world import histories, simulate


@pytest.fixture(scope="module")
def hidden(tmp_path_factory, catalogue):
    folder = tmp_path_factory.mktemp("hidden")
    simulate(accounts=700, seed=7, out=folder, catalogue=catalogue, stress=Stress(hidden_ladder=True))
    return folder


@pytest.fixture(scope="module")
def drawn(catalogue):
    """Portfolios of the same seed, one debtor a row, none of them retired: those are shifted as a group."""

    def draw(stress: Stress) -> np.ndarray:
        folk = draw_portfolio(6_000, catalogue=catalogue, rng=np.random.default_rng(3), stress=stress)
        first = np.unique(folk.debtor, return_index=True)[1]
        return folk.traits[first[folk.employment[first] != assumptions.EMPLOYMENT.index("retired")]]

    return draw


def ladder_actions(folder, *, in_hardship: bool) -> set[str]:
    query = f"SELECT ladder_action FROM '{folder}/truth/accounts.parquet' WHERE in_hardship = ? AND balance > 0"
    with duckdb.connect() as connection:
        return {name for (name,) in connection.execute(query, [in_hardship]).fetchall()}


@pytest.mark.parametrize("tie", [0.0, 0.3, 0.8])
def test_reach_has_the_asked_correlation_with_willingness(drawn, catalogue, tie):
    people = drawn(Stress(tie_reach=tie))
    found = [np.corrcoef(people["will"], people["affinity"][:, c])[0, 1] for c in range(len(catalogue.channels))]
    # Five standard errors of a correlation of two normals, (1 − ρ²) / √n.
    assert found == pytest.approx([tie] * len(found), abs=5 * (1 - tie**2) / math.sqrt(len(people)))


def test_a_tie_of_the_usual_correlation_is_the_usual_world(drawn, catalogue):
    usual = 0.40 / math.sqrt(0.40**2 + 0.45**2 + 0.70**2)  # by the weights of a channel of text
    texts = [c for c, name in enumerate(catalogue.channels) if name in ("sms", "email", "whatsapp", "chatbot")]
    tied, plain = (drawn(stress)["affinity"][:, texts] for stress in (Stress(tie_reach=usual), NO_STRESS))
    assert tied == pytest.approx(plain, rel=1e-9, abs=1e-12)


def test_a_tie_leaves_how_far_debtors_differ_in_reach(drawn, catalogue):
    tied, plain = (drawn(stress)["affinity"] for stress in (Stress(tie_reach=0.8), NO_STRESS))
    channels = len(catalogue.channels)
    ratio = tied[:, :channels].std(axis=0) / plain[:, :channels].std(axis=0)
    # Five standard errors, were both drawn apart: the deviation of n normals has a relative one of 1 / √(2n).
    assert ratio == pytest.approx(np.ones(channels), abs=5 * math.sqrt(2 / (2 * len(tied))))


def test_a_tie_changes_reach_and_visits_to_the_portal_and_nothing_else_that_is_drawn(catalogue):
    plain, tied = (
        draw_portfolio(300, catalogue=catalogue, rng=np.random.default_rng(3), stress=stress)
        for stress in (NO_STRESS, Stress(tie_reach=0.8))
    )
    pairs = {name: (plain.traits[name], tied.traits[name]) for name in TRAITS.names}
    others = ("debtor", "region", "employment", "product", "income", "birth_year", "opened_us")
    pairs |= {name: (getattr(plain, name), getattr(tied, name)) for name in others}
    changed = {name for name, (one, other) in pairs.items() if not np.array_equal(one, other, equal_nan=True)}
    assert changed == {"affinity", "portal"}


@pytest.mark.parametrize("tie", [-0.1, 1.2, math.nan])
def test_what_is_no_correlation_from_0_to_1_is_refused(tie):
    with pytest.raises(ConfigError, match=rf"found {tie}, needed a correlation from 0 to 1"):
        Stress(tie_reach=tie)


def test_a_tied_world_is_lived_by_the_debtors_that_were_drawn_with_the_tie(tmp_path, catalogue):
    stress = Stress(tie_reach=0.8)
    simulate(accounts=40, seed=5, out=tmp_path, catalogue=catalogue, stress=stress)
    folk = draw_portfolio(40, catalogue=catalogue, rng=np.random.default_rng(5), stress=stress)
    lived = pq.read_table(tmp_path / "truth/accounts.parquet")[f"affinity_{catalogue.channels[0]}"]
    assert np.array_equal(lived, folk.traits["affinity"][:, 0])


def test_a_ladder_that_sees_hardship_waits_on_all_who_are_in_it(hidden):
    assert ladder_actions(hidden, in_hardship=True) == {"wait/none/any"}


def test_a_ladder_that_sees_hardship_contacts_others(hidden):
    assert ladder_actions(hidden, in_hardship=False) > {"wait/none/any"}


def test_the_ordinary_ladder_contacts_some_who_are_in_hardship(world):
    assert ladder_actions(world.folder, in_hardship=True) > {"wait/none/any"}


def test_the_probabilities_that_the_hidden_ladder_logs_are_those_of_its_own_choices(hidden):
    query = f"SELECT action_prob, len(eligible) FROM '{hidden}/decisions.parquet'"
    with duckdb.connect() as connection:
        prob, n = (np.array(column) for column in zip(*connection.execute(query).fetchall(), strict=True))
    # 1 / (n · probability of what was chosen) has mean 1 where n actions are open, and with probabilities e/n of each
    # and 1 − e more of the ladder's own this second moment. Decisions explore independently of each other.
    e = assumptions.EXPLORED
    second = (1 / (1 - e + e / n) + (n - 1) * n / e) / n**2
    assert (1 / (n * prob)).mean() == pytest.approx(1.0, abs=4 * math.sqrt((second - 1).sum()) / len(n))


def test_in_the_truth_the_ladder_goes_on_as_in_the_history(tmp_path, catalogue):
    folk = draw_portfolio(300, catalogue=catalogue, rng=np.random.default_rng(7))
    states = np.zeros(300, dtype=STATE)
    for _ in histories(folk, states, catalogue=catalogue, tell=lambda _what, _share: None):
        pass
    money = []
    for stress in (NO_STRESS, Stress(hidden_ladder=True)):
        world, out = World(folk, states, catalogue, seed=7, stress=stress), tmp_path / str(stress.hidden_ladder)
        write_truth(world, out, objective=Objective(), tell=lambda _share: None)
        money.append(pq.read_table(out / "values.parquet")["expected_recovered"].to_numpy())
    # The same accounts, actions and luck: only what the ladder does in later weeks can differ.
    assert not np.array_equal(*money)


def test_what_was_set_is_told(hidden):
    meta = json.loads((hidden / "truth" / "meta.json").read_text(encoding="utf-8"))
    assert meta["stress"] == {"tie_reach": None, "hidden_ladder": True}
