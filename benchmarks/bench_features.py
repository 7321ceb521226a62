"""Features of a simulated portfolio: our engine beside naive pandas, from the same Parquet files, cell by cell.

    python benchmarks/bench_features.py [--accounts 6500] [--rounds 2]

Both read the canonical tables and give every windowed feature of the catalogue for every account at the end of the
history. Rounds are interleaved in one process; the figure is process CPU time, compilation excluded.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import from_us, to_us
from domain.config import load_section
from features.batch import compute_many
from features.definitions import PARTS, Windowed
from features.encoding import encode
from features.schema import fit_schema
from features.spine import every_account
from features.tables import read_tables
from features.vocabulary import CHANNELS
from simulation.judge import end_of
from simulation.world import simulate

Frames = dict[str, pd.DataFrame]


def ours(data: Path, as_of_us: int) -> tuple[list[str], pd.DataFrame]:
    """Windowed features by the engine, from files to frame."""
    encoded = encode(read_tables(data, attributes={}), attributes={})
    schema = fit_schema(encoded, attributes={})
    values = compute_many(encoded, every_account(len(encoded.account_ids), as_of_us=as_of_us), schema)
    names = [feature.name for feature in schema.features if isinstance(feature.rule, Windowed)]
    columns = [schema.index[name] for name in names]
    return names, pd.DataFrame(values[:, columns], index=list(encoded.account_ids), columns=names)


def sources(data: Path) -> Frames:
    """Events by source, as a data scientist would prepare them in pandas."""
    raw = {path.stem: pd.read_parquet(path) for path in sorted(data.glob("*.parquet"))}
    zone = raw["accounts"].set_index("account_id")["region"]
    payments, debts = raw["payments"], raw["debts"]
    joined = payments[payments["amount"].astype(float) > 0].merge(
        debts[["debt_id", "due_on", "amount"]], on="debt_id", suffixes=("", "_debt")
    )
    days = (_local(joined, zone).dt.tz_localize(None).dt.normalize() - pd.to_datetime(joined["due_on"])).dt.days
    partial = joined["amount"].astype(float) < joined["amount_debt"].astype(float)
    due = debts.assign(occurred_at=_midnight(debts, zone))
    contacts = raw["contacts"].assign(kind="attempt", value=(raw["contacts"]["cost"].fillna(0) * 10_000).round())
    responses = raw["responses"].merge(
        raw["contacts"][["contact_id", "channel"]], on="contact_id", how="left", suffixes=("", "_c")
    )
    responses["channel"] = (
        responses["channel"].fillna(responses["channel_c"]) if "channel_c" in responses else responses["channel"]
    )
    promises, holds = raw["promises"], raw["holds"]
    resolved = promises[promises["outcome"].notna()]
    released = holds[holds["released_at"].notna()]
    return {
        "payment": _stack(
            [
                payments[payments["amount"].astype(float) > 0].assign(kind="paid", value=lambda f: _cents(f["amount"])),
                payments[payments["amount"].astype(float) < 0].assign(
                    kind="reversed", value=lambda f: -_cents(f["amount"])
                ),
                joined.assign(kind=np.where(days > 0, "late", "on_time"), value=days.abs()),
                joined[partial].assign(kind="partial", value=lambda f: _cents(f["amount"])),
            ],
            zone,
        ),
        "debt": _stack(
            [
                debts.assign(kind="issued", value=_cents(debts["amount"])),
                due.assign(kind="due", value=_cents(due["amount"])),
            ],
            zone,
        ),
        "debt_event": _stack(
            [raw["debt_events"].assign(value=_cents(raw["debt_events"]["amount"].fillna(0)).abs())], zone
        ),
        "contact": _stack([contacts], zone),
        "response": _stack([responses.assign(value=0)], zone),
        "reason": _stack([raw["responses"].dropna(subset="reason").assign(kind=lambda f: f["reason"], value=0)], zone),
        "promise": _stack(
            [
                promises.assign(kind="made", value=_cents(promises["amount"].fillna(0))),
                resolved.assign(kind=resolved["outcome"], occurred_at=resolved["resolved_at"], value=0),
            ],
            zone,
        ),
        "hold": _stack(
            [
                holds.assign(kind="opened", value=0),
                released.assign(kind="released", occurred_at=released["released_at"], value=0),
            ],
            zone,
        ),
    }


def _cents(amount: pd.Series) -> pd.Series:
    return (amount.astype(float) * 100).round()


def _zone_names(frame: pd.DataFrame, zone: pd.Series) -> pd.Series:
    from domain.clock import zone_of

    known = {region: zone_of(region) or "UTC" for region in zone.dropna().unique()}
    return frame["account_id"].map(zone).map(known).fillna("UTC")


def _local(frame: pd.DataFrame, zone: pd.Series) -> pd.Series:
    """Local wall clock, kept as naive times labelled UTC."""
    names = _zone_names(frame, zone)
    wall = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us, UTC]")
    for name in names.unique():
        rows = names == name
        wall[rows] = frame.loc[rows, "occurred_at"].dt.tz_convert(name).dt.tz_localize(None).dt.tz_localize("UTC")
    return wall


def _midnight(debts: pd.DataFrame, zone: pd.Series) -> pd.Series:
    """Local midnight of the due day, or the issue where that is later."""
    names, day = _zone_names(debts, zone), pd.to_datetime(debts["due_on"])
    at = pd.Series(pd.NaT, index=debts.index, dtype="datetime64[us, UTC]")
    for name in names.unique():
        rows = names == name
        at[rows] = day[rows].dt.tz_localize(name, nonexistent="shift_forward", ambiguous=False).dt.tz_convert("UTC")
    return at.where(at > debts["occurred_at"], debts["occurred_at"])


def _stack(frames: list[pd.DataFrame], zone: pd.Series) -> pd.DataFrame:
    columns = ["account_id", "kind", "channel", "occurred_at", "recorded_at", "value"]
    whole = pd.concat([frame.reindex(columns=columns) for frame in frames], ignore_index=True)
    wall = _local(whole, zone)
    whole["day"], hour = wall.dt.normalize(), wall.dt.hour
    whole["part"] = np.select([hour.between(8, 11), hour.between(12, 16), hour.between(17, 19)], PARTS[1:], PARTS[0])
    whole["weekend"] = wall.dt.day_of_week >= 5
    whole["channel"] = whole["channel"].where(whole["channel"].isin(CHANNELS), "other")
    return whole


def naive(found: Frames, accounts: pd.Index, as_of_us: int, rules: dict[str, Windowed]) -> pd.DataFrame:
    """The same features in pandas: for each, filter, mask the window, group by account, aggregate."""
    as_of = pd.Timestamp(from_us(as_of_us))
    out = {}
    for name, rule in rules.items():
        column = _one(found[rule.events.source], rule, as_of).reindex(accounts)
        out[name] = column.fillna(0.0) if rule.aggregate in {"count", "sum", "days"} else column
    return pd.DataFrame(out, index=accounts)


def _one(events: pd.DataFrame, rule: Windowed, as_of: pd.Timestamp) -> pd.Series:
    chosen = events
    if rule.events.kinds:
        chosen = chosen[chosen["kind"].isin(rule.events.kinds)]
    if rule.events.channels:
        chosen = chosen[chosen["channel"].isin(rule.events.channels)]
    if rule.events.parts:
        chosen = chosen[chosen["part"].isin(rule.events.parts)]
    if rule.events.weekend:
        chosen = chosen[chosen["weekend"]]
    chosen = chosen[(chosen["occurred_at"] < as_of) & (chosen["recorded_at"] < as_of)]
    if rule.days:
        chosen = chosen[chosen["occurred_at"] >= as_of - pd.Timedelta(days=rule.days)]
    chosen = chosen.sort_values(["account_id", "occurred_at", "recorded_at", "kind", "value"])
    return _AGGREGATES[rule.aggregate](chosen.groupby("account_id"), as_of)


def _gaps(groups: object, *, how: str) -> pd.Series:
    frame = groups.obj  # type: ignore[attr-defined]
    gap = frame.groupby("account_id")["occurred_at"].diff()
    if how == "mean":
        return (gap.dt.total_seconds() // 1 / 86_400).groupby(frame["account_id"]).mean()
    hours = (gap // pd.Timedelta(hours=1)).where(gap.notna()).groupby(frame["account_id"])
    return (hours.std(ddof=0) / 24).where(hours.count() > 1)


def _days(moments: pd.Series, as_of: pd.Timestamp) -> pd.Series:
    return (as_of - moments).dt.total_seconds() / 86_400


_AGGREGATES: dict[str, Callable[..., pd.Series]] = {
    "count": lambda groups, _: groups.size().astype(float),
    "sum": lambda groups, _: groups["value"].sum().astype(float),
    "mean": lambda groups, _: groups["value"].mean(),
    "max": lambda groups, _: groups["value"].max().astype(float),
    "recency": lambda groups, as_of: _days(groups["occurred_at"].max(), as_of),
    "age": lambda groups, as_of: _days(groups["occurred_at"].min(), as_of),
    "last": lambda groups, _: groups["value"].last().astype(float),
    "days": lambda groups, _: groups["day"].nunique().astype(float),
    "gap_mean": lambda groups, _: _gaps(groups, how="mean"),
    "gap_std": lambda groups, _: _gaps(groups, how="std"),
}


def _timed(run: Callable[[], object]) -> tuple[object, float]:
    start = time.process_time()
    return run(), time.process_time() - start


def main() -> None:
    """Simulate, run both engines in turn, compare every cell, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=6_500)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--data", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or Path(folder)
        if options.data is None:
            catalogue = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
            simulate(accounts=options.accounts, seed=0, out=data, catalogue=catalogue, on_step=None)
        compare(data, options.rounds)


