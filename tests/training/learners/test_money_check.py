"""Expected money against what came, with models that are told: what they get wrong is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from decisioning.response import Outcomes
from training.contact_log import Money
from training.dataset import Horizon
from training.money_check import Checked, Checking, check
from training.response_log import ResponseLog

from .conftest import CONFIGS, Material

_VALUE_DAYS = 365


@dataclass(frozen=True)
class Told:
    """Expects the same ``share`` of every balance, but for luck of its own on each account and action."""

    share: float
    luck: float = 0.0
    seed: int = 0

    def outcomes(self, values: np.ndarray, _schema: Any, actions: Any, **_: Any) -> Outcomes:
        shape = (len(values), len(actions))
        none = np.zeros(shape)
        wobble = self.luck * np.random.default_rng(self.seed).normal(size=shape)
        wobble[:, 0] = 0.0
        return Outcomes(
            none, p_complaint=none, p_opt_out=none, returned=self.share + wobble, p_sent=none, p_reached=none
        )


def checking(material: Material) -> Checking:
    ends = int(material.encoded.tables.ints("payments", "recorded_at").max())
    money = Money(material.money, Horizon(ends, material.config.posting_lag_days), _VALUE_DAYS, 0.01)
    return Checking(material.encoded, material.schema, CONFIGS.catalogue, money, CONFIGS.decision.objective, seed=0)


def checked(material: Material, *models: Told, log: ResponseLog | None = None) -> Checked:
    left = list(models)
    return check(log or material.log, material.contacts, lambda _log, _c: left.pop(0), checking=checking(material))


def test_the_halves_share_no_debtor_and_leave_none_out(small: Material) -> None:
    seen: list[set[int]] = []

    def fit(log: ResponseLog, _contacts: Any) -> Told:
        seen.append(set(log.debtor.tolist()))
        return Told(0.5)

    check(small.log, small.contacts, fit, checking=checking(small))
    assert not seen[0] & seen[1]
    assert seen[0] | seen[1] == set(small.log.debtor.tolist())


def test_contacts_of_a_half_are_those_of_its_debtors(small: Material) -> None:
    def fit(log: ResponseLog, contacts: Any) -> Told:
        others = set(small.log.debtor.tolist()) - set(log.debtor.tolist())
        assert not others & set(contacts.contacts.moments.debtor.tolist())
        assert len(contacts.heard) == len(log)
        return Told(0.5)

    check(small.log, small.contacts, fit, checking=checking(small))


def test_who_expects_twice_as_much_has_twice_the_ratio(small: Material) -> None:
    once = checked(small, Told(0.3), Told(0.3)).told["logged"]["ratio"]
    assert checked(small, Told(0.6), Told(0.6)).told["logged"]["ratio"] == pytest.approx(2 * once)


def test_nothing_is_taken_off_where_two_halves_agree(small: Material) -> None:
    assert checked(small, Told(0.5, 0.1, seed=1), Told(0.5, 0.1, seed=1)).kept == pytest.approx(1.0)


def test_half_is_taken_off_where_one_half_confirms_nothing_of_the_other(small: Material) -> None:
    # The judge's mean error over n choices is luck / √n of the balance; n is over 200, the claim over two lucks.
    found = checked(small, Told(0.5, 0.1, seed=1), Told(0.5, 0.1, seed=2))
    assert found.told["winners_curse"]["confirmed"] == pytest.approx(0.0, abs=0.15)
    assert found.kept == pytest.approx(0.5, abs=0.08)


def test_too_few_explored_decisions_are_told_and_take_nothing_off(small: Material) -> None:
    few = small.log.take(np.arange(300, dtype=np.int64))
    found = checked(small, Told(0.5), Told(0.5), log=few)
    assert (found.kept, list(found.told)) == (1.0, ["not_measured"])
