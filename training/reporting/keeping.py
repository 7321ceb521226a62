"""What training keeps for the report: held-out rows without ids, and how features were distributed by month.

Nothing here says who anybody is: debtors are numbered anew in the order of their rows, moments are months, protected
attributes are bands that no model reads. Arrays only, no pickle.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from decisioning.bundle import ModelBundle
from domain.bands import DAYS_PAST_DUE
from domain.clock import MISSING
from domain.coded import Coded
from features.batch import compute_many
from features.config import ALWAYS_PROTECTED
from features.dossier import Dossier
from features.encoding import Encoded
from features.reference import Reference, counts_in
from features.spine import Spine
from features.state import local_of
from training.dataset import PaymentRows
from training.metrics import auc
from training.ope.canonical import trained_until_us
from training.payment import Target
from training.reporting.held_out_files import CODES, ROWS
from training.reporting.intervals import Scored, auc_of
from training.reporting.logged_cuts import CUTS, logged
from training.reporting.paired import paired_file
from training.reporting.twins import twins
from training.windows import Int64s

Floats = npt.NDArray[np.float64]
AGE_EDGES = (25, 40, 60)
BALANCE_EDGES = (100, 500, 2_000, 10_000)
"""In currency."""
_MOST_VALUES = 30
UNKNOWN = "unknown"
_PROXY_ROWS, _LEAST_IN_GROUP = 20_000, 50


@dataclass(frozen=True)
class Champion:
    """The champion at the time of training: which it is, when its data ended, and ``p_pay`` (m,) on the test rows."""

    version: str
    model_hash: str
    data_end_us: int | None
    p_pay: Floats


def kept(
    encoded: Encoded,
    rows: PaymentRows,
    target: Target,
    *,
    scores: dict[str, Floats],
    reference: Reference,
    champion: Champion | str,
) -> dict[str, bytes]:
    """The files of the bundle's ``evaluation/`` from which the report is made.

    Parameters
    ----------
    target : of the explained horizon
    scores : (n,) by name,
    of which validation and test rows are read: ``p_pay`` of the evaluated model and ``scorecard``
    champion : what it says of the test rows, or why it says nothing
    reference : the training matrix, whose bins the counts by month are in
    """
    later = np.concatenate([target.split.valid, target.split.test])
    spine = rows.spine.take(later)
    debtor = np.unique(rows.rows.debtor[later], return_inverse=True)[1]
    cuts = _cuts(encoded, spine, rows, later)
    arrays = {
        "paid": target.paid[later],
        "test": np.arange(len(later)) >= len(target.split.valid),
        "debtor": debtor.astype(np.int32),
        "unseen": rows.rows.unseen[later],
        "amount_due_cents": rows.rows.amount_due_cents[later],
        **{name: found[later] for name, found in scores.items()},
        **{f"cut_{name}": codes.astype(np.int16) for name, (_, codes) in cuts.items()},
    }
    if isinstance(champion, Champion):
        arrays["champion"] = np.concatenate([np.full(len(target.split.valid), np.nan), champion.p_pay])
        # Where nobody knows when its data ended, it may have seen every row.
        end_us = np.iinfo(np.int64).max if champion.data_end_us is None else champion.data_end_us
        arrays["champion_unseen"] = spine.as_of_us >= end_us
    told = {
        "labels": {name: list(labels) for name, (labels, _) in cuts.items()},
        "protected": sorted(name for name in cuts if name.startswith("protected_")),
        "champion": champion.version if isinstance(champion, Champion) else None,
        "no_champion": champion if isinstance(champion, str) else None,
        "features": _feature_counts(rows.values[later], cuts["month"], rows.schema.names, reference),
        "single": _single_feature_auc(rows.values[target.split.train], target.paid[target.split.train], rows),
        "twins": twins(rows.values, target.split),
        "proxies": _proxies(rows.values[later], debtor, cuts, rows.schema.names),
    }
    files = {ROWS: _npz(arrays), CODES: json.dumps(told, sort_keys=True, ensure_ascii=False).encode()}
    return {**files, **(_beside(champion, arrays, days=target.horizon_days) if isinstance(champion, Champion) else {})}


def _beside(champion: Champion, arrays: dict[str, Any], *, days: int) -> dict[str, bytes]:
    """The paired differences to the champion on test rows."""
    test = arrays["test"]
    rows = Scored(*(arrays[name][test] for name in ("paid", "p_pay", "debtor")))
    identity = {"champion": champion.version, "model_hash": champion.model_hash, "horizon_days": days}
    return paired_file(rows, champion.p_pay, unseen=arrays["champion_unseen"][test], identity=identity)


def champion_scores(encoded: Encoded, spine: Spine, champion: ModelBundle, *, days: int) -> Champion | str:
    """What the champion says of the same rows, on its own features; or that it has no such horizon."""
    if days not in champion.payment.horizons:
        return f"version {champion.version} has no horizon of {days} days"
    p_pay = champion.payment.predict(compute_many(encoded, spine, champion.schema))
    explained = p_pay[:, champion.payment.horizons.index(days)]
    return Champion(champion.version, champion.model_hash, trained_until_us(champion), explained)


def month_of(at_us: Int64s) -> tuple[tuple[str, ...], Int64s]:
    """Labels ``2026-03`` of the months (UTC) in which moments lie, rising, and (n,) the position of each.

    >>> month_of(np.array([0, 86_400_000_000 * 40]))[0]
    ('1970-01', '1970-02')
    """
    months = at_us.astype("datetime64[us]").astype("datetime64[M]")
    found, code = np.unique(months, return_inverse=True)
    return tuple(str(one) for one in found), code.astype(np.int64)


def _cuts(
    encoded: Encoded, spine: Spine, rows: PaymentRows, later: Int64s
) -> dict[str, tuple[tuple[str, ...], Int64s]]:
    """Labels and codes of every cut: months, vintages, segments, and protected attributes."""
    dossier = Dossier(encoded, spine)
    due, balance = rows.rows.days_past_due[later], rows.rows.amount_due_cents[later] / 100.0
    edges = [low for _, low, _ in DAYS_PAST_DUE[1:]]
    found = {
        "month": month_of(spine.as_of_us),
        "days_past_due": (tuple(name for name, _, _ in DAYS_PAST_DUE), np.digitize(np.nan_to_num(due), edges)),
        "amount_due": (band_names(BALANCE_EDGES), np.digitize(balance, BALANCE_EDGES)),
        **{name: named for name in ("region", "product") if (named := _named(dossier.account(name))) is not None},
    }
    for name in CUTS:
        column = logged(encoded, spine, name)
        if column is not None and (named := _named(column)) is not None:
            found[name] = named
    vintage = _vintage(encoded, spine)
    if vintage is not None:
        found["vintage"] = vintage
    return found | protected_cuts(encoded, spine)


def protected_cuts(encoded: Encoded, spine: Spine) -> dict[str, tuple[tuple[str, ...], Int64s]]:
    """Protected attributes as known at each moment, as ``protected_<name>``: for fairness checks and nothing else."""
    dossier, found = Dossier(encoded, spine), {}
    declared = {**ALWAYS_PROTECTED, **encoded.attributes}
    for name in sorted(name for name, one in declared.items() if one.protected):
        if name == "birth_year":
            year = spine.as_of_us.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
            cut = _banded(year - dossier.number(name), AGE_EDGES)
        elif declared[name].kind == "categorical":
            cut = _named(dossier.account(name))
        else:
            numbers = dossier.number(name)
            known = numbers[np.isfinite(numbers)]
            cut = _banded(numbers, tuple(np.unique(np.quantile(known, (0.25, 0.5, 0.75))))) if len(known) else None
        if cut is not None:
            found[f"protected_{name}"] = cut
    return found


def band_names(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Names of the bands below, between and above some edges.

    >>> band_names((25, 40))
    ('< 25', '25-40', '>= 40')
    """
    inner = (f"{low:g}-{high:g}" for low, high in pairwise(edges))
    return (f"< {edges[0]:g}", *inner, f">= {edges[-1]:g}")


