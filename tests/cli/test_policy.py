from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from domain.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs"
RUN = CliRunner()


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIGS, tmp_path / "configs"))


def test_the_shipped_packs_pass_their_examples() -> None:
    found = RUN.invoke(app, ["policy", "--check", "--json", "--configs", str(CONFIGS)])
    assert found.exit_code == 0
    assert json.loads(found.stdout)["broken"] == []


def test_a_pack_that_does_not_do_what_its_examples_say_is_exit_1(configs: Path) -> None:
    path = configs / "contact_policy" / "us_reg_f.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("[8, 21]", "[9, 21]"), encoding="utf-8")
    found = RUN.invoke(app, ["policy", "--check", "--json", "--configs", str(configs)])
    assert found.exit_code == 1
    assert any("us.window" in line for line in json.loads(found.stdout)["broken"])


def test_a_folder_without_packs_is_refused(configs: Path) -> None:
    shutil.rmtree(configs / "contact_policy")
    with pytest.raises(ConfigError, match="found no packs"):
        RUN.invoke(app, ["policy", "--configs", str(configs)], catch_exceptions=False)
