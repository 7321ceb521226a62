from __future__ import annotations

import json

import pytest

AS_OF = "2026-03-02T11:00:00Z"
OPTIONS = ("whatif", "--data", "data", "--as-of", AS_OF)


@pytest.fixture(scope="module")
def asked(project, acerto_in):
    """The folder of one run with a change of each kind."""
    changes = ("--capacity", "letter=3", "--cap", "br.cap.week=1", "--without", "br.affordability")
    assert acerto_in(project, *OPTIONS, *changes, "--out", "whatif") == 0
    return project / "whatif"


@pytest.fixture(scope="module")
def told(asked):
    return json.loads((asked / "whatif.json").read_text(encoding="utf-8"))


def test_a_picture_is_drawn(asked):
    assert (asked / "whatif.png").read_bytes().startswith(b"\x89PNG")


def test_every_frontier_starts_at_the_policy_as_it_is(told):
    as_it_is = told["scenarios"][0]["net"]
    assert {points[0]["net"] for points in told["frontiers"].values()} == {as_it_is}


def test_each_change_is_told_beside_it(told):
    names = [one["name"] for one in told["scenarios"]]
    assert names == ["as it is", "letter: 3 a day", "br.cap.week: at most 1", "without br.affordability"]


def test_a_limit_gains_nothing_and_a_rule_less_loses_nothing(told):
    letters, cap, without = (one["less_as_it_is"] for one in told["scenarios"][1:])
    assert letters <= 0.01
    assert cap <= 0.01
    assert without >= -0.01


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--capacity", "fax=3"), "found the channel 'fax'"),
        (("--without", "br.nothing"), "found the rule 'br.nothing'"),
        (("--more", "sms=3"), "found no capacity of 'sms' to add to"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(acerto, options, said):
    found = acerto(*OPTIONS, *options)
    assert found.code == 1
    assert said in found.err


@pytest.mark.parametrize(
    "options", [("--capacity", "letter"), ("--cap", "br.cap.week=1.5"), ("--cap", "br.cap.week=0")]
)
def test_what_is_no_number_is_a_wrong_call(acerto, options):
    assert acerto(*OPTIONS, *options).code == 2
