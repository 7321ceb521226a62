"""One search: shapes are drawn, judged fold by fold, given up where they fall behind, and held against the one at hand.

The tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS) draws, from a fixed seed; the median rule gives up
a trial whose mean loss so far is above the median of earlier trials after as many folds. The result depends on nothing
but the losses, so that a search whose folds are in the cache goes through the same trials again at no cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from training.tuning.config import TuningConfig
from training.tuning.shapes import Shape, distributions, inside
from training.tuning.winning import NOTHING, Fold, Verdict, compared

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial as Asked

Floats = npt.NDArray[np.float64]
Judge = Callable[[Shape, int], Fold]
"""Losses of a shape on the rows of a fold, numbered from 0; the lower the better."""

OnTrial = Callable[[int, int], None]
_STARTUP = 5
"""Trials that are drawn at random and never given up, before the estimator and the median have something to go by."""


@dataclass(frozen=True)
class Trial:
    """A shape that was tried, with its mean loss on each fold it came to; a pruned one did not come to all."""

    number: int
    shape: Shape
    losses: tuple[float, ...]
    pruned: bool

    @property
    def loss(self) -> float:
        """Mean over its folds."""
        return float(np.mean(self.losses))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        state = "pruned" if self.pruned else "complete"
        return {"number": self.number, "state": state, "shape": dict(self.shape), "losses": list(self.losses)}


@dataclass(frozen=True)
class Searched:
    """All trials, the first of which is the shape at hand; what the best of them is worth; what ended the search.

    Trials know the folds that choose, and not the one that confirms.
    """

    trials: tuple[Trial, ...]
    best: Trial
    verdict: Verdict
    stopped_by: str

    def to_json(self) -> dict[str, Any]:
        """Plain values; ``shape`` is the one that is taken."""
        taken = self.best if self.verdict.taken else self.trials[0]
        return {
            "shape": dict(taken.shape), "best": self.best.number, **self.verdict.to_json(),
            "stopped_by": self.stopped_by, "trials": [trial.to_json() for trial in self.trials],
        }  # fmt: skip


def search(
    judge: Judge, shape: Shape, config: TuningConfig, *, folds: int, trials: int, seed: int, tell: OnTrial
) -> Searched:
    """Tries shapes within the budget.

    Parameters
    ----------
    judge : is asked again about folds of the shape at hand and of the best one, and answers the same
    shape : the one at hand, which is judged first, and kept where no other is better beyond noise
    folds : how many there are; the last is asked about the best shape alone
    trials : how many others are tried at most
    tell : hears the number of each trial as it starts, and ``trials``
    """
    started = time.monotonic()
    study = _study(seed)
    tell(0, trials)
    known = [judge(shape, fold) for fold in range(folds - 1)]
    made = [Trial(0, shape, tuple(one.mean for one in known), pruned=False)]
    _tell_known(study, made[0], config)
    stopped_by = "trials"
    while len(made) <= trials:
        if config.max_seconds is not None and time.monotonic() - started > config.max_seconds:
            stopped_by = "seconds"
            break
        tell(len(made), trials)
        asked = study.ask(distributions(config.space))
        found, pruned = _judged(asked, judge, folds - 1)
        _tell(study, asked, found, pruned=pruned)
        made.append(Trial(len(made), dict(asked.params), tuple(one.mean for one in found), pruned=pruned))
    complete = [trial for trial in made if not trial.pruned]
    best = min(complete, key=lambda trial: (trial.loss, trial.number))
    verdict = _confirmed(judge, shape, best, folds) if best.number else NOTHING
    return Searched(tuple(made), best, verdict, stopped_by)


def _confirmed(judge: Judge, shape: Shape, best: Trial, folds: int) -> Verdict:
    return compared(*([judge(one, fold) for fold in range(folds)] for one in (shape, best.shape)))


def _study(seed: int) -> Study:
    import optuna  # noqa: PLC0415  (only where it is tuned)

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=_STARTUP, n_warmup_steps=0)
    return optuna.create_study(sampler=sampler, pruner=pruner)


def _tell_known(study: Study, trial: Trial, config: TuningConfig) -> None:
    """What the shape at hand has reached, so that the estimator knows of it, too."""
    from optuna.trial import create_trial  # noqa: PLC0415  (only where it is tuned)

    if inside(config.space, trial.shape):
        so_far = dict(enumerate(_so_far(trial.losses)))
        study.add_trial(
            create_trial(
                params=dict(trial.shape), distributions=distributions(config.space), value=trial.loss,
                intermediate_values=so_far,
            )
        )  # fmt: skip


def _judged(asked: Asked, judge: Judge, folds: int) -> tuple[list[Fold], bool]:
    """Fold by fold, as far as the trial keeps up."""
    found: list[Fold] = []
    for fold in range(folds):
        found.append(judge(dict(asked.params), fold))
        asked.report(_so_far([one.mean for one in found])[-1], fold)
        if fold + 1 < folds and asked.should_prune():
            return found, True
    return found, False


def _tell(study: Study, asked: Asked, found: list[Fold], *, pruned: bool) -> None:
    from optuna.trial import TrialState  # noqa: PLC0415  (only where it is tuned)

    if pruned:
        study.tell(asked, state=TrialState.PRUNED)
        return
    study.tell(asked, float(np.mean([one.mean for one in found])))


def _so_far(losses: tuple[float, ...] | list[float]) -> list[float]:
    """Mean of the folds up to each."""
    return [float(np.mean(losses[: place + 1])) for place in range(len(losses))]
