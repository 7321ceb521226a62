"""Requests that are broken on purpose, as bytes: each is made of its number and the seed alone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from mutant_heads import BODIES_AND_TYPES, CHUNKED, HEADS, OPENINGS, made
from mutant_values import VALUES

Ending = Literal["read", "half_close", "drop", "reset"]
_HOLE = "\ue000hole\ue000"
_JSON = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is sent, in pieces, and how the client ends; ``kind`` says what was done to a good request."""

    number: int
    kind: str
    pieces: tuple[bytes, ...]
    ending: Ending = "read"

    @property
    def sent(self) -> bytes:
        """All of it."""
        return b"".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Good:
    """A request that the service answers with 200; ``body`` is ``None`` where it has none."""

    method: str
    path: str
    body: Any = None

    def raw(self, *, token: str) -> bytes:
        """As it is sent."""
        return assembled(self, head_of(self, token=token), self.content())

    def content(self) -> bytes:
        """The bytes of the body."""
        return b"" if self.body is None else json.dumps(self.body).encode()


Headers = list[tuple[str, str]]
Make = Callable[[random.Random, Good, str], tuple[str, bytes]]


def head_of(good: Good, *, token: str) -> Headers:
    """The headers without those that frame the body."""
    headers = [("Host", "127.0.0.1"), ("Authorization", f"Bearer {token}")]
    return [*headers, _JSON] if good.body is not None else headers


def assembled(good: Good, headers: Headers, content: bytes, *, line: bytes | None = None) -> bytes:
    """A request with a ``Content-Length`` that is right."""
    framed = [*headers, ("Content-Length", str(len(content)))] if good.body is not None or content else headers
    lines = b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in framed)
    return (line or f"{good.method} {good.path} HTTP/1.1".encode()) + b"\r\n" + lines + b"\r\n" + content


def mutant(number: int, goods: list[Good], *, token: str, seed: int) -> Mutant:
    """The mutant of a number; the same for the same requests, token and seed."""
    rng = random.Random(f"{seed}:{number}")
    good = rng.choice(goods)
    kind, sent = _KINDS[number % len(_KINDS)](rng, good, token)
    ending: Ending = rng.choices(("read", "half_close", "drop", "reset"), weights=(88, 4, 4, 4))[0]
    return Mutant(number, f"{kind} of {good.method} {good.path}", _pieces(rng, sent), ending)


def _pieces(rng: random.Random, sent: bytes) -> tuple[bytes, ...]:
    """All at once, or in a few parts: what is read at a time is what a parser trips over."""
    if rng.random() < 0.7 or len(sent) < 2:
        return (sent,)
    cuts = sorted(rng.sample(range(1, len(sent)), k=min(3, len(sent) - 1)))
    return tuple(sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True))


def _bytes(rng: random.Random, good: Good, token: str) -> tuple[str, bytes]:
    """A few bytes anywhere flipped, put in, taken out, doubled, or the end cut off."""
    raw, done = bytearray(good.raw(token=token)), []
    for _ in range(rng.choice((1, 1, 2, 5))):
        done.append(rng.choice(("flip", "insert", "delete", "double", "cut")))
        _strike(rng, raw, done[-1])
    return "bytes " + " ".join(done), bytes(raw)


def _body_bytes(rng: random.Random, good: Good, token: str) -> tuple[str, bytes]:
    """The same within the body, whose length is told as it is."""
    raw, what = bytearray(good.content() or b"{}"), rng.choice(("flip", "insert", "delete", "double", "cut"))
    _strike(rng, raw, what)
    return f"body {what}", assembled(good, head_of(good, token=token), bytes(raw))


