from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_tags import Tags

from serving.access.tokens import new_key
from serving.pages.refused import locale_for, wants_page
from serving.pages.rendering import HEADERS
from serving.store import Store

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
HTML = "text/html; charset=utf-8"
PROBLEM = "application/problem+json"


def scope(path: str = "/reports/", *, accept: str = BROWSER, language: str = "", query: str = "") -> dict[str, Any]:
    head = [(b"accept", accept.encode("latin-1")), (b"accept-language", language.encode("latin-1"))]
    return {"path": path, "query_string": query.encode(), "headers": head}


@pytest.mark.parametrize("path", ["/reports/", "/reports", "/reports/decisions/0123", "/reports/7/report.html"])
def test_a_browser_without_a_key_is_told_on_a_page_what_to_do(site: Any, path: str) -> None:
    answer = site.get(path, headers={"accept": BROWSER})
    assert (answer.status_code, answer.headers["content-type"]) == (401, HTML)
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert "acerto keys create" in answer.text
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.5", "text/html;q=0"])
def test_who_asks_for_no_page_is_told_as_json(site: Any, accept: str) -> None:
    answer = site.get("/reports/", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)


def test_outside_the_pages_a_browser_is_told_as_json_too(site: Any) -> None:
    assert site.get("/v1/model", headers={"accept": BROWSER}).headers["content-type"] == PROBLEM


@pytest.mark.parametrize("method, path, scopes", [
    ("get", "/reports/", ("score",)), ("post", "/reports/decisions/0123/outcome", ("review",)),
])  # fmt: skip
def test_a_key_that_is_not_good_for_it_is_told_which_scope_is_needed(
    reader: Any, site: Any, method: str, path: str, scopes: tuple[str, ...]
) -> None:
    answer = getattr(site, method)(path, headers={**reader(*scopes).head, "accept": BROWSER, "accept-language": "en"})
    assert (answer.status_code, answer.headers["content-type"]) == (403, HTML)
    assert "not good for this" in answer.text and "Ask for a key that has it" in answer.text


def test_a_key_that_has_expired_is_told_so(site: Any, store: Store) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2)
    token, kept = new_key("default", frozenset({"review"}), now=long_ago)
    store.add_key(replace(kept, expires_at=long_ago + timedelta(days=1)))
    head = {"authorization": f"Bearer {token}", "accept": BROWSER, "accept-language": "en-GB,en;q=0.8"}
    assert "This key has expired" in site.get("/reports/", headers=head).text


def test_an_unknown_key_is_not_repeated(site: Any) -> None:
    token = f"acerto_{'0' * 16}_{'x' * 43}"
    page = site.get("/reports/", headers={"authorization": f"Bearer {token}", "accept": BROWSER}).text
    assert "não é conhecida" in page and token not in page


@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_a_page_of_refusal_runs_nothing_and_leads_nowhere_else(site: Any, language: str) -> None:
    page = site.get("/reports/", headers={"accept": BROWSER, "accept-language": language}).text
    found = Tags(page)
    assert f'<html lang="{language}">' in page
    assert not {"script", "iframe", "object", "embed"} & {tag for tag, _ in found.found}
    assert all(target.startswith(("/reports/", "#", "data:,")) for target in found.targets)


@pytest.mark.parametrize("language, query, locale", [
    ("", "", "pt-BR"), ("en-US,en;q=0.9", "", "en"), ("pt-BR,pt;q=0.9,en;q=0.8", "", "pt-BR"), ("fr", "", "pt-BR"),
    ("en;q=0.4,pt;q=0.6", "", "pt-BR"), ("pt-BR", "locale=en", "en"), ("en", "locale=xx", "en"), ("en;q=x", "", "en"),
])  # fmt: skip
def test_the_language_is_that_of_the_address_or_what_the_browser_likes_best(
    language: str, query: str, locale: str
) -> None:
    assert locale_for(scope(language=language, query=query)) == locale


@given(accept=st.text(st.characters(max_codepoint=255)), language=st.text(st.characters(max_codepoint=255)))
def test_whatever_a_client_prefers_is_read_without_failing(accept: str, language: str) -> None:
    asked = scope(accept=accept, language=language)
    assert wants_page(asked) in (True, False) and locale_for(asked) in ("pt-BR", "en")
