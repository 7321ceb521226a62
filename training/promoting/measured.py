"""Gates on what was measured in training: the evaluation file and the held-out rows of the bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.config import GatesConfig
from training.metrics import auc
from training.promoting.gate import TOLD_ONLY, Gate, at_most
from training.reporting.held_out_files import CODES, ROWS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_WIDE = 1.959964
_OWN_SEED = "seed_0"


def evaluation_gates(evaluation: dict[str, Any], gates: GatesConfig) -> tuple[Gate, ...]:
    """Quality and calibration on test rows of the explained horizon, and findings about the training matrix."""
    explained = evaluation["horizons"][str(evaluation["explained_horizon"])]
    gain, least = explained["auc_over_days_past_due"]["value"], gates.min_auc_over_days_past_due
    return (
        *_feature_gate(evaluation, gates),
        Gate("AUC above days past due alone", gain, f"more than {least:g}", gain is not None and gain > least),
        at_most("calibration error (ECE)", explained["metrics"]["ece"]["value"], gates.max_ece),
    )


def held_out_gates(bundle: Path, gates: GatesConfig) -> tuple[Gate, ...]:
    """Stability over seeds, and calibration by protected group, by arm and by policy version, on kept test rows.

    None of them for a bundle of before such rows were kept.
    """
    rows, codes = bundle / "evaluation" / ROWS, bundle / "evaluation" / CODES
    if not (rows.is_file() and codes.is_file()):
        return ()
    told = json.loads(codes.read_text(encoding="utf-8"))
    with np.load(rows, allow_pickle=False) as read:
        test = read["test"].astype(bool)
        held = {name: read[name][test] for name in read.files}
    found = [_seed_gate(held, gates)]
    named = [(cut, "a protected group", gates.max_group_gap) for cut in told["protected"]]
    named += [("arm", "an arm", gates.max_arm_gap), ("policy_version", "a policy version", gates.max_arm_gap)]
    for cut, what, bound in named:
        if f"cut_{cut}" in held:
            found.append(_gap_gate(cut, what, held, told["labels"][cut], bound=bound, least=gates.min_group_debtors))
    return tuple(found)


def _feature_gate(evaluation: dict[str, Any], gates: GatesConfig) -> tuple[Gate, ...]:
    """The gate of the training matrix; versions of before it was looked at have none."""
    counts, most = evaluation["features"].get("counts"), gates.max_critical_features
    if counts is None or most is None:
        return ()
    return (at_most("critical findings about features", counts["critical"], most),)


def _seed_gate(held: dict[str, npt.NDArray[Any]], gates: GatesConfig) -> Gate:
    """By how much the AUC on the same test rows moves with the seed alone, from the lowest to the highest."""
    name = "AUC range over seeds"
    others = sorted(one for one in held if one.startswith("seed_") and one != _OWN_SEED)
    if not others:
        return Gate(name, "no other seeds were tried", TOLD_ONLY, True)
    paid, flat = held["paid"].astype(np.float64), np.ones(len(held["paid"]))
    scored = [_OWN_SEED if _OWN_SEED in held else "p_pay", *others]
    found = [float(auc(paid, held[one].astype(np.float64), flat)) for one in scored]
    return at_most(name, float(np.ptp(found)), gates.max_seed_auc_range)


def _gap_gate(
    cut: str, what: str, held: dict[str, npt.NDArray[Any]], labels: list[str], *, bound: float | None, least: int
) -> Gate:
    """The largest established miscalibration of a group: how far 0 lies outside the interval of paid − probability."""
    name = f"calibration gap of {what} ({cut.removeprefix('protected_')}), beyond its 95 % interval"
    code, debtor = held[f"cut_{cut}"].astype(np.int64), held["debtor"].astype(np.int64)
    gap = held["paid"].astype(np.float64) - held["p_pay"].astype(np.float64)
    large = [one for one in range(len(labels)) if len(np.unique(debtor[code == one])) >= least]
    if not large:
        return Gate(name, f"no group has {least} debtors", TOLD_ONLY, True)
    return at_most(name, max(_beyond(gap[code == one], debtor[code == one]) for one in large), bound)


def _beyond(gap: Floats, debtor: Ints) -> float:
    """|mean| less its half-width, at least 0; rows of one debtor are one cluster (Cameron and Miller 2015, eq. 6)."""
    _, place = np.unique(debtor, return_inverse=True)
    sums = np.bincount(place, weights=gap - gap.mean())
    half = _WIDE * float(np.sqrt((sums**2).sum())) / len(gap)
    return max(0.0, abs(float(gap.mean())) - half)
