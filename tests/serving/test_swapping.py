"""A promotion and a rollback are served without a restart; a bad bundle never is, and the model before serves on."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scratch_registry import ScratchRegistry
from waiting import until

from decisioning.bundle import ModelBundle, check_golden, read_bundle
from domain.errors import BundleError
from serving.app import create_app
from serving.engine import Engine, load_engine
from serving.settings import read_settings
from serving.swapping import Champion
from serving.warmup import warm_up

CONFIGS = Path(__file__).parents[2] / "configs"


class Registry(ScratchRegistry):
    """Bundles and the champion's alias; ``reads`` names what was read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads: list[str] = []

    def read(self, folder: Path, *, seal: str | None) -> ModelBundle:
        self.reads.append(folder.name)
        try:
            found = read_bundle(folder)
        except BundleError as error:
            raise BundleError(str(error), code="files") from error
        if seal not in (None, found.seal):
            raise BundleError("another one", code="replaced")
        check_golden(found)
        return found

    def settings(self, **environ: str) -> Any:
        return read_settings({"ACERTO_MLRUNS": str(self.root), "ACERTO_CONFIGS": str(CONFIGS), **environ})


@pytest.fixture
def registry(bundle: Path, next_bundle: Path, tmp_path: Path) -> Registry:
    """Versions 7 and 8, of which 7 is the champion."""
    found = Registry(tmp_path / "mlruns")
    for source in (bundle, next_bundle):
        shutil.copytree(source, found.bundle(source.name))
    found.point("7")
    return found


@contextmanager
def serving(serve: Any, schemas: Any, registry: Registry, **options: Any) -> Iterator[Any]:
    champion = Champion(registry.root, warm=lambda brain: warm_up(brain, schemas), read=registry.read)
    load = options.pop("load", lambda: load_engine(registry.settings(**options)))
    with serve(create_app(schemas, load=load, champion=champion)) as client:
        yield client


@pytest.fixture
def service(serve: Any, schemas: Any, registry: Registry) -> Iterator[Any]:
    with serving(serve, schemas, registry) as client:
        yield client.wait_until_ready()


def told(client: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/v1/model").json()
    return found


def version(client: Any) -> str:
    return str(told(client)["model_version"])


def test_a_promotion_is_served_without_a_restart(service: Any, registry: Registry, ask: Any) -> None:
    assert version(service) == "7"
    registry.point("8")
    until(lambda: version(service) == "8")
    answer = service.post("/v1/decisions", json=ask()).json()["decisions"][0]
    assert answer["model_version"] == "8"


def test_a_rollback_reads_nothing(service: Any, registry: Registry) -> None:
    registry.point("8")
    until(lambda: version(service) == "8")
    registry.point("7")
    until(lambda: version(service) == "7")
    registry.point("8")
    until(lambda: version(service) == "8")
    assert registry.reads == ["8"]


def test_an_answer_reproduces_to_the_bit_from_the_bundle_it_names(service: Any, registry: Registry, ask: Any) -> None:
    own = {name: load_engine(registry.settings(ACERTO_BUNDLE=str(registry.bundle(name)))) for name in "78"}
    seen = set()
    for name in ("8", "7", "8"):
        registry.point(name)
        until(lambda name=name: version(service) == name)
        got = service.post("/v1/scores", json=ask()).json()["scores"]
        assert got == expected(own[got[0]["model_version"]], ask())
        seen.add(got[0]["model_version"])
    assert seen == {"7", "8"}


def expected(engine: Engine, body: dict[str, Any]) -> Any:
    from domain.config import load_section
    from features.config import FeaturesConfig
    from serving import handling
    from serving.schemas import build_schemas

    schemas = build_schemas(load_section(CONFIGS / "features.yaml", FeaturesConfig).attributes)
    return json.loads(handling.scores(json.dumps(body).encode(), engine, schemas).content)["scores"]


def test_a_request_under_way_is_answered_by_the_model_it_began_with(
    serve: Any, schemas: Any, registry: Registry, ask: Any
) -> None:
    inside, allowed = threading.Event(), threading.Event()
    engine = load_engine(registry.settings())
    decide = engine.decisions

    def slow(*args: Any, **keys: Any) -> Any:
        inside.set()
        allowed.wait(20)
        return decide(*args, **keys)

    found: list[Any] = []
    with serving(serve, schemas, registry, load=lambda: engine) as client:
        client.wait_until_ready()
        engine.decisions = slow  # type: ignore[method-assign]
        asked = threading.Thread(target=lambda: found.append(client.post("/v1/decisions", json=ask()).json()))
        asked.start()
        assert inside.wait(20)
        registry.point("8")
        until(lambda: version(client) == "8")
        allowed.set()
        asked.join()
    assert found[0]["decisions"][0]["model_version"] == "7"


def damage(registry: Registry) -> None:
    path = registry.root / "bundles/8/payment_30d.txt"
    path.write_bytes(path.read_bytes()[:-1])


def test_a_bad_bundle_is_refused_with_its_code_and_the_model_before_serves_on(
    service: Any, registry: Registry, ask: Any
) -> None:
    damage(registry)
    registry.point("8")
    until(lambda: told(service)["refused"] is not None)
    found = told(service)
    assert (found["model_version"], found["refused"]["model_version"], found["refused"]["code"]) == ("7", "8", "files")
    assert service.post("/v1/decisions", json=ask()).json()["decisions"][0]["model_version"] == "7"


def test_what_is_told_of_a_refusal_names_no_place(service: Any, registry: Registry) -> None:
    damage(registry)
    registry.point("8")
    until(lambda: told(service)["refused"] is not None)
    assert str(registry.root) not in service.get("/v1/model").text + service.get("/metrics").text
    assert 'acerto_model_refused{code="files"} 1.0' in service.get("/metrics").text


def test_a_refused_bundle_is_not_tried_again_until_the_alias_moves(service: Any, registry: Registry) -> None:
    damage(registry)
    registry.point("8")
    until(lambda: told(service)["refused"] is not None)
    first = told(service)["refused"]["at"]
    time.sleep(1)
    assert registry.reads == ["8"]
    assert told(service)["refused"]["at"] == first
    registry.point("8")
    until(lambda: registry.reads == ["8", "8"])


def test_going_back_to_the_served_model_ends_the_refusal(service: Any, registry: Registry) -> None:
    damage(registry)
    registry.point("8")
    until(lambda: told(service)["refused"] is not None)
    registry.point("7")
    until(lambda: told(service)["refused"] is None)
    assert version(service) == "7"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"bundle": "../8"}, "pointer"),
        ({"bundle": "bundles/9"}, "files"),
        ({"seal": "0" * 64}, "replaced"),
        ({"seal": 3}, "pointer"),
    ],
)
def test_an_alias_that_leads_nowhere_is_refused(
    service: Any, registry: Registry, changed: dict[str, Any], code: str
) -> None:
    registry.point("8", **changed)
    until(lambda: told(service)["refused"] is not None)
    assert (told(service)["refused"]["code"], version(service)) == (code, "7")


