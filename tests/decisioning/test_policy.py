from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.arms import Controls
from decisioning.config import Exploration
from decisioning.draws import uniform
from decisioning.policy import action_probabilities, choose


@st.composite
def pages(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n, actions = draw(st.integers(1, 6)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    allowed = rng.random((n, actions)) < 0.5
    allowed[:, 0] = True
    worth = np.where(allowed, np.round(rng.normal(size=(n, actions)) * 100), np.nan)
    return worth, allowed


explorations = st.builds(
    Exploration, share=st.floats(0, 1), top_k=st.integers(1, 10), floor_share=st.floats(0, 1),
    max_expected_loss=st.none() | st.floats(0, 2),
)  # fmt: skip


@given(page=pages(), exploration=explorations)
def test_probabilities_sum_to_1_over_the_allowed_actions(page: tuple, exploration: Exploration) -> None:
    worth, allowed = page
    found = action_probabilities(worth, allowed, exploration)
    assert found.sum(axis=1) == pytest.approx(np.ones(len(worth)), abs=1e-12)
    assert (found >= 0).all()
    assert (found[~allowed] == 0).all()


@given(page=pages(), exploration=explorations, draw=st.floats(0, 1, exclude_max=True))
def test_the_chosen_action_is_allowed_and_has_its_probability(
    page: tuple, exploration: Exploration, draw: float
) -> None:
    worth, allowed = page
    n = len(worth)
    choice = choose(worth, allowed, exploration, draws=np.full(n, draw), controls=Controls.nobody(n, allowed.shape[1]))
    rows = np.arange(n)
    assert allowed[rows, choice.action].all()
    assert (choice.action_prob > 0).all()
    assert (choice.action_prob == choice.probabilities[rows, choice.action]).all()


@given(page=pages(), share=st.floats(0, 1), floor=st.floats(0, 1), top_k=st.integers(1, 10))
def test_every_allowed_action_has_its_part_of_the_floor(page: tuple, share: float, floor: float, top_k: int) -> None:
    worth, allowed = page
    found = action_probabilities(worth, allowed, Exploration(share=share, floor_share=floor, top_k=top_k))
    least = share * floor / allowed.sum(axis=1, keepdims=True)
    assert (np.where(allowed, found, 1.0) >= least - 1e-12).all()


@given(page=pages(), cap=st.floats(0, 2))
def test_a_cap_on_losses_only_ever_explores_less(page: tuple, cap: float) -> None:
    worth, allowed = page
    free = action_probabilities(worth, allowed, Exploration(share=0.5))
    capped = action_probabilities(worth, allowed, Exploration(share=0.5, max_expected_loss=cap))
    assert (capped.max(axis=1) >= free.max(axis=1) - 1e-12).all()


@given(page=pages(), cap=st.floats(0, 2))
def test_exploring_never_costs_more_in_expectation_than_its_cap(page: tuple, cap: float) -> None:
    worth, allowed = page
    exploration = Exploration(share=0.5, max_expected_loss=cap)
    found = action_probabilities(worth, allowed, exploration)
    best = np.where(allowed, worth, -np.inf).max(axis=1, keepdims=True)
    loss = (found * np.where(allowed, best - np.where(allowed, worth, 0), 0)).sum(axis=1)
    assert (loss <= 100 * cap + 1e-9).all()


@given(page=pages(), cap=st.floats(0, 2))
def test_a_cap_thins_exploration_out_and_keeps_its_shape(page: tuple, cap: float) -> None:
    worth, allowed = page
    free = action_probabilities(worth, allowed, Exploration(share=0.5))
    capped = action_probabilities(worth, allowed, Exploration(share=0.5, max_expected_loss=cap))
    for row in range(len(worth)):
        others = allowed[row] & (np.arange(worth.shape[1]) != np.argmax(np.where(allowed[row], worth[row], -np.inf)))
        kept = capped[row, others] / free[row, others]
        assert kept == pytest.approx(np.full(others.sum(), kept.max(initial=0.0)))
        assert (kept <= 1 + 1e-12).all()


@given(page=pages())
def test_without_exploration_the_best_is_certain_and_ties_go_to_the_first(page: tuple) -> None:
    worth, allowed = page
    found = action_probabilities(worth, allowed, Exploration(share=0.0))
    best = np.argmax(np.where(allowed, worth, -np.inf), axis=1)
    assert (found[np.arange(len(worth)), best] == 1.0).all()


def test_the_probability_of_the_best_holds_its_part_of_the_exploration() -> None:
    worth, allowed = np.array([[0.0, 3.0, 2.0, 1.0]]), np.array([[True, True, True, False]])
    found = action_probabilities(worth, allowed, Exploration(share=0.1, top_k=2, floor_share=0.3))
    explored_top, explored_any = 0.1 * 0.7 / 2, 0.1 * 0.3 / 3
    assert found[0].tolist() == pytest.approx(
        [explored_any, 0.9 + explored_top + explored_any, explored_top + explored_any, 0.0]
    )


def test_choices_follow_their_probabilities() -> None:
    worth, allowed = np.tile([0.0, 3.0, 2.0, 1.0], (4000, 1)), np.ones((4000, 4), dtype=bool)
    draws = np.array([uniform(f"a{row}", 20_000, "v") for row in range(4000)])
    exploration = Exploration(share=0.4, top_k=2, floor_share=0.5)
    choice = choose(worth, allowed, exploration, draws=draws, controls=Controls.nobody(4000, allowed.shape[1]))
    expected = choice.probabilities[0]
    deviation = np.sqrt(expected * (1 - expected) / 4000)
    assert (np.abs(np.bincount(choice.action, minlength=4) / 4000 - expected) < 4 * deviation).all()


def test_parts_of_a_draw_cannot_run_together() -> None:
    assert uniform("a", "bc") != uniform("ab", "c")
