"""The registry: versions, aliases and their history in MLflow, bundles as folders beside it.

Serving needs none of it: each alias is also a small JSON file that names a bundle's folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from decisioning.integrity import manifest_of
from domain.errors import BundleError
from training.aliases import point, read_pointer, write_json
from training.promoting import history
from training.tracking import MODEL, RunRecord, Tracking, client_of, ensure_model, experiment_of, log, log_children

if TYPE_CHECKING:
    from decisioning.bundle import ModelBundle

CHAMPION, CHALLENGER = "champion", "challenger"
__all__ = ["CHALLENGER", "CHAMPION", "RunRecord", "Signed", "Tracking"]
_ARTIFACT = "bundle"
_COMPARISON = "opponents.json"
_HEAD = "history_head"


@dataclass(frozen=True)
class Signed:
    """By whom the champion is moved and why, what the gates said, and whether it was forced past them."""

    by: str
    why: str
    gates: list[dict[str, Any]] = field(default_factory=list)
    forced: bool = False


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
    with client_of(tracking) as client:
        experiment = experiment_of(client, tracking)
        run = client.create_run(experiment, run_name=record.name)
        run_id = run.info.run_id
        try:
            at_ms = int(now().timestamp() * 1000)
            log(client, run_id, record, at_ms=at_ms)
            log_children(client, run_id, record, at_ms=at_ms)
            source = f"{run.info.artifact_uri.rstrip('/')}/{_ARTIFACT}"
            ensure_model(client)
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
    with client_of(tracking) as client:
        run_id = client.get_model_version(MODEL, version).run_id
        if run_id is not None:
            client.log_dict(run_id, dated, _COMPARISON)
        for opponent, one in found["opponents"].items():
            client.set_model_version_tag(MODEL, version, f"against_{opponent}", one["verdict"])
    return write_json(comparison_file(bundle_of(version, tracking)), dated)


def keep_backtest(whole: RunRecord, tracking: Tracking) -> str:
    """Keep a backtest as a run, with its origins as children; returns the id of the run."""
    at_ms = int(now().timestamp() * 1000)
    with client_of(tracking) as client:
        experiment = experiment_of(client, tracking)
        parent = str(client.create_run(experiment, run_name=whole.name).info.run_id)
        log(client, parent, whole, at_ms=at_ms)
        log_children(client, parent, whole, at_ms=at_ms)
        client.set_terminated(parent)
    return parent


def keep_report(version: str, report: Path, tracking: Tracking) -> None:
    """Keep the files of a report on the run of a version, below ``report``."""
    with client_of(tracking) as client:
        run_id = client.get_model_version(MODEL, version).run_id
        if run_id is not None:
            client.log_artifacts(run_id, str(report), "report")


def comparison_file(bundle: Path) -> Path:
    """Where a bundle's comparison is kept, if there is one: beside it, since what a bundle holds was sealed."""
    return bundle.with_name(f"{bundle.name}.{_COMPARISON}")


def move_champion(version: str, tracking: Tracking, *, signed: Signed) -> str | None:
    """Make a version the champion, and record it; returns the version that was champion before.

    Nothing is moved or recorded where it is the champion already.
    """
    bundle_of(version, tracking)
    before = champions(tracking)
    if before and before[-1] == version:
        return before[-1]
    happened = _happened("forced" if signed.forced else "promoted", version, tracking, signed=signed)
    with history.appending(tracking.root, happened, at=now().isoformat()) as head:
        _record_champion(version, tracking, why=signed.why, head=head)
    pointer = {"version": version, "history": [*before, version], "why": signed.why, "recorded": head}
    point(tracking.root, CHAMPION, pointer, since=now().isoformat())
    return before[-1] if before else None


def note_refusal(version: str, tracking: Tracking, *, signed: Signed) -> None:
    """Record that a version was not promoted, and which gates stopped it."""
    with history.appending(tracking.root, _happened("refused", version, tracking, signed=signed), at=now().isoformat()):
        pass


