"""``acerto decide`` in one piece, or shard by shard: claims, one plan for them all, decisions, and one file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from cli.allocation_output import prices_of, write_allocation
from cli.decide_command import Asked, has_history, positions, refuse_unknown
from cli.exclusions_output import write_exclusions
from cli.output import OnStep, say
from cli.shard_folders import shard_folder
from cli.sharding import Means
from cli.tables import attributes_of, read
from domain.clock import to_us
from domain.errors import WorkerError

if TYPE_CHECKING:
    from decisioning.allocation.plan import Plan
    from decisioning.allocation.prices import PriceList
    from decisioning.batch.deciding import Subject
    from decisioning.batch.job import Job, ShardJob
    from decisioning.batch.told import Told
    from decisioning.bundle import ModelBundle
    from decisioning.desk import Desk
    from decisioning.exclusions import Exclusions
    from decisioning.portfolio import OnShare


@dataclass(frozen=True)
class Done:
    """One run whose file is written: its summary, its prices where anything is limited, and figures."""

    summary: dict[str, Any]
    prices: PriceList | None
    exclusions: Exclusions


@dataclass(frozen=True)
class _Shards:
    """Where the shards are, how many, and of which input."""

    folder: Path
    n_shards: int
    fingerprint: str


def by_shards(asked: Asked, means: Means, *, on_step: OnStep) -> Done:
    """Parts the data by debtor, or takes shards that are there, decides on each of them, and writes one file.

    Raises
    ------
    WorkerError : processes or machines left shards undecided; which, and how to go on
    What deciding in one piece raises
    """
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    with shard_folder(means, beside=asked.out.parent) as folder:
        return _with_shards(asked, means, folder, on_step=on_step)


def in_one_piece(asked: Asked, *, on_step: OnStep) -> Done:
    """Everything in memory: the quickest way for data that fit; a page is looked at once and is columns at once.

    Raises
    ------
    DataError : the moment lies before all history, so that nothing is known to decide on
    UnknownAccountError : a listed account is not in the data
    """
    from decisioning.batch.deciding import decided
    from decisioning.batch.files import write_decisions

    bundle, desk = _read(asked, on_step=on_step)
    subject = _subject(asked, bundle, desk, on_step=on_step)
    on_step("allotting" if desk.config.is_limited else "deciding", 0.3)
    plan, subject = _planned(asked, subject, on_share=lambda share: on_step("allotting", 0.3 + 0.3 * share))
    on_step("deciding", 0.6)
    job = _of_memory(asked, bundle, desk)
    rows, told = decided(subject, job)
    on_step("writing", 0.95)
    layout = job.layout(bundle.payment.horizons, allotted=plan is not None)
    write_decisions(asked.out, [rows], layout)
    return _told(asked, told, plan, bundle, desk)


def _subject(asked: Asked, bundle: ModelBundle, desk: Desk, *, on_step: OnStep) -> Subject:
    """The ledgers, and who of them is decided on."""
    from decisioning.batch.deciding import Subject
    from decisioning.pages import owing
    from features.encoding import encode

    on_step("reading the tables", 0.1)
    tables = read(asked.data, configs=asked.configs)
    has_history(tables.ints("debts", "recorded_at"), asked.as_of)
    on_step("sorting events", 0.2)
    encoded = encode(tables, attributes=bundle.schema.attributes)
    everyone = partial(owing, encoded, to_us(asked.as_of), channels=desk.catalogue.channels)
    accounts = everyone() if asked.listed is None else positions(encoded, asked.listed)
    return Subject(encoded, accounts, bundle, desk)


def _planned(asked: Asked, found: Subject, *, on_share: OnShare) -> tuple[Plan | None, Subject]:
    """The plan where anything is limited, and the accounts with what it gives them."""
    from decisioning.foreknown import Keeping
    from decisioning.portfolio import claim, members_in, plan_of

    if not found.desk.config.is_limited:
        return None, found
    keeping = None if asked.candidates or found.bundle.response is None else Keeping()
    claims = claim(
        found.encoded, found.accounts, as_of=asked.as_of, bundle=found.bundle, desk=found.desk, on_share=on_share,
        keeping=keeping,
    )  # fmt: skip
    plan = plan_of(claims, found.accounts, found.desk, members=members_in(found.encoded, found.desk))
    known = None if keeping is None else keeping.kept()
    return plan, found._replace(plan=plan.portions, known=known)


def _of_memory(asked: Asked, bundle: ModelBundle, desk: Desk) -> Job:
    """A job that no worker is sent."""
    from decisioning.batch.job import Job

    return Job(
        "", "", (bundle.version, bundle.model_hash), desk.policy_version, to_us(asked.as_of),
        log_probs=asked.log_probs, candidates=asked.candidates,
    )  # fmt: skip


def _read(asked: Asked, *, on_step: OnStep) -> tuple[ModelBundle, Desk]:
    from decisioning.bundle import read_bundle
    from decisioning.desk import load_desk
    from training.registry import Tracking, resolve

    desk = load_desk(asked.configs)
    folder, note = resolve(asked.model, Tracking.from_environment())
    if note:
        say(note)
    on_step("reading the model", 0.0)
    return read_bundle(folder), desk


def _with_shards(asked: Asked, means: Means, shard_dir: Path, *, on_step: OnStep) -> Done:
    bundle, desk = _read(asked, on_step=on_step)
    shards = _prepared(asked, means, shard_dir, on_step=on_step)
    job = _job(asked, shards, bundle, desk)
    parts = shards.folder / f"_decide-{job.name(shards.fingerprint, n_shards=shards.n_shards)}"
    parts.mkdir(exist_ok=True)
    with _listed(asked, job, parts) as job, _going_on(means):
        found = _decided(asked, means, _tasks(job, shards, parts), (bundle, desk), on_step=on_step)
    # Whoever keeps shards keeps what is decided on them only until it is all there.
    rmtree(parts)
    return found


def _prepared(asked: Asked, means: Means, shard_dir: Path, *, on_step: OnStep) -> _Shards:
    from features.shard_manifest import fingerprint_of
    from features.shards import prepare

    attributes = attributes_of(asked.configs)
    on_step("looking at the input", 0.02)
    fingerprint = fingerprint_of(asked.data, attributes=attributes) if means.shard_dir is not None else ""
    manifest = prepare(
        asked.data, shard_dir, attributes=attributes, fingerprint=fingerprint, n_shards=means.shards,
        on_step=lambda step, share: on_step(step, 0.05 + 0.15 * share),
    )  # fmt: skip
    return _Shards(shard_dir, manifest.n_shards, fingerprint)


def _job(asked: Asked, shards: _Shards, bundle: ModelBundle, desk: Desk) -> Job:
    """The job, refused where its moment or its accounts are not in the data."""
    from decisioning.batch.job import Job
    from decisioning.batch.whole import first_recorded_us, totals, unknown_accounts

    has_history(first_recorded_us(shards.folder, shards.n_shards), asked.as_of)
    if asked.listed is not None:
        refuse_unknown(unknown_accounts(shards.folder, shards.n_shards, asked.listed))
    listed = None if asked.listed is None else sha256(json.dumps(asked.listed).encode()).hexdigest()
    return Job(
        str(bundle.folder.resolve()), str(asked.configs.resolve()), (bundle.version, bundle.model_hash),
        desk.policy_version, to_us(asked.as_of), listed_sha256=listed, log_probs=asked.log_probs,
        candidates=asked.candidates,
        totals=totals(shards.folder, shards.n_shards, desk, to_us(asked.as_of)),
    )  # fmt: skip


@contextmanager
def _listed(asked: Asked, job: Job, parts: Path) -> Iterator[Job]:
    """The job with a file of the accounts that are listed, where any are."""
    if asked.listed is None:
        yield job
        return
    path = parts / "listed.json"
    path.write_text(json.dumps(asked.listed), encoding="utf-8")
    yield replace(job, listed=str(path))


@contextmanager
def _going_on(means: Means) -> Iterator[None]:
    """Says what becomes of the shards that are done where others are not."""
    try:
        yield
    except WorkerError as error:
        way_out = (
            f"; what is decided is kept in {means.shard_dir}, and the same command goes on with it"
            if means.shard_dir is not None
            else "; with --shard-dir DIR what is decided would be kept for the next try"
        )
        raise WorkerError(f"{error}{way_out}") from error


def _tasks(job: Job, shards: _Shards, parts: Path) -> list[ShardJob]:
    from decisioning.batch.job import ShardJob
    from features.shard_tables import shard_folder

    return [
        ShardJob(job, str(shard_folder(shards.folder, shard)), str(parts / f"{shard:05d}.rows"))
        for shard in range(shards.n_shards)
    ]


def _decided(
    asked: Asked, means: Means, tasks: Sequence[ShardJob], read: tuple[ModelBundle, Desk], *, on_step: OnStep
) -> Done:
    """The two passes over the shards, and what is made of all of them."""
    from decisioning.batch.deciding import decide_shard, told_beside
    from decisioning.batch.files import write_decisions
    from decisioning.batch.gathering import in_order
    from decisioning.batch.told import Told

    bundle, desk = read
    plan = None
    if desk.config.is_limited:
        plan, tasks = _allotted(means, tasks, desk, on_step=on_step)
    start = 0.5 if plan else 0.2
    means.run(tasks, decide_shard, on_share=lambda share: on_step("deciding", start + (0.9 - start) * share))
    on_step("writing", 0.9)
    layout = tasks[0].job.layout(bundle.payment.horizons, allotted=plan is not None)
    write_decisions(asked.out, in_order([Path(task.part) for task in tasks]), layout)
    told = Told.together([Told.load(told_beside(Path(task.part)), desk.catalogue) for task in tasks], desk.catalogue)
    return _told(asked, told, plan, bundle, desk)


def _told(asked: Asked, told: Told, plan: Plan | None, bundle: ModelBundle, desk: Desk) -> Done:
    """What is told of a run whose decisions are written, and the files of it."""
    prices = prices_of(plan, as_of=asked.as_of, bundle=bundle, desk=desk)
    exclusions = _figures(told, to_us(asked.as_of), bundle, desk)
    write_allocation(asked.out, prices)
    write_exclusions(asked.out, exclusions)
    return Done(told.outline.summary(horizons=bundle.payment.horizons), prices, exclusions)


def _allotted(
    means: Means, tasks: Sequence[ShardJob], desk: Desk, *, on_step: OnStep
) -> tuple[Plan, Sequence[ShardJob]]:
    """The plan for the claims of all shards, and the tasks with what each shard is given."""
    from decisioning.batch.sharing import claim_shard, share

    claiming = [replace(task, part=str(Path(task.part).with_suffix(".claims"))) for task in tasks]
    means.run(claiming, claim_shard, on_share=lambda share: on_step("gathering claims", 0.2 + 0.25 * share))
    on_step("allotting", 0.45)
    portions = [Path(task.part).with_suffix(".portions") for task in tasks]
    plan = share(claiming, portions, desk)
    return plan, [replace(task, portions=str(path)) for task, path in zip(tasks, portions, strict=True)]


def _figures(told: Told, as_of_us: int, bundle: ModelBundle, desk: Desk) -> Exclusions:
    from decisioning.exclusions import decision_segments, wordings
    from decisioning.exclusions.counting import Run, figures_of

    nobody = not told.tally.accounts
    if nobody:
        told.tally.know(decision_segments([]))
    run = None if nobody else Run(as_of_us, bundle.version, desk.policy_version)
    return figures_of(told.tally, run, wording=wordings(desk))
