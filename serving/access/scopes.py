"""Which scope each path needs. What is not named here needs a key of any kind, so that nothing opens by being new."""

from __future__ import annotations

import re

from serving.access.tokens import SCOPES, Scope

_OPEN = re.compile(r"/(livez|readyz|openapi\.json|docs(/assets/[\w.-]+)?)", re.ASCII)
_PATHS: tuple[tuple[str, str, tuple[Scope, ...]], ...] = (
    ("POST", r"/v1/(scores|decisions|permits)", ("score",)),
    ("POST", r"/v1/(events|outcomes)", ("ingest",)),
    ("GET", r"/v1/decisions/[^/]+(/explanation)?", ("score", "review")),
    ("GET", r"/v1/decisions/[^/]+/replay", ("review",)),
    ("POST", r"/v1/decisions/[^/]+/review", ("review",)),
    ("GET", r"/reports(/.*)?", ("review",)),
    ("POST", r"/reports/decisions/[^/]+/(replay|review)", ("review",)),
    ("POST", r"/reports/decisions/[^/]+/outcome", ("ingest",)),
    ("GET", r"/metrics", ("admin",)),
)
_NEEDED = tuple((method, re.compile(path, re.ASCII), frozenset(scopes)) for method, path, scopes in _PATHS)


def needed(method: str, path: str) -> frozenset[Scope] | None:
    """The scopes of which a key must have one; ``None`` where no key is needed at all."""
    if _OPEN.fullmatch(path):
        return None
    asked = "GET" if method == "HEAD" else method
    for known, pattern, scopes in _NEEDED:
        if known == asked and pattern.fullmatch(path):
            return scopes
    return frozenset(SCOPES)
