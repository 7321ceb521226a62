"""What each family of features adds on held-out rows: to p_pay, and to whether a contact is answered.

    python benchmarks/bench_families.py [--accounts 8000] [--seeds 1 2 3] [--data DIR ...]

Two targets, each with the project's own sampling, split by time and learner: a payment within 30 days, and a response
within three days of a contact. For each family beyond the core (``features.core_set``): core + family against core, and
everything against everything without the family. Figures are differences of held-out log-loss in 0.0001, below 0 where
the family helps, with 95 % intervals over debtors; seeds are pooled.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt

from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY
from domain.config import load_section
from domain.sheets import ACCOUNT, ID, OCCURRED
from features.batch import compute_many
from features.config import Attribute
from features.core_set import CORE
from features.encoding import Encoded, encode
from features.schema import FeatureSchema, fit_schema
from features.sheets import CHANNEL, CONTACT, RESPONSE_KIND
from features.spine import Spine
from features.tables import read_tables
from features.vocabulary import KINDS, POSITIVE_RESPONSES
from simulation.world import simulate
from training import labels
from training.boosting import Columns, Recipe, fit_stopped, margins
from training.config import TrainingConfig
from training.dataset import Horizon, payment_rows, payment_target
from training.facts import end_of_data

Floats = npt.NDArray[np.float64]
_MOST_CONTACTS = 40_000
_ANSWER_DAYS = 3


@dataclass(frozen=True)
class Problem:
    """A matrix with its target, and which rows train, stop and judge; ``always`` are columns that every model has."""

    names: tuple[str, ...]
    values: Floats
    target: Floats
    debtor: npt.NDArray[np.int64]
    parts: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]
    categorical: frozenset[str]
    always: frozenset[str] = frozenset()

    def losses(self, wanted: frozenset[str]) -> Floats:
        """Log-loss of each judged row, of a model of some features."""
        keep = [place for place, name in enumerate(self.names) if name in wanted | self.always]
        names = tuple(self.names[place] for place in keep)
        columns = Columns(names, tuple(place for place, name in enumerate(names) if name in self.categorical))
        config = TrainingConfig().model.model_copy(update={"threads": 1})
        train, valid, test = self.parts
        values = np.ascontiguousarray(self.values[:, keep])
        booster = fit_stopped(
            Recipe("binary", config), columns,
            train=(values[train], self.target[train]), valid=(values[valid], self.target[valid]),
        )  # fmt: skip
        margin = margins(booster, values[test], threads=1)
        signed = np.where(self.target[test] > 0, margin, -margin)
        return np.logaddexp(0.0, -signed)


def payments(encoded: Encoded, schema: FeatureSchema) -> Problem:
    """A payment within 30 days of moments at which the account owes."""
    config = TrainingConfig()
    horizon = Horizon(end_of_data(encoded.tables, until_us=None), config.posting_lag_days)
    rows = payment_rows(encoded, schema, config, horizon, longest_days=30)
    target = payment_target(rows, labels.receipts(encoded), horizon, days=30, config=config)
    split = target.split
    return Problem(
        schema.names, rows.values, target.paid, rows.rows.debtor.astype(np.int64),
        (split.train, split.valid, split.test), frozenset(schema.categories),
    )  # fmt: skip


def answers(encoded: Encoded, schema: FeatureSchema) -> Problem:
    """A response within three days of a contact of the last year, as known just before the contact."""
    contacts, responses = encoded.sheets.contacts, encoded.sheets.responses
    end_us = end_of_data(encoded.tables, until_us=None)
    positive = np.isin(responses[RESPONSE_KIND], [KINDS["response"].index(kind) for kind in POSITIVE_RESPONSES])
    first = np.full(len(encoded.tables.text("contacts", "contact_id").values) + 2, np.iinfo(np.int64).max)
    np.minimum.at(first, responses[CONTACT][positive], responses[OCCURRED][positive])
    usable = (contacts[ACCOUNT] >= 0) & (contacts[OCCURRED] > end_us - 365 * US_PER_DAY)
    chosen = np.flatnonzero(usable & (contacts[OCCURRED] < end_us - 2 * _ANSWER_DAYS * US_PER_DAY))
    chosen = chosen[np.argsort(contacts[OCCURRED, chosen], kind="stable")]
    chosen = chosen[:: max(1, len(chosen) // _MOST_CONTACTS)]
    at_us, account = contacts[OCCURRED, chosen], contacts[ACCOUNT, chosen].astype(np.int32)
    answered = first[contacts[ID, chosen]] <= at_us + _ANSWER_DAYS * US_PER_DAY
    values = compute_many(encoded, Spine(account, at_us), schema)
    order = np.arange(len(chosen))
    cuts = int(0.7 * len(order)), int(0.85 * len(order))
    return Problem(
        (*schema.names, "channel"), np.column_stack([values, contacts[CHANNEL, chosen]]), answered.astype(np.float64),
        encoded.debtor[account].astype(np.int64), (order[: cuts[0]], order[cuts[0] : cuts[1]], order[cuts[1] :]),
        frozenset(schema.categories) | {"channel"}, frozenset({"channel"}),
    )  # fmt: skip


def difference(pairs: Sequence[tuple[Floats, npt.NDArray[np.int64]]]) -> tuple[float, float]:
    """Mean of paired differences over seeds, and half the width of its 95 % interval, debtors being clusters."""
    values = np.concatenate([gap for gap, _ in pairs])
    owner = np.concatenate([debtor + 10_000_000 * place for place, (_, debtor) in enumerate(pairs)])
    mean = float(values.mean())
    _, cluster = np.unique(owner, return_inverse=True)
    sums = np.bincount(cluster, weights=values - mean)
    return mean, 1.96 * float(np.sqrt((sums**2).sum())) / len(values)


def table(problems: Sequence[Problem], schema: FeatureSchema) -> list[tuple[str, int, str, str, str]]:
    """One row per family: name, features beyond the core, what it adds to the core, what leaving it out costs."""
    families: dict[str, set[str]] = {}
    for feature in schema.features:
        families.setdefault(feature.family, set()).add(feature.name)
    everything = frozenset(schema.names)
    losses: dict[frozenset[str], list[Floats]] = {}

    def judged(wanted: frozenset[str]) -> list[Floats]:
        if wanted not in losses:
            losses[wanted] = [problem.losses(wanted) for problem in problems]
        return losses[wanted]

    def against(wanted: frozenset[str], other: frozenset[str]) -> tuple[str, bool]:
        gaps = [
            (ours - theirs, problem.debtor[problem.parts[2]])
            for ours, theirs, problem in zip(judged(wanted), judged(other), problems, strict=True)
        ]
        mean, half = difference(gaps)
        return f"{1e4 * mean:+.1f} ± {1e4 * half:.1f}", mean + half < 0

    rows = []
    core = frozenset(CORE & everything)
    for family, members in sorted(families.items()):
        beyond = frozenset(members - CORE)
        if beyond:
            added, helps = against(core | beyond, core)
            kept, needed = against(everything, everything - beyond)
            rows.append((family, len(beyond), added, kept, "yes" if helps or needed else "no"))
            print(rows[-1], file=sys.stderr, flush=True)
    rows.append(("all beyond the core", len(everything - CORE), against(everything, core)[0], "", ""))
    return rows


def main() -> None:
    """Simulate or read, compute, and print two tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=8_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--data", type=Path, nargs="*", default=[])
    chosen = parser.parse_args()
    started = time.process_time()
    attributes = {"income": Attribute(kind="numeric"), "employment": Attribute(kind="categorical")}
    with tempfile.TemporaryDirectory() as folder:
        places = list(chosen.data)
        if not places:
            catalogue = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
            for seed in chosen.seeds:
                places.append(Path(folder) / str(seed))
                simulate(accounts=chosen.accounts, seed=seed, out=places[-1], catalogue=catalogue)
        ledgers = [encode(read_tables(place, attributes=attributes), attributes=attributes) for place in places]
    schemas = [fit_schema(encoded, attributes=attributes) for encoded in ledgers]
    makers: Mapping[str, Callable[[Encoded, FeatureSchema], Problem]] = {"payment within 30 days": payments}
    if ledgers[0].tables.rows("responses"):
        makers = {**makers, "response within 3 days of a contact": answers}
    for title, make in makers.items():
        problems = [make(encoded, schema) for encoded, schema in zip(ledgers, schemas, strict=True)]
        rows = sum(len(problem.parts[2]) for problem in problems)
        base = np.mean([problem.target[problem.parts[2]].mean() for problem in problems])
        print(f"\n{title}: {rows:,} held-out rows of {len(problems)} data sets, {base:.1%} positive\n")
        print("| family | beyond the core | core + family − core | all − all without | adds |\n|---|---|---|---|---|")
        for row in table(problems, schemas[0]):
            print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(f"\n{time.process_time() - started:.0f} CPU-s")


if __name__ == "__main__":
    main()
