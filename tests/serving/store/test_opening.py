from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from domain.errors import ConfigError, StoreError
from serving.store.opening import database_url, open_database, reading, sqlite_url, writing
from serving.store.schema import METADATA


def test_the_migrations_lead_to_the_tables_of_the_schema(engine: Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "acerto_schema"})
        assert compare_metadata(context, METADATA) == []


def test_every_table_but_that_of_the_migrations_names_a_tenant(engine: Engine) -> None:
    found = inspect(engine)
    tables = set(found.get_table_names()) - {"acerto_schema"}
    assert tables == {table for table in tables if "tenant" in {c["name"] for c in found.get_columns(table)}}
    assert tables == set(METADATA.tables)


def test_several_that_open_an_empty_database_at_once_migrate_it_once(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(open_database, [url] * 4))
    with reading(engines[0]) as connection:
        assert connection.execute(text("SELECT count(*) FROM acerto_schema")).scalar() == 1
    for engine in engines:
        engine.dispose()


def test_a_store_of_a_later_version_is_refused_and_left_as_it_is(url: str) -> None:
    engine = open_database(url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE acerto_schema SET version_num = 'v9999'"))
    with pytest.raises(StoreError, match="later version"):
        open_database(url)
    with reading(engine) as connection:
        assert connection.execute(text("SELECT version_num FROM acerto_schema")).scalar() == "v9999"
    engine.dispose()


def test_every_commit_is_synced(engine: Engine) -> None:
    with writing(engine) as connection:
        if engine.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        else:
            assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"


def test_who_writes_may_look_first_and_write_then(engine: Engine) -> None:
    def count_up(_: int) -> None:
        with writing(engine) as connection:
            seen = connection.execute(text("SELECT count(*) FROM given_tables")).scalar()
            connection.execute(text(f"INSERT INTO given_tables VALUES ('t', '{seen}', 0)"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_up, range(40)))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM given_tables")).scalar() == 40


def test_the_store_is_a_file_beside_the_registry_unless_a_url_says_otherwise() -> None:
    assert database_url({}) == "sqlite:///mlruns/acerto.db"
    assert database_url({"ACERTO_MLRUNS": "elsewhere"}) == "sqlite:///elsewhere/acerto.db"
    assert database_url({"ACERTO_DATABASE_URL": "postgresql://db/acerto"}) == "postgresql://db/acerto"


@pytest.mark.parametrize("bad", ["", "no url", "mysql://root:secret@db/acerto", "sqlite://", "sqlite:///:memory:"])
def test_another_kind_of_database_is_refused_without_repeating_its_address(bad: str) -> None:
    with pytest.raises(ConfigError, match="ACERTO_DATABASE_URL") as refused:
        open_database(bad)
    assert "secret" not in str(refused.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="folder"):
        open_database(sqlite_url(tmp_path / "new" / "acerto.db"))


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "acerto.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="cannot be opened"):
        open_database(sqlite_url(tmp_path / "acerto.db"))
