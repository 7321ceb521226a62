from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.shadows import Pair, Side, compare

probability = st.floats(0, 1)
text = st.text(max_size=12)
sides = st.builds(
    Side, model_version=st.sampled_from("78"),
    p_pay=st.dictionaries(st.sampled_from(["7d", "30d", "60d"]), probability),
    action=st.none() | st.just("sms/none/any"),
    action_prob=st.none() | probability, expected_net_value=st.none() | st.floats(-1e6, 1e6),
    incremental_net_value=st.none() | st.floats(-1e6, 1e6),
)  # fmt: skip
pairs = st.builds(Pair, account_id=text, as_of=text, champion=sides, challenger=sides)


def side(version: str, p_pay: float, action: str | None = None, net: float | None = None) -> Side:
    return Side(version, {"30d": p_pay}, action, None if action is None else 0.9, net, net)


@given(pair=pairs)
def test_a_line_reads_back_as_the_same_pair(pair: Pair) -> None:
    line = pair.to_line()
    assert "\n" not in line
    assert Pair.from_line(line) == pair


@given(pair=pairs, part=st.floats(0, 1, exclude_max=True))
def test_a_torn_line_is_no_pair(pair: Pair, part: float) -> None:
    line = pair.to_line()
    with pytest.raises(ValueError, match=r".*"):
        Pair.from_line(line[: int(part * len(line))])


@pytest.mark.parametrize("line", ["[]", "3", '{"account_id": "a"}', '{"account_id":"a","as_of":"","champion":3}'])
def test_another_line_is_no_pair(line: str) -> None:
    with pytest.raises(ValueError, match="no pair"):
        Pair.from_line(line)


def test_the_explained_horizon_is_one_of_p_pay() -> None:
    answer = {"model_version": "7", "p_pay": {"7d": 0.1}, "p_pay_30d": 0.2, "amount_due": 3.0}
    assert Side.of(answer) == Side("7", {"7d": 0.1, "30d": 0.2})


def test_a_worked_example() -> None:
    met = [
        Pair("a", "t", side("7", 0.1, "sms/none/any", 10.0), side("8", 0.4, "sms/none/any", 20.0)),
        Pair("b", "t", side("7", 0.3, "wait/none/any", 0.0), side("8", 0.2, "sms/none/any", 4.0)),
        Pair("c", "t", side("7", 0.2), side("8", 0.2)),
    ]
    (found,) = compare(met)
    assert (found.champion, found.challenger, found.pairs, found.decisions) == ("7", "8", 3, 2)
    assert found.horizons["30d"].mean_difference == pytest.approx((0.3 + 0.1) / 3)
    assert found.horizons["30d"].largest_difference == pytest.approx(0.3)
    assert (found.horizons["30d"].champion, found.horizons["30d"].challenger) == pytest.approx((0.2, 0.8 / 3))
    assert found.same_action_share == 0.5
    assert (found.champion_net_value, found.challenger_net_value) == (5.0, 12.0)


def test_versions_are_compared_apart() -> None:
    met = [Pair("a", "t", side(mine, 0.1), side(other, 0.2)) for mine, other in (("7", "8"), ("8", "9"), ("7", "8"))]
    assert [(one.champion, one.challenger, one.pairs) for one in compare(met)] == [("7", "8", 2), ("8", "9", 1)]


def test_a_horizon_that_only_one_side_has_is_left_out() -> None:
    (found,) = compare([Pair("a", "t", Side("7", {"7d": 0.1, "30d": 0.2}), side("8", 0.2))])
    assert found.horizons.keys() == {"30d"}


@given(met=st.lists(pairs, min_size=1))
def test_no_pair_is_lost_and_shares_are_shares(met: list[Pair]) -> None:
    found = compare(met)
    assert sum(one.pairs for one in found) == len(met)
    for one in found:
        assert one.same_action_share is None or 0 <= one.same_action_share <= 1
        assert all(0 <= each.mean_difference <= each.largest_difference <= 1 for each in one.horizons.values())
