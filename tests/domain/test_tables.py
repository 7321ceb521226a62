import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.coded import Coded, coded
from domain.tables import DEBT_EVENT_KINDS, OPTIONAL_TABLES, TABLES, Tables

TEXTS = st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "c", "ç"])), max_size=20)


@given(texts=TEXTS)
def test_a_coded_column_survives_decoding(texts):
    column = coded(texts)
    assert column.decode() == texts
    assert len(column) == len(texts) and len(set(column.values)) == len(column.values)


@given(texts=TEXTS, rows=st.data())
def test_taking_rows_and_decoding_commute(texts, rows):
    size = len(texts)
    picked = rows.draw(st.lists(st.integers(0, size - 1), max_size=10)) if size else []
    assert coded(texts).take(np.array(picked, dtype=np.int64)).decode() == [texts[row] for row in picked]


@given(texts=TEXTS)
def test_recoding_keeps_what_is_known_and_tells_unknown_from_missing(texts):
    codes = coded(texts).recode({"b": 7, "c": 3}, unknown=-2)
    assert codes.tolist() == [-1 if text is None else {"b": 7, "c": 3}.get(text, -2) for text in texts]


def test_any_negative_code_is_a_missing_value():
    assert Coded(np.array([-2, 0], dtype=np.int32), ("a", "b")).recode({"a": 5, "b": 6}).tolist() == [-1, 5]


@pytest.mark.parametrize("name", TABLES)
def test_every_table_requires_its_account_and_names_its_identity(name):
    spec = TABLES[name]
    columns = {column.name: column for column in spec.columns}
    assert columns["account_id"].required
    assert columns[spec.id_column].kind == "id"
    assert "recorded_at" in columns and len(columns) == len(spec.columns)


def test_only_accounts_debts_and_payments_are_required():
    assert {name for name, spec in TABLES.items() if spec.required} == {"accounts", "debts", "payments"}
    assert "promises" in OPTIONAL_TABLES and "debts" not in OPTIONAL_TABLES


def test_closed_vocabularies_are_kept_with_their_column():
    kind = TABLES["debt_events"].column("kind")
    assert kind is not None and kind.codes == DEBT_EVENT_KINDS
    assert TABLES["debts"].column("nothing") is None


def test_an_absent_table_is_told_from_an_empty_one():
    tables = Tables({"payments": {"amount": np.zeros(0, dtype=np.int64)}})
    assert (tables.has("payments"), tables.rows("payments")) == (True, 0)
    assert (tables.has("debts"), tables.rows("debts")) == (False, 0)
