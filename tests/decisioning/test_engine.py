from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decisioning.arms import Arms
from decisioning.config import Exploration
from decisioning.desk import desk as make_desk
from decisioning.desk import load_desk
from decisioning.engine import decide, probabilities, score
from decisioning.integrity import canonical_json
from decisioning.records import decision_json, decision_row
from decisioning.response import Head, HurdleModel
from domain.actions import WAIT
from domain.clock import from_us, parse_moment, to_us
from domain.decisions import Decision
from domain.errors import ConfigError
from features.encoding import encode
from features.spine import every_account

AS_OF = parse_moment("2026-03-02T12:30:00Z")
ROW = [
    "decision_id", "account_id", "decided_at", "action", "channel", "offer", "moment", "action_prob", "channel_prob",
    "arm", "p_pay_7d", "p_pay_30d", "p_pay_60d", "p_pay_90d", "expected_recovered", "expected_cost", "p_complaint",
    "expected_net_value", "incremental_net_value", "runner_up", "debt_ids", "amount_due", "offer_amount",
    "discount_amount", "instalment_amount", "not_before", "valid_until", "reasons", "reason_values", "nonpayment",
    "refusals", "model_version", "policy_version", "schema_fingerprint", "notices",
]  # fmt: skip


@pytest.fixture(scope="module")
def decided(encoded: Any, bundle: Any, desk: Any) -> list[Decision]:
    return decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk, explain="full")


@pytest.fixture(scope="module")
def everyone(encoded: Any, bundle: Any, desk: Any) -> list[Decision]:
    accounts = np.arange(len(encoded.account_ids))
    return decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk, accounts=accounts)


def test_who_owes_anything_gets_a_decision_and_nobody_else(decided: list[Decision], everyone: list[Decision]) -> None:
    owing = {decision.account_id for decision in everyone if decision.amount_due_cents > 0}
    assert 0 < len(owing) < len(everyone)
    assert {decision.account_id for decision in decided} == owing


def test_logged_probabilities_sum_to_1_and_hold_the_chosen_one(encoded: Any, bundle: Any, desk: Any) -> None:
    for decision in decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk, log_probs=True):
        assert sum(decision.action_probs.values()) == pytest.approx(1.0)
        assert decision.action_probs[decision.action] == decision.action_prob


def test_the_probability_of_a_channel_is_that_of_all_its_actions(encoded: Any, bundle: Any, desk: Any) -> None:
    for decision in decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk, log_probs=True):
        same = [prob for action, prob in decision.action_probs.items() if action.startswith(f"{decision.channel}/")]
        assert decision.channel_prob == pytest.approx(sum(same), abs=1e-12)


def test_what_could_have_been_chosen_is_a_column_beside_its_probabilities(encoded: Any, bundle: Any, desk: Any) -> None:
    row = decision_row(decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk, log_probs=True)[0])
    assert row["eligible"] == [one["action"] for one in row["action_probs"]]


def test_probabilities_are_a_column_where_they_are_asked_for(encoded: Any, bundle: Any, desk: Any) -> None:
    row = decision_row(decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk, log_probs=True)[0])
    assert {"action": row["action"], "action_prob": row["action_prob"]} in row["action_probs"]


def test_a_listed_account_that_owes_nothing_waits_and_says_so(everyone: list[Decision]) -> None:
    for decision in everyone:
        if decision.amount_due_cents == 0:
            assert (decision.action, decision.action_prob, decision.runner_up) == (WAIT, 1.0, None)
            assert any("nada é devido" in notice for notice in decision.notices)


def test_a_refused_action_is_never_chosen_nor_ranked(decided: list[Decision]) -> None:
    for decision in decided:
        refused = {refusal.action for refusal in decision.refusals}
        assert not refused & {decision.action, *(candidate.action for candidate in decision.candidates)}
        assert len(refused) + len(decision.candidates) == 110


def test_the_best_candidate_is_chosen_unless_it_was_explored_or_held_out(decided: list[Decision]) -> None:
    for decision in decided:
        if decision.action_prob > 0.5 and decision.arm == "policy":
            assert decision.action == decision.candidates[0].action
            if decision.runner_up:
                assert decision.runner_up.action == decision.candidates[1].action
    assert sum(decision.action_prob > 0.5 for decision in decided) > 0.8 * len(decided)


