"""The registry: versions, aliases and their history in MLflow, bundles as folders beside it. The only file with MLflow.

Serving needs none of it: each alias is also a small JSON file that names a bundle's folder.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from decisioning.integrity import manifest_of
from domain.errors import BundleError
from training.aliases import point, read_pointer, write_json

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

    from decisioning.bundle import ModelBundle

MODEL, EXPERIMENT = "acerto", "acerto"
CHAMPION, CHALLENGER = "champion", "challenger"
_ARTIFACT = "bundle"
_COMPARISON = "opponents.json"


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where runs and versions are kept: ``root`` holds bundles, aliases and, by default, the MLflow database."""

    root: Path = Path("mlruns")
    uri: str | None = None

    @classmethod
    def from_environment(cls) -> Tracking:
        """``mlruns/`` below the working directory, and the server that ``MLFLOW_TRACKING_URI`` names, if any."""
        return cls(uri=os.environ.get("MLFLOW_TRACKING_URI") or None)

    @property
    def address(self) -> str:
        """The tracking URI; with an absolute path, as MLflow keeps connections by URI for the life of a process."""
        return self.uri or f"sqlite:///{(self.root / 'mlflow.db').absolute()}"

    @property
    def bundles(self) -> Path:
        """Folder of bundles, one per version."""
        return self.root / "bundles"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What MLflow keeps of a training run beside its bundle; ``files`` are JSON values by file name."""

    name: str | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)


def now() -> datetime:
    """The present moment: the registry is an edge, and dates what it keeps."""
    return datetime.now(UTC).replace(microsecond=0)


def register(bundle: Path, record: RunRecord, tracking: Tracking) -> ModelBundle:
    """Keep a bundle as a new version and make it the challenger.

    Returns
    -------
    The bundle as it now stands in the registry, under the version it was given
    """
    from decisioning.bundle import copy_bundle  # noqa: PLC0415  (a rollback need not wait for LightGBM)

    tracking.bundles.mkdir(parents=True, exist_ok=True)
    with _client(tracking) as client:
        experiment = _experiment(client, tracking)
        run = client.create_run(experiment, run_name=record.name)
        run_id = run.info.run_id
        try:
            _log(client, run_id, record)
            source = f"{run.info.artifact_uri.rstrip('/')}/{_ARTIFACT}"
            _ensure_model(client)
            version = str(client.create_model_version(MODEL, source, run_id).version)
            kept = copy_bundle(bundle, tracking.bundles / version, version=version)
            client.log_artifacts(run_id, str(kept.folder), _ARTIFACT)
            client.set_model_version_tag(MODEL, version, "model_hash", kept.model_hash)
            client.set_registered_model_alias(MODEL, CHALLENGER, version)
        except BaseException:
            client.set_terminated(run_id, status="FAILED")
            raise
        client.set_terminated(run_id)
    point(tracking.root, CHALLENGER, {"version": version}, since=now().isoformat())
    return kept


def keep_comparison(version: str, found: Mapping[str, Any], tracking: Tracking) -> Path:
    """Keep how a version's policy compared with others: beside its bundle, on its run, and verdicts as its tags.

    A later comparison of the same version takes its place. Returns the file beside the bundle.
    """
    dated = {"version": version, "compared_at": now().isoformat(), **found}
    with _client(tracking) as client:
        run_id = client.get_model_version(MODEL, version).run_id
        if run_id is not None:
            client.log_dict(run_id, dated, _COMPARISON)
        for opponent, one in found["opponents"].items():
            client.set_model_version_tag(MODEL, version, f"against_{opponent}", one["verdict"])
    return write_json(comparison_file(bundle_of(version, tracking)), dated)


def comparison_file(bundle: Path) -> Path:
    """Where a bundle's comparison is kept, if there is one: beside it, since what a bundle holds was sealed."""
    return bundle.with_name(f"{bundle.name}.{_COMPARISON}")


def move_champion(version: str, tracking: Tracking, *, why: str) -> str | None:
    """Make a version the champion; returns the version that was champion before."""
    bundle_of(version, tracking)
    history = champions(tracking)
    if history and history[-1] == version:
        return history[-1]
    _record_champion(version, tracking, why=why)
    point(
        tracking.root,
        CHAMPION,
        {"version": version, "history": [*history, version], "why": why},
        since=now().isoformat(),
    )
    return history[-1] if history else None


def roll_back(tracking: Tracking) -> tuple[str, str]:
    """Make the champion before the present one champion again.

    Returns
    -------
    The version taken down, and the one that is champion now

    Raises
    ------
    BundleError : there is no earlier champion, or the tracking store could not be told

    Notes
    -----
    Whoever serves sees the alias first, and the tracking store hears of it after: people wait for the former.
    """
    history = champions(tracking)
    if len(history) < 2:
        raise BundleError(
            f"found {len(history)} champion(s) so far, needed an earlier one to go back to; promote another version"
        )
    down, up = history[-1], history[-2]
    why = f"rolled back from version {down}"
    point(tracking.root, CHAMPION, {"version": up, "history": history[:-1], "why": why}, since=now().isoformat())
    try:
        _record_champion(up, tracking, why=why)
    except Exception as error:
        raise BundleError(
            f"version {up} is served again, but the tracking store was not told ({type(error).__name__}) and still "
            f"names version {down}; do not roll back again for that: promote {down}, and roll back, once it answers"
        ) from error
    return down, up


