"""The interactive description of the API."""

from __future__ import annotations

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

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