def test_the_explained_probability_is_base_plus_contributions(decided: list[Decision]) -> None:
    for decision in decided:
        assert decision.explanation is not None
        total = decision.explanation.base + sum(item.contribution for item in decision.explanation.contributions)
        assert total == pytest.approx(decision.p_pay[30], abs=1e-9)


def test_reasons_repeat_what_the_contributions_say(decided: list[Decision]) -> None:
    for decision in decided:
        assert decision.explanation is not None
        features = {item.feature for item in decision.explanation.contributions}
        moving = [reason for reason in decision.reasons if reason.code not in ("FORGETS", "UNABLE")]
        assert {reason.feature for reason in moving} <= features
        assert 1 <= len(moving) <= 4


def test_the_contrast_adds_up_to_the_difference_in_value(decided: list[Decision]) -> None:
    for decision in decided:
        assert decision.explanation is not None
        waiting = decision.explanation.contrast["wait"]
        assert waiting["expected_net_cents"] == decision.chosen.incremental_net_cents


def test_a_decision_lies_in_what_is_left_of_its_moment_today(decided: list[Decision]) -> None:
    for decision in decided:
        assert decision.decided_at_us <= decision.not_before_us < decision.valid_until_us
        assert decision.valid_until_us - decision.decided_at_us <= 24 * 3_600_000_000


def test_the_same_inputs_give_the_same_rows_whatever_the_page_and_the_order(
    encoded: Any, bundle: Any, desk: Any, decided: list[Decision]
) -> None:
    index = encoded.account_index()
    backwards = np.array([index[decision.account_id] for decision in reversed(decided)])
    singly = [
        decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk, accounts=backwards[row : row + 1], explain="full")[0]
        for row in range(len(backwards))
    ]
    # As text, because a missing value does not equal itself.
    assert repr(list(reversed(singly))) == repr(decided)


def test_nothing_that_happens_at_or_after_as_of_changes_a_decision(portfolio: Any, bundle: Any, desk: Any) -> None:
    later = portfolio(30)
    payments = later.columns["payments"]
    payments["occurred_at"][:] = np.maximum(payments["occurred_at"], int(AS_OF.timestamp() * 1e6))
    payments["recorded_at"] = payments["occurred_at"]
    without = portfolio(30)
    empty = {name: column[:0] if isinstance(column, np.ndarray) else column.take(np.zeros(0, dtype=np.int64))
             for name, column in without.columns["payments"].items()}  # fmt: skip
    cleared = replace(without, columns={**without.columns, "payments": empty})
    found = [decide(encode(some, attributes={}), as_of=AS_OF, bundle=bundle, desk=desk) for some in (later, cleared)]
    assert found[0] == found[1]


def test_a_decision_id_tells_account_moment_model_and_policy_apart(
    encoded: Any, bundle: Any, desk: Any, decided: list[Decision]
) -> None:
    others = [
        decide(encoded, as_of=AS_OF + timedelta(microseconds=1), bundle=bundle, desk=desk),
        decide(encoded, as_of=AS_OF, bundle=replace(bundle, version="4"), desk=desk),
        decide(encoded, as_of=AS_OF, bundle=bundle, desk=replace(desk, policy_version="other")),
    ]
    ids = [decision.decision_id for decision in decided] + [d.decision_id for found in others for d in found]
    assert len(set(ids)) == len(ids)
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in ids)


def test_without_response_model_every_decision_says_it_rests_on_priors(encoded: Any, bundle: Any, desk: Any) -> None:
    found = decide(encoded, as_of=AS_OF, bundle=replace(bundle, response=None), desk=desk, locale="en", explain="full")
    assert all(any("rests on configured priors" in notice for notice in decision.notices) for decision in found)
    for decision in found:
        waiting = next(candidate for candidate in decision.candidates if candidate.action == WAIT)
        assert waiting.p_pay == pytest.approx(decision.p_pay[30])


def test_a_table_missing_since_training_is_a_notice_and_no_refusal(portfolio: Any, bundle: Any, desk: Any) -> None:
    given = portfolio(10)
    without = replace(given, columns={name: data for name, data in given.columns.items() if name != "contacts"})
    found = decide(encode(without, attributes={}), as_of=AS_OF, bundle=bundle, desk=desk, locale="en")
    assert all(any("contacts is absent" in notice for notice in decision.notices) for decision in found)


