"""Windowed features as generated DuckDB SQL over canonical rows: written from the contract, apart from the engine.

Nothing of the engine's linking, sorting or scanning is used: visibility, corrections, local days and what a row says
are joins and window functions here. Only the declarations, and the order of codes that breaks ties, are shared.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa

from domain.clock import MISSING, zone_of
from domain.tables import HOLD_KINDS, PAYMENT_METHODS, PROMISE_KINDS, REASONS, TABLES, Tables
from features.definitions import Events, Feature, Window, Windowed
from features.vocabulary import CHANNELS, CODES, KINDS

DAY = 86_400_000_000
SUPPORTED = {
    "count", "sum", "mean", "max", "min", "std", "recency", "age", "last", "first", "days", "distinct", "last_kind",
}  # fmt: skip
_FACET = {
    "channel": f"CASE WHEN channel IN {CHANNELS} THEN channel ELSE 'other' END",
    "method": f"CASE WHEN method IN {PAYMENT_METHODS} THEN method ELSE 'other' END",
    "form": f"CASE WHEN kind IN {PROMISE_KINDS} THEN kind ELSE 'promise' END "
    "|| CASE WHEN discount_amount > 0 THEN '_discount' ELSE '' END",
    "hold": f"CASE WHEN kind IN {HOLD_KINDS} THEN kind ELSE 'dispute' END",
}


def windowed_by_sql(
    tables: Tables, rows: Sequence[tuple[str, int]], features: Sequence[Feature]
) -> dict[str, np.ndarray]:
    """The features that SQL can say, by name: (n,) each, for rows of account and ``as_of`` in µs."""
    chosen = [one for one in features if isinstance(one.rule, Windowed) and one.rule.aggregate in SUPPORTED]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in TABLES:
            connection.register(name, _arrow(tables, name))
        connection.register("zones", _zones(tables))
        connection.register("codes", _codes())
        spine = {"spot": range(len(rows)), "account_id": [row[0] for row in rows], "as_of": [row[1] for row in rows]}
        connection.register("spine", pa.table({name: list(values) for name, values in spine.items()}))
        found = connection.sql(_query(chosen)).to_arrow_table()
    return {
        one.name: found.column(one.name).cast(pa.float64()).fill_null(np.nan).to_numpy() for one in chosen
    }  # fmt: skip


def _arrow(tables: Tables, name: str) -> pa.Table:
    columns = {}
    for column in TABLES[name].columns:
        if column.kind in ("id", "text", "code", "list"):
            values = tables.text(name, column.name).decode() if tables.has(name) else []
            columns[column.name] = pa.array(values, pa.string())
        elif column.kind in ("number", "cost"):
            columns[column.name] = pa.array(tables.floats(name, column.name) if tables.has(name) else [], pa.float64())
        else:
            integers = tables.ints(name, column.name) if tables.has(name) else np.zeros(0, dtype=np.int64)
            columns[column.name] = pa.array(integers, pa.int64(), mask=integers == MISSING)
    return pa.table(columns)


def _zones(tables: Tables) -> pa.Table:
    names, recorded = tables.text("accounts", "account_id").decode(), tables.ints("accounts", "recorded_at")
    regions, zones = tables.text("accounts", "region").decode(), tables.text("accounts", "timezone").decode()
    first: dict[str, str] = {}
    for row in np.argsort(recorded, kind="stable"):
        first.setdefault(names[row], zone_of(regions[row], zones[row]) or "UTC")
    return pa.table({"account_id": list(first), "zone": list(first.values())})


def _codes() -> pa.Table:
    kinds = [KINDS[source].index(kind) for source, kind, _ in CODES]
    columns = dict(zip(("source", "kind", "facet"), zip(*CODES, strict=True), strict=True))
    return pa.table({**{n: list(v) for n, v in columns.items()}, "code": list(range(len(CODES))), "kind_code": kinds})


def _versions(name: str) -> str:
    spec = TABLES[name]
    rows = f"SELECT *, row_number() OVER () AS rn FROM {name}"
    later = f"lead(recorded_at) OVER (PARTITION BY {spec.id_column} ORDER BY recorded_at, rn)"
    wall = "epoch_us(timezone(zone, make_timestamptz(coalesce(occurred_at, 0))))"
    return (
        f"v_{name} AS (SELECT t.*, zone, coalesce({later}, {np.iinfo(np.int64).max}) AS until, "
        f"{wall} // {DAY} AS local_day FROM ({rows}) t LEFT JOIN zones USING (account_id))"
    )


def _plain(
    table: str, source: str, kind: str, facet: str, value: str, where: str = "true", at: str = "occurred_at"
) -> str:
    return (
        f"SELECT account_id, {at} AS moment, recorded_at AS since, until, '{source}' AS source, {kind} AS kind, "
        f"{facet} AS facet, {value} AS value FROM v_{table} WHERE {where} AND {at} IS NOT NULL"
    )


def _streams() -> list[str]:
    late = "(p.local_day - d.due_on)"
    joined = (
        "SELECT p.account_id, p.occurred_at AS moment, greatest(p.recorded_at, d.recorded_at, d.occurred_at) AS since, "
        "least(p.until, d.until) AS until, 'payment' AS source, {kind} AS kind, "
        f"{_FACET['method'].replace('method', 'p.method')} AS facet, {{value}} AS value "
        "FROM v_payments p JOIN v_debts d ON p.debt_id = d.debt_id AND p.account_id = d.account_id "
        "WHERE p.amount > 0 AND {where}"
    )
    midnight = f"due_on * {DAY} - (epoch_us(timezone(zone, make_timestamptz(due_on * {DAY}))) - due_on * {DAY})"
    due = f"greatest({midnight}, occurred_at)"
    kinds = f"CASE WHEN kind IN {KINDS['response'][:-1]} THEN kind ELSE 'other' END"
    cost = "CAST(round_even(coalesce(CASE WHEN isnan(cost) THEN 0 ELSE cost END, 0) * 10000, 0) AS BIGINT)"
    amount = "coalesce(amount, 0)"
    named = "amount > 0 AND promise_id IS NOT NULL"
    first_told = (
        "SELECT r.rn, min(greatest(c.recorded_at, c.occurred_at)) AS told FROM v_responses r "
        "JOIN v_contacts c USING (contact_id, account_id) GROUP BY r.rn"
    )
    received = "kind IN ('read', 'right_party')"
    tardy = f"CASE WHEN {late} > 0 THEN 'late' ELSE 'on_time' END"
    return [
        _plain("payments", "payment", "'paid'", _FACET["method"], "amount", "amount > 0"),
        _plain("payments", "payment", "'instalment'", _FACET["method"], "amount", named),
        _plain("payments", "payment", "'reversed'", _FACET["method"], "-amount", "amount < 0"),
        joined.format(kind=tardy, value=f"abs{late}", where="true"),
        joined.format(kind="'early'", value=f"-{late}", where=f"{late} <= -5"),
        joined.format(kind="'partial'", value="p.amount", where="p.amount < d.amount"),
        joined.format(kind="'instalment'", value="p.amount", where="d.promise_id IS NOT NULL AND p.promise_id IS NULL"),
        _plain("debts", "debt", "'issued'", "''", "amount"),
        _plain("debts", "debt", "'due'", "''", "amount", at=due),
        _plain("debts", "debt", "'instalment'", "''", "amount", "promise_id IS NOT NULL", at=due),
        _plain("debt_events", "debt_event", "kind", "''", f"abs({amount})", f"kind IN {KINDS['debt_event']}"),
        _plain("contacts", "contact", "'attempt'", _FACET["channel"], cost),
        _plain("contacts", "contact", "'offered'", _FACET["channel"], cost, "coalesce(offer, 'none') <> 'none'"),
        _plain("responses", "reason", "reason", "''", "0", f"reason IN {REASONS}"),
        _plain("responses", "response", kinds, _FACET["channel"], "0", "channel IS NOT NULL"),
        "SELECT account_id, occurred_at, recorded_at, least(until, coalesce(told, until)), 'response', "
        f"{kinds}, 'other', 0 FROM v_responses LEFT JOIN ({first_told}) USING (rn) WHERE channel IS NULL",
        "SELECT r.account_id, r.occurred_at, greatest(r.recorded_at, c.recorded_at, c.occurred_at), "
        f"least(r.until, c.until), 'response', {kinds.replace('kind', 'r.kind')}, "
        f"{_FACET['channel'].replace('channel', 'c.channel')}, 0 "
        "FROM v_responses r JOIN v_contacts c USING (contact_id, account_id) WHERE r.channel IS NULL",
        "SELECT account_id, occurred_at, recorded_at, least(until, coalesce(told, until)), 'receipt', 'received', "
        f"{_FACET['channel']}, 0 FROM v_responses LEFT JOIN ({first_told}) USING (rn) WHERE {received}",
        "SELECT r.account_id, c.occurred_at, greatest(r.recorded_at, r.occurred_at, c.recorded_at, c.occurred_at), "
        f"least(r.until, c.until), 'receipt', 'received', {_FACET['channel'].replace('channel', 'c.channel')}, 0 "
        f"FROM v_responses r JOIN v_contacts c USING (contact_id, account_id) WHERE r.{received}",
        _plain("promises", "promise", "'made'", _FACET["form"], amount),
        _plain("promises", "promise", "outcome", _FACET["form"], amount, "outcome IS NOT NULL", at="resolved_at"),
        _plain("holds", "hold", "'opened'", _FACET["hold"], "0"),
        _plain("holds", "hold", "'released'", _FACET["hold"], "0", at="released_at"),
    ]  # fmt: skip


def _selected(events: Events) -> str:
    parts = [f"source = '{events.source}'"]
    for column, values in (("kind", events.kinds), ("facet", events.facets), ("part", events.parts)):
        if values:
            parts.append(f"{column} IN ({', '.join(repr(value) for value in values)})")
    parts += ["weekend"] if events.weekend else []
    parts += ["payday"] if events.payday else []
    return "(" + " AND ".join(parts) + ")"


def _in_window(window: Window, stops: dict[Events, str]) -> str:
    if window.hours:
        return f"moment >= as_of - {window.hours * 3_600_000_000}"
    return f"moment > coalesce({stops[window.since]}, {MISSING + 1})" if window.since else "true"


def _aggregate(rule: Windowed, chosen: str) -> str:
    value, order = f"CASE WHEN {chosen} THEN value END", f"CASE WHEN {chosen} THEN place END"
    return {
        "count": f"coalesce(sum(CASE WHEN {chosen} THEN 1 END), 0)",
        "sum": f"coalesce(sum({value}), 0)",
        "mean": f"CAST(sum({value}) AS DOUBLE) / count({value})",
        "max": f"max({value})",
        "min": f"min({value})",
        "std": f"stddev_pop({value})",
        "recency": f"(any_value(as_of) - max(CASE WHEN {chosen} THEN moment END)) / {float(DAY)}",
        "age": f"(any_value(as_of) - min(CASE WHEN {chosen} THEN moment END)) / {float(DAY)}",
        "last": f"arg_max({value}, {order})",
        "first": f"arg_min({value}, {order})",
        "days": f"count(DISTINCT CASE WHEN {chosen} THEN day END)",
        "distinct": f"count(DISTINCT CASE WHEN {chosen} THEN facet END)",
        "last_kind": f"arg_max(CASE WHEN {chosen} THEN kind_code END, {order})",
    }[rule.aggregate]


def _query(features: Sequence[Feature]) -> str:
    rules = [one.rule for one in features]
    since = list(dict.fromkeys(rule.window.since for rule in rules if rule.window.since))
    stops = {events: f"stop{place}" for place, events in enumerate(since)}
    latest = "max(CASE WHEN {} THEN moment END) OVER (PARTITION BY spot)"
    stop_columns = "".join(f", {latest.format(_selected(events))} AS {name}" for events, name in stops.items())
    chosen = [f"({_selected(rule.events)} AND {_in_window(rule.window, stops)})" for rule in rules]
    columns = ", ".join(
        f'{_aggregate(one.rule, where)} AS "{one.name}"' for one, where in zip(features, chosen, strict=True)
    )
    wall = "epoch_us(timezone(zone, make_timestamptz(moment)))"
    hour = f"({wall} % {DAY}) // 3600000000"
    part = (
        f"CASE WHEN {hour} < 8 OR {hour} >= 20 THEN 'night' WHEN {hour} < 12 THEN 'morning' "
        f"WHEN {hour} < 17 THEN 'afternoon' ELSE 'evening' END"
    )
    local = "timezone(zone, make_timestamptz(moment))"
    return f"""
    WITH {", ".join(_versions(name) for name in TABLES if name not in ("accounts", "decisions"))},
    told AS ({" UNION ALL ".join(_streams())}),
    events AS (
        SELECT e.*, zone, code, kind_code, {wall} // {DAY} AS day, {part} AS part,
            isodow({local}) >= 6 AS weekend, day({local}) BETWEEN 5 AND 10 AS payday
        FROM told e JOIN zones USING (account_id) JOIN codes USING (source, kind, facet) WHERE since < until
    ),
    visible AS (
        SELECT s.spot, s.as_of, e.*,
            row_number() OVER (PARTITION BY s.spot ORDER BY moment, since, code, value) AS place
        FROM spine s LEFT JOIN events e
            ON e.account_id = s.account_id AND e.moment < s.as_of AND e.since < s.as_of AND s.as_of <= e.until
    ),
    marked AS (SELECT *{stop_columns} FROM visible)
    SELECT {columns} FROM marked GROUP BY spot ORDER BY spot
    """
