"""From values to a page: templates that escape, numbers as people read them, and what a browser may do.

No page has a script. The one style sheet stands in the page and is allowed by its hash; nothing else is loaded.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from domain.clock import parse_moment
from features.wording import as_written
from serving.explaining import LOCALES
from serving.pages.words import words

_STYLE = (Path(__file__).parents[1] / "templates" / "pages.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
_AROUND = {
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
HEADERS: Mapping[str, str] = {
    **_AROUND,
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}
"""Of every page; ``X-Content-Type-Options`` is on every answer of the service."""
FILE_HEADERS: Mapping[str, str] = {
    **_AROUND,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data: 'self'; font-src data:; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
"""Of the files of reports, which were written elsewhere: a script in one could do all that the reader's key may."""


def rendered(template: str, *, locale: str, here: str, **values: Any) -> bytes:
    """A page.

    Parameters
    ----------
    here : its own path, without a query, which the other language is linked by
    """
    other = next(one for one in LOCALES if one != locale)
    page = _environment(locale).get_template(template).render(
        t=words(locale), locale=locale, here=here, other=address(here, locale=other), **values
    )  # fmt: skip
    return page.encode("utf-8", errors="replace")


def html(content: bytes, *, status: int = 200) -> HTMLResponse:
    """A page as it is sent."""
    return HTMLResponse(content, status_code=status, headers=dict(HEADERS))


def address(path: str, *, locale: str, **query: str) -> str:
    """A path of ours in a language, the first of which needs no query."""
    asked = {**query, **({} if locale == LOCALES[0] else {"locale": locale})}
    return path + ("?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items()) if asked else "")


def decision_path(decision_id: str) -> str:
    """Where a decision is shown."""
    return f"/reports/decisions/{quote(decision_id, safe='')}"


def share(value: float | None, places: int = 1, *, locale: str, signed: bool = False) -> str:
    """A share as a percentage.

    >>> share(0.125, locale="pt-BR"), share(-0.02, locale="en", signed=True), share(None, locale="en")
    ('12,5%', '−2.0%', '–')
    """
    return "–" if value is None else f"{number(100 * value, places, locale=locale, signed=signed)}%"


def number(value: float | None, places: int = 4, *, locale: str, signed: bool = False) -> str:
    """A number with so many places.

    >>> number(1234.5, 1, locale="pt-BR"), number(0.25, 2, locale="en", signed=True)
    ('1.234,5', '+0.25')
    """
    if value is None:
        return "–"
    text = f"{value:{'+' if signed else ''},.{places}f}".replace("-", "−")
    return as_written(text, locale)


def moment(text: str | None, *, locale: str) -> str:
    """An RFC 3339 moment in UTC, to the minute.

    >>> moment("2026-03-02T09:30:00-03:00", locale="pt-BR"), moment(None, locale="en")
    ('02/03/2026 12:30 UTC', '–')
    """
    if not text:
        return "–"
    try:
        found = parse_moment(text)
    except (ValueError, OverflowError):
        return text  # as it was written, by whoever wrote it
    return found.strftime("%Y-%m-%d %H:%M UTC" if locale == "en" else "%d/%m/%Y %H:%M UTC")


@cache
def _environment(locale: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("serving"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["share"] = lambda *given, **named: share(*given, locale=locale, **named)
    environment.filters["number"] = lambda *given, **named: number(*given, locale=locale, **named)
    environment.filters["moment"] = lambda text: moment(text, locale=locale)
    environment.globals["style"] = Markup(_STYLE)  # ours, and hashed as it is
    environment.globals["to"] = lambda path: address(path, locale=locale)
    return environment
