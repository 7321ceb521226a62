from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from decisioning.bundle import BundleParts, ModelBundle, write_bundle
from decisioning.calibration import Calibrator
from decisioning.candidates import candidate_names, rows_for
from decisioning.desk import Desk, load_desk
from decisioning.models import PaymentModel
from decisioning.response import HEADS, Head, HurdleModel
from domain.clock import MISSING, US_PER_DAY, to_us
from domain.coded import coded
from domain.tables import TABLES, Tables
from features.encoding import Encoded, encode
from features.schema import FeatureSchema
from features.spine import Spine
from features.state import AccountStates

CONFIGS = Path(__file__).parents[2] / "configs"
NOON = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
"""A Monday, half past nine in São Paulo."""
NAMES = (
    "days_past_due", "balance_cents", "overdue_cents", "payments_count_90d", "payments_count_365d",
    "promises_broken_count", "contacts_sms_count_30d", "contacts_sms_recency", "contacts_whatsapp_count_30d",
    "contacts_whatsapp_count_365d", "responses_whatsapp_count_365d", "response_rate_whatsapp_365d", "product",
)  # fmt: skip
PARAMS: dict[str, Any] = {
    "num_leaves": 15, "max_depth": 6, "num_threads": 1, "verbose": -1, "seed": 7, "deterministic": True,
    "min_data_in_leaf": 5, "min_data_per_group": 5, "force_row_wise": True,
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """A schema, boosters learned from noise with a signal in it, and rows to ask them about."""

    schema: FeatureSchema
    values: np.ndarray
    payment: PaymentModel
    response: HurdleModel
    desk: Desk


@pytest.fixture(scope="session")
def desk() -> Desk:
    return load_desk(CONFIGS)


@pytest.fixture(scope="session")
def world(desk: Desk) -> World:
    rng = np.random.default_rng(5)
    schema = FeatureSchema(NAMES, {"product": ("card", "loan", "energy")}, {})
    values = rng.normal(size=(900, len(NAMES)))
    values[:, -1] = rng.integers(0, 3, size=900)
    values[rng.random(values.shape) < 0.1] = np.nan
    score = np.nan_to_num(values[:, 0]) + (values[:, -1] == 1)
    boosters, calibrators = {}, {}
    for days, shift in ((7, -2.0), (30, -1.0), (60, -0.6), (90, -0.5)):
        paid = rng.random(900) < 1 / (1 + np.exp(-score - shift))
        boosters[days] = train(values, paid, "binary")
        calibrators[days] = Calibrator.platt(0.9, 0.1)
    calibrators[30] = Calibrator.isotonic([-4.0, -1.0, 0.0, 2.0], [0.01, 0.2, 0.2, 0.9])
    payment = PaymentModel((7, 30, 60, 90), 30, boosters, calibrators)
    return World(schema, values, payment, hurdle(values, schema, desk, rng), desk)


def train(rows: np.ndarray, label: np.ndarray, objective: str) -> Any:
    data = lgb.Dataset(rows, label.astype(float), categorical_feature=[len(NAMES) - 1], params=PARAMS)
    booster = lgb.train({**PARAMS, "objective": objective}, data, num_boost_round=12)
    # What is served is always read back from text.
    return lgb.Booster(model_str=booster.model_to_string())


def hurdle(values: np.ndarray, schema: FeatureSchema, desk: Desk, rng: np.random.Generator) -> HurdleModel:
    actions = desk.catalogue.actions
    names = candidate_names(schema, actions)
    index = rng.integers(0, len(actions), size=len(values))
    rows = rows_for(values, schema, actions, index, names=names)
    good = np.nan_to_num(values[:, 0]) + np.array([action.discount_pct / 20 for action in actions])[index]
    pays = rng.random(len(values)) < 1 / (1 + np.exp(-good))
    heads = {"pay": Head(train(rows, pays, "binary"), Calibrator.platt(1.0, 0.0))}
    heads["share"] = Head(train(rows, np.clip(good, 0, 1), "cross_entropy"), Calibrator.platt(1.0, 0.0))
    heads["late"] = Head(train(rows, np.clip(good / 4, 0, 1), "cross_entropy"), Calibrator.platt(1.0, 0.0))
    heads["complaint"] = Head(train(rows, rng.random(len(values)) < 0.05, "binary"), Calibrator.platt(1.0, -1.0))
    heads["opt_out"] = Head(constant=0.01)
    assert set(heads) == set(HEADS)
    return HurdleModel(heads, names)


@pytest.fixture(scope="session")
def parts(world: World) -> BundleParts:
    return BundleParts(
        version="3", trained_at="2026-03-01T00:00:00Z", schema=world.schema, payment=world.payment,
        response=world.response, settings={"label": {"horizon_days": 30}}, golden_values=world.values[:5],
        golden_actions=world.desk.catalogue.actions[:4], evaluation={"metrics.json": b"{}"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def bundle(parts: BundleParts, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    return write_bundle(tmp_path_factory.mktemp("served") / "3", parts)


@pytest.fixture(scope="session")
def portfolio() -> Callable[[int], Tables]:
    return _portfolio


@pytest.fixture(scope="session")
def encoded() -> Encoded:
    return encode(_portfolio(60), attributes={})


@pytest.fixture
def states(desk: Desk) -> Callable[..., AccountStates]:
    """States of n accounts in São Paulo that owe 1,000.00, 40 days past due, with every consent, unless told else."""

    def make(
        n: int = 1, *, as_of: datetime = NOON, contacts: list[list[tuple[int, str]]] | None = None, **columns: Any
    ):
        as_of_us = to_us(as_of)
        channels = desk.catalogue.channels
        rows = contacts or [[] for _ in range(n)]
        flat = [contact for row in rows for contact in sorted(row)]
        given: dict[str, Any] = {
            "balance_cents": [100_000] * n, "overdue_cents": [100_000] * n, "principal_cents": [100_000] * n,
            "charges_cents": [0] * n, "credit_cents": [0] * n, "days_past_due": [40] * n, "holds": [0] * n,
            "local_day": [(as_of_us - 3 * US_PER_DAY // 24) // US_PER_DAY] * n,
        }  # fmt: skip
        given |= {name: columns.pop(name) for name in list(columns) if name in given}
        return AccountStates(
            spine=Spine(np.arange(n, dtype=np.int32), np.full(n, as_of_us, dtype=np.int64)),
            open_offsets=np.arange(n + 1), open_debt=np.arange(n), open_cents=np.full(n, 100_000),
            debt_names=np.array([f"d{row}" for row in range(n)], dtype=object),
            active_promise=np.array(columns.pop("active_promise", [False] * n)),
            consent=np.array(columns.pop("consent", [[1] * len(channels)] * n), dtype=np.int8),
            zone=np.array(columns.pop("zone", [0] * n), dtype=np.int32), zone_names=("America/Sao_Paulo", "UTC"),
            contact_offsets=np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64),
            contact_at_us=np.array([at for at, _ in flat], dtype=np.int64),
            contact_channel=np.array([channels.index(channel) for _, channel in flat], dtype=np.int32),
            **{name: np.array(column, dtype=np.int64) for name, column in given.items()}, **columns,
        )  # fmt: skip

    return make


def tables(**rows: list[dict[str, Any]]) -> Tables:
    """Canonical tables from rows of plain values: texts, cents, days, and aware datetimes for moments."""
    columns: dict[str, Any] = {}
    for table, given in rows.items():
        columns[table] = {}
        for column in TABLES[table].columns:
            values = [row.get(column.name) for row in given]
            if column.name == "recorded_at" and table != "accounts":
                values = [row.get("recorded_at", row.get("occurred_at")) for row in given]
            columns[table][column.name] = _column(column.kind, values)
    return Tables(columns)


def _column(kind: str, values: list[Any]) -> Any:
    if kind in {"id", "text", "code", "list"}:
        return coded(values)
    if kind in {"number", "cost"}:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    plain = [to_us(value) if isinstance(value, datetime) else value for value in values]
    return np.array([MISSING if value is None else value for value in plain], dtype=np.int64)


def _portfolio(n: int, *, seed: int = 3) -> Tables:
    """Accounts with two debts each, some paid, contacted, consenting or on hold; a few owe nothing."""
    rng = np.random.default_rng(seed)
    issued, today = NOON - timedelta(days=200), to_us(NOON) // US_PER_DAY
    names = [f"a{row:05d}" for row in range(n)]
    regions = rng.choice(["BR-SP", "BR-AM", "BR-AC", "XX-1"], size=n, p=[0.7, 0.15, 0.1, 0.05])
    return tables(
        accounts=[
            {"account_id": name, "debtor_id": f"p{row // 2}", "region": str(regions[row]), "product": "loan"}
            for row, name in enumerate(names)
        ],
        debts=[
            {"debt_id": f"{name}-{part}", "account_id": name, "amount": int(rng.integers(5_000, 500_000)),
             "due_on": int(today - rng.integers(-20, 150)), "occurred_at": issued, "penalty_pct": 2.0,
             "monthly_interest_pct": 1.0}
            for name in names for part in range(2)
        ],
        payments=[
            {"payment_id": f"y{row}", "account_id": names[row],
             "occurred_at": NOON - timedelta(days=int(rng.integers(1, 90))), "amount": 10**8 if row % 7 == 0 else 2_000}
            for row in range(0, n, 3)
        ],
        contacts=[
            {"contact_id": f"c{row}", "account_id": names[row], "channel": str(rng.choice(["sms", "whatsapp"])),
             "occurred_at": NOON - timedelta(hours=int(rng.integers(1, 400)))}
            for row in rng.integers(0, n, size=2 * n).tolist()
        ],
        responses=[],
        promises=[],
        consents=[
            {"consent_id": f"s{row}", "account_id": names[row], "channel": "whatsapp", "status": "granted",
             "occurred_at": issued}
            for row in range(0, n, 2)
        ],
        holds=[
            {"hold_id": f"h{row}", "account_id": names[row], "kind": "dispute", "scope": "account",
             "occurred_at": NOON - timedelta(days=3)}
            for row in range(5, n, 20)
        ],
    )  # fmt: skip
