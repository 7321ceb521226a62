from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paired_files import METRICS, told

from serving.pages.paired import Difference, paired


@pytest.mark.parametrize("name, low, high, verdict", [
    ("auc", 0.001, 0.02, "better"), ("auc", -0.02, -0.001, "worse"), ("auc", -0.01, 0.01, "open"),
    ("brier", 0.001, 0.02, "worse"), ("brier", -0.02, -0.001, "better"), ("ece", 0.0, 0.01, "open"),
    ("auc", None, None, "open"),
])  # fmt: skip
def test_a_verdict_needs_the_whole_interval_on_one_side(name: str, low: Any, high: Any, verdict: str) -> None:
    assert Difference(name, 0.0, low, high).verdict == verdict


@pytest.mark.parametrize("names, verdict", [
    (("auc", "ks"), "better"), (("brier", "ks"), "worse"), (("auc", "brier"), "mixed"), (("ks",), "open"),
])  # fmt: skip
def test_all_metrics_together_make_one_verdict(names: tuple[str, ...], verdict: str) -> None:
    found, _ = paired(("a", {}), ("b", told("a", {name: METRICS[name] for name in names})))
    assert found is not None and found.verdict == verdict


def test_after_a_rollback_the_signs_are_turned() -> None:
    found, _ = paired(("a", told("b")), ("b", {}))
    assert found is not None
    auc = next(one for one in found.differences if one.name == "auc")
    assert (auc.value, auc.low, auc.high, auc.verdict) == (-0.012, -0.020, -0.004, "worse")


@pytest.mark.parametrize("own, other, why", [
    ({}, {}, "never"), ({}, told("c"), "another"), ({}, {"model_hash": "a", "rows": "x"}, "unreadable"),
])  # fmt: skip
def test_what_was_never_paired_says_why(own: Any, other: Any, why: str) -> None:
    assert paired(("a", own), ("b", other)) == (None, why)


@given(value=st.floats(-1, 1), low=st.floats(-1, 1), high=st.floats(-1, 1))
def test_whoever_is_called_challenger_the_better_one_is_the_same(value: float, low: float, high: float) -> None:
    ends = sorted((low, high))
    metrics = {"auc": {"difference": value, "low": ends[0], "high": ends[1]}}
    sides = paired(("a", {}), ("b", told("a", metrics)))[0], paired(("b", told("a", metrics)), ("a", {}))[0]
    verdicts = [one.verdict for one in sides if one is not None]
    assert tuple(verdicts) in {("better", "worse"), ("worse", "better"), ("open", "open")}


def test_the_page_says_in_words_who_is_better_in_what(measured: Path, reader: Any) -> None:
    page = reader("review").get("/reports/compare?locale=en").text
    assert "better in: auc; and worse in: brier" in page
    assert "+0.0120" in page and "[+0.0040; +0.0200]" in page
    assert "1,000 rows of 700 debtors" in page


def test_the_page_says_it_in_portuguese_too(measured: Path, reader: Any) -> None:
    page = reader("review").get("/reports/compare").text
    assert "melhor em: auc; e pior em: brier" in page and "+0,0120" in page


def test_versions_that_were_never_measured_together_are_not_judged(reader: Any) -> None:
    page = reader("review").get("/reports/compare?locale=en").text
    assert "never measured on the same rows" in page
