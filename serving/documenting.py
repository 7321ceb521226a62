"""What the OpenAPI document says of refusals, headers and keys: one meaning for each, wherever it may be met."""

from __future__ import annotations

from typing import Any

from serving.access.scopes import needed
from serving.problems import MEDIA_TYPE

_MEANT = {
    400: "the body is not readable JSON, or what was sent is no HTTP: that is answered in plain text",
    401: "no key, or one that is not good",
    403: "the key has none of the scopes that this needs; or there are no keys, and the caller is not on this machine",
    404: "what was asked about is not known here; an account by the place that named it",
    408: "the body came too slowly",
    409: "what is stored says something else under that identity; or, with Retry-After, the Idempotency-Key is in use",
    410: "it was here, and its debtor was forgotten",
    413: "a body over 32 MiB, or over 5,000 events in an account or rows in a request",
    414: "a path over 2 KiB",
    415: "another content type than application/json",
    422: "a request that does not fit the contract, with the places that do not",
    429: "more requests than this client may send; Retry-After says when to come again",
    431: "headers over 16 KiB",
    500: "the service failed",
    503: "not ready yet, too much to do, or nothing could be written; Retry-After says when to come again",
}


def _header(about: str, *, required: bool = True, **schema: Any) -> dict[str, Any]:
    return {"description": about, "required": required, "schema": schema}


_ID_ABOUT = "names the request in the log; the caller's own where that is a UUID"
_COME_ABOUT = "in how many seconds to come again"
_HEADERS = {
    "RequestId": _header(_ID_ABOUT, type="string", format="uuid"),
    "RequestIdWhereRead": _header(
        f"{_ID_ABOUT}; none where it was no HTTP", required=False, type="string", format="uuid"
    ),
    "RetryAfter": _header(_COME_ABOUT, type="integer", minimum=1),
    "RetryAfterWhileInUse": _header(
        f"{_COME_ABOUT}; where the key is in use", required=False, type="integer", minimum=1
    ),
    "Challenge": _header("what kind of key is taken", type="string"),
    "Replayed": _header("that this answer was given before", required=False, type="string", const="true"),
}
_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "made by `acerto keys create`; with `acerto serve --insecure` there are none",
}
_OF_ANY_REQUEST = (400, 414, 431)
_OF_KEYS = (401, 403, 429)


def problems(*statuses: int, free: bool = False) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may refuse with these statuses, beside those that meet any request.

    A ``free`` route needs no key and counts no rate.
    """
    every = sorted({*statuses, *_OF_ANY_REQUEST, *(() if free else _OF_KEYS)})
    schema = {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": _MEANT[status], "content": {MEDIA_TYPE: schema}} for status in every
    }
    # What cannot be read as HTTP never reaches the app: the web server refuses it.
    found[400]["content"] = {MEDIA_TYPE: schema, "text/plain": {"schema": {"type": "string"}}}
    return found


def add_headers(document: dict[str, Any]) -> None:
    """Names the headers of every answer that is described."""
    document["components"]["headers"] = _HEADERS
    for operations in document["paths"].values():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                found = _headers_of(int(status), method)
                response["headers"] = {
                    name: {"$ref": f"#/components/headers/{header}"} for name, header in found.items()
                }


def _headers_of(status: int, method: str) -> dict[str, str]:
    found = {"X-Request-Id": "RequestIdWhereRead" if status == 400 else "RequestId"}
    if status in (429, 503):
        found["Retry-After"] = "RetryAfter"
    if status == 401:
        found["WWW-Authenticate"] = "Challenge"
    if method == "post" and status == 409:
        found["Retry-After"] = "RetryAfterWhileInUse"
    if method == "post" and status == 200:
        found["Idempotent-Replayed"] = "Replayed"
    return found


def add_keys(document: dict[str, Any]) -> None:
    """Says which operations need a key, and of which scopes one."""
    document["components"]["securitySchemes"] = {"key": _KEY}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            scopes = needed(method.upper(), path)
            operation["security"] = [] if scopes is None else [{"key": []}]
