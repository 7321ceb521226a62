"""When a version may become champion: gates on what was measured, unless somebody says why not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from decisioning.bundle import read_bundle
from domain.errors import AcertoError
from training import registry
from training.config import GatesConfig
from training.ope.opponents import Comparison

EVALUATION = "evaluation/evaluation.json"


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition: what was found (a number, or a verdict), what was needed, and whether it is met."""

    name: str
    found: float | str | None
    needed: str
    met: bool


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was promoted, after which gates, and who was champion before."""

    version: str
    previous: str | None
    gates: tuple[Gate, ...]
    forced: bool


def promote(
    tracking: registry.Tracking,
    *,
    version: str | None,
    gates: GatesConfig,
    why: str | None = None,
    comparisons: Sequence[Comparison] = (),
) -> Promotion:
    """Move ``champion`` to a version, by default the challenger; ``why`` forces it past gates that are not met.

    Parameters
    ----------
    comparisons : of its policy with those of its opponents, where logged decisions were there to compare on

    Raises
    ------
    AcertoError : a gate is not met, and no reason was given to promote nevertheless
    BundleError : there is no such version, or it is damaged
    """
    chosen = registry.challenger(tracking) if version is None else version
    folder = registry.bundle_of(chosen, tracking)
    read_bundle(folder)
    checked = (*check(read_evaluation(folder), gates), *policy_gates(comparisons, gates))
    failed = [gate for gate in checked if not gate.met]
    if failed and not why:
        told = "; ".join(f"{gate.name}: found {gate.found}, needed {gate.needed}" for gate in failed)
        raise AcertoError(f"version {chosen} is not promoted. {told}. Train again, or use --force --why TEXT")
    previous = registry.move_champion(chosen, tracking, why=why or "all gates met")
    return Promotion(chosen, previous, checked, forced=bool(failed))


def check(evaluation: dict[str, Any], gates: GatesConfig) -> tuple[Gate, ...]:
    """The gates of a version, from its evaluation file; the explained horizon counts."""
    explained = evaluation["horizons"][str(evaluation["explained_horizon"])]
    gain = explained["auc_over_days_past_due"]["value"]
    error = explained["metrics"]["ece"]["value"]
    least = gates.min_auc_over_days_past_due
    return (
        *_feature_gate(evaluation, gates),
        Gate("AUC above days past due alone", gain, f"more than {least:g}", gain is not None and gain > least),
        Gate(
            "calibration error (ECE)", error, f"at most {gates.max_ece:g}", error is not None and error <= gates.max_ece
        ),
    )


def policy_gates(comparisons: Sequence[Comparison], gates: GatesConfig) -> tuple[Gate, ...]:
    """The gates of what the policy is worth: one per opponent, met where the configuration does not ask about it."""
    return tuple(_policy_gate(found, gates) for found in comparisons)


def _policy_gate(found: Comparison, gates: GatesConfig) -> Gate:
    name = f"value against {found.opponent}"
    if found.opponent in gates.better_than:
        return Gate(name, found.verdict, "better", found.verdict == "better")
    if found.opponent in gates.not_worse_than:
        return Gate(name, found.verdict, "not worse", found.verdict != "worse")
    return Gate(name, found.verdict, "nothing (told only)", True)


def _feature_gate(evaluation: dict[str, Any], gates: GatesConfig) -> tuple[Gate, ...]:
    """The gate of the training matrix; versions of before it was looked at have none."""
    counts, most = evaluation["features"].get("counts"), gates.max_critical_features
    if counts is None or most is None:
        return ()
    found = counts["critical"]
    return (Gate("critical findings about features", found, f"at most {most}", found <= most),)


def read_comparison(folder: Path) -> dict[str, Any] | None:
    """How the policy of a bundle compared with others when that was last asked; ``None`` where it never was."""
    path = registry.comparison_file(folder)
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def read_evaluation(folder: Path) -> dict[str, Any]:
    """What was measured when the bundle was trained."""
    found: dict[str, Any] = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
    return found
