"""The files of deploy/ and of the bento, read: there is no container engine in the tests."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = sorted(COMPOSE["services"])
SECRET = re.compile(r"PASS|SECRET|TOKEN|KEY", re.IGNORECASE)
OURS = {path.parent.name for path in ROOT.glob("*/__init__.py")}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, in their order."""
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [line.partition(" ") for line in joined.splitlines()]
    return [(name, rest.strip()) for name, _, rest in found]


def all_of(name: str) -> list[str]:
    return [rest for found, rest in instructions() if found == name]


def pinned(image: str) -> bool:
    """Whether an image has a tag of a whole version, or a digest."""
    return "@sha256:" in image or bool(re.search(r":\d+(\.\d+)+(-[\w.-]+)?$", image))


def copied() -> set[str]:
    """What the Dockerfile copies from the project."""
    return {source for rest in all_of("COPY") for source in shlex.split(rest)[:-1]}


def imported(package: str) -> set[str]:
    """The packages of ours that a package imports, wherever in a file."""
    found: set[str] = set()
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {name.partition(".")[0] for name in names}
    return found & OURS


def test_the_image_is_made_in_stages_from_pinned_ones() -> None:
    images = [rest.split()[0] for rest in all_of("FROM")]
    assert len(images) == 2
    assert [image for image in images if not pinned(image)] == []


def test_the_image_does_not_run_as_root() -> None:
    last = max(place for place, (name, _) in enumerate(instructions()) if name == "FROM")
    users = [rest.partition(":")[0] for name, rest in instructions()[last:] if name == "USER"]
    assert int(users[-1]) > 0


def test_the_image_installs_wheels_alone() -> None:
    installs = [rest for rest in all_of("RUN") if re.search(r"\bpip (install|wheel)\b", rest)]
    assert ["--only-binary :all:" in rest or "--no-index" in rest for rest in installs] == [True, True]


def test_the_image_asks_itself_whether_it_is_alive() -> None:
    [check] = all_of("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    assert "http://127.0.0.1:3000/livez" in command[-1]


def test_the_image_has_every_package_of_the_project_and_copies_what_is_there() -> None:
    packages = {name for name in PROJECT["tool"]["setuptools"]["packages"] if "." not in name}
    assert packages <= copied()
    assert {name for name in copied() if not (ROOT / name).exists()} == set()


def test_what_the_image_copies_is_let_through_and_nothing_else_is() -> None:
    lines = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied()


def test_the_image_has_no_secret() -> None:
    assert [rest for name in ("ENV", "ARG") for rest in all_of(name) if SECRET.search(rest)] == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_hardened_and_not_root(name: str) -> None:
    service: dict[str, Any] = COMPOSE["services"][name]
    assert pinned(service["image"])
    assert int(service["user"].partition(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_the_machine_alone(name: str) -> None:
    assert [port for port in COMPOSE["services"][name].get("ports", []) if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_no_variable_of_a_service_is_a_secret(name: str) -> None:
    said = {key: str(value) for key, value in COMPOSE["services"][name].get("environment", {}).items()}
    secret = {key: value for key, value in said.items() if SECRET.search(key)}
    assert {key for key, value in secret.items() if not value.startswith("/run/secrets/")} == set()
    assert [value for value in said.values() if re.search(r"://[^/@]*:[^/@]*@", value)] == []


def test_secrets_are_files_outside_the_project() -> None:
    assert [one["file"].startswith("${ACERTO_SECRETS:?") for one in COMPOSE["secrets"].values()] == [True, True]


def test_service_database_and_tracking_are_there_and_what_they_write_is_kept() -> None:
    kept = {name: COMPOSE["services"][name]["volumes"][0].partition(":") for name in SERVICES}
    assert kept.keys() == {"database", "service", "tracking"}
    assert {volume for volume, _, _ in kept.values()} == COMPOSE["volumes"].keys()
    assert kept["service"][2] == all_of("VOLUME")[0]


def test_the_service_has_more_time_to_end_than_its_drain() -> None:
    service = COMPOSE["services"]["service"]
    assert int(service["stop_grace_period"].rstrip("s")) >= int(service["environment"]["ACERTO_DRAIN_S"]) + 30


def test_the_bento_holds_the_packages_that_the_service_imports_and_no_more() -> None:
    needed, news = set[str](), {"serving"}
    while news:
        needed |= news
        news = {name for package in news for name in imported(package)} - needed
    beside = {"/configs/**", "/pyproject.toml", "/README.md"}
    # With a slash before, as a name alone is taken in every folder.
    assert set(PROJECT["tool"]["bentoml"]["build"]["include"]) == {f"/{name}/**" for name in needed} | beside
