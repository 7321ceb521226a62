"""What requests are measured on: a model and accounts of a simulated portfolio, made once by the project's commands."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench_online import sizes

from cli.ledger import ledger_json
from cli.tables import read
from decisioning.bundle import read_bundle
from domain.clock import rfc3339, to_us
from domain.tables import Tables
from serving.pointer import CHAMPION, read_target
from simulation.assumptions import END

ROOT = Path(__file__).resolve().parents[1]
_COMMAND = (sys.executable, "-c", "from cli.main import main; main()")
_NEAR = 400


@dataclass(frozen=True)
class World:
    """``registry`` with a champion, and ledgers of accounts as a platform would send them, by about how many events."""

    registry: Path
    configs: Path
    tables: Tables

    @property
    def bundle(self) -> Path:
        """The folder of the champion."""
        target = read_target(self.registry, CHAMPION)
        if target is None:
            raise SystemExit(f"found no champion in {self.registry}; promote one, or leave out --mlruns and --data")
        return target.folder

    def environ(self) -> dict[str, str]:
        """What a service of this world is told."""
        return {"ACERTO_MLRUNS": str(self.registry), "ACERTO_CONFIGS": str(self.configs), "PYTHONPATH": str(ROOT)}

    def ledgers(self, events: int, number: int = 1) -> list[dict[str, Any]]:
        """So many accounts with as near to so many events as there are, those that owe something."""
        found: list[dict[str, Any]] = []
        by_size = sorted(sizes(self.tables).items(), key=lambda pair: (abs(pair[1] - events), pair[0]))
        for name, _ in by_size[:_NEAR]:
            ledger = ledger_json(self.tables, name, before_us=to_us(END))
            if ledger["debts"] and len(found) < number:
                found.append(ledger)
        return found

    def features(self) -> dict[str, Any]:
        """One row of ready-made features, as ``mlflow models serve`` reads it."""
        bundle = read_bundle(self.bundle)
        values = bundle.golden["values"][0]
        return {"columns": list(bundle.schema.names), "data": [values]}


def world_of(given: argparse.Namespace) -> World:
    """What the options of ``arguments`` name, made where it is not there."""
    configs = given.configs.resolve()
    if given.mlruns is not None:
        data, registry = given.data, given.mlruns
    else:
        folder = given.cache / f"{given.accounts}"
        data, registry = folder / "data", folder / "mlruns"
        _make(folder.resolve(), accounts=given.accounts, configs=configs)
    return World(registry.resolve(), configs, read(data, configs=configs))


def _make(folder: Path, *, accounts: int, configs: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    settings = ("--configs", str(configs))
    if not (folder / "data" / "accounts.parquet").exists():
        _run(["simulate", "--accounts", str(accounts), "--seed", "1", "--out", "data", *settings], folder)
    if read_target(folder / "mlruns", CHAMPION) is None:
        _run(["train", "--data", "data", *settings], folder)
        _run(["promote", "--force", "--why", "to be measured", *settings], folder)


def _run(command: Sequence[str], folder: Path) -> None:
    print(f"acerto {' '.join(command)}", file=sys.stderr, flush=True)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*_COMMAND, *command], cwd=folder, env=environ, check=True, stdout=sys.stderr)


def arguments(about: str | None) -> argparse.ArgumentParser:
    """Where the world is: a cache that is filled at first, or a registry and data that are there."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path("build/requests"))
    parser.add_argument("--accounts", type=int, default=5_000)
    parser.add_argument("--mlruns", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    return parser


def body(accounts: Sequence[dict[str, Any]], number: int, **keys: Any) -> bytes:
    """A request at a moment of its own, so that no two are the same."""
    moment = rfc3339(END + timedelta(milliseconds=number))
    return json.dumps({"as_of": moment, "accounts": list(accounts), **keys}).encode()
