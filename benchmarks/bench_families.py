"""What each family of features adds on held-out rows: to p_pay, and to whether a contact is answered.

    python benchmarks/bench_families.py [--accounts 8000] [--seeds 1 2 3] [--data DIR ...]

Two targets, each with the project's own sampling, split by time and learner: a payment within 30 days, and a response
within three days of a contact. A model of the core alone (``features.core_set``) gives every row a margin, cross-fitted
on training rows; on top of it a small booster may use the features of one family, or one feature, and nothing else, and
stops where validation rows no longer improve. The figure is how much it lowers the log-loss of later rows, in 0.0001,
with a 95 % interval over debtors; data sets are pooled. This leaves out what a family adds only in company of others,
and in return sees effects that two separate models would drown in their own noise.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import lightgbm as lgb
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
from features.vocabulary import CHANNEL_CODES, CHANNELS, KINDS, POSITIVE_RESPONSES
from simulation.world import simulate
from training import labels
from training.boosting import Columns, Recipe, fit_rounds, fit_stopped, margins
from training.config import TrainingConfig
from training.dataset import Horizon, payment_rows, payment_target
from training.facts import end_of_data
from training.splits import debtor_folds

Floats = npt.NDArray[np.float64]
_MOST_CONTACTS = 40_000
_ANSWER_DAYS = 3
_FOLDS = 5
_MODEL = TrainingConfig().model.model_copy(update={"threads": 1})
_SMALL = {
    "objective": "binary", "num_leaves": 8, "learning_rate": 0.05, "min_data_in_leaf": 200, "lambda_l2": 10.0,
    "metric": "binary_logloss", "seed": 0, "num_threads": 1, "deterministic": True, "force_row_wise": True,
    "verbosity": -1,
}  # fmt: skip


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

    @cached_property
    def core(self) -> Floats:
        """(n,) margins of a model of the core alone; those of training rows from models that did not see the debtor."""
        keep = [place for place, name in enumerate(self.names) if name in CORE | self.always]
        names = tuple(self.names[place] for place in keep)
        columns = Columns(names, tuple(place for place, name in enumerate(names) if name in self.categorical))
        values, recipe = np.ascontiguousarray(self.values[:, keep]), Recipe("binary", _MODEL)
        train, valid, _ = self.parts
        stopped = fit_stopped(
            recipe, columns,
            train=(values[train], self.target[train]), valid=(values[valid], self.target[valid]),
        )  # fmt: skip
        found = margins(stopped, values, threads=1)
        fold = debtor_folds(self.debtor.astype(np.int32), folds=_FOLDS, seed=0)
        for one in range(_FOLDS):
            seen, unseen = train[fold[train] != one], train[fold[train] == one]
            booster = fit_rounds(
                recipe, columns, data=(values[seen], self.target[seen]), rounds=stopped.current_iteration()
            )  # fmt: skip
            found[unseen] = margins(booster, values[unseen], threads=1)
        return found

    def gain(self, wanted: frozenset[str]) -> Floats:
        """How much less each judged row loses once a small booster of some features stands on the core."""
        keep = [place for place, name in enumerate(self.names) if name in wanted | self.always]
        categorical = [place for place, column in enumerate(keep) if self.names[column] in self.categorical]
        values = np.ascontiguousarray(self.values[:, keep])
        parts = [
            lgb.Dataset(
                values[rows], self.target[rows], init_score=self.core[rows], categorical_feature=categorical,
                params={"verbosity": -1, "feature_pre_filter": False, "max_bin": 63},
            )
            for rows in self.parts[:2]
        ]  # fmt: skip
        booster = lgb.train(
            _SMALL, parts[0], 300, valid_sets=[parts[1]], callbacks=[lgb.early_stopping(30, verbose=False)]
        )
        test = self.parts[2]
        better = booster.best_score["valid_0"]["binary_logloss"] < _loss(self, self.parts[1]).mean()
        if not better:  # nothing on validation rows speaks for it: the core stays as it is
            return np.zeros(len(test))
        extra = booster.predict(values[test], raw_score=True, num_iteration=booster.best_iteration)
        return _loss(self, test) - _loss(self, test, extra)


def _loss(problem: Problem, rows: npt.NDArray[np.int64], extra: Floats | float = 0.0) -> Floats:
    margin = problem.core[rows] + extra
    return np.logaddexp(0.0, np.where(problem.target[rows] > 0, -margin, margin))


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
    own = own_channel(values, contacts[CHANNEL, chosen], schema)
    order = np.arange(len(chosen))
    cuts = int(0.7 * len(order)), int(0.85 * len(order))
    return Problem(
        (*schema.names, *own, "channel"), np.column_stack([values, *own.values(), contacts[CHANNEL, chosen]]),
        answered.astype(np.float64),
        encoded.debtor[account].astype(np.int64), (order[: cuts[0]], order[cuts[0] : cuts[1]], order[cuts[1] :]),
        frozenset(schema.categories) | {"channel"}, frozenset({"channel"}),
    )  # fmt: skip


def own_channel(
    values: Floats, channel: npt.NDArray[np.int64], schema: FeatureSchema
) -> dict[str, Floats]:  # fmt: skip
    """Features of single channels, each taken for the contact's own channel, as the response model takes them."""
    found: dict[str, Floats] = {}
    for pattern in {name.replace(CHANNELS[0], "{}") for name in schema.names if f"_{CHANNELS[0]}_" in name}:
        columns = [schema.index.get(pattern.format(one)) for one in CHANNEL_CODES]
        taken = np.full(len(values), np.nan)
        for code, column in enumerate(columns):
            if column is not None:
                taken[channel == code] = values[channel == code, column]
        found[pattern.format("own")] = taken
    return found


