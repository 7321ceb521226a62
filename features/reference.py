"""What the training matrix looked like, feature by feature: what later matrices are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import Int64s
from domain.errors import NotEnoughDataError
from features.schema import FeatureSchema

Floats = npt.NDArray[np.float64]

BINS = 10
_QUANTILES = np.arange(1, BINS) / BINS
_BLOCK = 16


@dataclass(frozen=True, slots=True)
class FeatureReference:
    """One feature as training saw it.

    ``counts`` are rows per bin, the missing ones last. A numeric feature has one bin more than ``edges``: bin i holds
    the values above ``edges[i - 1]`` and at most ``edges[i]``. A categorical one has no edges, and a bin for each
    category of the schema, in its order. ``zeros`` counts values equal to 0; ``low``, ``high`` and ``mean`` are of the
    finite values, ``None`` where there are none. Codes of categories are no quantities: they have none of these.
    """

    categorical: bool
    zeros: int
    low: float | None
    high: float | None
    mean: float | None
    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def shares(self) -> Floats:
        """Share of the rows in each bin, the missing ones last."""
        return np.array(self.counts) / max(sum(self.counts), 1)

    @property
    def null_rate(self) -> float:
        """Share of rows without a value."""
        return float(self.shares[-1])

    @property
    def zero_rate(self) -> float:
        """Share of rows that are 0."""
        return self.zeros / max(sum(self.counts), 1)


@dataclass(frozen=True, slots=True)
class Reference:
    """The training matrix in about 300 bytes a feature: 213 features take less than 70 kB as JSON.

    ``rows`` is its height; ``units`` is how many independent debtors the rows are of, which is what sampling noise
    depends on: twelve rows of one debtor tell little more than one.
    """

    rows: int
    units: int
    features: Mapping[str, FeatureReference]

    def to_json(self) -> dict[str, Any]:
        """For the model bundle; every float comes back as it was."""
        features = {
            name: {"categorical": one.categorical, "zeros": one.zeros, "low": one.low, "high": one.high,
                   "mean": one.mean, "edges": list(one.edges), "counts": list(one.counts)}
            for name, one in self.features.items()
        }  # fmt: skip
        return {"rows": self.rows, "units": self.units, "features": features}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Reference:
        """The reference of a bundle; a ``KeyError``, ``TypeError`` or ``ValueError`` where it is none."""
        features = {name: _feature_from_json(found) for name, found in raw["features"].items()}
        return cls(int(raw["rows"]), int(raw["units"]), features)


def fit_reference(matrix: Floats, schema: FeatureSchema, *, units: int | None = None) -> Reference:
    """The reference of a training matrix.

    Parameters
    ----------
    matrix : (n, k) in schema order, ``NaN`` where missing
    units : number of independent debtors among the rows; by default every row is one

    Raises
    ------
    NotEnoughDataError : the matrix has no rows
    """
    if not len(matrix):
        raise NotEnoughDataError("found a training matrix without rows, needed at least one to compare later ones with")
    features = {
        name: _numeric(column) if categories is None else _categorical(column, categories)
        for (name, column), categories in zip(
            columns_of(matrix, schema), (schema.categories.get(name) for name in schema.names), strict=True
        )
    }
    return Reference(len(matrix), len(matrix) if units is None else units, features)


def fit_numbers(columns: Mapping[str, Floats], *, units: int) -> Reference:
    """The reference of numbers that are no features, such as probabilities by horizon; each column is (n,), n > 0."""
    rows = {len(column) for column in columns.values()}
    if len(rows) != 1 or 0 in rows:
        raise NotEnoughDataError(f"found columns of {sorted(rows)} rows, needed the same number of each, and some")
    return Reference(rows.pop(), units, {name: _numeric(column) for name, column in columns.items()})


def columns_of(matrix: Floats, schema: FeatureSchema) -> Iterator[tuple[str, Floats]]:
    """Names and contiguous columns, in schema order."""
    for start in range(0, len(schema.names), _BLOCK):
        # Rows lie together in memory: copying several columns at once reads each of its lines once and not often.
        block = np.ascontiguousarray(matrix[:, start : start + _BLOCK].T)
        yield from zip(schema.names[start : start + _BLOCK], block, strict=True)


def counts_in(column: Floats, known: FeatureReference) -> Int64s:
    """Rows of a column in the bins of a reference, the missing ones last: (bins,) int64."""
    return _by_category(column, len(known.counts) - 1) if known.categorical else _by_edges(column, known.edges)


def _numeric(column: Floats) -> FeatureReference:
    there = column[np.isfinite(column)]
    high = float(there.max()) if len(there) else None
    edges = () if high is None else _edges(there, high)
    return FeatureReference(
        categorical=False,
        zeros=int(np.count_nonzero(there == 0)),
        low=float(there.min()) if len(there) else None,
        high=high,
        mean=float(there.mean()) if len(there) else None,
        edges=edges,
        counts=tuple(_by_edges(column, edges).tolist()),
    )


def _by_edges(column: Floats, edges: tuple[float, ...]) -> Int64s:
    # Counting what lies above each of a few edges is several times faster than a binary search for every value, and a
    # missing value is above none.
    missing = int(np.count_nonzero(np.isnan(column)))
    above = [int(np.count_nonzero(column > edge)) for edge in edges]
    bounds = np.array([len(column) - missing, *above, 0], dtype=np.int64)
    return np.append(bounds[:-1] - bounds[1:], missing)


def _edges(there: Floats, high: float) -> tuple[float, ...]:
    """Deciles that are values themselves; equal ones fall together, and the largest value is no edge."""
    deciles = np.unique(np.quantile(there, _QUANTILES, method="inverted_cdf"))
    edges = deciles[deciles < high]
    if len(edges) < len(deciles) and (there < high).any():
        # More than a tenth of the rows share the largest value: it gets a bin of its own.
        edges = np.unique(np.append(edges, there[there < high].max()))
    return tuple(edges.tolist())


def _categorical(column: Floats, categories: tuple[str, ...]) -> FeatureReference:
    counts = tuple(_by_category(column, len(categories)).tolist())
    return FeatureReference(categorical=True, zeros=0, low=None, high=None, mean=None, edges=(), counts=counts)


def _by_category(column: Floats, n_categories: int) -> Int64s:
    codes = np.where(np.isnan(column), n_categories, column).astype(np.int64)
    return np.bincount(np.clip(codes, 0, n_categories), minlength=n_categories + 1).astype(np.int64)


def _feature_from_json(raw: Mapping[str, Any]) -> FeatureReference:
    def number(name: str) -> float | None:
        return None if raw[name] is None else float(raw[name])

    edges, counts = tuple(float(edge) for edge in raw["edges"]), tuple(int(count) for count in raw["counts"])
    categorical = bool(raw["categorical"])
    if list(edges) != sorted(set(edges)) or not counts or not (categorical or len(counts) == len(edges) + 2):
        raise ValueError(f"found {len(edges)} edges and {len(counts)} counts, needed rising edges and two counts more")
    return FeatureReference(
        categorical, int(raw["zeros"]), number("low"), number("high"), number("mean"), edges=edges, counts=counts
    )
