"""What few cases of an offer show: heads corrected by form of offer and age of the debt, as far as cases allow.

An offer that the log's policy makes in one situation only is seen a few dozen times in any other, by exploration. A
booster with leaves of hundreds of rows gives those the mean of what is often seen; how wrong that is decides which plan
is offered on old debts, where most of the money is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, logit

from decisioning.candidates import grid
from decisioning.offsets import OffsetHead, Offsets
from decisioning.response import AnyHead, Head
from decisioning.twin import BlendedHead
from features.schema import FeatureSchema
from training.contact_log import Contacts

Floats = npt.NDArray[np.float64]

_SPREAD = 0.6
"""Standard deviation, in log-odds, that offsets are expected to have before anything is seen (docs/model.md)."""
_SURE, _FURTHEST = 1e-6, 20.0


def with_offsets(
    head: AnyHead,
    seen: Contacts,
    label: Floats,
    *,
    schema: FeatureSchema,
    names: tuple[str, ...],
    beside: Floats | None = None,
) -> tuple[AnyHead, list[dict[str, Any]]]:
    """The head with its offsets, and what each rests on; a constant stays as it is.

    Parameters
    ----------
    seen : the cases that the head was learned from
    label : (n,) what came of them, in [0, 1]
    beside : (n,) log-odds that the head's own are added to, where it tells a difference

    Notes
    -----
    Each offset is the most probable one under a normal prior: it solves Σ (y − σ(margin + offset)) = offset / spread².
    The head has seen these cases, which brings its predictions nearer to them: offsets err to the small side.
    """
    if not isinstance(head, Head | BlendedHead) or head.booster is None or not len(seen):
        return head, []
    table = grid(seen.moments.values, schema, seen.actions, names=names)
    own = np.zeros((len(seen), len(seen.actions)), dtype=np.bool_)
    own[np.arange(len(seen)), seen.action] = True
    told = logit(np.clip(head.apply(table, own)[own], _SURE, 1.0 - _SURE))
    margin = told if beside is None else told + beside
    columns = Offsets.telling(names)
    forms = np.unique(table.static[np.unique(seen.action)][:, list(columns)], axis=0)
    blank = Offsets(schema.index["days_past_due"], columns, forms, np.zeros((len(forms), 2)))
    form, old = blank.form(table.static)[seen.action], blank.old(seen.moments.values)
    found = np.zeros((len(forms), 2))
    summary: list[dict[str, Any]] = []
    for number, age in np.ndindex(*found.shape):
        rows = (form == number) & (old == age)
        found[number, age] = offset_of(margin[rows], label[rows])
        if rows.any():
            means = {"mean": float(label[rows].mean()), "expected": float(expit(margin[rows]).mean())}
            form_and_age = {**_named(forms[number], columns, names), "old": bool(age), "rows": int(rows.sum())}
            summary.append({**form_and_age, **means, "offset": float(found[number, age])})
    return OffsetHead(head, Offsets(blank.days, columns, forms, found)), summary


def _named(form: Floats, columns: tuple[int, ...], names: tuple[str, ...]) -> dict[str, Any]:
    """The kind and the number of instalments that the columns tell."""
    told = {names[place]: value for place, value in zip(columns, form.tolist(), strict=True)}
    kinds = [
        name.removeprefix("action_kind_") for name, value in told.items() if name != "action_instalments" and value
    ]
    return {"kind": kinds[0] if kinds else "none", "instalments": int(told.get("action_instalments", 1))}


def offset_of(margin: Floats, label: Floats) -> float:
    """What cases (n,) call for on top of their log-odds ``margin``, drawn towards 0 by the prior; 0 for none."""
    if not len(margin):
        return 0.0
    return float(
        brentq(lambda b: (label - expit(margin + b)).sum() - b / _SPREAD**2, -_FURTHEST, _FURTHEST, xtol=1e-12)
    )
