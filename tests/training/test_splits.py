import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clock import US_PER_DAY
from domain.errors import NotEnoughDataError
from training.config import SplitsConfig
from training.splits import debtor_folds, hash_share, time_split, unseen_debtors


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), horizon=st.sampled_from([7, 30, 90]))
def test_no_window_crosses_a_split_and_no_unseen_debtor_is_learned_from(seed: int, horizon: int) -> None:
    rng = np.random.default_rng(seed)
    as_of = rng.integers(0, 900, 4_000) * US_PER_DAY
    debtor = rng.integers(0, 300, 4_000).astype(np.int32)
    unseen = unseen_debtors(debtor, share=0.1, seed=seed)
    split = time_split(as_of, rng.random(4_000) < 0.9, unseen, horizon_days=horizon, config=SplitsConfig())
    ends = as_of + horizon * US_PER_DAY
    assert ends[split.train].max() <= split.valid_from_us <= as_of[split.valid].min()
    assert ends[split.valid].max() <= split.test_from_us <= as_of[split.test].min()
    assert not unseen[split.train].any() and not unseen[split.valid].any() and unseen[split.test].any()


def test_too_short_a_history_is_refused_with_the_way_out() -> None:
    as_of = np.arange(200, dtype=np.int64) * US_PER_DAY
    everything = np.ones(200, dtype=bool)
    with pytest.raises(NotEnoughDataError, match="longer history"):
        time_split(as_of, everything, ~everything, horizon_days=180, config=SplitsConfig())


def test_debtors_stay_in_one_fold_and_folds_are_of_like_size() -> None:
    debtor = np.repeat(np.arange(2_000, dtype=np.int32), 3)
    folds = debtor_folds(debtor, folds=5, seed=1)
    assert all(len(set(folds[debtor == one].tolist())) == 1 for one in range(50))
    assert np.bincount(folds).min() > 1_000


def test_hashes_depend_on_the_key_and_not_on_its_place() -> None:
    keys = np.arange(100, dtype=np.int64)
    shuffled = np.random.default_rng(0).permutation(100)
    assert (hash_share(keys, seed=3)[shuffled] == hash_share(keys[shuffled], seed=3)).all()
