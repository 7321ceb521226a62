"""The BentoML service that carries the app (``bentoml serve serving.service:AcertoService``), and all of BentoML here.

BentoML brings processes, sockets and their supervision. Every HTTP path is the app's: the framework's own routes would
answer in other shapes, and its own limits with other errors.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import bentoml

from domain.config import load_section
from features.config import FeaturesConfig
from serving import metrics
from serving.app import create_app
from serving.archive import Archive
from serving.brain import Brain
from serving.drain import Drain
from serving.front_door import FrontDoor
from serving.logs import configure_libraries, configure_logs
from serving.pages.routes import Places
from serving.schemas import Schemas, build_schemas
from serving.settings import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    is_insecure,
    read_drain_s,
    read_limits,
    read_settings,
    read_shadow,
    registry_of,
)
from serving.shadow import Shadow, shadow_of
from serving.store import Store, database_url
from serving.store.config import load_service_config
from serving.swapping import Champion
from serving.tallies import Tallies
from serving.warmup import warm_up

if TYPE_CHECKING:
    from decisioning.bundle import ModelBundle

_HOUR_S = 3600


def _configs() -> Path:
    return Path(os.environ.get("ACERTO_CONFIGS", "configs"))


def _load() -> Brain:
    # Only the worker needs the engine; the process that watches over it starts without.
    from serving.engine import load_engine  # noqa: PLC0415

    return load_engine(read_settings(os.environ), observe=metrics.observe_unknown_codes, tallies=_tallies)


def _open_store() -> Store:
    return Store.open(database_url(os.environ), config=load_service_config(_configs()))


def _read(folder: Path, *, seal: str | None) -> ModelBundle:
    from serving.loading import verified_bundle  # noqa: PLC0415

    return verified_bundle(folder, seal=seal)


def _champion(schemas: Schemas) -> Champion | None:
    """What the worker follows; nothing where a bundle was named."""
    if os.environ.get("ACERTO_BUNDLE"):
        return None
    return Champion(registry_of(os.environ), warm=lambda brain: warm_up(brain, schemas), read=_read)


def _shadow() -> Shadow | None:
    shadowed, folder = read_shadow(os.environ)
    return shadow_of(os.environ, registry=registry_of(os.environ), log_folder=folder) if shadowed else None


def _places() -> Places:
    found = os.environ.get("ACERTO_REPORTS")
    return Places(
        reports=Path(found) if found else None, registry=registry_of(os.environ), shadow_log=read_shadow(os.environ)[1]
    )


configure_logs()
configure_libraries()
_tallies = Tallies()
_schemas = build_schemas(load_section(_configs() / "features.yaml", FeaturesConfig).attributes)
app = create_app(
    _schemas,
    load=_load,
    tallies=_tallies,
    open_store=_open_store,
    keys=not is_insecure(os.environ),
    limits=read_limits(os.environ),
    champion=_champion(_schemas),
    shadow=_shadow(),
    archive=Archive(registry_of(os.environ), read=_read),
    drain=Drain(read_drain_s(os.environ)),
    places=_places(),
    docs_assets=Path(bentoml.__file__).parent / "_internal" / "server" / "static_content",
)


@bentoml.asgi_app(app, path="/")
@bentoml.service(
    name="acerto",
    workers=1,
    traffic={"timeout": _HOUR_S},
    http={"host": DEFAULT_HOST, "port": DEFAULT_PORT},
    # Each would name the path as the client wrote it; serving/metrics.py and serving/envelope.py do not.
    metrics={"enabled": False, "namespace": "bentoml_service"},
    logging={"access": {"enabled": False}},
    tracing={"sample_rate": 0.0, "excluded_urls": ".*"},
)
class AcertoService:
    """Scores and decisions over HTTP; the routes are in ``serving/app.py``."""


AcertoService.add_asgi_middleware(FrontDoor, target=app)  # type: ignore[attr-defined]  # the decorator makes a Service
