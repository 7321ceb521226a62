"""The decisions of one shard, and what is told of them beside: what every runner calls, and knows no runner."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from decisioning import engine
from decisioning.batch.files import table_of
from decisioning.batch.job import ShardJob, accounts_of, ledgers_of, opened
from decisioning.batch.outline import Outline
from decisioning.batch.sharing import portions_of
from decisioning.batch.told import Told
from decisioning.exclusions import account_segments, decision_segments
from decisioning.exclusions.counting import tallied
from decisioning.portfolio import members_in
from domain.clock import from_us
from features.frame import whole

ROWS_OF_A_PART = 512
"""Rows that are read together of a part, of which there are as many as shards."""


def decide_shard(task: ShardJob) -> int:
    """Decides on the accounts of a shard and writes its part, in the order of ids; the number of accounts.

    Raises
    ------
    DataError : the shard is not there or damaged
    ConfigError : model or configuration are not those of the job
    """
    bundle, desk = opened(task.job)
    encoded = ledgers_of(task, bundle)
    accounts = accounts_of(encoded, task.job, desk)
    members = members_in(encoded, desk)
    plan = None if task.portions is None else portions_of(Path(task.portions), accounts, desk, members=members)
    decisions = engine.decide(
        encoded, as_of=from_us(task.job.as_of_us), bundle=bundle, desk=desk, accounts=accounts,
        log_probs=task.job.log_probs, allot=plan, explain="full" if task.job.candidates else "reasons",
    )  # fmt: skip
    segments = account_segments(decisions, encoded, channels=desk.catalogue.channels)
    segments |= decision_segments(decisions) if decisions else {}
    told = Told(Outline.of(decisions), tallied(decisions, desk.catalogue, segments))
    layout = task.job.layout(bundle.payment.horizons, allotted=plan is not None)
    told.save(told_beside(Path(task.part)))
    with whole(Path(task.part)) as partial:
        _write(partial, table_of(decisions, layout))
    return len(decisions)


def told_beside(part: Path) -> Path:
    """Where stands what is told of a part."""
    return part.with_suffix(".told")


def _write(path: Path, rows: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=ROWS_OF_A_PART)
