"""A training that goes on from the steps of another: what it takes, what it computes, and that nobody can tell."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.coded import coded
from domain.tables import Tables
from training import pipeline, registry
from training.caching.entries import Entries
from training.caching.steps import Steps, key_of_data
from training.dataset import Horizon
from training.runs import environment
from training.runs.configs import Configs
from training.runs.learning import rows_chain

SETTINGS = {
    "model": {"threads": 1, "max_rounds": 8, "max_leaves": 5},
    "sampling": {"max_rows": 1500},
    "response": {"learner": "hurdle"},
    "seeds": 1,
}


@pytest.fixture(scope="module")
def configs_of(tmp_path_factory):
    """A folder of configurations with some of the training's settings changed."""

    def made(**changed):
        folder = tmp_path_factory.mktemp("configs")
        for name in ("actions.yaml", "features.yaml"):
            (folder / name).write_bytes((Path("configs") / name).read_bytes())
        (folder / "decision.yaml").write_text("horizon_days: [30]\n", encoding="utf-8")
        merged = {**SETTINGS, **{name: {**SETTINGS.get(name, {}), **one} if isinstance(one, dict) else one
                                 for name, one in changed.items()}}  # fmt: skip
        (folder / "training.yaml").write_text(yaml.safe_dump(merged), encoding="utf-8")
        return folder

    return made


@pytest.fixture(scope="module")
def plain(portfolio, configs_of, tmp_path_factory):
    """The result without any cache."""
    tracking = registry.Tracking(tmp_path_factory.mktemp("plain"))
    return pipeline.train(portfolio, configs=configs_of(), until=None, name=None, tracking=tracking)


@pytest.fixture(scope="module")
def filled(portfolio, configs_of, tmp_path_factory):
    """A cache that one run has filled, and that run."""
    folder = tmp_path_factory.mktemp("cache")
    tracking = registry.Tracking(tmp_path_factory.mktemp("filled"))
    steps = Steps(Entries(folder, max_bytes=1 << 30))
    return folder, pipeline.train(
        portfolio, configs=configs_of(), until=None, name=None, tracking=tracking, steps=steps
    )


@pytest.fixture
def again(portfolio, configs_of, filled, tmp_path):
    """Train with the filled cache; returns the result."""

    def run(tables=portfolio, until=None, **changed):
        steps = Steps(Entries(filled[0], max_bytes=1 << 30))
        tracking = registry.Tracking(tmp_path / "mlruns")
        return pipeline.train(
            tables, configs=configs_of(**changed), until=until, name=None, tracking=tracking, steps=steps
        )

    return run


def computed(result):
    return {name for name, one in result.steps.told.items() if one["computed"]}


def evaluated(result):
    folder = result.bundle.folder / "evaluation"
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.json"}


def test_a_run_from_the_cache_is_byte_for_byte_the_run_without_one(plain, filled, again):
    result = again()
    assert computed(result) == set() and len(result.steps.cached) >= 6
    for other in (filled[1], result):
        assert other.bundle.model_hash == plain.bundle.model_hash
        assert evaluated(other) == evaluated(plain)


def test_the_record_says_which_steps_were_cached(filled, again):
    recorded = [
        json.loads((one.bundle.folder / "evaluation/run.json").read_text(encoding="utf-8"))["steps"]
        for one in (filled[1], again())
    ]
    assert {(one["cached"], one["computed"]) for one in recorded[0].values()} == {(0, 1)}
    assert {(one["cached"], one["computed"]) for one in recorded[1].values()} == {(1, 0)}
    assert {name: one["key"] for name, one in recorded[0].items()} == {
        name: one["key"] for name, one in recorded[1].items()
    }


@pytest.mark.parametrize("changed", [{"gates": {"max_ece": 0.5}}, {"cache": {"max_gib": 2}}, {"model": {"threads": 2}}])
def test_settings_that_decide_no_step_change_none(again, changed):
    assert computed(again(**changed)) == set()


def test_another_learning_rate_computes_models_and_takes_their_rows(again):
    found = computed(again(model={"learning_rate": 0.2}))
    assert {"payment 30d", "response hurdle"} <= found
    assert found.isdisjoint({"features", "logged decisions", "contacts"})


