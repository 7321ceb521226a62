"""What was used of each local day: read within the transaction that changes it, so that no process sees half of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from domain.clock import US_PER_DAY
from serving.store.schema import DAY_BOOKS

KEPT_DAYS = 7
"""So long after its last change, and after the day itself, what was used of a day is kept."""


@dataclass(frozen=True, slots=True)
class DayChange:
    """What a write does to a local day, given as calendar days since 1970.

    ``after`` makes its content of the one before, ``None`` where the day begins; what it raises undoes the write.
    """

    local_day: int
    after: Callable[[str | None], str]


def day_of(connection: Connection, local_day: int, *, tenant: str) -> str | None:
    """What was last told of a day; ``None`` where nothing was."""
    days = DAY_BOOKS.c
    asked = select(days.content).where(days.tenant == tenant, days.local_day == local_day)
    return connection.execute(asked).scalar()


def change_days(connection: Connection, changes: Sequence[DayChange], *, tenant: str, now_us: int) -> None:
    """Changes days, in their order; where one begins, those of every tenant that are over are deleted."""
    days = DAY_BOOKS.c
    for change in changes:
        before = day_of(connection, change.local_day, tenant=tenant)
        content = change.after(before)
        if before is None:
            _sweep(connection, now_us=now_us)
            row = {"tenant": tenant, "local_day": change.local_day, "content": content, "changed_at": now_us}
            connection.execute(insert(DAY_BOOKS), row)
        else:
            whose = update(DAY_BOOKS).where(days.tenant == tenant, days.local_day == change.local_day)
            connection.execute(whose.values(content=content, changed_at=now_us))


def _sweep(connection: Connection, *, now_us: int) -> None:
    # Both: a day may be decided on long before it comes, or after it has passed.
    days, last = DAY_BOOKS.c, now_us - KEPT_DAYS * US_PER_DAY
    connection.execute(delete(DAY_BOOKS).where(days.changed_at < last, days.local_day < last // US_PER_DAY))
