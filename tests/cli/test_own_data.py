"""The way of a new user: a folder to start in, a mapping, tables, and from there to a decision, as the README says."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from mapped import BASICS, mapping_of, write_csv

from cli.starting import NAMES

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("ACERTO_DATA", ROOT / ".." / "shared" / "data"))
INVOICES = DATA / "ibm_ar_invoices"
SECONDS = 280


@dataclass(frozen=True)
class Done:
    """What a command gave."""

    code: int
    out: str
    err: str


Acerto = Callable[..., Done]


@pytest.fixture
def acerto(acerto_in: Callable[..., int], capfd: pytest.CaptureFixture[str]) -> Acerto:
    """A command in a folder of its own: none of these needs the simulated project."""

    def run(*arguments: object, folder: Path) -> Done:
        capfd.readouterr()
        code = acerto_in(folder, *arguments)
        captured = capfd.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def mine(tmp_path: Path, acerto: Acerto) -> Path:
    """A folder that ``acerto init`` made."""
    assert acerto("init", "mine", folder=tmp_path).code == 0
    return tmp_path / "mine"


@pytest.fixture
def mapped(mine: Path) -> Path:
    """The same with a mapping of two accounts, and the file that it names."""
    write_csv(mine / "s.csv", [{"id": "Maria-1", "x": "12.5"}, {"id": "Maria-2", "x": "n/a"}])
    write_mapping(mine)
    return mine


def write_mapping(folder: Path, **columns: Any) -> None:
    text = yaml.safe_dump(mapping_of(**columns), allow_unicode=True)
    (folder / "mapping.yaml").write_text(text, encoding="utf-8")


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_init_writes_what_it_says_and_the_configurations_of_the_project(mine: Path) -> None:
    assert {path.name for path in mine.iterdir()} == set(NAMES)
    assert files_below(mine / "configs") == files_below(ROOT / "configs")


def test_init_says_what_to_do_next(tmp_path: Path, acerto: Acerto) -> None:
    assert "acerto validate --mapping mapping.yaml" in acerto("init", "mine", folder=tmp_path).err


@pytest.mark.parametrize("name", NAMES)
def test_init_writes_over_nothing(tmp_path: Path, acerto: Acerto, name: str) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    done = acerto("init", ".", folder=tmp_path)
    assert done.code == 1
    assert f"found {name}, needed a folder without" in done.err
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_mapping_that_is_not_filled_in_says_what_is_missing(mine: Path, acerto: Acerto) -> None:
    done = acerto("validate", "--mapping", "mapping.yaml", folder=mine)
    assert done.code == 1
    assert "sources.main: found no file *.csv" in done.err


def test_every_configuration_is_packed_into_a_wheel() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    patterns = tool["package-data"]["cli.configs"]
    assert tool["package-dir"]["cli.configs"] == "configs"
    unpacked = {name for name in files_below(ROOT / "configs") if not any(_matches(name, one) for one in patterns)}
    assert unpacked == set()


def _matches(name: str, pattern: str) -> bool:
    """As setuptools does it: a star stands for no slash."""
    return name.count("/") == pattern.count("/") and fnmatch.fnmatch(name, pattern)


def test_validate_checks_what_a_mapping_makes_and_keeps_nothing(mapped: Path, acerto: Acerto) -> None:
    before = files_below(mapped)
    done = acerto("validate", "--mapping", "mapping.yaml", "--json", folder=mapped)
    told = json.loads(done.out)
    assert (done.code, told["directory"], told["usable"]) == (0, "mapping.yaml", True)
    assert [table["rows"] for table in told["conversion"]["tables"]] == [2, 2, 2]
    assert files_below(mapped) == before


def test_validate_exits_with_1_where_the_tables_that_a_mapping_makes_cannot_be_used(
    mapped: Path, acerto: Acerto
) -> None:
    write_mapping(mapped, account_id={"concat": ["id", {"text": "?"}]})
    done = acerto("validate", "--mapping", "mapping.yaml", folder=mapped)
    assert done.code == 1
    assert "orphan_account" in done.out


@pytest.mark.parametrize("arguments", [(), ("--data", "data", "--mapping", "mapping.yaml")])
def test_validate_takes_data_or_a_mapping(mapped: Path, acerto: Acerto, arguments: tuple[str, ...]) -> None:
    assert acerto("validate", *arguments, folder=mapped).code == 2


def test_convert_writes_tables_that_validate_takes_and_a_summary(mapped: Path, acerto: Acerto) -> None:
    assert acerto("convert", "--mapping", "mapping.yaml", "--out", "data", folder=mapped).code == 0
    written = {"accounts.parquet", "debts.parquet", "payments.parquet", "conversion.json"}
    assert files_below(mapped / "data") == written
    assert acerto("validate", "--data", "data", folder=mapped).code == 0


def test_a_second_conversion_leaves_nothing_of_the_first(mapped: Path, acerto: Acerto) -> None:
    again = ("convert", "--mapping", "mapping.yaml", "--out", "data")
    with_holds = mapping_of()
    columns = {**BASICS["accounts"][0]["columns"], "kind": {"constant": "dispute"}}
    columns["occurred_at"] = {"constant": "2026-01-01T00:00:00Z"}
    with_holds["tables"]["holds"] = [{"source": "s", "columns": columns}]
    (mapped / "mapping.yaml").write_text(yaml.safe_dump(with_holds), encoding="utf-8")
    assert acerto(*again, folder=mapped).code == 0
    assert (mapped / "data" / "holds.parquet").is_file()
    write_mapping(mapped)
    assert acerto(*again, folder=mapped).code == 0
    assert not (mapped / "data" / "holds.parquet").exists()


def test_convert_writes_over_nothing_that_it_did_not_write(mapped: Path, acerto: Acerto) -> None:
    done = acerto("convert", "--mapping", "mapping.yaml", "--out", "configs", folder=mapped)
    assert done.code == 1
    assert "found something that acerto convert did not write" in done.err


def test_broken_rows_are_counted_and_nobody_is_named(mapped: Path, acerto: Acerto) -> None:
    write_mapping(mapped, amount="x")
    done = acerto("convert", "--mapping", "mapping.yaml", "--out", "data", folder=mapped)
    assert done.code == 1
    assert "payments from s: found 1 of 2 rows that cannot be used" in done.err
    assert "Maria" not in done.out + done.err
    assert not (mapped / "data").exists()


def readme_commands() -> list[str]:
    """The commands of the README's section on one's own data, a continued line as one."""
    section = (
        (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Your own data\n")[2].partition("\n## ")[0]
    )
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    return block.group(1).replace("\\\n", " ").splitlines()


def test_the_section_on_ones_own_data_is_no_longer_than_25_lines() -> None:
    section = (
        (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Your own data\n")[2].partition("\n## ")[0]
    )
    assert len(section.strip().splitlines()) + 1 <= 25


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Bash in a checkout of the examples with ``acerto`` on its path; what it started is gone afterwards."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "acerto"
    command.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "from cli.main import main; main()" "$@"\n', encoding="utf-8"
    )
    command.chmod(0o755)
    own = {"MLFLOW_TRACKING_URI", "ACERTO_DATABASE_URL"}
    environ = {name: value for name, value in os.environ.items() if name not in own}
    environ |= {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "INVOICES": str(INVOICES)}
    started: list[subprocess.Popen[str]] = []

    def run(script: str) -> str:
        # A session of its own, so that a service that is left running can be ended with its workers.
        bash = subprocess.Popen(
            ["bash", "-e", "-c", script], cwd=tmp_path, env=environ, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(bash)
        out, err = bash.communicate(timeout=SECONDS)
        assert bash.returncode == 0, err
        return out

    yield run
    for bash in started:
        with suppress(ProcessLookupError):
            os.killpg(bash.pid, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.skipif(not INVOICES.is_dir(), reason="the invoices are not there; set ACERTO_DATA to the real data sets")
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_of_the_readme_lead_from_ones_own_files_to_a_decision(
    shell: Callable[[str], str], tmp_path: Path
) -> None:
    port = free_port()
    commands = "\n".join(readme_commands())
    before, train, after = commands.partition("\nacerto train ")
    served = after.replace(":3000/", f":{port}/").replace(
        "--insecure &", f"--insecure --port {port} >service.log 2>&1 &"
    )
    assert (after.count(":3000/"), after.count("--insecure &")) == (1, 1)
    shell(before)
    path = tmp_path / "mine" / "configs" / "training.yaml"
    training = yaml.safe_load(path.read_text(encoding="utf-8"))
    # A fifth of the days and a third of the trees: the way is tested here, not the model.
    training["sampling"] |= {"every_days": 15, "max_per_account": 40}
    training["model"] |= {"threads": 1, "max_leaves": 7, "max_depth": 3, "max_rounds": 40}
    path.write_text(yaml.safe_dump(training), encoding="utf-8")
    out = shell(f"cd mine{train}{served}\nkill $!")
    decision = json.loads(out.strip().splitlines()[-1])["decisions"][0]
    # Of its seven open invoices two are overdue on that day: 40.58 and 49.04.
    assert (decision["account_id"], decision["amount_due"]) == ("0688-XNJRO", 89.62)
