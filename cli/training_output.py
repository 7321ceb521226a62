"""What ``acerto train`` says beside its measurements: steps of an earlier run, what tuning found, who grew boosters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cli.output import say
from cli.training_runs import counted

if TYPE_CHECKING:
    from training.caching.steps import Steps
    from training.growing.growers import Workers


def say_steps(steps: Steps) -> None:
    """Which steps an earlier run had done, and which entries of the cache were of no use."""
    if steps.cached:
        say(f"{len(steps.cached)} of {len(steps.told)} steps came from an earlier run: {', '.join(steps.cached)}")
    for line in steps.notices:
        say(line)


def say_workers(grown_on: int | None, *, given: Workers | None) -> None:
    """How many workers grew the boosters, which `acerto reproduce` needs again; or that those given did not."""
    if grown_on is not None:
        say(f"boosters of the payment model grown by {counted(grown_on)}; `acerto reproduce` needs as many")
    elif given is not None:
        say("boosters grown by one process, since there are no more rows than distributed.above_rows")


def say_tuning(told: Mapping[str, Any]) -> None:
    """One line for each model that was to be tuned."""
    for model, found in told.items():
        say(f"{model} model, {_searched(found)}")


def _searched(found: Mapping[str, Any]) -> str:
    if "not_tuned" in found:
        return f"not tuned: {found['not_tuned']}"
    trials = f"{len(found['trials']) - 1} trials by {found['objective']}"
    if found["stopped_by"] == "seconds":
        trials += " (max_seconds ended them: another run may try others)"
    fell_back = f"; no policy value, since {found['fell_back']}" if "fell_back" in found else ""
    if found["best"] == 0:
        return f"{trials}{fell_back}: none is better, the configured shape stays"
    gain = found["confirmed"]
    told = f"{trials}{fell_back}: on later rows the best gains {gain['value']:.5f}, standard error {gain['se']:.5f}"
    if found["taken"]:
        return f"{told}, and is taken: {_shape(found['shape'])}"
    why = f"; {found['not_taken']}" if "not_taken" in found else ""
    return f"{told}; that is not beyond noise there and where it was chosen, the configured shape stays{why}"


def _shape(shape: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in shape.items())
