from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from canonical_files import write_files
from typer.testing import CliRunner

from cli.main import app
from domain.clock import US_PER_DAY, parse_moment, to_day, to_us
from domain.errors import NotEnoughDataError

RUN = CliRunner()
NOON_AT = parse_moment("2024-01-15T12:00:00Z")
NOON = to_us(NOON_AT)


def rows(arms: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    """Forty debtors in each arm, owing 1,000.00, of whom three in four pay 500.00, and one in four of the last arm."""
    found: dict[str, list[dict[str, Any]]] = {"accounts": [], "debts": [], "decisions": [], "payments": []}
    for number in range(40 * len(arms)):
        name, arm = f"a{number:04d}", arms[number % len(arms)]
        turn = number // len(arms) % 4
        own = {"account_id": name, "recorded_at": NOON - 20 * US_PER_DAY}
        found["accounts"].append({**own, "debtor_id": name, "opened_at": NOON - 20 * US_PER_DAY, "region": "BR-SP"})
        debt = {"debt_id": f"{name}-1", "amount": 100_000, "due_on": to_day(NOON_AT.date()) - 10}
        found["debts"].append({**own, **debt, "occurred_at": NOON - 20 * US_PER_DAY})
        found["decisions"].append(
            {
                "decision_id": f"x{name}", "account_id": name, "decided_at": NOON, "recorded_at": NOON, "arm": arm,
                "channel": "sms", "offer": "none", "moment": "morning", "action_prob": 1.0,
            }
        )  # fmt: skip
        if turn < (3 if arm != arms[-1] else 1):
            at = NOON + 10 * US_PER_DAY
            paid = {"payment_id": f"p{name}", "debt_id": f"{name}-1", "amount": 50_000, "occurred_at": at}
            found["payments"].append({**own, **paid, "recorded_at": at})
    last = {**found["payments"][0], "payment_id": "last", "occurred_at": NOON + 120 * US_PER_DAY}
    found["payments"].append({**last, "recorded_at": NOON + 120 * US_PER_DAY})
    return found


def test_the_uplift_of_each_control_is_told_with_its_verdict(tmp_path: Path) -> None:
    data = write_files(tmp_path / "data", rows(("policy", "random", "holdout")))
    found = RUN.invoke(app, ["arms", "--data", str(data), "--days", "60", "--json"], catch_exceptions=False)
    assert found.exit_code == 0
    lifts = {one["than"]: one for one in json.loads(found.stdout)["lifts"]}
    # Three in four pay 500.00 against one in four: 250.00 more, but for a discount of some days.
    assert lifts["holdout"]["uplift"]["value"] == pytest.approx(250.0, rel=0.01)
    assert (lifts["holdout"]["verdict"], lifts["random"]["verdict"]) == ("better", "not_established")


def test_people_read_a_table(tmp_path: Path) -> None:
    data = write_files(tmp_path / "data", rows(("policy", "holdout")))
    found = RUN.invoke(app, ["arms", "--data", str(data)], catch_exceptions=False)
    assert "the policy less each control" in found.stdout
    assert "better" in found.stdout


def test_a_log_of_one_arm_is_refused_with_the_way_out(tmp_path: Path) -> None:
    data = write_files(tmp_path / "data", rows(("policy",)))
    with pytest.raises(NotEnoughDataError, match="set `arms:` in decision"):
        RUN.invoke(app, ["arms", "--data", str(data)], catch_exceptions=False)
