"""What a feature is: one declaration, from which its name, its computation and its documentation follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from features.events import PARTS
from features.vocabulary import CODES, FACETS, KINDS, SOURCE_TABLE

Aggregate = Literal[
    "count", "sum", "mean", "max", "min", "std", "recency", "age", "last", "first", "days", "distinct", "last_kind",
    "gap_mean", "gap_std",
]  # fmt: skip
"""``recency`` is days since the latest event, ``age`` since the first; ``last`` and ``first`` are their values;
``days`` is the number of distinct local days, ``distinct`` that of distinct facets (channels, methods, forms);
``last_kind`` is what kind the latest event was; ``gap_*`` describes the days between consecutive events of the whole
history (``gap_std`` of whole hours, at least two gaps); ``std`` is that of values, with the number as its divisor."""
HISTORY_WIDE = frozenset({"recency", "age", "last", "first", "last_kind", "gap_mean", "gap_std"})
"""Aggregates that look at the whole history whatever comes in between, and so have no window."""
SINCE = frozenset({"count", "sum"})
"""Aggregates that can be taken since another event."""
EMPTY_IS_ZERO = frozenset({"count", "sum", "days", "distinct"})
Unit = Literal["count", "cents", "days", "share", "flag", "code", "number", "day", "cost"]
Family = Literal[
    "balance", "ageing", "payments", "contacts", "reach", "timing", "promises", "agreements", "offers", "portal",
    "reasons", "holds", "recidivism", "bureau", "charges", "siblings", "account", "season", "debts",
]  # fmt: skip
"""Families as a collector knows them; ``docs/features.md`` is ordered by them, and each was tried by leaving it out."""


@dataclass(frozen=True, slots=True)
class Events:
    """A selection of events; empty tuples select every kind, facet or part of the day.

    ``facets`` are channels of contacts and responses, methods of payments, forms of promises, kinds of holds;
    ``weekend`` takes weekends alone, ``payday`` the days around payday alone (``features.events``).
    """

    source: str
    kinds: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    weekend: bool = False
    payday: bool = False

    def __post_init__(self) -> None:
        for given, known in (
            (self.kinds, KINDS[self.source]), (self.facets, FACETS.get(self.source, ())), (self.parts, PARTS),
        ):  # fmt: skip
            unknown = set(given) - set(known)
            if unknown:
                raise ValueError(f"found {sorted(unknown)} for {self.source}, needed some of {known}")

    def codes(self) -> tuple[int, ...]:
        """Positions in ``vocabulary.CODES`` which this selection takes."""
        return tuple(
            index
            for index, (source, kind, facet) in enumerate(CODES)
            if source == self.source
            and (not self.kinds or kind in self.kinds)
            and (not self.facets or facet in self.facets)
        )


@dataclass(frozen=True, slots=True)
class Window:
    """How far back a feature looks: so many hours, or since the last of some events, or (neither) without end.

    Half-open: ``[as_of - hours, as_of)``; *since* takes what happened after the latest such event, and everything
    where there was none.
    """

    hours: int = 0
    since: Events | None = None
    label: str = ""


def days(number: int) -> Window:
    """A window of whole days."""
    return Window(hours=24 * number, label=f"{number}d")


def hours(number: int) -> Window:
    """A window of hours."""
    return Window(hours=number, label=f"{number}h")


def since(label: str, events: Events) -> Window:
    """From the last of some events on; the label names it in the feature's name."""
    return Window(since=events, label=f"since_{label}")


ALL = Window()
"""The whole history."""


@dataclass(frozen=True, slots=True)
class Windowed:
    """An aggregate of events over a window."""

    events: Events
    aggregate: Aggregate
    window: Window = ALL

    def __post_init__(self) -> None:
        if self.window != ALL and self.aggregate in HISTORY_WIDE:
            raise ValueError(f"found {self.aggregate} over {self.window.label}, needed the whole history: leave it out")
        if self.window.since is not None and self.aggregate not in SINCE:
            raise ValueError(f"found {self.aggregate} {self.window.label}, needed one of {sorted(SINCE)}")


