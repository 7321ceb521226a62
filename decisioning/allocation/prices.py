"""The prices of a day as a file: what a run leaves for people to read, and for the service to decide by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, ValidationError

from decisioning.allocation.plan import Plan, shortfalls
from decisioning.allocation.problem import Floats
from decisioning.allocation.resources import Kind, Resource, Resources
from decisioning.allocation.words import LOCALES, say_price, say_resource
from domain.actions import Action
from domain.clock import from_day, parse_moment, rfc3339, to_us
from domain.errors import ConfigError

SUFFIX = ".allocation.json"
"""What the name of the decisions' file gets for that of their prices."""


def _moment(text: str) -> str:
    return rfc3339(to_us(parse_moment(text)))


class Price(BaseModel, frozen=True, extra="forbid"):
    """One resource of the day: how much there is and was used, and what one more unit is worth.

    Contacts and minutes are counted, their price is currency per unit; money is in currency, its price money per money.
    ``limit`` is null where there is none. ``text`` and ``said`` name the resource and its price in words, by locale.
    ``scale`` is all that the actions add to waiting, spread over the limit: prices are small or great beside it.
    ``uses`` is the number of decisions that use any of it.
    """

    name: str
    kind: Kind
    channel: str | None = None
    moment: str | None = None
    segment: str | None = None
    per_contact: float
    limit: float | None
    minimum: float
    used: float
    uses: int
    price: float
    scale: float
    lacks: float = 0.0
    text: dict[str, str] = {}
    said: dict[str, str] = {}


class PriceList(BaseModel, frozen=True, extra="forbid"):
    """The prices of one run, and how good its allocation is.

    ``made_at`` is the moment of the decisions; the prices are those of its ``local_days``, one unless debtors' time
    zones lie on both sides of midnight. ``gain`` is what the planned actions add to waiting by what the policy
    compares, in currency, ``bound`` what no plan within the limits could exceed, and ``gap`` their distance as a share
    of the bound. ``policy_version`` is that of the decisions: other actions, limits or rules need other prices.
    """

    made_at: Annotated[str, AfterValidator(_moment)]
    local_days: list[date]
    currency: str
    policy_version: str
    model_version: str
    accounts: int
    gain: float
    bound: float
    gap: float
    resources: list[Price]


def price_list(plan: Plan, *, as_of_us: int, policy_version: str, model_version: str, currency: str) -> PriceList:
    """What a plan leaves behind; ``currency`` is its code."""
    lacking, solution = shortfalls(plan), plan.solution
    found = []
    for place, one in enumerate(plan.resources.items):
        unit, size = _unit(one), one.limit if np.isfinite(one.limit) else one.minimum
        price = float(solution.price[place])
        found.append(
            Price(
                name=one.name, kind=one.kind, channel=one.channel, moment=one.moment, segment=one.segment,
                per_contact=one.per_contact, limit=one.limit / unit if np.isfinite(one.limit) else None,
                minimum=one.minimum / unit, used=float(plan.use[place]) / unit, uses=int(plan.uses[place]),
                price=price * unit / 100.0,
                scale=max(solution.bound, 0.0) / size * unit / 100.0 if size > 0 else 0.0,
                lacks=lacking.get(one.name, (0.0, 0.0))[0] / unit,
                text={locale: say_resource(one, locale=locale) for locale in LOCALES},
                said={locale: say_price(one, price, locale=locale, currency=plan.currency) for locale in LOCALES},
            )
        )  # fmt: skip
    return PriceList(
        made_at=rfc3339(as_of_us), local_days=[from_day(day) for day in plan.local_days], currency=currency,
        policy_version=policy_version, model_version=model_version, accounts=len(plan.accounts),
        gain=solution.value / 100.0, bound=solution.bound / 100.0, gap=solution.gap, resources=found,
    )  # fmt: skip


def _unit(one: Resource) -> float:
    return 100.0 if one.is_money else 1.0


def write_prices(path: Path, prices: PriceList) -> None:
    """The prices as JSON, the same bytes for the same prices; who reads meanwhile finds the old ones, whole."""
    text = json.dumps(prices.model_dump(mode="json"), ensure_ascii=False, indent=2, allow_nan=False)
    beside = path.with_name(f"{path.name}.part")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(path)


def read_prices(path: Path) -> PriceList:
    """The prices of a file.

    Raises
    ------
    ConfigError : the file cannot be read, or holds no prices
    """
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
        return PriceList.model_validate(raw)
    except (OSError, ValueError, ValidationError) as error:
        kind = type(error).__name__
        raise ConfigError(f"{path}: found no price list ({kind}), needed what `acerto decide` writes") from error


def newest_prices(place: Path) -> PriceList:
    """The prices of a file, or in a folder those whose decisions are the latest.

    Raises
    ------
    ConfigError : there is none, or a file there cannot be read as prices
    """
    if not place.is_dir():
        return read_prices(place)
    found = [read_prices(path) for path in sorted(place.glob(f"*{SUFFIX}"))]
    if not found:
        raise ConfigError(f"found no *{SUFFIX} in {place}, needed what `acerto decide` writes beside its decisions")
    return max(found, key=lambda one: parse_moment(one.made_at))


def resources_of_prices(prices: PriceList, actions: Sequence[Action]) -> tuple[Resources, Floats]:
    """The resources of a price list over the actions of a catalogue, and the price (K,) of each in cents per unit."""
    items = tuple(
        Resource(
            one.name, one.kind, np.inf if one.limit is None else one.limit * _money(one), one.minimum * _money(one),
            one.per_contact, one.channel, one.moment, one.segment,
        )
        for one in prices.resources
    )  # fmt: skip
    cents = np.array([one.price * 100.0 / _money(one) for one in prices.resources])
    return Resources(items, tuple(actions)), cents


def _money(one: Price) -> float:
    return 100.0 if one.kind in {"contact_cost", "discount"} else 1.0