def test_all_accounts_of_a_held_out_debtor_wait(encoded: Any, bundle: Any, desk: Any) -> None:
    config = desk.config.model_copy(update={"arms": Arms(holdout=0.5)})
    found = decide(encoded, as_of=AS_OF, bundle=bundle, desk=make_desk(desk.catalogue, config, desk.contact_policy))
    index, arms = encoded.account_index(), {}
    for decision in found:
        arms.setdefault(encoded.debtor[index[decision.account_id]], set()).add(decision.arm)
        if decision.arm == "holdout":
            assert (decision.action, decision.action_prob) == (WAIT, 1.0)
    assert all(len(arm) == 1 for arm in arms.values())
    assert {arm for found_arms in arms.values() for arm in found_arms} == {"policy", "holdout"}


def test_without_explanation_nothing_is_explained(encoded: Any, bundle: Any, desk: Any) -> None:
    found = decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk, explain="none")
    assert all(not decision.reasons and decision.explanation is None for decision in found)


def test_no_accounts_are_no_decisions(encoded: Any, bundle: Any, desk: Any) -> None:
    assert decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk, accounts=np.zeros(0, dtype=np.int64)) == []


def test_scores_are_the_probabilities_of_the_decisions(
    encoded: Any, bundle: Any, desk: Any, everyone: list[Decision]
) -> None:
    spine = every_account(len(encoded.account_ids), as_of_us=everyone[0].decided_at_us)
    found = score(encoded, spine, bundle, desk=desk)
    assert found.p_pay.tolist() == [list(decision.p_pay.values()) for decision in everyone]
    assert (found.expected_recovered_cents <= found.amount_due_cents).all()


def test_a_score_expects_what_comes_late_as_well(encoded: Any, bundle: Any, desk: Any) -> None:
    spine = every_account(len(encoded.account_ids), as_of_us=to_us(AS_OF))
    heads = {**bundle.response.heads, "share": Head(constant=0.8), "late": Head(constant=0.25)}
    found = score(encoded, spine, replace(bundle, response=HurdleModel(heads, bundle.response.names)), desk=desk)
    p_pay = found.p_pay[:, bundle.payment.horizons.index(30)]
    expected = (0.8 * p_pay + 0.25 * (1 - p_pay)) * found.amount_due_cents
    assert found.expected_recovered_cents == pytest.approx(expected)


def test_a_row_has_the_columns_of_the_contract(decided: list[Decision]) -> None:
    assert all(list(decision_row(decision)) == ROW for decision in decided)


def test_amounts_of_a_row_add_up(decided: list[Decision]) -> None:
    for decision in decided:
        row = decision_row(decision)
        assert row["offer_amount"] + row["discount_amount"] == pytest.approx(row["amount_due"], abs=1e-9)
        assert row["decided_at"] == AS_OF
        assert (row["instalment_amount"] is None) == (not row["offer"].startswith("inst"))
        assert row["not_before"] == from_us(decision.not_before_us)


def test_an_answer_is_plain_json_and_states_base_and_explained_probability_once(decided: list[Decision]) -> None:
    text = json.dumps(decision_json(decided[0], explained=30), allow_nan=False)
    assert text.count('"base"') == text.count('"p_pay_30d"') == 1
    assert '"decided_at": "2026-03-02T12:30:00Z"' in text


def test_an_answer_that_is_not_explained_in_full_has_no_candidates(everyone: list[Decision]) -> None:
    assert not {"candidates", "explanation"} & set(decision_json(everyone[0], explained=30))


