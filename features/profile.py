"""The columns of a feature matrix one by one: what is missing, constant, doubled, out of range, and what shifted."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from domain.coded import Coded
from features.columns import index_of
from features.definitions import Attribute
from features.encoding import Encoded
from features.reference import FeatureReference, Reference, columns_of, counts_in
from features.schema import FeatureSchema, parts_of
from features.spine import Spine
from features.stability import Stability, stability
from features.state import local_of

Floats = npt.NDArray[np.float64]
_UNSEEN = -2


@dataclass(frozen=True, slots=True)
class FeatureQuality:
    """One column: shares of its rows, the range of its finite values, and its relation to others and to training.

    ``duplicate_of`` is the first column with the same bits, looked for among those that are not ``constant`` (one value
    in every row, or none in any). ``null_rise``, ``outside_rate`` and ``stability`` compare with training and are
    ``None`` without it; ``unseen_rate`` is the share of rows whose category training never saw, which the matrix holds
    as missing values. Zeros, range and what lies outside it are not told of categories.
    """

    name: str
    null_rate: float
    zero_rate: float | None
    infinite: int
    low: float | None
    high: float | None
    constant: bool
    duplicate_of: str | None = None
    unseen_rate: float | None = None
    null_rise: float | None = None
    outside_rate: float | None = None
    stability: Stability | None = None


def profiles(
    matrix: Floats, schema: FeatureSchema, reference: Reference | None = None, *, units: int, false_alarm: float
) -> tuple[FeatureQuality, ...]:
    """Every column of a matrix (n, k), in schema order.

    Parameters
    ----------
    units : independent debtors among the rows
    false_alarm : probability with which the PSI of one feature passes its noise where nothing shifted
    """
    first: dict[bytes, str] = {}
    found = []
    for name, column in columns_of(matrix, schema):
        one = _described(name, column, categorical=name in schema.categories)
        if not one.constant:
            earlier = first.setdefault(hashlib.sha256(column.data).digest(), name)
            one = replace(one, duplicate_of=None if earlier == name else earlier)
        if reference is not None and name in reference.features and len(matrix):
            before = reference.features[name]
            shift = stability(
                counts_in(column, before), np.array(before.counts),
                units=units, units_before=reference.units, false_alarm=false_alarm,
            )  # fmt: skip
            outside = _outside(column, before)
            one = replace(
                one, null_rise=one.null_rate - before.null_rate, outside_rate=outside, stability=shift,
            )  # fmt: skip
        found.append(one)
    return tuple(found)


def unseen_shares(encoded: Encoded, spine: Spine, schema: FeatureSchema) -> dict[str, float]:
    """Share of rows with a category that training never saw, for each categorical feature.

    The matrix cannot tell: there such a row is a missing value like any other.
    """
    row = local_of(encoded, spine).row
    found: dict[str, float] = {}
    for name, categories in schema.categories.items():
        rule = schema.features[schema.index[name]].rule
        data = encoded.tables.columns["accounts"].get(rule.column) if isinstance(rule, Attribute) else None
        if isinstance(data, Coded) and len(row):
            codes = data.recode(index_of(categories), unknown=_UNSEEN)[row]
            found[name] = float(((codes == _UNSEEN) & (row >= 0)).mean())
    return found


def without_value(schema: FeatureSchema, absent: Collection[str]) -> frozenset[str]:
    """Features that have no value where these tables are absent: their own, and those made of them."""
    own = {one.name for one in schema.computed if not {one.table, *one.tables}.isdisjoint(absent)}
    return frozenset(one.name for one in schema.features if one.name in own or not own.isdisjoint(parts_of(one)))


def with_unseen(features: tuple[FeatureQuality, ...], shares: Mapping[str, float]) -> tuple[FeatureQuality, ...]:
    """The same columns with their shares of categories that training never saw."""
    return tuple(replace(feature, unseen_rate=shares.get(feature.name)) for feature in features)


def _described(name: str, column: Floats, *, categorical: bool) -> FeatureQuality:
    rows = len(column)
    nulls = int(np.count_nonzero(np.isnan(column)))
    infinite = int(np.count_nonzero(np.isinf(column)))
    there = column if not nulls and not infinite else column[np.isfinite(column)]
    low, high = (float(there.min()), float(there.max())) if len(there) else (None, None)
    return FeatureQuality(
        name=name,
        null_rate=nulls / max(rows, 1),
        zero_rate=None if categorical else int(np.count_nonzero(there == 0)) / max(rows, 1),
        infinite=infinite,
        low=None if categorical else low,
        high=None if categorical else high,
        constant=nulls == rows or (low == high and len(there) == rows),
    )


def _outside(column: Floats, before: FeatureReference) -> float | None:
    if before.low is None or before.high is None:
        return None
    return int(np.count_nonzero(column < before.low) + np.count_nonzero(column > before.high)) / len(column)