def compare(data: Path, rounds: int) -> None:
    """The comparison itself, on a data directory that the simulator wrote."""
    as_of_us = to_us(end_of(data))
    encoded = encode(read_tables(data, attributes={}), attributes={})
    schema = fit_schema(encoded, attributes={})
    rules = {feature.name: feature.rule for feature in schema.features if isinstance(feature.rule, Windowed)}
    events = len(encoded.events.code)
    ours(data, as_of_us)  # compiles
    accounts = pd.Index(encoded.account_ids)
    engine, prepared, pandas = [], [], []
    for _ in range(rounds):
        (_, mine), spent = _timed(lambda: ours(data, as_of_us))  # type: ignore[misc]
        engine.append(spent)
        found, spent = _timed(lambda: sources(data))
        prepared.append(spent)
        theirs, spent = _timed(lambda: naive(found, accounts, as_of_us, rules))  # type: ignore[arg-type]  # noqa: B023
        pandas.append(spent)
    whole = np.array(prepared) + np.array(pandas)
    kernel = min(
        _timed(lambda: compute_many(encoded, every_account(len(mine), as_of_us=as_of_us), schema))[1] for _ in range(3)
    )
    worst, cells = differences(mine, theirs)  # type: ignore[arg-type]
    print(f"{events:,} events, {len(mine):,} accounts, {len(rules)} windowed features, {mine.size:,} cells")
    print(f"cells that differ by more than 1e-9 (relative): {cells}; largest difference {worst:.1e}")
    print(f"engine, files to matrix: {min(engine):.2f} CPU-s, {events / min(engine) / 1e6:.2f} M events per CPU-s")
    print(f"engine, matrix alone: {kernel:.2f} CPU-s, {events / kernel / 1e6:.2f} M events per CPU-s")
    print(
        f"naive pandas, files to matrix: {whole.min():.2f} CPU-s, {events / whole.min() / 1e6:.2f} M events per CPU-s"
    )
    print(f"naive pandas, matrix alone: {min(pandas):.2f} CPU-s, {events / min(pandas) / 1e6:.2f} M events per CPU-s")
    files, alone = np.median(whole / np.array(engine)), np.median(pandas) / kernel
    print(f"ratio pandas / engine: files to matrix {files:.1f}, matrix alone {alone:.0f}")


def differences(mine: pd.DataFrame, theirs: pd.DataFrame) -> tuple[float, int]:
    """Largest relative difference, and how many cells differ by more than 1e-9; missing equals missing."""
    left, right = mine.to_numpy(), theirs[mine.columns].to_numpy(dtype=float)
    both = np.isnan(left) & np.isnan(right)
    gap = np.abs(left - right) / np.maximum(np.abs(right), 1.0)
    gap = np.where(both, 0.0, np.where(np.isnan(gap), np.inf, gap))
    for name, count in zip(mine.columns, (gap > 1e-9).sum(axis=0), strict=True):
        if count:
            print(f"  {name}: {count} cells differ")
    return float(gap.max()), int((gap > 1e-9).sum())


if __name__ == "__main__":
    main()