def _banded(numbers: Floats, edges: tuple[float, ...]) -> tuple[tuple[str, ...], Int64s] | None:
    if not np.isfinite(numbers).any():
        return None
    names = (*band_names(edges), UNKNOWN)
    return names, np.where(np.isfinite(numbers), np.digitize(np.nan_to_num(numbers), edges), len(names) - 1)


def _named(column: Coded) -> tuple[tuple[str, ...], Int64s] | None:
    """By the alphabet; the rarest beyond thirty and those without a value are together."""
    codes = column.codes.astype(np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=len(column.values))
    frequent = sorted(np.argsort(-counts, kind="stable")[:_MOST_VALUES], key=lambda one: column.values[one])
    names = [place for place in frequent if counts[place]]
    if not names:
        return None
    place = np.full(len(column.values) + 1, len(names), dtype=np.int64)
    place[names] = np.arange(len(names))
    return (*(column.values[one] for one in names), UNKNOWN), place[codes]


def _vintage(encoded: Encoded, spine: Spine) -> tuple[tuple[str, ...], Int64s] | None:
    """Year in which the account was opened, which is when it was placed; ``None`` where nobody says."""
    opened = encoded.tables.columns["accounts"].get("opened_at")
    if opened is None or isinstance(opened, Coded):
        return None
    row = local_of(encoded, spine).row
    at_us = opened[np.maximum(row, 0)].astype(np.int64)
    known = (row >= 0) & (at_us != MISSING)
    if not known.any():
        return None
    found, code = np.unique(at_us[known].astype("datetime64[us]").astype("datetime64[Y]"), return_inverse=True)
    place = np.full(len(spine), len(found), dtype=np.int64)
    place[known] = code
    return (*(str(one) for one in found), UNKNOWN), place


