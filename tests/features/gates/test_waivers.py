"""Waivers: what they let pass, until when, and what they must not be about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import to_us
from domain.errors import ConfigError
from features.gates.breaches import Breach, Gates, Miss
from features.gates.config import Severity
from features.gates.judging import load_declared, settle
from features.gates.waivers import Waiver

NOW_US = to_us(datetime(2026, 3, 1, 23, 59, tzinfo=UTC))
EXPECTATIONS = """
tables:
  payments:
    not_double: {kind: distinct, same: [amount], max_share: 0.0}
    units: {kind: within_debts, max_ratio: 2, max_share: 0.05, severity: critical}
"""


def waiver(until: date = date(2026, 3, 1), *, column: str | None = None) -> Waiver:
    return Waiver(
        expectation="not_double", table="payments", column=column, reason="a bought portfolio", by="risk", until=until
    )


def breach(severity: Severity = "major") -> Breach:
    return Breach(severity, "payments", "not_double", "distinct", Miss("amount", 3, "three", "none", "look"))


def settled(one: Breach, *waivers: Waiver) -> Gates:
    return settle([one], waivers, now_us=NOW_US, declared=1)


def written(folder: Path, waivers: str) -> Path:
    (folder / "data_expectations.yaml").write_text(EXPECTATIONS, encoding="utf-8")
    (folder / "waivers.yaml").write_text(waivers, encoding="utf-8")
    return folder


def test_a_breach_that_is_waived_stops_nothing_and_is_told_with_its_reason() -> None:
    gates = settled(breach(), waiver())
    assert gates.stopping == ()
    assert any("waived until 2026-03-01: a bought portfolio" in line for line in gates.lines())


def test_a_waiver_holds_to_the_end_of_its_day() -> None:
    assert settled(breach(), waiver(date(2026, 3, 1))).stopping == ()


@given(until=st.dates(max_value=date(2026, 2, 28), min_value=date(2020, 1, 1)))
def test_an_expired_waiver_lets_nothing_pass_and_is_told(until: date) -> None:
    gates = settled(breach(), waiver(until))
    assert len(gates.stopping) == 1
    assert any(f"expired on {until}" in line for line in gates.lines())


def test_a_waiver_of_another_column_does_not_count() -> None:
    assert len(settled(breach(), waiver(column="method")).stopping) == 1


def test_a_waiver_lets_no_critical_breach_pass() -> None:
    assert len(settled(breach("critical"), waiver()).stopping) == 1


def test_a_waiver_that_nothing_calls_for_is_told() -> None:
    gates = settle([], [waiver()], now_us=NOW_US, declared=1)
    assert gates.idle == (waiver(),)


def test_what_was_waived_is_in_the_tags_of_the_run() -> None:
    tags = settled(breach(), waiver()).tags()
    assert tags == {"data_gates": "waived", "data_gates_waived": "payments.not_double"}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("expectation: units, table: payments", "which is critical"),
        ("expectation: nothing, table: payments", "does not declare"),
        ("expectation: not_double, table: debts", "does not declare"),
        ("expectation: not_double, table: payments, colum: amount", "unknown key"),
    ],
)
def test_a_waiver_of_what_cannot_be_waived_is_refused(tmp_path: Path, text: str, match: str) -> None:
    whole = f"waivers: [{{{text}, reason: a long enough one, by: risk, until: 2026-04-01}}]"
    with pytest.raises(ConfigError, match=match):
        load_declared(written(tmp_path, whole))


@pytest.mark.parametrize("left_out", ["reason: a long enough one", "by: risk", "until: 2026-04-01"])
def test_a_waiver_needs_a_reason_a_name_and_an_end(tmp_path: Path, left_out: str) -> None:
    parts = ["expectation: not_double", "table: payments", "reason: a long enough one", "by: risk", "until: 2026-04-01"]
    parts.remove(left_out)
    with pytest.raises(ConfigError, match=left_out.split(":", maxsplit=1)[0]):
        load_declared(written(tmp_path, f"waivers: [{{{', '.join(parts)}}}]"))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("tables: {payment: {}}", "needed one of accounts"),
        ("tables: {payments: {it: {kind: varied, column: amout, max_share: 0.5}}}", "amout"),
        ("tables: {payments: {it: {kind: unheard}}}", "unheard"),
        ("tables: {payments: {it: {kind: whole_file, severity: awful}}}", "severity"),
    ],
)
def test_an_expectation_of_what_there_is_not_is_refused(tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "data_expectations.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=match):
        load_declared(tmp_path)
