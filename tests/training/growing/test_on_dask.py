"""Boosters grown by workers together: as good as those of one process, the same each time, and whole or not at all."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from threading import Event, Thread

import lightgbm as lgb
import numpy as np
import pytest
from distributed import Client, LocalCluster
from distributed.objects import SchedulerInfo

from domain.errors import NotEnoughDataError, WorkerError
from features.cluster import there
from training.boosting import Columns, Recipe
from training.config import ModelConfig
from training.growing import attended as attended_module
from training.growing.attended import StuckError, attended
from training.growing.growers import Alone, Workers, growing
from training.growing.stopping import best_round
from training.metrics import auc

N, K = 6_000, 8
CONFIG = ModelConfig(threads=1, max_leaves=7, max_depth=4, max_rounds=60)
RECIPE = Recipe("binary", CONFIG)
COLUMNS = Columns(tuple(f"c{number}" for number in range(K)), (3,))
RISING = Columns(COLUMNS.names, COLUMNS.categorical, (1, *(0,) * (K - 1)))
TRAIN, VALID, TEST = np.arange(3_000), np.arange(3_000, 4_500), np.arange(4_500, N)
DEBTOR = (np.arange(N) // 3).astype(np.int32)
MOST_SECONDS = 120
PARAMETERS = re.compile(r"\nparameters:.*?\nend of parameters", re.DOTALL)


def made_up() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N, K))
    values[rng.random((N, K)) < 0.1] = np.nan
    values[:, 3] = rng.integers(0, 6, N)
    score = 0.6 * np.nan_to_num(values[:, 0]) + np.isin(values[:, 3], (2, 5)) + 0.8 * np.isnan(values[:, 1])
    return values, (rng.random(N) < 1 / (1 + np.exp(0.8 - score))).astype(np.float64)


VALUES, PAID = made_up()


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "protocol": "tcp"}
    with LocalCluster(**options) as running:
        yield running.scheduler_address


@pytest.fixture
def dashboard_elsewhere() -> Iterator[None]:
    """Something listens at the port of Dask's dashboard, if nobody did before."""
    with socket.socket() as taken:
        with suppress(OSError):
            taken.bind(("127.0.0.1", 8787))
            taken.listen()
        yield


def grown(address: str, *, workers: int = 2, recipe: Recipe = RECIPE, columns: Columns = COLUMNS) -> lgb.Booster:
    with growing(VALUES, DEBTOR, on=Workers(workers, address)) as grower:
        return grower.until_valid(recipe, columns, paid=PAID, train=TRAIN, valid=VALID)


def held_out_auc(booster: lgb.Booster) -> float:
    return float(auc(PAID[TEST], booster.predict(VALUES[TEST]), np.ones(len(TEST))))


def trees(booster: lgb.Booster) -> str:
    """The text without the parameters, which tell how it was grown."""
    return PARAMETERS.sub("", booster.model_to_string())


def test_one_worker_grows_the_trees_of_one_process_with_its_categories_missing_values_and_stopping(cluster):
    alone = Alone(VALUES).until_valid(RECIPE, RISING, paid=PAID, train=TRAIN, valid=VALID)
    assert trees(grown(cluster, workers=1, columns=RISING)) == trees(alone)
    assert 1 < alone.current_iteration() < CONFIG.max_rounds


def test_workers_of_this_machine_start_where_the_port_of_a_dashboard_is_taken(dashboard_elsewhere):
    # A warning is an error here, as Dask gives one where it has to take another port than it asked for.
    with growing(VALUES, DEBTOR, on=Workers(count=1)) as grower:
        found = grower.of_rounds(RECIPE, COLUMNS, paid=PAID, rows=TRAIN, rounds=2)
    assert trees(found) == trees(Alone(VALUES).of_rounds(RECIPE, COLUMNS, paid=PAID, rows=TRAIN, rounds=2))


def test_as_many_workers_grow_the_same_booster_to_the_byte_whoever_they_are_and_no_address_is_in_it(cluster):
    texts = {grown(cluster).model_to_string() for _ in range(3)}
    assert len(texts) == 1
    assert "127.0.0.1" not in texts.pop()


def test_workers_grow_a_booster_as_good_as_those_of_one_process_under_other_seeds(cluster):
    def alone(seed: int) -> float:
        recipe = Recipe("binary", CONFIG.model_copy(update={"seed": seed}))
        return held_out_auc(Alone(VALUES).until_valid(recipe, COLUMNS, paid=PAID, train=TRAIN, valid=VALID))

    ours = np.array([alone(seed) for seed in range(12)])
    # One more draw lies within t (11 degrees, two-sided 99.9 %) deviations of a mean of twelve.
    tolerance = 4.44 * ours.std(ddof=1) * np.sqrt(1 + 1 / len(ours))
    assert held_out_auc(grown(cluster)) == pytest.approx(ours.mean(), abs=tolerance)