def _feature_counts(
    values: Floats, month: tuple[tuple[str, ...], Int64s], names: tuple[str, ...], reference: Reference
) -> dict[str, list[list[int]]]:
    """Rows of each feature by month and bin of the training reference, the missing ones last."""
    masks = [month[1] == code for code in range(len(month[0]))]
    return {
        name: [counts_in(values[mask, column], reference.features[name]).tolist() for mask in masks]
        for column, name in enumerate(names)
    }


def _single_feature_auc(values: Floats, paid: Floats, rows: PaymentRows) -> dict[str, float]:
    """|AUC − ½| + ½ of each feature alone on training rows: one that nearly tells the label alone has seen it."""
    weight, found = np.ones(len(paid)), {}
    for column, name in enumerate(rows.schema.names):
        one = float(auc(paid, np.nan_to_num(values[:, column], nan=-1e18, posinf=1e18, neginf=-1e18), weight))
        if np.isfinite(one):
            found[name] = abs(one - 0.5) + 0.5
    return found


def _proxies(
    values: Floats, debtor: npt.NDArray[Any], cuts: dict[str, tuple[tuple[str, ...], Int64s]], names: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Of each group of a protected attribute, the feature that tells it best, and how well (AUC, either way round)."""
    rows = np.unique(np.linspace(0, len(values) - 1, min(len(values), _PROXY_ROWS)).astype(np.int64))
    ranks = rankdata(np.nan_to_num(values[rows], nan=-1e18), axis=0)
    found: dict[str, dict[str, Any]] = {}
    for name, (labels, code) in cuts.items():
        if not name.startswith("protected_"):
            continue
        found[name] = {}
        for place, label in enumerate(labels):
            inside = code[rows] == place
            few = min(int(inside.sum()), int((~inside).sum()))
            if label == UNKNOWN or few < _LEAST_IN_GROUP:
                continue
            n = int(inside.sum())
            areas = (ranks[inside].sum(axis=0) - n * (n + 1) / 2.0) / (n * (len(rows) - n))
            best = int(np.argmax(np.abs(areas - 0.5)))
            turned = ranks[:, best] if areas[best] >= 0.5 else -ranks[:, best]
            figure = auc_of(Scored(inside.astype(np.float64), turned, debtor[rows].astype(np.int64)))
            found[name][label] = {
                "feature": names[best], "auc": figure.value, "low": figure.low, "high": figure.high, "n": few,
                "debtors": figure.debtors,
            }  # fmt: skip
    return found


def _npz(arrays: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()
