"""The feature matrix for people and other tools."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from strategies import AS_OF_US, random_rows, tables_of

from domain.clock import US_PER_DAY, from_us
from features.batch import compute_many
from features.encoding import encode
from features.frame import matrix_frame, matrix_table, write_matrix
from features.schema import fit_schema
from features.spine import Spine


@pytest.fixture(scope="module")
def matrix():
    encoded = encode(tables_of(random_rows(3, accounts=6, events=120)), attributes={})
    schema = fit_schema(encoded, attributes={})
    assert schema.categories
    account = np.repeat(np.arange(len(encoded.account_ids), dtype=np.int32), 2)
    at_us = np.tile([AS_OF_US - 30 * US_PER_DAY, AS_OF_US], len(encoded.account_ids))
    values = compute_many(encoded, Spine(account, at_us), schema)
    return schema, [encoded.account_ids[one] for one in account], values, at_us


def test_a_frame_is_named_by_account_and_moment_in_the_order_of_the_rows(matrix):
    schema, ids, values, at_us = matrix
    frame = matrix_frame(schema, ids, values, as_of_us=at_us)
    assert list(frame.index) == [(one, pd.Timestamp(from_us(at))) for one, at in zip(ids, at_us, strict=True)]
    assert frame.index.get_level_values("as_of")[1] - frame.index.get_level_values("as_of")[0] == timedelta(days=30)


def test_a_frame_holds_the_numbers_and_the_names_of_categories(matrix):
    schema, ids, values, at_us = matrix
    frame = matrix_frame(schema, ids, values, as_of_us=at_us)
    assert tuple(frame.columns) == schema.names
    for place, name in enumerate(schema.names):
        if name in schema.categories:
            assert tuple(frame[name].cat.categories) == schema.categories[name]
            found = np.where(frame[name].cat.codes < 0, np.nan, frame[name].cat.codes.astype(float))
        else:
            found = frame[name].to_numpy()
        np.testing.assert_array_equal(found, values[:, place])


def test_a_frame_is_the_file_as_pandas_reads_it(matrix, tmp_path):
    schema, ids, values, at_us = matrix
    write_matrix(tmp_path / "m.parquet", [matrix_table(schema, ids, values, as_of_us=at_us)], schema=schema)
    read = pd.read_parquet(tmp_path / "m.parquet").set_index(["account_id", "as_of"])
    frame = matrix_frame(schema, ids, values, as_of_us=at_us)
    pd.testing.assert_frame_equal(frame.astype({name: object for name in schema.categories}), read, check_dtype=False)
