"""Which accounts of a page are in which segment of the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from decisioning.allocation.problem import Floats
from decisioning.budgets import Segment, known_names
from domain.clock import MISSING
from domain.coded import Coded
from domain.errors import DataError
from features.config import Attribute
from features.encoding import Encoded
from features.state import AccountStates, local_of

_COLUMNS = ("creditor", "product", "region")
"""Columns of ``accounts`` that may tell segments apart beside the declared attributes."""


def check_attributes(segments: Mapping[str, Segment], attributes: Mapping[str, Attribute]) -> None:
    """Refuses attributes that decide nothing.

    Parameters
    ----------
    attributes : declared in training, of which protected ones and numbers tell no segments apart

    Raises
    ------
    ConfigError : an attribute is unknown, protected or no category
    """
    may = {*_COLUMNS, *(name for name, one in attributes.items() if one.kind == "categorical" and not one.protected)}
    for name, segment in segments.items():
        if segment.attribute is not None:
            known_names(f"segments.{name}.attribute (protected ones and numbers are none)", [segment.attribute], may)


def check_segments(segments: Mapping[str, Segment], encoded: Encoded, attributes: Mapping[str, Attribute]) -> None:
    """Refuses attributes that decide nothing, or that these accounts do not have.

    Raises
    ------
    ConfigError : an attribute is unknown, protected or no category
    DataError : the accounts have no such column, so that nobody would be in the segment
    """
    check_attributes(segments, attributes)
    for name, segment in segments.items():
        if segment.attribute is not None and segment.attribute not in encoded.tables.columns["accounts"]:
            raise DataError(
                f"segments.{name} in decision.yaml goes by {segment.attribute!r}, a column that accounts do not have; "
                "add it to the data, or take the segment out"
            )


def members(segments: Sequence[Segment], encoded: Encoded, states: AccountStates) -> Floats:
    """(n, G) 1 where an account is known to be in a segment at its moment, else 0."""
    found = np.zeros((len(states), len(segments)))
    for place, segment in enumerate(segments):
        inside = np.ones(len(states), dtype=np.bool_)
        if segment.min_days_past_due is not None:
            inside &= (states.days_past_due != MISSING) & (states.days_past_due >= segment.min_days_past_due)
        if segment.max_days_past_due is not None:
            inside &= (states.days_past_due == MISSING) | (states.days_past_due <= segment.max_days_past_due)
        if segment.attribute is not None:
            inside &= _has(encoded, states, segment.attribute, segment.values)
        found[:, place] = inside
    return found


def _has(encoded: Encoded, states: AccountStates, attribute: str, values: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Whether the version of each account that is known at its moment has one of some values."""
    known = encoded.tables.columns["accounts"].get(attribute)
    if not isinstance(known, Coded):
        return np.zeros(len(states), dtype=np.bool_)
    row = local_of(encoded, states.spine).row
    wanted = np.array([code for code, value in enumerate(known.values) if value in set(values)], dtype=np.int64)
    return np.asarray((row >= 0) & np.isin(known.codes[row], wanted), dtype=np.bool_)
