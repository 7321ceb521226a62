"""Trials as runs of the tracking store, below the run of the training."""

from __future__ import annotations

from typing import Any

from training.tracking import RunRecord
from training.tuning.tuned import Tuned


def trial_runs(tuned: Tuned) -> tuple[RunRecord, ...]:
    """One record for each trial of each model: its shape, its loss by fold, and whether it was given up."""
    return tuple(
        _run(model, trial, best=found.get("best")) for model, found in tuned.told.items() for trial in found["trials"]
    )


def _run(model: str, trial: dict[str, Any], *, best: int | None) -> RunRecord:
    losses = {f"loss_fold_{place}": loss for place, loss in enumerate(trial["losses"], start=1)}
    tags = {"tuning": model, "trial_state": trial["state"], "best": str(trial["number"] == best).lower()}
    return RunRecord(
        f"tuning {model} {trial['number']}",
        params={name: str(value) for name, value in trial["shape"].items()},
        metrics={**losses, "loss": sum(trial["losses"]) / len(trial["losses"])},
        tags=tags,
    )
