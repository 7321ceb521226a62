from __future__ import annotations

import json
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from domain.errors import BundleError, ConfigError
from serving.app import create_app
from serving.openapi import written
from serving.pages.routes import Places
from serving.settings import Limits, Settings, read_limits, read_settings

ROOT = Path(__file__).parents[2]


def test_the_committed_openapi_document_is_what_the_app_serves(light: Any, schemas: Any) -> None:
    text = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    committed = json.loads(text)
    assert light.get("/openapi.json").json() == committed
    validate(committed)
    assert text == written(create_app(schemas)), "write it again with `make docs`"


def test_every_operation_documents_its_failures(light: Any) -> None:
    for path, operations in light.get("/openapi.json").json()["paths"].items():
        for operation in operations.values():
            needed = (
                {"200", "400", "404", "413", "415", "422", "500", "503"} if "post" in operations else {"200", "500"}
            )
            assert needed <= operation["responses"].keys(), path


def test_it_is_alive_and_not_ready_while_the_model_is_loaded(serve: Any, schemas: Any, brain: Any, ask: Any) -> None:
    allowed = threading.Event()

    def load() -> Any:
        allowed.wait(10)
        return brain

    with serve(create_app(schemas, load=load)) as client:
        assert client.get("/livez").status_code == 200
        for answer in (client.get("/readyz"), client.get("/v1/model"), client.post("/v1/decisions", json=ask())):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
        allowed.set()
        client.wait_until_ready()
        assert client.post("/v1/decisions", json=ask()).status_code == 200


def test_a_model_that_cannot_be_loaded_leaves_it_unready(serve: Any, schemas: Any, capsys: Any) -> None:
    def load() -> Any:
        raise BundleError("damaged")

    with serve(create_app(schemas, load=load)) as client:
        assert client.get("/readyz").status_code == 503
        assert client.get("/livez").status_code == 200


def test_beyond_its_queue_it_sends_clients_away(serve: Any, schemas: Any, brain: Any, ask: Any) -> None:
    inside, allowed = threading.Event(), threading.Event()
    decide = brain.decisions

    with serve(create_app(schemas, load=lambda: brain, limits=Limits(threads=1, large_threads=0, queue=0))) as client:
        client.wait_until_ready()

        def slow(*args: Any, **keys: Any) -> Any:
            inside.set()
            allowed.wait(10)
            return decide(*args, **keys)

        brain.decisions = slow
        first = threading.Thread(target=client.post, args=("/v1/decisions",), kwargs={"json": ask()})
        first.start()
        assert inside.wait(10)
        refused = client.post("/v1/decisions", json=ask())
        assert client.get("/livez").status_code == 200
        allowed.set()
        first.join()
        assert refused.status_code == 503
        assert "retry-after" in refused.headers
        assert client.post("/v1/decisions", json=ask()).status_code == 200


def test_who_asks_about_few_accounts_does_not_wait_for_who_asks_about_many(
    serve: Any, schemas: Any, brain: Any, ask: Any, ledger: Any
) -> None:
    inside, allowed = threading.Event(), threading.Event()
    decide = brain.decisions

    with serve(create_app(schemas, load=lambda: brain)) as client:
        client.wait_until_ready()

        def slow(*args: Any, **keys: Any) -> Any:
            if not inside.is_set():
                inside.set()
                allowed.wait(10)
            return decide(*args, **keys)

        brain.decisions = slow
        many = ask(*(ledger(account_id=f"many-{number}") for number in range(20)))
        found: list[Any] = []
        large = threading.Thread(target=lambda: found.append(client.post("/v1/decisions", json=many)))
        large.start()
        assert inside.wait(10)
        assert client.post("/v1/decisions", json=ask()).status_code == 200
        assert not found
        allowed.set()
        large.join()
        assert found[0].status_code == 200


def test_the_callers_request_id_is_kept_only_where_it_is_a_uuid(light: Any) -> None:
    own = str(uuid.uuid4())
    assert light.get("/livez", headers={"x-request-id": own}).headers["x-request-id"] == own
    assert light.get("/livez", headers={"x-request-id": "52998224725"}).headers["x-request-id"] != "52998224725"


def test_a_log_line_names_route_status_and_count(light: Any, ask: Any, ledger: Any, capsys: Any) -> None:
    light.post("/v1/decisions", json=ask(ledger("a1"), ledger("a2")))
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["route"], line["status"], line["accounts"]) == ("/v1/decisions", 200, 2)


def test_reports_are_listed_and_served_and_nothing_above_them(serve: Any, schemas: Any, tmp_path: Path) -> None:
    (tmp_path / "reports" / "7").mkdir(parents=True)
    (tmp_path / "reports" / "7" / "report.html").write_text("<h1>Report</h1>")
    (tmp_path / "secret.html").write_text("secret")
    with serve(create_app(schemas, places=Places(tmp_path / "reports"))) as client:
        assert 'href="/reports/7/report.html"' in client.get("/reports/").text
        assert client.get("/reports/7/report.html").text == "<h1>Report</h1>"
        assert client.get("/reports/%2e%2e/secret.html").status_code == 404
        assert client.get("/reports/none.html").headers["content-type"] == "application/problem+json"


def test_the_docs_page_names_the_document(light: Any) -> None:
    assert "/openapi.json" in light.get("/docs").text


def test_the_champion_is_served_before_the_challenger(tmp_path: Path) -> None:
    for alias, version in (("challenger", "2"), ("champion", "1")):
        (tmp_path / "bundles" / version).mkdir(parents=True)
        (tmp_path / "aliases").mkdir(exist_ok=True)
        pointer = {"version": version, "bundle": f"bundles/{version}"}
        (tmp_path / "aliases" / f"{alias}.json").write_text(json.dumps(pointer))
        found = read_settings({"ACERTO_MLRUNS": str(tmp_path)})
        assert found.bundle == tmp_path / "bundles" / version
        assert (found.notice is None) == (alias == "champion")
    assert read_settings({"ACERTO_BUNDLE": "x"}) == Settings(bundle=Path("x"))


def test_without_any_model_the_way_out_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="acerto train"):
        read_settings({"ACERTO_MLRUNS": str(tmp_path)})


@pytest.mark.parametrize("rate", ["0/second", "often", "50"])
def test_a_rate_that_nobody_could_keep_or_read_is_refused(rate: str) -> None:
    with pytest.raises(ConfigError, match=f"ACERTO_RATE_LIMIT: found '{rate}', needed"):
        read_limits({"ACERTO_RATE_LIMIT": rate})