def champions(tracking: Tracking) -> list[str]:
    """Versions that were promoted, in order; the last is the champion."""
    pointer = read_pointer(tracking.root, CHAMPION)
    return [] if pointer is None else [str(version) for version in pointer.get("history", [pointer["version"]])]


def resolve(model: str, tracking: Tracking) -> tuple[Path, str | None]:
    """The bundle's folder behind an alias, a version or a folder, and a note where another one than asked is used.

    Raises
    ------
    BundleError : nothing was ever trained, or the name is unknown
    """
    if model in (CHAMPION, CHALLENGER):
        pointer = read_pointer(tracking.root, model)
        if pointer is not None:
            return bundle_of(str(pointer["version"]), tracking), None
        challenger = read_pointer(tracking.root, CHALLENGER)
        if challenger is None:
            raise BundleError(f"no model was ever registered in {tracking.root}; run `acerto train` first")
        version = str(challenger["version"])
        return bundle_of(version, tracking), f"no champion yet: using the challenger, version {version}"
    # A folder named like a version is asked for as ./3: versions come first. An absolute path is no version, although
    # joined to the folder of versions it is itself.
    is_version = model.isdecimal() and (tracking.bundles / model).is_dir()
    if not is_version and Path(model).is_dir():
        return Path(model), None
    return bundle_of(model, tracking), None


def bundle_of(version: str, tracking: Tracking) -> Path:
    """Folder of a version; fetched from the tracking server where this machine does not have it yet."""
    folder = tracking.bundles / version
    if not version.isdecimal():
        raise BundleError(f"found the model {version!r}, needed champion, challenger, a version or a bundle's folder")
    if not folder.is_dir() and tracking.uri is not None:
        _fetch(version, tracking)
    if not folder.is_dir():
        there = sorted(int(path.name) for path in tracking.bundles.glob("*") if path.name.isdecimal())
        raise BundleError(f"found no version {version} in {tracking.bundles}; there are {there or 'none'}")
    return folder


def challenger(tracking: Tracking) -> str:
    """The version that was trained last."""
    pointer = read_pointer(tracking.root, CHALLENGER)
    if pointer is None:
        raise BundleError(f"no model was ever registered in {tracking.root}; run `acerto train` first")
    return str(pointer["version"])


def _record_champion(version: str, tracking: Tracking, *, why: str) -> None:
    """Tells the tracking store; refuses a bundle that is not the one that was registered."""
    with _client(tracking) as client:
        registered = client.get_model_version(MODEL, version).tags.get("model_hash")
        found = manifest_of(bundle_of(version, tracking))["model_hash"]
        if registered not in (None, found):
            raise BundleError(
                f"version {version}: found a bundle with the model hash {found}, registered was {registered}; "
                "train again, or promote another version"
            )
        client.set_registered_model_alias(MODEL, CHAMPION, version)
        client.set_model_version_tag(MODEL, version, "promoted_at", now().isoformat())
        client.set_model_version_tag(MODEL, version, "promoted_why", why)


def _log(client: MlflowClient, run_id: str, record: RunRecord) -> None:
    for name, value in record.params.items():
        client.log_param(run_id, name, value)
    for name, number in record.metrics.items():
        client.log_metric(run_id, name, number)
    for name, text in record.tags.items():
        client.set_tag(run_id, name, text)
    for name, content in record.files.items():
        client.log_dict(run_id, content, name)


def _experiment(client: MlflowClient, tracking: Tracking) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    place = None if tracking.uri else (tracking.root / "artifacts").absolute().as_uri()
    return str(client.create_experiment(EXPERIMENT, artifact_location=place))


def _ensure_model(client: MlflowClient) -> None:
    if not client.search_registered_models(f"name='{MODEL}'"):
        client.create_registered_model(MODEL)


def _fetch(version: str, tracking: Tracking) -> None:
    from decisioning.bundle import copy_bundle  # noqa: PLC0415

    with _client(tracking) as client:
        run_id = client.get_model_version(MODEL, version).run_id
        if run_id is None:
            raise BundleError(f"version {version} has no run to fetch its bundle from; train again")
        tracking.bundles.mkdir(parents=True, exist_ok=True)
        fetched = Path(client.download_artifacts(run_id, _ARTIFACT))
        copy_bundle(fetched, tracking.bundles / version, version=version)
        if _COMPARISON in {found.path for found in client.list_artifacts(run_id)}:
            compared = Path(client.download_artifacts(run_id, _COMPARISON))
            write_json(comparison_file(tracking.bundles / version), json.loads(compared.read_text(encoding="utf-8")))


@contextmanager
def _client(tracking: Tracking) -> Iterator[MlflowClient]:
    """A client that prints nothing, reports nothing to anyone, and loads no pickles."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.tracking import MlflowClient  # noqa: PLC0415  (two seconds that only these commands pay)

        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
        tracking.root.mkdir(parents=True, exist_ok=True)
        yield MlflowClient(tracking_uri=tracking.address, registry_uri=tracking.address)
