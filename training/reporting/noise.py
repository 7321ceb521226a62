"""Noise of a percent of each value: what "stable under ±1 % noise" means, in the report and in its benchmark."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from decisioning.bundle import ModelBundle
from decisioning.explanation import reasons, shares
from features.schema import FeatureSchema

Floats = npt.NDArray[np.float64]
Codes = tuple[str, ...]


def scaled(values: Floats, schema: FeatureSchema, rng: np.random.Generator, *, noise: float) -> Floats:
    """(n, k) values, each multiplied by a factor drawn evenly from ``1 ± noise``; gaps and categories stay.

    A value of 0 stays too: that nothing happened is no measurement.
    """
    factor = rng.uniform(1.0 - noise, 1.0 + noise, size=values.shape)
    factor[:, list(schema.categorical)] = 1.0
    factor[:, [bool(feature.words) for feature in schema.features]] = 1.0
    return np.asarray(values * factor, dtype=np.float64)


def codes_of(bundle: ModelBundle, values: Floats) -> list[Codes]:
    """The reason codes of each row, the strongest first."""
    told = reasons(shares(bundle.payment, values), values, bundle.schema, locale="en")
    return [tuple(one.code for one in row) for row in told]


def first_kept(before: Sequence[Codes], after: Sequence[Codes]) -> Floats:
    """(n,) 1 where the first reason is the same, or there is none before and after."""
    return np.array([float(now[:1] == was[:1]) for was, now in zip(before, after, strict=True)])
