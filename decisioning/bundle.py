"""The model bundle: everything that was fixed at training, in one directory without any pickle (contract §6).

Training writes it, serving reads it. Whoever serves tries it in another process first (``serving/loading.py``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from decisioning.calibration import Calibrator
from decisioning.integrity import canonical_hash, canonical_json, read_files, seal_of, write_files
from decisioning.levels import levels_of
from decisioning.models import PaymentModel
from decisioning.response import ResponseModel
from decisioning.response_files import as_json, booster_files, booster_of, response_of, text_of
from domain.actions import Action
from domain.errors import BundleError
from features.reference import Reference
from features.schema import FeatureSchema

Floats = npt.NDArray[np.float64]
_TOLERANCE = 1e-12
_REFERENCE, _SCORES = "reference.json", "scores.json"
# What JSON of another shape than expected ends in, wherever it is read.
_MISFITS = (LookupError, TypeError, ValueError, AttributeError, RecursionError, lgb.basic.LightGBMError)


@dataclass(frozen=True)
class BundleParts:
    """What training hands over.

    ``settings`` is label and training configuration as JSON, without times or paths; ``golden_values`` (g, k) are
    feature rows and ``golden_actions`` a few actions, whose expected outputs are stored; ``evaluation`` are further
    files by name, which nothing here reads; ``reference`` is what the training matrix looked like, and ``scores`` the
    probabilities of each horizon (``30d``) on rows that came after training.
    """

    version: str
    trained_at: str
    schema: FeatureSchema
    payment: PaymentModel
    response: ResponseModel | None
    settings: Mapping[str, Any]
    golden_values: Floats
    golden_actions: Sequence[Action] = ()
    evaluation: Mapping[str, bytes] = field(default_factory=dict)
    reference: Reference | None = None
    scores: Reference | None = None


@dataclass(frozen=True)
class ModelBundle:
    """A verified bundle in memory; ``golden`` holds rows and expected outputs, ``folder`` is where it was read from.

    ``reference`` and ``scores`` are ``None`` in bundles of before they were kept: nothing can be compared with those.
    ``seal`` is the SHA-256 of the manifest.
    """

    schema: FeatureSchema
    payment: PaymentModel
    response: ResponseModel | None
    settings: Mapping[str, Any]
    version: str
    model_hash: str
    trained_at: str
    golden: Mapping[str, Any]
    folder: Path
    seal: str
    reference: Reference | None = None
    scores: Reference | None = None

    @property
    def golden_values(self) -> Floats:
        """(g, k) feature rows whose expected outputs the bundle holds."""
        return _array(self.golden["values"])

    @cached_property
    def levels(self) -> Mapping[int, Floats]:
        """At which values of each feature of an account a decision can change (``levels.levels_of``)."""
        return levels_of(self.response, self.payment, self.schema)


def write_bundle(folder: Path, parts: BundleParts) -> ModelBundle:
    """Writes a bundle to a folder that does not exist yet, in one step, and reads it back.

    Returns
    -------
    The bundle as read: what was written is what was verified, and its golden rows were recomputed.
    """
    contents: dict[str, bytes] = {f"evaluation/{name}": content for name, content in parts.evaluation.items()}
    contents |= {f"payment_{days}d.txt": text_of(booster) for days, booster in parts.payment.boosters.items()}
    contents |= booster_files(parts.response) if parts.response else {}
    contents["schema.json"] = canonical_json(parts.schema.to_json())
    contents["settings.json"] = canonical_json(dict(parts.settings))
    contents["calibration.json"] = canonical_json(_calibration(parts))
    contents["golden.json"] = canonical_json(_golden(parts))
    for name, found in ((_REFERENCE, parts.reference), (_SCORES, parts.scores)):
        if found is not None:
            contents[name] = canonical_json(found.to_json())
    identity = {"version": parts.version, "trained_at": parts.trained_at, "model_hash": canonical_hash(contents)}
    write_files(folder, contents, identity=identity)
    bundle = read_bundle(folder)
    check_golden(bundle)
    return bundle


def read_bundle(folder: Path) -> ModelBundle:
    """Reads a bundle after checking every byte of it.

    Raises
    ------
    BundleError : damaged, incomplete, or of another format
    FeatureSchemaMismatchError : it needs features which this build does not compute
    """
    return parse_bundle(folder, *read_files(folder))


def parse_bundle(folder: Path, manifest: Mapping[str, Any], contents: Mapping[str, bytes]) -> ModelBundle:
    """Makes a bundle of files that ``read_files`` has checked; raises what ``read_bundle`` does."""
    try:
        if canonical_hash(contents) != manifest["model_hash"]:
            raise BundleError(f"{folder}: the model hash of the manifest is not that of its files; register it again")
        calibration, golden, settings = (_json(contents, name) for name in ("calibration", "golden", "settings"))
        schema = FeatureSchema.from_json(_json(contents, "schema"))
        payment, response = _payment(calibration["payment"], contents), _response(calibration["response"], contents)
        reference, scores = _reference(contents, _REFERENCE), _scores(contents, payment)
    except _MISFITS as error:
        raise BundleError(f"{folder}: its files do not fit together ({type(error).__name__}); retrain") from error
    _check_columns(folder, payment, schema)
    identity = {key: manifest[key] for key in ("version", "model_hash", "trained_at")}
    return ModelBundle(
        schema, payment, response, settings, golden=golden, folder=folder, seal=seal_of(manifest), reference=reference,
        scores=scores, **identity,
    )  # fmt: skip


def _reference(contents: Mapping[str, bytes], name: str) -> Reference | None:
    return Reference.from_json(json.loads(contents[name])) if name in contents else None


def _scores(contents: Mapping[str, bytes], payment: PaymentModel) -> Reference | None:
    """In the order of the horizons; a ``LookupError`` or ``ValueError`` where it is of others."""
    found = _reference(contents, _SCORES)
    if found is None:
        return None
    horizons = [f"{days}d" for days in payment.horizons]
    if len(found.features) != len(horizons) or any(one.categorical for one in found.features.values()):
        raise ValueError("the distribution of the scores is not one of numbers by horizon")
    return replace(found, features={horizon: found.features[horizon] for horizon in horizons})


def _check_columns(folder: Path, payment: PaymentModel, schema: FeatureSchema) -> None:
    """Golden rows are columns by place: that they are the columns of the schema, only their names tell."""
    unnamed = [f"Column_{place}" for place in range(len(schema.names))]
    for days, booster in payment.boosters.items():
        if booster.feature_name() not in (list(schema.names), unnamed):
            raise BundleError(f"{folder}: the model of {days} days has other columns than the feature schema; retrain")


def copy_bundle(source: Path, target: Path, *, version: str) -> ModelBundle:
    """A verified copy of a bundle under the version that a registry gave it; its model hash stays the same."""
    manifest, contents = read_files(source)
    identity = {"version": version, "trained_at": manifest["trained_at"], "model_hash": manifest["model_hash"]}
    write_files(target, contents, identity=identity)
    return read_bundle(target)


def check_golden(bundle: ModelBundle) -> str:
    """Recomputes the golden rows; a ``BundleError`` where this machine does not compute what training computed.

    Returns
    -------
    SHA-256 of all that was computed, to the bit: the same wherever the same bundle computes the same
    """
    try:
        checks = _recomputed(bundle)
    except _MISFITS as error:
        raise BundleError(
            f"{bundle.folder}: golden rows cannot be computed ({type(error).__name__}); retrain"
        ) from error
    digest = sha256()
    for name, (computed, expected) in checks.items():
        if computed.shape != expected.shape:
            raise BundleError(f"{bundle.folder}: golden rows expect {expected.shape} of {name}, not {computed.shape}")
        gap = np.abs(computed - expected).max(initial=0.0)
        if not gap <= _TOLERANCE:
            raise BundleError(
                f"{bundle.folder}: golden rows differ in {name} by {gap:.3g}; do not serve this model here"
            )
        digest.update(f"{name}\0{computed.shape}\0".encode() + np.ascontiguousarray(computed).tobytes())
    return digest.hexdigest()


def _recomputed(bundle: ModelBundle) -> dict[str, tuple[Floats, Floats]]:
    """What is computed now and what was expected, by name."""
    values = _array(bundle.golden["values"])
    if not len(values):
        raise ValueError("a bundle without golden rows proves nothing")
    checks = {"p_pay": (bundle.payment.predict(values), _array(bundle.golden["p_pay"]))}
    if bundle.response is not None:
        actions = [Action(**{**action, "hours": tuple(action["hours"])}) for action in bundle.golden["actions"]]
        found = bundle.response.outcomes(values, bundle.schema, actions)
        for name, expected in bundle.golden["outcomes"].items():
            checks[f"response {name}"] = (getattr(found, name), _array(expected))
    return checks


def _golden(parts: BundleParts) -> dict[str, Any]:
    values = np.asarray(parts.golden_values, dtype=np.float64)
    golden: dict[str, Any] = {"values": _lists(values), "p_pay": parts.payment.predict(values).tolist()}
    if parts.response is None:
        return golden
    found = parts.response.outcomes(values, parts.schema, parts.golden_actions)
    golden["actions"] = [{name: getattr(action, name) for name in Action.__slots__} for action in parts.golden_actions]
    golden["outcomes"] = {name: values.tolist() for name, values in found.named().items()}
    return golden


def _calibration(parts: BundleParts) -> dict[str, Any]:
    payment = {
        "horizons": list(parts.payment.horizons),
        "explained": parts.payment.explained,
        "calibrators": {str(days): found.to_json() for days, found in parts.payment.calibrators.items()},
    }
    if parts.response is None:
        return {"payment": payment, "response": None}
    return {"payment": payment, "response": as_json(parts.response)}


def _payment(data: Mapping[str, Any], contents: Mapping[str, bytes]) -> PaymentModel:
    horizons = tuple(int(days) for days in data["horizons"])
    return PaymentModel(
        horizons=horizons,
        explained=int(data["explained"]),
        boosters={days: booster_of(contents[f"payment_{days}d.txt"]) for days in horizons},
        calibrators={days: Calibrator.from_json(data["calibrators"][str(days)]) for days in horizons},
    )


def _response(data: Mapping[str, Any] | None, contents: Mapping[str, bytes]) -> ResponseModel | None:
    return None if data is None else response_of(data, contents)


def _json(contents: Mapping[str, bytes], name: str) -> Any:
    return json.loads(contents[f"{name}.json"])


def _lists(values: Floats) -> list[list[float | None]]:
    return [[None if np.isnan(cell) else cell for cell in row] for row in values.tolist()]


def _array(rows: Sequence[Sequence[float | None]]) -> Floats:
    return np.array([[np.nan if cell is None else cell for cell in row] for row in rows], dtype=np.float64)
