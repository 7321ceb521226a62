"""Actions: channel × offer × moment, read from ``configs/actions.yaml``; ``wait`` is always one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache, wraps
from typing import Annotated, Any, Literal, Self, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, NonNegativeFloat, PositiveInt, StringConstraints, model_validator

T = TypeVar("T")

WAIT = "wait/none/any"
WAIT_CHANNEL = "wait"
ANY_MOMENT = "any"
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""Of a channel, offer or moment: it is a part of action names and of feature names."""


class Channel(BaseModel, frozen=True, extra="forbid"):
    """A way to reach a debtor: cost of one attempt, how intrusive it is (0 to 1), and what it needs."""

    unit_cost: NonNegativeFloat
    intrusiveness: float = Field(ge=0, le=1)
    needs_consent: bool = False
    needs_contact_data: Literal["phone", "whatsapp", "email", "address", "none"] = "none"


class Offer(BaseModel, frozen=True, extra="forbid"):
    """What is proposed: nothing, a discount, instalments, or a benefit that is no discount on the debt."""

    kind: Literal["none", "discount", "instalments", "incentive"]
    discount_pct: float = Field(default=0.0, ge=0, lt=100)
    instalments: PositiveInt = 1
    method: Literal["pix", "boleto", "card"] = "pix"
    unit_cost: NonNegativeFloat = 0.0
    min_days_past_due: int | None = None
    max_days_past_due: int | None = None
    max_pct_of_balance: float | None = Field(default=None, gt=0, le=100)
    floor_amount: NonNegativeFloat | None = None
    valid_days: PositiveInt = 5

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Self:
        if self.kind == "discount" and self.discount_pct <= 0:
            raise ValueError("a discount needs discount_pct above 0")
        if self.kind == "instalments" and self.instalments < 2:
            raise ValueError("instalments need a number of at least 2")
        return self


class Moment(BaseModel, frozen=True, extra="forbid"):
    """Hours of the debtor's local day, half-open."""

    hours: tuple[int, int]

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if not 0 <= self.hours[0] < self.hours[1] <= 24:
            raise ValueError("hours must be [from, to) with 0 <= from < to <= 24")
        return self


class ActionsConfig(BaseModel, frozen=True, extra="forbid"):
    """``actions.yaml``: channels, offers, moments, which combinations exist, and which need an approval."""

    channels: dict[Name, Channel]
    offers: dict[Name, Offer]
    moments: dict[Name, Moment]
    combinations: Literal["all"] | list[str] = "all"
    gated: list[str] = []

    @model_validator(mode="after")
    def _names_and_patterns_are_known(self) -> Self:
        names = [("channels", self.channels), ("offers", self.offers), ("moments", self.moments)]
        for section, entries in names:
            if not entries:
                raise ValueError(f"{section} is empty; at least one entry is needed")
        if WAIT_CHANNEL in self.channels:
            raise ValueError("`wait` is always there and needs no entry under channels")
        if ANY_MOMENT in self.moments:
            raise ValueError("`any` is a reserved moment: it stands for every moment in a log")
        if self.offers.get("none", Offer(kind="none")).kind != "none":
            raise ValueError("the offer `none` must be of kind none")
        patterns = [*([] if self.combinations == "all" else self.combinations), *self.gated]
        for pattern in patterns:
            if pattern.count("/") != 2:
                raise ValueError(f"found the pattern {pattern!r}, needed channel/offer/moment, such as 'sms/none/*'")
            if not any(fnmatchcase(name, pattern) for name in self._product()):
                raise ValueError(f"the pattern {pattern!r} matches no action; check its names")
        return self

    def _product(self) -> list[str]:
        return [f"{c}/{o}/{m}" for c in self.channels for o in self.offers for m in self.moments]


@dataclass(frozen=True, slots=True)
class Action:
    """One action of the catalogue with the attributes that its three parts bring."""

    name: str
    channel: str
    offer: str
    moment: str
    unit_cost: float
    intrusiveness: float
    needs_consent: bool
    contact_data: str
    offer_kind: str
    discount_pct: float
    instalments: int
    offer_cost: float
    hours: tuple[int, int]
    gated: bool

    def __hash__(self) -> int:
        # Of what tells it from the others of its catalogue: hashing all of it takes longer than what is looked up.
        return hash(self.name)

    @property
    def is_wait(self) -> bool:
        """Whether this is the action of doing nothing."""
        return self.channel == WAIT_CHANNEL


class Actions(tuple[Action, ...]):
    """Actions in order, hashed once: what is the same for every request is looked up by them."""

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return super().__hash__()


def made_once(make: Callable[[Sequence[Action]], T]) -> Callable[[Sequence[Action]], T]:
    """A function of actions that is called once for those of a catalogue, ``Actions``, and each time for others.

    What it returns is shared by all who ask, and is not to be written to.
    """
    known = lru_cache(maxsize=32)(make)

    @wraps(make)
    def found(actions: Sequence[Action]) -> T:
        return known(actions) if isinstance(actions, Actions) else make(actions)

    return found


