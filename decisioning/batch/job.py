"""What is decided, and on which shard: plain values that any process or machine can be sent."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from decisioning.batch.layout import Layout
from decisioning.bundle import ModelBundle, read_bundle
from decisioning.desk import Desk, load_desk
from decisioning.integrity import canonical_json
from decisioning.pages import owing
from domain.errors import ConfigError
from features.encoding import Encoded, encode
from features.shard_reading import read_shard

_PLACES = ("bundle", "configs", "listed")
FORMAT = 1
"""Goes up whenever parts of an earlier build must not be taken for those of a later one."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of decisions: as of when, by which model and which desk.

    ``bundle`` and ``configs`` are folders that every worker sees, ``model`` (version and hash) and ``policy_version``
    what is to be found there. ``listed`` is a file of the ids asked for, a list in JSON with the hash
    ``listed_sha256``, and ``None`` for all accounts that owe anything. ``totals`` are counts over all shards, for rules
    that ask for more than their own accounts (``Encoded.totals``).
    """

    bundle: str
    configs: str
    model: tuple[str, str]
    policy_version: str
    as_of_us: int
    listed: str | None = None
    listed_sha256: str | None = None
    log_probs: bool = False
    candidates: bool = False
    totals: tuple[tuple[tuple[str, ...], int], ...] = ()

    def name(self, shards: str, *, n_shards: int) -> str:
        """A hash of everything that the decisions depend on: parts under this name may be taken for those of this run.

        Parameters
        ----------
        shards : fingerprint of what the shards were made of
        """
        told = {name: value for name, value in asdict(self).items() if name not in _PLACES}
        parts = {"format": FORMAT, "job": told, "shards": shards, "n_shards": n_shards}
        return sha256(canonical_json(parts)).hexdigest()[:16]

    def layout(self, horizons: tuple[int, ...], *, allotted: bool) -> Layout:
        """The columns that the run writes."""
        return Layout(horizons, log_probs=self.log_probs, allotted=allotted, candidates=self.candidates)


@dataclass(frozen=True, slots=True)
class ShardJob:
    """One shard of a job. ``portions`` is the file of what its accounts are given, ``None`` where nothing is limited.

    ``part`` is the file to write; others with the same name before their suffix stand beside it.
    """

    job: Job
    shard: str
    part: str
    portions: str | None = None


def opened(job: Job) -> tuple[ModelBundle, Desk]:
    """The model and the desk of a job, read once in a process.

    Raises
    ------
    ConfigError : they are not those that the job is about
    """
    bundle, desk = _read(job.bundle, job.configs, *job.model, job.policy_version)
    model = bundle.version, bundle.model_hash
    if (model, desk.policy_version) != (job.model, job.policy_version):
        raise ConfigError(
            f"found the model {_named(model)} and the policy {desk.policy_version} where a worker looked, needed "
            f"{_named(job.model)} and {job.policy_version}: they were changed during the run, so decide again"
        )
    return bundle, desk


def _named(model: tuple[str, str]) -> str:
    return f"{model[0]} ({model[1][:16]})"


@lru_cache(maxsize=2)
def _read(bundle: str, configs: str, *_of: str) -> tuple[ModelBundle, Desk]:
    return read_bundle(Path(bundle)), load_desk(Path(configs))


def ledgers_of(task: ShardJob, bundle: ModelBundle) -> Encoded:
    """The accounts of a shard."""
    encoded = encode(read_shard(Path(task.shard)), attributes=bundle.schema.attributes)
    encoded.totals.update(dict(task.job.totals))
    return encoded


def accounts_of(encoded: Encoded, job: Job, desk: Desk) -> npt.NDArray[np.int64]:
    """Positions, rising, of the accounts that are decided on."""
    if job.listed is None:
        return owing(encoded, job.as_of_us, channels=desk.catalogue.channels)
    index, names = encoded.account_index(), json.loads(Path(job.listed).read_bytes())
    return np.array(sorted({index[name] for name in names if name in index}), dtype=np.int64)
