"""Under which arm and which policy the held-out rows that were decisions were decided."""

from __future__ import annotations

import numpy as np

from domain.coded import Coded
from features.encoding import Encoded
from features.spine import Spine
from training.sampling import decided

CUTS = ("arm", "policy_version")


def logged(encoded: Encoded, spine: Spine, name: str) -> Coded | None:
    """(n,) a text column of the decision that was taken on each account at each moment; missing where there was none.

    ``None`` where the log does not tell it, or no row was a decision. Of two decisions at one moment the last by id.
    """
    log, rows = decided(encoded)
    if not len(log):
        return None
    column = encoded.tables.text("decisions", name)
    place = dict(zip(_keys(log), rows.tolist(), strict=True))
    found = np.array([place.get(key, -1) for key in _keys(spine)], dtype=np.int64)
    codes = np.where(found < 0, -1, column.codes[np.maximum(found, 0)]).astype(np.int32)
    return None if (codes < 0).all() else Coded(codes, column.values)


def _keys(spine: Spine) -> list[tuple[int, int]]:
    return list(zip(spine.account.tolist(), spine.as_of_us.tolist(), strict=True))
