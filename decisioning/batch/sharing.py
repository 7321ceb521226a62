"""What must be decided over all shards together: claims of each are gathered, and each is told its portions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from decisioning.allocation.claims import Claims, Members, together
from decisioning.allocation.plan import Plan, Portions
from decisioning.allocation.resources import resources_of
from decisioning.batch.job import ShardJob, accounts_of, ledgers_of, opened
from decisioning.desk import Desk
from decisioning.foreknown import Keeping
from decisioning.policy import Choice
from decisioning.portfolio import claim, plan_of
from domain.clock import from_us
from features.frame import whole

Int64s = npt.NDArray[np.int64]


def claim_shard(task: ShardJob) -> int:
    """Writes the claims of a shard, and the ids whose they are; the number of accounts.

    Raises
    ------
    DataError : the shard is not there or damaged
    ConfigError : model or configuration are not those of the job, or a segment goes by what accounts do not have
    """
    bundle, desk = opened(task.job)
    encoded = ledgers_of(task, bundle)
    accounts = accounts_of(encoded, task.job, desk)
    # A response model tells nothing of actions that are not allowed; assumed priors do, and cost next to nothing.
    keeping = Keeping() if bundle.response is not None and not task.job.candidates else None
    found = claim(encoded, accounts, as_of=from_us(task.job.as_of_us), bundle=bundle, desk=desk, keeping=keeping)
    known = None if keeping is None else keeping.kept()
    if known is not None:
        with whole(known_beside(Path(task.part))) as partial:
            known.save(partial)
    with whole(_ids(Path(task.part))) as partial:
        partial.write_text(json.dumps([encoded.account_ids[place] for place in accounts.tolist()]), encoding="utf-8")
    with whole(Path(task.part)) as partial:
        found.save(partial)
    return len(accounts)


def known_beside(part: Path) -> Path:
    """Where stands what is known of the accounts of a shard, if anything is."""
    return part.with_suffix(".known")


def share(tasks: Sequence[ShardJob], portions: Sequence[Path], desk: Desk) -> Plan:
    """One plan for the claims of all shards; writes what each of them is given to a file of ``portions``."""
    names = [_read_ids(Path(task.part)) for task in tasks]
    places = _places(names)
    resources = resources_of(desk.config, desk.catalogue.actions)
    parts = ((place, Claims.load(Path(task.part))) for place, task in zip(places, tasks, strict=True))
    size = sum(len(place) for place in places)
    claims = together(parts, resources, size=size)
    plan = plan_of(claims, np.arange(size, dtype=np.int64), desk, members=_nobody)
    for place, path in zip(places, portions, strict=True):
        _save(plan, place, path)
    return plan


def portions_of(path: Path, accounts: Int64s, desk: Desk, *, members: Members) -> Portions:
    """What the accounts (positions in their shard, rising) are given, from the file of their shard."""
    with np.load(path, allow_pickle=False) as found:
        choice = Choice(found["action"], found["action_prob"], found["probabilities"], found["arm"])
        given, price = found["given"], found["price"]
    resources = resources_of(desk.config, desk.catalogue.actions)
    return Portions(accounts, resources, given, price, choice, members, desk.config.currency_symbol)


def _save(plan: Plan, place: Int64s, path: Path) -> None:
    choice, solution = plan.choice.take(place), plan.solution
    with whole(path) as partial, partial.open("wb") as stream:
        np.savez(
            stream, action=choice.action, action_prob=choice.action_prob, probabilities=choice.probabilities,
            arm=choice.arm, given=solution.choice[place].astype(np.int64), price=solution.price,
        )  # fmt: skip


def _places(names: Sequence[Sequence[str]]) -> list[Int64s]:
    """Where the accounts of each shard stand among those of all, in the order of ids."""
    everybody = [name for some in names for name in some]
    order = sorted(range(len(everybody)), key=everybody.__getitem__)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    bounds = np.cumsum([0, *(len(some) for some in names)])
    return [place[start:end] for start, end in pairwise(bounds.tolist())]


def _ids(part: Path) -> Path:
    return part.with_suffix(".ids")


def _read_ids(part: Path) -> list[str]:
    found: list[str] = json.loads(_ids(part).read_bytes())
    return found


def _nobody(_: object) -> npt.NDArray[np.float64]:
    raise AssertionError("a plan that is made without the accounts is asked by their shards alone")
