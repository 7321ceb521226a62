"""The key that switches tuning on, its bounds, and what is refused of them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.tree_forest import POINTS
from decisioning.tree_limits import DEEPEST
from domain.errors import ConfigError
from training.config import ModelConfig, TrainingConfig, load_training_config
from training.runs.configs import Configs
from training.tuning.config import SpaceConfig
from training.tuning.shapes import NAMES, distributions, inside, shape_of, with_shape


def loaded(tmp_path, text):
    path = tmp_path / "training.yaml"
    path.write_text(text, encoding="utf-8")
    return load_training_config(path)


def test_tuning_is_off_unless_the_one_key_says_otherwise(tmp_path):
    assert not load_training_config(Path("configs/training.yaml")).tuning.enabled
    assert loaded(tmp_path, "tuning: {enabled: true}").tuning.enabled


def test_the_shipped_shape_lies_within_the_shipped_bounds():
    assert inside(SpaceConfig(), shape_of(ModelConfig()))


def test_the_shipped_bounds_keep_what_is_quick_to_explain():
    assert (SpaceConfig().max_leaves[1], SpaceConfig().max_depth[1]) == (31, 6)


def test_no_tree_may_be_deeper_than_the_explanation_kernel_is_exact_for(tmp_path):
    assert 2 * max(POINTS) == DEEPEST
    loaded(tmp_path, f"tuning: {{space: {{max_depth: [3, {DEEPEST}]}}}}")
    with pytest.raises(ConfigError, match=rf"found up to {DEEPEST + 1}, needed at most {DEEPEST}"):
        loaded(tmp_path, f"tuning: {{space: {{max_depth: [3, {DEEPEST + 1}]}}}}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("space: {max_leaves: [31, 7]}", r"bounds \[31, 7\], needed the lower one first"),
        ("space: {max_leaves: [1, 31]}", "needed 2 to 1024"),
        ("space: {feature_share: [0.5, 1.5]}", "needed at most 1"),
        ("space: {max_leafs: [7, 31]}", "max_leaves"),
        ("folds: 2", "folds"),
    ],
)
def test_a_wrong_bound_is_refused_by_name(tmp_path, text, found):
    with pytest.raises(ConfigError, match=found):
        loaded(tmp_path, f"tuning: {{{text}}}")


def test_switched_off_it_decides_no_hash_and_switched_on_it_does():
    def decides(**tuning):
        training = TrainingConfig.model_validate({"tuning": tuning})
        return Configs(training, None, None, None).that_decide_the_model()

    assert decides() == decides(trials=5, folds=3)
    assert "tuning" not in decides() and decides(enabled=True)["tuning"]["trials"] == 30


def test_settings_that_came_later_are_in_no_hash_where_they_are_as_before():
    def model(**settings):
        training = TrainingConfig.model_validate({"model": settings})
        return Configs(training, None, None, None).that_decide_the_model()["model"]

    assert "l2" not in model() and model(l2=4.0)["l2"] == 4.0


@given(draw=st.data())
def test_whatever_is_drawn_makes_a_valid_model_and_comes_back_as_its_shape(draw):
    space = SpaceConfig()
    shape = {
        name: draw.draw((st.integers if isinstance(getattr(space, name)[0], int) else st.floats)(*getattr(space, name)))
        for name in NAMES
    }
    model = with_shape(ModelConfig(seed=4), shape)
    assert shape_of(model) == shape and model.seed == 4
    assert all(one._contains(one.to_internal_repr(shape[name])) for name, one in distributions(space).items())
