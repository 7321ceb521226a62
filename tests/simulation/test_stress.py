from __future__ import annotations

import json

import duckdb
import numpy as np
import pytest

from domain.errors import ConfigError
from simulation import assumptions
from simulation.portfolio import draw_portfolio
from simulation.stress import Stress
from simulation.world import simulate


@pytest.fixture(scope="module")
def hidden(tmp_path_factory, catalogue):
    folder = tmp_path_factory.mktemp("hidden")
    simulate(accounts=700, seed=7, out=folder, catalogue=catalogue, stress=Stress(hidden_ladder=True))
    return folder


def ladder_of_those_in_hardship(folder) -> list[str]:
    query = f"SELECT ladder_action FROM '{folder}/truth/accounts.parquet' WHERE in_hardship AND balance > 0"
    with duckdb.connect() as connection:
        return [name for (name,) in connection.execute(query).fetchall()]


@pytest.mark.parametrize("tie", [0.3, 0.8])
def test_affinities_have_the_asked_correlation_with_willingness(catalogue, tie):
    folk = draw_portfolio(6_000, catalogue=catalogue, rng=np.random.default_rng(3), stress=Stress(tie_reach=tie))
    people = np.unique(folk.debtor, return_index=True)[1]
    # The retired are shifted as a group, whatever their willingness.
    people = people[folk.employment[people] != assumptions.EMPLOYMENT.index("retired")]
    will, affinity = folk.traits["will"][people], folk.traits["affinity"][people]
    found = [np.corrcoef(will, affinity[:, c])[0, 1] for c in range(len(catalogue.channels))]
    # Five standard errors of a correlation of two normals, (1 − ρ²) / √n.
    assert found == pytest.approx([tie] * len(found), abs=5 * (1 - tie**2) / np.sqrt(len(people)))


def test_a_tie_leaves_everything_but_reach_as_drawn(catalogue):
    plain, tied = (
        draw_portfolio(300, catalogue=catalogue, rng=np.random.default_rng(3), stress=Stress(tie_reach=tie))
        for tie in (0.0, 0.8)
    )
    assert np.array_equal(plain.traits["will"], tied.traits["will"])


def test_a_correlation_over_one_is_refused():
    with pytest.raises(ConfigError, match=r"found 1\.2, needed a correlation from 0 to 1"):
        Stress(tie_reach=1.2)


def test_a_ladder_that_sees_hardship_waits_on_all_who_are_in_it(hidden):
    assert set(ladder_of_those_in_hardship(hidden)) == {"wait/none/any"}


def test_the_ordinary_ladder_contacts_some_who_are_in_hardship(world):
    assert set(ladder_of_those_in_hardship(world.folder)) > {"wait/none/any"}


def test_a_stress_of_nothing_writes_the_bytes_of_no_stress(tmp_path, catalogue):
    simulate(accounts=40, seed=5, out=tmp_path / "none", catalogue=catalogue)
    simulate(accounts=40, seed=5, out=tmp_path / "zero", catalogue=catalogue, stress=Stress(0.0, False))
    none, zero = (
        {str(f.relative_to(tmp_path / name)): f.read_bytes() for f in (tmp_path / name).rglob("*.*")}
        for name in ("none", "zero")
    )
    assert none == zero


def test_the_probabilities_of_the_hidden_ladder_are_those_of_its_own_choices(hidden):

    # The inverse of the probability of what was chosen averages to the number of eligible actions.
    share = "1 / (action_prob * len(eligible))"
    query = f"SELECT avg({share}), stddev({share}), count(*) FROM '{hidden}/decisions.parquet'"
    with duckdb.connect() as connection:
        mean, deviation, rows = connection.execute(query).fetchone()
    assert mean == pytest.approx(1.0, abs=5 * deviation / np.sqrt(rows))


def test_what_was_set_is_told(hidden):
    meta = json.loads((hidden / "truth" / "meta.json").read_text(encoding="utf-8"))
    assert meta["stress"] == {"tie_reach": 0.0, "hidden_ladder": True}
