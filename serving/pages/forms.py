"""Forms of the pages: what their fields hold, and that they were sent from a page of ours.

A browser sends its key with every request to this service, also with one that a foreign page makes it send. So each
form carries a token that such a page cannot know: an HMAC over form, decision and moment, keyed by the stored hash of
the key that the page was shown to. It holds in every process of the store and over restarts, for twelve hours, and ends
with its key.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qsl

from serving.access.tokens import StoredKey
from serving.problems import Problem

TOKEN = "token"
GOOD_S = 12 * 3600
_MOST_FIELDS = 16
_SKEW_S = 60
"""By how much the clocks of two services on one store may differ."""


class FormTokens:
    """Makes and checks tokens; without keys, they are good in this process alone.

    ``clock`` tells seconds since 1970, by which tokens end.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._own = secrets.token_bytes(32)

    def make(self, form: str, decision_id: str, *, key: StoredKey | None) -> str:
        """The token of a form about a decision."""
        issued = str(int(self._clock()))
        return f"{issued}.{self._mac(issued, form, decision_id, key=key)}"

    def check(self, token: str, form: str, decision_id: str, *, key: StoredKey | None) -> None:
        """Refuses with 403 what is not the token of this form, decision and key, or no longer."""
        issued, _, mac = token.partition(".")
        known = self._mac(issued, form, decision_id, key=key)
        fits = hmac.compare_digest(mac.encode("utf-8", errors="replace"), known.encode())
        # Only what was made here has a moment that can be read.
        if not fits or not -_SKEW_S <= self._clock() - int(issued) <= GOOD_S:
            raise Problem(
                403, "the form is not one that this service showed you in the last hours; open its page again"
            )

    def _mac(self, issued: str, form: str, decision_id: str, *, key: StoredKey | None) -> str:
        secret, name = (self._own, "") if key is None else (bytes.fromhex(key.secret_hash), key.key_id)
        said = "\0".join(("form", name, form, decision_id, issued))
        return hmac.new(secret, said.encode("utf-8", errors="replace"), "sha256").hexdigest()


def check_site(fetched_from: str | None) -> None:
    """Refuses with 403 a form of which the browser itself says that another site sent it (``Sec-Fetch-Site``)."""
    if fetched_from not in (None, "same-origin", "none"):
        raise Problem(403, "the form was sent by another site; open the page of the decision here")


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of a form that hold anything.

    Raises
    ------
    Problem : 400 where it is no form, or has a field twice
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict",
            max_num_fields=_MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise Problem(400, "the body is no form of one of the pages here") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Problem(400, "a form holds the same field twice; which one is meant cannot be told")
    # Browsers end the lines of a text with both signs.
    return {name: value.replace("\r\n", "\n") for name, value in found.items() if value.strip()}
