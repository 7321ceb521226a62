from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib import get_backend
from matplotlib import pyplot as plt

from training.reporting.shap_plots import ShapPlots


def test_a_readers_way_of_showing_plots_is_left_as_it_was() -> None:
    before, rng = get_backend(), np.random.default_rng(0)
    drawn = ShapPlots(rng.normal(size=(30, 4)), rng.normal(size=(30, 3)), ("a", "b", "c"))
    try:
        plt.switch_backend("svg")
        with plt.ion():
            for draw in (drawn.bar, drawn.beeswarm, partial(drawn.waterfall, 0), partial(drawn.dependence, 0, 1)):
                draw()
                assert (get_backend(), plt.isinteractive()) == ("svg", True)
    finally:
        plt.switch_backend(before)
