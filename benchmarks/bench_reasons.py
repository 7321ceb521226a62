"""Whether reasons hold still: their codes before and after noise of a percent on every numeric feature.

    python benchmarks/bench_reasons.py --mlruns mlruns --data demo/data --as-of 2026-03-02T12:00:00Z [--accounts 2000]
        [--draws 20] [--noise 0.01]

Each numeric feature is multiplied by a factor drawn evenly from ``1 ± noise``, each draw for itself; what is missing
stays so, and categories do too. The first reason is the same where its code is; of the second to fourth it is told
which share of the codes before is among those after, in any order.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scratch_registry import newest

from decisioning.bundle import ModelBundle, read_bundle
from decisioning.pages import owing, spine_at
from domain.clock import parse_moment, to_us
from features.batch import compute_many
from features.encoding import encode
from features.tables import read_tables
from training.reporting.noise import codes_of, scaled


@dataclass(frozen=True)
class Stability:
    """Over all accounts and draws: how often the first code stayed, and how much of the others did on average."""

    first: float
    others: float


def stability(bundle: ModelBundle, values: np.ndarray, *, draws: int, noise: float) -> Stability:
    """What noise does to the reasons of some rows."""
    rng, before = np.random.default_rng(0), codes_of(bundle, values)
    first, others = [], []
    for _ in range(draws):
        for was, now in zip(before, codes_of(bundle, scaled(values, bundle.schema, rng, noise=noise)), strict=True):
            if was:
                first.append(now[:1] == was[:1])
            if len(was) > 1:
                others.append(len(set(was[1:]) & set(now[1:])) / len(was[1:]))
    return Stability(float(np.mean(first)), float(np.mean(others)))


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mlruns", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--as-of", required=True)
    parser.add_argument("--accounts", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--noise", type=float, default=0.01)
    given = parser.parse_args()
    bundle = read_bundle(newest(given.mlruns)[-1])
    encoded = encode(read_tables(given.data, attributes=bundle.schema.attributes), attributes=bundle.schema.attributes)
    as_of_us = to_us(parse_moment(given.as_of))
    everyone = owing(encoded, as_of_us, channels=()).astype(np.int64)
    chosen = np.sort(np.random.default_rng(0).permutation(everyone)[: given.accounts])
    values = compute_many(encoded, spine_at(chosen, as_of_us), bundle.schema)
    found = stability(bundle, values, draws=given.draws, noise=given.noise)
    print(f"{len(values)} accounts, {given.draws} draws of ±{given.noise:.0%}")
    print(f"first reason the same: {found.first:.1%}; of the second to fourth still told: {found.others:.1%}")


if __name__ == "__main__":
    main()
