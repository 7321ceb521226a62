"""What a feature is: one declaration, from which its name, its computation and its documentation follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from features.vocabulary import CODES, KINDS, SOURCE_TABLE

Aggregate = Literal["count", "sum", "mean", "max", "recency", "age", "last", "days", "gap_mean", "gap_std"]
"""``recency`` is days since the latest event, ``age`` since the first, ``days`` the number of distinct local days, and
``gap_*`` describes the days between consecutive events (``gap_std`` of whole hours, at least two gaps)."""
WINDOW_DAYS = (7, 30, 90, 180, 365, 0)
"""Widths a window may have; 0 means the whole history."""
ALL = 0
PARTS = ("night", "morning", "afternoon", "evening")
"""Parts of the debtor's local day: 20–8, 8–12, 12–17 and 17–20 o'clock."""
Unit = Literal["count", "cents", "days", "share", "flag", "code", "number", "day", "cost"]


@dataclass(frozen=True, slots=True)
class Events:
    """A selection of events; empty tuples select every kind, channel or part of the day."""

    source: str
    kinds: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    weekend: bool = False

    def __post_init__(self) -> None:
        unknown = set(self.kinds) - set(KINDS[self.source])
        if unknown:
            raise ValueError(f"found kinds {sorted(unknown)}, needed some of {KINDS[self.source]}")

    def codes(self) -> tuple[int, ...]:
        """Positions in ``vocabulary.CODES`` which this selection takes."""
        return tuple(
            index
            for index, (source, kind, channel) in enumerate(CODES)
            if source == self.source
            and (not self.kinds or kind in self.kinds)
            and (not self.channels or channel in self.channels)
        )


@dataclass(frozen=True, slots=True)
class Windowed:
    """An aggregate of events in ``[as_of - days, as_of)``, or in the whole history where ``days`` is 0."""

    events: Events
    aggregate: Aggregate
    days: int = ALL


@dataclass(frozen=True, slots=True)
class Standing:
    """A column of the account's standing at ``as_of`` (``features.state``)."""

    column: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """A property of the local day of ``as_of``."""

    part: Literal["day_of_month", "days_in_month", "weekday", "days_to_payday"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of ``accounts`` as known at ``as_of``; categorical ones become codes into the schema's categories."""

    column: str
    categorical: bool = False


@dataclass(frozen=True, slots=True)
class Ratio:
    """One feature over another; with ``strength`` k and ``prior`` p the smoothed rate (a + k·p) / (b + k).

    Without smoothing an empty denominator gives a missing value.
    """

    numerator: str
    denominator: str
    prior: float = 0.0
    strength: float = 0.0


Rule = Windowed | Standing | Calendar | Attribute | Ratio


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of the catalogue.

    ``group`` names features that say nearly the same, of which only the strongest is given as a reason;
    ``direction`` is the defensible sign of its effect on ``p_pay``, 0 where there is none; ``reason_pt`` and
    ``reason_en`` are the wording of its reason code, with ``{value}`` in the feature's unit.
    """

    name: str
    rule: Rule
    unit: Unit
    description: str
    reason_pt: str
    reason_en: str
    group: str
    direction: int = 0

    @property
    def code(self) -> str:
        """The reason code, stable as long as the name is."""
        return self.name.upper()

    @property
    def table(self) -> str:
        """The canonical table without which this feature cannot exist; ``accounts`` where it always can."""
        if isinstance(self.rule, Windowed):
            return SOURCE_TABLE[self.rule.events.source]
        if isinstance(self.rule, Standing):
            return {"active_promise": "promises", "holds_active": "holds", "dispute_active": "holds"}.get(
                self.rule.column, "debts"
            )
        return "accounts"

    @property
    def empty(self) -> str:
        """What an account without any such event has."""
        if isinstance(self.rule, Windowed):
            return "0" if self.rule.aggregate in {"count", "sum", "days"} else "missing"
        if isinstance(self.rule, Ratio):
            return f"{self.rule.prior:g} (prior)" if self.rule.strength else "missing"
        return "missing" if self.name == "days_past_due" or isinstance(self.rule, Attribute) else "0"
