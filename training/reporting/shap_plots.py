"""SHAP plots, drawn by the ``shap`` package from contributions that were computed here, as PNG bytes.

Every plot gets its own copy: some change the Explanation they are given (shap issue 2240).
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import get_backend
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg

from training.plots import png

Floats = npt.NDArray[np.float64]
_SHOWN = 15
_SHOWN_LOCALLY = 10


class ShapPlots:
    """Plots of contributions (n, k + 1), the base last, of rows (n, k); ``names`` are the columns."""

    def __init__(self, contributions: Floats, values: Floats, names: Sequence[str]) -> None:
        with _quiet() as shap:
            self._found = shap.Explanation(
                values=contributions[:, :-1].copy(), base_values=contributions[:, -1].copy(), data=values.copy(),
                feature_names=list(names),
            )  # fmt: skip

    def bar(self) -> bytes:
        """Mean absolute contribution of the strongest features."""
        return self._drawn(lambda shap, found: shap.plots.bar(found, max_display=_SHOWN, show=False))

    def beeswarm(self) -> bytes:
        """Every row's contributions, coloured by the feature's value."""
        return self._drawn(lambda shap, found: shap.plots.beeswarm(found, max_display=_SHOWN, show=False))

    def dependence(self, column: int, colour: int) -> bytes:
        """Contribution of a feature against its value, coloured by another feature's."""
        return self._drawn(
            lambda shap, found: shap.plots.scatter(
                found[:, column], color=found[:, colour], show=False, dot_size=6, alpha=0.6
            )
        )

    def waterfall(self, row: int) -> bytes:
        """One row's way from the base to its margin."""
        return self._drawn(lambda shap, found: shap.plots.waterfall(found[row], max_display=_SHOWN_LOCALLY, show=False))

    def _drawn(self, draw: Callable[[Any, Any], object]) -> bytes:
        before = set(plt.get_fignums())
        try:
            if get_backend(auto_select=False) is None:
                # Where nobody chose how plots are shown, these need no screen; a reader's choice is left alone.
                plt.switch_backend("Agg")
            with _quiet() as shap:
                FigureCanvasAgg(plt.figure())  # however the reader's own plots are drawn, the package needs this one
                # Some plots turn drawing as one types off, and leave it so; here it is as it was afterwards.
                with plt.ioff():
                    draw(shap, copy.deepcopy(self._found))
                    return png(plt.gcf())
        finally:
            # Some plots open a figure of their own, and leave the empty one behind.
            for number in set(plt.get_fignums()) - before:
                plt.close(number)


@contextmanager
def _quiet() -> Iterator[Any]:
    """The package, without its warnings, and without touching numpy's global generator, from which it draws."""
    state = np.random.get_state()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import shap  # noqa: PLC0415  (three seconds that only a report pays)

            np.random.seed(0)
            yield shap
    finally:
        np.random.set_state(state)
