from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("domain", "features", "decisioning", "training", "serving", "simulation", "cli")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in SOURCES]
EDGES = ("cli/", "serving/", "training/registry.py")


def functions(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = ast.get_docstring(node, clean=False)
            yield node.name, (node.end_lineno or 0) - node.lineno + 1 - len((docstring or "").splitlines())


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_no_module_outgrows_its_room(path):
    assert path.read_text(encoding="utf-8").count("\n") <= 300


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_no_function_is_longer_than_forty_lines(path):
    assert [name for name, length in functions(path) if length > 40] == []


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_nothing_is_pickled_and_action_prob_is_never_called_otherwise(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(pickle|joblib|cloudpickle)\.(load|dump)s?\b", text)
    assert not re.search(r"\bpropensity\s*=", text)


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_the_clock_is_read_at_the_edges_alone(path):
    if not str(path.relative_to(ROOT)).startswith(EDGES):
        assert not re.search(r"datetime\.(now|utcnow|today)\(|time\.time\(", path.read_text(encoding="utf-8"))


def test_no_module_is_named_after_nothing():
    vague = {"utils.py", "helpers.py", "common.py", "core.py", "base.py", "manager.py"}
    assert not vague & {path.name for path in SOURCES}


def test_no_file_names_a_machine_path_or_a_registry_address():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    if not listed:
        pytest.skip("not a git checkout")
    needle = re.compile(r"index[-]url|/home/\w+/|/Users/\w+/")
    found = []
    for name in listed:
        path = ROOT / name
        readable = path.is_file() and path.suffix in {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".json", ""}
        if readable and needle.search(path.read_text(encoding="utf-8", errors="replace")):
            found.append(name)
    assert found == []
