"""Bands of days past due, by which every table on ageing goes."""

from __future__ import annotations

import math

DAYS_PAST_DUE = (
    ("not yet due", -math.inf, 0), ("0-15", 0, 16), ("16-30", 16, 31), ("31-60", 31, 61), ("61-90", 61, 91),
    ("91-180", 91, 181), ("181-360", 181, 361), ("over 360", 361, math.inf),
)  # fmt: skip
"""Name, first day, and the day with which the next band begins."""
