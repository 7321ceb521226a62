from __future__ import annotations

import soak_store

CYCLES, WRITES = 10, 60


def test_a_killed_process_loses_nothing_that_it_acknowledged_and_tears_nothing(url: str) -> None:
    cycles = CYCLES if url.startswith("sqlite") else 3
    *_, found = soak_store.soak(url, cycles=cycles, writes=WRITES)
    assert found.acknowledged >= cycles * WRITES
    assert (found.lost, found.doubled, found.breaks) == (0, 0, 0)
