"""The same windowed features as a data scientist would compute them with pandas, polars and DuckDB.

All read prepared events (Parquet of integers, see ``bench_features``) and a spine, and give a frame with a column per
feature, in the order of the spine. A feature is named ``place`` of its declaration, so that names need no quoting.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

from features.definitions import Events, Windowed
from features.events import PARTS, PAYDAY, WEEKEND
from features.plan import FACET_OF, KIND_OF

US_PER_HOUR = 3_600_000_000
US_PER_DAY = 24 * US_PER_HOUR
SUPPORTED = frozenset(
    {"count", "sum", "mean", "max", "min", "std", "recency", "age", "last", "first", "days", "distinct", "last_kind"}
)
"""What all of them can say in one grouping; gaps between events, and windows since another event, are left out."""


def supported(rule: object) -> bool:
    """Whether a rule is compared on all sides, and timed."""
    return isinstance(rule, Windowed) and rule.aggregate in SUPPORTED and rule.window.since is None


def since_another(rule: object) -> bool:
    """Whether a rule looks back to another event: pandas alone is asked about those, and no time is taken."""
    return isinstance(rule, Windowed) and rule.aggregate in SUPPORTED and rule.window.since is not None


def _parts_mask(events: Events) -> int:
    return sum(1 << PARTS.index(part) for part in events.parts)


# --- pandas ---------------------------------------------------------------------------------------------------------


def by_pandas(events: Path, spine: Path, rules: Sequence[Windowed]) -> np.ndarray:
    """Merge once, then a mask and a grouping for each feature."""
    rows = pd.read_parquet(spine)
    merged = rows.assign(row=np.arange(len(rows))).merge(pd.read_parquet(events), on="account")
    seen = (merged["occurred"] < merged["as_of"]) & (merged["known_from"] < merged["as_of"])
    merged = merged[seen & (merged["as_of"] <= merged["known_until"])]
    columns = [_pandas_feature(merged, rule).reindex(range(len(rows))) for rule in rules]
    filled = [
        column.fillna(0) if rule.aggregate in {"count", "sum", "days", "distinct"} else column
        for column, rule in zip(columns, rules, strict=True)
    ]
    return np.column_stack([column.to_numpy(dtype=np.float64) for column in filled])


def _pandas_feature(merged: pd.DataFrame, rule: Windowed) -> pd.Series:
    chosen = _pandas_chosen(merged, rule.events)
    if rule.window.hours:
        chosen &= merged["occurred"] >= merged["as_of"] - rule.window.hours * US_PER_HOUR
    if rule.window.since is not None:
        stops = merged[_pandas_chosen(merged, rule.window.since)].groupby("row")["occurred"].max()
        chosen &= merged["occurred"] > merged["row"].map(stops).fillna(-np.inf)
    part = merged[chosen]
    groups = part.groupby("row")
    if rule.aggregate == "count":
        return groups.size()
    if rule.aggregate in {"sum", "mean", "max", "min", "last", "first"}:
        return getattr(groups["value"], rule.aggregate)()
    if rule.aggregate == "std":
        return groups["value"].std(ddof=0)
    if rule.aggregate == "recency":
        return (groups["as_of"].first() - groups["occurred"].max()) / US_PER_DAY
    if rule.aggregate == "age":
        return (groups["as_of"].first() - groups["occurred"].min()) / US_PER_DAY
    if rule.aggregate == "days":
        return groups["day"].nunique()
    if rule.aggregate == "distinct":
        return part.assign(facet=FACET_OF[part["code"]]).groupby("row")["facet"].nunique()
    return groups["code"].last().map(lambda code: KIND_OF[code])


def _pandas_chosen(merged: pd.DataFrame, events: Events) -> pd.Series:
    chosen = merged["code"].isin(events.codes())
    if events.parts:
        chosen &= (merged["when"] & _parts_mask(events)) > 0
    if events.weekend:
        chosen &= (merged["when"] & (1 << WEEKEND)) > 0
    if events.payday:
        chosen &= (merged["when"] & (1 << PAYDAY)) > 0
    return chosen


# --- polars ---------------------------------------------------------------------------------------------------------


def by_polars(events: Path, spine: Path, rules: Sequence[Windowed]) -> np.ndarray:
    """One lazy pass by the streaming engine: join, then every feature as an expression of one grouping."""
    rows = pl.scan_parquet(spine).with_row_index("row")
    seen = (pl.col("occurred") < pl.col("as_of")) & (pl.col("known_from") < pl.col("as_of"))
    joined = pl.scan_parquet(events).join(rows, on="account").filter(seen & (pl.col("as_of") <= pl.col("known_until")))
    named = [_polars_feature(rule).alias(f"f{place}") for place, rule in enumerate(rules)]
    found = joined.group_by("row").agg(named).collect(engine="streaming").sort("row")
    whole = rows.select("row").collect().join(found, on="row", how="left", maintain_order="left")
    columns = [
        whole[f"f{place}"].cast(pl.Float64).fill_null(0.0 if _zero(rule) else float("nan")).to_numpy()
        for place, rule in enumerate(rules)
    ]
    return np.column_stack(columns)


def _zero(rule: Windowed) -> bool:
    return rule.aggregate in {"count", "sum", "days", "distinct"}


def _polars_feature(rule: Windowed) -> pl.Expr:
    codes = rule.events.codes()
    low, high = min(codes), max(codes)
    code = pl.col("code")
    chosen = code.is_between(low, high) if high - low + 1 == len(codes) else code.is_in(list(codes))
    when = pl.col("when")
    if rule.events.parts:
        chosen &= (when & _parts_mask(rule.events)) > 0
    if rule.events.weekend:
        chosen &= (when & (1 << WEEKEND)) > 0
    if rule.events.payday:
        chosen &= (when & (1 << PAYDAY)) > 0
    if rule.window.hours:
        chosen &= pl.col("occurred") >= pl.col("as_of") - rule.window.hours * US_PER_HOUR
    if rule.aggregate == "count":
        return chosen.sum()
    value, moment = pl.col("value").filter(chosen), pl.col("occurred").filter(chosen)
    as_of = pl.col("as_of").first()
    latest = pl.col("place").filter(chosen)
    return {
        "sum": value.sum(),
        "mean": value.mean(),
        "max": value.max(),
        "min": value.min(),
        "std": value.std(ddof=0),
        "recency": (as_of - moment.max()) / US_PER_DAY,
        "age": (as_of - moment.min()) / US_PER_DAY,
        "last": value.get(latest.arg_max(), null_on_oob=True),
        "first": value.get(latest.arg_min(), null_on_oob=True),
        "days": pl.col("day").filter(chosen).n_unique(),
        "distinct": pl.col("facet").filter(chosen).n_unique(),
        "last_kind": pl.col("kind").filter(chosen).get(latest.arg_max(), null_on_oob=True),
    }[rule.aggregate]


# --- DuckDB ---------------------------------------------------------------------------------------------------------


def by_duckdb(events: Path, spine: Path, rules: Sequence[Windowed]) -> np.ndarray:
    """One range join, and a CASE for each feature: FILTER is many times slower (duckdb/duckdb#22710)."""
    columns = ", ".join(f"{_duckdb_feature(rule)} AS f{place}" for place, rule in enumerate(rules))
    query = f"""
        WITH rows AS (SELECT *, row_number() OVER () - 1 AS spot FROM read_parquet('{spine}')),
        seen AS (
            SELECT spot, s.as_of, e.* FROM rows s JOIN read_parquet('{events}') e ON e.account = s.account
            AND e.occurred < s.as_of AND e.known_from < s.as_of AND s.as_of <= e.known_until
        ),
        found AS (SELECT spot, {columns} FROM seen GROUP BY spot)
        SELECT found.* FROM rows LEFT JOIN found USING (spot) ORDER BY rows.spot
    """
    with duckdb.connect(config={"threads": 1}) as connection:
        found = connection.sql(query).fetchnumpy()
    return np.column_stack(
        [
            np.ma.filled(np.ma.asarray(found[f"f{place}"], dtype=np.float64), 0.0 if _zero(rule) else np.nan)
            for place, rule in enumerate(rules)
        ]
    )


def _duckdb_feature(rule: Windowed) -> str:
    parts = [f"code IN ({', '.join(map(str, rule.events.codes()))})"]
    parts += [f'("when" & {_parts_mask(rule.events)}) > 0'] if rule.events.parts else []
    parts += [f'("when" & {1 << WEEKEND}) > 0'] if rule.events.weekend else []
    parts += [f'("when" & {1 << PAYDAY}) > 0'] if rule.events.payday else []
    parts += [f"occurred >= as_of - {rule.window.hours * US_PER_HOUR}"] if rule.window.hours else []

    def case(what: str) -> str:
        return f"CASE WHEN {' AND '.join(parts)} THEN {what} END"

    return {
        "count": f"sum({case('1')})",
        "sum": f"sum({case('value')})",
        "mean": f"avg({case('value')})",
        "max": f"max({case('value')})",
        "min": f"min({case('value')})",
        "std": f"stddev_pop({case('value')})",
        "recency": f"(any_value(as_of) - max({case('occurred')})) / {float(US_PER_DAY)}",
        "age": f"(any_value(as_of) - min({case('occurred')})) / {float(US_PER_DAY)}",
        "last": f"arg_max(value, {case('place')})",
        "first": f"arg_min(value, {case('place')})",
        "days": f"count(DISTINCT {case('day')})",
        "distinct": f"count(DISTINCT {case('facet')})",
        "last_kind": f"arg_max(kind, {case('place')})",
    }[rule.aggregate]
