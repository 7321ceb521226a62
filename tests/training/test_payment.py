import numpy as np
import pytest

from domain.clock import US_PER_DAY
from training.boosting import Columns, Recipe, fit_stopped, margins
from training.config import ModelConfig, SplitsConfig
from training.metrics import Floats, auc
from training.payment import Fitted, Target, assemble, fit_horizon, later_scores
from training.splits import time_split

CONFIG = ModelConfig(threads=1, max_rounds=30, max_leaves=7)
COLUMNS = Columns(("one", "two", "noise"), ())
N = 3_000


@pytest.fixture(scope="module")
def world() -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N, 3))
    truth = 1 / (1 + np.exp(-(values[:, 0] + values[:, 1] ** 2 - 1.5)))
    return values, (rng.random(N) < truth).astype(float), rng.integers(0, 600, N) * US_PER_DAY


def fitted(world: tuple[Floats, Floats, Floats], days: int = 30) -> tuple[Fitted, Target]:
    values, paid, as_of = world
    usable = np.ones(N, dtype=bool)
    split = time_split(as_of.astype(np.int64), usable, ~usable, horizon_days=days, config=SplitsConfig())
    target = Target(days, paid, usable, split)
    return fit_horizon(values, COLUMNS, target, debtor=np.arange(N, dtype=np.int32), config=CONFIG), target


def test_the_same_seed_and_data_give_the_same_trees(world: tuple[Floats, Floats, Floats]) -> None:
    once, again = (fitted(world)[0].shipped for _ in range(2))
    assert once[0].model_to_string() == again[0].model_to_string()
    assert once[1] == again[1]


def test_the_evaluated_model_ranks_rows_it_never_saw(world: tuple[Floats, Floats, Floats]) -> None:
    found, target = fitted(world)
    test = target.split.test
    margin = margins(found.evaluated[0], world[0][test], threads=1)
    assert auc(target.paid[test], margin, np.ones(len(test))) > 0.7


def test_the_booster_is_cut_where_validation_stopped_improving(world: tuple[Floats, Floats, Floats]) -> None:
    values, paid, _ = world
    noise = np.random.default_rng(1).permutation(paid)
    booster = fit_stopped(Recipe("binary", CONFIG), COLUMNS, train=(values, noise), valid=(values, 1 - noise))
    assert booster.num_trees() < CONFIG.max_rounds


def test_horizons_are_assembled_around_the_explained_one(world: tuple[Floats, Floats, Floats]) -> None:
    model = assemble({days: fitted(world, days)[0] for days in (7, 30)}, explained=30, shipped="shipped")
    p_pay = model.predict(world[0][:200])
    assert (p_pay[:, 0] <= p_pay[:, 1]).all()


def test_the_scores_that_are_kept_are_those_of_later_rows_by_the_shipped_calibration(
    world: tuple[Floats, Floats, Floats],
) -> None:
    found, target = fitted(world)
    later = np.concatenate([target.split.valid, target.split.test])
    kept = later_scores({30: found}, target, world[0], np.arange(N, dtype=np.int32)).features["30d"]
    p_pay = found.shipped[1].apply(margins(found.evaluated[0], world[0][later], threads=1))
    assert kept.mean == pytest.approx(p_pay.mean())
    assert sum(kept.counts) == len(later)
    assert max(kept.counts) <= 2 * len(later) / 10


def test_what_is_kept_of_later_scores_says_on_average_what_was_paid(world: tuple[Floats, Floats, Floats]) -> None:
    found, target = fitted(world)
    later = np.concatenate([target.split.valid, target.split.test])
    kept = later_scores({30: found}, target, world[0], np.arange(N, dtype=np.int32)).features["30d"]
    assert kept.mean == pytest.approx(target.paid[later].mean(), abs=4 * np.sqrt(0.25 / len(later)))
