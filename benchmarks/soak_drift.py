"""Whether `acerto monitor` sees known drift in the one week in which it is planted, and is silent where there is none.

    python benchmarks/soak_drift.py [--lenders 4] [--jobs 1] [--seeds 20] [--clean 100] [--accounts 24000] [--out FILE]

Lenders are simulated and scored; each seed is half of the debtors of one over weeks of its own (`drift_world`). Limits
were chosen on lenders of other seeds (0 to 14). *Caught*: a
check that is named alarms in the planted week about what was moved. *False alarm*: a slice in which nothing was planted
has any alert at all, on any of some 4,000 checks. Intervals are Clopper and Pearson's.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from counted_shares import share_of
from drift_plants import PLANTS, Plant, budget_of
from drift_world import World, clean, world

from decisioning.config import DecisionConfig
from training.monitoring.behaviour import behaviour
from training.monitoring.checks import ALARMING, Check, Finding, judged
from training.monitoring.config import FAMILIES
from training.monitoring.drift import drift
from training.monitoring.monitor import monitor
from training.monitoring.outcomes import calibration
from training.monitoring.watched import Watched

MOST_MISSED, MOST_FALSE = 0.05, 0.05
_DONE = ("owing", "decisions", "contacts", "payments", "discounts", "fallbacks")
"""What checks of behaviour look at."""


@dataclass(frozen=True)
class Sought:
    """One kind planted once: whether it was caught, the power that the check told, and the codes that alarmed."""

    plant: str
    caught: bool
    power: float | None
    codes: tuple[str, ...]


@dataclass
class Tally:
    """What all seeds gave; of each clean slice, its alerts and how many checks could tell nothing."""

    sought: list[Sought] = field(default_factory=list)
    alarms: list[tuple[str, ...]] = field(default_factory=list)
    blind: list[dict[str, int]] = field(default_factory=list)
    judged: list[dict[str, int]] = field(default_factory=list)

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        names = ("sought", "alarms", "blind", "judged")
        return Tally(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True)
class Found:
    """A slice, the limits of its days, and what each kind of check found in it."""

    watched: Watched
    limits: DecisionConfig
    drifted: tuple[Finding, ...]
    outcomes: tuple[Finding, ...]
    behaved: tuple[Finding, ...]

    @classmethod
    def of(cls, watched: Watched, limits: DecisionConfig, whole: World) -> Found:
        """Everything, as `monitor` computes it."""
        bundle, config = whole.bundle, whole.config
        return cls(
            watched, limits, tuple(drift(watched, bundle, config)),
            tuple(calibration(watched, bundle.payment.horizons, config)), tuple(behaviour(watched, limits, config)),
        )  # fmt: skip

    def after(self, watched: Watched, limits: DecisionConfig, whole: World) -> Found:
        """The same of a slice that differs in something; what is as it was is not counted again."""
        bundle, config, drifted = whole.bundle, whole.config, self.drifted
        moved = [new.values is not old.values for new, old in zip(watched.rows, self.watched.rows, strict=True)]
        for place in np.flatnonzero(moved).tolist():
            week = watched.weeks[place]
            again = replace(watched, weeks=(week,), rows=(watched.rows[place],))
            drifted = tuple(one for one in drifted if one.week != week.name) + tuple(drift(again, bundle, config))
        same = all(getattr(watched, name) is getattr(self.watched, name) for name in _DONE) and limits is self.limits
        return Found(
            watched, limits, drifted, tuple(calibration(watched, bundle.payment.horizons, config)),
            self.behaved if same else tuple(behaviour(watched, limits, config)),
        )  # fmt: skip

    def checks(self, whole: World) -> list[Check]:
        """Judged together, as one report."""
        return judged([*self.drifted, *self.outcomes, *self.behaved], whole.config)


def plant(kind: Plant, whole: World, before: Found, seed: int) -> Sought:
    """Plant a kind in a slice, and judge it."""
    rng = np.random.default_rng([seed, 0x91A7, list(PLANTS).index(kind.name)])
    planted = kind.change(whole, before.watched, rng)
    checks = before.after(planted.watched, planted.limits, whole).checks(whole)
    named = [one for one in checks if _is_sought(one, kind, planted.week)]
    alarming = [one for one in named if one.state in ALARMING]
    powers = [one.power for one in named if one.power is not None]
    codes = tuple(sorted({one.found.code for one in checks if one.state in ALARMING}))
    # Where any feature may show it, no single power is that of the kind.
    return Sought(kind.name, bool(alarming), max(powers) if powers and len(named) == 1 else None, codes)


def _is_sought(one: Check, kind: Plant, week: str) -> bool:
    return one.found.code in kind.codes and one.found.week == week and kind.about in ("", one.found.about)


def silent(whole: World, slice_: Watched) -> tuple[tuple[str, ...], dict[str, int], dict[str, int]]:
    """Alerts of a clean slice, and how many of its checks by family could tell nothing, and something."""
    found = monitor(slice_, whole.bundle, limits=budget_of(slice_), config=whole.config)  # the real one, as a whole
    blind = Counter(FAMILIES[one.found.code] for one in found.checks if one.state == "cannot_tell")
    judged = Counter(FAMILIES[one.found.code] for one in found.checks if one.state == "green")
    return tuple(f"{one.code} {one.about}".strip() for one in found.alerts), dict(blind), dict(judged)


def run(whole: World, *, seeds: Sequence[int], quiet: Sequence[int], plants: Sequence[Plant], share: float) -> Tally:
    """Every kind on every seed, and slices without any."""
    tally = Tally()
    for seed in seeds:
        before = Found.of(clean(whole, seed, share=share), whole.limits, whole)
        tally.sought += [plant(kind, whole, before, seed) for kind in plants]
        missed = [one.plant for one in tally.sought[-len(plants) :] if not one.caught]
        print(f"seed {seed}: {', '.join(missed) or 'all caught'}", file=sys.stderr)
    for seed in quiet:
        alarms, blind, judged = silent(whole, clean(whole, seed, share=share))
        tally.alarms.append(alarms)
        tally.blind.append(blind)
        tally.judged.append(judged)
        if alarms:
            print(f"clean {seed}: {', '.join(alarms)}", file=sys.stderr)
    return tally


@dataclass(frozen=True)
class Asked:
    """What one process does: a lender, by its seed, and which slices of it."""

    lender: int
    accounts: int
    seeds: Sequence[int]
    quiet: Sequence[int]
    plants: tuple[str, ...]


def of_lender(asked: Asked) -> Tally:
    """Everything that is asked of one lender."""
    with tempfile.TemporaryDirectory() as folder:
        whole = world(Path(folder), accounts=asked.accounts, seed=asked.lender)
        plants = [PLANTS[name] for name in asked.plants]
        return run(whole, seeds=asked.seeds, quiet=asked.quiet, plants=plants, share=0.5)


def report(tally: Tally) -> list[str]:
    """Lines of Markdown: a row per kind, all together, and the slices without drift."""
    lines = ["| drift, planted in one week | check | caught | power told, least |", "|---|---|---|---|"]
    for kind in dict.fromkeys(one.plant for one in tally.sought):
        own = [one for one in tally.sought if one.plant == kind]
        powers = [one.power for one in own if one.power is not None]
        told = f"{min(powers):.2f}" if powers else "–"
        caught = share_of(sum(one.caught for one in own), len(own))
        lines.append(f"| {kind} | {', '.join(PLANTS[kind].codes)} | {caught} | {told} |")
    lines += ["", f"caught: {share_of(sum(one.caught for one in tally.sought), len(tally.sought))}"]
    alarmed = sum(bool(one) for one in tally.alarms)
    lines += [f"slices without drift that have any alert: {share_of(alarmed, len(tally.alarms))}"]
    counted = Counter(name for one in tally.alarms for name in one)
    lines += [f"their alerts: {', '.join(f'{name} {n}' for name, n in counted.most_common()) or 'none'}"]
    for family in dict.fromkeys(name for one in tally.judged for name in one):
        judged, blind = (sum(one.get(family, 0) for one in side) for side in (tally.judged, tally.blind))
        lines.append(f"{family}: {judged / len(tally.judged):.0f} green, {blind / len(tally.judged):.0f} cannot tell")
    return lines


def kept(tally: Tally) -> bool:
    """Whether at most one drift in twenty is missed, and at most one clean slice in twenty has an alert."""
    missed, false = sum(not one.caught for one in tally.sought), sum(bool(one) for one in tally.alarms)
    return missed <= MOST_MISSED * len(tally.sought) and false <= MOST_FALSE * len(tally.alarms)


def main() -> None:
    """Run, print, and end with 1 where the figures do not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lenders", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--first-lender", type=int, default=21)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--clean", type=int, default=100)
    parser.add_argument("--accounts", type=int, default=24_000)
    parser.add_argument("--kinds", nargs="+", choices=sorted(PLANTS), default=list(PLANTS))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    plants, tally = [PLANTS[name] for name in given.kinds], Tally()
    asked = [
        Asked(given.first_lender + lender, given.accounts, range(lender, given.seeds, given.lenders),
              range(10_000 + lender, 10_000 + given.clean, given.lenders), tuple(one.name for one in plants))
        for lender in range(given.lenders)
    ]  # fmt: skip
    with ProcessPoolExecutor(given.jobs) as pool:
        for found in pool.map(of_lender, asked):
            tally = tally.plus(found)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = [
        f"{given.lenders} lenders, half of {given.accounts:,} accounts of one for each of {given.seeds} seeds, "
        f"{len(given.kinds)} kinds, {given.clean} slices "
        f"without drift; {(used.ru_utime + used.ru_stime) / 60:.0f} minutes of one core", "", *report(tally),
    ]  # fmt: skip
    print("\n".join(lines))
    if given.out:
        given.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.exit(0 if kept(tally) else 1)


if __name__ == "__main__":
    main()
