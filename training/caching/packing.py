"""Results of steps as files, and back to the last bit: JSON for the shape, arrays in one npz, boosters as text.

No pickle: what can be packed is listed here, and what is read is made of nothing else.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from decisioning.calibration import Calibrator
from decisioning.config import Objective
from decisioning.funnel import FunnelModel
from decisioning.integrity import canonical_json
from decisioning.offsets import OffsetHead, Offsets
from decisioning.response import Head, HurdleModel
from decisioning.twin import BlendedHead, Twin
from domain.actions import Action
from features.schema import FeatureSchema
from features.spine import Spine
from training.contact_log import Annoyance, ContactLog, Contacts, Moments
from training.dataset import PaymentRows
from training.evaluation import Rows
from training.learners.learned import LearnedResponse
from training.money_check import Checked
from training.payment import Fitted, Target
from training.response_log import ResponseLog
from training.sequences import Sequences, Steps, Turns
from training.splits import Split
from training.tuning.winning import Fold
from training.verdicts import Judged

_RECORDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        Action, Annoyance, BlendedHead, Calibrator, Checked, ContactLog, Contacts, Fitted, Fold, FunnelModel, Head,
        HurdleModel, Judged, LearnedResponse, Moments, OffsetHead, Offsets, PaymentRows, ResponseLog, Rows, Sequences,
        Spine, Split, Steps, Target, Turns, Twin,
    )
}  # fmt: skip
_SHAPE, _ARRAYS = "value.json", "arrays.npz"


def write_value(folder: Path, value: Any) -> None:
    """Writes a value into an empty folder; a ``TypeError`` where it holds what is not listed here."""
    packer = _Packer()
    shape = packer.pack(value)
    (folder / _SHAPE).write_bytes(canonical_json(shape))
    with (folder / _ARRAYS).open("wb") as file:
        np.savez(file, allow_pickle=False, **{f"a{place}": array for place, array in enumerate(packer.arrays)})
    for place, text in enumerate(packer.texts):
        (folder / f"booster_{place}.txt").write_text(text, encoding="utf-8", newline="")


def read_value(folder: Path) -> Any:
    """The value that was written, of the same types and bits."""
    shape = json.loads((folder / _SHAPE).read_bytes())
    with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
        return _unpacked(shape, folder, arrays)


class _Packer:
    """A value as JSON, in which arrays and boosters are numbers of those that are put aside."""

    def __init__(self) -> None:
        self.arrays: list[npt.NDArray[Any]] = []
        self.texts: list[str] = []

    def pack(self, value: Any) -> Any:
        """JSON of one value."""
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return ["float", value.hex()]
        if type(value) in (list, tuple):
            return [type(value).__name__, [self.pack(one) for one in value]]
        if isinstance(value, dict):
            return ["dict", [[self.pack(key), self.pack(one)] for key, one in value.items()]]
        if isinstance(value, np.ndarray | np.generic | bytes):
            return self._aside(value)
        return self._made(value)

    def _aside(self, value: npt.NDArray[Any] | np.generic | bytes) -> Any:
        kind = "array" if isinstance(value, np.ndarray) else "bytes" if isinstance(value, bytes) else "scalar"
        array = np.frombuffer(value, dtype=np.uint8) if isinstance(value, bytes) else np.asarray(value)
        if array.dtype.hasobject:
            raise TypeError(f"found an array of {array.dtype}, needed numbers or texts of fixed width")
        self.arrays.append(array)
        return [kind, len(self.arrays) - 1]

    def _made(self, value: Any) -> Any:
        if isinstance(value, lgb.Booster):
            self.texts.append(str(value.model_to_string()))
            return ["booster", len(self.texts) - 1]
        if isinstance(value, FeatureSchema):
            return ["schema", canonical_json(value.to_json()).decode("utf-8")]
        if isinstance(value, Objective):
            return ["objective", canonical_json(value.model_dump()).decode("utf-8")]
        name = type(value).__name__
        if not is_dataclass(value) or _RECORDS.get(name) is not type(value):
            raise TypeError(f"found a {name}, which is not among what can be packed: add it to training/caching")
        packed = [[one.name, self.pack(getattr(value, one.name))] for one in fields(value)]
        return ["record", name, packed]


def _unpacked(shape: Any, folder: Path, arrays: Any) -> Any:
    if not isinstance(shape, list):
        return shape
    kind, *rest = shape
    if kind == "record":
        return _RECORDS[rest[0]](**{name: _unpacked(one, folder, arrays) for name, one in rest[1]})
    of = rest[0]
    if kind in ("list", "tuple"):
        found = [_unpacked(one, folder, arrays) for one in of]
        return tuple(found) if kind == "tuple" else found
    if kind == "dict":
        return {_unpacked(key, folder, arrays): _unpacked(one, folder, arrays) for key, one in of}
    if kind == "booster":
        return lgb.Booster(model_str=(folder / f"booster_{of}.txt").read_bytes().decode("utf-8"))
    if kind in ("array", "scalar", "bytes"):
        array = arrays[f"a{of}"]
        return array if kind == "array" else array[()] if kind == "scalar" else array.tobytes()
    return {"float": float.fromhex, "schema": _schema, "objective": Objective.model_validate_json}[kind](of)


def _schema(text: str) -> FeatureSchema:
    return FeatureSchema.from_json(json.loads(text))
