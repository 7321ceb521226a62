"""A client may come so often in any span of so long, and no client has a part in what another does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.access.rates import Rates

MOST, WIDTH_S = 3, 60
VISITS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40)), max_size=60)


def _answers(visits: list[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """Who came when, and what each was told."""
    now = 0
    rates = Rates(f"{MOST}/minute", clock=lambda: now)
    found = []
    for client, later in visits:
        now += later
        found.append((client, now, rates.wait_s(client)))
    return found


@given(visits=VISITS)
def test_a_client_passes_where_it_passed_less_than_so_often_in_the_window_that_ends_now(
    visits: list[tuple[str, int]],
) -> None:
    passed: dict[str, list[int]] = {"a": [], "b": []}
    for client, now, told in _answers(visits):
        inside = [at for at in passed[client] if at >= now - WIDTH_S]
        assert (told == 0) == (len(inside) < MOST)
        if told == 0:
            passed[client].append(now)


@given(visits=VISITS)
def test_who_comes_again_after_the_seconds_told_passes(visits: list[tuple[str, int]]) -> None:
    told = _answers(visits)
    if told and told[-1][2]:
        client, _, wait_s = told[-1]
        assert _answers([*visits, (client, wait_s + 1)])[-1][2] == 0


def test_a_client_that_stays_away_is_forgotten() -> None:
    now = 0
    rates = Rates(f"{MOST}/minute", clock=lambda: now)
    for number in range(100):
        rates.wait_s(f"client {number}")
    now = WIDTH_S + 1
    rates.wait_s("another")
    assert list(rates._came) == ["another"]
