"""A whole backtest: every origin, every segment and the learning curve, as values for JSON and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from domain.clock import rfc3339
from domain.errors import NotEnoughDataError
from domain.tables import Tables
from training.backtesting.curve import learning_curve
from training.backtesting.judging import by_segment, judged
from training.backtesting.origins import Origin, moments_of, origin_at, world_of
from training.runs.configs import Configs
from training.runs.fingerprint import data_summary

OnStep = Callable[[str, float], None]
_SALT = 11
_COLUMNS = (
    ("rows", "rows"), ("paid", "rate"), ("mean p_pay", "mean_p_pay"), ("AUC", "auc"), ("log-loss", "log_loss"),
    ("slope", "slope"), ("ECE", "ece"), ("expected", "expected"), ("received", "received"),
    ("expected / received", "expected_over_received"),
)  # fmt: skip


def backtest(
    tables: Tables, loaded: Configs, *, origins: int, window_days: int, curve: bool = True, on_step: OnStep
) -> dict[str, Any]:
    """Figures by origin and by band of days past due, and the learning curve of the last origin.

    An origin that cannot be trained or judged is told with the reason, and the others are made.

    Raises
    ------
    NotEnoughDataError : that is so of all of them; the reason is that of the last
    """
    world, seed = world_of(tables, loaded, window_days=window_days), loaded.training.model.seed + _SALT
    rng = np.random.default_rng(seed)
    moments, made = moments_of(world, origins), list[Origin]()
    told: list[dict[str, Any]] = []
    for number, at_us in enumerate(moments):
        on_step(f"origin {number + 1} of {origins}", number / (origins + 1))
        try:
            origin = origin_at(world, at_us)
        except NotEnoughDataError as error:
            told.append({"origin": rfc3339(at_us), "not_measured": str(error)})
            continue
        made.append(origin)
        told.append({"origin": origin.at, **_counts(origin), **judged(origin.later, rng=rng)})
    if not made:
        raise NotEnoughDataError(f"no origin of {origins} could be measured; the last one: {told[-1]['not_measured']}")
    on_step("segments and learning curve", origins / (origins + 1))
    return {
        "horizon_days": world.days,
        "window_days": window_days,
        "currency": loaded.decision.currency,
        "data": data_summary(tables),
        "origins": told,
        "segments": by_segment([one.later for one in made], rng=rng),
        "learning_curve": learning_curve(made[-1], loaded.training.model, seed=seed) if curve else [],
    }


def as_json(found: Mapping[str, Any]) -> bytes:
    """The file for machines."""
    return json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False).encode("utf-8")


def as_markdown(found: Mapping[str, Any]) -> bytes:
    """The file for people: three tables."""
    days, window = found["horizon_days"], found["window_days"]
    parts = [
        f"# Backtest of p_pay_{days}d",
        f"Each row of the first table is a model trained on what was known at its origin, judged on the {window} days "
        f"after it. In brackets 95 % intervals by debtor; money in {found['currency']} within {days} days.",
        "## By origin",
        _table([("origin", "origin"), ("trained on", "training_rows"), *_COLUMNS], found["origins"]),
        "## By days past due, all origins",
        _table([("days past due", "days_past_due"), *_COLUMNS], found["segments"]),
    ]
    if found["learning_curve"]:
        named = [("share of debtors", "share"), ("trained on", "training_rows"), *_COLUMNS]
        parts += ["## Learning curve of the last origin", _table(named, found["learning_curve"])]
    return ("\n\n".join(parts) + "\n").encode("utf-8")


def metrics_of(told: Mapping[str, Any]) -> dict[str, float]:
    """The figures of an origin as a tracking server lists them, each with its bounds."""
    found: dict[str, float] = {}
    for name, value in told.items():
        if isinstance(value, dict):
            ends = {"": value.get("value"), "_low": value.get("low"), "_high": value.get("high")}
            found |= {f"{name}{end}": float(one) for end, one in ends.items() if one is not None}
        elif isinstance(value, int | float):
            found[name] = float(value)
    return found


def _counts(origin: Origin) -> dict[str, int]:
    return {"training_rows": int(origin.target.usable.sum()), "trees": origin.fitted.rounds}


def _table(named: Sequence[tuple[str, str]], rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| " + " | ".join(title for title, _ in named) + " |", "|" + "---|" * len(named)]
    for row in rows:
        if "not_measured" in row:
            lines.append(f"| {row['origin']} | not measured: {row['not_measured']} |" + " |" * (len(named) - 2))
            continue
        lines.append("| " + " | ".join(_cell(row.get(key)) for _, key in named) + " |")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        if value.get("value") is None:
            return "–"
        low, high = value.get("low"), value.get("high")
        bounds = "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
        return f"{value['value']:.3f}{bounds}"
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
