"""A small project of its own: simulated, trained and promoted once for all tests of the command line."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from decisioning.bundle import ModelBundle, read_bundle
from features.encoding import Encoded, encode
from features.tables import read_tables

ROOT = Path(__file__).parents[2]
ACCOUNTS = 700


@dataclass(frozen=True)
class Outcome:
    """What a command gave: exit code, stdout and stderr."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def command(folder: Path, *arguments: object) -> int:
    """Run ``acerto`` in this process as the shell would; returns the exit code."""
    from cli.main import main

    before = sys.argv
    sys.argv = ["acerto", *map(str, arguments)]
    try:
        with working_in(folder):
            main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        sys.argv = before
    return 0


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "configs", folder / "configs")
    training = yaml.safe_load((folder / "configs/training.yaml").read_text(encoding="utf-8"))
    training["model"] |= {"threads": 1, "max_leaves": 7, "max_depth": 3}
    # Two workers of the tests on two cores: more threads would only wait for each other.
    training["model"] |= {"threads": 1, "max_rounds": 60}
    (folder / "configs/training.yaml").write_text(yaml.safe_dump(training), encoding="utf-8")
    assert command(folder, "simulate", "--accounts", ACCOUNTS, "--seed", 3, "--out", "data") == 0
    assert command(folder, "train", "--data", "data", "--name", "first") == 0
    assert command(folder, "promote", "--force", "--why", "a test") == 0
    return folder


@pytest.fixture(scope="session")
def encoded(project: Path) -> Encoded:
    """The project's portfolio."""
    return encode(read_tables(project / "data", attributes={}), attributes={})


@pytest.fixture(scope="session")
def bundle(project: Path) -> ModelBundle:
    """Its first version."""
    return read_bundle(project / "mlruns/bundles/1")


@pytest.fixture(scope="session")
def acerto_in() -> Callable[..., int]:
    """A command in a folder, for fixtures that outlive one test: its exit code alone."""
    return command


@pytest.fixture(scope="session")
def small_place(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes folders to train in quickly, each with the project's data and a registry of its own."""

    def made(name: str, *, rows: int, rounds: int, horizons: list[int], **training: object) -> Path:
        """``rows`` and ``rounds`` bound the payment model, ``training`` are other sections of training.yaml."""
        folder = tmp_path_factory.mktemp(name)
        shutil.copytree(project / "configs", folder / "configs")
        (folder / "data").symlink_to(project / "data")
        path = folder / "configs/training.yaml"
        settings = yaml.safe_load(path.read_text(encoding="utf-8")) | {"seeds": 0, **training}
        settings["sampling"] |= {"max_rows": rows}
        settings["model"] |= {"max_rounds": rounds}
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        (folder / "configs/decision.yaml").write_text(yaml.safe_dump({"horizon_days": horizons}), encoding="utf-8")
        return folder

    return made


@pytest.fixture(scope="session")
def looped(project: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of one closed loop of a few policies, and the figures that it wrote."""
    arguments = ("--accounts", 400, "--seed", 9, "--rounds", 2, "--model", "champion", "--out", "loop")
    assert command(project, "simulate", *arguments, "--policies", "ladder,greedy,exploration,all_knowing") == 0
    return project / "loop", json.loads((project / "loop/rounds.json").read_text(encoding="utf-8"))


@pytest.fixture
def acerto(project: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object, folder: Path = project) -> Outcome:
        capfd.readouterr()
        code = command(folder, *arguments)
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run
