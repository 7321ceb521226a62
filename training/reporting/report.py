"""The model report: one HTML page that needs no network, and every number of it as JSON."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from decisioning.bundle import ModelBundle, read_bundle
from decisioning.engine import Desk, rehearse
from decisioning.exclusions import Exclusions
from decisioning.rehearsal import NEEDED
from decisioning.targeting import by_self_cure
from training import plots
from training.promotion import read_comparison, read_evaluation
from training.report_exclusions import numbers as exclusion_numbers
from training.report_exclusions import section
from training.report_words import words

Floats = npt.NDArray[np.float64]

_SHAP_ROWS = 2_000
_TOP = 20


def write_report(
    bundle_folder: Path,
    out: Path,
    *,
    locale: str = "pt-BR",
    desk: Desk | None = None,
    exclusions: Exclusions | None = None,
) -> Path:
    """Write ``report.html`` and ``report.json`` into a folder; returns the path of the page.

    Parameters
    ----------
    desk : the actions and rules that decide; without it the report is about the model and says nothing of decisions
    exclusions : what the decisions of a run were chosen from; without it the report says how to get it

    Raises
    ------
    BundleError : the bundle is damaged
    ConfigError : the locale is unknown
    """
    told = words(locale)
    bundle = read_bundle(bundle_folder)
    evaluation = read_evaluation(bundle_folder)
    sample = _sampled_values(bundle_folder)
    values = sample[:_SHAP_ROWS]
    contributions = bundle.payment.contributions(values)
    numbers = {
        "identity": _identity(bundle),
        "evaluation": evaluation,
        "shap": {"rows": len(values), "unit": "log-odds", "features": _strongest(contributions, bundle.schema.names)},
        "targeting": None if desk is None else _targeting(bundle, sample, desk),
        "opponents": read_comparison(bundle_folder),
        "decision_funnel": exclusion_numbers(exclusions),
        "discount_learning": evaluation.get("discount_learning"),
    }
    page = _environment(locale).get_template("report.html").render(
        words=told, explained=evaluation["horizons"][str(bundle.payment.explained)],
        funnel=section(exclusions, locale=locale),
        images=_images(bundle, evaluation, values, contributions, told), **numbers,
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(_json(numbers), encoding="utf-8")
    (out / "report.html").write_text(page, encoding="utf-8")
    return out / "report.html"


def _identity(bundle: ModelBundle) -> dict[str, Any]:
    return {
        "version": bundle.version,
        "model_hash": bundle.model_hash,
        "trained_at": bundle.trained_at,
        "schema_fingerprint": bundle.schema.fingerprint,
        "features": len(bundle.schema.names),
        "horizons": list(bundle.payment.horizons),
        "explained": bundle.payment.explained,
    }


def _sampled_values(folder: Path) -> Floats:
    content = (folder / "evaluation" / "sample.npz").read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as held_out:
        return np.asarray(held_out["values"], dtype=np.float64)


def _targeting(bundle: ModelBundle, sample: Floats, desk: Desk) -> dict[str, Any] | None:
    """Whom contacting would pay for among the held-out rows; ``None`` where the model does not know what is owed."""
    if not set(NEEDED) <= bundle.schema.index.keys():
        return None
    return {
        "rows": len(sample),
        "rests_on_priors": bundle.response is None,
        "policy_version": desk.policy_version,
        "bands": by_self_cure(rehearse(sample, bundle, desk=desk)),
    }


def _strongest(contributions: Floats, names: Sequence[str]) -> list[dict[str, Any]]:
    size = np.abs(contributions[:, :-1]).mean(axis=0)
    order = np.argsort(-size, kind="stable")
    return [{"feature": names[place], "mean_abs": float(size[place])} for place in order if size[place] > 0]


def _images(
    bundle: ModelBundle,
    evaluation: Mapping[str, Any],
    values: Floats,
    contributions: Floats,
    told: Mapping[str, Any],
) -> dict[str, str]:
    explained = evaluation["horizons"][str(bundle.payment.explained)]
    drawn = {
        "calibration": plots.calibration(explained["reliability"], told),
        "gains": plots.cumulative_gains(explained["gains"], told),
        "shap_bar": plots.shap_bar(contributions, values, bundle.schema.names),
        "shap_beeswarm": plots.shap_beeswarm(contributions, values, bundle.schema.names),
    }
    bands = evaluation["response"].get("money", {}).get("bands")
    if bands:
        drawn["money"] = plots.money(bands, told)
    return {name: "data:image/png;base64," + base64.b64encode(png).decode("ascii") for name, png in drawn.items()}


def _environment(locale: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("training"), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["number"] = lambda value, places=4: _number(value, places, locale)
    environment.filters["percent"] = lambda value, places=0: f"{_number(100.0 * value, places, locale)} %"
    environment.filters["count"] = lambda value: _number(value, 0, locale)
    environment.globals["top"] = _TOP
    return environment


def _number(value: float | None, places: int, locale: str) -> str:
    """A number as it is written in the locale; a missing one is a dash."""
    if value is None:
        return "–"
    text = f"{value:,.{places}f}"
    return text.translate(str.maketrans(",.", ".,")) if locale == "pt-BR" else text


def _json(numbers: Mapping[str, Any]) -> str:
    return json.dumps(numbers, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"
