"""``acerto train`` with features computed by others: the same model."""

from __future__ import annotations

import json
import shutil


def test_workers_train_the_model_of_one_process(acerto, project, tmp_path):
    first = json.loads((project / "mlruns/bundles/1/manifest.json").read_text(encoding="utf-8"))
    shutil.copytree(project / "configs", tmp_path / "configs")
    options = ("--configs", project / "configs", "--against", "none", "--json")
    done = acerto("train", "--data", project / "data", *options, "--workers", 2, "--shards", 3, folder=tmp_path)
    assert done.code == 0
    assert json.loads(done.out)["model_hash"] == first["model_hash"]
    assert [path.name for path in (tmp_path / "mlruns").iterdir() if path.name.startswith(".acerto")] == []
