"""Opening a database: SQLite or PostgreSQL by URL, durable at every commit, brought to this version's tables.

Both have one writer at a time: SQLite by its own lock, PostgreSQL by an advisory one that ends with the transaction. So
whoever writes may look first and write then, the entries of the chain follow each other, and a step of a migration is
never made twice.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from domain.errors import ConfigError, StoreError
from serving.settings import registry_of

FILE = "acerto.db"
_WAIT_S = 10
_LOCK = 0x61636572746F
"""The advisory lock of the writers on PostgreSQL: "acerto" in ASCII."""
_WRITES = "acerto_writes"


def database_url(environ: Mapping[str, str]) -> str:
    """Where the store is: ``ACERTO_DATABASE_URL``, else a file in the registry's folder."""
    named = environ.get("ACERTO_DATABASE_URL")
    return named or sqlite_url(registry_of(environ) / FILE)


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return str(URL.create("sqlite", database=str(path)))


def open_database(url: str) -> Engine:
    """A database at this version's tables; a SQLite file and its folder are made where they are not there.

    Raises
    ------
    ConfigError : the URL names no database that is known here
    StoreError : the database cannot be reached or written, or is of a later version
    """
    place = _checked(url)
    engine = _sqlite(place) if place.get_backend_name() == "sqlite" else _postgresql(place)
    try:
        if place.database and engine.dialect.name == "sqlite":
            _make_file(engine, Path(place.database))
        with writing(engine) as connection:
            _migrate(connection)
    except (SQLAlchemyError, OSError, StoreError) as error:
        engine.dispose()
        if isinstance(error, StoreError):
            raise
        raise StoreError(
            f"the store cannot be opened ({type(error).__name__}); see that the database of ACERTO_DATABASE_URL runs, "
            "or that the folder of its file can be written"
        ) from error
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction of the one writer there is; durable once it has ended without an error."""
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the database, and waits for nobody."""
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def _checked(url: str) -> URL:
    needed = "needed sqlite:///FOLDER/acerto.db or postgresql://USER@HOST/DATABASE in ACERTO_DATABASE_URL"
    try:
        place = make_url(url)
    except ArgumentError as error:
        raise ConfigError(f"found a database URL that cannot be read, {needed}") from error
    kind = place.get_backend_name()
    if kind == "postgresql":
        return place.set(drivername="postgresql+psycopg")
    if kind != "sqlite" or place.database in (None, "", ":memory:"):
        raise ConfigError(f"found a database URL of the kind {kind!r}, {needed}")
    return place


def _sqlite(place: URL) -> Engine:
    engine = create_engine(place, hide_parameters=True, connect_args={"timeout": _WAIT_S})

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        # The driver would begin transactions by itself, and only when something is written.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _make_file(engine: Engine, path: Path) -> None:
    """The file and its folder, where they are not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(path.parent, os.O_RDONLY)
    try:
        # A new file is given its write-ahead log by one at a time: SQLite does not wait there, it fails at once.
        fcntl.flock(opened, fcntl.LOCK_EX)
        with engine.connect():
            pass
        # A new file is not there after a power cut unless its folder was written, too.
        os.fsync(opened)
    finally:
        os.close(opened)


def _postgresql(place: URL) -> Engine:
    # A database may have been set to answer a commit before it is on its disk.
    return create_engine(
        place,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's message would hold the row
        connect_args={"connect_timeout": _WAIT_S, "options": "-c synchronous_commit=on"},
    )


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "serving.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            "found a store that a later version of this service has changed, needed one of this version or an earlier "
            "one; serve with the later version"
        ) from error
