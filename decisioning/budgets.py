"""``capacities``, ``budgets`` and ``segments`` of ``decision.yaml``: how much of what there is on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Self

from pydantic import BaseModel, NonNegativeFloat, PositiveFloat, model_validator

from domain.errors import ConfigError

MONEY = ("contact_cost", "discount")
"""What there can be a budget of, in currency as expected: contacts and incentives, and discounts."""


class Volume(BaseModel, frozen=True, extra="forbid"):
    """Contacts on a day, and minutes spent on them: at most, and at least."""

    per_day: NonNegativeFloat | None = None
    min_per_day: NonNegativeFloat | None = None
    minutes_per_day: NonNegativeFloat | None = None

    @model_validator(mode="after")
    def _least_is_within_most(self) -> Self:
        _in_order(self.min_per_day, self.per_day)
        return self


class Capacity(Volume, frozen=True, extra="forbid"):
    """What a channel can do on a day, as a whole and by moment.

    ``minutes_per_contact`` is the mean of one attempt, whether or not anybody answers.
    """

    minutes_per_contact: PositiveFloat | None = None
    by_moment: dict[str, Volume] = {}

    @model_validator(mode="after")
    def _minutes_can_be_counted(self) -> Self:
        volumes: list[Volume] = [self, *self.by_moment.values()]
        wanted = any(volume.minutes_per_day is not None for volume in volumes)
        if wanted and self.minutes_per_contact is None:
            raise ValueError("minutes_per_day needs minutes_per_contact, the mean length of one attempt")
        return self


class Budget(BaseModel, frozen=True, extra="forbid"):
    """Money on a day, at most."""

    per_day: NonNegativeFloat


class Segment(BaseModel, frozen=True, extra="forbid"):
    """Accounts by days past due, both ends included, or by the value of an attribute; and contacts with them on a day.

    An account that is not overdue has 0 days past due or fewer.
    """

    min_days_past_due: int | None = None
    max_days_past_due: int | None = None
    attribute: str | None = None
    values: tuple[str, ...] = ()
    per_day: NonNegativeFloat | None = None
    min_per_day: NonNegativeFloat | None = None

    @model_validator(mode="after")
    def _says_whom_and_how_many(self) -> Self:
        if (self.attribute is None) != (not self.values):
            raise ValueError("attribute and values go together: which column, and which of its values")
        if self.attribute is None and self.min_days_past_due is None and self.max_days_past_due is None:
            raise ValueError("a segment needs min_days_past_due, max_days_past_due, or an attribute with values")
        if self.per_day is None and self.min_per_day is None:
            raise ValueError("a segment needs per_day or min_per_day")
        _in_order(self.min_days_past_due, self.max_days_past_due)
        _in_order(self.min_per_day, self.per_day)
        return self


def _in_order(least: float | None, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        raise ValueError(f"found a least of {least:g} above a most of {most:g}")


def known_names(section: str, found: Iterable[str], needed: Iterable[str]) -> None:
    """Refuses names that are configured nowhere.

    Raises
    ------
    ConfigError : a name is unknown; the nearest known one is suggested
    """
    known = sorted(needed)
    for name in sorted(set(found) - set(known)):
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        way_out = f"did you mean {near[0]!r}?" if near else f"known names: {', '.join(known)}"
        raise ConfigError(f"decision.yaml, {section}: found the unknown name {name!r}; {way_out}")


def check_moments(capacities: Mapping[str, Capacity], moments: Mapping[str, set[str]]) -> None:
    """Refuses moments in which a channel has no action; ``moments`` are those of each channel.

    Raises
    ------
    ConfigError : a channel or a moment is unknown
    """
    known_names("capacities", capacities, moments)
    for channel, capacity in capacities.items():
        known_names(f"capacities.{channel}.by_moment", capacity.by_moment, moments[channel])
