from __future__ import annotations

import numpy as np
from matplotlib import get_backend
from matplotlib import pyplot as plt

from training.reporting.shap_plots import ShapPlots


def test_a_readers_way_of_showing_plots_is_left_as_it_was() -> None:
    before = get_backend()
    rng = np.random.default_rng(0)
    try:
        plt.switch_backend("svg")
        ShapPlots(rng.normal(size=(30, 4)), rng.normal(size=(30, 3)), ("a", "b", "c")).bar()
        assert get_backend() == "svg"
    finally:
        plt.switch_backend(before)
