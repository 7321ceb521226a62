"""Everything a report is made from, read once: the bundle with its evaluation files, and what a run decided."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.allocation.prices import PriceList
from decisioning.bundle import ModelBundle, read_bundle
from decisioning.desk import Desk
from decisioning.engine import rehearse
from decisioning.exclusions import Exclusions
from decisioning.rehearsal import NEEDED
from decisioning.targeting import LeftAlone, by_self_cure
from training.promotion import read_comparison, read_evaluation
from training.reporting.decided import DecidedRows
from training.reporting.held_out_files import CODES, ROWS
from training.reporting.intervals import Scored
from training.reporting.lights import Figure, Light, judge
from training.reporting.policy import ReportOwner, ReportPolicy
from training.seeds import FILE as SEEDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SHAP_ROWS = 2_000
"""Of the sample's at most 5,000; plots of more points show no more."""


@dataclass(frozen=True)
class Cut:
    """One way to part the rows: ``code`` (n,) is the position of each row's label."""

    name: str
    labels: tuple[str, ...]
    code: Ints


@dataclass(frozen=True)
class HeldOut:
    """Rows later than training, as ``keeping.py`` left them: validation and test, without ids.

    ``columns`` are arrays (n,), among them ``paid``, ``p_pay``, ``test``, ``debtor``; ``told`` is the JSON beside them.
    """

    columns: Mapping[str, npt.NDArray[Any]]
    told: Mapping[str, Any]

    @cached_property
    def is_test(self) -> npt.NDArray[np.bool_]:
        """(n,) whether a row is a test row."""
        return np.asarray(self.columns["test"], dtype=np.bool_)

    @cached_property
    def test(self) -> Scored:
        """Test rows."""
        return self.scored(self.is_test)

    @cached_property
    def valid(self) -> Scored:
        """Validation rows: what the score looked like before."""
        return self.scored(~self.is_test)

    def scored(self, mask: npt.NDArray[np.bool_]) -> Scored:
        """Outcome, probability and debtor of some rows."""
        paid, p_pay, debtor = (self.columns[name][mask] for name in ("paid", "p_pay", "debtor"))
        return Scored(paid.astype(np.float64), p_pay.astype(np.float64), debtor.astype(np.int64))

    def of_test(self, name: str) -> npt.NDArray[Any] | None:
        """A column on the test rows; ``None`` where it was not kept."""
        return self.columns[name][self.is_test] if name in self.columns else None

    def cut(self, name: str, *, every: bool = False) -> Cut | None:
        """A cut of the test rows, or of ``every`` row; ``None`` where the data did not tell it."""
        code = self.columns.get(f"cut_{name}")
        if code is None:
            return None
        chosen = code if every else code[self.is_test]
        return Cut(name, tuple(self.told["labels"][name]), chosen.astype(np.int64))

    @property
    def protected(self) -> tuple[str, ...]:
        """Names of the cuts by protected attributes."""
        return tuple(self.told["protected"])


@dataclass(frozen=True)
class Sample:
    """At most 5,000 test rows with their features; ``debtor`` is ``None`` in bundles of before it was kept."""

    values: Floats
    paid: Floats
    p_pay: Floats
    debtor: Ints | None

    @property
    def clusters(self) -> Ints:
        """Debtors, or every row its own where they were not kept."""
        return np.arange(len(self.paid), dtype=np.int64) if self.debtor is None else self.debtor


