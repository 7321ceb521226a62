"""The feature matrix: every row of a spine as known at its own ``as_of``; for one row or millions the same code."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, Int64s, from_day, weekdays
from domain.tables import Coded
from features.columns import index_of
from features.definitions import Attribute, Calendar, Feature, Ratio, Standing, Windowed
from features.encoding import Encoded
from features.kernel import windowed
from features.plan import Compiled, compile_plan
from features.schema import FeatureSchema
from features.spine import Spine
from features.state import Local, local_of, standing_columns

Floats = npt.NDArray[np.float64]
_PAYDAY = 5


@lru_cache(maxsize=8)
def _compiled_plan(features: tuple[Feature, ...]) -> Compiled:
    return compile_plan(features)


def compute_many(encoded: Encoded, spine: Spine, schema: FeatureSchema) -> Floats:
    """The feature matrix.

    Returns
    -------
    (n, len(schema.names)) float64 in schema order; ``NaN`` is a missing value. A feature whose table is absent here is
    missing throughout, one whose table is there but empty has its declared empty value. Nothing that happened or was
    recorded at or after a row's ``as_of`` has any part in it.
    """
    local = local_of(encoded, spine)
    columns = _windowed_columns(encoded, spine, schema)
    columns |= _standing(encoded, spine, schema, local)
    for feature in schema.features:
        if isinstance(feature.rule, Calendar):
            columns[feature.name] = _calendar(feature.rule, local.day)
        elif isinstance(feature.rule, Attribute):
            columns[feature.name] = _attribute(encoded, spine, schema, feature, local)
    for feature in schema.features:
        if isinstance(feature.rule, Ratio):
            columns[feature.name] = _ratio(
                columns[feature.rule.numerator], columns[feature.rule.denominator], feature.rule
            )
    matrix = np.empty((len(spine), len(schema.names)))
    for position, name in enumerate(schema.names):
        matrix[:, position] = columns[name]
    return matrix


def _windowed_columns(encoded: Encoded, spine: Spine, schema: FeatureSchema) -> dict[str, Floats]:
    compiled = _compiled_plan(tuple(feature for feature in schema.features if isinstance(feature.rule, Windowed)))
    out = np.empty((len(spine), len(compiled.features)))
    windowed(compiled.plan, encoded.events, spine.account, spine.as_of_us, out)
    for position, feature in enumerate(compiled.features):
        if feature.table not in encoded.present:
            out[:, position] = np.nan
    return {feature.name: out[:, position] for position, feature in enumerate(compiled.features)}


def _standing(encoded: Encoded, spine: Spine, schema: FeatureSchema, local: Local) -> dict[str, Floats]:
    columns = standing_columns(encoded, spine, local)
    found: dict[str, Floats] = {}
    for feature in schema.features:
        if isinstance(feature.rule, Standing):
            values = columns[feature.rule.column]
            absent = (values == MISSING) | (feature.table not in encoded.present)
            found[feature.name] = np.where(absent, np.nan, values.astype(np.float64))
    return found


def _calendar(rule: Calendar, day: Int64s) -> Floats:
    if rule.part == "weekday":
        return weekdays(day).astype(np.float64)
    days, inverse = np.unique(day, return_inverse=True)
    by_day: Floats = np.array([_OF_DAY[rule.part](int(one)) for one in days], dtype=np.float64)[inverse]
    return by_day


def _days_to_payday(day: int) -> int:
    ahead = 0
    while from_day(day + ahead).day != _PAYDAY:
        ahead += 1
    return ahead


def _days_in_month(day: int) -> int:
    at = from_day(day)
    return monthrange(at.year, at.month)[1]


_OF_DAY: dict[str, Callable[[int], int]] = {
    "day_of_month": lambda day: from_day(day).day,
    "days_in_month": _days_in_month,
    "days_to_payday": _days_to_payday,
}


def _attribute(encoded: Encoded, spine: Spine, schema: FeatureSchema, feature: Feature, local: Local) -> Floats:
    assert isinstance(feature.rule, Attribute)
    data = encoded.tables.columns["accounts"].get(feature.rule.column)
    if data is None:
        return np.full(len(spine), np.nan)
    if isinstance(data, Coded):
        codes = data.recode(index_of(schema.categories[feature.name]))[local.row]
        return np.where((codes < 0) | (local.row < 0), np.nan, codes.astype(np.float64))
    if feature.rule.column == "opened_at":
        opened = data.astype(np.int64)[local.row]
        age = (spine.as_of_us - np.where(opened == MISSING, 0, opened)) / 86_400e6
        since: Floats = np.where((opened == MISSING) | (local.row < 0), np.nan, age)
        return since
    known: Floats = np.where(local.row < 0, np.nan, data.astype(np.float64)[local.row])
    return known


def _ratio(numerator: Floats, denominator: Floats, rule: Ratio) -> Floats:
    top, bottom = numerator + rule.strength * rule.prior, denominator + rule.strength
    share: Floats = np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
    return share
