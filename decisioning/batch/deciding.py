"""The decisions of one shard, and what is told of them beside: what every runner calls, and knows no runner."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from decisioning import engine
from decisioning.allocation.plan import Portions
from decisioning.batch.columns import columns_of
from decisioning.batch.counting import outline_of, refused_in, segments_in
from decisioning.batch.files import table_of
from decisioning.batch.job import Job, ShardJob, accounts_of, ledgers_of, opened
from decisioning.batch.layout import Layout
from decisioning.batch.outline import Outline
from decisioning.batch.sharing import known_beside, portions_of
from decisioning.batch.told import Told
from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from decisioning.exclusions import account_segments, decision_segments
from decisioning.exclusions.counting import tallied
from decisioning.exclusions.tally import Tally
from decisioning.foreknown import Foreknown
from decisioning.portfolio import members_in
from domain.clock import from_us
from features.encoding import Encoded
from features.frame import whole

ROWS_OF_A_PART = 256
"""Rows that are read together of a part, of which there are as many as shards."""


class Subject(NamedTuple):
    """Which accounts (positions, rising) of which ledgers are decided on, by what, and what a plan gives them.

    ``known`` is what was computed of them before.
    """

    encoded: Encoded
    accounts: npt.NDArray[np.int64]
    bundle: ModelBundle
    desk: Desk
    plan: Portions | None = None
    known: Foreknown | None = None


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
    before = known_beside(Path(task.part))
    known = Foreknown.load(before) if before.is_file() else None
    rows, told = decided(Subject(encoded, accounts, bundle, desk, plan, known), task.job)
    told.save(told_beside(Path(task.part)))
    with whole(Path(task.part)) as partial:
        _write(partial, rows)
    return len(accounts)


def told_beside(part: Path) -> Path:
    """Where stands what is told of a part."""
    return part.with_suffix(".told")


def decided(subject: Subject, job: Job) -> tuple[pa.Table, Told]:
    """The rows of all accounts in their order, and what is told of them."""
    layout = job.layout(subject.bundle.payment.horizons, allotted=subject.plan is not None)
    return _by_records(subject, job, layout) if job.candidates else _by_pages(subject, job, layout)


def _by_pages(subject: Subject, job: Job, layout: Layout) -> tuple[pa.Table, Told]:
    """Arrays of a page become columns at once, which takes a fraction of making records of them."""
    bundle, desk = subject.bundle, subject.desk
    none = np.zeros(0, dtype=np.int64)
    tables, order, outlines, tally = [layout.schema.empty_table()], [none], [], Tally(desk.catalogue)
    pages = engine.cases(
        subject.encoded, subject.accounts, as_of=from_us(job.as_of_us), bundle=bundle, desk=desk,
        log_probs=job.log_probs, allot=subject.plan, explain="codes", known=subject.known,
    )  # fmt: skip
    for places, case in pages:
        tables.append(columns_of(case, layout, bundle, desk))
        order.append(places)
        outlines.append(outline_of(case, bundle))
        tally.add(refused_in(case), segments_in(case, bundle))
    rows = pa.concat_tables(tables).take(pa.array(np.argsort(np.concatenate(order))))
    return rows, Told(Outline.together(outlines), tally)


def _by_records(subject: Subject, job: Job, layout: Layout) -> tuple[pa.Table, Told]:
    """With all factors of every candidate, which only records have."""
    encoded, bundle, desk = subject.encoded, subject.bundle, subject.desk
    decisions = engine.decide(
        encoded, as_of=from_us(job.as_of_us), bundle=bundle, desk=desk, accounts=subject.accounts,
        log_probs=job.log_probs, allot=subject.plan, explain="full",
    )  # fmt: skip
    segments = account_segments(decisions, encoded, channels=desk.catalogue.channels)
    segments |= decision_segments(decisions) if decisions else {}
    return table_of(decisions, layout), Told(Outline.of(decisions), tallied(decisions, desk.catalogue, segments))


def _write(path: Path, rows: pa.Table) -> None:
    # What accounts share is said again on each of their rows, and packs to a tenth.
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema, options=options) as writer:
        writer.write_table(rows, max_chunksize=ROWS_OF_A_PART)
