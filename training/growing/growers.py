"""Who grows the boosters of the payment model: this process, or the workers of a Dask cluster for very many rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from training.boosting import Columns, Recipe, fit_rounds, fit_stopped, take
from training.windows import Int64s

Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]


class Grower(Protocol):
    """Grows boosters from rows of one matrix; ``paid`` (n,) are the labels of all of its rows."""

    def until_valid(
        self, recipe: Recipe, columns: Columns, *, paid: Floats, train: Int64s, valid: Int64s
    ) -> lgb.Booster:
        """A booster grown on the rows ``train`` until ``valid`` stops improving, cut at its best round."""

    def of_rounds(self, recipe: Recipe, columns: Columns, *, paid: Floats, rows: Int64s, rounds: int) -> lgb.Booster:
        """A booster of a given number of trees."""


@dataclass(frozen=True)
class Alone:
    """Grows in this process, on a matrix of ``values`` (n, k)."""

    values: Floats

    def until_valid(
        self, recipe: Recipe, columns: Columns, *, paid: Floats, train: Int64s, valid: Int64s
    ) -> lgb.Booster:
        """As of :class:`Grower`."""
        return fit_stopped(recipe, columns, train=take(self.values, paid, train), valid=take(self.values, paid, valid))

    def of_rounds(self, recipe: Recipe, columns: Columns, *, paid: Floats, rows: Int64s, rounds: int) -> lgb.Booster:
        """As of :class:`Grower`."""
        return fit_rounds(recipe, columns, data=take(self.values, paid, rows), rounds=rounds)


@dataclass(frozen=True, slots=True)
class Workers:
    """Where boosters may be grown: on ``count`` workers, of the Dask cluster at ``address`` or of this machine.

    ``count`` may be left to the cluster, which then gives all that it has.
    """

    count: int | None = None
    address: str | None = None

    def settled(self) -> Workers:
        """The same with their number.

        Raises
        ------
        WorkerError : no scheduler answers, or it has fewer workers than are asked for, or none
        """
        from training.growing.on_dask import found_workers  # noqa: PLC0415  (Dask is loaded where it is asked for alone)

        return self if self.address is None else Workers(found_workers(self.address, self.count), self.address)


@contextmanager
def growing(values: Floats, debtor: Int32s, *, on: Workers | None) -> Iterator[Grower]:
    """What grows boosters from rows of a matrix.

    Parameters
    ----------
    values, debtor : (n, k) features, and (n,) debtors, whose rows stay together on a worker
    on : settled workers; this process without them
    """
    if on is None:
        yield Alone(values)
        return
    from training.growing.on_dask import Distributed  # noqa: PLC0415

    with Distributed(values, debtor, on) as grower:
        yield grower
