"""What the OpenAPI document says of refusals: one meaning for each status, and the shape that all of them share."""

from __future__ import annotations

from typing import Any

from serving.problems import MEDIA_TYPE

_MEANT = {
    400: "the body is not readable JSON",
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


_AT_THE_GATE = (401, 403, 414, 429, 431)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may refuse with these statuses, beside those that meet any request."""
    every = sorted({*statuses, *_AT_THE_GATE})
    schema = {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}
    return {status: {"description": _MEANT[status], "content": {MEDIA_TYPE: schema}} for status in every}
