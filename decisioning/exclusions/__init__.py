"""Exclusions: how many actions each layer takes away before one is chosen, which rules do it, and to whom.

Everything here is counted from decisions and the refusals that they carry; nothing is decided a second time.
"""

from decisioning.exclusions.counting import exclusions
from decisioning.exclusions.figures import Exclusions, Funnel, RuleExclusion, Stage
from decisioning.exclusions.segments import Segmentation, account_segments, decision_segments
from decisioning.exclusions.wording import wordings

__all__ = [
    "Exclusions", "Funnel", "RuleExclusion", "Segmentation", "Stage", "account_segments", "decision_segments",
    "exclusions", "wordings",
]  # fmt: skip
