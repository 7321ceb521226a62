from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.shard_folders import OWNER, PREFIX, remove_left, shard_folder
from cli.sharding import Means

NONE_KEPT = Means(None, 1, None, None)
WORKS = """
import sys, time
from pathlib import Path
from cli.shard_folders import shard_folder
from cli.sharding import Means
with shard_folder(Means(None, 1, None, None), beside=Path(sys.argv[1])) as folder:
    (folder / "shard=00000").mkdir()
    (folder / "shard=00000" / "accounts.parquet").write_text("debtors")
    print(folder, flush=True)
    time.sleep(600)
"""


def left_in(beside: Path) -> list[Path]:
    return sorted(beside.glob(f"{PREFIX}*"))


def test_a_folder_of_shards_is_gone_when_its_run_ends_or_fails(tmp_path: Path) -> None:
    with shard_folder(NONE_KEPT, beside=tmp_path / "deep") as folder:
        (folder / "shard=00000").mkdir()
        assert remove_left(tmp_path / "deep") == [] and folder.is_dir()
    with pytest.raises(ZeroDivisionError), shard_folder(NONE_KEPT, beside=tmp_path / "deep") as folder:
        raise ZeroDivisionError
    assert left_in(tmp_path / "deep") == []


def test_shards_that_are_kept_lie_where_they_were_asked_for(tmp_path: Path) -> None:
    with shard_folder(Means(None, 1, None, tmp_path / "kept"), beside=tmp_path / "beside") as folder:
        folder.mkdir()
    assert folder == tmp_path / "kept" and folder.is_dir() and not (tmp_path / "beside").exists()


def test_what_a_killed_run_left_is_removed_by_the_next_and_what_a_running_one_has_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-c", WORKS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as run:
        assert run.stdout is not None
        folder = Path(run.stdout.readline().strip())
        assert folder.is_dir() and remove_left(tmp_path) == [] and folder.is_dir()
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    assert (folder / "shard=00000" / "accounts.parquet").is_file()
    with shard_folder(NONE_KEPT, beside=tmp_path) as own:
        assert left_in(tmp_path) == [own]
    assert f"removed {folder}" in capsys.readouterr().err.replace("\n", "")


@pytest.mark.parametrize("owner", [None, "another-machine"])
def test_a_folder_of_another_machine_or_of_nobody_known_is_left_alone(tmp_path: Path, owner: str | None) -> None:
    folder = tmp_path / f"{PREFIX}abc"
    folder.mkdir()
    if owner is not None:
        (folder / OWNER).write_text(owner, encoding="utf-8")
    assert remove_left(tmp_path) == [] and left_in(tmp_path) == [folder]
