"""Configurations that limit what a day has, and made-up prices of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from decisioning.allocation.prices import Price, PriceList, write_prices
from decisioning.allocation.resources import resources_of
from decisioning.desk import Desk, load_desk

CONFIGS = Path(__file__).parents[1] / "configs"
LIMITS = {
    "capacities": {"sms": {"per_day": 12}, "voice_bot": {"per_day": 9}, "whatsapp": {"per_day": 0}},
    "budgets": {"contact_cost": {"per_day": 60.0}},
    "segments": {"early": {"max_days_past_due": 15, "per_day": 3}},
    "priors": {"reach": {"sms": 0.6, "voice_bot": 0.6}, "lift": {"sms": 3.0, "voice_bot": 4.0}},
    "exploration": {"share": 0.2, "top_k": 8, "floor_share": 0.5, "max_expected_loss": None},
}


def limited(folder: Path, limits: dict[str, Any]) -> Path:
    """The configuration of the repository in a new folder, with other ``limits`` in decision.yaml."""
    shutil.copytree(CONFIGS, folder)
    path = folder / "decision.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | limits), encoding="utf-8")
    return folder


def price_list(desk: Desk, *, accounts: int = 400, price: float = 0.5, **changed: Any) -> PriceList:
    """Prices of every resource that is configured, all the same."""
    resources = [
        Price(
            name=one.name, kind=one.kind, channel=one.channel, moment=one.moment, segment=one.segment,
            per_contact=one.per_contact, limit=one.limit / (100.0 if one.is_money else 1.0), minimum=one.minimum,
            used=0.0, uses=max(int(one.limit), 1), price=price, scale=100.0,
        )
        for one in resources_of(desk.config, desk.catalogue.actions).items
    ]  # fmt: skip
    whole = PriceList(
        made_at="2026-03-02T09:00:00Z", local_days=[], currency="BRL", policy_version=desk.policy_version,
        model_version="7", accounts=accounts, gain=0.0, bound=0.0, gap=0.0, resources=resources,
    )  # fmt: skip
    return whole.model_copy(update=changed)


def limited_and_priced(folder: Path, limits: dict[str, Any]) -> tuple[Path, Path]:
    """Such a configuration, and a price list of it."""
    configs, prices = limited(folder / "configs", limits), folder / "prices.allocation.json"
    write_prices(prices, price_list(load_desk(configs)))
    return configs, prices
