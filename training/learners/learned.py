"""What every learner of the response model hands over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from decisioning.response import ResponseModel


@dataclass(frozen=True)
class LearnedResponse:
    """The shipped model, and what was measured of each head on rows later than all it was trained on."""

    model: ResponseModel
    summary: Mapping[str, Any]
