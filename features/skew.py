"""Whether the service computed what the data say: logged vectors recomputed, number by number, as of their own moments.

A number that differs is no skew where the request could not know better: where it left a table out, or brought none of
the debtor's other accounts: the vector is recomputed from tables cut down to what the request showed, and a number that
comes out like this is not compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from domain.tables import Tables
from features.batch import compute_many
from features.definitions import Standing
from features.encoding import Encoded, encode
from features.schema import FeatureSchema
from features.seen import Sight, alone, as_seen
from features.spine import Spine
from features.vectors import Vector

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Status = Literal["equal", "differs", "not_comparable"]
Reason = Literal["account_unknown", "other_schema", "table_not_in_data"]
_NO_TABLE, _NO_SIBLINGS = 1, 2
_ELSEWHERE = {"siblings", "holds"}
"""Families whose standing looks at the debtor's other accounts: holds may be on the person."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One logged vector beside its recomputation.

    ``differs`` are features whose numbers are not the same, ``largest`` the largest absolute difference among them
    (``None`` where a value stands against a missing one). ``without_table`` and ``without_siblings`` are features that
    could not be compared, because the request left out a table, or other accounts of the debtor.
    """

    account_id: str
    as_of_us: int
    status: Status
    reason: Reason | None = None
    differs: tuple[str, ...] = ()
    largest: float | None = None
    without_table: tuple[str, ...] = ()
    without_siblings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """Vectors that can be recomputed: (n,) of them in a spine, (n, k) logged and recomputed numbers."""

    vectors: Sequence[Vector]
    tables: Tables
    schema: FeatureSchema
    spine: Spine
    others: npt.NDArray[np.int64]
    logged: Floats
    computed: Floats


def check(vectors: Sequence[Vector], tables: Tables, schema: FeatureSchema) -> list[Verdict]:
    """The verdict on each vector, in their order.

    Parameters
    ----------
    tables : canonical tables of the whole portfolio, with the attributes of the schema
    schema : that of the model which scored them; vectors of another one are not compared
    """
    encoded = encode(tables, attributes=schema.attributes)
    index = encoded.account_index()
    refused = [_refusal(vector, schema, index) for vector in vectors]
    case = _case([one for one, why in zip(vectors, refused, strict=True) if why is None], encoded, schema, index)
    found = iter(_verdicts(case))
    return [
        next(found) if why is None else Verdict(vector.account_id, vector.as_of_us, "not_comparable", why)
        for vector, why in zip(vectors, refused, strict=True)
    ]


def _refusal(vector: Vector, schema: FeatureSchema, index: Mapping[str, int]) -> Reason | None:
    if vector.fingerprint != schema.fingerprint or len(vector.values) != len(schema.names):
        return "other_schema"
    return None if vector.account_id in index else "account_unknown"


def _case(vectors: Sequence[Vector], encoded: Encoded, schema: FeatureSchema, index: Mapping[str, int]) -> _Case:
    spine = Spine(
        np.array([index[vector.account_id] for vector in vectors], dtype=np.int32),
        np.array([vector.as_of_us for vector in vectors], dtype=np.int64),
    )
    logged = np.array([vector.values for vector in vectors], dtype=np.float64).reshape(len(vectors), len(schema.names))
    others = np.bincount(encoded.debtor, minlength=1)[encoded.debtor[spine.account]] - 1
    computed = compute_many(encoded, spine, schema) if len(vectors) else logged
    return _Case(vectors, encoded.tables, schema, spine, others, logged, computed)


def _verdicts(case: _Case) -> list[Verdict]:
    wrong = ~_same(case.logged, case.computed)
    excuses = _excuses(case, wrong)
    names = np.array(case.schema.names, dtype=object)
    found = []
    for row, vector in enumerate(case.vectors):
        unlike = wrong[row] & (excuses[row] == 0)
        gaps = np.abs(case.logged[row] - case.computed[row])[unlike]
        elsewhere = not vector.given <= case.tables.columns.keys() | {"debtor_contacts"}
        status: Status = "not_comparable" if unlike.any() and elsewhere else "differs" if unlike.any() else "equal"
        found.append(
            Verdict(
                vector.account_id,
                vector.as_of_us,
                status,
                reason="table_not_in_data" if status == "not_comparable" else None,
                differs=tuple(names[unlike]) if status == "differs" else (),
                largest=float(np.nanmax(gaps)) if status == "differs" and not np.isnan(gaps).all() else None,
                without_table=tuple(names[excuses[row] == _NO_TABLE]),
                without_siblings=tuple(names[excuses[row] == _NO_SIBLINGS]),
            )
        )
    return found


def _excuses(case: _Case, wrong: Bools) -> npt.NDArray[np.int8]:
    """(n, k): why a number that differs cannot be compared; 0 where nothing excuses it."""
    elsewhere = np.array([one.family == "siblings" for one in case.schema.features])
    unknown = elsewhere & np.isnan(case.logged)  # the service could not tell whether it saw all of them
    excuses = np.where(wrong & unknown, _NO_SIBLINGS, 0).astype(np.int8)
    by_sight: dict[Sight, list[int]] = defaultdict(list)
    for row in np.flatnonzero((wrong & (excuses == 0)).any(axis=1)).tolist():
        by_sight[Sight(case.vectors[row].given, case.vectors[row].taken_as_none)].append(row)
    for sight, members in by_sight.items():
        rows = np.array(members)
        seen = as_seen(case.tables, sight)
        if sight.given - {"debtor_contacts"} != case.tables.columns.keys() - {"decisions"}:
            alike = wrong[rows] & _same(case.logged[rows], _again(case, seen, rows))
            excuses[rows] = np.where(alike & (excuses[rows] == 0), _NO_TABLE, excuses[rows])
        rows = rows[_partial(case, rows) & (wrong[rows] & (excuses[rows] == 0)).any(axis=1)]
        if len(rows):
            lonely = _of_debtor(case, seen, rows) & wrong[rows] & (excuses[rows] == 0)
            excuses[rows] = np.where(lonely, _NO_SIBLINGS, excuses[rows])
    return excuses


def _partial(case: _Case, rows: npt.NDArray[np.int64]) -> Bools:
    """Whether fewer accounts of the debtor came along than there are; none at all never proves that there are none."""
    brought = np.array([case.vectors[row].siblings for row in rows.tolist()])
    partial: Bools = (brought < case.others[rows]) | (brought == 0)
    return partial


def _of_debtor(case: _Case, seen: Tables, rows: npt.NDArray[np.int64]) -> Bools:
    """Numbers that are what they are because other accounts of the debtor were not all there.

    Either the number comes out when the account is looked at alone; or the feature is one that looks at other accounts,
    and it is missing or some of them had come along.
    """
    logged = case.logged[rows]
    single = _again(case, alone(seen), rows)
    looks = np.array([isinstance(one.rule, Standing) and one.family in _ELSEWHERE for one in case.schema.features])
    some = np.array([_brought_some(case.vectors[row]) for row in rows.tolist()])
    lonely: Bools = _same(logged, single) | (looks & (np.isnan(logged) | some[:, None]))
    return lonely


def _brought_some(vector: Vector) -> bool:
    return vector.siblings > 0 or "debtor_contacts" in vector.given


def _again(case: _Case, tables: Tables, rows: npt.NDArray[np.int64]) -> Floats:
    return compute_many(encode(tables, attributes=case.schema.attributes), case.spine.take(rows), case.schema)


def _same(left: Floats, right: Floats) -> Bools:
    same: Bools = (left == right) | (np.isnan(left) & np.isnan(right))
    return same
