"""Names and texts inside SQL: whatever they hold, they stay names and texts."""

from __future__ import annotations


def name_sql(name: str) -> str:
    """A column's name as a quoted identifier.

    >>> name_sql('a"; DROP TABLE b')
    '"a""; DROP TABLE b"'
    """
    return '"' + name.replace('"', '""') + '"'


def text_sql(text: str) -> str:
    """A text as a literal.

    >>> text_sql("d'água")
    "'d''água'"
    """
    return "'" + text.replace("'", "''") + "'"