def test_an_alias_that_vanishes_changes_nothing(service: Any, registry: Registry) -> None:
    (registry.root / "aliases/champion.json").unlink()
    time.sleep(1)
    assert (version(service), told(service)["refused"]) == ("7", None)


def test_a_model_that_cannot_answer_is_refused(serve: Any, schemas: Any, registry: Registry) -> None:
    def warm(brain: Any) -> None:
        raise ValueError("no answer")

    champion = Champion(registry.root, warm=warm, read=registry.read)
    with serve(create_app(schemas, load=lambda: load_engine(registry.settings()), champion=champion)) as client:
        client.wait_until_ready()
        registry.point("8")
        until(lambda: told(client)["refused"] is not None)
        assert told(client)["refused"]["code"] == "warm_up"


def test_a_start_that_was_refused_is_tried_again_when_the_alias_moves(
    serve: Any, schemas: Any, registry: Registry
) -> None:
    damage(registry)
    registry.point("8")
    with serving(serve, schemas, registry) as client:
        time.sleep(1)
        assert client.get("/readyz").status_code == 503
        registry.point("7")
        client.wait_until_ready()
        assert version(client) == "7"


def test_the_champion_takes_the_challengers_place_and_its_notice(serve: Any, schemas: Any, registry: Registry) -> None:
    alias = registry.root / "aliases/champion.json"
    alias.rename(registry.root / "aliases/challenger.json")
    with serving(serve, schemas, registry) as client:
        client.wait_until_ready()
        assert "challenger" in told(client)["notice"]
        registry.point("8")
        until(lambda: version(client) == "8")
        assert told(client)["notice"] is None


def test_a_changed_configuration_is_not_taken_up_by_a_swap(
    serve: Any, schemas: Any, registry: Registry, tmp_path: Path
) -> None:
    configs = Path(shutil.copytree(CONFIGS, tmp_path / "configs"))
    with serving(serve, schemas, registry, ACERTO_CONFIGS=str(configs)) as client:
        before = told(client.wait_until_ready())["policy_version"]
        decision = yaml.safe_load((configs / "decision.yaml").read_text()) | {"arms": {"holdout": 0.5}}
        (configs / "decision.yaml").write_text(yaml.safe_dump(decision))
        registry.point("8")
        until(lambda: version(client) == "8")
        assert told(client)["policy_version"] == before


def test_the_alias_carries_the_seal_that_is_checked(registry: Registry, service: Any) -> None:
    registry.promote("8")
    until(lambda: version(service) == "8")
    assert told(service)["refused"] is None


def test_two_models_differ(bundle: Path, next_bundle: Path) -> None:
    values = np.zeros((1, 7))
    found = [read_bundle(folder).payment.predict(values).tolist() for folder in (bundle, next_bundle)]
    assert found[0] != found[1]
