"""What a browser is shown that may not see a page: what is missing, and what to do, in the language that it asks for.

Whoever does not ask for a page, as programs do not, is answered as everywhere else, with a problem as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import Scope

from serving.explaining import LOCALES
from serving.pages.rendering import html, rendered
from serving.problems import RETRY_AFTER_S, Problem

_HOME = "/reports/"
_HTML, _JSON = "text/html", ("application/json", "application/problem+json")


def wants_page(scope: Scope) -> bool:
    """Whether it is a page that is asked for, by a client that takes HTML at least as gladly as JSON."""
    if scope["path"] != _HOME.rstrip("/") and not scope["path"].startswith(_HOME):
        return False
    wishes = dict(_wishes(scope, b"accept"))
    as_html = wishes.get(_HTML, 0.0)
    return as_html > 0.0 and as_html >= max(wishes.get(one, 0.0) for one in _JSON)


def locale_for(scope: Scope) -> str:
    """The language of the query, or else the one of ours that the browser likes best, or else Portuguese."""
    asked = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"))).get("locale")
    if asked in LOCALES:
        return str(asked)
    liked: dict[str, float] = {}
    for tag, weight in _wishes(scope, b"accept-language"):
        for locale in LOCALES:
            if tag.partition("-")[0] == locale.partition("-")[0].lower():
                liked[locale] = max(weight, liked.get(locale, 0.0))
    return max(liked, key=lambda one: liked[one], default=LOCALES[0])


def refusal(problem: Problem, scope: Scope, word: str) -> Response | None:
    """The page of a refused request, with the status and headers that it has as JSON; ``None`` where none is asked for.

    Parameters
    ----------
    word : what was refused, as the metrics count it; the page has words for it, or for its status
    """
    if not wants_page(scope):
        return None
    content = rendered(
        "refused.html", locale=locale_for(scope), here=_HOME, problem=problem, word=word, status=str(problem.status),
        request_id=scope["state"]["request_id"],
    )  # fmt: skip
    found = html(content, status=problem.status)
    found.headers.update(problem.headers)
    found.headers["Vary"] = "Accept, Accept-Language"
    if problem.status in (429, 503):
        found.headers.setdefault("Retry-After", str(RETRY_AFTER_S))
    return found


def _wishes(scope: Scope, header: bytes) -> Iterator[tuple[str, float]]:
    """What a header of preferences names, in lower case, and how much each is liked; what cannot be read is not."""
    for name, value in scope["headers"]:
        if name == header:
            for wish in value.decode("latin-1").split(","):
                what, *options = (part.strip().lower() for part in wish.split(";"))
                yield what, _weight(options)


def _weight(options: Iterable[str]) -> float:
    """Between 0 and 1; 1 where none is given."""
    for option in options:
        key, _, text = option.partition("=")
        if key.strip() == "q":
            try:
                return min(max(float(text), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
