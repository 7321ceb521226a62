"""The short form of benchmarks/soak_swap.py: a real service, swapped under load."""

from __future__ import annotations

from pathlib import Path

import soak_swap

ROOT = Path(__file__).parents[2]


def test_swaps_fail_no_request_and_each_answer_is_that_of_the_bundle_it_names(
    bundle: Path, next_bundle: Path, tmp_path: Path
) -> None:
    found = soak_swap.soak(tmp_path, [bundle, next_bundle], swaps=4, load_every=99, clients=2, configs=ROOT / "configs")
    assert found["outcomes"].keys() == {"200"}
    assert (len(found["took"][True]), len(found["took"][False])) == (1, 3)
    assert found["versions"] == {"1", "2"}
    assert found["differing"] == 0
