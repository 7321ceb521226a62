"""Data gates against planted defects, and on clean data: what they catch, and how often they stop what is sound.

    python benchmarks/soak_gates.py [--seeds 25] [--first 1] [--accounts 400] [--only NAME …] [--clean] [--workers 1]

For each seed a portfolio is simulated. Its data until a month before its end are the last training; those until its
end, with one defect of ``defects.py``, are the new data. A defect is caught where what it names catches it, with the
severity it names. ``alone`` counts those that stop training with no last training to compare with. Clean data are
judged at eight ends per seed, each against a training 1 to 4 months before, and once with their features. Thresholds of
``configs/data_expectations.yaml`` were chosen on seeds 501 to 508. Prints a table, with intervals by Wilson; exit
code 1 where fewer than 99.5 % are caught, a critical kind is missed, or more than 1 % of the clean data are stopped.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import defects_of_money_and_time  # noqa: F401  (registers its defects)
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from defects import DEFECTS, Defect, World
from tally_of_gates import Tally, show

from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from features.encoding import encode
from features.findings import Report
from features.gates import reference
from features.gates.breaches import Breach
from features.gates.config import Leakage
from features.gates.judging import JUDGES, Declared, load_declared
from features.schema import fit_schema
from features.tables import read_tables
from features.validation import validate
from simulation.world import simulate
from training import labels
from training.dataset import Horizon, payment_rows, payment_target
from training.facts import end_of_data
from training.leakage import suspects
from training.pipeline import Configs

NOW = datetime(2026, 3, 3, tzinfo=UTC)
"""The day after the simulated history ends."""
BEFORE = datetime(2026, 2, 1, tzinfo=UTC)
_ENDS = 8
COMPARED = {
    str(kind.model_fields["kind"].annotation.__args__[0])
    for kind, judge in JUDGES.items()
    if judge.__module__ == reference.__name__
}
"""Kinds of expectation that need a last training."""


class Judge:
    """One clean portfolio, the profile of its last training, and the judgement of what is planted in it."""

    def __init__(self, folder: Path, configs: Path) -> None:
        self.world, self.configs = World(folder), Configs.load(configs)
        self.declared = load_declared(configs)
        self.channels = tuple(load_section(configs / "actions.yaml", ActionsConfig).channels)
        before = self.validated(folder, self.declared, until=BEFORE).profile
        self.compared = replace(self.declared, before=before, against="the last training")

    def validated(self, folder: Path, declared: Declared, *, until: datetime | None = None) -> Report:
        """The report of a directory."""
        return validate(
            folder, attributes=self.configs.features.attributes, now=NOW, channels=self.channels, declared=declared,
            until=until,
        )  # fmt: skip

    def clean(self) -> Iterator[list[str]]:
        """What stops sound data, at each of their ends."""
        for place in range(_ENDS):
            end = NOW - timedelta(days=1 + 40 * place)
            before = self.validated(self.world.folder, self.declared, until=end - timedelta(days=30 * (1 + place % 4)))
            compared = replace(self.declared, before=before.profile, against="the last training")
            report = self.validated(self.world.folder, compared, until=end)
            yield stopping(report)

    def clean_features(self) -> list[str]:
        """What stops sound data once their features are there."""
        return self.leaks(self.world.folder)

    def leaks(self, folder: Path) -> list[str]:
        """The expectation about leakage, once for each feature of a directory that is suspected of it."""
        expected = self.declared.expectations.leakage
        assert expected is not None
        return [f"features.{breach.expectation}" for breach in self.suspected(folder, expected)]

    def suspected(self, folder: Path, expected: Leakage) -> list[Breach]:
        """Features of a directory that tell by themselves who pays."""
        tables = read_tables(folder, attributes=self.configs.features.attributes)
        encoded = encode(tables, attributes=self.configs.features.attributes)
        horizon = Horizon(end_of_data(tables, until_us=None), self.configs.training.posting_lag_days)
        schema, decision = fit_schema(encoded, attributes=self.configs.features.attributes), self.configs.decision
        rows = payment_rows(encoded, schema, self.configs.training, horizon, longest_days=max(decision.horizon_days))
        target = payment_target(
            rows, labels.receipts(encoded), horizon, days=decision.explained_horizon, config=self.configs.training
        )
        usable = np.flatnonzero(target.usable)
        return list(suspects(rows.values[usable], target.paid[usable], rows.schema, expected))

    def judged(self, defect: Defect, folder: Path, seed: int) -> tuple[set[tuple[str, str]], bool]:
        """Everything that a defect sets off, as (severity, what), and whether it stops without a last training."""
        rng = np.random.default_rng([seed, DEFECTS.index(defect)])
        plant(defect, self.world, folder, rng)
        if defect.leak:
            return {("major", name) for name in self.leaks(folder)}, True
        report = self.validated(folder, self.compared)
        found = {(finding.severity, f"{finding.table}:{finding.code}") for finding in report.findings}
        found |= {(breach.severity, f"{breach.table}.{breach.expectation}") for breach in report.gates.breaches}
        return found, bool(report.critical) or any(b.kind not in COMPARED for b in report.gates.stopping)


def plant(defect: Defect, world: World, folder: Path, rng: np.random.Generator) -> None:
    """A directory with the defect; what it does not touch is linked."""
    changed = defect.plant(world, rng) if defect.plant else {}
    for table in world.tables:
        source, path = world.folder / f"{table}.parquet", folder / f"{table}.parquet"
        if table in changed:
            pq.write_table(as_arrow(changed[table]), path)
        elif defect.damage:
            path.write_bytes(source.read_bytes())
        else:
            path.symlink_to(source)
    if defect.damage:
        defect.damage(folder, rng)


def as_arrow(frame: pd.DataFrame) -> pa.Table:
    """A frame as it is written; times by way of numpy, since pandas has no other that will last."""
    found = {}
    for name, column in frame.items():
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            naive = pa.array(column.dt.tz_convert(None).to_numpy(), pa.timestamp("us"))
            found[name] = naive.cast(pa.timestamp("us", "UTC"))
        else:
            found[name] = pa.array(column.to_numpy(), from_pandas=True)
    return pa.table(found)


def stopping(report: Report) -> list[str]:
    """What stops training on a report."""
    return [f"{finding.table}:{finding.code}" for finding in report.critical] + [
        f"{breach.table}.{breach.expectation}" for breach in report.gates.stopping
    ]


def caught(defect: Defect, found: set[tuple[str, str]]) -> bool:
    """Whether what must catch a defect did, and is at least as bad as the defect."""
    enough = {"critical": ("critical",), "major": ("critical", "major"), "minor": ("critical", "major", "minor")}
    return any(what in defect.caught_by and severity in enough[defect.severity] for severity, what in found)


def run(seed: int, accounts: int, configs: Path, chosen: list[str]) -> Tally:
    """One seed: clean data first, then each defect of these names."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="gates-") as name:
        clean = Path(name) / "clean"
        catalogue = ActionCatalogue(load_section(configs / "actions.yaml", ActionsConfig))
        simulate(accounts=accounts, seed=seed, out=clean, catalogue=catalogue)
        judge = Judge(clean, configs)
        for found in judge.clean():
            tally.add_clean(seed, found)
        tally.add_clean(seed, judge.clean_features())
        for place, defect in enumerate(one for one in DEFECTS if one.name in chosen):
            folder = Path(name) / f"defect-{place}"
            folder.mkdir()
            found, alone = judge.judged(defect, folder, seed)
            tally.add(defect, seed, hit=caught(defect, found), alone=alone)
    return tally


