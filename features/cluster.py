"""Work on shards done on a Dask cluster, whose workers have Acerto installed and see the same directories.

Nothing else knows Dask, but for boosters that are grown on it (``training.growing``): a task is a function of plain
values, which any other engine can call as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager

from distributed import Client, Future, wait
from distributed.scheduler import KilledWorker

from domain.errors import WorkerError
from features.runners import OnDone, Run, Task, refuse_undone, undone
from features.shard_matrix import run_task

CONNECT_SECONDS = 10
PATIENCE_SECONDS = 30
"""How long a cluster may have neither a result nor a worker."""
_RETRIES = 2


def on_cluster(tasks: Sequence[Task], *, address: str, on_done: OnDone, run: Run = run_task) -> None:
    """Computes the tasks on a cluster; Dask gives what a dead worker left undone to another.

    ``run`` is called by the workers, which import it by name.

    Raises
    ------
    WorkerError : no scheduler answers at ``address``, no worker is left, or workers die of the same task
    DataError : a worker does not see the shards, or they are damaged
    FeatureSchemaMismatchError : a worker has another build
    """
    with connected(address) as client, client.as_current():
        futures = client.map(run, undone(tasks), pure=False, retries=_RETRIES)
        try:
            _await(client, futures, on_done=on_done)
        except (KilledWorker, CancelledError, OSError) as error:
            refuse_undone(tasks, f"the cluster gave up ({type(error).__name__})")
        except ImportError as error:
            raise WorkerError(
                f"found workers that cannot import {error.name}, needed the same Acerto on every worker; install it"
            ) from error
    refuse_undone(tasks, "the cluster told us they were, so its disk is not ours: share the directory of shards")


@contextmanager
def connected(address: str, *, kind: type[Client] = Client) -> Iterator[Client]:
    """A client of the scheduler at ``address``, which is closed at the end.

    Raises
    ------
    WorkerError : none answers there
    """
    try:
        client = kind(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise WorkerError(
            f"found no Dask scheduler at {address}, needed one that answers within {CONNECT_SECONDS} s; "
            "start one with `dask scheduler`, and workers with `dask worker`"
        ) from error
    with client:
        yield client


def there(client: Client) -> list[str]:
    """Addresses of all workers of a cluster, in order.

    Notes
    -----
    ``Client.scheduler_info`` answers from what the client keeps, which its poll of every two seconds replaces by an
    answer without workers: read in between, a cluster seems to have lost them all. This asks the scheduler alone.
    """
    return sorted(client.nthreads())


def _await(client: Client, futures: Sequence[Future], *, on_done: OnDone) -> None:
    waiting = set(futures)
    while waiting:
        try:
            found = wait(waiting, timeout=PATIENCE_SECONDS, return_when="FIRST_COMPLETED")
        except TimeoutError as error:
            if there(client):
                continue
            raise WorkerError(
                f"found a cluster without workers for {PATIENCE_SECONDS} s, needed at least one; start `dask worker`"
            ) from error
        for future in found.done:
            future.result()
        waiting = found.not_done
        on_done(1 - len(waiting) / len(futures))
