"""A response model as the files of a bundle, and back: boosters as text, all else as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightgbm as lgb

from decisioning.calibration import Calibrator
from decisioning.funnel import HEADS as FUNNEL_HEADS
from decisioning.funnel import FunnelModel
from decisioning.offsets import OffsetHead, Offsets
from decisioning.response import HEADS, AnyHead, Head, HurdleModel, ResponseModel
from decisioning.twin import BlendedHead, Twin
from domain.errors import BundleError


def booster_files(model: ResponseModel) -> dict[str, bytes]:
    """The boosters of a model by file name."""
    found = {name: head.booster for name, head in model.heads.items() if head.booster is not None}
    plain = {name: _without_offsets(head) for name, head in model.heads.items()}
    twins = {name: head.twin.prognostic for name, head in plain.items() if isinstance(head, BlendedHead)}
    named = {_file(name): booster for name, booster in found.items()}
    named |= {_file(name, "_prognostic"): booster for name, booster in twins.items()}
    return {name: text_of(booster) for name, booster in named.items()}


def as_json(model: ResponseModel) -> dict[str, Any]:
    """All of a model but its boosters."""
    found: dict[str, Any] = {"names": list(model.names), "heads": {n: _head_json(h) for n, h in model.heads.items()}}
    if isinstance(model, FunnelModel):
        found |= {"sent": dict(model.sent), "kept": model.kept}
    return found


def response_of(data: Mapping[str, Any], contents: Mapping[str, bytes]) -> ResponseModel:
    """The model of the form that the data show: a funnel says how often its decisions are carried out."""
    names = tuple(data["names"])
    if "sent" not in data:
        plain = {name: _head(name, data["heads"][name], contents) for name in HEADS}
        if not all(isinstance(head, Head) for head in plain.values()):
            raise BundleError("found a hurdle with blended heads, needed plain ones; retrain")
        return HurdleModel(heads={name: head for name, head in plain.items() if isinstance(head, Head)}, names=names)
    heads = {name: _head(name, data["heads"][name], contents) for name in FUNNEL_HEADS}
    sent = {name: float(rate) for name, rate in data["sent"].items()}
    return FunnelModel(heads=heads, names=names, sent=sent, kept=float(data["kept"]))


def booster_of(content: bytes) -> Any:
    """A booster from its text."""
    return lgb.Booster(model_str=content.decode("utf-8"))


def text_of(booster: Any) -> bytes:
    """A booster as text."""
    return str(booster.model_to_string()).encode("utf-8")


def _file(name: str, part: str = "") -> str:
    return f"response_{name}{part}.txt"


def _without_offsets(head: AnyHead) -> AnyHead:
    return head.head if isinstance(head, OffsetHead) else head


def _head_json(head: AnyHead) -> dict[str, Any]:
    if isinstance(head, OffsetHead):
        return {**_head_json(head.head), "offsets": head.offsets.to_json()}
    if head.calibrator is None:
        return {"constant": head.constant}
    found: dict[str, Any] = {"calibrator": head.calibrator.to_json()}
    if isinstance(head, BlendedHead):
        found |= {"twin": head.twin.to_json(), "weight": head.weight}
    return found


def _head(name: str, data: Mapping[str, Any], contents: Mapping[str, bytes]) -> AnyHead:
    plain = _plain_head(name, data, contents)
    return OffsetHead(plain, Offsets.from_json(data["offsets"])) if "offsets" in data else plain


def _plain_head(name: str, data: Mapping[str, Any], contents: Mapping[str, bytes]) -> Head | BlendedHead:
    if "constant" in data:
        return Head(constant=float(data["constant"]))
    booster, calibrator = booster_of(contents[_file(name)]), Calibrator.from_json(data["calibrator"])
    if "twin" not in data:
        return Head(booster=booster, calibrator=calibrator)
    twin = Twin.from_json(data["twin"], booster_of(contents[_file(name, "_prognostic")]))
    return BlendedHead(booster, twin, float(data["weight"]), calibrator)
