"""Gates on the bundle as it would be served: its golden rows, its size, and how long one score takes."""

from __future__ import annotations

import time
from statistics import median

from decisioning.bundle import ModelBundle, check_golden
from decisioning.integrity import manifest_of
from domain.errors import BundleError
from training.config import GatesConfig
from training.promoting.gate import Gate, at_most

_TIMES, _MEGABYTE = 30, 1 << 20


def served_gates(bundle: ModelBundle, gates: GatesConfig) -> tuple[Gate, ...]:
    """What this machine finds of the bundle; each is measured here and now."""
    size = sum(manifest_of(bundle.folder)["sizes"].values()) / _MEGABYTE
    return (
        _golden_gate(bundle),
        at_most("size of the bundle (MiB)", round(size, 3), gates.max_bundle_mib),
        at_most("median time of one score (ms)", round(score_ms(bundle), 3), gates.max_score_ms),
    )


def score_ms(bundle: ModelBundle) -> float:
    """Median milliseconds from a row of features to the probabilities of every horizon, on one golden row."""
    row = bundle.golden_values[:1]
    bundle.payment.predict(row)
    taken = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        bundle.payment.predict(row)
        taken.append(time.perf_counter() - started)
    return 1_000.0 * median(taken)


def _golden_gate(bundle: ModelBundle) -> Gate:
    name, needed = "golden rows", "computed as at training"
    try:
        check_golden(bundle)
    except BundleError as error:
        return Gate(name, str(error), needed, False)
    return Gate(name, needed, needed, True)
