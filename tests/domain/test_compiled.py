"""Machine code is kept until one of the files that went into it changes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from domain.compiled import imported_by, stamp_of

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "house/__init__.py": "",
    "house/kernel.py": "from house.deep import rooms\nfrom house.walls import (\n    THICK,\n    height,\n)\n",
    "house/walls.py": "def height():\n    import house.cellar.floor\n",
    "house/deep/__init__.py": "",
    "house/deep/rooms.py": "SIZE = 1\n",
    "house/cellar/__init__.py": "DEPTH = 3\n",
    "house/cellar/floor.py": "",
    "house/roof.py": "",
}


def _stamp(tmp_path: Path, changed: str | None = None) -> str:
    root = tmp_path / (changed or "none").replace("/", "_")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + ("# other\n" if name == changed else ""), encoding="utf-8")
    return stamp_of(root / "house/kernel.py", root=root)


@pytest.mark.parametrize("changed", [name for name in FILES if name != "house/roof.py"])
def test_a_change_in_any_file_that_is_imported_however_deep_changes_the_stamp(changed: str, tmp_path: Path) -> None:
    assert _stamp(tmp_path, changed) != _stamp(tmp_path)


def test_a_change_in_a_file_that_is_not_imported_keeps_the_stamp(tmp_path: Path) -> None:
    assert _stamp(tmp_path, "house/roof.py") == _stamp(tmp_path)


def _by_syntax_tree(source: bytes) -> set[Path]:
    """A second way to the same: what Python itself takes for imports."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    places = [ROOT.joinpath(*module.split(".")) for module in modules]
    return {file for place in places for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()}


@pytest.mark.parametrize("package", ["domain", "features", "decisioning"])
def test_the_imports_found_in_our_files_are_those_of_the_syntax_tree(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        source = path.read_bytes()
        found = {file for file in imported_by(source, ROOT) if file.is_file()}
        assert _by_syntax_tree(source) <= found, path
