"""A local day under way: its prices, what was used of it and how many were decided on, as one value that can be kept.

What was used belongs to the day; prices belong to the policy that they are of. So a day that is taken up under another
policy goes on with what was used of each resource of the same name, at prices that begin anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from decisioning.allocation.online import PriceBook
from decisioning.allocation.prices import PriceList
from decisioning.allocation.problem import Floats
from decisioning.arms import ARMS
from domain.actions import Action
from domain.errors import StoreError

_ADJUSTMENTS = 200
"""How often prices follow use through a day; benchmarks/allocation.md measures this number."""
_KEPT = ("dear", "paid", "floor", "answer", "before", "done")


@dataclass(frozen=True, slots=True)
class Use:
    """What decisions on ``decided`` accounts that owe used of a day, ``by_arm`` (5, K)."""

    by_arm: Floats
    decided: int


@dataclass(frozen=True, slots=True)
class DayBook:
    """A book of a policy, after so many ``decided`` of the accounts that the plan behind its prices had."""

    book: PriceBook
    policy_version: str
    planned: int
    decided: int = 0

    @classmethod
    def opened(cls, prices: PriceList, actions: tuple[Action, ...]) -> DayBook:
        """A day of which nothing is used, at the prices of a plan."""
        return cls(PriceBook.opened(prices, actions), prices.policy_version, prices.accounts)

    def restored(self, content: str) -> DayBook:
        """The day that ``content`` told, where this one is how it would begin.

        Raises
        ------
        StoreError : it holds something else than what ``content`` writes
        """
        try:
            return _restored(json.loads(content), self)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(
                f"found a day's book that cannot be read ({type(error).__name__}), needed one that this service wrote; "
                "serve with the version that wrote it, or delete its row to begin the day anew"
            ) from error

    def content(self, before: str | None = None) -> str:
        """The day as text, to the bit; with what ``before`` told was used of resources that are not of this policy."""
        names = [one.name for one in self.book.resources.items]
        used = {} if before is None else {k: v for k, v in json.loads(before)["used"].items() if k not in names}
        for name, parts in zip(names, self.book.by_arm.T.tolist(), strict=True):
            used[name] = {arm: part for arm, part in zip(ARMS, parts, strict=True) if part}
        columns = {key: dict(zip(names, getattr(self.book, key).tolist(), strict=True)) for key in _KEPT}
        whole = {"policy_version": self.policy_version, "planned": self.planned, "decided": self.decided}
        return json.dumps({**whole, "used": used, **columns}, allow_nan=False, separators=(",", ":"))

    def lacking(self, use: Use) -> list[str]:
        """Names of the resources of which too little is left for a use."""
        short = self.book.short_of(use.by_arm.sum(axis=0)).tolist()
        return [one.name for one, lacks in zip(self.book.resources.items, short, strict=True) if lacks]

    def after(self, use: Use) -> DayBook:
        """The day after more decisions; prices follow use whenever another part of the accounts is through."""
        total = self.decided + use.decided
        done = total * _ADJUSTMENTS // max(self.planned, 1) / _ADJUSTMENTS
        return replace(self, book=self.book.with_use(use.by_arm).adjusted(done), decided=total)


def _restored(raw: Mapping[str, Any], begun: DayBook) -> DayBook:
    names = [one.name for one in begun.book.resources.items]
    parts = [[float(raw["used"].get(name, {}).get(arm, 0.0)) for name in names] for arm in ARMS]
    book = begun.book.with_use(np.array(parts).reshape(len(ARMS), len(names)))
    if raw["policy_version"] != begun.policy_version:
        # Prices are those of a day that begins with what is left.
        return replace(begun, book=replace(book, before=book.used))
    columns: dict[str, Any] = {key: np.array([float(raw[key][name]) for name in names]) for key in _KEPT}
    return replace(begun, book=replace(book, **columns), planned=int(raw["planned"]), decided=int(raw["decided"]))
