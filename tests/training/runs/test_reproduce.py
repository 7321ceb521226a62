"""What is told of a run that was done again."""

import copy
import json
import shutil
from pathlib import Path

import pytest

from decisioning.integrity import canonical_hash, write_files
from domain.errors import BundleError
from training.runs import environment
from training.runs.configs import Configs
from training.runs.record import params_of, read_record, run_record
from training.runs.reproduce import compared, recorded_configs

CONFIGS = Path("configs")
DATA = {"sha256": "d", "tables": {"payments": {"rows": 2, "fingerprint": "f" * 32}}}
TREES = "tree\n[num_threads: 2]\n\nTree=0\nleaf_value=1\n\nend of trees\n"


@pytest.fixture
def record():
    return run_record(Configs.load(CONFIGS), until=None, data=DATA, seconds={})


def bundle(folder, **changed):
    contents = {"settings.json": b'{"rounds":{"30":5}}', "payment_30d.txt": TREES.encode()}
    contents |= {name.replace("__", "."): text.encode() for name, text in changed.items()}
    identity = {"version": "1", "trained_at": "", "model_hash": canonical_hash(contents)}
    write_files(folder, contents, identity=identity)
    return folder


@pytest.fixture
def told(tmp_path, record):
    def compare(recorded=record, data=DATA, configs=CONFIGS, **changed):
        pair = bundle(tmp_path / "was"), bundle(tmp_path / "now", **changed)
        return compared(recorded, pair, data=data, configs=configs)

    return compare


def names(found, kind):
    return [one.name for one in found.of(kind)]


def test_the_same_run_has_no_differences(told):
    found = told()
    assert (found.same, found.differences) == (True, ())


def test_the_number_of_threads_is_no_difference(told):
    assert told(payment_30d__txt=TREES.replace("threads: 2", "threads: 1")).differences == ()


def test_another_tree_is_another_model_and_its_file_is_named(told):
    found = told(payment_30d__txt=TREES.replace("value=1", "value=2"))
    assert (found.same, names(found, "model")) == (False, ["payment_30d.txt"])


def test_another_setting_is_named_by_its_key(told):
    (found,) = told(settings__json='{"rounds":{"30":6}}').of("model")
    assert (found.name, found.recorded, found.found) == ("settings.json/rounds/30", "5", "6")


def test_tables_with_other_rows_are_named(told):
    other = {"tables": {"payments": {"rows": 3, "fingerprint": "e" * 32}, "contacts": {"rows": 1, "fingerprint": "c"}}}
    assert names(told(data=other), "data") == ["contacts", "payments"]


def test_another_version_of_a_package_is_named_with_both(told, record):
    older = copy.deepcopy(record)
    older["lock"]["versions"]["lightgbm"] = "1.0"
    (found,) = told(recorded=older).of("lock")
    assert (found.name, found.recorded, found.found) == ("lightgbm", "1.0", environment.lock()["lightgbm"])


def test_other_code_is_named_by_its_package(told, record):
    older = copy.deepcopy(record)
    older["code"]["features"] = "0" * 64
    assert names(told(recorded=older), "code") == ["features"]


def test_other_configuration_files_of_today_are_told(told, tmp_path):
    for name in ("actions.yaml", "decision.yaml", "features.yaml"):
        (tmp_path / name).write_bytes((CONFIGS / name).read_bytes())
    (tmp_path / "training.yaml").write_text("seeds: 1\n", encoding="utf-8")
    assert names(told(configs=tmp_path), "configs") == ["training.yaml"]


def test_a_configuration_file_that_the_run_did_not_have_is_told(told, record, tmp_path):
    older = {**record, "configs": {name: one for name, one in record["configs"].items() if name != "decision.yaml"}}
    shutil.copytree(CONFIGS, tmp_path / "configs")
    assert names(told(recorded=older, configs=tmp_path / "configs"), "configs") == ["decision.yaml"]


def test_the_recorded_configurations_are_the_bytes_that_they_were(record):
    with recorded_configs(record) as folder:
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == dict(Configs.load(CONFIGS).files)


def test_other_threads_change_the_recorded_configuration_there_alone(record):
    with recorded_configs(record, threads=7) as folder:
        changed, before = Configs.load(folder), Configs.load(CONFIGS)
    assert changed.training.model.threads == 7
    assert changed.that_decide_the_model() == before.that_decide_the_model()


def test_a_bundle_without_a_record_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(BundleError, match="train again"):
        read_record(tmp_path)


def test_a_record_of_another_format_is_refused(tmp_path):
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation/run.json").write_text(json.dumps({"format": 99}), encoding="utf-8")
    with pytest.raises(BundleError, match="found format 99"):
        read_record(tmp_path)


def test_every_setting_of_training_is_a_parameter_of_the_run(record):
    params = params_of(record, Configs.load(CONFIGS))
    assert {"model.seed", "sampling.every_days", "gates.max_ece", "data_sha256", "lock_sha256"} <= params.keys()