_WAIT_ACTION = Action(
    name=WAIT, channel=WAIT_CHANNEL, offer="none", moment=ANY_MOMENT, unit_cost=0.0, intrusiveness=0.0,
    needs_consent=False, contact_data="none", offer_kind="none", discount_pct=0.0, instalments=1, offer_cost=0.0,
    hours=(0, 24), gated=False,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActionColumns:
    """Attributes of all actions, (A,) each and read-only, made once: a request is too short to make them again.

    ``channel`` is the position among the configured channels, -1 for ``wait``; ``discount_pct`` and the others are
    those of ``Action``. ``hours`` is (A, 2), and
    ``by_hours`` has the actions of each pair of them; ``by_min_days_past_due`` and its like those of each limit, in
    order. Without a limit ``floor_cents`` is 0 and ``max_share_of_balance`` 1.
    """

    channel: npt.NDArray[np.int64]
    acts: npt.NDArray[np.bool_]
    needs_consent: npt.NDArray[np.bool_]
    gated: npt.NDArray[np.bool_]
    intrusiveness: npt.NDArray[np.float64]
    hours: npt.NDArray[np.int64]
    by_hours: tuple[tuple[tuple[int, int], npt.NDArray[np.bool_]], ...]
    by_min_days_past_due: tuple[tuple[int, npt.NDArray[np.bool_]], ...]
    by_max_days_past_due: tuple[tuple[int, npt.NDArray[np.bool_]], ...]
    floor_cents: npt.NDArray[np.float64]
    max_share_of_balance: npt.NDArray[np.float64]
    _names: tuple[str, ...]
    _on: dict[tuple[tuple[str, ...] | None, tuple[str, ...]], npt.NDArray[np.bool_]] = field(default_factory=dict)

    def on(self, channels: tuple[str, ...] | None, left_out: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """Whether each action is on one of some channels (``None``: any) that is not left out; ``wait`` never is."""
        found = self._on.get((channels, left_out))
        if found is None:
            named = [name not in left_out and (channels is None or name in channels) for name in self._names]
            found = self._on[channels, left_out] = _frozen(np.array([*named, False])[self.channel], np.bool_)
        return found

    @classmethod
    def of(cls, catalogue: ActionCatalogue) -> ActionColumns:
        """Those of a catalogue."""
        actions, index = catalogue.actions, {name: place for place, name in enumerate(catalogue.channels)}
        offers = [catalogue.config.offers.get(action.offer) for action in actions]
        return cls(
            channel=_frozen([index.get(action.channel, -1) for action in actions], np.int64),
            acts=_frozen([not action.is_wait for action in actions], np.bool_),
            needs_consent=_frozen([action.needs_consent for action in actions], np.bool_),
            gated=_frozen([action.gated for action in actions], np.bool_),
            intrusiveness=_frozen([action.intrusiveness for action in actions], np.float64),
            hours=_frozen([action.hours for action in actions], np.int64),
            by_hours=tuple(
                (hours, _frozen([action.hours == hours for action in actions], np.bool_))
                for hours in dict.fromkeys(action.hours for action in actions)
            ),
            by_min_days_past_due=_by_limit([None if offer is None else offer.min_days_past_due for offer in offers]),
            by_max_days_past_due=_by_limit([None if offer is None else offer.max_days_past_due for offer in offers]),
            floor_cents=_frozen([100.0 * ((offer and offer.floor_amount) or 0.0) for offer in offers], np.float64),
            max_share_of_balance=_frozen(
                [((offer and offer.max_pct_of_balance) or 100.0) / 100.0 for offer in offers], np.float64
            ),
            _names=catalogue.channels,
        )


def _by_limit(limits: Sequence[int | None]) -> tuple[tuple[int, npt.NDArray[np.bool_]], ...]:
    distinct = sorted({limit for limit in limits if limit is not None})
    return tuple((limit, _frozen([each == limit for each in limits], np.bool_)) for limit in distinct)


def _frozen(values: Any, dtype: Any) -> npt.NDArray[Any]:
    found = np.array(values, dtype=dtype)
    found.setflags(write=False)
    return found


@dataclass(frozen=True)
class ActionCatalogue:
    """Every action that exists, ``wait`` first, then in the order of the configuration."""

    config: ActionsConfig

    @cached_property
    def actions(self) -> Actions:
        """All actions; index 0 is ``wait``."""
        config = self.config
        patterns = ["*/*/*"] if config.combinations == "all" else config.combinations
        found = [_WAIT_ACTION]
        for channel_name, channel in config.channels.items():
            for offer_name, offer in config.offers.items():
                for moment_name, moment in config.moments.items():
                    name = f"{channel_name}/{offer_name}/{moment_name}"
                    if any(fnmatchcase(name, pattern) for pattern in patterns):
                        gated = any(fnmatchcase(name, pattern) for pattern in config.gated)
                        found.append(_action(name, channel, offer, moment, gated=gated))
        return Actions(found)

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each action by name."""
        return {action.name: position for position, action in enumerate(self.actions)}

    @cached_property
    def columns(self) -> ActionColumns:
        """Attributes of all actions as arrays."""
        return ActionColumns.of(self)

    def matching(self, pattern: str) -> tuple[int, ...]:
        """Positions of the actions that a pattern such as ``sms/none/*`` stands for; none for ``wait``."""
        return tuple(self.index[name] for name in self.names()[1:] if fnmatchcase(name, pattern))

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in the order of the configuration, without ``wait``."""
        return tuple(self.config.channels)

    def names(self) -> tuple[str, ...]:
        """Action names, ``wait`` first."""
        return self._names

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(action.name for action in self.actions)


def _action(name: str, channel: Channel, offer: Offer, moment: Moment, *, gated: bool) -> Action:
    parts: Sequence[str] = name.split("/")
    return Action(
        name=name,
        channel=parts[0],
        offer=parts[1],
        moment=parts[2],
        unit_cost=channel.unit_cost,
        intrusiveness=channel.intrusiveness,
        needs_consent=channel.needs_consent,
        contact_data=channel.needs_contact_data,
        offer_kind=offer.kind,
        discount_pct=offer.discount_pct,
        instalments=offer.instalments,
        offer_cost=offer.unit_cost,
        hours=moment.hours,
        gated=gated,
    )
