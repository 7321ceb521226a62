import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.tables import Tables
from features.encoding import encode
from features.spine import Spine
from training.config import SamplingConfig
from training.sampling import decided, distinct, moments, periodic, thinned
from training.windows import Int64s


def test_no_account_is_sampled_more_often_than_allowed_nor_the_portfolio(portfolio: Tables) -> None:
    spine, _ = decided(encode(portfolio, attributes={}))
    kept = thinned(spine, SamplingConfig(max_per_account=5, max_rows=900), seed=0)
    assert len(kept) == 900
    assert np.bincount(spine.account[kept]).max() <= 5


def test_thinning_keeps_the_same_rows_whatever_their_order() -> None:
    rng = np.random.default_rng(0)
    spine = Spine(np.repeat(np.arange(50, dtype=np.int32), 20), rng.permutation(1_000).astype(np.int64))
    shuffled: Int64s = rng.permutation(1_000)
    config = SamplingConfig(max_per_account=4)
    once = set(spine.as_of_us[thinned(spine, config, seed=0)].tolist())
    again = spine.take(shuffled)
    assert once == set(again.as_of_us[thinned(again, config, seed=0)].tolist())


@given(seed=st.integers(0, 50), cut=st.integers(1, 40))
def test_whether_a_row_is_kept_does_not_depend_on_later_rows(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    whole = Spine(np.repeat(np.array([0, 1], dtype=np.int32), 40), np.tile(np.sort(rng.integers(0, 900, 40)), 2))
    shorter = whole.take(np.concatenate([np.arange(cut), np.arange(40, 80)]))  # account 0 pays, and leaves the log
    config = SamplingConfig(max_per_account=6)
    kept, kept_shorter = (thinned(one, config, seed=seed) for one in (whole, shorter))
    assert set(kept[kept < cut].tolist()) == set(kept_shorter[kept_shorter < cut].tolist())


def test_auto_takes_logged_decisions_where_the_log_is_long_enough(portfolio: Tables) -> None:
    encoded = encode(portfolio, attributes={})
    silent = encode(Tables({k: v for k, v in portfolio.columns.items() if k != "decisions"}), attributes={})
    end_us = int(portfolio.ints("payments", "occurred_at").max())
    cases = [(encoded, 90), (encoded, 270), (silent, 90)]
    found = [moments(one, SamplingConfig(), end_us=end_us, longest_days=days, seed=0)[1] for one, days in cases]
    assert found == ["decisions", "decisions + periodic before", "periodic"]


def test_periodic_moments_are_regular_and_inside_the_data(portfolio: Tables) -> None:
    encoded = encode(portfolio, attributes={})
    end_us = int(portfolio.ints("payments", "occurred_at").max())
    spine = periodic(encoded, SamplingConfig(every_days=30), end_us=end_us, seed=0)
    steps = np.diff(spine.as_of_us)[np.diff(spine.account) == 0]
    assert set(steps.tolist()) == {30 * 86_400_000_000}
    assert spine.as_of_us.max() < end_us and distinct(spine).all()
