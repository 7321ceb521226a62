"""Sharding by debtor: the same matrix, to the byte, as in one piece."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import pytest
from canonical_files import write_files
from hypothesis import given, settings
from hypothesis import strategies as hs
from shard_workers import dies, dies_once
from strategies import AS_OF_US, examples, random_rows

from domain.clock import US_PER_DAY
from domain.errors import DataError, FeatureSchemaMismatchError, WorkerError
from domain.tables import TABLES
from features.batch import compute_all
from features.config import Attribute
from features.encoding import encode
from features.frame import write_matrix
from features.gathering import gather
from features.runners import in_processes, in_sequence
from features.schema import fit_schema, schema_of
from features.shard_manifest import fingerprint_of
from features.shard_matrix import ShardTask, matrix_parts, run_task
from features.shard_reading import read_shard
from features.shard_rows import rows_by_shards, run_rows
from features.shard_tables import shard_folder
from features.shards import prepare
from features.spine import Spine, every_account
from features.tables import read_tables

ATTRIBUTES = {"income": Attribute(kind="numeric"), "employment": Attribute(kind="categorical")}
seeds = hs.integers(0, 2**32 - 1)


def rows_with_strays(seed):
    """Random ledgers whose corrections now and then move a row to another account, or repeat it."""
    rng = np.random.default_rng(seed)
    rows = random_rows(seed, accounts=6)
    names = [account["account_id"] for account in rows["accounts"]] + ["nobody"]
    for table in sorted(rows.keys() - {"accounts"}):
        moved = [
            row | {"account_id": names[rng.integers(len(names))], "recorded_at": row["recorded_at"] + US_PER_DAY}
            for row in rows[table]
            if rng.random() < 0.1
        ]
        rows[table] += [*moved, *rows[table][:2]]
    return rows


def in_one_piece(data: Path, out: Path, attributes=ATTRIBUTES) -> bytes:
    encoded = encode(read_tables(data, attributes=attributes), attributes=attributes)
    schema = fit_schema(encoded, attributes=attributes)
    write_matrix(
        out, matrix_parts(encoded, every_account(len(encoded.account_ids), as_of_us=AS_OF_US), schema), schema=schema
    )
    return out.read_bytes()


def tasks_of(data: Path, shard_dir: Path, n_shards: int, attributes=ATTRIBUTES):
    manifest = prepare(data, shard_dir, attributes=attributes, fingerprint="", n_shards=n_shards)
    schema = schema_of(manifest.facts, attributes=attributes)
    (shard_dir / "_parts").mkdir()
    return schema, [
        ShardTask(
            shard=str(shard_folder(shard_dir, shard)),
            part=str(shard_dir / "_parts" / f"{shard}.parquet"),
            schema=schema.to_json(),
            as_of_us=AS_OF_US,
        )
        for shard in range(n_shards)
    ]


def gathered(tasks, schema, out: Path) -> bytes:
    gather([Path(task.part) for task in tasks], out, schema=schema, spill=out.parent / "spill")
    return out.read_bytes()


def by_shards(data: Path, folder: Path, n_shards: int) -> bytes:
    schema, tasks = tasks_of(data, folder / "shards", n_shards)
    in_sequence(tasks, on_done=lambda _: None)
    return gathered(tasks, schema, folder / "sharded.parquet")


@settings(max_examples=examples(15), deadline=None)
@given(seed=seeds, n_shards=hs.integers(1, 9))
def test_any_number_of_shards_gives_the_file_of_one_piece(seed, n_shards):
    with TemporaryDirectory() as name:
        data = write_files(Path(name) / "data", rows_with_strays(seed))
        assert by_shards(data, Path(name), n_shards) == in_one_piece(data, Path(name) / "whole.parquet")


@settings(max_examples=examples(10), deadline=None)
@given(seed=seeds, n_shards=hs.integers(1, 9))
def test_the_accounts_of_a_debtor_are_never_parted_and_lie_where_the_hash_of_the_debtor_says(seed, n_shards):
    rows = random_rows(seed, accounts=12)
    first = {account["account_id"]: account["debtor_id"] for account in reversed(rows["accounts"])}
    with TemporaryDirectory() as name:
        shard_dir = Path(name) / "shards"
        prepare(write_files(Path(name) / "data", rows), shard_dir, attributes={}, fingerprint="", n_shards=n_shards)
        found = {
            account: shard
            for shard in range(n_shards)
            for account in read_shard(shard_folder(shard_dir, shard)).text("accounts", "account_id").values
        }
    digest = {debtor: hashlib.md5(debtor.encode()).hexdigest() for debtor in first.values()}
    assert found == {account: int(digest[debtor][:15], 16) % n_shards for account, debtor in first.items()}


def test_the_first_version_of_an_account_says_whose_it_is(tmp_path):
    rows = random_rows(1)
    debtors = {"a": "p1", "b": "p2", "c": "p3"}
    rows["accounts"] = [
        {"account_id": "x", "debtor_id": "p9", "recorded_at": AS_OF_US},
        {"account_id": "x", "debtor_id": "p1"},
        *({"account_id": account, "debtor_id": debtor} for account, debtor in debtors.items()),
    ]
    prepare(write_files(tmp_path / "data", rows), tmp_path / "shards", attributes={}, fingerprint="", n_shards=10)
    homes = [
        sorted(read_shard(folder).text("accounts", "account_id").decode())
        for folder in (tmp_path / "shards").glob("shard=*")
    ]
    assert ["a", "x", "x"] in homes


def contents(shard_dir: Path):
    """Of each shard, the rows of each table as they are stored, in an order of their own."""
    return {
        (folder.name, name): sorted(map(repr, zip(*(_listed(values) for values in table.values()), strict=True)))
        for folder in sorted(shard_dir.glob("shard=*"))
        for name, table in read_shard(folder).columns.items()
    }


def _listed(values):
    return values.decode() if hasattr(values, "decode") else values.tolist()


@pytest.mark.parametrize("suffix, parts", [(".parquet", 3), (".csv", 1), (".csv", 3)])
def test_shuffled_rows_part_files_and_csv_give_shards_of_the_same_rows_and_the_same_matrix(tmp_path, suffix, parts):
    rows = rows_with_strays(5)
    rng = np.random.default_rng(0)
    shuffled = {table: [found[i] for i in rng.permutation(len(found))] for table, found in rows.items()}
    plain = write_files(tmp_path / "plain", rows)
    other = write_files(tmp_path / "other", shuffled, suffix=suffix, parts=parts)
    matrices = [by_shards(data, tmp_path / f"of-{data.name}", 3) for data in (plain, other)]
    found = [contents(tmp_path / f"of-{data.name}" / "shards") for data in (plain, other)]
    assert sum(map(len, found[0].values())) > 100
    assert found[0] == found[1]
    assert matrices[0] == matrices[1]


def test_equal_inputs_make_equal_shards(tmp_path):
    data = write_files(tmp_path / "data", rows_with_strays(5))
    made = []
    for name in ("one", "two"):
        prepare(data, tmp_path / name, attributes=ATTRIBUTES, fingerprint="", n_shards=3)
        made.append(
            {str(path.relative_to(tmp_path / name)): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        )
    assert made[0] == made[1]


def test_more_shards_than_files_may_be_open_at_once_change_nothing(tmp_path, monkeypatch):
    data = write_files(tmp_path / "data", rows_with_strays(5))
    whole = in_one_piece(data, tmp_path / "whole.parquet")
    monkeypatch.setattr("features.shard_tables.MOST_OPEN", 2)
    assert by_shards(data, tmp_path, 5) == whole


@pytest.mark.parametrize("hashes", [1, 2**64 - 1])
def test_ids_whose_hashes_are_alike_are_told_apart_where_rows_cross(tmp_path, monkeypatch, hashes):
    data = write_files(tmp_path / "data", rows_with_strays(5))
    whole = in_one_piece(data, tmp_path / "whole.parquet")
    monkeypatch.setattr("features.astray.hashes_of", lambda ids: np.full(len(ids), hashes, dtype=np.uint64))
    assert by_shards(data, tmp_path, 5) == whole


def test_rows_that_are_sorted_and_written_in_small_pieces_are_the_same(tmp_path, monkeypatch):
    data = write_files(tmp_path / "data", rows_with_strays(5))
    prepare(data, tmp_path / "at-once", attributes=ATTRIBUTES, fingerprint="", n_shards=3)
    monkeypatch.setattr("features.shard_tables.ROWS_SORTED", 7)
    monkeypatch.setattr("features.shard_files.ROWS_AT_ONCE", 20)
    prepare(data, tmp_path / "in-pieces", attributes=ATTRIBUTES, fingerprint="", n_shards=3)
    assert contents(tmp_path / "in-pieces") == contents(tmp_path / "at-once")


def test_logged_decisions_are_checked_and_left_empty(tmp_path):
    rows = random_rows(2, accounts=6)
    logged = {"channel": "sms", "offer": "none", "moment": "any", "action_prob": 0.5, "decided_at": AS_OF_US}
    rows["decisions"] = [{"decision_id": "d", "account_id": rows["accounts"][0]["account_id"], **logged}]
    prepare(write_files(tmp_path / "data", rows), tmp_path / "shards", attributes={}, fingerprint="", n_shards=2)
    found = [read_shard(shard_folder(tmp_path / "shards", shard)) for shard in range(2)]
    assert [(tables.has("decisions"), tables.rows("decisions")) for tables in found] == [(True, 0)] * 2


def test_an_absent_table_and_an_empty_one_stay_what_they_are(tmp_path):
    rows = random_rows(2, accounts=6)
    del rows["contacts"]
    rows["promises"] = []
    data = write_files(tmp_path / "data", rows)
    assert by_shards(data, tmp_path, 4) == in_one_piece(data, tmp_path / "whole.parquet")


def test_the_categories_of_all_shards_make_the_schema(tmp_path):
    rows = random_rows(2, accounts=9)
    data = write_files(tmp_path / "data", rows)
    (data / "accounts.parquet").unlink()
    lines = [f"{a['account_id']},{a['debtor_id']},kind{i}" for i, a in enumerate(rows["accounts"])]
    (data / "accounts.csv").write_text("account_id,debtor_id,employment\n" + "\n".join(lines) + "\n", encoding="utf-8")
    assert by_shards(data, tmp_path, 4) == in_one_piece(data, tmp_path / "whole.parquet")


@settings(max_examples=examples(15), deadline=None)
@given(seed=seeds, n_shards=hs.integers(1, 6))
def test_rows_at_any_moments_are_to_the_bit_those_of_one_piece_in_the_order_asked_for(seed, n_shards):
    rng = np.random.default_rng(seed)
    with TemporaryDirectory() as name:
        data, shard_dir = write_files(Path(name) / "data", rows_with_strays(seed)), Path(name) / "shards"
        encoded = encode(read_tables(data, attributes=ATTRIBUTES), attributes=ATTRIBUTES)
        schema = fit_schema(encoded, attributes=ATTRIBUTES)
        account = rng.integers(0, len(encoded.account_ids), 30).astype(np.int32)
        spine = Spine(account, AS_OF_US - rng.integers(0, 400 * US_PER_DAY, 30))
        prepare(data, shard_dir, attributes=ATTRIBUTES, fingerprint="", n_shards=n_shards)
        found = rows_by_shards(
            encoded, spine, schema, shards=(shard_dir, n_shards), folder=Path(name),
            run=lambda tasks: in_sequence(tasks, on_done=lambda _: None, run=run_rows),
        )  # fmt: skip
    np.testing.assert_array_equal(found, compute_all(encoded, spine, schema))


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory):
    """Data, and the file of their matrix."""
    folder = tmp_path_factory.mktemp("portfolio")
    data = write_files(folder / "data", random_rows(3, accounts=9))
    return data, in_one_piece(data, folder / "whole.parquet")


def test_processes_give_the_same_file(portfolio, tmp_path):
    schema, tasks = tasks_of(portfolio[0], tmp_path / "shards", 3)
    in_processes(tasks, workers=2, on_done=lambda _: None)
    assert gathered(tasks, schema, tmp_path / "out.parquet") == portfolio[1]


def test_what_a_process_that_died_left_undone_is_tried_again(portfolio, tmp_path):
    schema, tasks = tasks_of(portfolio[0], tmp_path / "shards", 1)
    in_processes(tasks, workers=1, on_done=lambda _: None, run=dies_once)
    assert gathered(tasks, schema, tmp_path / "out.parquet") == portfolio[1]


def test_processes_that_always_die_end_in_one_message_that_names_what_is_missing(portfolio, tmp_path):
    _, tasks = tasks_of(portfolio[0], tmp_path / "shards", 2)
    with pytest.raises(WorkerError, match=r"2 of 2 shards not computed \(shard=00000, shard=00001\)"):
        in_processes(tasks, workers=2, on_done=lambda _: None, run=dies)


def test_a_worker_with_another_catalogue_refuses(portfolio, tmp_path):
    _, tasks = tasks_of(portfolio[0], tmp_path / "shards", 1)
    other = dict(tasks[0].schema) | {"fingerprint": "0" * 64}
    with pytest.raises(FeatureSchemaMismatchError, match="computed differently"):
        run_task(ShardTask(tasks[0].shard, tasks[0].part, other, as_of_us=AS_OF_US))


def test_a_shard_that_a_worker_does_not_see_is_named(portfolio, tmp_path):
    _, tasks = tasks_of(portfolio[0], tmp_path / "shards", 1)
    with pytest.raises(DataError, match="storage that every worker sees"):
        run_task(ShardTask(str(tmp_path / "elsewhere"), tasks[0].part, tasks[0].schema, as_of_us=AS_OF_US))


@pytest.mark.parametrize("table", list(TABLES))
def test_every_refusal_of_reading_is_the_same_for_shards_and_writes_nothing(tmp_path, table):
    rows = random_rows(3, accounts=9) | {"decisions": [], "approvals": []}
    data = write_files(tmp_path / "data", rows, suffix=".csv")
    path = data / f"{table}.csv"
    header = path.read_text(encoding="utf-8").splitlines()[0].replace('"', "").split(",")
    bad = [",".join([text] * len(header)) for text in ("some", "", "2024-01-01T10:00:00")]
    path.write_text("\n".join([",".join(header), *bad]) + "\n", encoding="utf-8")
    with pytest.raises(DataError) as whole:
        read_tables(data, attributes=ATTRIBUTES)
    with pytest.raises(DataError) as parted:
        prepare(data, tmp_path / "shards", attributes=ATTRIBUTES, fingerprint="", n_shards=2)
    assert str(parted.value) == str(whole.value)
    assert not (tmp_path / "shards").exists()


def test_a_directory_that_holds_other_things_is_left_alone(portfolio, tmp_path):
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(DataError, match=r"letter\.txt"):
        prepare(portfolio[0], tmp_path, attributes={}, fingerprint="", n_shards=2)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_another_byte_of_input_is_another_fingerprint(tmp_path):
    data = write_files(tmp_path / "data", random_rows(3), suffix=".csv")
    before = fingerprint_of(data, attributes={})
    (data / "payments.csv").write_text((data / "payments.csv").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert fingerprint_of(data, attributes={}) != before


def test_a_matrix_put_together_range_by_range_is_the_same_file(portfolio, tmp_path, monkeypatch):
    monkeypatch.setattr("features.gathering.ROWS_AT_ONCE", 2)
    assert by_shards(portfolio[0], tmp_path, 3) == portfolio[1]


def test_workers_end_with_a_parent_that_was_killed(tmp_path):
    code = (
        "from features.runners import in_processes; from features.shard_matrix import ShardTask; "
        "from shard_workers import tells_its_process_and_waits as run; "
        f"in_processes([ShardTask('s', {str(tmp_path / 'part')!r}, {{}})], workers=1, on_done=print, run=run)"
    )
    path = os.pathsep.join(sys.path)
    with subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}) as parent:
        told = tmp_path / "part.pid"
        while not (told.is_file() and told.read_text(encoding="utf-8")):
            assert parent.poll() is None
        worker = psutil.Process(int(told.read_text(encoding="utf-8")))
        parent.kill()
    assert psutil.wait_procs([worker], timeout=60)[1] == []
