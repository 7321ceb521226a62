from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from paired_files import told

from decisioning.integrity import canonical_hash, canonical_json, manifest_of, read_files, seal_of, write_files
from serving.access import keyring
from serving.access.tokens import new_key
from serving.app import create_app
from serving.pages.routes import Places
from serving.store import Store
from serving.store.opening import sqlite_url

METRICS = {"30": {"metrics": {"auc": {"value": 0.8, "low": 0.78, "high": 0.82}}}}


@pytest.fixture
def shelf(tmp_path: Path, bundle: Path) -> Path:
    """A registry whose champion is version 7, and whose challenger, 8, was trained with other settings."""
    root = tmp_path / "registry"
    (root / "aliases").mkdir(parents=True)
    _, files = read_files(bundle)
    for version, alias, seed in (("7", "champion", 1), ("8", "challenger", 2)):
        settings = canonical_json({"label": {"horizon_days": 30}, "training": {"seed": seed}})
        own = {**files, "settings.json": settings}
        own["evaluation/evaluation.json"] = canonical_json({"horizons": METRICS})
        identity = {
            "version": version,
            "trained_at": f"2026-03-0{version}T00:00:00Z",
            "model_hash": canonical_hash(own),
        }
        folder = root / "bundles" / version
        write_files(folder, own, identity=identity)
        pointer = {"version": version, "bundle": f"bundles/{version}", "seal": seal_of(manifest_of(folder))}
        (root / "aliases" / f"{alias}.json").write_text(json.dumps(pointer))
    return root


@pytest.fixture
def measured(shelf: Path) -> Path:
    """The registry, whose challenger was measured beside its champion."""
    champion, before = (manifest_of(shelf / "bundles" / version) for version in ("7", "8"))
    _, files = read_files(shelf / "bundles" / "8")
    files["evaluation/paired.json"] = json.dumps(told(champion["model_hash"])).encode()
    folder = shelf / "bundles" / "8b"
    write_files(folder, files, identity={name: before[name] for name in ("version", "trained_at", "model_hash")})
    pointer = {"version": "8", "bundle": "bundles/8b", "seal": seal_of(manifest_of(folder))}
    (shelf / "aliases" / "challenger.json").write_text(json.dumps(pointer))
    return shelf


@pytest.fixture
def site(
    serve: Any, schemas: Any, engine: Any, store: Store, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """The service with keys, over the store of the test; keys are read again for every request."""
    monkeypatch.setattr(keyring, "FRESH_S", 0.0)
    url = sqlite_url(tmp_path / "acerto.db")
    places = Places(tmp_path / "reports", shelf, tmp_path / "shadow")
    app = create_app(schemas, load=lambda: engine, open_store=lambda: Store.open(url), places=places, keys=True)
    with serve(app) as client:
        yield client.wait_until_ready()


class Reader:
    """Somebody with a key, who reads pages and sends their forms."""

    def __init__(self, site: Any, store: Store, *scopes: Any, tenant: str = "default") -> None:
        self.token, self.key = new_key(tenant, frozenset(scopes), now=datetime.now(UTC))
        store.add_key(self.key)
        self._site, self.head = site, {"authorization": f"Bearer {self.token}"}

    def get(self, path: str, **options: Any) -> Any:
        return self._site.get(path, headers=self.head, **options)

    def post(self, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Any:
        return self._site.post(path, headers={**self.head, **(headers or {})}, **options)

    def decide(self, body: Any) -> dict[str, Any]:
        """The first decision of a request."""
        found: dict[str, Any] = self.post("/v1/decisions", json=body).json()["decisions"][0]
        return found


@pytest.fixture
def reader(site: Any, store: Store) -> Any:
    """Makes somebody with a key of some scopes."""
    return lambda *scopes, tenant="default": Reader(site, store, *scopes, tenant=tenant)
