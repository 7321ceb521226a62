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


@pytest.mark.parametrize("learner", ["funnel_blend"])
def test_a_learner_of_a_later_version_is_refused_by_name(tmp_path: Path, learner: str) -> None:
    with pytest.raises(ConfigError, match="needed one of hurdle, funnel"):
        load_training_config(written(tmp_path, f"response: {{learner: {learner}}}"))


def test_an_unknown_key_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'max_per_account'"):
        load_training_config(written(tmp_path, "sampling: {max_per_acount: 3}"))


def test_a_share_label_needs_a_share(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="min_share_paid above 0"):
        load_training_config(written(tmp_path, "label: {kind: share}"))
