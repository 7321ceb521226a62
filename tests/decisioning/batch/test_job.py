"""Which parts may be taken for those of a run, and what a worker refuses to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from decisioning.batch.job import Job, opened
from decisioning.desk import load_desk
from domain.errors import ConfigError

CONFIGS = Path(__file__).parents[3] / "configs"
OTHER = {
    "model": ("2", "abc"), "policy_version": "other", "as_of_us": 1, "listed_sha256": "some", "log_probs": True,
    "candidates": True, "totals": ((("rule", "1", "0"), 3),),
}  # fmt: skip


@pytest.fixture
def job(bundle: Any) -> Job:
    model = bundle.version, bundle.model_hash
    return Job(str(bundle.folder), str(CONFIGS), model, load_desk(CONFIGS).policy_version, as_of_us=0)


@pytest.mark.parametrize("name", OTHER)
def test_parts_of_a_run_that_differs_in_anything_have_another_name(job: Job, name: str) -> None:
    assert replace(job, **{name: OTHER[name]}).name("input", n_shards=3) != job.name("input", n_shards=3)


def test_other_input_and_other_shards_have_another_name(job: Job) -> None:
    assert len({job.name("input", n_shards=3), job.name("other", n_shards=3), job.name("input", n_shards=4)}) == 3


def test_where_things_lie_changes_no_name(job: Job) -> None:
    moved = replace(job, bundle="/elsewhere", configs="/elsewhere", listed="/elsewhere")
    assert moved.name("input", n_shards=3) == job.name("input", n_shards=3)


def test_every_field_of_a_job_is_in_its_name_or_a_place() -> None:
    assert set(Job.__slots__) == {*OTHER, "bundle", "configs", "listed"}


def test_a_worker_that_finds_what_was_asked_for_works(job: Job, bundle: Any) -> None:
    assert opened(job)[0].model_hash == bundle.model_hash


@pytest.mark.parametrize("changed", [{"model": ("9", "abc")}, {"policy_version": "another"}])
def test_a_worker_that_finds_another_model_or_policy_refuses(job: Job, changed: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="they were changed during the run"):
        opened(replace(job, **changed))
