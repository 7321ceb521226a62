"""Whether every number in the words of a decision is in its record: parsed out of the texts, and looked up.

A number matches where what the record holds is written like it: rounded to as many decimals, amounts as currency,
shares in percent. Amounts of features are in their unit (cents, or ten-thousandths), all others in currency, and
probabilities are no amounts. Signs are told in words and are not compared. Digits that stand in a fixed wording, such
as *over the last 30 days*, are those of the wording; so are those of a name or a moment in the record.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from decisioning.record_words import Words

Told = dict[str, Any]
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*%?")
_DIGITS = re.compile(r"\d+")
_OF_FEATURES = ("value", "needed", "reason_values")
_PROBABILITIES = ("base", "contribution", "action_prob", "channel_prob", "forgets", "unable")
_TINY = 1e-9
_TEXTS = (
    ("debtor", "text"), ("agent", "proposal"), ("agent", "reasons"), ("agent", "contrast"), ("agent", "differences"),
    ("agent", "changes"),
)  # fmt: skip
"""Where words stand that may hold a number of the record; refusals are fixed wordings."""


def faithful(told: Told, record: Mapping[str, Any], words: Words) -> tuple[Told, int]:
    """The words of a decision without each sentence that holds a number which the record does not, and how many.

    A sentence in a list is left out, one that stands alone is ``None``.
    """
    known = Known.of(record, words)
    if all(known.holds(text, locale=words.locale, currency=words.currency) for text in sentences(told)):
        return told, 0
    kept = {**told, "debtor": dict(told["debtor"]), "agent": dict(told["agent"])}
    for who, name in _TEXTS:
        kept[who][name] = _kept(told[who][name], partial(known.holds, locale=words.locale, currency=words.currency))
    return kept, sum(1 for _ in sentences(told)) - sum(1 for _ in sentences(kept))


def _kept(found: Any, holds: Any) -> Any:
    if isinstance(found, list):
        return [text for text in found if holds(text)]
    if isinstance(found, dict):
        return {name: _kept(text, holds) for name, text in found.items()}
    return found if found is None or holds(found) else None


def sentences(told: Told) -> Iterator[str]:
    """Every text that ``faithful`` looks at."""
    for who, name in _TEXTS:
        found = told[who][name]
        for text in found if isinstance(found, list) else found.values() if isinstance(found, dict) else [found]:
            if text is not None:
                yield text


@dataclass(frozen=True)
class Known:
    """The numbers of a record without their signs, rising: amounts in currency, and all others; and known digits."""

    amounts: list[float]
    plain: list[float]
    digits: frozenset[str]

    @classmethod
    def of(cls, record: Mapping[str, Any], words: Words) -> Known:
        """What may be said of a record in some words."""
        amounts, plain, digits = set[float](), set[float](), set[str]()
        for key, leaf in _leaves(record, ""):
            if isinstance(leaf, str):
                digits.update(_DIGITS.findall(leaf))
                continue
            number = abs(float(leaf))
            plain.add(number)
            if key in _OF_FEATURES:
                amounts |= {number / 100.0, number / 10_000.0}
            elif key not in _PROBABILITIES and not key.startswith("p_"):
                amounts.add(number)
        for text in _wordings(record, words):
            digits.update(_DIGITS.findall(text))
        return cls(sorted(amounts), sorted(plain), frozenset(digits))

    def holds(self, text: str, *, locale: str, currency: str) -> bool:
        """Whether every number of a text is known."""
        return not any(True for _ in self.strange(text, locale=locale, currency=currency))

    def strange(self, text: str, *, locale: str, currency: str) -> Iterator[str]:
        """The numbers of a text that are not known, as they are written."""
        for found in _NUMBER.finditer(text):
            written = found.group()
            if written.removesuffix("%") in self.digits:
                continue
            number, decimals = _read(written.removesuffix("%"), locale)
            is_money = text[: found.start()].rstrip(" -").endswith(currency)
            among, scale = (self.amounts, 1.0) if is_money else (self.plain, 100.0 if written.endswith("%") else 1.0)
            half = 0.5 * 10.0**-decimals
            if not _near(among, number / scale, (half + _TINY) / scale):
                yield written


def _near(among: list[float], number: float, width: float) -> bool:
    place = bisect_left(among, number - width)
    return place < len(among) and among[place] <= number + width


def _read(written: str, locale: str) -> tuple[float, int]:
    """A number as a language writes it, and how many decimals it has."""
    thousands, point = (",", ".") if locale == "en" else (".", ",")
    plain = written.replace(thousands, "").replace(point, ".")
    # A comma where none belongs, as in a list of numbers, is read as the first of them.
    whole, _, part = plain.partition(".")
    part = part.partition(".")[0]
    return float(f"{whole}.{part or 0}"), len(part)


def _leaves(found: Any, key: str) -> Iterator[tuple[str, str | float]]:
    if isinstance(found, dict):
        for name, part in found.items():
            yield from _leaves(part, name)
    elif isinstance(found, list):
        for part in found:
            yield from _leaves(part, key)
    elif isinstance(found, str) or (isinstance(found, int | float) and not isinstance(found, bool)):
        yield key, found


def _wordings(record: Mapping[str, Any], words: Words) -> Iterator[str]:
    """The fixed parts of what is said of features, in the language of the words."""
    codes = [one["code"] for one in record["reasons"]]
    codes += [str(one.get("feature")).upper() for one in (record.get("explanation") or {}).get("changes", [])]
    for code in codes:
        if code in words.features:
            declared = words.features[code]
            yield words.pick(declared.reason_pt, declared.reason_en)