def roll_back(tracking: Tracking, *, by: str = "", why: str | None = None) -> tuple[str, str]:
    """Make the champion before the present one champion again, and record by whom and why.

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
    before = champions(tracking)
    if len(before) < 2:
        raise BundleError(
            f"found {len(before)} champion(s) so far, needed an earlier one to go back to; promote another version"
        )
    down, up = before[-1], before[-2]
    told = f"rolled back from version {down}" + (f": {why}" if why else "")
    happened = _happened("rolled_back", up, tracking, signed=Signed(by, told))
    with history.appending(tracking.root, happened, at=now().isoformat()) as head:
        pass
    pointer = {"version": up, "history": before[:-1], "why": told, "recorded": head}
    point(tracking.root, CHAMPION, pointer, since=now().isoformat())
    try:
        _record_champion(up, tracking, why=told, head=head)
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


def version_of_run(run_id: str, tracking: Tracking) -> str:
    """The version that a run of the tracking store registered; a ``BundleError`` where it registered none."""
    with client_of(tracking) as client:
        found = client.search_model_versions(f"run_id='{run_id}'")
    if not found:
        raise BundleError(
            f"found no version registered by the run {run_id}, needed one; `acerto models` lists versions"
        )
    return str(found[0].version)


def challenger(tracking: Tracking) -> str:
    """The version that was trained last."""
    pointer = read_pointer(tracking.root, CHALLENGER)
    if pointer is None:
        raise BundleError(f"no model was ever registered in {tracking.root}; run `acerto train` first")
    return str(pointer["version"])


def history_breaks(tracking: Tracking, *, ask_store: bool) -> list[str]:
    """Every place at which the history of promotions does not hold; ``ask_store`` asks the tracking store as well."""
    pointer, heads = read_pointer(tracking.root, CHAMPION) or {}, {}
    if "recorded" in pointer:
        heads["the champion's alias"] = str(pointer["recorded"])
    if ask_store:
        with client_of(tracking) as client:
            found = client.search_registered_models(f"name='{MODEL}'")
        head = found[0].tags.get(_HEAD) if found else None
        heads |= {} if head is None else {"the tracking store": head}
    lines = history.read(tracking.root)
    made, found_now = history.champion_of(lines), pointer.get("version")
    moved = [f"its last move made version {made} champion, and the alias names {found_now}"]
    return history.breaks(lines, heads) + (moved if made is not None and made != found_now else [])


def _happened(kind: str, version: str, tracking: Tracking, *, signed: Signed) -> dict[str, Any]:
    """An entry of the history, all but its place in it."""
    before = champions(tracking)
    return {
        "kind": kind, "version": version, "previous": before[-1] if before else None, "by": signed.by,
        "why": signed.why, "model_hash": manifest_of(bundle_of(version, tracking))["model_hash"],
        "gates": signed.gates,
    }  # fmt: skip


def _record_champion(version: str, tracking: Tracking, *, why: str, head: str) -> None:
    """Tells the tracking store; refuses a bundle that is not the one that was registered."""
    with client_of(tracking) as client:
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
        client.set_registered_model_tag(MODEL, _HEAD, head)


def _fetch(version: str, tracking: Tracking) -> None:
    from decisioning.bundle import copy_bundle  # noqa: PLC0415

    with client_of(tracking) as client:
        run_id = client.get_model_version(MODEL, version).run_id
        if run_id is None:
            raise BundleError(f"version {version} has no run to fetch its bundle from; train again")
        tracking.bundles.mkdir(parents=True, exist_ok=True)
        fetched = Path(client.download_artifacts(run_id, _ARTIFACT))
        copy_bundle(fetched, tracking.bundles / version, version=version)
        if _COMPARISON in {found.path for found in client.list_artifacts(run_id)}:
            compared = Path(client.download_artifacts(run_id, _COMPARISON))
            write_json(comparison_file(tracking.bundles / version), json.loads(compared.read_text(encoding="utf-8")))
