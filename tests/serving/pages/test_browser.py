"""The pages in a real browser: Debian's Chromium, by Playwright. Skipped where one of them is missing."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from serving.access import keyring
from serving.access.tokens import new_key
from serving.app import create_app
from serving.pages.routes import Places
from serving.store import Store
from serving.store.opening import sqlite_url

CHROMIUM = shutil.which("chromium")
WAIT_MS = 60_000
"""The longest that anything is waited for: a browser that hangs ends the test, and not the machine's day."""
FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
NUMBERED = """
what => [...document.querySelectorAll(what)].filter(one => one.checkVisibility())
  .map((one, place) => { one.dataset.place = place; return place; })
"""
FOCUSED = """
() => [Number(document.activeElement.dataset.place), getComputedStyle(document.activeElement).outlineStyle]
"""
CONTRASTS = """
() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const [r, g, b, a = 1] = rgb(getComputedStyle(one).backgroundColor);
      if (a > 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own && !element.matches("input, select, textarea")) continue;
    const style = getComputedStyle(element);
    const colour = rgb(element.matches("svg text") ? style.fill : style.color);
    const [dark, pale] = [light(colour), light(behind(element))].sort((one, other) => one - other);
    found[`${colour} on ${behind(element)}`] = (pale + 0.05) / (dark + 0.05);
  }
  return found;
}
"""


class Site:
    """A running service with a decision in its store, and the key that a browser sends."""

    def __init__(self, url: str, token: str, store: Store) -> None:
        self.url, self.token, self.store, self.decision_id = url, token, store, ""

    @property
    def decision(self) -> str:
        return f"/reports/decisions/{self.decision_id}"

    def pages(self) -> list[str]:
        return ["/reports/", "/reports/decisions", self.decision, "/reports/compare"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e .[dev]")
    if CHROMIUM is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with playwright.sync_playwright() as running:
        # Without its sandbox, which needs rights that containers do not have; it opens pages of ours alone.
        found = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=WAIT_MS)
        yield found
        found.close()


