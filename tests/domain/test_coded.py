from hypothesis import given
from hypothesis import strategies as st

from domain.coded import Coded, coded

TEXTS = st.lists(st.sampled_from(["a", "b", "c", None]), max_size=9)


@given(texts=TEXTS, known=st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True))
def test_a_column_in_another_vocabulary_says_the_same_where_that_has_the_word(texts, known):
    index = {name: place for place, name in enumerate(known)}
    found = coded(texts).recode(index, unknown=7)
    assert found.tolist() == [-1 if text is None else index.get(text, 7) for text in texts]


@given(texts=TEXTS, others=TEXTS)
def test_a_word_that_another_column_lacked_is_missing_from_there_on(texts, others):
    column = coded(others)
    among = coded(texts).among(column, unknown=-2)
    index = {name: place for place, name in enumerate(column.values)}
    assert Coded(among, column.values).recode(index).tolist() == [index.get(text, -1) for text in texts]
