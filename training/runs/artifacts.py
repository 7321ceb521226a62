"""Files that a tracking server shows beside the bundle of a run: its configurations as they were, and two pictures."""

from __future__ import annotations

from typing import Any

from training import plots
from training.runs.configs import Configs

_WORDS = {
    "predicted": "predicted p_pay", "observed": "observed rate", "share_of_accounts": "share of accounts contacted",
    "share_of_payers": "share of payers reached",
}  # fmt: skip


def artifacts(loaded: Configs, evaluation: dict[str, Any]) -> dict[str, bytes]:
    """By path below the run's artifacts: ``configs/*.yaml``, ``plots/*.png`` of the explained horizon's test rows."""
    explained = evaluation["horizons"][str(evaluation["explained_horizon"])]
    return {
        **{f"configs/{name}": content for name, content in loaded.files.items()},
        "plots/reliability.png": plots.calibration(explained["reliability"], _WORDS),
        "plots/gains.png": plots.cumulative_gains(explained["gains"], _WORDS),
    }
