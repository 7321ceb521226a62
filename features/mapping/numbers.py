"""Numbers as people write them, ``R$ 1.234,56`` or ``(1,234.56)``, as text that a computer reads; exact to the cent.

A number is taken only where it is written as stated throughout: groups of other than three digits, or a comma where
a point was meant, are refused instead of being read as something else.
"""

from __future__ import annotations

from features.mapping.rules import Decimals

_GROUPED = {"point": ("[, ']", r"\."), "comma": ("[. ']", ",")}
_CURRENCY = r"(?:[A-Za-z]{0,3}\p{Sc}|[A-Za-z]{3})"
_MINUS = "[-\u2212]"


def plain_sql(text: str, decimals: Decimals) -> str:
    """A text as the plain number that it means, such as ``-1234.56``; NULL where it is not written as stated."""
    if decimals == "plain":
        return f"CASE WHEN regexp_full_match({text}, '[-+]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][-+]?\\d+)?') THEN {text} END"
    group, point = _GROUPED[decimals]
    number = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)?(?:{point}\d+)?"
    spaced = f"replace({text}, chr(160), ' ')"
    # At least one digit, which the two optional halves of a number do not ask for.
    written = f"regexp_full_match({spaced}, '{_written(number)}') AND regexp_matches({text}, '\\d')"
    digits = f"regexp_replace({text}, '[^0-9{',' if decimals == 'comma' else '.'}]', '', 'g')"
    bare = f"replace({digits}, ',', '.')" if decimals == "comma" else digits
    sign = f"CASE WHEN regexp_matches({text}, '[-(\u2212]') THEN '-' ELSE '' END"
    return f"CASE WHEN {written} THEN {sign} || {bare} END"


def _written(number: str) -> str:
    """A pattern, inside SQL quotes, of a number with at most one sign and at most one currency, in any usual order."""
    body = f"(?:{_CURRENCY} ?)?{number}(?: ?{_CURRENCY})?"
    ways = (
        rf"\+?{body}", f"{_MINUS} ?{body}", f"{_CURRENCY} ?{_MINUS} ?{number}", f"{body} ?{_MINUS}", rf"\( ?{body} ?\)"
    )  # fmt: skip
    return "|".join(f"(?:{way})" for way in ways).replace("'", "''")


def exact_sql(number: str) -> str:
    """A number of DuckDB as DECIMAL(22, 8), to eight places as ``domain.money.to_cents`` has it; else NULL."""
    return f"TRY_CAST({number} AS DECIMAL(22, 8))"


def cents_sql(exact: str) -> str:
    """What ``exact_sql`` gives as DECIMAL(18, 2), rounded half to even."""
    away = f"CAST({exact} AS DECIMAL(18, 2))"
    # DuckDB rounds half away from zero: of two cents that are as near, the odd one goes back.
    tied = f"abs({exact} - {away}) = 0.005 AND CAST({away} * 100 AS BIGINT) % 2 != 0"
    back = f"{away} - CAST(0.01 AS DECIMAL(3, 2)) * CAST(sign({exact}) AS DECIMAL(1, 0))"
    return f"CAST(CASE WHEN {tied} THEN {back} ELSE {away} END AS DECIMAL(18, 2))"