def cost(data: Path, configs: Path) -> None:
    """CPU seconds of validation without and with expectations, in turn, the median of three."""
    config, declared = Configs.load(configs), load_declared(configs)
    before = validate(data, attributes=config.features.attributes, now=NOW, declared=declared).profile
    spent: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(6):
        gated, started = bool(turn % 2), time.process_time()
        asked = replace(declared, before=before, against="itself") if gated else None
        report = validate(data, attributes=config.features.attributes, now=NOW, declared=asked)
        spent[gated].append(time.process_time() - started)
    rows = sum(table.rows for table in report.tables)
    print(f"{rows:,} rows: {np.median(spent[False]):.2f} CPU-s without expectations, {np.median(spent[True]):.2f} with")


def telling(data: Path, configs: Path) -> None:
    """The features of a directory that tell most by themselves, and those of the leaks planted in it."""
    judge = Judge(data, configs)
    for defect in (None, *(one for one in DEFECTS if one.leak)):
        with tempfile.TemporaryDirectory(prefix="gates-") as name:
            folder = data if defect is None else Path(name)
            if defect is not None:
                plant(defect, judge.world, folder, np.random.default_rng(0))
            found = sorted(judge.suspected(folder, Leakage(max_auc=0.7)), key=lambda one: one.miss.found, reverse=True)
            print(f"{defect.name if defect else 'clean'}: {found[0].miss.column}, {found[0].miss.found}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=25)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--accounts", type=int, default=400)
    parser.add_argument("--only", nargs="+", default=[""], help="parts of the names of the defects to plant")
    parser.add_argument("--clean", action="store_true", help="plant nothing: clean data alone")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    parser.add_argument("--cost", type=Path, metavar="DIR", help="time the expectations on a directory instead")
    parser.add_argument("--telling", type=Path, metavar="DIR", help="the highest AUC of one feature, and with leaks")
    given = parser.parse_args()
    if given.telling is not None:
        telling(given.telling, given.configs)
        return
    if given.cost is not None:
        cost(given.cost, given.configs)
        return
    chosen = [] if given.clean else [one for one in DEFECTS if any(part in one.name for part in given.only)]
    tally, started = Tally(), time.perf_counter()
    seeds = range(given.first, given.first + given.seeds)
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        names = [defect.name for defect in chosen]
        waiting = [pool.submit(run, seed, given.accounts, given.configs, names) for seed in seeds]
        for seed, one in zip(seeds, waiting, strict=True):
            tally.merge(one.result())
            print(f"seed {seed}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    print(f"seeds {seeds[0]} to {seeds[-1]}, {given.accounts} accounts each")
    sys.exit(0 if show(tally, chosen, given.seeds) else 1)


if __name__ == "__main__":
    main()
