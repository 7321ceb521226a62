"""The feature matrix: every row of a spine as known at its own ``as_of``; for one row or millions the same code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING
from domain.coded import Coded
from features import records
from features.calendar import calendar_columns
from features.definitions import Attribute
from features.derived import derive, fit_priors
from features.encoding import Encoded
from features.kernel import windowed
from features.schema import FeatureSchema
from features.spine import Spine
from features.standing import Ledgers, standing_columns
from features.state import Local, local_of

Floats = npt.NDArray[np.float64]


def compute_many(encoded: Encoded, spine: Spine, schema: FeatureSchema) -> Floats:
    """The feature matrix.

    Returns
    -------
    (n, len(schema.names)) float64 in schema order; ``NaN`` is a missing value. A feature whose table is absent here is
    missing throughout, one whose table is there but empty has its declared empty value. Nothing that happened or was
    recorded at or after a row's ``as_of`` has any part in it.
    """
    return compute_all(encoded, spine, schema)[:, : len(schema.names)]


def compute_all(encoded: Encoded, spine: Spine, schema: FeatureSchema) -> Floats:
    """As ``compute_many``, with the schema's ingredients in further columns, in the order of ``schema.computed``."""
    plan = schema.plan
    local = local_of(encoded, spine)
    out = np.empty((len(spine), len(schema.computed)))
    windowed(plan.windowed, encoded.events, spine.account, spine.as_of_us, out)
    if plan.standing.max(initial=-1) >= 0:
        standing_columns(ledgers_of(encoded), spine.account, spine.as_of_us, local.day, plan.standing, out)
    if len(plan.calendar_from):
        out[:, plan.calendar_to] = calendar_columns(local.day, *_regions(encoded, local))[:, plan.calendar_from]
    for place, rule in plan.attributes:
        if len(spine) == 1:  # a request: no arrays for one value
            out[0, place] = _one_attribute(encoded, int(spine.as_of_us[0]), schema, rule, int(local.row[0]))
        else:
            out[:, place] = _attribute(encoded, spine, schema, rule, local)
    absent = schema.absent(encoded.present, whole_debtors=encoded.whole_debtors)
    if len(absent):
        out[:, absent] = np.nan
    derive(plan.derived, out)
    return out


def with_fitted_priors(schema: FeatureSchema, computed: Floats, rows: npt.NDArray[np.int64]) -> FeatureSchema:
    """The schema with the usual rates of some rows of ``compute_all``; ``computed`` is brought up to them in place."""
    fitted = replace(schema, priors=fit_priors(schema.computed, computed[rows]))
    derive(fitted.plan.derived, computed)
    return fitted


def ledgers_of(encoded: Encoded) -> Ledgers:
    """What the standing of accounts is read from."""
    return Ledgers(
        encoded.debts, encoded.entries, encoded.debt_bounds, encoded.entry_bounds,
        records.rows_of(encoded, "promises"), records.rows_of(encoded, "holds"), encoded.events,
        records.siblings(encoded),
    )  # fmt: skip


def _regions(encoded: Encoded, local: Local) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
    regions = encoded.tables.text("accounts", "region")
    return np.where(local.row < 0, -1, regions.codes[local.row]).astype(np.int32), tuple(regions.values)


def _one_attribute(encoded: Encoded, as_of_us: int, schema: FeatureSchema, rule: Attribute, row: int) -> float:
    data = encoded.tables.columns["accounts"].get(rule.column)
    if data is None or row < 0:
        return np.nan
    if isinstance(data, Coded):
        text = data.values[data.codes[row]] if data.codes[row] >= 0 else None
        return float(schema.category_index[rule.column].get(text, np.nan)) if text is not None else np.nan
    value = data[row]
    if rule.column == "opened_at":
        return np.nan if value == MISSING else float((as_of_us - int(value)) / 86_400e6)
    return float(value)


def _attribute(encoded: Encoded, spine: Spine, schema: FeatureSchema, rule: Attribute, local: Local) -> Floats:
    data = encoded.tables.columns["accounts"].get(rule.column)
    if data is None:
        return np.full(len(spine), np.nan)
    if isinstance(data, Coded):
        codes = data.recode(schema.category_index[rule.column])[local.row]
        return np.where((codes < 0) | (local.row < 0), np.nan, codes.astype(np.float64))
    if rule.column == "opened_at":
        opened = data.astype(np.int64)[local.row]
        age = (spine.as_of_us - np.where(opened == MISSING, spine.as_of_us, opened)) / 86_400e6
        since: Floats = np.where((opened == MISSING) | (local.row < 0), np.nan, age)
        return since
    known: Floats = np.where(local.row < 0, np.nan, data.astype(np.float64)[local.row])
    return known
