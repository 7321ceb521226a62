"""Data gates on the command line: what stops training, what lets it go on, and what the run keeps of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from cli import data_checks
from domain.errors import DataError
from features.gates.profile import DataProfile

WAIVER = (
    "waivers: [{expectation: rows_kept, table: responses, reason: a channel was sold, by: risk, until: 2999-01-01}]\n"
)


@pytest.fixture(scope="module")
def fewer(project: Path) -> Path:
    """The project's data without a tenth of the responses, in a folder beside them."""
    folder = project / "fewer"
    shutil.copytree(project / "data", folder, ignore=shutil.ignore_patterns("truth"))
    responses = pq.read_table(folder / "responses.parquet")
    kept = pc.invert(pc.ends_with(responses["response_id"], "3"))
    pq.write_table(responses.filter(kept), folder / "responses.parquet")
    return folder


@pytest.fixture
def waived(project: Path) -> Any:
    """The project's waivers, put back as they were."""
    path = project / "configs/waivers.yaml"
    before = path.read_text(encoding="utf-8")
    path.write_text(WAIVER, encoding="utf-8")
    yield path
    path.write_text(before, encoding="utf-8")


def bundle_file(project: Path, name: str) -> dict[str, Any]:
    path = project / "mlruns/bundles/1/evaluation" / name
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_training_stops_on_data_that_lost_rows_since_the_last_one(acerto: Callable[..., Any], fewer: Path) -> None:
    stopped = acerto("train", "--data", fewer.name)
    assert stopped.code == 1
    assert "rows_kept" in stopped.err


def test_the_refusal_tells_what_was_needed_and_the_way_out(acerto: Callable[..., Any], fewer: Path) -> None:
    told = " ".join(acerto("train", "--data", fewer.name).err.split())
    assert "needed changes of at most 2 %" in told
    assert "waive what is major in waivers.yaml" in told


def test_validate_ends_with_1_where_training_would_stop(acerto: Callable[..., Any], fewer: Path) -> None:
    found = acerto("validate", "--data", fewer.name, "--json")
    gates = json.loads(found.out)["gates"]
    assert found.code == 1
    assert "rows_kept" in {breach["expectation"] for breach in gates["breaches"] if breach["stops"]}


def test_another_portfolio_is_compared_with_nothing(acerto: Callable[..., Any], fewer: Path) -> None:
    found = acerto("validate", "--data", fewer.name, "--against", "none", "--json")
    assert json.loads(found.out)["gates"]["against"] is None
    assert found.code == 0


def test_a_waiver_lets_it_pass_and_is_told(acerto: Callable[..., Any], fewer: Path, waived: Path) -> None:
    found = acerto("validate", "--data", fewer.name)
    assert found.code == 0
    assert "waived until 2999-01-01: a channel was sold" in found.out


def test_the_data_of_a_training_pass_against_it(acerto: Callable[..., Any]) -> None:
    found = acerto("validate", "--data", "data", "--against", "1", "--json")
    assert json.loads(found.out)["gates"] | {"declared": 0} == {
        "declared": 0, "against": "version 1", "counts": {"critical": 0, "major": 0, "minor": 0}, "passed": True,
        "breaches": [], "expired_waivers": [], "idle_waivers": [],
    }  # fmt: skip


def test_the_bundle_keeps_what_came_of_the_gates(project: Path) -> None:
    assert bundle_file(project, "data_gates.json")["passed"] is True
    assert bundle_file(project, "evaluation.json")["data_gates"] == bundle_file(project, "data_gates.json")


def test_the_bundle_keeps_the_profile_of_its_data(project: Path) -> None:
    profile = DataProfile.from_json(bundle_file(project, "data_profile.json"))
    assert profile.tables["accounts"].rows == 700


def test_the_run_is_tagged_and_keeps_the_result(project: Path) -> None:
    from training.tracking import Tracking, client_of

    tracking = Tracking(root=project / "mlruns")
    with client_of(tracking) as client:
        run = client.get_run(str(client.get_model_version("acerto", "1").run_id))
        names = {found.path for found in client.list_artifacts(run.info.run_id)}
    assert run.data.tags["data_gates"] == "passed"
    assert "data_gates.json" in names


def test_data_that_are_read_in_pieces_give_the_same_report(acerto: Callable[..., Any], fewer: Path) -> None:
    whole, by_parts = (acerto("validate", "--data", fewer.name, "--json", *more) for more in ((), ("--shards", "3")))
    found = [json.loads(one.out) for one in (whole, by_parts)]
    assert [one.pop("now") < "9999" for one in found] == [True, True]
    assert found[0] == found[1]
    assert whole.code == by_parts.code == 1


def test_large_data_are_read_in_pieces_unasked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setattr(data_checks, "ROWS_IN_ONE_PIECE", 10)
    monkeypatch.setattr(data_checks, "_in_one_piece", None)
    steps: list[str] = []
    data_checks.check(
        project / "data", configs=project / "configs", against="none", on_step=lambda step, _share: steps.append(step)
    )
    assert "reading payments" in steps


def test_a_full_disk_is_told_with_the_way_out(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.chdir(project)
    monkeypatch.setattr("features.streaming.scan.Scan.run", full)
    with pytest.raises(DataError, match="TMPDIR"):
        data_checks.check(project / "data", configs=project / "configs", against="none", shards=2)