def difference(pairs: Sequence[tuple[Floats, npt.NDArray[np.int64]]]) -> tuple[float, float]:
    """Mean of paired differences over seeds, and half the width of its 95 % interval, debtors being clusters."""
    values = np.concatenate([gap for gap, _ in pairs])
    owner = np.concatenate([debtor + 10_000_000 * place for place, (_, debtor) in enumerate(pairs)])
    mean = float(values.mean())
    _, cluster = np.unique(owner, return_inverse=True)
    sums = np.bincount(cluster, weights=values - mean)
    return mean, 1.96 * float(np.sqrt((sums**2).sum())) / len(values)


def table(problems: Sequence[Problem], schema: FeatureSchema, *, single: bool) -> list[tuple[str, ...]]:
    """One row per family (or per feature beyond the core): name, how many features, what they add, and whether."""
    groups: dict[str, set[str]] = {}
    for feature in schema.features:
        if feature.name not in CORE:
            group = groups.setdefault(feature.name if single else feature.family, set())
            group |= {feature.name, feature.name.replace(f"_{CHANNELS[0]}_", "_own_")}
    if not single:
        groups["all of them"] = set().union(*groups.values())
    rows = []
    for name, members in groups.items():
        mean, half = difference([(one.gain(frozenset(members)), one.debtor[one.parts[2]]) for one in problems])
        adds = "yes" if mean - half > 0 else "perhaps" if mean > 0 else "no"
        rows.append((name, str(len(members & set(schema.names))), f"{1e4 * mean:+.2f} ± {1e4 * half:.2f}", adds))
    return rows


def main() -> None:
    """Simulate or read, compute, and print two tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=8_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--single", action="store_true", help="feature by feature instead of family by family")
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
        loss = np.concatenate([_loss(problem, problem.parts[2]) for problem in problems]).mean()
        print(f"log-loss of the core {loss:.4f}\n")
        print("| family | beyond the core | adds, in 0.0001 | |\n|---|---|---|---|", flush=True)
        for row in table(problems, schemas[0], single=chosen.single):
            print("| " + " | ".join(row) + " |", flush=True)
    print(f"\n{time.process_time() - started:.0f} CPU-s")


if __name__ == "__main__":
    main()
