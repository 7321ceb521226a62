"""``acerto features`` by shards, workers and spine files."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

AS_OF = "2026-03-02T12:00:00Z"
BASIC = ("features", "--data", "data", "--as-of", AS_OF)


@pytest.fixture
def at_once(acerto, project):
    """The matrix in one piece, in both formats; written once."""
    files = {suffix: project / f"at_once{suffix}" for suffix in (".parquet", ".csv")}
    for path in files.values():
        if not path.exists():
            assert acerto(*BASIC, "--out", path).code == 0
    return {suffix: path.read_bytes() for suffix, path in files.items()}


@pytest.fixture
def spine(project, tmp_path):
    """Training rows: some accounts at two moments, in no order."""
    ids = sorted(pd.read_parquet(project / "data/accounts.parquet")["account_id"].unique())[:40]
    rows = pd.DataFrame([(name, at) for name in ids for at in ("2025-06-01T12:00:00Z", AS_OF)])
    rows.columns = ["account_id", "as_of"]
    path = tmp_path / "spine.csv"
    rows.sample(frac=1, random_state=0).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    "suffix, means",
    [(".parquet", ("--shards", 3)), (".csv", ("--shards", 4)), (".parquet", ("--workers", 2, "--shards", 2))],
)
def test_the_file_is_the_same_whatever_the_shards_and_workers(acerto, project, at_once, suffix, means):
    assert acerto(*BASIC, "--out", f"sharded{suffix}", *means).code == 0
    assert (project / f"sharded{suffix}").read_bytes() == at_once[suffix]


def test_nothing_but_the_result_is_left_behind(acerto, project, tmp_path):
    assert acerto(*BASIC, "--out", tmp_path / "m.parquet", "--shards", 2).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["m.parquet"]


def test_shards_are_kept_for_the_same_input_and_made_anew_for_another(acerto, project, tmp_path):
    shutil.copytree(project / "data", tmp_path / "data")

    def kept() -> bool:
        options = ("--data", tmp_path / "data", "--as-of", AS_OF, "--out", tmp_path / "m.csv", "--json")
        return json.loads(acerto("features", *options, "--shard-dir", tmp_path / "shards").out)["shards_kept"]

    assert (kept(), kept()) == (False, True)
    payments = pd.read_parquet(tmp_path / "data/payments.parquet")
    payments.iloc[1:].to_parquet(tmp_path / "data/payments.parquet")
    assert kept() is False


def test_a_spine_gives_one_row_for_each_of_its_own_sorted_and_the_same_by_shards(acerto, project, spine, tmp_path):
    files = []
    for name, means in (("a", ()), ("b", ("--shards", 3))):
        out = tmp_path / f"{name}.parquet"
        assert acerto("features", "--data", "data", "--spine", spine, "--out", out, *means).code == 0
        files.append(out.read_bytes())
    assert files[0] == files[1]
    rows = pd.read_parquet(tmp_path / "a.parquet")
    wanted = pd.read_csv(spine, parse_dates=["as_of"]).sort_values(["account_id", "as_of"], ignore_index=True)
    assert (rows["account_id"] == wanted["account_id"]).all()
    assert (rows["as_of"] == wanted["as_of"]).all()


def test_a_row_of_a_spine_is_the_row_of_everybody_at_that_moment(acerto, project, at_once, spine, tmp_path):
    assert acerto("features", "--data", "data", "--spine", spine, "--out", tmp_path / "s.parquet").code == 0
    rows = pd.read_parquet(tmp_path / "s.parquet")
    now = rows[rows["as_of"] == pd.Timestamp(AS_OF)].reset_index(drop=True)
    everybody = pd.read_parquet(project / "at_once.parquet")
    pd.testing.assert_frame_equal(
        now, everybody[everybody["account_id"].isin(now["account_id"])].reset_index(drop=True)
    )


@pytest.mark.parametrize("means", [(), ("--shards", 2)])
@pytest.mark.parametrize(
    "text, told",
    [
        ("account_id,as_of\nnobody,2026-03-02T12:00:00Z\n", "1 accounts in the spine that the data do not hold"),
        ("account_id,as_of\nnobody,2026-03-02T12:00:00\n", "times without offset"),
        ("account_id,moment\nnobody,2026-03-02T12:00:00Z\n", "spine.as_of: found no such column"),
        ("account_id,as_of\n", "spine: found no rows"),
    ],
)
def test_a_bad_spine_is_refused_in_one_message(acerto, tmp_path, means, text, told):
    (tmp_path / "bad.csv").write_text(text, encoding="utf-8")
    options = ("--data", "data", "--spine", tmp_path / "bad.csv", "--out", tmp_path / "m.csv", *means)
    found = acerto("features", *options)
    assert found.code == 1
    assert told in found.err
    assert not (tmp_path / "m.csv").exists()


def test_a_cluster_that_does_not_answer_is_one_message_and_leaves_no_file(acerto, tmp_path, monkeypatch):
    monkeypatch.setattr("features.cluster.CONNECT_SECONDS", 0.2)
    found = acerto(*BASIC, "--out", tmp_path / "m.csv", "--cluster", "tcp://127.0.0.1:9")
    assert (found.code, list(tmp_path.iterdir())) == (1, [])
    assert "no Dask scheduler at tcp://127.0.0.1:9" in found.err


@pytest.mark.parametrize(
    "options",
    [
        ("--as-of", AS_OF, "--spine", "s.csv"),
        (),
        ("--as-of", AS_OF, "--workers", 2, "--cluster", "tcp://127.0.0.1:9"),
        ("--as-of", AS_OF, "--shards", 0),
    ],
)
def test_contradictory_options_are_wrong_usage(acerto, options):
    assert acerto("features", "--data", "data", "--out", "m.csv", *options).code == 2
