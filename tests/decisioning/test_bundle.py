from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decisioning.bundle import BundleParts, check_golden, copy_bundle, read_bundle, write_bundle
from decisioning.integrity import canonical_hash, read_files
from domain.errors import BundleError
from features.reference import fit_numbers, fit_reference

FILES = (
    "calibration.json", "evaluation/metrics.json", "golden.json", "payment_30d.txt", "payment_60d.txt",
    "payment_7d.txt", "payment_90d.txt", "response_complaint.txt", "response_late.txt", "response_pay.txt",
    "response_share.txt", "schema.json", "settings.json",
)  # fmt: skip


@pytest.fixture(scope="module")
def written(parts: BundleParts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "3"
    write_bundle(folder, parts)
    return folder


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "bundle"))


def test_what_was_written_is_read_back_and_predicts_the_same(written: Path, parts: BundleParts, world: Any) -> None:
    bundle = read_bundle(written)
    assert (bundle.version, bundle.schema.fingerprint) == ("3", world.schema.fingerprint)
    assert bundle.payment.predict(world.values).tolist() == world.payment.predict(world.values).tolist()
    actions = world.desk.catalogue.actions
    read = bundle.response.outcomes(world.values[:20], world.schema, actions)
    assert read.p_pay.tolist() == world.response.outcomes(world.values[:20], world.schema, actions).p_pay.tolist()


def test_the_listed_files_are_those_of_the_contract(written: Path) -> None:
    assert tuple(sorted(read_files(written)[1])) == FILES


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_in_any_file_is_refused_before_parsing(written: Path, name: str, place: float, bit: int) -> None:
    path = written / name
    content = path.read_bytes()
    damaged = bytearray(content)
    damaged[int(place * len(content))] ^= 1 << bit
    path.write_bytes(bytes(damaged))
    try:
        with pytest.raises(BundleError, match="SHA-256"):
            read_files(written)
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("name", FILES)
def test_a_deleted_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match="missing files"):
        read_bundle(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_refused(copy: Path, name: str) -> None:
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError, match="bytes"):
        read_bundle(copy)


def test_an_added_file_is_refused(copy: Path) -> None:
    (copy / "notes.txt").write_text("hello")
    with pytest.raises(BundleError, match=r"notes\.txt"):
        read_bundle(copy)


def test_a_renamed_file_is_refused(copy: Path) -> None:
    (copy / "payment_7d.txt").rename(copy / "payment_8d.txt")
    with pytest.raises(BundleError, match=r"payment_8d\.txt"):
        read_bundle(copy)


def test_two_files_that_changed_places_are_refused(copy: Path) -> None:
    one, two = (copy / f"payment_{days}d.txt" for days in (60, 90))
    contents = one.read_bytes(), two.read_bytes()
    one.write_bytes(contents[1])
    two.write_bytes(contents[0])
    with pytest.raises(BundleError):
        read_bundle(copy)


def test_a_link_is_refused_even_to_the_same_bytes(copy: Path, tmp_path: Path) -> None:
    (copy / "golden.json").rename(tmp_path / "golden.json")
    (copy / "golden.json").symlink_to(tmp_path / "golden.json")
    with pytest.raises(BundleError, match="links"):
        read_bundle(copy)


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd", "a/../../b", "manifest.json", "model.pkl"])
def test_a_manifest_that_names_a_place_outside_is_refused(copy: Path, name: str) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"][name] = "0" * 64
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="no plain relative"):
        read_bundle(copy)


@pytest.mark.parametrize("change", [{"format": 3}, {"files": None}, {"format": True}])
def test_a_manifest_of_another_form_is_refused(copy: Path, change: dict[str, Any]) -> None:
    manifest = json.loads((copy / "manifest.json").read_text()) | change
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError):
        read_bundle(copy)


def test_a_bundle_from_before_late_money_was_learned_asks_for_a_new_training(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text()) | {"format": 1}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="found the bundle format 1, this version reads 2; retrain"):
        read_bundle(copy)


def test_golden_rows_hold_every_outcome(written: Path) -> None:
    assert set(read_bundle(written).golden["outcomes"]) == {"p_pay", "share", "late", "p_complaint", "p_opt_out"}


def test_a_manifest_with_another_model_hash_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text()) | {"model_hash": "0" * 64}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="model hash"):
        read_bundle(copy)


def test_a_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model bundle"):
        read_bundle(tmp_path)


def test_golden_rows_tell_a_model_that_computes_something_else(written: Path) -> None:
    bundle = read_bundle(written)
    check_golden(bundle)
    shifted = {**bundle.golden, "p_pay": (np.array(bundle.golden["p_pay"]) + 1e-9).tolist()}
    with pytest.raises(BundleError, match="golden rows differ in p_pay"):
        check_golden(replace(bundle, golden=shifted))


