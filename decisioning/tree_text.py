"""The text form of a LightGBM booster, read tree by tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.errors import BundleError

CATEGORICAL, DEFAULT_LEFT = 1, 2
"""Bits of a node's ``decision_type``; the two after them say what counts as missing."""
MISSING_ZERO, MISSING_NAN = 1, 2
ZERO = float(np.float32(1e-35))
"""LightGBM takes what is no further from zero for zero (``kZeroThreshold``)."""
INT32_END = 2147483648.0


def read_trees(booster: Any) -> list[dict[str, str]]:
    """The fields of each tree by name, as text.

    Raises
    ------
    BundleError : linear trees, or averaged ones (random forest)
    """
    text = booster.model_to_string()
    if "\nis_linear=1" in text or "\naverage_output" in text:
        raise BundleError("found a booster with linear or averaged trees, needed plain gradient boosting")
    blocks = text.split("\nend of trees")[0].split("\nTree=")[1:]
    return [dict(line.split("=", 1) for line in block.split("\n") if "=" in line) for block in blocks]


def numbers(tree: Mapping[str, str], name: str, dtype: Any) -> npt.NDArray[Any]:
    """A field as an array; empty where the tree has none."""
    return np.array(tree.get(name, "").split(), dtype=dtype)
