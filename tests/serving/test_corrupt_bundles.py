"""The short form of benchmarks/soak_bundles.py: damaged and forged bundles against a model that serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from soak_bundles import House, soak

from serving.loading import tried_in_a_child

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="module")
def house(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("registry"), bundle, configs=CONFIGS, trial=tried_in_a_child)


def test_whatever_differs_from_what_was_promoted_is_refused_and_the_model_serves_on(house: House) -> None:
    found = soak(house, corruptions=90, seed=1, pickles=4)
    assert found.total() == 89
    assert not [kind for kind in found if kind[1] in {"TAKEN", "CHANGED"}]
    assert not house.mark.exists()


def test_the_bundle_as_it_was_promoted_is_taken(house: House) -> None:
    assert house.offered(lambda *_: None, None, sealed=True) == "the same"
