"""What the log teaches about money: what payers bring of the offer, and what the others bring later of all due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY, to_day, to_us
from domain.config import load_section
from domain.tables import Tables
from features.encoding import encode
from features.schema import fit_schema
from training import labels, response_log
from training.config import TrainingConfig
from training.dataset import Horizon

NOON = to_us(datetime(2024, 1, 15, 12, tzinfo=UTC))
CATALOGUE = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
# Offer logged, and the day and cents of the one payment; 100.00 are due, so disc25 asks for 75.00.
CASES: dict[str, tuple[str, int, int]] = {
    "pays in time": ("none", 10, 6_000),
    "takes the discount": ("disc25", 10, 7_500),
    "pays late": ("none", 100, 6_000),
    "lets the discount pass": ("disc25", 100, 10_000),
    "pays too late": ("none", 200, 10_000),
}


def _log(tables_of: Callable[..., Tables], *, days: int = 400) -> response_log.ResponseLog:
    rows: dict[str, list[dict[str, Any]]] = {"accounts": [], "debts": [], "payments": [], "decisions": []}
    due_on = to_day(datetime(2024, 1, 5, tzinfo=UTC).date())
    for number, (offer, day, amount) in enumerate(CASES.values()):
        name = f"a{number}"
        rows["accounts"].append({"account_id": name})
        debt = {"debt_id": f"{name}-1", "account_id": name, "amount": 10_000, "due_on": due_on}
        rows["debts"].append({**debt, "occurred_at": NOON - 20 * US_PER_DAY})
        sms = {"channel": "sms", "offer": offer, "moment": "morning", "action_prob": 0.5}
        rows["decisions"].append({"account_id": name, "decided_at": NOON, **sms})
        paid = {"account_id": name, "debt_id": f"{name}-1", "amount": amount}
        rows["payments"].append({**paid, "occurred_at": NOON + day * US_PER_DAY})
    encoded = encode(tables_of(**rows), attributes={})
    return response_log.response_log(
        encoded, fit_schema(encoded, attributes={}), TrainingConfig(), catalogue=CATALOGUE,
        money=labels.receipts(encoded), horizon=Horizon(NOON + days * US_PER_DAY, 3), value_days=180,
    )  # fmt: skip


@pytest.fixture
def few_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_log, "_MATURE_PAYERS", 1)


@pytest.mark.usefixtures("few_will_do")
def test_payers_teach_the_share_of_the_offer_and_the_others_the_late_share_of_all_that_is_due(
    tables_of: Callable[..., Tables],
) -> None:
    log = _log(tables_of)
    assert log.share_days == 180
    assert log.paid.tolist() == [1, 1, 0, 0, 0]
    np.testing.assert_allclose(log.share, [0.6, 1.0, np.nan, np.nan, np.nan], rtol=0.01)
    np.testing.assert_allclose(log.late, [np.nan, np.nan, 0.6, 1.0, 0.0], rtol=0.01)


def test_a_log_too_short_for_more_than_the_labels_horizon_knows_of_no_late_money(
    tables_of: Callable[..., Tables],
) -> None:
    log = _log(tables_of)
    assert log.share_days == 30
    assert np.nansum(log.late) == 0.0