def test_an_existing_folder_is_never_overwritten_and_nothing_is_left_behind(written: Path, parts: BundleParts) -> None:
    with pytest.raises(BundleError, match="exists already"):
        write_bundle(written, parts)
    assert [path.name for path in written.parent.iterdir()] == ["3"]


def test_the_model_hash_leaves_out_version_time_threads_and_evaluation(
    written: Path, parts: BundleParts, tmp_path: Path
) -> None:
    again = replace(parts, version="9", trained_at="2027-01-01T00:00:00Z", evaluation={"other.json": b"[]"})
    assert write_bundle(tmp_path / "9", again).model_hash == read_bundle(written).model_hash
    contents = read_files(written)[1]
    threads = {
        **contents,
        "payment_7d.txt": contents["payment_7d.txt"].replace(b"[num_threads: 1]", b"[num_threads: 2]"),
    }
    assert threads != contents
    assert canonical_hash(threads) == canonical_hash(contents)


def test_the_model_hash_changes_with_settings_calibration_and_trees(written: Path, parts: BundleParts) -> None:
    contents = read_files(written)[1]
    for name in ("settings.json", "calibration.json", "payment_30d.txt", "schema.json"):
        changed = {**contents, name: contents[name].replace(b"3", b"4")}
        assert canonical_hash(changed) != canonical_hash(contents), name


def test_a_copy_under_another_version_is_the_same_model(written: Path, tmp_path: Path) -> None:
    copied = copy_bundle(written, tmp_path / "12", version="12")
    assert (copied.version, copied.model_hash) == ("12", read_bundle(written).model_hash)


def test_a_bundle_without_response_model_says_so_by_having_none(parts: BundleParts, tmp_path: Path) -> None:
    assert write_bundle(tmp_path / "1", replace(parts, response=None)).response is None


def test_a_bundle_keeps_what_the_training_matrix_looked_like(parts: BundleParts, world: Any, tmp_path: Path) -> None:
    reference = fit_reference(world.values, world.schema)
    assert write_bundle(tmp_path / "3", replace(parts, reference=reference)).reference == reference


def test_a_bundle_without_a_reference_is_still_read(written: Path) -> None:
    assert read_bundle(written).reference is None


def test_the_reference_does_not_change_the_model_hash(parts: BundleParts, world: Any, tmp_path: Path) -> None:
    with_one = replace(parts, reference=fit_reference(world.values, world.schema))
    hashes = {write_bundle(tmp_path / name, one).model_hash for name, one in (("a", parts), ("b", with_one))}
    assert len(hashes) == 1


def test_a_reference_that_cannot_be_read_is_refused(parts: BundleParts, world: Any, tmp_path: Path) -> None:
    reference = fit_reference(world.values, world.schema)
    broken = replace(reference, features={"product": replace(reference.features["product"], counts=())})
    with pytest.raises(BundleError, match="fit together"):
        write_bundle(tmp_path / "3", replace(parts, reference=broken))


def scores_of(world: Any, *horizons: str) -> Any:
    p_pay = world.payment.predict(world.values)
    return fit_numbers({name: p_pay[:, place] for place, name in enumerate(horizons)}, units=100)


def test_a_bundle_keeps_how_its_scores_were_distributed_by_horizon(
    parts: BundleParts, world: Any, tmp_path: Path
) -> None:
    scores = scores_of(world, "7d", "30d", "60d", "90d")
    write_bundle(tmp_path / "3", replace(parts, scores=scores))
    found = read_bundle(tmp_path / "3").scores
    assert found == scores
    assert list(found.features) == ["7d", "30d", "60d", "90d"]


def test_a_bundle_without_the_distribution_of_its_scores_is_still_read(written: Path) -> None:
    assert read_bundle(written).scores is None


@pytest.mark.parametrize("horizons", [("7d",), ("7d", "30d", "60d", "91d")])
def test_a_distribution_of_other_horizons_is_refused(
    parts: BundleParts, world: Any, tmp_path: Path, horizons: tuple[str, ...]
) -> None:
    with pytest.raises(BundleError, match="do not fit together"):
        write_bundle(tmp_path / "3", replace(parts, scores=scores_of(world, *horizons)))


def test_the_distribution_of_the_scores_does_not_change_the_model_hash(
    parts: BundleParts, world: Any, tmp_path: Path
) -> None:
    plain = write_bundle(tmp_path / "plain", parts)
    kept = write_bundle(tmp_path / "kept", replace(parts, scores=scores_of(world, "7d", "30d", "60d", "90d")))
    assert kept.model_hash == plain.model_hash
