"""A channel and offers that are added to ``actions.yaml`` after training, with a model that never saw them."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import yaml

from decisioning.desk import load_desk
from decisioning.engine import decide
from decisioning.funnel import FunnelModel
from domain.clock import to_us
from features.batch import compute_many
from features.spine import every_account
from simulation import assumptions

OFFERS = {"disc15": 15, "disc20": 20}


def desk_with(project, folder, combinations):
    """The project's desk and two offers and a channel more, where only some combinations exist."""
    shutil.copytree(project / "configs", folder / "configs")
    path = folder / "configs/actions.yaml"
    actions = yaml.safe_load(path.read_text(encoding="utf-8"))
    actions["channels"]["rcs"] = {"unit_cost": 0.2, "intrusiveness": 0.5, "needs_contact_data": "phone"}
    actions["offers"] |= {name: {"kind": "discount", "discount_pct": pct} for name, pct in OFFERS.items()}
    actions |= {"combinations": combinations, "gated": []}
    path.write_text(yaml.safe_dump(actions), encoding="utf-8")
    return load_desk(folder / "configs")


@pytest.fixture(scope="module")
def outcomes(project, bundle, encoded, tmp_path_factory):
    """What the model expects of every action, known or new: arrays (n, A) and the place of each action."""
    assert isinstance(bundle.response, FunnelModel)
    desk = desk_with(project, tmp_path_factory.mktemp("new"), "all")
    spine = every_account(len(encoded.account_ids), as_of_us=to_us(assumptions.END))
    values = compute_many(encoded, spine, bundle.schema)
    return bundle.response.outcomes(values, bundle.schema, desk.catalogue.actions), desk.catalogue.index


def test_a_new_channel_gets_finite_outcomes(outcomes):
    found, index = outcomes
    new = [place for name, place in index.items() if name.startswith("rcs/")]
    assert all(np.isfinite(values[:, new]).all() for values in found.named().values())


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("quantity", ["p_agreed", "returned"])
def test_a_discount_between_two_known_ones_is_worth_what_lies_between_them(outcomes, offer, quantity):
    found, index = outcomes
    values = getattr(found, quantity)
    new, low, high = (values[:, index[f"email/{name}/morning"]] for name in (offer, "disc10", "disc25"))
    assert ((np.minimum(low, high) <= new + 1e-12) & (new <= np.maximum(low, high) + 1e-12)).all()


def test_a_larger_new_discount_is_agreed_to_no_less(outcomes):
    found, index = outcomes
    agreed = found.p_agreed
    assert (agreed[:, index["sms/disc15/morning"]] <= agreed[:, index["sms/disc20/morning"]] + 1e-12).all()


@pytest.mark.parametrize(
    ("combinations", "words"),
    [(["rcs/none/*"], "this channel was tried 0"), (["sms/disc15/*"], "this offer was tried 0")],
)
def test_a_decision_on_what_was_never_tried_says_so(project, bundle, encoded, tmp_path, combinations, words):
    desk = desk_with(project, tmp_path, combinations)
    found = decide(encoded, as_of=assumptions.END, bundle=bundle, desk=desk, locale="en")
    acting = [decision for decision in found if decision.channel != "wait"]
    assert acting and all(any(words in notice for notice in decision.notices) for decision in acting)


def test_a_decision_on_what_was_often_tried_says_nothing_of_it(project, bundle, encoded, tmp_path):
    desk = desk_with(project, tmp_path, ["sms/none/*"])
    found = decide(encoded, as_of=assumptions.END, bundle=bundle, desk=desk, locale="en")
    assert not any("was tried" in notice for decision in found for notice in decision.notices)
