"""A bundle is checked as bytes, tried in another process and only then read; each way to be wrong has its code."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from decisioning.bundle import check_golden, read_bundle
from decisioning.integrity import canonical_hash, canonical_json, manifest_of, seal_of
from domain.errors import BundleError
from features.schema import FeatureSchema
from serving.loading import tried_in_a_child, verified_bundle
from serving.pointer import read_target
from serving.refusals import CODES
from serving.trial import try_bundle

SAYS = "import json, sys; print(json.dumps({'seal': sys.argv[2], 'outputs': 'x'}))"


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "bundle"))


def here(folder: Path, found: str) -> str:
    """Tries as the child does, and saves its start."""
    told = try_bundle(folder, found)
    if "code" in told:
        raise BundleError(told["reason"], code=told["code"])
    return told["outputs"]


def child(script: str) -> Any:
    return lambda folder, found: tried_in_a_child(folder, found, most_s=10, command=[sys.executable, "-c", script])


def sealed_again(folder: Path) -> None:
    """Writes a manifest that lists the files as they now are, as somebody would who wants a change to pass."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {name: sha256(content).hexdigest() for name, content in contents.items()}
    manifest["sizes"] = {name: len(content) for name, content in contents.items()}
    manifest["model_hash"] = canonical_hash(contents)
    (folder / "manifest.json").write_bytes(canonical_json(manifest, indent=1))


def code_of(folder: Path, **options: Any) -> str:
    with pytest.raises(BundleError) as refused:
        verified_bundle(folder, **options)
    assert refused.value.code in CODES
    return refused.value.code


def test_a_child_process_computes_the_golden_rows_as_this_one_does(bundle: Path) -> None:
    assert tried_in_a_child(bundle, seal_of(manifest_of(bundle))) == check_golden(read_bundle(bundle))


def test_a_bundle_that_was_tried_is_read(bundle: Path) -> None:
    assert verified_bundle(bundle, seal=seal_of(manifest_of(bundle)), trial=here).version == "7"


def test_a_bundle_other_than_the_promoted_one_is_refused_though_it_is_whole(copy: Path) -> None:
    promoted = seal_of(manifest_of(copy))
    settings = json.loads((copy / "settings.json").read_text())
    (copy / "settings.json").write_bytes(canonical_json({**settings, "note": "a harmless one"}))
    sealed_again(copy)
    assert verified_bundle(copy, trial=here).version == "7"
    assert code_of(copy, seal=promoted, trial=here) == "replaced"


def test_a_damaged_bundle_is_refused_before_any_process_is_started(copy: Path) -> None:
    (copy / "payment_30d.txt").write_bytes((copy / "payment_30d.txt").read_bytes()[:-1])

    def trial(folder: Path, found: str) -> str:
        raise AssertionError("tried a damaged bundle")

    assert code_of(copy, trial=trial) == "files"


def test_golden_rows_of_another_model_are_refused(copy: Path) -> None:
    golden = json.loads((copy / "golden.json").read_text())
    golden["p_pay"][0][0] += 1e-6
    (copy / "golden.json").write_bytes(canonical_json(golden))
    sealed_again(copy)
    assert code_of(copy, trial=here) == "golden"


def test_a_bundle_without_golden_rows_proves_nothing(copy: Path) -> None:
    golden = json.loads((copy / "golden.json").read_text())
    (copy / "golden.json").write_bytes(canonical_json({**golden, "values": [], "p_pay": []}))
    sealed_again(copy)
    assert code_of(copy, trial=here) == "golden"


def test_features_that_this_build_does_not_compute_are_refused(copy: Path) -> None:
    schema = (copy / "schema.json").read_text()
    assert "days_past_due" in schema
    (copy / "schema.json").write_text(schema.replace("days_past_due", "phase_of_the_moon"))
    sealed_again(copy)
    assert code_of(copy, trial=here) in {"schema", "unfit"}


def test_a_schema_with_its_columns_in_another_order_is_refused(copy: Path) -> None:
    schema = FeatureSchema.from_json(json.loads((copy / "schema.json").read_text()))
    first, second, *rest = schema.names
    other = replace(schema, names=(second, first, *rest))
    (copy / "schema.json").write_bytes(canonical_json(other.to_json()))
    sealed_again(copy)
    assert code_of(copy, trial=here) == "unfit"


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"payment": 3}', b"[" * 100_000, b"\xff"])
def test_files_that_do_not_fit_together_are_refused(copy: Path, content: bytes) -> None:
    (copy / "calibration.json").write_bytes(content)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["calibration.json"] = sha256(content).hexdigest()
    manifest["sizes"]["calibration.json"] = len(content)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert code_of(copy, trial=here) == "unfit"


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{" * 2_000_000, b"null", b""])
def test_a_manifest_that_is_no_manifest_is_refused(copy: Path, content: bytes) -> None:
    (copy / "manifest.json").write_bytes(content)
    assert code_of(copy, trial=here) == "files"


def test_a_file_that_cannot_be_read_is_refused(copy: Path) -> None:
    (copy / "golden.json").unlink()
    (copy / "golden.json").mkdir()
    assert code_of(copy, trial=here) == "files"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("import os; os.abort()", "crashed"),
        ("import sys; sys.exit(3)", "crashed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed"),
        ("print('hello')", "nonsense"),
        ("print('[]')", "nonsense"),
        ('print(\'{"code": "not one of ours"}\')', "nonsense"),
        (SAYS.replace("sys.argv[2]", "'other'"), "nonsense"),
        (SAYS, "golden"),
    ],
)
def test_a_child_that_ends_or_answers_otherwise_refuses_the_bundle(bundle: Path, script: str, code: str) -> None:
    assert code_of(bundle, trial=child(script)) == code


def test_a_child_that_does_not_end_is_ended_and_refuses_the_bundle(bundle: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with pytest.raises(BundleError, match=r"killed after 0\.5 s"):
        tried_in_a_child(bundle, seal_of(manifest_of(bundle)), most_s=0.5, command=command)


def test_a_text_that_ends_lightgbm_ends_only_the_child(copy: Path) -> None:
    text = (copy / "payment_30d.txt").read_bytes()
    at = text.index(b"split_feature=") + len(b"split_feature=")
    (copy / "payment_30d.txt").write_bytes(text[:at] + b"999999" + text[at + 1 :])
    sealed_again(copy)
    assert code_of(copy) in {"crashed", "unfit", "golden"}


@pytest.mark.parametrize("place", ["../8", "bundles/../../8", "/bundles/8", "bundles/8/..", "bundles/", 8, None])
def test_an_alias_that_names_a_place_outside_the_bundles_is_refused(tmp_path: Path, place: Any) -> None:
    (tmp_path / "aliases").mkdir()
    (tmp_path / "aliases/champion.json").write_text(json.dumps({"version": "8", "bundle": place}))
    with pytest.raises(BundleError) as refused:
        read_target(tmp_path, "champion")
    assert refused.value.code == "pointer"
