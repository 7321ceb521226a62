"""Monitoring from the command line: files, exit codes, the webhook, the store, and what may not matter."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from page_tags import Tags
from prometheus_client.parser import text_string_to_metric_families

from domain.clock import US_PER_DAY, parse_moment, to_us
from domain.config import load_section
from features.tables import read_tables
from training.facts import known_before
from training.monitoring.conduct import Conduct
from training.monitoring.config import MonitoringConfig
from training.monitoring.exposition import exposition
from training.monitoring.gathering import Span, watch
from training.monitoring.monitor import monitor, numbers
from training.monitoring.page import page

UNTIL = "2026-02-16T00:00:00Z"
BLUNT = {"min_rows": 50, "weeks": 6, "reference_weeks": 8}
"""The portfolio of these tests is a small one."""


@pytest.fixture(scope="module")
def blunt(project):
    """Configurations for few rows, and a budget that every day's contacts pass."""
    import shutil

    folder = project / "monitoring_configs"
    shutil.copytree(project / "configs", folder)
    for name, changed in (("monitoring", BLUNT), ("decision", {"budgets": {"contact_cost": {"per_day": 0.05}}})):
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | changed), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def written(project, acerto_in, blunt):
    """The folder of one run, and its numbers."""
    asked = ("monitor", "--data", "data", "--until", UNTIL, "--configs", blunt, "--out", "monitored", "--locale", "en")
    assert acerto_in(project, *asked) == 0
    return project / "monitored", json.loads((project / "monitored/monitor.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def conditions(project, bundle, blunt, desk_of):
    """What a run is made from, beside the tables."""
    return bundle, load_section(blunt / "monitoring.yaml", MonitoringConfig), desk_of(blunt)


@pytest.fixture(scope="module")
def desk_of():
    from decisioning.engine import load_desk

    return load_desk


def found_in(tables, conditions, until=UNTIL):
    bundle, config, desk = conditions
    watched = watch(
        tables, bundle, config=config, conduct=Conduct(desk.catalogue, 3), span=Span(None, to_us(parse_moment(until)))
    )
    return monitor(watched, bundle, limits=desk.config, config=config)


def test_a_run_writes_the_same_bytes_again(project, acerto_in, blunt, written):
    asked = ("monitor", "--data", "data", "--until", UNTIL, "--configs", blunt, "--out", "again", "--locale", "en")
    assert acerto_in(project, *asked) == 0
    for name in ("monitor.json", "monitor.html", "monitor.prom"):
        assert (project / "again" / name).read_bytes() == (written[0] / name).read_bytes()


def test_nothing_recorded_at_or_after_the_end_matters(project, bundle, conditions):
    tables = read_tables(project / "data", attributes=bundle.schema.attributes)
    cut = known_before(tables, until_us=to_us(parse_moment(UNTIL)))
    assert numbers(found_in(cut, conditions)) == numbers(found_in(tables, conditions))


def test_a_week_is_judged_by_payments_once_horizon_and_posting_lag_have_passed(written):
    checks = [one for one in written[1]["checks"] if one["code"] == "CALIBRATION_MEAN"]
    until = to_us(parse_moment(UNTIL))
    for one in checks:
        days = int(one["about"].removeprefix("p_pay_").removesuffix("d"))
        ends = to_us(parse_moment(one["week"] + "T00:00:00Z")) + (7 + days + 3) * US_PER_DAY
        assert (one["state"] == "not_mature") == (ends > until)
        assert one["value"] is None or ends <= until
    assert {one["state"] == "not_mature" for one in checks} == {True, False}


def test_every_budgeted_day_that_was_passed_is_red_whatever_chance_is(written):
    used = [one for one in written[1]["checks"] if one["code"] == "BUDGET_USE"]
    assert {one["state"] for one in used} == {"red"} and all(one["p_value"] is None for one in used)
    alert = next(one for one in written[1]["alerts"] if one["code"] == "BUDGET_USE")
    assert len(alert["weeks"]) == BLUNT["weeks"] and alert["way_out"]["en"].startswith("See the prices")


def test_a_check_that_would_miss_a_change_of_its_red_limit_is_not_green(written):
    config = MonitoringConfig(limits=written[1]["limits"])
    tested = [
        one for one in written[1]["checks"] if one["power"] is not None and one["state"] in ("green", "cannot_tell")
    ]
    assert tested
    assert all((one["state"] == "green") == (one["power"] >= config.min_power) for one in tested)


def test_no_account_or_debtor_is_named_in_any_file(project, bundle, written):
    tables = read_tables(project / "data", attributes=bundle.schema.attributes)
    names = {*tables.text("accounts", "account_id").values, *tables.text("accounts", "debtor_id").values}
    for name in ("monitor.html", "monitor.json", "monitor.prom"):
        text = (written[0] / name).read_text(encoding="utf-8")
        assert not [one for one in names if f'"{one}"' in text or f">{one}<" in text]


def test_the_gauges_can_be_read_and_say_what_the_numbers_say(written):
    text = (written[0] / "monitor.prom").read_text(encoding="utf-8")
    families = {one.name: one.samples for one in text_string_to_metric_families(text)}
    alerts = {(one.labels["check"], one.labels["severity"]): one.value for one in families["acerto_monitor_alerts"]}
    for severity in ("amber", "red"):
        told = sum(value for (_, name), value in alerts.items() if name == severity)
        assert told == sum(one["severity"] == severity for one in written[1]["alerts"])
    until = families["acerto_monitor_until_timestamp_seconds"][0].value
    assert until == to_us(parse_moment(UNTIL)) / 1_000_000
    assert len(families["acerto_monitor_state"]) < 1_000


@pytest.mark.parametrize("locale", ["pt-BR", "en"])
def test_the_page_needs_no_network_and_no_script_and_names_every_alert(project, bundle, conditions, locale):
    found = found_in(read_tables(project / "data", attributes=bundle.schema.attributes), conditions)
    text = page(found, locale).decode("utf-8")
    tags = Tags(text)
    assert {tag for tag, _ in tags.found} & {"script", "link", "iframe", "form"} == set()
    assert all(target.startswith("#") for target in tags.targets)
    assert all("alt" in names for tag, names in tags.found if tag == "img")
    assert all(f"<code>{one.code}</code>" in text for one in found.alerts)
    assert f'<html lang="{locale}">' in text
    assert exposition(found) == exposition(found)


def test_alerts_fail_the_command_only_where_that_is_asked_for(acerto, blunt):
    asked = ("monitor", "--data", "data", "--until", UNTIL, "--configs", blunt, "--out", "failing")
    assert acerto(*asked, "--fail-on", "red").code == 1
    assert acerto(*asked).code == 0


def test_wrong_usage_is_told(acerto, project):
    assert acerto("monitor").code == 2
    assert acerto("monitor", "--data", "data", "--store").code == 2
    assert acerto("monitor", "--data", "data", "--from", "yesterday").code == 2
    short = acerto("monitor", "--data", "data", "--from", "2026-02-12T00:00:00Z", "--until", UNTIL)
    assert (short.code, "needed a week at least" in short.err) == (1, True)


@pytest.mark.parametrize(("key", "match"), [("SCORE_PSI", "missing checks"), (None, "needed red above amber")])
def test_limits_that_are_missing_or_the_wrong_way_round_are_refused(acerto, project, tmp_path, key, match):
    import shutil

    shutil.copytree(project / "configs", tmp_path / "configs")
    path = tmp_path / "configs/monitoring.yaml"
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    if key:
        del raw["limits"][key]
    else:
        raw["limits"]["SCORE_PSI"] = {"amber": 0.3, "red": 0.2}
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    found = acerto("monitor", "--data", "data", "--configs", tmp_path / "configs")
    assert (found.code, match in found.err) == (1, True)


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is sent, and answers with the status of its server."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.kept.append((dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def receiver(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.kept, server.status = [], 204
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("ACERTO_WEBHOOK_URL", f"http://127.0.0.1:{server.server_port}/alerts")
    monkeypatch.setenv("ACERTO_WEBHOOK_SECRET", "a secret for this test")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_alerts_reach_the_webhook_and_the_file_says_so(acerto, blunt, receiver, project):
    found = acerto("monitor", "--data", "data", "--until", UNTIL, "--configs", blunt, "--out", "told")
    assert found.code == 0
    headers, body = receiver.kept[0]
    assert json.loads(body)["type"] == "drift.alert" and headers["Acerto-Signature"].startswith("t=")
    told = json.loads((project / "told/monitor.json").read_text(encoding="utf-8"))["webhook"]
    assert (told["sent"], told["tries"], told["status"]) == (True, 1, 204)
    assert told["idempotency_key"] == headers["Idempotency-Key"]


def test_a_webhook_that_refuses_fails_the_command_and_loses_nothing(acerto, blunt, receiver, project):
    receiver.status = 401
    found = acerto("monitor", "--data", "data", "--until", UNTIL, "--configs", blunt, "--out", "refused_hook")
    assert (found.code, "did not take the alerts (HTTP 401)" in found.err) == (1, True)
    told = json.loads((project / "refused_hook/monitor.json").read_text(encoding="utf-8"))
    assert told["webhook"]["sent"] is False and told["alerts"]


def test_nothing_is_sent_where_that_is_asked_for(acerto, blunt, receiver):
    asked = ("monitor", "--data", "data", "--until", UNTIL, "--configs", blunt, "--out", "unsent", "--no-send")
    assert (acerto(*asked).code, receiver.kept) == (0, [])


def test_the_store_tells_what_its_tables_tell(acerto, acerto_in, blunt, project, written, monkeypatch):
    monkeypatch.setenv("ACERTO_DATABASE_URL", f"sqlite:///{project / 'monitored_store' / 'acerto.db'}")
    assert acerto_in(project, "ingest", "--data", "data") == 0
    asked = ("monitor", "--store", "--until", UNTIL, "--configs", blunt, "--out", "of_store", "--locale", "en")
    assert acerto(*asked).code == 0
    told = json.loads((project / "of_store/monitor.json").read_text(encoding="utf-8"))
    assert told["checks"] == written[1]["checks"]


def test_refusals_are_seen_where_decisions_keep_their_codes(project, bundle, conditions, tmp_path):
    import pandas as pd

    data = tmp_path / "data"
    data.mkdir()
    for path in Path(project / "data").glob("*.parquet"):
        (data / path.name).symlink_to(path)
    rows = pd.read_parquet(project / "data/decisions.parquet")
    rows["refusal_codes"] = [["NO_CONSENT"] if place % 2 else ["not a code"] for place in range(len(rows))]
    (data / "decisions.parquet").unlink()
    rows.to_parquet(data / "decisions.parquet")
    found = numbers(found_in(read_tables(data, attributes=bundle.schema.attributes), conditions))
    told = {one["about"] for one in found["checks"] if one["code"] == "REFUSAL_SHARE"}
    assert told == {"NO_CONSENT", "other"} and "no_refusals" not in found["absent"]


def test_the_required_tables_alone_are_enough_and_what_is_absent_is_said(acerto, project, blunt, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for name in ("accounts", "debts", "payments"):
        (data / f"{name}.parquet").symlink_to(project / f"data/{name}.parquet")
    found = acerto("monitor", "--data", data, "--until", UNTIL, "--configs", blunt, "--out", tmp_path / "out", "--json")
    told = json.loads(found.out)
    assert (found.code, told["rows"]) == (0, "portfolio")
    assert {"no_decisions", "no_contacts"} <= set(told["absent"])
    lesser = {one["about"]: one["state"] for one in told["checks"] if one["code"] == "FALLBACK_SHARE"}
    assert lesser["absent_contacts"] == "red"


def test_a_span_before_all_data_is_refused(acerto):
    found = acerto("monitor", "--data", "data", "--until", "2001-01-01T00:00:00Z", "--no-send")
    assert (found.code, "found no dated row" in found.err) == (1, True)
