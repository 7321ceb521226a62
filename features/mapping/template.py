"""The mapping to start from: every canonical table and column, made of the schema itself, so that it never lags behind.

What a mapping has to say stands there to be filled in; what it may say is commented out by a ``#`` at the beginning of
the line, to be taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from domain.meanings import TABLE_MEANINGS, meaning
from domain.tables import TABLES, Column, TableSpec
from features.config import Attribute
from features.reading import columns_of

_HEAD = """\
# Which of your columns become which of Acerto's. Everything that can be said here: docs/your_data.md of the project.
# CHANGE_ME stands for a column of yours. Lines that begin with # are optional: take the # away to use one.
#
#   account_id: CUSTOMER                                      the column CUSTOMER, as it is
#   timezone:   {constant: America/Sao_Paulo}                 the same for all rows
#   debt_id:    {concat: [CONTRACT, {text: "-"}, NUMBER]}     put together; {hash: [A, B]} makes an id of columns
#   amount:     {column: VALUE, decimal: comma}               R$ 1.234,56; point is 1,234.56, and plain is 1234.56
#   due_on:     {column: DUE, format: "%d/%m/%Y"}             as written; without format, 2026-03-02
#   paid_at:    {column: PAID, format: "%d/%m/%Y %H:%M", time_zone: America/Sao_Paulo}
#   kind:       {column: STATUS, values: {E: delivered, L: read}, otherwise: null}
#
# Beside source: where: [{column: PAID, given: true}] for some of its rows, may_leave_out: 0.001 for broken ones.

time_zone: America/Sao_Paulo      # of times that say no offset of their own

sources:
  main: {files: "*.csv", delimiter: ";", encoding: utf-8, missing: ["NULL"]}   # of Parquet, files alone

tables:
"""


def mapping_template(attributes: Mapping[str, Attribute]) -> str:
    """``mapping.yaml`` as ``acerto init`` writes it; ``attributes`` are the declared columns of accounts."""
    return _HEAD + "\n".join(_table(spec, attributes) for spec in TABLES.values())


def _table(spec: TableSpec, attributes: Mapping[str, Attribute]) -> str:
    off = "" if spec.required else "#"
    needed = "needed" if spec.required else "optional"
    lines = [
        f"  # {spec.name} ({needed}): {TABLE_MEANINGS[spec.name]}",
        f"{off}  {spec.name}:",
        f"{off}    - source: main",
    ]
    lines.append(f"{off}      columns:")
    lines += _columns(spec, attributes, off=off)
    return "\n".join(lines) + "\n"


def _columns(spec: TableSpec, attributes: Mapping[str, Attribute], *, off: str) -> Iterator[str]:
    columns = columns_of(spec, attributes)
    for column in sorted(columns, key=lambda column: not column.required):
        mark = off if column.required else "#"
        yield f"{mark}{'        ' + column.name + ': CHANGE_ME':<44}# {_words(spec, column)}"


def _words(spec: TableSpec, column: Column) -> str:
    needed = "needed" if column.required else "optional"
    said = meaning(spec.name, column.name) or "declared in configs/features.yaml"
    codes = f": {', '.join(column.codes)}" if column.codes else ""
    return f"{column.kind}, {needed}; {said}{codes}"
