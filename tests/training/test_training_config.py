from pathlib import Path

import pytest

from domain.errors import ConfigError
from training.config import load_training_config


def written(folder: Path, text: str) -> Path:
    path = folder / "training.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_configuration_shipped_is_valid() -> None:
    assert load_training_config(Path("configs/training.yaml")).model.threads == 2


def test_a_learner_that_there_is_not_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'hurdle', 'funnel', 'funnel_blend' or 'funnel_q'"):
        load_training_config(written(tmp_path, "response: {learner: causal_forest}"))


def test_an_unknown_key_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'max_per_account'"):
        load_training_config(written(tmp_path, "sampling: {max_per_acount: 3}"))


def test_a_share_label_needs_a_share(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="min_share_paid above 0"):
        load_training_config(written(tmp_path, "label: {kind: share}"))