def _strike(rng: random.Random, raw: bytearray, what: str) -> None:
    if not raw:
        return
    at, width = rng.randrange(len(raw)), rng.randint(1, 12)
    if what == "flip":
        raw[at] ^= 1 << rng.randrange(8)
    elif what == "insert":
        raw[at:at] = rng.choice((rng.randbytes(width), b"\x00", b"\r\n", b"\n", b"\xff\xfe", b"\xef\xbb\xbf"))
    elif what == "delete":
        del raw[at : at + width]
    elif what == "double":
        raw[at:at] = raw[at : at + 8 * width]
    else:
        del raw[at:]


def _value(rng: random.Random, good: Good, token: str) -> tuple[str, bytes]:
    """Something else in one place of the body, as JSON that need not be JSON."""
    name = rng.choice(sorted(VALUES))
    content = _replaced(rng, good.body, VALUES[name]) if good.body is not None else VALUES[name]
    return f"value {name}", assembled(good, head_of(good, token=token), content)


def _replaced(rng: random.Random, body: Any, fragment: bytes) -> bytes:
    whole = json.loads(json.dumps(body))
    places = list(_places(whole))
    parent, key = rng.choice(places)
    if rng.random() < 0.2 and isinstance(parent, dict):
        # The same key once more, or the fragment as a key of its own.
        return (
            json.dumps({**whole, _HOLE: 1})
            .encode()
            .replace(json.dumps({_HOLE: 1})[1:-1].encode(), b'"as_of": ' + fragment)
        )
    parent[key] = _HOLE
    return json.dumps(whole).encode().replace(json.dumps(_HOLE).encode(), fragment)


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in items:
        yield part, key
        yield from _places(value)


def _heads(rng: random.Random, good: Good, token: str) -> tuple[str, bytes]:
    """A head as no good client sends it."""
    name = rng.choice(sorted(HEADS))
    lines = HEADS[name](head_of(good, token=token), good.content())
    return f"head {name}", f"{good.method} {good.path} HTTP/1.1".encode() + b"\r\n" + lines


def _openings(rng: random.Random, good: Good, token: str) -> tuple[str, bytes]:
    """Another first line: methods, targets, versions, another protocol."""
    name = rng.choice(sorted(OPENINGS))
    method, line = good.method.encode(), OPENINGS[name]
    for part, said in ((b"{method}", method), (b"{get}", method.lower()), (b"{path}", good.path.encode())):
        line = line.replace(part, said)
    return f"opening {name}", assembled(good, head_of(good, token=token), good.content(), line=line)


def _chunks(rng: random.Random, good: Good, token: str) -> tuple[str, bytes]:
    """A chunked body that is right, or wrong in its framing."""
    name = rng.choice(sorted(CHUNKED))
    headers = [*head_of(good, token=token), ("Transfer-Encoding", "chunked")]
    lines = b"".join(f"{key}: {value}\r\n".encode("latin-1") for key, value in headers)
    content = made(CHUNKED[name], good.content() or b"{}")
    return f"chunks {name}", f"{good.method} {good.path} HTTP/1.1".encode() + b"\r\n" + lines + b"\r\n" + content


def _types(rng: random.Random, good: Good, token: str) -> tuple[str, bytes]:
    """Another content type or encoding, with a body to go with it."""
    name = rng.choice(sorted(BODIES_AND_TYPES))
    extra, body = BODIES_AND_TYPES[name]
    named = {key.lower() for key, _ in extra}
    headers = [(key, value) for key, value in head_of(good, token=token) if key.lower() not in named]
    return f"type {name}", assembled(good, [*headers, *extra], made(body, good.content() or b"{}"))


def _pipelined(rng: random.Random, good: Good, token: str) -> tuple[str, bytes]:
    """Several requests at once, the last of them broken or not."""
    first = good.raw(token=token)
    last = rng.choice((_bytes, _heads, _value))(rng, good, token)
    return f"pipelined {last[0]}", first * rng.randint(1, 3) + last[1]


_KINDS: tuple[Make, ...] = (_bytes, _value, _heads, _body_bytes, _types, _chunks, _value, _openings, _bytes, _pipelined)
