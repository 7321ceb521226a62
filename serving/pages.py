"""The two pages for people: the interactive API description, and the list of reports."""

from __future__ import annotations

from html import escape
from pathlib import Path

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

_REPORT_FILES = ("*.html", "*.pdf", "*.json", "*/*.html", "*/*.pdf", "*/*.json")
_NO_ICON = "data:,"


def docs_page(*, local: bool) -> HTMLResponse:
    """Swagger UI over ``/openapi.json``; with ``local`` its files come from this service and need no network."""
    if not local:
        return get_swagger_ui_html(openapi_url="/openapi.json", title="Acerto API", swagger_favicon_url=_NO_ICON)
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Acerto API",
        swagger_js_url="/docs/assets/swagger-ui-bundle.js",
        swagger_css_url="/docs/assets/swagger-ui.css",
        swagger_favicon_url=_NO_ICON,
    )


def reports_page(folder: Path | None) -> HTMLResponse:
    """Links to the reports of a folder and of the folders in it."""
    files = sorted({path for pattern in _REPORT_FILES for path in folder.glob(pattern)}) if folder else []
    names = [path.relative_to(folder).as_posix() for path in files if folder]
    links = "".join(f'<li><a href="/reports/{escape(name, quote=True)}">{escape(name)}</a></li>' for name in names)
    body = f"<ul>{links}</ul>" if links else "<p>No report yet: write one with <code>acerto report</code>.</p>"
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Reports</title><h1>Reports</h1>{body}</html>'
    return HTMLResponse(page)
