"""The worked example of docs/explanations.md, recomputed: each figure of its tables stands on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import logit

from decisioning.calibration import Calibrator
from decisioning.changes import cost_rise_cents
from decisioning.config import Objective
from decisioning.explanation import shares
from decisioning.funnel import OTHER_CHANNEL, FunnelModel
from decisioning.money_parts import Account
from decisioning.money_told import Compared, told_money
from decisioning.quantity_shares import Margins
from decisioning.response import Head
from decisioning.valuation import amounts
from domain.decisions import Difference, MoneySplit
from features.schema import FeatureSchema

PAGE = Path(__file__).parents[2] / "docs" / "explanations.md"
NAMES = ("days_past_due", "responses_sms_count_365d", "contacts_sms_count_30d")
AVERAGE = {"received": 0.25, "agreed": 0.3, "deal": 0.84, "self": 0.20, "complaint": 0.02, "opt_out": 0.0}
HERE = AVERAGE | {"received": 0.40, "self": 0.16}
PULLS = {"received": (0.0, 0.75, 0.25), "self": (1.0, 0.0, 0.0)}


@pytest.fixture
def told(desk: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[MoneySplit, Difference]:
    """An SMS to an account that owes 1,000.00, as the page has it."""
    heads = {name: Head(constant=value) for name, value in {**HERE, "pay": 0.1}.items()}
    named = {id(head): name for name, head in heads.items()}

    def margins(head: Head, table: Any, actions: np.ndarray) -> Margins:
        name = named[id(head)]
        gap = 0.0 if HERE[name] == AVERAGE[name] else logit(HERE[name]) - logit(AVERAGE[name])
        added = np.append(np.array(PULLS.get(name, (0.0,) * 3)) * gap, 0.0)
        return Margins(0.0, np.tile(added, (len(actions), 1)), AVERAGE[name], np.full(len(actions), HERE[name]))

    monkeypatch.setattr("decisioning.money_parts.margins_of", margins)
    model = FunnelModel(heads, (), {OTHER_CHANNEL: 0.9})
    actions = desk.catalogue.actions
    asked = amounts(np.array([100_000]), actions)
    of = Account(np.zeros((1, 3)), asked, FeatureSchema(NAMES, {}, {}), actions, model, Objective(complaint_cost=40.0))
    sms = desk.catalogue.index["sms/none/morning"]
    net = np.zeros(len(actions))
    gain = 0.9 * 0.4 * 0.3 * 1.25 * (0.5 - 0.16) * 100_000
    net[0], net[sms] = 20_000, 20_000 + gain - 0.9 * (100 * actions[sms].unit_cost + 0.02 * 4_000)
    own, differences = told_money(of, Compared(net, net), sms, {"wait": 0})
    assert own is not None
    return own, differences["wait"]


def row(name: str | None, cents: int) -> str:
    return f"| `{name or 'null'}` | {cents / 100:,.2f} |".replace("-", "−")


def test_the_page_has_the_chord_of_the_example() -> None:
    class Example:
        explained = 30

        def __init__(self) -> None:
            self.calibrators = {30: Calibrator.platt(1.0, 0.0)}

        def contributions(self, _values: np.ndarray) -> np.ndarray:
            return np.array([[0.8, -0.2, -1.0]])

        def margins(self, _values: np.ndarray) -> np.ndarray:
            return np.array([-0.4])

    found = shares(Example(), np.zeros((1, 2)))  # type: ignore[arg-type]
    text = PAGE.read_text(encoding="utf-8")
    for value in (found.base[0], found.p_pay[0], *found.contributions[0]):
        assert f"{value:.4f}".replace("-", "−") in text


def test_the_page_has_the_money_of_the_example(told: tuple[MoneySplit, Difference]) -> None:
    own, text = told[0], PAGE.read_text(encoding="utf-8")
    assert own.average_cents + sum(own.by_factor.values()) == own.total_cents == 24_510
    assert f"**{own.average_cents / 100:.2f}**" in text
    for name, cents in (*((name, cents) for name, cents in own.by_factor.items() if cents), *own.by_feature):
        assert row(name, cents) in text


def test_the_page_has_the_difference_of_the_example(told: tuple[MoneySplit, Difference]) -> None:
    found, text = told[1], PAGE.read_text(encoding="utf-8")
    assert found.split is not None
    assert sum(found.split.by_factor.values()) == found.total_cents == 4_510
    for name, cents in (*((name, cents) for name, cents in found.split.by_factor.items() if cents),
                        *found.split.by_feature):  # fmt: skip
        assert row(name, cents) in text


def test_the_page_has_the_rise_of_cost_of_the_example() -> None:
    rise = cost_rise_cents(24_509.9, 20_000.0, 0.9)
    assert f"{rise / 100:.2f}" in PAGE.read_text(encoding="utf-8")