@pytest.fixture
def site(schemas: Any, engine: Any, measured: Path, tmp_path: Path, ask: Any) -> Iterator[Site]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "reports" / "7").mkdir(parents=True)
    (tmp_path / "reports" / "7" / "report.html").write_text("<!doctype html><title>7</title><h1>Report</h1>")
    store = Store.open(sqlite_url(tmp_path / "acerto.db"))
    token, kept = new_key("default", frozenset({"admin"}), now=datetime.now(UTC))
    store.add_key(kept)
    places = Places(tmp_path / "reports", measured, tmp_path / "shadow")
    url = sqlite_url(tmp_path / "acerto.db")
    app = create_app(schemas, load=lambda: engine, open_store=lambda: Store.open(url), places=places, keys=True)
    server = uvicorn.Server(uvicorn.Config(app, port=port, ws="none", log_config=None, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    found = Site(f"http://127.0.0.1:{port}", token, store)
    try:
        _wait_until_ready(found.url)
        head = {"authorization": f"Bearer {token}"}
        answer = httpx.post(f"{found.url}/v1/decisions", json=ask(explain="full"), headers=head, timeout=30)
        found.decision_id = answer.json()["decisions"][0]["decision_id"]
        yield found
    finally:
        server.should_exit = True
        thread.join(20)
        store.close()


def _reached(tab: Any) -> list[int]:
    """What the Tab key reaches, in its order, as many as there are things; each has to show that it is reached."""
    there = tab.evaluate(NUMBERED, FOCUSABLE)
    reached: list[int] = []
    while len(reached) < len(there):
        tab.keyboard.press("Tab")
        place, outline = tab.evaluate(FOCUSED)
        # A field for a moment takes the focus once for each of its parts, which browsers mark themselves.
        if place not in reached[-1:]:
            reached.append(place)
            assert outline == "solid", place
    return reached


def _wait_until_ready(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the service was never ready")


@pytest.fixture
def refused_key(site: Site, monkeypatch: pytest.MonkeyPatch) -> str:
    """A key that may score and sees no page; the service, which is in this process, reads keys for every request."""
    monkeypatch.setattr(keyring, "FRESH_S", 0.0)
    token, kept = new_key("default", frozenset({"score"}), now=datetime.now(UTC))
    site.store.add_key(kept)
    return token


@pytest.fixture
def tab(browser: Any, site: Site) -> Iterator[Any]:
    """An empty tab, as wide as a small phone, whose user has the key."""
    context = browser.new_context(
        base_url=site.url, viewport={"width": 360, "height": 740},
        http_credentials={"username": "ana", "password": site.token},
    )  # fmt: skip
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    yield page
    context.close()


def test_no_page_is_wider_than_a_phone_or_tells_the_console_anything(tab: Any, site: Site) -> None:
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    for path in site.pages():
        for query in ("", "?locale=en"):
            tab.goto(path + query)
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert said == []


@pytest.mark.parametrize("status, said", [(401, "A key is needed"), (403, "not good for this")])
def test_who_may_not_see_a_page_is_shown_one_as_good_as_the_others(
    tab: Any, site: Site, refused_key: str, status: int, said: str
) -> None:
    head = {"accept": "text/html", "accept-language": "en"}
    head |= {"authorization": f"Bearer {refused_key}"} if status == 403 else {}
    answer = httpx.get(f"{site.url}{site.decision}", headers=head, timeout=30)
    assert answer.status_code == status
    # A browser without a window has no dialogue for a key to cancel, after which the page of a 401 is shown.
    shown = {name: text for name, text in answer.headers.items() if name in ("content-type", "content-security-policy")}
    tab.route("**/reports/**", lambda route: route.fulfill(status=status, headers=shown, body=answer.content))
    tab.goto(site.decision)
    assert said in tab.locator("h1").inner_text()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert {colours: ratio for colours, ratio in tab.evaluate(CONTRASTS).items() if ratio < 4.5} == {}
    assert _reached(tab) == tab.evaluate(NUMBERED, FOCUSABLE)


def test_the_comparison_says_its_verdict_before_its_numbers(tab: Any, site: Site) -> None:
    tab.goto("/reports/compare?locale=en")
    texts = tab.locator("main").inner_text()
    assert texts.index("better in: auc; and worse in: brier") < texts.index("+0.0120")


def test_every_text_stands_out_from_what_is_behind_it(tab: Any, site: Site) -> None:
    for path in site.pages():
        tab.goto(path)
        tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = tab.evaluate(CONTRASTS)
        assert found
        assert {colours: ratio for colours, ratio in found.items() if ratio < 4.5} == {}, path


def test_the_keyboard_reaches_everything_in_its_order_and_shows_where_it_is(tab: Any, site: Site) -> None:
    for path in site.pages():
        tab.goto(path)
        assert _reached(tab) == tab.evaluate(NUMBERED, FOCUSABLE), path


def test_everything_has_a_name_and_headings_do_not_jump(tab: Any, site: Site) -> None:
    for path in site.pages():
        tab.goto(path)
        nameless = tab.evaluate("""() => [...document.querySelectorAll(
            "input:not([type=hidden]), select, textarea, svg, a, button, [role=region]")]
            .filter(one => !(one.labels?.length || one.getAttribute("aria-label") || one.textContent.trim()))
            .map(one => one.outerHTML)""")
        assert nameless == []
        levels = tab.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(one => Number(one.tagName[1]))")
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels)), levels


def test_a_review_is_asked_for_by_the_keyboard_alone(tab: Any, site: Site) -> None:
    tab.goto(f"{site.decision}?locale=en")
    tab.locator("#request-text").focus()
    tab.keyboard.type("I do not know this debt.")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**done=review*")
    assert tab.locator("[role=status]").inner_text() == "The review is recorded."
    assert [content["text"] for content, _ in site.store.reviews(site.decision_id, tenant="default")] == [
        "I do not know this debt."
    ]


def test_a_check_is_made_by_its_button(tab: Any, site: Site) -> None:
    tab.goto(f"{site.decision}?locale=en")
    tab.get_by_role("button", name="Compute it again").click()
    assert "byte by byte" in tab.locator("[role=status]").inner_text()


def test_a_form_of_another_site_does_nothing_though_the_browser_sends_the_key(tab: Any, site: Site) -> None:
    tab.goto(site.decision)
    target = f"{site.url}{site.decision}/review"
    body = f"<form method=post action='{target}'><input name=kind value=request><input name=by value=debtor></form>"
    tab.route("http://elsewhere.example/**", lambda route: route.fulfill(content_type="text/html", body=body))
    tab.goto("http://elsewhere.example/")
    with tab.expect_navigation() as navigation:
        tab.evaluate("document.forms[0].submit()")
    assert navigation.value.status == 403
    assert site.store.reviews(site.decision_id, tenant="default") == []
