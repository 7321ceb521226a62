"""The linear twin of a head against its formula, and its blend through a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.bundle import BundleParts, read_bundle, write_bundle
from decisioning.calibration import Calibrator
from decisioning.candidates import candidate_names, grid
from decisioning.funnel import HEADS, OTHER_CHANNEL, FunnelModel
from decisioning.response import Head
from decisioning.twin import BlendedHead, Twin


def names_of(world: Any) -> tuple[str, ...]:
    return candidate_names(world.schema, world.desk.catalogue.actions)


def twin_of(world: Any, prognostic: Any) -> Twin:
    rng = np.random.default_rng(3)
    width = len(names_of(world))
    drivers = (world.schema.index["days_past_due"], world.schema.index["overdue_cents"])
    size = 1 + 1 + len(drivers) + 2 * width + len(drivers) * width
    return Twin(prognostic, drivers, rng.normal(size=width), rng.uniform(0.5, 2, width), rng.normal(size=size) * 0.1)


@pytest.fixture
def blended(world: Any, bundle: Any) -> BlendedHead:
    booster = bundle.response.heads["pay"].booster
    return BlendedHead(booster, twin_of(world, bundle.payment.boosters[30]), 0.25, Calibrator.platt(1.0, 0.0))


def by_hand(world: Any, twin: Twin, row: int, action: int) -> float:
    actions, names = world.desk.catalogue.actions, names_of(world)
    table = grid(world.values[row : row + 1], world.schema, actions, names=names)
    z = (table.own(np.zeros(1, dtype=np.int64), np.array([action]))[0] - twin.mean) / twin.scale
    z = np.where(np.isnan(z), 0.0, z)
    s = float(twin.prognostic.predict(world.values[row : row + 1], raw_score=True)[0])
    q = np.array([np.log1p(max(np.nan_to_num(world.values[row, d]), 0.0)) / 5.0 for d in twin.drivers])
    c, b, rest = twin.coefficients[0], twin.coefficients[1], twin.coefficients[2:]
    gamma, w, v, u = rest[:2], rest[2 : 2 + len(z)], rest[2 + len(z) : 2 + 2 * len(z)], rest[2 + 2 * len(z) :]
    return float(c + b * s + gamma @ q + z @ (w + v * s + q @ u.reshape(2, len(z))))


@given(row=st.integers(0, 2), action=st.integers(1, 40))
def test_the_margin_is_the_formula(world: Any, bundle: Any, row: int, action: int) -> None:
    twin = twin_of(world, bundle.payment.boosters[30])
    actions = world.desk.catalogue.actions
    table = grid(world.values[:3], world.schema, actions, names=names_of(world))
    found = twin.margins(table, np.ones((3, len(actions)), dtype=np.bool_))
    assert found[row, action] == pytest.approx(by_hand(world, twin, row, action), abs=1e-9)


def test_a_blend_lies_between_its_halves(world: Any, blended: BlendedHead) -> None:
    actions = world.desk.catalogue.actions
    table = grid(world.values[:3], world.schema, actions, names=names_of(world))
    wanted = np.ones((3, len(actions)), dtype=np.bool_)
    grown, straight = (
        replace(blended, weight=1.0).apply(table, wanted),
        replace(blended, weight=0.0).apply(table, wanted),
    )
    found = blended.apply(table, wanted)
    assert (np.minimum(grown, straight) - 1e-12 <= found).all()
    assert (found <= np.maximum(grown, straight) + 1e-12).all()


def test_what_was_not_asked_about_is_missing(world: Any, blended: BlendedHead) -> None:
    actions = world.desk.catalogue.actions
    table = grid(world.values[:2], world.schema, actions, names=names_of(world))
    wanted = np.zeros((2, len(actions)), dtype=np.bool_)
    wanted[0, 3] = True
    assert np.isfinite(blended.apply(table, wanted)).tolist() == wanted.tolist()


def test_a_blended_head_comes_back_from_a_bundle_as_it_was(
    world: Any, blended: BlendedHead, parts: BundleParts, tmp_path: Path
) -> None:
    heads = {name: Head(constant=0.1) for name in HEADS} | {"agreed": blended}
    model = FunnelModel(heads, names_of(world), {OTHER_CHANNEL: 0.9}, kept=0.8)
    actions = world.desk.catalogue.actions[:12]
    write_bundle(tmp_path / "bundle", replace(parts, response=model))
    found = read_bundle(tmp_path / "bundle").response
    expected = model.outcomes(world.values[:3], world.schema, actions)
    np.testing.assert_array_equal(found.outcomes(world.values[:3], world.schema, actions).returned, expected.returned)