def test_declared_directions_hold_on_workers_by_the_basic_method(cluster):
    advanced = Recipe("binary", CONFIG.model_copy(update={"monotone": "advanced"}))
    found = grown(cluster, recipe=advanced, columns=RISING)
    rows = np.repeat(VALUES[:200], 40, axis=0)
    rows[:, 0] = np.tile(np.linspace(-3, 3, 40), 200)
    steps = {
        name: np.diff(booster.predict(rows).reshape(200, 40), axis=1)
        for name, booster in {"held": found, "free": grown(cluster)}.items()
    }
    assert (steps["held"] >= 0).all()
    assert (steps["free"] < 0).any()
    assert "[monotone_constraints_method: basic]" in found.model_to_string()


def test_a_worker_without_rows_is_named_before_anything_is_grown(cluster):
    with (
        growing(VALUES, np.zeros(N, dtype=np.int32), on=Workers(2, cluster)) as grower,
        pytest.raises(NotEnoughDataError, match="1 of 2 workers without a row"),
    ):
        grower.of_rounds(RECIPE, COLUMNS, paid=PAID, rows=TRAIN, rounds=3)


def test_more_workers_than_the_cluster_has_are_refused_with_both_numbers(cluster):
    with pytest.raises(WorkerError, match="found 2 workers on the Dask cluster, needed 3"):
        Workers(3, cluster).settled()
    assert Workers(address=cluster).settled() == Workers(2, cluster)


def killed_while_growing(address: str) -> None:
    """Ends a worker without a word once every worker is at LightGBM."""
    with Client(address, set_as_default=False) as client:
        processes = client.run(os.getpid)
        while sum(any("_train_part" in str(task) for task in tasks) for tasks in client.processing().values()) < 2:
            time.sleep(0.02)
        time.sleep(0.5)
        os.kill(next(iter(processes.values())), signal.SIGKILL)


def test_a_booster_whose_worker_dies_is_grown_again_by_others_and_is_the_same(cluster):
    def long() -> str:
        with growing(VALUES, DEBTOR, on=Workers(2, cluster)) as grower:
            return grower.of_rounds(RECIPE, COLUMNS, paid=PAID, rows=TRAIN, rounds=1_500).model_to_string()

    undisturbed = long()
    killer = Thread(target=killed_while_growing, args=(cluster,), daemon=True)
    with ThreadPoolExecutor(1) as pool:
        again = pool.submit(long)
        killer.start()
        assert again.result(timeout=MOST_SECONDS) == undisturbed
    assert not killer.is_alive()


def test_workers_are_there_though_the_poll_of_the_client_has_just_answered_without_them(cluster, monkeypatch):
    async def poll(client: Client, **_: object) -> None:
        client._scheduler_identity = SchedulerInfo(await client.scheduler.identity(n_workers=0))

    monkeypatch.setattr(Client, "_update_scheduler_info", poll)
    with Client(cluster, set_as_default=False) as client:
        assert client.scheduler_info()["workers"] == {}
        assert len(there(client)) == 2


class LeftAlone:
    """A client whose second worker is gone, and whose first can be started anew by nobody."""

    def as_current(self) -> AbstractContextManager[None]:
        return nullcontext()

    def nthreads(self) -> dict[str, int]:
        return {"tcp://one": 1}

    def restart_workers(self, workers: list[str], **_: object) -> None:
        raise ValueError(f"Restarting workers requires a nanny to be used: {workers}")


def test_workers_that_nobody_can_start_anew_are_told_of_instead_of_waited_for(monkeypatch):
    monkeypatch.setattr(attended_module, "_LOOK_SECONDS", 0.05)
    end = Event()
    with pytest.raises(StuckError, match=r"1 of 2 workers left .* with a nanny"):
        attended(LeftAlone(), ["tcp://one", "tcp://two"], end.wait)
    end.set()


def test_the_best_round_is_where_early_stopping_stops():
    data = lgb.Dataset(VALUES[TRAIN], PAID[TRAIN], params={"verbosity": -1})
    later = lgb.Dataset(VALUES[VALID], PAID[VALID], params={"verbosity": -1})
    for patience in (1, 5, 25):
        told = lgb.train(
            RECIPE.params(COLUMNS),
            data,
            200,
            valid_sets=[later],
            callbacks=[lgb.early_stopping(patience, verbose=False)],
        )
        whole = lgb.train(RECIPE.params(COLUMNS), data, 200)
        assert best_round(whole, VALUES, PAID, rows=VALID, patience=patience) == told.best_iteration
