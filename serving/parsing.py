"""Request bodies: bytes under a cap, then JSON read more strictly than Python reads it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NoReturn

from serving.problems import Problem

MOST_BYTES = 32 * 1024 * 1024
MOST_EVENTS = 5_000


async def capped_body(chunks: AsyncIterator[bytes], headers: Mapping[str, str]) -> bytes:
    """The whole body, never more than ``MOST_BYTES`` of it in memory.

    Raises
    ------
    Problem : 415 where it is not plain application/json, 413 where it is too large
    """
    _check_type(headers)
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MOST_BYTES:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > MOST_BYTES:
            raise _too_large()
        parts.append(chunk)
    return b"".join(parts)


def _too_large() -> Problem:
    detail = f"the body is larger than {MOST_BYTES >> 20} MiB; send fewer accounts in each request"
    # What is left of the body is not read, so the connection cannot be used again.
    return Problem(413, detail, headers={"Connection": "close"})


def _check_type(headers: Mapping[str, str]) -> None:
    media, *parameters = [part.strip().lower() for part in headers.get("content-type", "").split(";")]
    if media != "application/json" or any(part not in ("", "charset=utf-8") for part in parameters):
        raise Problem(415, "send the body with Content-Type: application/json, in UTF-8")
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
