"""Damaged and forged bundles against a model that serves: all that differ are refused, and it serves on, to the bit.

    python benchmarks/soak_bundles.py [--corruptions 1000] [--mlruns mlruns | --bundle DIR] [--configs DIR] [--seed 1]

Each corruption changes a copy of the bundle, and the champion's alias is set to it as a promotion would: with the seal
that the bundle had. A tenth are forged, with a manifest that agrees with them; these come twice, once as put in the
place of what was promoted, and once promoted as they are, without a seal, so that they reach the process that tries
them: one that computes its golden rows is then a model like any other. Twenty more are pickles that leave a mark where
anything unpickles them. Exit code 1 where one that differs from what was promoted was taken, a mark was left, or an
answer changed.
"""

from __future__ import annotations

import argparse
import json
import logging
import pickle
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from corruptions import ACCIDENTS, FORGED, pickled
from soak_clients import body

from decisioning.bundle import ModelBundle, read_bundle
from decisioning.desk import load_desk
from decisioning.integrity import manifest_of, seal_of
from domain.config import load_section
from features.config import FeaturesConfig
from serving import handling
from serving.engine import Engine, load_engine
from serving.loading import tried_in_a_child, verified_bundle
from serving.schemas import Schemas, build_schemas
from serving.settings import Settings, read_settings
from serving.swapping import Champion
from serving.warmup import warm_up

PICKLES = 20
_HANG_S = 30.0


class House:
    """A registry in a scratch folder, a model that serves, and what follows the alias in front of it."""

    def __init__(self, root: Path, bundle: Path, *, configs: Path, trial: Callable[[Path, str], str]) -> None:
        self.root, self.source, self.mark = root, bundle, root / "unpickled"
        self.seal = seal_of(manifest_of(bundle))
        (root / "aliases").mkdir()
        (root / "bundles").mkdir()
        self.schemas: Schemas = build_schemas(load_section(configs / "features.yaml", FeaturesConfig).attributes)
        self.engine: Engine = load_engine(
            Settings(bundle=bundle, configs=configs), read=partial(verified_bundle, trial=trial)
        )
        self.champion = Champion(
            root, warm=lambda brain: warm_up(brain, self.schemas), read=partial(verified_bundle, trial=trial)
        )
        warm_up(self.engine, self.schemas)
        self._before = self._answer(self.engine)
        self._actions = load_desk(configs).catalogue.actions
        self._number = 0

    def offered(self, change: Callable[[Path, np.random.Generator], None], draw: Any, *, sealed: bool) -> str:
        """Points the alias at a changed copy.

        Returns
        -------
        The code with which it was refused; ``the same`` where it was taken and predicts what the original does,
        ``TAKEN`` where it predicts something else and is not what was promoted, ``another model`` where that was
        promoted with golden rows of its own; ``CHANGED`` where the model that serves answers otherwise than before
        """
        self._number += 1
        copy = Path(shutil.copytree(self.source, self.root / "bundles" / str(self._number)))
        change(copy, draw)
        alias = {"version": copy.name, "bundle": f"bundles/{copy.name}", "seal": self.seal if sealed else None}
        (self.root / "aliases/champion.json").write_text(json.dumps(alias))
        self.champion.moved()
        with trapped():
            found = self.champion.in_place_of(self.engine)
        result = self._told(found, sealed=sealed)
        for left in self.root.glob(f"bundles/{copy.name}*"):
            left.unlink() if left.is_symlink() or left.is_file() else shutil.rmtree(left)
        return result

    def _told(self, found: Engine | None, *, sealed: bool) -> str:
        if found is not None:
            return "the same" if self._same(found.bundle) else "TAKEN" if sealed else "another model"
        if self.champion.refused is None:
            return "TAKEN"
        return self.champion.refused.code if self._answer(self.engine) == self._before else "CHANGED"

    def _same(self, bundle: ModelBundle) -> bool:
        """Whether it predicts what the original does on a thousand drawn rows, and of every action on a hundred."""
        rows = np.random.default_rng(7).normal(size=(1_000, len(bundle.schema.names))) * 1_000
        return all(map(np.array_equal, self._predictions(self.engine.bundle, rows), self._predictions(bundle, rows)))

    def _predictions(self, bundle: ModelBundle, rows: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
        found = [bundle.payment.predict(rows)]
        if bundle.response is not None:
            found += bundle.response.outcomes(rows[:100], bundle.schema, self._actions).named().values()
        return found

    def _answer(self, engine: Engine) -> list[dict[str, Any]]:
        return handling.decisions(body(1), engine, self.schemas).answers


@contextmanager
def trapped() -> Iterator[None]:
    """Whoever unpickles in this process meanwhile is stopped; the child leaves a mark."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was unpickled")

    kept = pickle.load, pickle.loads, pickle.Unpickler
    pickle.load = pickle.loads = pickle.Unpickler = refuse  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        pickle.load, pickle.loads, pickle.Unpickler = kept  # type: ignore[misc]


def soak(
    house: House, *, corruptions: int, seed: int, pickles: int = PICKLES, tell: Callable[[int], None] = lambda _: None
) -> Counter[tuple[str, str]]:
    """What came of every corruption, by kind and result."""
    draw = np.random.default_rng(seed)
    forged = corruptions // 10
    plan: list[tuple[str, Any, bool]] = [
        (kind, ACCIDENTS[kind], True) for kind in _around(ACCIDENTS, corruptions - forged - pickles)
    ]
    for kind in _around(FORGED, forged // 2):
        plan += [(f"{kind}, after promotion", FORGED[kind], True), (f"{kind}, promoted", FORGED[kind], False)]
    for at in range(pickles):
        change = pickled(house.mark, forged=at % 2 == 1)
        plan.append(("a pickle, forged, promoted" if at % 2 else "a pickle", change, at % 2 == 0))
    found: Counter[tuple[str, str]] = Counter()
    for done, (kind, change, sealed) in enumerate(plan):
        found[kind, house.offered(change, draw, sealed=sealed)] += 1
        tell(done + 1)
    return found


def _around(kinds: dict[str, Any], times: int) -> list[str]:
    names = list(kinds)
    return [names[at % len(names)] for at in range(times)]


def main() -> int:
    """Prints what came of each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corruptions", type=int, default=1_000)
    parser.add_argument("--mlruns", type=Path, default=Path("mlruns"))
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    bundle = given.bundle or read_settings({"ACERTO_MLRUNS": str(given.mlruns)}).bundle
    read_bundle(bundle)

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

    def tell(done: int) -> None:
        if done % 50 == 0:
            print(f"{done} of {given.corruptions}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        trial = partial(tried_in_a_child, most_s=_HANG_S)
        house = House(Path(scratch), bundle, configs=given.configs, trial=trial)
        found = soak(house, corruptions=given.corruptions, seed=given.seed, tell=tell)
        unpickled = house.mark.exists()
    for (kind, result), count in sorted(found.items()):
        print(f"{count:5d}  {kind}: {result}")
    results: Counter[str] = Counter()
    for (_, result), count in found.items():
        results[result] += count
    print(f"{found.total()} corruptions: {dict(results)}; unpickled: {unpickled}")
    return 1 if results["TAKEN"] or results["CHANGED"] or unpickled else 0


if __name__ == "__main__":
    sys.exit(main())
