"""What is kept of what was scored: tallies for the metrics, and vectors for the feature log."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decisioning.engine import Watch
from features.encoding import Encoded
from features.spine import Spine
from features.vectors import Vector
from serving import warmup
from serving.feature_log import FeatureLog
from serving.ledgers import SEPARATOR, Batch
from serving.tally import Tally

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Watcher:
    """Whoever is told what one model scores; ``fallbacks`` are the codes that hold for each account it answers."""

    fingerprint: str
    version: str
    tally: Tally | None = None
    feature_log: FeatureLog | None = None
    fallbacks: tuple[str, ...] = ()

    def of(self, batch: Batch, encoded: Encoded) -> Watch | None:
        """Watches one batch; nothing where nobody asks, or where it is the warm-up."""
        if (self.tally is None and self.feature_log is None) or set(batch.account_ids) <= set(warmup.ACCOUNTS):
            return None
        fallbacks = (*self.fallbacks, *(("table_assumed",) if batch.assumed else ()))

        def watch(spine: Spine, values: Floats, p_pay: Floats) -> None:
            if self.tally is not None:
                self.tally.add(values, p_pay, fallbacks=fallbacks)
            if self.feature_log is not None:
                self._log(self.feature_log, batch, encoded, spine, values)

        return watch

    def _log(self, feature_log: FeatureLog, batch: Batch, encoded: Encoded, spine: Spine, values: Floats) -> None:
        given = dict(zip(batch.account_ids, batch.given, strict=True))
        siblings = _siblings(encoded)
        vectors = []
        for row, (account, as_of_us) in enumerate(zip(spine.account.tolist(), spine.as_of_us.tolist(), strict=True)):
            name = encoded.account_ids[account]
            if not feature_log.wants(name, as_of_us=as_of_us):
                continue
            vectors.append(
                Vector(
                    name, as_of_us, self.fingerprint, self.version, given=given[name],
                    taken_as_none=encoded.present - given[name] - {"accounts"}, siblings=int(siblings[account]),
                    values=tuple(values[row].tolist()),
                )
            )  # fmt: skip
        feature_log.append(vectors)


def _siblings(encoded: Encoded) -> npt.NDArray[np.int64]:
    """How many other accounts of its debtor stand beside each account; ``debtor_contacts`` are none."""
    real = np.array([SEPARATOR not in name for name in encoded.account_ids])
    return np.bincount(encoded.debtor[real], minlength=len(encoded.debtor_ids))[encoded.debtor] - 1
