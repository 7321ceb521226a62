"""One canonical column of one entry as SQL expressions, each on top of the one before: given, read, typed, faulty.

Layers of subqueries keep every expression short, and nothing costly is said twice: ``<name> given`` is what the source
says, ``<name> read`` the number or time in it, ``<name>`` its value, ``<name> fault`` what is wrong with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.tables import Column, Kind
from features.mapping.numbers import cents_sql, exact_sql, plain_sql
from features.mapping.rules import Condition, Decimals, Entry, MappingConfig, Rule
from features.mapping.times import NAIVE_TYPE, TEXT_TYPE, ZONED_TYPE, day_sql, has_offset, moment_sql, read_sql
from features.quoting import name_sql, text_sql
from features.reading_columns import absent_sql, column_sql
from features.reading_files import Scan

FINE, UNREADABLE, NOT_IN_VALUES, MISSING_VALUE = range(4)
"""What the fault of a column says of a row."""
REASONS = {
    UNREADABLE: "not written as stated",
    NOT_IN_VALUES: "a text that values does not have",
    MISSING_VALUE: "no value, and the column needs one",
}
_BLANKS = text_sql(" \t\r\n\u00a0")
_LONGEST_SHAPE = 32
_LARGEST_AMOUNT = 1_000_000_000_000
_SQL_TYPES: dict[Kind, str] = {"number": "DOUBLE", "cost": "DOUBLE", "integer": "BIGINT"}
NUMBERS = ("money", "cost", "number", "integer")
TIMES = ("moment", "day")


@dataclass(frozen=True, slots=True)
class Target:
    """One canonical column with its rule, and the entry and mapping that it stands in."""

    column: Column
    rule: Rule
    entry: Entry
    mapping: MappingConfig

    @property
    def zone(self) -> str | None:
        """The time zone of its times."""
        return self.mapping.zone(self.entry, self.rule)

    @property
    def decimals(self) -> Decimals:
        """How its numbers are written."""
        return self.mapping.decimals(self.entry, self.rule)

    @property
    def missing(self) -> tuple[str, ...]:
        """Texts that stand for no value."""
        return (*self.mapping.sources[self.entry.source].missing, *self.rule.missing)


def given_type(target: Target, scan: Scan) -> str:
    """The DuckDB type of what the source gives: that of the column where it is taken as it is, else text."""
    rule = target.rule
    if rule.column is None or rule.values is not None or target.missing:
        return TEXT_TYPE
    return scan.types[rule.column]


def given_sql(target: Target, scan: Scan) -> dict[str, str]:
    """What the source says, by name; a text that ``values`` does not have stands apart, and is no value."""
    name, rule = target.column.name, target.rule
    source = _source_sql(target, scan)
    if rule.values is None:
        return {f"{name} given": source}
    known = ", ".join(text_sql(text) for text in rule.values)
    cases = " ".join(
        f"WHEN {text_sql(text)} THEN {'NULL' if to is None else text_sql(to)}" for text, to in rule.values.items()
    )
    other = "NULL" if rule.otherwise is None else f"CASE WHEN {source} IS NOT NULL THEN {text_sql(rule.otherwise)} END"
    found = {f"{name} given": f"CAST(CASE {source} {cases} ELSE {other} END AS VARCHAR)"}
    if _refuses_others(target):
        found[f"{name} unknown"] = f"CASE WHEN {source} NOT IN ({known}) THEN {source} END"
    return found


def _source_sql(target: Target, scan: Scan) -> str:
    rule = target.rule
    if rule.constant is not None:
        return text_sql(rule.constant)
    if rule.concat:
        return " || ".join(
            text_sql(part.text or "") if part.column is None else cleaned_sql(part.column, scan, target.missing)
            for part in rule.concat
        )
    if rule.hash:
        parts = [cleaned_sql(column, scan, target.missing) for column in rule.hash]
        joined = ", ".join(f"coalesce({part}, '')" for part in parts)
        return f"CASE WHEN coalesce({', '.join(parts)}) IS NOT NULL THEN md5(concat_ws(chr(31), {joined})) END"
    assert rule.column is not None  # a rule is one of the four
    if given_type(target, scan) != TEXT_TYPE:
        quoted = name_sql(rule.column)
        return f"CASE WHEN NOT isnan({quoted}) THEN {quoted} END" if _is_float(scan.types[rule.column]) else quoted
    return cleaned_sql(rule.column, scan, target.missing)


def cleaned_sql(column: str, scan: Scan, missing: tuple[str, ...]) -> str:
    """A column as text without blanks around it; NULL where it is empty or one of the texts for no value."""
    text = f"NULLIF(trim(CAST({name_sql(column)} AS VARCHAR), {_BLANKS}), '')"
    if _is_float(scan.types[column]):
        missing = (*missing, "nan")
    return f"CASE WHEN {text} NOT IN ({', '.join(map(text_sql, missing))}) THEN {text} END" if missing else text


def _is_float(found: str) -> bool:
    return found in ("DOUBLE", "FLOAT")


def reading_sql(target: Target, found: str) -> tuple[str, str] | None:
    """What is read from what is given, of DuckDB type ``found``, before it is a value: its SQL, and its type.

    A layer of its own, since values say several times what is costly to read. ``None`` where nothing is to be read.
    """
    rule, given = target.rule, f"{target.column.name} given"
    if target.column.kind in NUMBERS:
        number = plain_sql(name_sql(given), target.decimals) if found == TEXT_TYPE else name_sql(given)
        return (
            (exact_sql(number), "DECIMAL")
            if target.column.kind == "money"
            else (f"TRY_CAST({number} AS DOUBLE)", "DOUBLE")
        )
    if target.column.kind in TIMES and rule.format and found == TEXT_TYPE:
        kind = "TIMESTAMP WITH TIME ZONE" if has_offset(rule.format[0]) else "TIMESTAMP"
        return read_sql(given, rule.format), kind
    return None


def value_sql(target: Target, found: str) -> str:
    """The value of what is given, of DuckDB type ``found``; NULL where there is none, or where it cannot be read."""
    kind, rule, name = target.column.kind, target.rule, target.column.name
    reading = reading_sql(target, found)
    column, of_type = (f"{name} given", found) if reading is None else (f"{name} read", reading[1])
    if kind == "moment":
        return moment_sql(column, found=of_type, zone=target.zone, plus_days=rule.plus_days)
    if kind == "day":
        return day_sql(column, found=of_type, zone=target.zone, plus_days=rule.plus_days)
    if kind not in NUMBERS:
        return column_sql(kind, name=column, found=of_type).value
    number = name_sql(column)
    if kind == "money":
        value = f"CASE WHEN abs({number}) <= {_LARGEST_AMOUNT} THEN {cents_sql(number)} END"
    else:
        sound = f"isfinite({number})" if kind != "integer" else f"abs({number}) <= 1e15 AND {number} = trunc({number})"
        value = f"CASE WHEN {sound} THEN CAST({number} AS {_SQL_TYPES[kind]}) END"
    return f"-({value})" if rule.negate else value


def shape_sql(target: Target) -> str:
    """``<name> shape``: what a text at fault looks like, nobody's value: every digit a 9, every letter an a."""
    name = target.column.name
    said = f"coalesce({name_sql(f'{name} unknown')}, {_text(name)})" if _refuses_others(target) else _text(name)
    shape = f"regexp_replace(regexp_replace(left({said}, {_LONGEST_SHAPE}), '\\d', '9', 'g'), '\\p{{L}}', 'a', 'g')"
    return f"CASE WHEN {name_sql(f'{name} fault')} != {FINE} THEN {shape} END AS {name_sql(f'{name} shape')}"


