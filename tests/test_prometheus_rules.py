"""deploy/prometheus-rules.yaml, held to the metrics there are; by promtool as well, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram, Summary

from serving import metrics
from serving.fallbacks import CODES
from training.monitoring.exposition import SERIES

FILE = Path(__file__).parents[1] / "deploy" / "prometheus-rules.yaml"
GROUPS = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
RULES: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDS = {rule["record"] for rule in RULES if "record" in rule}
EXPRESSIONS = [str(rule["expr"]) for rule in RULES]
WORDS = {
    "acerto_fallbacks_total": set(CODES),
    "acerto_access_refused_total": {"missing", "unknown", "revoked", "expired", "scope", "rate"},
    "acerto_requests_total": {"500"},
    "acerto_monitor_alerts": {"amber", "red"},
}


def samples() -> dict[str, set[str]]:
    """The series that there are, with their labels."""
    found: dict[str, set[str]] = {}
    for metric in (one for one in vars(metrics).values() if isinstance(one, Counter | Gauge | Histogram | Summary)):
        for family in metric.describe():
            suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}
            for suffix in suffixes.get(family.type, ["_count", "_sum"]):
                found[family.name + suffix] = {*metric._labelnames} | ({"le"} if suffix == "_bucket" else set())
    return found | {name: set(labels) for name, (_, labels) in SERIES.items()}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_rule_is_about_series_that_there_are(expression: str) -> None:
    named = set(re.findall(r"acerto[_:]\w+(?::\w+)*", expression))
    assert named
    assert named - samples().keys() - RECORDS == set()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_rule_goes_by_labels_that_its_series_have(expression: str) -> None:
    named = set(re.findall(r"acerto_\w+", expression)) & samples().keys()
    labels = set().union(*(samples()[name] for name in named)) | {"horizon", "bin", "feature"}
    by = {one.strip() for part in re.findall(r"(?:by|on) \(([^)]+)\)", expression) for one in part.split(",")}
    selected = set(re.findall(r"(\w+)=~?\"", expression))
    assert (by | selected) - labels == set()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_rule_selects_words_that_there_are(expression: str) -> None:
    for name, _, words in re.findall(r"(acerto_\w+)\{(\w+)=~?\"([^\"]+)\"\}", expression):
        assert set(words.split("|")) - WORDS[name] == set()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_brackets_of_a_rule_close(expression: str) -> None:
    open_ones = []
    for sign in re.sub(r"\"[^\"]*\"", "", expression):
        if sign in "([{":
            open_ones.append(sign)
        elif sign in ")]}":
            assert open_ones.pop() + sign in ("()", "[]", "{}")
    assert open_ones == []


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_it_is_what_is_wrong_and_what_to_do(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in ("warning", "critical")
    assert set(alert["annotations"]) == {"summary", "description"}
    assert re.fullmatch(r"\d+[mhd]", alert.get("for", "1m"))


def test_no_two_alerts_have_the_same_name() -> None:
    assert len(ALERTS) + len(RECORDS) == len(RULES)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_takes_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(FILE)], check=True, capture_output=True, timeout=60)
