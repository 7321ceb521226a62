import numpy as np

from domain.tables import Tables
from features.encoding import encode
from features.spine import Spine
from training.config import SamplingConfig
from training.sampling import decided, distinct, moments, periodic, thinned
from training.windows import Int64s


def test_no_account_is_sampled_more_often_than_allowed_nor_the_portfolio(portfolio: Tables) -> None:
    spine, _ = decided(encode(portfolio, attributes={}))
    kept = thinned(spine, SamplingConfig(max_per_account=5, max_rows=1_000), seed=0)
    assert len(kept) == 1_000
    assert np.bincount(spine.account[kept]).max() <= 5


def test_thinning_keeps_the_same_rows_whatever_their_order() -> None:
    rng = np.random.default_rng(0)
    spine = Spine(np.repeat(np.arange(50, dtype=np.int32), 20), rng.permutation(1_000).astype(np.int64))
    shuffled: Int64s = rng.permutation(1_000)
    config = SamplingConfig(max_per_account=4)
    once = set(spine.as_of_us[thinned(spine, config, seed=0)].tolist())
    again = spine.take(shuffled)
    assert once == set(again.as_of_us[thinned(again, config, seed=0)].tolist())


def test_auto_takes_logged_decisions_where_there_are_enough(portfolio: Tables) -> None:
    encoded = encode(portfolio, attributes={})
    silent = encode(Tables({k: v for k, v in portfolio.columns.items() if k != "decisions"}), attributes={})
    end_us = int(portfolio.ints("payments", "occurred_at").max())
    found = [moments(one, SamplingConfig(), end_us=end_us, seed=0)[1] for one in (encoded, silent)]
    assert found == ["decisions + periodic before", "periodic"]


def test_periodic_moments_are_regular_and_inside_the_data(portfolio: Tables) -> None:
    encoded = encode(portfolio, attributes={})
    end_us = int(portfolio.ints("payments", "occurred_at").max())
    spine = periodic(encoded, SamplingConfig(every_days=30), end_us=end_us, seed=0)
    steps = np.diff(spine.as_of_us)[np.diff(spine.account) == 0]
    assert set(steps.tolist()) == {30 * 86_400_000_000}
    assert spine.as_of_us.max() < end_us and distinct(spine).all()