def test_another_label_of_the_response_leaves_the_payment_model(again):
    found = computed(again(label={"kind": "cure"}))
    assert {"logged decisions", "response hurdle"} <= found
    assert found.isdisjoint({"features", "payment 30d", "measure"})


def test_another_row_of_a_table_computes_everything(portfolio, again):
    amounts = portfolio.ints("payments", "amount").copy()
    amounts[3] += 1
    payments = {**portfolio.columns["payments"], "amount": amounts}
    result = again(tables=Tables({**portfolio.columns, "payments": payments}))
    assert result.steps.cached == ()


def test_other_source_computes_everything(monkeypatch, again):
    monkeypatch.setattr(environment, "code", lambda: {"features": "of another build"})
    assert again().steps.cached == ()


def test_a_damaged_entry_is_computed_again_with_the_same_result(filled, again, plain):
    folder = filled[0] / f"payment_30d-{filled[1].steps.told['payment 30d']['key']}"
    text = folder / "booster_1.txt"
    content = text.read_bytes()
    text.write_bytes(content.replace(b"leaf_value=", b"leaf_value=9", 1))
    result = again()
    assert computed(result) == {"payment 30d"}
    assert any("payment_30d was damaged" in line for line in result.steps.notices)
    assert result.bundle.model_hash == plain.bundle.model_hash
    assert computed(again()) == set()


@pytest.fixture(scope="module")
def key(portfolio, configs_of):
    """The key of the feature matrix of some tables and settings."""
    loaded, steps = Configs.load(configs_of()), Steps(Entries(Path("never"), max_bytes=0))

    def of(tables=portfolio, end_us=1, **settings):
        training = loaded.training.model_copy(update=settings)
        return rows_chain(tables, replace(loaded, training=training), Horizon(end_us, 3), steps).key

    return of


@settings(max_examples=30)
@given(table=st.sampled_from(["accounts", "debts", "payments", "contacts", "decisions"]), draw=st.data())
def test_any_other_value_of_any_table_is_another_key(portfolio, key, table, draw):
    columns = portfolio.columns[table]
    name = draw.draw(st.sampled_from(sorted(columns)))
    row = draw.draw(st.integers(0, portfolio.rows(table) - 1))
    column = columns[name]
    if isinstance(column, np.ndarray):
        other = column.copy()
        other[row] = 0.25 if np.isnan(other[row]) else other[row] + 1
    else:
        codes = column.codes.copy()
        codes[row] = -1 if codes[row] >= 0 else len(column.values)
        other = replace(column, codes=codes, values=(*column.values, "another"))
    changed = Tables({**portfolio.columns, table: {**columns, name: other}})
    assert key(changed) != key()


def test_the_order_of_rows_is_part_of_the_key_since_results_hold_positions(portfolio, key):
    turned = {
        name: one[::-1] if isinstance(one, np.ndarray) else replace(one, codes=one.codes[::-1])
        for name, one in portfolio.columns["decisions"].items()
    }
    assert key(Tables({**portfolio.columns, "decisions": turned})) != key()


@pytest.mark.parametrize(
    "changed",
    [{"sampling": {"every_days": 31}}, {"splits": {"test_share": 0.2}}, {"model": {"seed": 1}}, {"end_us": 2}],
)
def test_every_setting_of_the_rows_is_part_of_their_key(key, configs_of, changed):
    loaded = Configs.load(configs_of()).training
    settings = {
        name: one if name == "end_us" else getattr(loaded, name).model_copy(update=one) for name, one in changed.items()
    }
    assert key(**settings) != key()


def test_texts_that_are_cut_otherwise_are_another_key():
    one, other = (Tables({"accounts": {"account_id": coded(texts)}}) for texts in (["a", "bc"], ["ab", "c"]))
    assert key_of_data(one) != key_of_data(other)


def test_other_packages_are_another_key(monkeypatch, portfolio):
    before = key_of_data(portfolio)
    monkeypatch.setattr(environment, "lock", lambda: {"lightgbm": "0"})
    assert key_of_data(portfolio) != before
