from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import lightgbm as lgb
import numpy as np
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from decisioning.bundle import BundleParts, ModelBundle, check_golden, read_bundle, write_bundle
from decisioning.calibration import Calibrator
from decisioning.models import PaymentModel
from domain.config import load_section
from features.catalogue import CATALOGUE
from features.config import FeaturesConfig
from features.schema import FeatureSchema
from serving.app import create_app
from serving.engine import Engine, load_engine
from serving.ledgers import Batch
from serving.logs import configure_logs
from serving.metrics import observe_unknown_codes
from serving.schemas import Schemas, build_schemas
from serving.settings import Settings
from serving.store import Store
from serving.store.opening import sqlite_url

CONFIGS = Path(__file__).parents[2] / "configs"
NAMES = (
    "days_past_due", "balance_cents", "overdue_cents", "payments_count_365d", "contacts_sms_count_30d", "income",
    "employment",
)  # fmt: skip
AS_OF = "2026-03-02T12:00:00Z"

Make = Callable[..., dict[str, Any]]


class FakeBrain:
    """Answers at once, so that a test is about the service and nothing else."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def scores(self, batch: Batch, *, as_of: Any) -> list[dict[str, Any]]:
        self.batches.append(batch)
        return [{"account_id": account_id, "as_of": str(as_of)} for account_id in batch.account_ids]

    def decisions(
        self, batch: Batch, *, as_of: Any, explain: str, locale: str, commit: bool, **_: Any
    ) -> list[dict[str, Any]]:
        self.batches.append(batch)
        asked = {"action": "wait/none/any", "as_of": str(as_of), "explain": explain, "locale": locale, "commit": commit}
        return [{"account_id": account_id, **asked} for account_id in batch.account_ids]

    def model(self) -> dict[str, Any]:
        return {"model_version": "fake"}


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    configure_logs()


def read_here(folder: Path, *, seal: str | None = None) -> ModelBundle:
    found = read_bundle(folder)
    check_golden(found)
    return found


@pytest.fixture(scope="session", autouse=True)
def _no_child() -> Iterator[None]:
    """Each load would start a process of several seconds; test_loading.py and the real service have them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.engine.verified_bundle", read_here)
        yield


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    return build_schemas(load_section(CONFIGS / "features.yaml", FeaturesConfig).attributes)


def write_small(folder: Path, *, version: str, seed: int = 3) -> Path:
    """Four small boosters that learned from noise with a signal in it; no response model."""
    rng = np.random.default_rng(seed)
    attributes = load_section(CONFIGS / "features.yaml", FeaturesConfig).attributes
    assert {"days_past_due", "balance_cents"} <= {feature.name for feature in CATALOGUE}
    schema = FeatureSchema(NAMES, {"employment": ("formal", "none")}, attributes)
    values = rng.normal(size=(600, len(NAMES))) * 100
    values[:, -1] = rng.integers(0, 2, size=600)
    params = {"objective": "binary", "num_leaves": 7, "num_threads": 1, "verbose": -1, "seed": 1, "deterministic": True}
    boosters = {}
    for days in (7, 30, 60, 90):
        paid = rng.random(600) < 1 / (1 + np.exp(values[:, 0] / 50 + 2 - days / 60))
        data = lgb.Dataset(
            values, paid.astype(float), feature_name=list(NAMES), categorical_feature=[len(NAMES) - 1], params=params
        )
        boosters[days] = lgb.train(params, data, num_boost_round=10)
    calibrators = {days: Calibrator.platt(1.0, 0.0) for days in boosters}
    parts = BundleParts(
        version=version, trained_at="2026-03-01T00:00:00Z", schema=schema,
        payment=PaymentModel((7, 30, 60, 90), 30, boosters, calibrators), response=None,
        settings={"label": {"horizon_days": 30}}, golden_values=values[:5],
    )  # fmt: skip
    write_bundle(folder, parts)
    return folder


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small(tmp_path_factory.mktemp("bundles") / "7", version="7")


@pytest.fixture(scope="session")
def next_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another model than ``bundle``."""
    return write_small(tmp_path_factory.mktemp("bundles") / "8", version="8", seed=4)


@pytest.fixture(scope="session")
def engine(bundle: Path) -> Engine:
    return load_engine(Settings(bundle=bundle, configs=CONFIGS), observe=observe_unknown_codes)


class Client:
    """The app in this process, started and stopped as a server would, asked one request at a time."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        self._portal = portal
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._portal.call(partial(self._http.request, method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def wait_until_ready(self) -> Client:
        for _ in range(12_000):  # where nothing is compiled yet, that is done first
            if self.get("/readyz").status_code == 200:
                return self
            time.sleep(0.01)
        raise AssertionError(f"never ready: {self.get('/readyz').text}")


@contextlib.contextmanager
def started(app: FastAPI) -> Iterator[Client]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        yield Client(app, portal)


@pytest.fixture(scope="session")
def serve() -> Callable[..., contextlib.AbstractContextManager[Client]]:
    """Starts an app for as long as a with block lasts."""
    return started


@pytest.fixture(scope="session")
def client(schemas: Schemas, engine: Engine) -> Iterator[Client]:
    """The service over the small bundle."""
    with started(create_app(schemas, load=lambda: engine)) as found:
        yield found.wait_until_ready()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in a file."""
    found = Store.open(sqlite_url(tmp_path / "acerto.db"))
    yield found
    found.close()


@pytest.fixture
def brain() -> FakeBrain:
    return FakeBrain()


@pytest.fixture
def light(schemas: Schemas, brain: FakeBrain) -> Iterator[Client]:
    """The service over a brain that answers at once."""
    with started(create_app(schemas, load=lambda: brain)) as found:
        found.wait_until_ready()
        brain.batches.clear()
        yield found


@pytest.fixture
def ledger() -> Make:
    """One account in São Paulo that owes 1,500.00 since January; keys overridable."""

    def make(account_id: str = "a1", **parts: Any) -> dict[str, Any]:
        whole: dict[str, Any] = {
            "account_id": account_id,
            "account": {"region": "BR-SP", "opened_at": "2024-05-01T00:00:00Z", "income": 3000, "employment": "formal"},
            "debts": [{"debt_id": "d1", "amount": 1500.00, "due_on": "2026-01-10"}],
            "debt_events": [], "payments": [], "contacts": [], "responses": [], "promises": [], "consents": [],
            "holds": [], "debtor_contacts": [],
        }  # fmt: skip
        return copy.deepcopy({**whole, **parts})

    return make


@pytest.fixture
def ask(ledger: Make) -> Make:
    """A request about accounts, by default the one of ``ledger``."""

    def make(*accounts: dict[str, Any], **keys: Any) -> dict[str, Any]:
        return {"as_of": AS_OF, "accounts": list(accounts) or [ledger()], **keys}

    return make
