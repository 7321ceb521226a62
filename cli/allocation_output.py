"""What capacities and budgets came to: a table for people, and the price list beside the decisions."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cli.output import say, show_table

if TYPE_CHECKING:
    from decisioning.allocation.plan import Plan
    from decisioning.allocation.prices import PriceList
    from decisioning.bundle import ModelBundle
    from decisioning.desk import Desk


def prices_of(plan: Plan | None, *, as_of: datetime, bundle: ModelBundle, desk: Desk) -> PriceList | None:
    """The price list of a plan, where there is one."""
    from decisioning.allocation.prices import price_list
    from domain.clock import to_us

    if plan is None:
        return None
    return price_list(
        plan, as_of_us=to_us(as_of), policy_version=desk.policy_version, model_version=bundle.version,
        currency=desk.config.currency,
    )  # fmt: skip


def write_allocation(out: Path, prices: PriceList | None) -> None:
    """Writes ``OUT.allocation.json`` beside the decisions, where anything was allotted."""
    from decisioning.allocation.prices import SUFFIX, write_prices

    if prices is not None:
        write_prices(out.with_name(f"{out.name}{SUFFIX}"), prices)


def show_prices(prices: PriceList) -> None:
    """Use, limit and worth of one more unit of each resource, and what lacks to minimums."""
    rows = [
        [one.text["en"], f"{one.used:,.2f}".removesuffix(".00"), _limit(one.limit), _limit(one.minimum or None),
         one.said["en"]]
        for one in prices.resources
    ]  # fmt: skip
    show_table("capacities and budgets", ["resource", "used", "at most", "at least", "what one more is worth"], rows)
    for one in prices.resources:
        if one.lacks > 0:
            say(f"minimum of {one.text['en']}: {one.lacks:,.2f} of {one.minimum:,.2f} cannot be reached")
    say(
        f"allotted: a gain of {prices.gain:,.2f} over waiting; no plan within the limits could gain more than "
        f"{prices.bound:,.2f} ({prices.gap:.3%})"
    )


def _limit(amount: float | None) -> str:
    return "-" if amount is None else f"{amount:,.2f}".removesuffix(".00")
