"""A database of each kind: a SQLite file, and a PostgreSQL server of the tests where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from moving_clock import MovingClock
from sqlalchemy import Engine

from serving.app import create_app
from serving.engine import Engine as DecisionEngine
from serving.engine import load_engine
from serving.settings import Settings
from serving.store.opening import open_database, sqlite_url
from serving.store.store import Store

CONFIGS = Path(__file__).parents[3] / "configs"
SERVER_USER = "postgres"


def _programs() -> Path | None:
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").is_file()), None)


def _as_server(command: list[str]) -> None:
    """PostgreSQL refuses to run as root: then as the user that its package made."""
    prefix = ["setpriv", f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--init-groups"]
    subprocess.run([*(prefix if os.geteuid() == 0 else []), *command], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server on a socket, without its database: durable settings are as they come."""
    programs = _programs()
    if programs is None:
        pytest.skip("no programs of a PostgreSQL server on this machine")
    # A path of a socket may have a hundred characters or so, which pytest's own folders may pass.
    folder = Path(tempfile.mkdtemp(prefix="acerto-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_USER, SERVER_USER)
    data = folder / "data"
    try:
        setup = ["--auth=trust", f"--username={SERVER_USER}", "--encoding=UTF8", "--no-locale"]
        _as_server([str(programs / "initdb"), "-D", str(data), *setup])
        options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
        log = str(folder / "log")
        _as_server([str(programs / "pg_ctl"), "-D", str(data), "-l", log, "-w", "-o", options, "start"])
        try:
            yield f"postgresql://{SERVER_USER}@/{{}}?host={folder}"
        finally:
            _as_server([str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "acerto.db")
    server: str = request.getfixturevalue("postgresql")
    name = f"acerto_{uuid.uuid4().hex}"
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.format(name)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An open database."""
    found = open_database(url)
    yield found
    found.dispose()


@pytest.fixture(scope="session")
def engine_of_bundle(bundle: Path) -> DecisionEngine:
    """The decision engine over the small bundle; ``engine`` is a database here."""
    return load_engine(Settings(bundle=bundle, configs=CONFIGS))


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def clocked(engine: Engine, clock: MovingClock) -> Iterator[Store]:
    """A store on a database of each kind whose time the test sets forward."""
    found = Store(engine, now=clock)
    yield found
    found.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store.open(sqlite_url(tmp_path / "acerto.db"))
    yield found
    found.close()


@pytest.fixture
def kept(serve: Any, schemas: Any, engine_of_bundle: Any, store: Store) -> Iterator[Any]:
    """The service over the small bundle, with a store."""
    with serve(create_app(schemas, load=lambda: engine_of_bundle, open_store=lambda: store)) as client:
        yield client.wait_until_ready()
