"""Boosters grown by ``lightgbm.dask``, each worker on the rows of its own debtors: other ones than one process grows.

Nothing else in training knows Dask. What ``lightgbm.dask`` leaves open is settled here:

- It numbers the workers by a set of texts, which is another order in each run; which worker finds the bins of which
  feature follows from it. So a client of ours tells it where the parts are in their own order.
- Early stopping is no part of it: each worker would stop by itself, and those that go on wait for ever (LightGBM issues
  3712, 6351, 7009). So all rounds are grown, and the best is found here on the validation rows by the same rule.
- It wraps scikit-learn's classifier, which numbers the labels that a worker has by itself; the regressor takes any
  objective and leaves labels alone.
- When a worker dies the others wait for it without end. So the workers are watched; where one is gone, or growing
  failed, the others are started anew and the whole booster is grown again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Self

import dask.array as da
import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from distributed import Client, Future, LocalCluster
from distributed.scheduler import KilledWorker

from domain.errors import NotEnoughDataError, WorkerError
from features.cluster import PATIENCE_SECONDS, connected, there
from training.boosting import Columns, Recipe, trimmed
from training.growing.attended import StuckError, attended
from training.growing.growers import Workers
from training.growing.on_worker import be_quiet, rows_of
from training.growing.stopping import best_round
from training.splits import debtor_folds
from training.windows import Int64s

Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]

TRIES = 3
_LOG = logging.getLogger(__name__)
_PART_SEED = 0
# Ports and addresses are chosen anew in each run, and are nobody's business who reads the model.
_ADDRESSES = re.compile(r"^\[(machines|local_listen_port): .*\]$", re.MULTILINE)
_NONE_OF_THEM = {"machines": "[machines: ]", "local_listen_port": "[local_listen_port: 12400]"}


def found_workers(address: str, needed: int | None) -> int:
    """How many workers of a cluster are to be used: ``needed``, else all there are.

    Raises
    ------
    WorkerError : there are fewer, or none
    """
    with connected(address) as client:
        return len(_of_cluster(client, needed))


@dataclass(frozen=True)
class _Placed:
    """A matrix that lies on workers: client, their addresses, and the part and the rows of each."""

    client: Client
    workers: list[str]
    parts: list[Future]


class Distributed:
    """Grows on workers what does not depend on where they are: on so many workers the same booster each time.

    Parameters
    ----------
    values, debtor : (n, k) features, and (n,) debtors; all rows of a debtor are on one worker
    on : settled workers

    Notes
    -----
    This process keeps the whole matrix; a worker has its rows of it, a copy of those that are grown on, and their bins.
    """

    def __init__(self, values: Floats, debtor: Int32s, on: Workers) -> None:
        assert on.count is not None  # settled
        self._values, self._on, self._count = values, on, on.count
        whose = debtor_folds(debtor, folds=on.count, seed=_PART_SEED)
        self._rows = [np.flatnonzero(whose == number) for number in range(on.count)]
        self._stack = ExitStack()
        self._placed: _Placed | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def until_valid(
        self, recipe: Recipe, columns: Columns, *, paid: Floats, train: Int64s, valid: Int64s
    ) -> lgb.Booster:
        """As of ``growers.Grower``; all rounds are grown before the best is looked for."""
        grown = self._grown(recipe, columns, paid=paid, rows=train, rounds=recipe.model.max_rounds)
        best = best_round(grown, self._values, paid, rows=valid, patience=recipe.patience)
        return trimmed(grown, best)

    def of_rounds(self, recipe: Recipe, columns: Columns, *, paid: Floats, rows: Int64s, rounds: int) -> lgb.Booster:
        """As of ``growers.Grower``."""
        return self._grown(recipe, columns, paid=paid, rows=rows, rounds=max(1, rounds))

    def _grown(self, recipe: Recipe, columns: Columns, *, paid: Floats, rows: Int64s, rounds: int) -> lgb.Booster:
        """A booster, tried anew where workers were lost.

        Raises
        ------
        NotEnoughDataError : a worker would have no rows
        WorkerError : workers were lost in every try
        """
        chosen = np.zeros(len(paid), dtype=np.bool_)
        chosen[rows] = True
        places = [np.flatnonzero(chosen[own]) for own in self._rows]
        if min(map(len, places)) == 0:
            without = sum(not len(one) for one in places)
            raise NotEnoughDataError(
                f"found {without} of {self._count} workers without a row of the {len(rows)} "
                "that are grown on, needed some for each; take fewer workers, or more in distributed.above_rows"
            )
        settings = _settings(recipe, columns, rounds)
        why = ""
        for attempt in range(TRIES):
            placed = self._placed or self._place()
            try:
                return _plain(
                    attended(placed.client, placed.workers, partial(self._fit, placed, paid, places, settings))
                )
            except StuckError:
                self._leave()
                raise
            except ImportError as error:
                raise WorkerError(
                    f"found workers that cannot import {error.name}, needed the same Acerto on every worker; install it"
                ) from error
            except (lgb.basic.LightGBMError, WorkerError, KilledWorker, CancelledError, OSError) as error:
                why = f"{type(error).__name__}: {error}"
                _LOG.warning("booster not grown on workers, try %d of %d: %s", attempt + 1, TRIES, why)
                self._leave()
        raise WorkerError(
            f"found workers lost, or failing, in each of {TRIES} tries to grow a booster on {self._count} of them "
            f"({why}), needed all of them to its end; see to the memory of each, or take fewer workers"
        )

    def _fit(self, placed: _Placed, paid: Floats, places: Sequence[Int64s], settings: _Settings) -> lgb.Booster:
        """``lightgbm.dask`` on the chosen rows of each part."""
        client = placed.client
        xs, ys = [], []
        for worker, part, own, chosen in zip(placed.workers, placed.parts, self._rows, places, strict=True):
            here: dict[str, Any] = {"workers": [worker]}
            kept = client.scatter(chosen, **here, hash=False)
            rows = client.submit(rows_of, part, kept, **here, allow_other_workers=False, pure=False)
            xs.append(da.from_delayed(rows, shape=(len(chosen), self._values.shape[1]), dtype=np.float64))
            label = client.scatter(paid[own[chosen]], **here, hash=False)
            ys.append(da.from_delayed(label, shape=(len(chosen),), dtype=np.float64))
        model = lgb.DaskLGBMRegressor(client=client, **settings.params)
        model.fit(da.concatenate(xs), da.concatenate(ys), **settings.fit)
        return model.booster_

    def _place(self) -> _Placed:
        """Starts or finds the workers, and gives each its part of the matrix."""
        lgb.register_logger(_log())
        address = self._on.address
        if address is None:
            # Without a limit of Dask's own: it would pause or end a worker that the machine still has memory for. The
            # scheduler serves HTTP even without a dashboard, on a port that others may have unless any will do. A
            # worker that is slow to end is no trouble of the reader; what fails is told in words of ours.
            cluster = LocalCluster(
                n_workers=self._count, threads_per_worker=1, memory_limit=0, protocol="tcp", host="127.0.0.1",
                dashboard_address="127.0.0.1:0", scheduler_kwargs={"dashboard": False}, silence_logs=logging.ERROR,
            )  # fmt: skip
            address = self._stack.enter_context(cluster).scheduler_address
        client = self._stack.enter_context(connected(address, kind=_InOrder))
        with suppress(TimeoutError):
            client.wait_for_workers(self._count, timeout=PATIENCE_SECONDS)
        workers = _of_cluster(client, self._count)
        if self._on.address is None:
            client.run(be_quiet)
        parts = [
            client.scatter(self._values[own], workers=[worker], hash=False)
            for worker, own in zip(workers, self._rows, strict=True)
        ]
        self._placed = _Placed(client, workers, parts)
        return self._placed

    def _leave(self) -> None:
        self._placed = None
        self._stack.close()


@dataclass(frozen=True)
class _Settings:
    """What ``DaskLGBMRegressor`` is made with, and what its ``fit`` is given beside rows and labels."""

    params: dict[str, Any]
    fit: dict[str, Any]


def _settings(recipe: Recipe, columns: Columns, rounds: int) -> _Settings:
    # "intermediate" and "advanced" need all histograms in one place; LightGBM itself falls back on "basic".
    monotone = "off" if recipe.model.monotone == "off" else "basic"
    basic = replace(recipe, model=recipe.model.model_copy(update={"monotone": monotone}))
    params = basic.params(columns) | {"n_estimators": rounds, "tree_learner": "data"}
    params.pop("num_threads")  # as many as a worker of the cluster has
    fit = {"feature_name": list(columns.names), "categorical_feature": list(columns.categorical)}
    return _Settings(params, fit)


class _InOrder(Client):  # type: ignore[misc]  # distributed has no types
    """A client that tells where things are in the order in which it is asked."""

    def who_has(self, futures: Any = None, **kwargs: Any) -> Any:
        found = super().who_has(futures, **kwargs)
        if futures is None:
            return found
        asked = [future.key for future in futures]
        places = {tuple(found[key])[:1] for key in asked} - {()}
        if len(places) < len(asked):
            raise WorkerError(f"found {len(asked)} parts on {len(places)} workers, needed each on its own")
        return {key: found[key] for key in asked}


def _of_cluster(client: Client, needed: int | None) -> list[str]:
    """Addresses of the workers that are to be used.

    Raises
    ------
    WorkerError : there are fewer than ``needed``, or none
    """
    found = there(client)
    if len(found) < (needed or 1):
        raise WorkerError(
            f"found {len(found)} workers on the Dask cluster, needed {needed or 'at least one'} to grow boosters on; "
            "start more with `dask worker`"
        )
    return found[: needed or len(found)]


def _log() -> logging.Logger:
    """Where ``lightgbm`` says what it would print here: which of our settings it replaces, as it is meant to."""
    log = logging.getLogger("acerto.lightgbm")
    log.setLevel(logging.ERROR)
    return log


def _plain(booster: lgb.Booster) -> lgb.Booster:
    """The booster without addresses and ports of the workers that grew it."""
    text = _ADDRESSES.sub(lambda line: _NONE_OF_THEM[line[1]], booster.model_to_string(num_iteration=-1))
    return lgb.Booster(model_str=text)
