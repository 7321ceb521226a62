"""Heads, first lines, framings and content types as no good client sends them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from functools import cache

Headers = list[tuple[str, str]]
Head = Callable[[Headers, bytes], bytes]
_BOMB_BYTES = 64 << 20


@cache
def _bomb(compress: Callable[[bytes], bytes]) -> bytes:
    return compress(bytes(_BOMB_BYTES))


def _lines(headers: Headers) -> bytes:
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers)


def _with(*extra: bytes, length: bytes | None = None, content: bytes | None = None) -> Head:
    """The good head with further lines; ``length`` in place of the right one, which ``b""`` leaves out."""

    def make(headers: Headers, body: bytes) -> bytes:
        told = str(len(body)).encode() if length is None else length
        framed = b"Content-Length: " + told + b"\r\n" if told else b""
        more = b"".join(line + b"\r\n" for line in extra)
        return _lines(headers) + framed + more + b"\r\n" + (body if content is None else content)

    return make


def _without(name: str) -> Head:
    def make(headers: Headers, body: bytes) -> bytes:
        left = [(key, value) for key, value in headers if key != name]
        return _lines(left) + f"Content-Length: {len(body)}\r\n\r\n".encode() + body

    return make


HEADS: Mapping[str, Head] = {
    "two lengths that differ": _with(b"Content-Length: 3"),
    "two lengths alike": lambda headers, body: _with(f"Content-Length: {len(body)}".encode())(headers, body),
    "a list of lengths": _with(length=b"5, 5"),
    "length and chunked": _with(b"Transfer-Encoding: chunked"),
    "chunked and length, chunks": _with(b"Transfer-Encoding: chunked", content=b"2\r\n{}\r\n0\r\n\r\n"),
    "a negative length": _with(length=b"-1"),
    "a length with a plus": _with(length=b"+5"),
    "a length in hex": _with(length=b"0x10"),
    "a length of other digits": _with(length="٥".encode()),
    "a huge length": _with(length=b"9" * 30),
    "40 MiB told": _with(length=b"41943040"),
    "a length too short": _with(length=b"1"),
    "a length too long": _with(length=b"100000"),
    "no length": _with(length=b""),
    "an empty length": _with(length=b" "),
    "gzip, chunked": _with(b"Transfer-Encoding: gzip, chunked", length=b""),
    "identity": _with(b"Transfer-Encoding: identity"),
    "chunked in odd letters": _with(b"Transfer-Encoding: ChUnKeD", length=b"", content=b"2\r\n{}\r\n0\r\n\r\n"),
    "chunked twice": _with(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", length=b""),
    "a vertical tab before chunked": _with(b"Transfer-Encoding: \x0bchunked", length=b""),
    "a folded line": _with(b"X-Folded: a\r\n b\r\n\tc"),
    "a fold first": lambda headers, body: b" folded: yes\r\n" + _with()(headers, body),
    "NUL in a value": _with(b"X-Odd: a\x00b"),
    "CR in a value": _with(b"X-Odd: a\rb"),
    "LF in a value": _with(b"X-Odd: a\nX-Smuggled: b"),
    "control signs in a value": _with(b"X-Odd: \x01\x02\x1f\x7f"),
    "bytes beyond ASCII in a value": _with(b"X-Odd: \xff\xfe\xe9"),
    "a space before the colon": _with(b"X-Odd : b"),
    "a space in a name": _with(b"X Odd: b"),
    "no name": _with(b": b"),
    "no colon": _with(b"odd"),
    "line ends of LF alone": lambda headers, body: _with()(headers, b"").replace(b"\r\n", b"\n") + body,
    "1,000 headers": _with(*(f"X-{number}: b".encode() for number in range(1_000))),
    "a line of 15 KiB": _with(b"X-Long: " + b"a" * (15 << 10)),
    "a line of 64 KiB": _with(b"X-Long: " + b"a" * (64 << 10)),
    "a line of 1 MiB": _with(b"X-Long: " + b"a" * (1 << 20)),
    "no host": _without("Host"),
    "two hosts": _with(b"Host: elsewhere"),
    "an odd host": lambda headers, body: _with(b"Host: \xff@[::1]:99999")(headers[1:], body),
    "no key": _without("Authorization"),
    "two keys": _with(b"Authorization: Bearer other"),
    "an odd key": lambda headers, body: _with(b"Authorization: Basic \xff\xff==")(headers[:1] + headers[2:], body),
    "no content type": _without("Content-Type"),
    "two content types": _with(b"Content-Type: text/plain"),
    "100-continue": _with(b"Expect: 100-continue"),
    "another expectation": _with(b"Expect: the-unexpected"),
    "a websocket": _with(
        b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ),
    "half a websocket": _with(b"Connection: Upgrade", b"Upgrade: websocket"),
    "HTTP/2 in clear text": _with(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"),
    "a request id that is none": _with(b"X-Request-Id: \xff' OR 1=1"),
    "two request ids": _with(b"X-Request-Id: 1", b"X-Request-Id: 2"),
    "an odd idempotency key": _with(b"Idempotency-Key: \xe9\x01"),
    "two idempotency keys": _with(b"Idempotency-Key: a", b"Idempotency-Key: b"),
    "an empty idempotency key": _with(b"Idempotency-Key: "),
    "ranges": _with(b"Range: bytes=0-0,-1,5-2," + b"0-," * 200),
    "conditions": _with(b"If-None-Match: *", b"If-Modified-Since: never"),
    "a forwarded address": _with(b"X-Forwarded-For: 127.0.0.1", b"Forwarded: for=127.0.0.1"),
    "another path by header": _with(b"X-Original-URL: /metrics"),
    "another method by header": _with(b"X-HTTP-Method-Override: DELETE"),
    "cookies": _with(b"Cookie: a=b; " + b"c=d; " * 500),
    "close": _with(b"Connection: close"),
    "keep-alive, close, odd": _with(b"Connection: keep-alive, close, \xff"),
    "a trailer told": _with(b"Trailer: Authorization", b"TE: trailers"),
}  # fmt: skip

OPENINGS: Mapping[str, bytes] = {
    "HTTP/0.9": b"{method} {path}",
    "HTTP/1.0": b"{method} {path} HTTP/1.0",
    "HTTP/1.2": b"{method} {path} HTTP/1.2",
    "HTTP/2.0": b"{method} {path} HTTP/2.0",
    "HTTP/3": b"{method} {path} HTTP/3",
    "a version of letters": b"{method} {path} HTTP/x.y",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)),
    "an absolute target": b"{method} http://elsewhere{path} HTTP/1.1",
    "an authority": b"CONNECT elsewhere:443 HTTP/1.1",
    "an asterisk": b"OPTIONS * HTTP/1.1",
    "an asterisk to get": b"GET * HTTP/1.1",
    "HEAD": b"HEAD {path} HTTP/1.1",
    "OPTIONS": b"OPTIONS {path} HTTP/1.1",
    "TRACE": b"TRACE {path} HTTP/1.1",
    "DELETE": b"DELETE {path} HTTP/1.1",
    "GET": b"GET {path} HTTP/1.1",
    "POST": b"POST {path} HTTP/1.1",
    "a method of its own": b"DECIDE {path} HTTP/1.1",
    "small letters": b"{get} {path} HTTP/1.1",
    "a long method": b"A" * 5_000 + b" {path} HTTP/1.1",
    "no method": b" {path} HTTP/1.1",
    "two spaces": b"{method}  {path} HTTP/1.1",
    "a tab": b"{method}\t{path} HTTP/1.1",
    "an empty line first": b"\r\n\r\n{method} {path} HTTP/1.1",
    "a path of 2 KiB": b"{method} {path}/" + b"a" * 2_048 + b" HTTP/1.1",
    "a query of 3 KiB": b"{method} {path}?q=" + b"a" * 3_072 + b" HTTP/1.1",
    "a path of 1 MiB": b"{method} /" + b"a" * (1 << 20) + b" HTTP/1.1",
    "a query": b"{method} {path}?locale=xx&locale=en&%00=%ff&a[]=1 HTTP/1.1",
    "NUL in a path": b"{method} {path}%00 HTTP/1.1",
    "bytes that are no text": b"{method} {path}%ff%fe%c0%af HTTP/1.1",
    "raw bytes in a path": b"{method} {path}\xff HTTP/1.1",
    "dots": b"{method} /docs/assets/../../../../etc/passwd HTTP/1.1",
    "dots in disguise": b"GET /docs/assets/%2e%2e%2f%2e%2e%2fetc/passwd HTTP/1.1",
    "NUL in a file": b"GET /docs/assets/swagger-ui.css%00.js HTTP/1.1",
    "a file of a long name": b"GET /docs/assets/" + b"a" * 1_000 + b" HTTP/1.1",
    "slashes": b"{method} /{path}// HTTP/1.1",
    "a fragment": b"{method} {path}#part HTTP/1.1",
    "a line end in disguise": b"{method} {path}%0d%0aX-Smuggled:%201 HTTP/1.1",
}
"""First lines, with the method and the path of the good request where they are named; ``{get}`` in small letters."""


def _chunk(content: bytes, *, extension: bytes = b"") -> bytes:
    return f"{len(content):x}".encode() + extension + b"\r\n" + content + b"\r\n"


_END = b"0\r\n\r\n"
Body = bytes | Callable[[bytes], bytes]
"""The same for each request, or made of its own."""


def made(body: Body, content: bytes) -> bytes:
    """The body for a good request's content."""
    return body if isinstance(body, bytes) else body(content)


