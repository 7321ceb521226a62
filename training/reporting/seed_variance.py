"""Section 28: how much of the model is the luck of its seed, from what training recorded of other seeds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.reporting.challenger import paired
from training.reporting.evidence import Evidence, HeldOut
from training.reporting.intervals import Scored, auc_of, mean_figure
from training.reporting.parts import Column, Section, Table, Value, not_available, note, table
from training.seeds import MOST_ROWS

Floats = npt.NDArray[np.float64]
_WIDE_SHARE = 0.95


def seed_variance(evidence: Evidence) -> Section:
    """Metrics and single scores under other seeds, and how many decisions another seed changes."""
    held = evidence.held_out
    others = _others(held)
    if held is None or not others:
        return not_available("seeds", "no_seeds")
    base = held.test if held.of_test("seed_0") is None else _with(held.test, held.of_test("seed_0"))
    named = (
        Column("seed_number", "text"), Column("auc"), Column("auc_gain"), Column("brier_gain"), Column("mean_change"),
        Column("crossed", "percent", 1),
    )  # fmt: skip
    rows = [_seed(name, base, p, evidence.policy.selected_share) for name, p in others.items()]
    tables = [table("seed_metrics", named, [("0", auc_of(base), None, None, None, None), *rows]), _spread(base, others)]
    tables += [] if evidence.seeds is None else [_choices(evidence)]
    said = [note("seeds_text", seeds=len(others), rows=len(base), share=evidence.policy.selected_share)]
    said += [note("seeds_share", most=MOST_ROWS)] if held.of_test("seed_0") is not None else []
    said += [note("seeds_no_choices" if evidence.seeds is None else "seeds_choices")]
    return Section("seeds", notes=tuple(said), tables=tuple(tables))


def _others(held: HeldOut | None) -> dict[str, Floats]:
    """Probabilities on test rows by seed, without the first one."""
    if held is None:
        return {}
    names = sorted(name for name in held.columns if name.startswith("seed_") and name != "seed_0")
    return {name.removeprefix("seed_"): held.columns[name][held.is_test].astype(np.float64) for name in names}


def _with(rows: Scored, p: npt.NDArray[np.float64] | None) -> Scored:
    return rows if p is None else Scored(rows.paid, p.astype(np.float64), rows.debtor)


def _seed(name: str, base: Scored, p: Floats, share: float) -> tuple[Value, ...]:
    """One seed beside the first: its AUC, paired differences, and what it does to single accounts."""
    found = _with(base, p)
    own, other = (one >= np.quantile(one, 1.0 - share) for one in (p, base.p))
    moved = mean_figure(np.abs(p - base.p), base.debtor)
    return (f"+{name}", auc_of(found), *paired(found, base.p), moved, mean_figure((own != other) * 1.0, base.debtor))


def _spread(base: Scored, others: dict[str, Floats]) -> Table:
    """Of one account's probabilities under all seeds: their standard deviation and their range."""
    every = np.stack([base.p, *others.values()])
    deviation, reach = every.std(axis=0, ddof=1), np.ptp(every, axis=0)
    columns = (
        Column("seeds", "count"), Column("mean_deviation"), Column("mean_range"), Column("wide_range"),
        Column("widest_range"),
    )  # fmt: skip
    means = (mean_figure(one, base.debtor) for one in (deviation, reach))
    row: tuple[Value, ...] = (len(every), *means, float(np.quantile(reach, _WIDE_SHARE)), float(reach.max()))
    return table("seed_scores", columns, [row])


def _choices(evidence: Evidence) -> Table:
    """Share of accounts whose best action, channel of contact or waiting at all is another one under the next seed."""
    kept = evidence.seeds or {}
    own, other = kept["action"].astype(np.int64)
    money, theirs = kept["chosen_cents"] / 100.0
    debtor = evidence.sample.clusters[: len(own)]
    changed, waits = (own != other).astype(np.float64), ((own > 0) != (other > 0)).astype(np.float64)
    columns = (
        Column("accounts", "count"), Column("action_changed", "percent", 1), Column("contact_changed", "percent", 1),
        Column("value_change", "money"),
    )  # fmt: skip
    figures = (mean_figure(one, debtor) for one in (changed, waits, theirs - money))
    return table("seed_choices", columns, [(len(own), *figures)])
