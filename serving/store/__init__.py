"""The store of the service: ledger rows, the decision log, outcomes; durable before anything is acknowledged."""

from serving.store.chain import Break, Head
from serving.store.days import DayChange
from serving.store.decision_log import Kept, Record
from serving.store.erasure import Erased
from serving.store.ledger import Appended, Families
from serving.store.once import KeptAnswer, KeyedRequest
from serving.store.opening import database_url
from serving.store.outcomes import Outcome
from serving.store.rows import StoredRow, stored_row
from serving.store.store import Missing, Store
from serving.store.writer import Write

__all__ = [
    "Appended", "Break", "DayChange", "Erased", "Families", "Head", "Kept", "KeptAnswer", "KeyedRequest", "Missing",
    "Outcome", "Record", "Store", "StoredRow", "Write", "database_url", "stored_row",
]  # fmt: skip