CHUNKED: Mapping[str, Body] = {
    "right": lambda body: _chunk(body) + _END,
    "of one byte": lambda body: b"".join(_chunk(bytes([byte])) for byte in body[:3_000]) + _END,
    "with an extension": lambda body: _chunk(body, extension=b";a=b") + _END,
    "with a long extension": lambda body: _chunk(body, extension=b";a=" + b"b" * 20_000) + _END,
    "with a quoted extension": lambda body: _chunk(body, extension=b';a="\r\n"') + _END,
    "with trailers": lambda body: _chunk(body) + b"0\r\nAuthorization: Bearer x\r\nContent-Length: 3\r\n\r\n",
    "with 1 MiB of trailers": lambda body: _chunk(body) + b"0\r\n" + b"X-T: a\r\n" * (1 << 17) + b"\r\n",
    "of a negative size": lambda body: b"-5\r\n" + body + b"\r\n" + _END,
    "of a size with a plus": lambda body: b"+5\r\n" + body + b"\r\n" + _END,
    "of a size 0x5": lambda body: b"0x5\r\n" + body + b"\r\n" + _END,
    "of no size": lambda body: b"\r\n" + body + b"\r\n" + _END,
    "of a size in letters": lambda body: b"zz\r\n" + body + b"\r\n" + _END,
    "of a huge size": lambda body: b"f" * 20 + b"\r\n" + body,
    "of a size beyond any": lambda body: b"f" * 400 + b"\r\n" + body,
    "of a size too short": lambda body: b"1\r\n" + body + b"\r\n" + _END,
    "of a size too long": lambda body: f"{len(body) + 9:x}".encode() + b"\r\n" + body + b"\r\n" + _END,
    "of a size with spaces": lambda body: b" 5 \r\n" + body + b"\r\n" + _END,
    "without an end": _chunk,
    "without a line end": lambda body: f"{len(body):x}".encode() + b"\r\n" + body + _END,
    "with line ends of LF": lambda body: f"{len(body):x}\n".encode() + body + b"\n0\n\n",
    "ended at once": _END,
    "ended twice": lambda body: _chunk(body) + _END + _END,
    "beyond 32 MiB": _chunk(b" " * (1 << 20)) * 33 + _END,
}