def test_no_answer_ever_holds_an_internal_amount_in_cents(decided: list[Decision]) -> None:
    def keys(part: Any) -> set[str]:
        if isinstance(part, Mapping):
            return set(part) | {key for value in part.values() for key in keys(value)}
        return {key for value in part for key in keys(value)} if isinstance(part, list) else set()

    assert not [key for key in keys(decision_json(decided[0], explained=30)) if key.endswith("_cents")]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("decision.yaml", "priors: {}", "priors: {reach: {whatsap: 0.4}}", "whatsap"),
        ("decision.yaml", "priors: {}", "priors: {reach: {sms: 1.4}}", "between 0 and 1"),
        ("decision.yaml", "exploration: {share", "exploration: {shares", "did you mean 'share'"),
        ("decision.yaml", "capacities: {}", "capacities: {agent_cal: {per_day: 4}}", "did you mean 'agent_call'"),
        ("decision.yaml", "capacities: {}", "capacities: {sms: {per_dy: 4}}", "did you mean 'per_day'"),
        ("decision.yaml", "capacities: {}", "capacities: {sms: {per_day: 4, min_per_day: 5}}", "above a most"),
        ("decision.yaml", "capacities: {}", "capacities: {sms: {minutes_per_day: 4}}", "minutes_per_contact"),
        ("decision.yaml", "capacities: {}", "capacities: {sms: {by_moment: {mornin: {per_day: 4}}}}", "'morning'"),
        ("decision.yaml", "capacities: {}", "capacities: {portal: {by_moment: {morning: {per_day: 4}}}}", "afternoon"),
        ("decision.yaml", "budgets: {}", "budgets: {discounts: {per_day: 4}}", "did you mean 'discount'"),
        ("decision.yaml", "budgets: {}", "segments: {late: {per_day: 4}}", "min_days_past_due"),
        ("decision.yaml", "budgets: {}", "segments: {late: {min_days_past_due: 9}}", "needs per_day"),
        ("decision.yaml", "budgets: {}", "segments: {bank: {attribute: creditor, per_day: 9}}", "go together"),
        ("decision.yaml", "contact_policy: br", "contact_policy: bra", "needed one of"),
        ("decision.yaml", "[7, 30, 60, 90]", "[30, 7]", "rising"),
        ("contact_policy/br.yaml", "max_contacts: 3", "max_contact: 3", "did you mean 'max_contacts'"),
    ],
)
def test_a_wrong_configuration_is_refused_with_the_way_out(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    folder = _copied(tmp_path)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_desk(folder)


def test_the_policy_version_follows_content_and_not_comments(tmp_path: Path, desk: Any) -> None:
    folder = _copied(tmp_path)
    path = folder / "contact_policy" / "br.yaml"
    path.write_text("# another comment\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_desk(folder).policy_version == desk.policy_version
    path.write_text(path.read_text(encoding="utf-8").replace("max_contacts: 3", "max_contacts: 4"), encoding="utf-8")
    assert load_desk(folder).policy_version != desk.policy_version


def test_segments_ladder_and_arms_that_are_not_configured_leave_the_policy_version_alone(desk: Any) -> None:
    """What is drawn goes by the version: a configuration that says nothing new must draw what it always drew."""
    newer = ("segments", "ladder")
    decision = {name: part for name, part in desk.config.model_dump(mode="json").items() if name not in newer}
    parts = {
        "actions": desk.catalogue.config.model_dump(mode="json"), "order": list(desk.catalogue.names()),
        "decision": decision | {"arms": {"holdout": desk.config.arms.holdout}},
        "contact_policy": desk.contact_policy.to_json(),
    }  # fmt: skip
    assert sha256(canonical_json(parts)).hexdigest()[:16] == desk.policy_version


def test_every_decision_parameter_moves_the_policy_version(desk: Any) -> None:
    changed = desk.config.model_copy(update={"exploration": Exploration(share=0.06)})
    assert make_desk(desk.catalogue, changed, desk.contact_policy).policy_version != desk.policy_version


def _copied(tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(Path(__file__).parents[2] / "configs", tmp_path / "configs"))


def test_the_record_holds_every_field_of_a_decision(encoded: Any, bundle: Any, desk: Any) -> None:
    everything = decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk, explain="full", log_probs=True)
    answer = decision_json(everything[0], explained=30)
    derived = {"decided_at_us": "decided_at", "amount_due_cents": "amount_due", "not_before_us": "not_before",
               "valid_until_us": "valid_until", "chosen": "expected_net_value"}  # fmt: skip
    held = [field.name for field in fields(Decision) if getattr(everything[0], field.name) is not None]
    assert all(derived.get(name, name) in answer for name in held)


def test_a_decision_was_chosen_with_the_probability_that_the_policy_states(
    decided: list[Decision], encoded: Any, bundle: Any, desk: Any
) -> None:
    spine = every_account(len(encoded.account_ids), as_of_us=to_us(AS_OF))
    stated = probabilities(encoded, spine, bundle, desk=desk)
    index, place = encoded.account_index(), desk.catalogue.index
    free = [decision for decision in decided if decision.arm == "policy"]
    assert [stated[index[decision.account_id], place[decision.action]] for decision in free] == pytest.approx(
        [decision.action_prob for decision in free]
    )


def test_the_probabilities_of_a_policy_add_up_to_one(encoded: Any, bundle: Any, desk: Any) -> None:
    spine = every_account(len(encoded.account_ids), as_of_us=to_us(AS_OF))
    np.testing.assert_allclose(probabilities(encoded, spine, bundle, desk=desk).sum(axis=1), 1.0)
