from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs
from sql_oracle import SUPPORTED, windowed_by_sql
from strategies import AS_OF_US, ORIGIN_US, examples, random_rows, tables_of

from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY
from domain.config import load_section
from domain.tables import Tables
from features.batch import compute_all
from features.definitions import Windowed
from features.encoding import encode
from features.schema import FeatureSchema, fit_schema
from features.spine import Spine
from features.tables import read_tables
from simulation.assumptions import END
from simulation.world import simulate

ROOT = Path(__file__).parents[2]
RATIOS = {"mean", "std", "recency", "age"}


def agree(tables: Tables, schema: FeatureSchema, spine: Spine) -> None:
    encoded = encode(tables, attributes={})
    ours = compute_all(encoded, spine, schema)
    rows = [
        (encoded.account_ids[account], int(as_of)) for account, as_of in zip(spine.account, spine.as_of_us, strict=True)
    ]
    theirs = windowed_by_sql(tables, rows, schema.computed)
    for place, feature in enumerate(schema.computed):
        if feature.name not in theirs:
            continue
        if feature.rule.aggregate in RATIOS:
            # A deviation loses digits where values are large and nearly equal, in either way of computing it.
            near = 1e-6 if feature.rule.aggregate == "std" else 1e-12
            np.testing.assert_allclose(
                ours[:, place], theirs[feature.name], rtol=1e-12, atol=near, err_msg=feature.name
            )
        else:
            np.testing.assert_array_equal(ours[:, place], theirs[feature.name], err_msg=feature.name)


SCHEMA = fit_schema(encode(tables_of(random_rows(0, accounts=6, events=120)), attributes={}), attributes={})


@settings(max_examples=examples(12), deadline=None)
@given(seed=hs.integers(0, 2**32 - 1))
def test_sql_gives_the_same_numbers_on_random_ledgers(seed):
    tables = tables_of(random_rows(seed, accounts=3, events=60))
    n_accounts = len(set(tables.text("accounts", "account_id").values))
    moments = np.array([AS_OF_US, AS_OF_US - 20 * US_PER_DAY, ORIGIN_US + 500 * US_PER_DAY])
    account = np.repeat(np.arange(n_accounts, dtype=np.int32), len(moments))
    agree(tables, SCHEMA, Spine(account, np.tile(moments, n_accounts).astype(np.int64)))


def test_sql_gives_the_same_numbers_on_a_simulated_portfolio(tmp_path):
    catalogue = ActionCatalogue(load_section(ROOT / "configs" / "actions.yaml", ActionsConfig))
    simulate(accounts=120, seed=11, out=tmp_path, catalogue=catalogue)
    tables = read_tables(tmp_path, attributes={})
    end_us = int(END.timestamp()) * 1_000_000
    n_accounts = len(set(tables.text("accounts", "account_id").values))
    moments = end_us - np.array([0, 41, 200, 500]) * US_PER_DAY
    account = np.repeat(np.arange(n_accounts, dtype=np.int32), len(moments))
    schema = fit_schema(encode(tables, attributes={}), attributes={})
    agree(tables, schema, Spine(account, np.tile(moments, n_accounts).astype(np.int64)))


def test_sql_says_nearly_every_windowed_feature():
    rules = [feature.rule.aggregate for feature in SCHEMA.computed if isinstance(feature.rule, Windowed)]
    assert {"count", "sum", "last", "recency"} <= SUPPORTED
    assert sum(rule in SUPPORTED for rule in rules) > 0.95 * len(rules)


@pytest.mark.parametrize("aggregate", sorted(SUPPORTED))
def test_every_aggregate_that_sql_can_say_is_in_the_catalogue(aggregate):
    used = {feature.rule.aggregate for feature in SCHEMA.computed if isinstance(feature.rule, Windowed)}
    assert aggregate in used | {"first"}
