"""Each gate with a bundle that meets it and one that does not."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from decisioning.integrity import write_files
from domain.errors import BundleError
from training.config import GatesConfig
from training.promoting import footprint
from training.promoting.gate import TOLD_ONLY, at_most
from training.promoting.measured import held_out_gates

ROWS = 4_000
RNG = np.random.default_rng(2)
P = RNG.uniform(0.1, 0.9, ROWS)
PAID = (RNG.random(ROWS) < P).astype(float)
HALF = (np.arange(ROWS) % 2).astype(np.int16)


@pytest.fixture
def kept(tmp_path):
    """``kept(**columns)``: a bundle's folder with held-out rows, all of them test rows, each of its own debtor."""

    def write(**columns):
        folder = tmp_path / "evaluation"
        folder.mkdir()
        arrays = {"paid": PAID, "p_pay": P, "test": np.ones(ROWS, bool), "debtor": np.arange(ROWS), **columns}
        np.savez(folder / "report_rows.npz", **arrays)
        labels = {name.removeprefix("cut_"): ["a", "b"] for name in columns if name.startswith("cut_")}
        protected = [name for name in labels if name.startswith("protected_")]
        told = {"labels": labels, "protected": protected}
        (folder / "report_codes.json").write_text(json.dumps(told), encoding="utf-8")
        return tmp_path

    return write


def named(found, part):
    (gate,) = [one for one in found if part in one.name]
    return gate


def test_a_bound_is_met_at_the_bound_and_not_above():
    assert at_most("x", 1.0, 1.0).met
    assert not at_most("x", 1.01, 1.0).met


def test_what_was_not_measured_meets_no_bound():
    assert not at_most("x", None, 1.0).met


def test_without_a_bound_a_gate_is_told_only():
    gate = at_most("x", 9.0, None)
    assert (gate.met, gate.needed) == (True, TOLD_ONLY)


def test_seeds_that_agree_pass(kept):
    assert named(held_out_gates(kept(seed_1=P), GatesConfig()), "seeds").met


def test_a_model_that_another_seed_turns_over_is_stopped(kept):
    gate = named(held_out_gates(kept(seed_1=1 - P), GatesConfig()), "seeds")
    assert (gate.met, gate.found > 0.4) == (False, True)


def test_without_other_seeds_stability_is_told_only(kept):
    assert named(held_out_gates(kept(), GatesConfig()), "seeds").needed == TOLD_ONLY


@pytest.mark.parametrize("cut", ["protected_sex", "arm", "policy_version"])
def test_a_calibrated_group_passes(kept, cut):
    assert named(held_out_gates(kept(**{f"cut_{cut}": HALF}), GatesConfig()), "gap").met


@pytest.mark.parametrize("cut", ["protected_sex", "arm", "policy_version"])
def test_a_group_whose_payments_are_told_wrong_stops_a_version(kept, cut):
    wrong = np.clip(P - 0.15 * HALF, 0.01, 0.99)
    gate = named(held_out_gates(kept(p_pay=wrong, **{f"cut_{cut}": HALF}), GatesConfig()), "gap")
    assert not gate.met
    assert 0.1 < gate.found < 0.15


def test_a_gap_within_its_interval_counts_as_none(kept):
    one_debtor_each_hundred = np.arange(ROWS) // 40
    wrong = np.where(np.arange(ROWS) < 40, 0.9, PAID)
    columns = {"p_pay": wrong, "debtor": one_debtor_each_hundred, "cut_arm": np.zeros(ROWS, np.int16)}
    assert named(held_out_gates(kept(**columns), GatesConfig()), "gap").found == 0.0


def test_groups_with_too_few_debtors_are_told_only(kept):
    few = np.where(np.arange(ROWS) < 50, 1, -1).astype(np.int16)
    gate = named(held_out_gates(kept(cut_arm=few), GatesConfig(min_group_debtors=51)), "gap")
    assert (gate.met, gate.needed) == (True, TOLD_ONLY)


def test_a_bundle_of_before_rows_were_kept_has_no_such_gates(tmp_path):
    assert held_out_gates(tmp_path, GatesConfig()) == ()


@pytest.fixture
def served(tmp_path, monkeypatch):
    write_files(
        tmp_path / "bundle", {"a.txt": b"x" * 2**20}, identity={"version": "1", "trained_at": "", "model_hash": ""}
    )
    monkeypatch.setattr(footprint, "check_golden", lambda _bundle: "digest")
    monkeypatch.setattr(footprint, "score_ms", lambda _bundle: 7.0)
    return SimpleNamespace(folder=tmp_path / "bundle")


def test_a_small_and_fast_bundle_passes(served):
    assert all(gate.met for gate in footprint.served_gates(served, GatesConfig()))


@pytest.mark.parametrize(("part", "bound"), [("size", {"max_bundle_mib": 0.5}), ("time", {"max_score_ms": 6.9})])
def test_a_bundle_above_a_bound_is_stopped_by_that_gate_alone(served, part, bound):
    found = footprint.served_gates(served, GatesConfig(**bound))
    assert [gate.name for gate in found if not gate.met] == [named(found, part).name]


def test_golden_rows_that_are_computed_otherwise_stop_a_version(served, monkeypatch):
    def differ(bundle):
        raise BundleError("golden rows differ")

    monkeypatch.setattr(footprint, "check_golden", differ)
    assert not named(footprint.served_gates(served, GatesConfig()), "golden").met
