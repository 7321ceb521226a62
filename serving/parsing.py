"""Request bodies: bytes under a cap, then JSON read more strictly than Python reads it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from serving.problems import Problem

MOST_BYTES = 32 * 1024 * 1024
MOST_EVENTS = 5_000


@dataclass(frozen=True, slots=True)
class Media:
    """What a body may be: its content type, its most bytes, and what to do where it has more."""

    type: str
    most_bytes: int
    advice: str


JSON = Media("application/json", MOST_BYTES, "send fewer accounts in each request")
FORM = Media("application/x-www-form-urlencoded", 64 * 1024, "shorten its text")
"""What a browser sends of a page's form."""


async def capped_body(chunks: AsyncIterator[bytes], headers: Mapping[str, str], *, media: Media = JSON) -> bytes:
    """The whole body, never more of it in memory than its ``media`` allow.

    Raises
    ------
    Problem : 415 where it is of another content type, 413 where it is too large
    """
    _check_type(headers, media)
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > media.most_bytes:
        raise _too_large(media)
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > media.most_bytes:
            raise _too_large(media)
        parts.append(chunk)
    return b"".join(parts)


def _too_large(media: Media) -> Problem:
    size = f"{media.most_bytes >> 20} MiB" if media.most_bytes >= 1 << 20 else f"{media.most_bytes >> 10} KiB"
    detail = f"the body is larger than {size}; {media.advice}"
    # What is left of the body is not read, so the connection cannot be used again.
    return Problem(413, detail, headers={"Connection": "close"})


def _check_type(headers: Mapping[str, str], media: Media) -> None:
    given, *parameters = [part.strip().lower() for part in headers.get("content-type", "").split(";")]
    if given != media.type or any(part not in ("", "charset=utf-8") for part in parameters):
        raise Problem(415, f"send the body with Content-Type: {media.type}, in UTF-8")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Problem(415, "send the body as it is, without Content-Encoding")


def parse_json(body: bytes) -> Any:
    """The value that a body holds: UTF-8, no key written twice in an object, no NaN or Infinity.

    Raises
    ------
    Problem : 400, saying which of these it is
    """
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise Problem(400, "the body is not UTF-8 text") from None
    except RecursionError:
        raise Problem(400, "the body is nested more deeply than any request of this API") from None
    except json.JSONDecodeError as error:
        raise Problem(400, f"the body is not JSON: stopped at line {error.lineno}, column {error.colno}") from None
    except ValueError:
        raise Problem(400, "the body holds a number with more digits than any number of this API") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Problem(400, "an object holds the same key twice; which one is meant cannot be told")
    return found


def _constant(_: str) -> NoReturn:
    raise Problem(400, "NaN and Infinity are no JSON numbers; leave out what is not known")


def check_events(body: Any, tables: Sequence[str]) -> None:
    """Refuses an account with more than ``MOST_EVENTS`` rows, before any of them is read closely."""
    accounts = body.get("accounts") if isinstance(body, dict) else None
    for position, account in enumerate(accounts if isinstance(accounts, list) else ()):
        if not isinstance(account, dict):
            continue
        rows = (account.get(table) for table in tables)
        events = sum(len(table) for table in rows if isinstance(table, list))
        if events > MOST_EVENTS:
            detail = f"/accounts/{position} holds more than {MOST_EVENTS} events; send the most recent ones"
            raise Problem(413, detail)
