"""What ``acerto train`` says beside its measurements: steps of an earlier run, and what tuning found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cli.output import say

if TYPE_CHECKING:
    from training.caching.steps import Steps


def say_steps(steps: Steps) -> None:
    """Which steps an earlier run had done, and which entries of the cache were of no use."""
    if steps.cached:
        say(f"{len(steps.cached)} of {len(steps.told)} steps came from an earlier run: {', '.join(steps.cached)}")
    for line in steps.notices:
        say(line)


def say_tuning(told: Mapping[str, Any]) -> None:
    """One line for each model that was to be tuned."""
    for model, found in told.items():
        say(f"{model} model, {_searched(found)}")


def _searched(found: Mapping[str, Any]) -> str:
    if "not_tuned" in found:
        return f"not tuned: {found['not_tuned']}"
    error = max(found["se_folds"], found["se_debtors"])
    trials = f"{len(found['trials']) - 1} trials by {found['objective']}"
    if found["stopped_by"] == "seconds":
        trials += " (max_seconds ended them: another run may try others)"
    fell_back = f"; no policy value, since {found['fell_back']}" if "fell_back" in found else ""
    if found["best"] == 0:
        return f"{trials}{fell_back}: none is better, the configured shape stays"
    told = f"{trials}{fell_back}: the best gains {found['gain']:.5f} with a standard error of {error:.5f}"
    if found["taken"]:
        return f"{told}, and is taken: {_shape(found['shape'])}"
    return f"{told}: the configured shape stays{'; ' + found['not_taken'] if 'not_taken' in found else ''}"


def _shape(shape: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in shape.items())
