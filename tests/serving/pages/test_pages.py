from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from page_tags import Tags

from serving.pages.rendering import HEADERS
from serving.store import Store
from serving.store.decision_log import Record


def token_of(page: str, form: str) -> str:
    found = re.search(rf'action="[^"]*/{form}[^"]*"><input type="hidden" name="token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.fixture
def decided(reader: Any, ask: Any) -> dict[str, Any]:
    found: dict[str, Any] = reader("score").decide(ask(explain="full"))
    return found


@pytest.fixture
def path(decided: dict[str, Any]) -> str:
    return f"/reports/decisions/{decided['decision_id']}"


@pytest.mark.parametrize("page", ["/reports/", "/reports/decisions", "/reports/compare", None])
@pytest.mark.parametrize("query, lang", [("", "pt-BR"), ("?locale=en", "en")])
def test_every_page_is_in_the_language_asked_for_and_runs_nothing(
    reader: Any, path: str, page: str | None, query: str, lang: str
) -> None:
    answer = reader("admin").get((page or path) + query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f'<html lang="{lang}">' in answer.text
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    found = Tags(answer.text)
    assert not {"script", "iframe", "object", "embed"} & {tag for tag, _ in found.found}
    assert not [name for _, names in found.found for name in names if name.startswith("on") or name == "style"]
    assert all(target.startswith(("/reports/", "#", "data:,")) for target in found.targets)


def test_a_decision_is_told_with_its_versions_reasons_and_rules(reader: Any, decided: Any, path: str) -> None:
    page = reader("review").get(path).text
    assert decided["action"] in page
    assert decided["policy_version"] in page
    for refusal in decided["refusals"]:
        assert refusal["rule"] in page
        assert refusal["version"] in page
    assert "<svg" in page


def test_where_the_money_comes_from_is_told_by_factor_and_what_would_change_the_decision(
    reader: Any, decided: Any, path: str
) -> None:
    page, whole = reader("review").get(f"{path}?locale=en").text, decided["explanation"]
    parts = [whole["money"], *(gap for gap in whole["differences"].values() if gap)]
    amounts = [amount for part in parts for amount in part["by_factor"].values()] + [whole["money"]["average"]]
    assert amounts
    for amount in amounts:
        assert f"{abs(amount):,.2f}" in page
    assert len(whole["changes"]) == 0 or "What would change the decision" in page


def test_a_decision_without_contributions_says_how_to_get_them(reader: Any, ask: Any) -> None:
    decision_id = reader("score").decide(ask())["decision_id"]
    page = reader("review").get(f"/reports/decisions/{decision_id}?locale=en").text
    assert "<svg" not in page
    assert "explain was not full" in page


def test_the_look_up_leads_to_the_decision(reader: Any, decided: Any, path: str) -> None:
    answer = reader("review").get(f"/reports/decisions?id=%20{decided['decision_id']}%20&locale=en")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?locale=en")


@pytest.mark.parametrize("asked", ["/reports/decisions/unknown", "/reports/decisions?id=%3Cb%3E"])
def test_what_is_no_decision_is_said_in_words(reader: Any, asked: str) -> None:
    answer = reader("review").get(asked)
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    assert "Nenhuma decisão com este número" in answer.text


def test_a_forgotten_decision_is_said_to_be_forgotten(reader: Any, store: Store, decided: Any, path: str) -> None:
    store.erase(decided["account_id"], tenant="default")
    answer = reader("review").get(path)
    assert answer.status_code == 410
    assert "foi esquecido" in answer.text


def test_a_decision_of_another_creditor_is_none(reader: Any, path: str) -> None:
    assert reader("review", tenant="bank_b").get(path).status_code == 404


def test_a_language_that_there_is_not_is_refused_as_a_page(reader: Any) -> None:
    answer = reader("review").get("/reports/?locale=<b>")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert "<b>" not in answer.text


def test_a_review_is_asked_for_and_closed_by_forms(reader: Any, store: Store, decided: Any, path: str) -> None:
    ana = reader("review")
    said = {"kind": "request", "by": "debtor", "reason": "", "text": "não é minha"}
    answer = ana.post(f"{path}/review?locale=en", data={**said, "token": token_of(ana.get(path).text, "review")})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=review&locale=en")
    page = ana.get(answer.headers["location"]).text
    assert "não é minha" in page
    closed = {"kind": "outcome", "by": "reviewer", "outcome": "upheld", "token": token_of(page, "review")}
    assert ana.post(f"{path}/review", data=closed).status_code == 303
    kept = [content for content, _ in store.reviews(decided["decision_id"], tenant="default")]
    assert [one["kind"] for one in kept] == ["request", "outcome"]


def test_what_became_of_a_decision_is_recorded_by_a_form(reader: Any, store: Store, decided: Any, path: str) -> None:
    ana = reader("review", "ingest")
    said = {"status": "sent", "at": "2026-03-02T13:05", "token": token_of(ana.get(path).text, "outcome")}
    assert ana.post(f"{path}/outcome", data=said).status_code == 303
    assert [status for status, _ in store.outcomes(decided["decision_id"], tenant="default")] == ["sent"]
    assert "02/03/2026 13:05 UTC" in ana.get(path).text


def test_a_key_that_may_not_ingest_is_shown_no_form_for_outcomes_and_refused_one(reader: Any, path: str) -> None:
    ana = reader("review")
    assert f"{path}/outcome" not in ana.get(path).text
    assert ana.post(f"{path}/outcome", data={"status": "sent", "at": "2026-03-02T13:05"}).status_code == 403


FORGED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "no token": ({"token": ""}, {}),
    "a token of nobody": ({"token": f"1772000000.{'0' * 64}"}, {}),
    "another site": ({}, {"sec-fetch-site": "cross-site"}),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_form_that_was_not_sent_from_its_page_does_nothing(
    reader: Any, store: Store, decided: Any, path: str, how: str
) -> None:
    ana = reader("review")
    fields, headers = FORGED[how]
    said = {"kind": "request", "by": "debtor", "token": token_of(ana.get(path).text, "review"), **fields}
    answer = ana.post(f"{path}/review", data=said, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert store.reviews(decided["decision_id"], tenant="default") == []


def test_the_token_of_one_reader_is_no_good_for_another(reader: Any, path: str) -> None:
    token = token_of(reader("review").get(path).text, "review")
    refused = reader("review").post(f"{path}/review", data={"kind": "request", "by": "debtor", "token": token})
    assert refused.status_code == 403


def test_a_form_that_does_not_fit_is_told_by_its_place_and_not_repeated(reader: Any, path: str) -> None:
    ana = reader("review")
    said = {"kind": "request", "by": "debtor", "reason": "529 982", "token": token_of(ana.get(path).text, "review")}
    answer = ana.post(f"{path}/review", data=said)
    assert answer.status_code == 422
    assert "/reason" in answer.text
    assert "529 982" not in answer.text


def test_a_form_is_no_json_and_no_more_than_a_form(reader: Any, path: str) -> None:
    ana = reader("review")
    assert ana.post(f"{path}/review", json={"kind": "request"}).status_code == 415
    assert ana.post(f"{path}/review", data={"text": "x" * 70_000}).status_code == 413


def test_a_check_computes_the_record_again_and_draws_what_it_lacks(reader: Any, ask: Any) -> None:
    path = f"/reports/decisions/{reader('score').decide(ask())['decision_id']}"
    ana = reader("review")
    answer = ana.post(f"{path}/replay?locale=en", data={"token": token_of(ana.get(path).text, "replay")})
    assert "byte by byte" in answer.text
    assert "it is no part of the record" in answer.text
    assert "<svg" in answer.text


def test_a_check_names_the_places_of_a_record_that_was_changed(
    reader: Any, store: Store, decided: Any, path: str
) -> None:
    kept = store.decision(decided["decision_id"], tenant="default")
    assert kept is not None
    assert kept.content is not None
    changed = {**kept.content, "answer": {**kept.content["answer"], "p_complaint": 0.5}}
    record = Record.of(kept.decision_id, decided["account_id"], decided["account_id"], 0, content=changed)
    store.record([record], tenant="default").result()
    ana = reader("review")
    answer = ana.post(f"{path}/replay", data={"token": token_of(ana.get(path).text, "replay")})
    assert "/answer/p_complaint" in answer.text


def test_neither_ids_nor_what_forms_hold_are_in_the_log(reader: Any, path: str, capsys: Any) -> None:
    ana = reader("review")
    said = {"kind": "request", "by": "debtor", "text": "Maria 529", "token": token_of(ana.get(path).text, "review")}
    ana.post(f"{path}/review", data=said)
    ana.get(f"/reports/decisions?id={path.rpartition('/')[2]}")
    told = capsys.readouterr().out
    assert '"/reports/decisions/{decision_id}/review"' in told
    assert path.rpartition("/")[2] not in told
    assert "Maria" not in told


def test_reports_are_listed_by_version_with_what_it_is(reader: Any, shelf: Path, tmp_path: Path) -> None:
    for version in ("7", "8", "9"):
        folder = tmp_path / "reports" / version
        folder.mkdir(parents=True)
        (folder / "report.html").write_text("<h1>Report</h1>")
        known = shelf / "bundles" / version / "manifest.json"
        model_hash = json.loads(known.read_text())["model_hash"] if known.exists() else "0"
        own = {"version": version, "trained_at": f"2026-03-0{version}T00:00:00Z", "model_hash": model_hash}
        (folder / "report.json").write_text(json.dumps({"identity": own}))
    page = reader("review").get("/reports/?locale=en").text
    rows = [re.sub(r"<[^>]+>|\s+", " ", row).split() for row in re.findall(r"<h2>(Version.*?)</h2>", page)]
    assert [row[1] for row in rows] == ["9", "8", "7"]
    assert ["challenger" in row for row in rows] == [False, True, False]
    assert ["champion" in row for row in rows] == [False, False, True]


def test_a_report_of_another_model_of_the_same_number_is_not_called_champion(reader: Any, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    own = {"version": "7", "trained_at": "2026-03-01T00:00:00Z", "model_hash": "0"}
    (tmp_path / "reports" / "report.json").write_text(json.dumps({"identity": own}))
    page = reader("review").get("/reports/?locale=en").text
    assert 'class="tag"' not in page
    assert "another model of this number" in page


@pytest.mark.parametrize("content", ["{", "[]", '{"identity": [1]}', "[" * 99_999])
def test_a_report_that_says_nothing_of_its_model_is_listed_by_its_folder(
    reader: Any, tmp_path: Path, content: str
) -> None:
    (tmp_path / "reports" / "5").mkdir(parents=True)
    (tmp_path / "reports" / "5" / "report.json").write_text(content)
    assert "<h2>Versão 5" in reader("review").get("/reports/").text


def test_a_script_in_a_report_is_not_run(reader: Any, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.html").write_text("<script>fetch('/v1/model')</script>")
    allowed = reader("review").get("/reports/report.html").headers["content-security-policy"]
    assert "default-src 'none'" in allowed
    assert "script-src" not in allowed


def test_champion_and_challenger_are_compared_by_what_differs(reader: Any) -> None:
    page = reader("review").get("/reports/compare?locale=en").text
    assert "/training/seed" in page
    assert "auc, 30 days" in page
    assert "[0.7800; 0.8200]" in page
    assert "/label" not in page


def test_a_bundle_that_was_put_in_place_of_another_is_not_compared(reader: Any, shelf: Path) -> None:
    manifest = json.loads((shelf / "bundles" / "8" / "manifest.json").read_text())
    (shelf / "bundles" / "8" / "manifest.json").write_text(json.dumps({**manifest, "trained_at": "2026-01-01"}))
    page = reader("review").get("/reports/compare?locale=en").text
    assert "could not be read (replaced)" in page
    assert "/training/seed" not in page


def test_a_registry_without_a_challenger_says_so(reader: Any, shelf: Path) -> None:
    (shelf / "aliases" / "challenger.json").unlink()
    assert "has no challenger" in reader("review").get("/reports/compare?locale=en").text


def test_what_the_shadow_saw_of_all_creditors_is_told_to_an_admin_alone(reader: Any, tmp_path: Path) -> None:
    sides = [{"model_version": version, "p_pay": {"30d": 0.2}, "action": "sms/none/any", "action_prob": 1.0,
              "expected_net_value": 1.0, "incremental_net_value": 1.0} for version in ("7", "8")]  # fmt: skip
    (tmp_path / "shadow").mkdir()
    pairs = [{"account_id": "a", "as_of": "2026-03-02T12:00:00Z", "champion": sides[0],
              "challenger": {**sides[1], "action": action}} for action in ("sms/none/any", "email")]  # fmt: skip
    log = tmp_path / "shadow" / "shadow-2026-03-02.jsonl"
    log.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    assert "<strong>50.0%</strong> of 2" in reader("admin").get("/reports/compare?locale=en").text
    assert "50.0%" not in reader("review").get("/reports/compare?locale=en").text
