"""How one column of a file becomes one of the in-memory kinds: a DuckDB expression, and one that says what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.tables import Kind
from features.quoting import name_sql

FINE, WRONG, NO_OFFSET = 0, 1, 2
"""What the second expression of a column yields per row: fine, not what was needed, a time without offset."""

# Beyond this an amount is a slip (or an infinity), and cents would no longer be exact in a double.
_LARGEST_AMOUNT = 1e12
_INTEGERS = r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)"
_NUMBERS = rf"({_INTEGERS}|DOUBLE|FLOAT|DECIMAL\(.*\)|BOOLEAN)"
_TEXTS = r"(VARCHAR|ENUM\(.*\)|UUID)"
_MOMENT = r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?([Zz]|[+-]\d{2}(:?\d{2})?)"
_DAY = r"\d{4}-\d{2}-\d{2}"


@dataclass(frozen=True, slots=True)
class ColumnSql:
    """A column as read: ``value`` (NULL where missing or wrong), and ``fault``, ``None`` where nothing can be wrong.

    Values are VARCHAR for id, text, code and list; DOUBLE for money, cost and number; BIGINT for moments (µs UTC),
    days since 1970 and integers.
    """

    value: str
    fault: str | None = None


def column_sql(kind: Kind, *, name: str, found: str, naive: bool = False) -> ColumnSql:
    """The expressions for a column of DuckDB type ``found``; ``naive`` where some part holds times without zone."""
    quoted = name_sql(name)
    if kind in ("id", "text", "code"):
        return _text(quoted, found, strict=kind == "id")
    if kind == "list":
        return _list(quoted, found)
    if kind == "moment":
        return _moment(quoted, found, naive=naive)
    if kind == "day":
        return _day(quoted, found)
    return _number(quoted, found, kind=kind)


def absent_sql(kind: Kind) -> ColumnSql:
    """The column where the file lacks it: missing throughout."""
    if kind in ("money", "cost", "number"):
        return ColumnSql("CAST(NULL AS DOUBLE)")
    return ColumnSql("CAST(NULL AS BIGINT)" if kind in ("moment", "day", "integer") else "CAST(NULL AS VARCHAR)")


def _is(pattern: str, found: str) -> bool:
    return re.fullmatch(pattern, found) is not None


def _refused(quoted: str, kind: Kind, *, fault: int = WRONG) -> ColumnSql:
    return ColumnSql(absent_sql(kind).value, f"CASE WHEN {quoted} IS NULL THEN {FINE} ELSE {fault} END")


def _text(quoted: str, found: str, *, strict: bool) -> ColumnSql:
    """An id that arrives as a fraction has lost digits or been turned into ``12.0``, so only whole numbers pass."""
    if _is(rf"({_TEXTS}|{_INTEGERS})", found) or (not strict and _is(_NUMBERS, found)):
        return ColumnSql(f"NULLIF(CAST({quoted} AS VARCHAR), '')")
    return _refused(quoted, "text")


def _list(quoted: str, found: str) -> ColumnSql:
    if _is(_TEXTS + r"\[\]", found):
        return ColumnSql(f"array_to_string({quoted}, '|')")
    if not _is(_TEXTS, found):
        return _refused(quoted, "list")
    return ColumnSql(
        f"CASE WHEN starts_with({quoted}, '[') THEN array_to_string({_bare(quoted)}, '|') ELSE {quoted} END"
    )


def texts_sql(name: str, found: str) -> str:
    """A column of lists as lists of texts, NULL where it holds something else."""
    quoted = name_sql(name)
    if _is(_TEXTS + r"\[\]", found):
        return quoted
    if _is(_TEXTS, found):
        return f"CASE WHEN starts_with({quoted}, '[') THEN {_bare(quoted)} ELSE string_split({quoted}, '|') END"
    return "CAST(NULL AS VARCHAR[])"


def _bare(quoted: str) -> str:
    return f"list_transform(string_split(trim({quoted}, '[] '), ','), lambda item: trim(item, ' \"'''))"


def _moment(quoted: str, found: str, *, naive: bool) -> ColumnSql:
    if _is(_TEXTS, found):
        matches = f"regexp_full_match({quoted}, '{_MOMENT}')"
        value = f"CASE WHEN {matches} THEN epoch_us(TRY_CAST(upper(replace({quoted}, ',', '.')) AS TIMESTAMPTZ)) END"
        fault = (
            f"CASE WHEN {quoted} IS NULL OR ({value}) IS NOT NULL THEN {FINE} "
            f"WHEN NOT {matches} AND TRY_CAST({quoted} AS TIMESTAMP) IS NOT NULL THEN {NO_OFFSET} ELSE {WRONG} END"
        )
        return ColumnSql(value, fault)
    if naive or _is(r"TIMESTAMP(_S|_MS|_NS)?|DATE", found):
        return _refused(quoted, "moment", fault=NO_OFFSET)
    if _is(r"TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ_NS", found):
        return ColumnSql(f"epoch_us(CAST({quoted} AS TIMESTAMPTZ))")
    return _refused(quoted, "moment")


def _day(quoted: str, found: str) -> ColumnSql:
    since = "CAST({} - DATE '1970-01-01' AS BIGINT)"
    if found == "DATE":
        return ColumnSql(since.format(quoted))
    if _is(_TEXTS, found):
        value = (
            f"CASE WHEN regexp_full_match({quoted}, '{_DAY}') THEN {since.format(f'TRY_CAST({quoted} AS DATE)')} END"
        )
        return ColumnSql(value, f"CASE WHEN {quoted} IS NULL OR ({value}) IS NOT NULL THEN {FINE} ELSE {WRONG} END")
    if _is(r"TIMESTAMP(_S|_MS|_NS)?", found):
        # What dataframe libraries make of a date: midnight without a zone. Any other hour is no calendar day.
        day = f"CAST({quoted} AS DATE)"
        whole = f"CAST({day} AS TIMESTAMP) = CAST({quoted} AS TIMESTAMP)"
        fault = f"CASE WHEN {quoted} IS NULL OR {whole} THEN {FINE} ELSE {WRONG} END"
        return ColumnSql(f"CASE WHEN {whole} THEN {since.format(day)} END", fault)
    return _refused(quoted, "day")


def _number(quoted: str, found: str, *, kind: Kind) -> ColumnSql:
    if not _is(rf"({_TEXTS}|{_NUMBERS})", found) or (kind == "money" and found == "BOOLEAN"):
        return _refused(quoted, kind)
    number = f"TRY_CAST({quoted} AS DOUBLE)"
    sound = f"isnan({number}) OR abs({number}) <= {_LARGEST_AMOUNT if kind == 'money' else 1.7e308}"
    if kind == "integer":
        sound = f"isnan({number}) OR (abs({number}) <= 1e15 AND {number} = trunc({number}))"
    fault = f"CASE WHEN {quoted} IS NULL OR ({sound}) THEN {FINE} ELSE {WRONG} END"
    if kind == "integer":
        return ColumnSql(f"CASE WHEN NOT isnan({number}) AND ({sound}) THEN CAST({number} AS BIGINT) END", fault)
    return ColumnSql(f"CASE WHEN {sound} THEN {number} END", fault)
