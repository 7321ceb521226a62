from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from simulation.world import simulate

ACCOUNTS = 700


@dataclass(frozen=True)
class Simulated:
    folder: Path

    def rows(self, query: str) -> list[tuple]:
        """Rows of a query in which ``@name`` stands for a table."""
        words = [
            f"read_parquet('{self.folder}/{word[1:]}.parquet')" if word.startswith("@") else word
            for word in query.split()
        ]
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(" ".join(words)).fetchall()

    def one(self, query: str) -> tuple:
        return self.rows(query)[0]


@pytest.fixture(scope="session")
def catalogue() -> ActionCatalogue:
    return ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))


@pytest.fixture(scope="session")
def world(tmp_path_factory, catalogue) -> Simulated:
    folder = tmp_path_factory.mktemp("world")
    simulate(accounts=ACCOUNTS, seed=7, out=folder, catalogue=catalogue)
    return Simulated(folder)