@dataclass(frozen=True, slots=True)
class Standing:
    """A column of the account's standing at ``as_of`` (``features.standing``)."""

    column: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """A property of the local day of ``as_of`` (``features.calendar``)."""

    part: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of ``accounts`` as known at ``as_of``; categorical ones become codes into the schema's categories."""

    column: str
    categorical: bool = False


@dataclass(frozen=True, slots=True)
class Ratio:
    """One feature over another, times ``scale``; missing where the denominator is nothing.

    With ``scale`` the ratio of the windows' widths it is a trend: a recent rate over a long one.
    """

    numerator: str
    denominator: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Rate:
    """Events per opportunity, drawn to what is usual: (a + k·p) / (b + k), empirical Bayes.

    Prior mean p and strength k are fitted on the training matrix and kept in the schema; those given here hold until
    then.
    """

    numerator: str
    denominator: str
    prior: float
    strength: float


@dataclass(frozen=True, slots=True)
class Difference:
    """One count less another, never below nothing: what was opened and not closed again."""

    numerator: str
    denominator: str


@dataclass(frozen=True, slots=True)
class Surplus:
    """How much more often contacts of one part of the day are received than is usual for their channels, in log-odds.

    ``received`` and ``attempts`` name counts by part of the day and channel, ``part`` is the position of its own part
    among them. ``usual``, the rate of each channel, is fitted on the training matrix and kept in the schema; those
    given here hold until then. ``spread`` is the standard deviation, in log-odds, by which accounts are expected to
    differ: the smaller it is, the more contacts it takes to be told from nobody in particular (``features.surplus``).
    """

    part: int
    received: tuple[tuple[str, ...], ...]
    attempts: tuple[tuple[str, ...], ...]
    usual: tuple[float, ...]
    spread: float


Derived = Ratio | Rate | Difference | Surplus
Rule = Windowed | Standing | Calendar | Attribute | Derived


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of the catalogue.

    ``group`` names features that say nearly the same, of which only the strongest is given as a reason;
    ``direction`` is the defensible sign of its effect on ``p_pay``, 0 where there is none; ``reason_pt`` and
    ``reason_en`` are the wording of its reason code, with ``{value}`` in the feature's unit. ``words`` are, for a
    ``code``, the texts of its values in both languages. An ``ingredient`` is computed for others and shown to no model.
    ``actionable`` is the sign of the change that the debtor can bring about from now on, 0 where there is none: what
    happened cannot be undone, and who somebody is cannot be asked to change.
    """

    name: str
    rule: Rule
    unit: Unit
    description: str
    reason_pt: str
    reason_en: str
    group: str
    family: Family
    direction: int = 0
    words: tuple[tuple[str, str], ...] = ()
    ingredient: bool = False
    tables: tuple[str, ...] = field(default=())
    actionable: int = 0

    def __post_init__(self) -> None:
        if self.actionable and not isinstance(self.rule, Windowed):
            raise ValueError(f"found {self.name} declared as actionable, needed an aggregate of what somebody does")

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
            return self.tables[0] if self.tables else "debts"
        return "accounts"

    @property
    def categories(self) -> tuple[str, ...]:
        """The values of a feature that is a code of our own; empty for all others."""
        if isinstance(self.rule, Windowed) and self.rule.aggregate == "last_kind":
            return KINDS[self.rule.events.source]
        return ()

    @property
    def empty(self) -> str:
        """What an account without any such event has."""
        if isinstance(self.rule, Windowed):
            return "0" if self.rule.aggregate in EMPTY_IS_ZERO else "missing"
        if isinstance(self.rule, Rate):
            return "the usual rate"
        if isinstance(self.rule, Standing):
            return "0" if self.unit in {"count", "cents", "flag"} else "missing"
        return "missing" if isinstance(self.rule, Ratio | Attribute) else "0"
