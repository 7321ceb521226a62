"""Draws that no generator makes: hashes of what they are about, the same on any machine and in any order."""

from __future__ import annotations

from hashlib import sha256


def uniform(*parts: str | int) -> float:
    """A number in [0, 1) that is a hash of its parts.

    >>> uniform("a1", 20_514, "v1") == uniform("a1", 20_514, "v1"), 0.0 <= uniform("a1") < 1.0
    (True, True)
    """
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") / 2.0**64 * (1.0 - 2.0**-53)
