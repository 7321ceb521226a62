"""The service with faults that a request asks for: the engine, the store and the logs fail.

Errors are raised with all that the place knows in their message, as those of libraries are. ``leak-`` has a logger
print the body: what looks for leaks has to find it.
"""

from __future__ import annotations

import time
from typing import Any

from canary_faults import CRASH, DISK, GONE, LEAK, ROW, SLOW, SLOW_S
from sqlalchemy import insert
from sqlalchemy.exc import OperationalError
from structlog import get_logger

from serving import handling
from serving.service import AcertoService
from serving.store import Store
from serving.store.schema import DECISION_LOG

__all__ = ["AcertoService"]


def _faulty() -> None:
    from serving.engine import Engine

    decide = Engine.decisions

    def decisions(self: Engine, batch: Any, **asked: Any) -> Any:
        first = batch.account_ids[0]
        if first.startswith(CRASH):
            raise ValueError(f"cannot decide on {batch.account_ids}: {batch.tables} {batch.debtor_ids}")
        if first.startswith(SLOW):
            time.sleep(SLOW_S)
        return decide(self, batch, **asked)

    Engine.decisions = decisions
    record = Store._record

    def recorded(self: Store, connection: Any, items: Any) -> Any:
        for one in (one for _, some, _ in items for one in some):
            if one.account_id.startswith(ROW):
                # What a database says of a row that it refuses holds the row.
                row = {"tenant": one.account_id, "sequence": 1, "kind": str(one), "recorded_at": 0}
                connection.execute(insert(DECISION_LOG), row)
            if one.account_id.startswith(DISK):
                raise OSError(5, f"Input/output error while writing {one}", one.account_id)
            if one.account_id.startswith(GONE):
                raise OperationalError("INSERT INTO decisions", {"account": one.account_id}, Exception(str(one)))
        return record(self, connection, items)

    Store._record = recorded
    read = handling.decisions

    def leaked(body: bytes, *others: Any, **more: Any) -> Any:
        if LEAK.encode() in body:
            get_logger("acerto").info("asked", body=body.decode())
        return read(body, *others, **more)

    handling.decisions = leaked


_faulty()
