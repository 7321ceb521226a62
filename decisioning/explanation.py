"""Why the probability is what it is, and why this action: exact contributions, reason codes, and contrasts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.models import PaymentModel
from domain.decisions import Contribution, Reason
from features.catalogue import reason_text
from features.definitions import Feature
from features.schema import FeatureSchema

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
MOST_REASONS = 4
_FLAT = 1e-9


@dataclass(frozen=True, slots=True)
class Shares:
    """What each feature adds: ``base`` (n,) + the sum of ``contributions`` (n, k) = ``p_pay`` (n,), as served."""

    base: Floats
    contributions: Floats
    p_pay: Floats


def shares(payment: PaymentModel, values: Floats) -> Shares:
    """Exact contributions to the served probability of the explained horizon.

    Notes
    -----
    TreeSHAP adds up in margins. Every row's margins are rescaled by the slope of the chord from the base to the row's
    own margin, (p − p_base) / (m − m_base), so that they add up in probability and keep order, sign and proportion;
    where the two margins meet it is the local slope.
    """
    found = payment.contributions(values)
    calibrator = payment.calibrators[payment.explained]
    margin, base_margin = payment.margins(values), found[:, -1]
    p_pay, base = calibrator.apply(margin), calibrator.apply(base_margin)
    total = found[:, :-1].sum(axis=1)
    flat = np.abs(total) < _FLAT
    scale = np.where(flat, calibrator.slope(base_margin), (p_pay - base) / np.where(flat, 1.0, total))
    # What is left of the local slope's error goes to the base, which no feature owns.
    contributions = found[:, :-1] * scale[:, None]
    return Shares(base=p_pay - contributions.sum(axis=1), contributions=contributions, p_pay=p_pay)


def reasons(
    found: Shares, values: Floats, schema: FeatureSchema, *, locale: str | None, currency: str = "R$"
) -> list[tuple[Reason, ...]]:
    """At most four reasons per row, strongest first by what they add to the served probability.

    Without a ``locale`` they have no wording, which files do not hold.

    Features of one group say nearly the same: together they make one reason, worded by the strongest of them.
    """
    groups = groups_of(schema)
    weight, members = group_weights(found.contributions, groups), groups.columns
    strongest = np.argsort(-np.abs(weight), axis=1, kind="stable")[:, :MOST_REASONS]
    speaking = _spokesmen(found.contributions, weight, strongest, members)
    said: list[tuple[Reason, ...]] = []
    for row, ranked in enumerate(strongest.tolist()):
        spokesmen = zip(speaking[row], ranked, strict=True)
        said.append(
            tuple(
                _reason(
                    schema.features[column],
                    float(values[row, column]),
                    float(weight[row, group]),
                    locale=locale,
                    currency=currency,
                )
                for column, group in spokesmen
                if weight[row, group] != 0.0
            )
        )
    return said


class Groups(NamedTuple):
    """The ``columns`` of each group of features, and all of the same size together: which these are, and their columns.

    Groups stand in the order of their first feature.
    """

    columns: tuple[Int64s, ...]
    by_size: tuple[tuple[Int64s, Int64s], ...]


def groups_of(schema: FeatureSchema) -> Groups:
    """The groups of features that say nearly the same."""
    return _groups(tuple(feature.group for feature in schema.features))


@lru_cache(maxsize=32)
def _groups(names: tuple[str, ...]) -> Groups:
    found: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        found.setdefault(name, []).append(column)
    columns = [np.array(members, dtype=np.int64) for members in found.values()]
    places = [[place for place, one in enumerate(columns) if len(one) == size] for size in {*map(len, columns)}]
    by_size = tuple((np.array(some, dtype=np.int64), np.stack([columns[place] for place in some])) for some in places)
    return Groups(tuple(columns), by_size)


def group_weights(contributions: Floats, groups: Groups) -> Floats:
    """(n, g) what each group adds, of contributions (n, k)."""
    if len(contributions) > 1:
        return np.column_stack([contributions[:, columns].sum(axis=1) for columns in groups.columns])
    # An account alone has nearly as many groups as features: those of a size are added up in one step.
    found = np.empty((len(contributions), len(groups.columns)))
    for places, columns in groups.by_size:
        found[:, places] = contributions[:, columns].sum(axis=2)
    return found


def _reason(declared: Feature, value: float, weight: float, *, locale: str | None, currency: str) -> Reason:
    text = reason_text(declared, value, locale=locale, currency=currency) if locale else ""
    known = None if math.isnan(value) else value
    return Reason(declared.code, declared.name, contribution=weight, text=text, value=known)


def _spokesmen(contributions: Floats, weight: Floats, strongest: Int64s, members: Sequence[Int64s]) -> list[list[int]]:
    """Of each of the strongest groups (n, r) the strongest feature that pulls the way its group does.

    Another one would be worded against the weight.
    """
    found = np.empty_like(strongest)
    for group in {*strongest.ravel().tolist()}:
        row, rank = np.nonzero(strongest == group)
        own = contributions[row][:, members[group]] * np.sign(weight[row, group])[:, None]
        found[row, rank] = members[group][own.argmax(axis=1)]
    speaking: list[list[int]] = found.tolist()
    return speaking


def contributions(found: Shares, values: Floats, schema: FeatureSchema, row: int) -> tuple[Contribution, ...]:
    """All contributions of one row that are not 0, strongest first."""
    own = found.contributions[row]
    order = np.argsort(-np.abs(own), kind="stable")
    return tuple(
        Contribution(schema.names[column], float(values[row, column]), float(own[column]))
        for column in order.tolist()
        if own[column] != 0.0
    )


def contrast(chosen: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """Chosen minus other, factor by factor."""
    return {name: chosen[name] - other[name] for name in chosen}
