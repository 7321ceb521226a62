"""The figures of the report that are no SHAP plots: a ``Picture`` each, with the table that holds its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from training import plots
from training.reporting.lights import Figure
from training.reporting.parts import Picture
from training.reporting.words import words

if TYPE_CHECKING:
    from training.reporting.slices import Part


def reliability(bands: Sequence[tuple[float, Figure]], locale: str) -> Picture:
    """Observed rate against mean probability by band, with intervals and the diagonal."""
    rows = [
        {"mean_p_pay": mean, "rate": rate.value, "low": rate.low, "high": rate.high}
        for mean, rate in bands if rate.value is not None and rate.low is not None and rate.high is not None
    ]  # fmt: skip
    png = plots.calibration(rows, _axes(locale, predicted="mean_p_pay", observed="rate"))
    return Picture("reliability", png, "reliability", {"bands": len(rows)})


def gains(deciles: Sequence[Mapping[str, float]], locale: str) -> Picture:
    """Share of payers reached from the highest probability down."""
    told = _axes(locale, share_of_accounts="share_of_accounts", share_of_payers="share_of_payers")
    says = {"tenth": f"{100 * deciles[0]['share_of_payers']:.0f}"}
    return Picture("gains", plots.cumulative_gains(deciles, told), "deciles", says)


def money(bands: Sequence[Mapping[str, float]], locale: str) -> Picture:
    """Money that came against money expected, by tenth."""
    told = _axes(locale, money_expected="expected", money_came="came")
    return Picture("money", plots.money(bands, told), "money_bands", {"bands": len(bands)})


def by_part(name: str, parts: Sequence[Part], locale: str) -> Picture:
    """Payment rate with its interval beside the mean probability, part after part."""
    labels = [one.label for one in parts]
    rates = [(one.rate.value, one.rate.low, one.rate.high) for one in parts]
    said = words(locale)
    png = plots.beside(
        labels, [tuple(float("nan") if cell is None else cell for cell in row) for row in rates],
        [float(np.mean(one.rows.p)) for one in parts], (said("column.rate"), said("column.mean_p_pay")),
    )  # fmt: skip
    return Picture(name, png, "by_month", {"parts": len(labels)})


def _axes(locale: str, **named: str) -> dict[str, Any]:
    said = words(locale)
    return {axis: said(f"column.{column}") for axis, column in named.items()}
