"""What one model scored: how many accounts, which features had no value, and where ``p_pay`` fell.

A model has some two hundred features: as many counters for each request would take longer than its prediction. So a
request adds to a few arrays, and the metrics are told of them from time to time (``tallies``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from threading import Lock

import numpy as np
import numpy.typing as npt

from decisioning.bundle import ModelBundle
from features.reference import BINS, FeatureReference
from features.stability import stability
from serving import metrics
from serving.fallbacks import fell_back

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

LATEST = 1_000
"""The PSI is over so many accounts: the last ones that this process answered by the model that is served."""
_FALSE_ALARM = 0.05


class Tally:
    """What one model scored since it was last told."""

    def __init__(self, bundle: ModelBundle) -> None:
        self.bundle = bundle
        scores = bundle.scores
        self._trained = {} if scores is None else dict(scores.features)
        # Of equal deciles one edge is left; what is missing lies above every probability.
        edges = [(*one.edges, *[np.inf] * (BINS - 1 - len(one.edges))) for one in self._trained.values()]
        self._edges = np.array(edges).reshape(len(edges), BINS - 1)
        self._first = np.arange(len(edges)) * BINS
        self._lock = Lock()
        self._latest = np.zeros((LATEST, len(edges)), dtype=np.int64)
        self._seen = 0
        self._empty()

    def add(self, values: Floats, p_pay: Floats, *, fallbacks: Iterable[str] = ()) -> None:
        """Counts n accounts: their features (n, k), ``p_pay`` (n, H), and the codes that hold for each of them."""
        nulls = np.isnan(values).sum(axis=0)
        bins = self._first + (p_pay[:, : len(self._edges), None] > self._edges).sum(axis=2)
        counts = np.bincount(bins.ravel(), minlength=len(self._counts))
        with self._lock:
            self._rows += len(values)
            self._nulls += nulls
            self._counts += counts
            places = np.arange(self._seen, self._seen + len(bins))[-LATEST:] % LATEST
            self._latest[places] = bins[-LATEST:]
            self._seen += len(bins)
            for code in fallbacks:
                self._fallbacks[code] += len(values)

    def tell(self) -> bool:
        """Hands what was counted on to the metrics; whether there was anything."""
        with self._lock:
            rows, nulls, counts, fallbacks = self._rows, self._nulls, self._counts, self._fallbacks
            latest = self._latest.copy() if self._seen >= LATEST else None
            self._empty()
        if not rows:
            return False
        for name, missing in zip(self.bundle.schema.names, nulls.tolist(), strict=True):
            metrics.FEATURE_ROWS.labels(name).inc(rows)
            metrics.FEATURE_NULLS.labels(name).inc(missing)
        for place, (horizon, trained) in enumerate(self._trained.items()):
            for number, served in enumerate(counts[place * BINS :][: len(trained.counts) - 1].tolist(), 1):
                metrics.SCORES.labels(horizon, str(number)).inc(served)
            if latest is not None:
                metrics.PSI.labels(horizon).set(_psi(latest[:, place] - place * BINS, trained))
        for code, times in fallbacks.items():
            fell_back(code, times)
        return True

    def take_over(self, before: Tally | None) -> None:
        """Tells what this model was trained on, in place of what the one ``before`` was."""
        with self._lock:
            self._seen = 0
        for horizon in dict.fromkeys((*(before._trained if before else ()), *self._trained)):
            # Nothing can be taken out of a metric of several processes: a share of 0 is no bin.
            shares = _shares(self._trained.get(horizon))
            for number in range(1, BINS + 1):
                metrics.SCORES_TRAINED.labels(horizon, str(number)).set(shares[number - 1])
            metrics.PSI.labels(horizon).set(0.0)
        if self.bundle.reference is not None:
            for name, known in self.bundle.reference.features.items():
                metrics.FEATURE_NULLS_TRAINED.labels(name).set(known.null_rate)

    def _empty(self) -> None:
        self._rows = 0
        self._nulls: Int64s = np.zeros(len(self.bundle.schema.names), dtype=np.int64)
        self._counts: Int64s = np.zeros(len(self._edges) * BINS, dtype=np.int64)
        self._fallbacks: Counter[str] = Counter()


def _psi(bins: Int64s, trained: FeatureReference) -> float:
    before = np.array(trained.counts[:-1], dtype=np.int64)
    now = np.bincount(bins, minlength=len(before))
    return stability(now, before, units=len(bins), units_before=int(before.sum()), false_alarm=_FALSE_ALARM).psi


def _shares(trained: FeatureReference | None) -> list[float]:
    found = [] if trained is None else trained.shares[:-1].tolist()
    return found + [0.0] * (BINS - len(found))
