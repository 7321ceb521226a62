"""The words of decisions: every number is in the record, in both languages, and none of them threatens anybody."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisioning.audiences import explained
from decisioning.desk import desk as make_desk
from decisioning.engine import decide
from decisioning.fidelity import Known, faithful, sentences
from decisioning.record_words import Words
from decisioning.records import decision_json
from domain.clock import parse_moment
from domain.coded import coded
from features.catalogue import CATALOGUE
from features.encoding import encode

AS_OF = parse_moment("2026-03-02T12:30:00Z")
FEATURES = {feature.code: feature for feature in CATALOGUE}
LOCALES = ("pt-BR", "en")
THREATS = (
    "negativ", "spc", "serasa", "process", "justi", "judicia", "penhora", "pris", "último aviso", "consequ", "vergonh",
    "ameaç", "obrigad", "imediat", "lawsuit", "court", "bureau", "final notice", "consequence", "seiz", "must pay",
    "immediately", "urgent",
)  # fmt: skip
"""Words of pressure: what a debtor is told has none of them (CDC, art. 42)."""


@pytest.fixture(scope="module")
def records(portfolio: Any, bundle: Any, desk: Any) -> list[dict[str, Any]]:
    """Decisions in full, learned and on priors, with sizes of all kinds, as they come back from a store."""
    found = []
    tables = portfolio(60)
    tables.columns["accounts"]["debtor_id"] = coded([f"p{row}" for row in range(60)])
    encoded = encode(tables, attributes={})
    free = make_desk(desk.catalogue, desk.config, replace(desk.contact_policy, rules=()))
    for model in (bundle, replace(bundle, response=None)):
        for at in (desk, free):
            for explain in ("full", "reasons"):
                decided = decide(encoded, as_of=AS_OF, bundle=model, desk=at, explain=explain)
                found += [json.loads(json.dumps(decision_json(one, explained=30))) for one in decided]
    return found


def words(desk: Any, locale: str) -> Words:
    return Words(locale, "R$", FEATURES, desk.contact_policy)


def told(record: Mapping[str, Any], desk: Any, locale: str) -> dict[str, Any]:
    return explained(record, words=words(desk, locale), beside={})


@pytest.mark.parametrize("locale", LOCALES)
def test_every_number_of_every_text_is_in_the_record(records: list[dict[str, Any]], desk: Any, locale: str) -> None:
    numbers = 0
    for record in records:
        known = Known.of(record, words(desk, locale))
        for text in sentences(told(record, desk, locale)):
            assert not [*known.strange(text, locale=locale, currency="R$")], text
            numbers += len(re.findall(r"\d+", text))
    assert numbers > 1000


@given(data=st.data(), locale=st.sampled_from(LOCALES))
@settings(max_examples=60, deadline=None)
def test_an_amount_that_is_not_in_the_record_is_found_in_whatever_text_it_stands(
    records: list[dict[str, Any]], desk: Any, data: st.DataObject, locale: str
) -> None:
    record = data.draw(st.sampled_from(records))
    known = Known.of(record, words(desk, locale))
    cents = data.draw(st.integers(1, 10**9).filter(lambda one: not _holds(known.amounts, one / 100.0)))
    said = words(desk, locale).money(cents / 100.0)
    assert [*known.strange(f"A: {said}.", locale=locale, currency="R$")]


def _holds(amounts: list[float], number: float) -> bool:
    return bool((np.abs(np.array(amounts) - number) < 0.0051).any())


@given(data=st.data(), locale=st.sampled_from(LOCALES), cents=st.integers(-(10**9), 10**9))
@settings(max_examples=60)
def test_an_amount_is_read_back_however_a_language_writes_it(data: st.DataObject, locale: str, cents: int) -> None:
    known = Known([abs(cents) / 100.0], [], frozenset())
    said = Words(locale, "R$", {}, None).money(cents / 100.0)  # type: ignore[arg-type]
    assert known.holds(f"x {said}; y", locale=locale, currency="R$")


def test_a_sentence_with_a_number_of_its_own_is_left_out_and_counted(records: list[dict[str, Any]], desk: Any) -> None:
    record, locale = records[0], "en"
    made_up = told(record, desk, locale)
    count = len(made_up["debtor"]["text"])
    made_up["debtor"]["text"].append("You owe R$ 987,654,321.99.")
    made_up["agent"]["proposal"] = "Ask for R$ 987,654,321.99."
    kept, left_out = faithful(made_up, record, words(desk, locale))
    assert (len(kept["debtor"]["text"]), kept["agent"]["proposal"], left_out) == (count, None, 2)


def test_words_that_are_faithful_are_told_as_they_are(records: list[dict[str, Any]], desk: Any) -> None:
    whole = told(records[0], desk, "en")
    assert faithful(whole, records[0], words(desk, "en")) == (whole, 0)


def test_the_debtor_is_threatened_with_nothing(records: list[dict[str, Any]], desk: Any) -> None:
    for record in records:
        for locale in LOCALES:
            text = " ".join(told(record, desk, locale)["debtor"]["text"]).lower()
            assert not [word for word in THREATS if re.search(rf"\b{word}", text)]


def test_the_debtor_is_told_criteria_procedure_and_how_to_ask_for_a_review(
    records: list[dict[str, Any]], desk: Any
) -> None:
    for record in records:
        text = " ".join(told(record, desk, "pt-BR")["debtor"]["text"])
        assert ("O que mais pesou" in text) or ("histórico da sua conta" in text)
        assert "compara as formas de contato" in text
        assert "pedir que uma pessoa a revise" in text
        assert "informe o código desta decisão" in text


@pytest.mark.parametrize("locale", LOCALES)
def test_the_debtor_is_told_no_number_but_amounts(records: list[dict[str, Any]], desk: Any, locale: str) -> None:
    for record in records:
        text = " ".join(told(record, desk, locale)["debtor"]["text"])
        assert not re.search(r"\d", re.sub(r"R\$ [\d.,]*\d", "", text))


def test_each_sentence_of_one_language_has_its_twin_in_the_other(records: list[dict[str, Any]], desk: Any) -> None:
    for record in records:
        portuguese, english = (told(record, desk, locale) for locale in LOCALES)
        for part in (("debtor", "text"), ("agent", "reasons"), ("agent", "differences"), ("agent", "changes")):
            ours, theirs = (found[part[0]][part[1]] for found in (portuguese, english))
            assert len(ours) == len(theirs)
            assert all(one != other for one, other in zip(ours, theirs, strict=True))


def test_the_auditor_has_the_money_the_differences_and_the_changes_of_the_record(
    records: list[dict[str, Any]], desk: Any
) -> None:
    for record in records:
        auditor, whole = told(record, desk, "en")["auditor"], record.get("explanation")
        if whole is None:
            assert (auditor["money"], auditor["differences"], auditor["changes"]) == (None, {}, [])
        else:
            assert {name: auditor[name] for name in ("money", "differences", "changes")}.items() <= whole.items()


def test_the_agent_is_told_to_ask_for_a_permission_once_where_that_would_change_the_proposal(
    records: list[dict[str, Any]], desk: Any
) -> None:
    asked = 0
    for record in records:
        wanted = [
            one for one in (record.get("explanation") or {}).get("changes", []) if one.get("code") == "NO_CONSENT"
        ]
        said = [text for text in told(record, desk, "en")["agent"]["changes"] if "do not insist" in text]
        assert len(said) == len(wanted)
        asked += len(said)
    assert asked > 0


@pytest.mark.parametrize("code", ["OPTED_OUT", "CONSENT_REVOKED", "HOLD_DISPUTE", "DO_NOT_CALL", "NOT_AFFORDABLE"])
@pytest.mark.parametrize("by", ["debtor", "operator", "nobody"])
def test_nobody_is_talked_out_of_what_protects_them(
    records: list[dict[str, Any]], desk: Any, code: str, by: str
) -> None:
    change = {"kind": "rule", "action": "sms/none/morning", "gain": 10.0, "by": by, "rule": "r", "code": code,
              "allowed_from": None}  # fmt: skip
    record = next(one for one in records if "explanation" in one)
    record = {**record, "explanation": {**record["explanation"], "changes": [change]}}
    plain = {**record, "explanation": {**record["explanation"], "changes": []}}
    for locale in LOCALES:
        with_, without = told(record, desk, locale), told(plain, desk, locale)
        assert (with_["agent"]["changes"], with_["debtor"]) == ([], without["debtor"])


def test_every_code_of_a_reason_is_worded_in_both_languages(records: list[dict[str, Any]], desk: Any) -> None:
    codes = {one["code"] for record in records for one in record["reasons"]}
    assert len(codes) > 3
    for record in records:
        for one in record["reasons"]:
            said = [words(desk, locale).reason(one) for locale in LOCALES]
            assert one["code"] not in said
            assert said[0] != said[1]
