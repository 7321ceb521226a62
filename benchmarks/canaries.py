"""Strings shaped as personal data, none of them anybody's, and whether a piece of one is found where it must not be.

Pieces of twelve characters are looked for, in lower case, of each string as it is, in percent, base64, hexadecimal and
backslash escapes, and as UTF-8 read as Latin-1. A string of fewer characters is looked for as a whole.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

PIECE = 12
KINDS = (
    "cpf", "cpf_digits", "name", "phone", "email", "address", "account_id", "debtor_id", "payment_id", "free_text",
)  # fmt: skip
IDS = ("account_id", "debtor_id", "payment_id", "cpf_digits")
"""Kinds that an id of the contract may look like."""
_STREETS = ("Rua", "Avenida", "Travessa", "Praça", "Alameda")


@dataclass(frozen=True, slots=True)
class Canary:
    """One planted string: its kind, and itself."""

    kind: str
    text: str


class Nest:
    """Makes canaries, each another one, and the same ones from the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self.made: list[Canary] = []
        self._makers: dict[str, Callable[[], str]] = {
            "cpf": lambda: f"{self._digits(3)}.{self._digits(3)}.{self._digits(3)}-{self._digits(2)}",
            "cpf_digits": lambda: self._digits(11),
            "name": lambda: f"{self._name()}ã {self._name()}é",
            "phone": lambda: f"+55 {self._digits(2)} 9{self._digits(4)}-{self._digits(4)}",
            "email": lambda: f"{self._letters(7)}.{self._letters(6)}@{self._letters(8)}.com.br",
            "address": lambda: f"{self._random.choice(_STREETS)} {self._name()}, {self._digits(4)}, {self._digits(3)}",
            "account_id": lambda: f"acc-{self._letters(6)}-{self._digits(9)}",
            "debtor_id": lambda: f"deb{self._digits(6)}{self._letters(9)}",
            "payment_id": lambda: f"PAY.{self._letters(5)}.{self._digits(8)}",
            "free_text": lambda: f"diz que {self._letters(9)} perdeu {self._letters(8)} em {self._digits(4)}",
        }  # fmt: skip

    def lay(self, kind: str | None = None) -> str:
        """A new one; of any kind where none is named, each kind in turn."""
        kind = kind or KINDS[len(self.made) % len(KINDS)]
        found = Canary(kind, self._makers[kind]())
        self.made.append(found)
        return found.text

    def id(self) -> str:
        """One that the contract takes for an id or a code."""
        return self.lay(IDS[len(self.made) % len(IDS)])

    def _digits(self, count: int) -> str:
        return "".join(self._random.choices(string.digits, k=count))

    def _letters(self, count: int) -> str:
        return "".join(self._random.choices("bcdfghjkmnpqrstvwxz", k=count))

    def _name(self) -> str:
        return self._letters(7).capitalize()


class Ground:
    """Where canaries are looked for: some bytes, read as Latin-1 and as UTF-8."""

    def __init__(self, content: bytes) -> None:
        self._texts = {content.decode("latin-1").lower(), content.decode("utf-8", errors="replace").lower()}
        self._pieces: dict[int, set[str]] = {}

    def seen(self, made: Iterable[Canary]) -> set[Canary]:
        """The canaries of which there is a piece."""
        return {canary for canary in made if any(self._holds(form) for form in forms(canary.text))}

    def _holds(self, form: str) -> bool:
        size = min(len(form), PIECE)
        known = self._pieces.get(size)
        if known is None:
            known = {text[start : start + size] for text in self._texts for start in range(len(text) - size + 1)}
            self._pieces[size] = known
        return any(form[start : start + size] in known for start in range(len(form) - size + 1))


def forms(text: str) -> set[str]:
    """In which ways a string may be written, in lower case."""
    data = text.encode()
    escaped = text.encode("unicode_escape").decode()
    found = {text, quote(text, safe=""), quote_plus(text), escaped, data.hex(), data.decode("latin-1")}
    found |= {repr(data)[2:-1], json.dumps(text)[1:-1]}
    for before in range(3):
        # In the middle of something longer base64 falls in three ways; its first and last signs are of the neighbours.
        encoded = base64.b64encode(b"\0" * before + data).decode()
        inner = encoded[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return {form.lower() for form in found}
