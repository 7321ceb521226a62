"""What a request is called in answers, logs and metrics: an id, a route and a method, none of which names a debtor."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection

from starlette.types import Scope

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
ID_LENGTH = 36
"""Characters of an id."""


def request_id_of(scope: Scope) -> str:
    """The caller's own id where it is a UUID (anything else might say who the debtor is), else a new one."""
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given.lower() if _UUID.fullmatch(given) else str(uuid.uuid4())


def route_of(scope: Scope, *, routes: Collection[str]) -> str:
    """The route as it is written, which has no id in it: one of ``routes``, or ``other``."""
    path: str = getattr(scope.get("route"), "path", None) or scope["path"]
    return path if path in routes else "/reports/" if path.startswith("/reports/") else "other"


def method_of(scope: Scope) -> str:
    """The method where HTTP has it, else ``other``."""
    return str(scope["method"]) if scope["method"] in _METHODS else "other"
