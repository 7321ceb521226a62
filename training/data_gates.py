"""The data gates of a training run: what was found before it, what the features add, and what the run keeps of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import parse_moment, to_us
from domain.errors import DataError
from features.findings import Report
from features.gates.breaches import Gates, raise_if_stopped
from features.gates.judging import Declared, settle
from features.gates.profile import DataProfile
from features.schema import FeatureSchema
from training.aliases import read_pointer
from training.leakage import suspects
from training.registry import CHALLENGER, Tracking, resolve

NONE = "none"
PROFILE, RESULT = "data_profile.json", "data_gates.json"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Checked:
    """A data directory that was validated, and by what."""

    report: Report
    declared: Declared

    def with_features(self, values: Floats, paid: Floats, schema: FeatureSchema) -> Gates:
        """The result once features and labels are there.

        Parameters
        ----------
        values, paid : (n, k) and (n,), rows of the explained horizon whose label is known

        Raises
        ------
        DataError : a feature tells by itself who pays, and that is not waived
        """
        expected, found = self.declared.expectations.leakage, self.report.gates
        if expected is None:
            return found
        breaches = [*found.breaches, *suspects(values, paid, schema, expected)]
        gates = settle(
            breaches, self.declared.waivers, now_us=to_us(parse_moment(self.report.now)),
            declared=found.declared + 1, against=found.against,
        )  # fmt: skip
        raise_if_stopped(gates)
        return gates

    def files(self, gates: Gates) -> dict[str, bytes]:
        """What a bundle keeps: the result, and the profile that the next training compares its data with."""
        kept: dict[str, Any] = {RESULT: gates.to_json()}
        if self.report.profile is not None:
            kept[PROFILE] = self.report.profile.to_json()
        return {name: json.dumps(content, indent=1, allow_nan=False).encode() for name, content in kept.items()}


def profile_of_training(model: str, tracking: Tracking) -> tuple[DataProfile | None, str | None]:
    """What the data of a training looked like, and the name of its version.

    Parameters
    ----------
    model : challenger (the last training), champion, a version, a bundle's folder, or none

    Returns
    -------
    Nothing for ``none``, and where nothing was ever trained; no profile where the version kept none

    Raises
    ------
    BundleError : there is no such model
    DataError : its profile cannot be read
    """
    if model == NONE or (model == CHALLENGER and read_pointer(tracking.root, CHALLENGER) is None):
        return None, None
    folder, _ = resolve(model, tracking)
    path = folder / "evaluation" / PROFILE
    if not path.is_file():
        return None, None
    try:
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: no readable data profile; give --against none, or another version") from error
    return DataProfile.from_json(found), f"version {folder.name}"