_TEXT = ("Content-Type", "text/plain")
_FORM = ("Content-Type", "application/x-www-form-urlencoded")
_PARTS = ("Content-Type", "multipart/form-data; boundary=b")
_JSON = ("Content-Type", "application/json")


def _file(name: bytes, content: bytes, *, more: bytes = b"") -> bytes:
    disposition = b'Content-Disposition: form-data; name="f"; filename="' + name + b'"\r\n' + more
    return b"--b\r\n" + disposition + b"\r\n" + content + b"\r\n--b--\r\n"


def _typed(value: str) -> tuple[Headers, Body]:
    return [("Content-Type", value)], lambda body: body


BODIES_AND_TYPES: Mapping[str, tuple[Headers, Body]] = {
    "text": ([_TEXT], lambda body: body),
    "form": ([_FORM], b"a=b&c=%ff&" * 50),
    "multipart with a file": ([_PARTS], lambda body: _file(b"a.json", body)),
    "multipart with a path": ([_PARTS], lambda body: _file(b"../../etc/passwd", body)),
    "multipart without an end": ([_PARTS], lambda body: _file(b"a", body)[:-6]),
    "multipart without a boundary": ([("Content-Type", "multipart/form-data")], lambda body: _file(b"a", body)),
    "multipart with a long boundary": _typed("multipart/form-data; boundary=" + "b" * 5_000),
    "multipart of 10,000 parts": ([_PARTS], _file(b"a", b"x")[:-6] * 10_000 + b"--b--\r\n"),
    "multipart with odd lines": ([_PARTS], lambda body: _file(b"a", body, more=b"Content-Type\xff: \x00\r\n")),
    "pickle": ([("Content-Type", "application/vnd.bentoml+pickle")], b"cos\nsystem\n(S'true'\ntR."),
    "a stream": _typed("application/octet-stream"),
    "XML": (
        [("Content-Type", "application/xml")],
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    ),
    "utf-16": ([("Content-Type", "application/json; charset=utf-16")], lambda body: body.decode().encode("utf-16")),
    "utf-16 called UTF-8": ([_JSON], lambda body: body.decode().encode("utf-16")),
    "utf-32": ([_JSON], lambda body: body.decode().encode("utf-32")),
    "a byte order mark": ([_JSON], lambda body: b"\xef\xbb\xbf" + body),
    "charset utf-8": _typed("application/json; charset=UTF-8"),
    "charset of another": _typed("application/json; charset=bogus"),
    "charset twice": _typed("application/json; charset=utf-8; charset=latin-1"),
    "a quoted charset": _typed('application/json; charset="utf-8"'),
    "JSON of another name": _typed("application/merge-patch+json"),
    "JSON in capitals": _typed("APPLICATION/JSON"),
    "a type that is none": _typed("\xff/\x01"),
    "an empty type": _typed(""),
    "gzip": ([_JSON, ("Content-Encoding", "gzip")], gzip.compress),
    "gzip of 64 MiB": ([_JSON, ("Content-Encoding", "gzip")], _bomb(gzip.compress)),
    "deflate of 64 MiB": ([_JSON, ("Content-Encoding", "deflate")], _bomb(zlib.compress)),
    "br": ([_JSON, ("Content-Encoding", "br")], b"\x1b\xff\xff\x00" + bytes(64)),
    "zstd": ([_JSON, ("Content-Encoding", "zstd")], b"\x28\xb5\x2f\xfd" + bytes(64)),
    "gzip twice": ([_JSON, ("Content-Encoding", "gzip, gzip")], lambda body: gzip.compress(gzip.compress(body))),
    "called gzip": ([_JSON, ("Content-Encoding", "gzip")], lambda body: body),
    "identity": ([_JSON, ("Content-Encoding", "identity")], lambda body: body),
    "nothing": ([_JSON], b""),
    "spaces": ([_JSON], b" \n\t" * 1_000),
    "a list": ([_JSON], lambda body: b"[" + body + b"]"),
    "a number": ([_JSON], b"1"),
    "lines of JSON": ([_JSON], lambda body: body + b"\n" + body),
    "random bytes": ([_JSON], bytes(range(256)) * 8),
    "33 MiB": ([_JSON], b" " * (33 << 20)),
    "31 MiB of spaces": ([_JSON], lambda body: body + b" " * (31 << 20)),
}
