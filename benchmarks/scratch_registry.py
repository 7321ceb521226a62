"""Bundles and aliases in a scratch folder, as ``training/aliases.py`` writes them, without a tracking store."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from decisioning.integrity import manifest_of, seal_of


class ScratchRegistry:
    """A registry below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "aliases").mkdir(parents=True)
        (root / "bundles").mkdir()

    def bundle(self, version: str) -> Path:
        """The folder of a version."""
        return self.root / "bundles" / version

    def point(self, version: str, *, alias: str = "champion", **changed: Any) -> None:
        """Sets an alias in one step; ``changed`` are keys that hold something else than they should."""
        found = {"version": version, "bundle": f"bundles/{version}", "since": str(time.time_ns()), **changed}
        draft = self.root / "aliases" / f".{alias}.json"
        draft.write_text(json.dumps(found))
        draft.replace(self.root / "aliases" / f"{alias}.json")

    def promote(self, version: str) -> None:
        """Makes a version champion, with its seal."""
        self.point(version, seal=seal_of(manifest_of(self.bundle(version))))


def arguments(about: str | None, *, clients: int) -> argparse.ArgumentParser:
    """What measurements over a running service are told: how many clients, which registry, which configuration."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--clients", type=int, default=clients)
    parser.add_argument("--mlruns", type=Path, default=Path("mlruns"))
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    return parser


def newest(mlruns: Path) -> list[Path]:
    """The two newest bundles of a registry."""
    folders = [path for path in (mlruns / "bundles").iterdir() if path.name.isdecimal()]
    return sorted(folders, key=lambda path: int(path.name))[-2:]
