"""The tracking store: where it is, what it keeps of a run, and a client for it. MLflow is imported here alone."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

MODEL, EXPERIMENT = "acerto", "acerto"


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
    """What MLflow keeps of a run beside its bundle; ``files`` are artifacts by path, ``children`` runs below it."""

    name: str | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    files: Mapping[str, bytes] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    children: Sequence[RunRecord] = ()


@contextmanager
def client_of(tracking: Tracking) -> Iterator[MlflowClient]:
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


def log(client: MlflowClient, run_id: str, record: RunRecord, *, at_ms: int) -> None:
    """Parameters, metrics and tags of a run, in one transaction, then its files; ``at_ms`` is the present moment."""
    from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415

    client.log_batch(
        run_id,
        metrics=[Metric(name, number, at_ms, 0) for name, number in record.metrics.items()],
        params=[Param(name, value) for name, value in record.params.items()],
        tags=[RunTag(name, text) for name, text in record.tags.items()],
    )
    if not record.files:
        return
    with tempfile.TemporaryDirectory(prefix="acerto-") as name:
        for path, content in record.files.items():
            target = Path(name) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        client.log_artifacts(run_id, name)


def log_children(client: MlflowClient, run_id: str, record: RunRecord, *, at_ms: int) -> None:
    """The children of a run, each a finished run below it; what they belong to is the parent's experiment."""
    experiment = client.get_run(run_id).info.experiment_id
    for one in record.children:
        child = client.create_run(experiment, run_name=one.name, tags={"mlflow.parentRunId": run_id}).info.run_id
        log(client, child, one, at_ms=at_ms)
        client.set_terminated(child)


def experiment_of(client: MlflowClient, tracking: Tracking) -> str:
    """Id of the experiment that all runs are in; made where it is missing."""
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    place = None if tracking.uri else (tracking.root / "artifacts").absolute().as_uri()
    return str(client.create_experiment(EXPERIMENT, artifact_location=place))


def ensure_model(client: MlflowClient) -> None:
    """Makes the registered model that versions belong to, where it is missing."""
    if not client.search_registered_models(f"name='{MODEL}'"):
        client.create_registered_model(MODEL)
