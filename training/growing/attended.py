"""Growing on workers that may die: whoever is gone is noticed, and nobody is waited for without end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future as Promise
from concurrent.futures import wait
from contextlib import suppress
from threading import Thread

import lightgbm as lgb
from distributed import Client

from domain.errors import WorkerError
from features.cluster import PATIENCE_SECONDS, there

_LOOK_SECONDS = 1.0


class StuckError(WorkerError):
    """Trying again would wait for workers that wait for one that is gone."""


def attended(client: Client, workers: Sequence[str], grow: Callable[[], lgb.Booster]) -> lgb.Booster:
    """The booster that ``grow`` grows, for as long as all workers are there.

    Raises
    ------
    WorkerError : a worker is gone
    StuckError : those that are left could not be started anew
    What ``grow`` raises
    """
    told = Promise[lgb.Booster]()

    def run() -> None:
        try:
            with client.as_current():
                told.set_result(grow())
        except BaseException as error:
            told.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        while True:
            wait([told], timeout=_LOOK_SECONDS)
            if told.done():
                return told.result()
            if lost := set(workers) - set(there(client)):
                raise WorkerError(f"{len(lost)} of {len(workers)} workers are gone")
    except BaseException:
        _restart(client, workers)
        raise


def _restart(client: Client, workers: Sequence[str]) -> None:
    """Starts anew the workers that are left: nothing else ends their waiting in LightGBM for the one that is gone."""
    left = sorted(set(workers) & set(there(client)))
    try:
        with suppress(TimeoutError, OSError):
            client.restart_workers(left, timeout=PATIENCE_SECONDS, raise_for_error=False)
    except ValueError as error:
        raise StuckError(
            f"found {len(left)} of {len(workers)} workers left while a booster was grown, and none that can be started "
            "anew from here, needed all of them to its end; end and start them by hand, with a nanny (as `dask worker` "
            "does by itself) so that the next time they are"
        ) from error