@dataclass(frozen=True)
class Run:
    """What a run of ``acerto decide`` left, and what the control arms tell; each ``None`` where it was not given."""

    exclusions: Exclusions | None = None
    prices: PriceList | None = None
    decided: DecidedRows | None = None
    arms: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Evidence:
    """All of it. ``held_out`` is ``None`` for bundles of before rows were kept, ``previous`` where there is none.

    ``seeds`` are choices under two seeds, as ``training.seeds.seed_choices`` kept them.
    """

    bundle: ModelBundle
    evaluation: Mapping[str, Any]
    held_out: HeldOut | None
    sample: Sample
    policy: ReportPolicy
    owner: ReportOwner
    locale: str
    comparison: Mapping[str, Any] | None = None
    previous: Mapping[str, Any] | None = None
    desk: Desk | None = None
    run: Run = Run()
    seeds: Mapping[str, npt.NDArray[Any]] | None = None

    @property
    def explained(self) -> Mapping[str, Any]:
        """What was measured of the explained horizon."""
        found: Mapping[str, Any] = self.evaluation["horizons"][str(self.bundle.payment.explained)]
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Features in the order of columns."""
        return self.bundle.schema.names

    @cached_property
    def shown(self) -> Floats:
        """(m, k) rows of the sample that are explained."""
        return self.sample.values[:SHAP_ROWS]

    @cached_property
    def contributions(self) -> Floats:
        """(m, k + 1) exact contributions to the shown rows' margins; the last column is the base."""
        return self.bundle.payment.contributions(self.shown)

    @cached_property
    def left_alone(self) -> LeftAlone | None:
        """What waiting and the best action are worth on sampled rows; ``None`` where it is not known what is owed."""
        if self.desk is None or not set(NEEDED) <= self.bundle.schema.index.keys():
            return None
        return rehearse(self.sample.values, self.bundle, desk=self.desk)

    @cached_property
    def rehearsed(self) -> dict[str, Any] | None:
        """Whom contacting would pay for among the sampled rows; ``None`` where the model knows not what is owed."""
        desk, found = self.desk, self.left_alone
        if desk is None or found is None:
            return None
        return {
            "rows": len(found.p_pay),
            "rests_on_priors": self.bundle.response is None,
            "policy_version": desk.policy_version,
            "bands": by_self_cure(found),
        }

    def served(self, values: Floats) -> Floats:
        """(m,) probabilities of the explained horizon, as the delivered version serves them."""
        payment = self.bundle.payment
        found: Floats = payment.calibrators[payment.explained].apply(payment.margins(values))
        return found

    def rng(self, salt: int) -> np.random.Generator:
        """The same draws at every report."""
        return np.random.default_rng([salt, 20_26])

    def judge(self, code: str, figure: Figure | None, *, about: str | None = None, reason: str = "missing") -> Light:
        """A light by the policy of this report."""
        return judge(code, figure, self.policy, about=about, reason=reason)

    def missing(self, *codes: str, reason: str) -> tuple[Light, ...]:
        """Lights that are not available."""
        return tuple(self.judge(code, None, reason=reason) for code in codes)


def measured(
    found: Mapping[str, Any] | None, *, n: int, debtors: int | None, method: str = "bootstrap"
) -> Figure | None:
    """A figure of the evaluation file."""
    if found is None or found.get("value") is None:
        return None
    return Figure(found["value"], found.get("low"), found.get("high"), n, debtors, method)


def read_evidence(
    folder: Path, *, policy: ReportPolicy, owner: ReportOwner, locale: str, desk: Desk | None, run: Run
) -> Evidence:
    """Read a bundle's folder; ``BundleError`` where it is damaged."""
    bundle = read_bundle(folder)
    return Evidence(
        bundle, read_evaluation(folder), _held_out(folder), _sample(folder), policy, owner, locale,
        comparison=read_comparison(folder), previous=_previous(folder), desk=desk, run=run, seeds=_seeds(folder),
    )  # fmt: skip


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def _held_out(folder: Path) -> HeldOut | None:
    place = folder / "evaluation"
    if not (place / ROWS).is_file():
        return None
    return HeldOut(_arrays(place / ROWS), json.loads((place / CODES).read_text(encoding="utf-8")))


def _seeds(folder: Path) -> dict[str, npt.NDArray[Any]] | None:
    """What another seed would have chosen (``training.seeds``); ``None`` where training did not ask."""
    path = folder / "evaluation" / SEEDS
    return _arrays(path) if path.is_file() else None


def _sample(folder: Path) -> Sample:
    found = _arrays(folder / "evaluation" / "sample.npz")
    values, paid, p_pay = (np.asarray(found[name], dtype=np.float64) for name in ("values", "paid", "p_pay"))
    return Sample(values, paid, p_pay, found["debtor"].astype(np.int64) if "debtor" in found else None)


def _previous(folder: Path) -> Mapping[str, Any] | None:
    """Evaluation, feature names and manifest of the version before, where its bundle lies beside this one."""
    if not folder.name.isdecimal():
        return None
    earlier = [one for one in folder.parent.iterdir() if one.name.isdecimal() and int(one.name) < int(folder.name)]
    if not earlier:
        return None
    before = max(earlier, key=lambda one: int(one.name))
    bundle = read_bundle(before)
    return {
        "version": bundle.version, "model_hash": bundle.model_hash, "trained_at": bundle.trained_at,
        "features": list(bundle.schema.names), "evaluation": read_evaluation(before),
    }  # fmt: skip