def _text(name: str) -> str:
    return f"CAST({name_sql(f'{name} given')} AS VARCHAR)"


def _refuses_others(target: Target) -> bool:
    return target.rule.values is not None and not target.rule.takes_others


def fault_sql(target: Target) -> str:
    """What is wrong with the column in a row, ``FINE`` where nothing is."""
    name = target.column.name
    empty = MISSING_VALUE if target.column.required else FINE
    plain = (
        f"WHEN {name_sql(f'{name} given')} IS NULL THEN {empty} "
        f"WHEN {name_sql(name)} IS NULL THEN {UNREADABLE} ELSE {FINE} END"
    )
    if not _refuses_others(target):
        return f"CASE {plain}"
    return f"CASE WHEN {name_sql(f'{name} unknown')} IS NOT NULL THEN {NOT_IN_VALUES} {plain}"


def condition_sql(condition: Condition, entry: Entry, mapping: MappingConfig, scan: Scan) -> str:
    """Whether a row of the source is meant: TRUE or FALSE, never NULL."""
    text = cleaned_sql(condition.column, scan, mapping.sources[entry.source].missing)
    said = []
    if condition.is_ is not None:
        said.append(f"coalesce({text} IN ({', '.join(map(text_sql, condition.is_))}), false)")
    if condition.is_not is not None:
        said.append(f"coalesce({text} NOT IN ({', '.join(map(text_sql, condition.is_not))}), true)")
    if condition.given is not None:
        said.append(f"{text} IS {'NOT ' if condition.given else ''}NULL")
    # A number of a Parquet file becomes text in the plain way, however the texts of its source are written.
    decimals = mapping.decimals(entry, condition) if scan.types[condition.column] == TEXT_TYPE else "plain"
    number = f"TRY_CAST({plain_sql(text, decimals)} AS DOUBLE)"
    for limit, sign in ((condition.above, ">"), (condition.below, "<")):
        if limit is not None:
            said.append(f"coalesce({number} {sign} {limit!r}, {text} IS NOT NULL)")
    return f"({' AND '.join(said)})"


def misfit(target: Target, scan: Scan) -> str | None:
    """Why a column of a Parquet file can be none of the kind, in words; ``None`` where it can."""
    found = given_type(target, scan)
    kind, column = target.column.kind, target.rule.column
    if kind in TIMES:
        if column in scan.naive and re.fullmatch(ZONED_TYPE, found):
            return "found times with and without zone in its files, needed one of them; write the files again"
        readable = re.fullmatch(f"{ZONED_TYPE}|{NAIVE_TYPE}|{TEXT_TYPE}", found)
        return None if readable else f"found {found}, needed a time, a date or text"
    if found == TEXT_TYPE or column_sql(kind, name="x", found=found).value != absent_sql(kind).value:
        return None
    return f"found {found}, needed {'numbers' if kind in NUMBERS else 'text or whole numbers'}; write the files again"


def lacks_zone(target: Target, scan: Scan) -> bool:
    """Whether a moment is read from something that says neither its offset nor its zone."""
    if target.column.kind != "moment" or target.zone is not None:
        return False
    if target.rule.format:
        return not has_offset(target.rule.format[0])
    return re.fullmatch(NAIVE_TYPE, given_type(target, scan)) is not None
