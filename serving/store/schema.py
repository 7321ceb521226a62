"""The tables of the store, one definition for SQLite and PostgreSQL; every row belongs to a tenant, the creditor.

Moments are int64 microseconds UTC, as everywhere inside. ``migrations/`` brings a database here; a test holds the two
to each other.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData()
# SQLite counts up only a column whose type is INTEGER to the letter, and with AUTOINCREMENT never uses a number again.
_COUNTED = BigInteger().with_variant(Integer, "sqlite")
_DEBTOR_KNOWN = text("debtor_id IS NOT NULL")

LEDGER_ROWS = Table(
    "ledger_rows",
    METADATA,
    Column("sequence", _COUNTED, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("table_name", Text, nullable=False),
    Column("identity", LargeBinary, nullable=False),
    Column("row_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("debtor_id", Text),
    Column("content", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    UniqueConstraint("tenant", "identity", name="uq_ledger_rows_identity"),
    Index("ix_ledger_rows_account", "tenant", "account_id"),
    Index("ix_ledger_rows_row_id", "tenant", "table_name", "row_id"),
    Index("ix_ledger_rows_debtor", "tenant", "debtor_id", sqlite_where=_DEBTOR_KNOWN, postgresql_where=_DEBTOR_KNOWN),
    sqlite_autoincrement=True,
)
"""Rows of the canonical tables, every version of each; ``debtor_id`` is that of rows of ``accounts``."""

GIVEN_TABLES = Table(
    "given_tables",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
)
"""Which canonical tables a tenant has given, be they empty: one that was never given is unknown."""

DECISION_LOG = Table(
    "decision_log",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("decision_id", Text),
    Column("recorded_at", BigInteger, nullable=False),
    Column("payload_digest", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Index("ix_decision_log_decision", "tenant", "decision_id"),
)
"""The chain: entries are added and never changed; nothing in it says who the debtor is."""

DECISION_PAYLOADS = Table(
    "decision_payloads",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Text),
    Column("debtor_id", Text),
    Column("decided_at", BigInteger),
    Column("salt", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    ForeignKeyConstraint(["tenant", "sequence"], ["decision_log.tenant", "decision_log.sequence"]),
    Index("ix_decision_payloads_account", "tenant", "account_id"),
    Index("ix_decision_payloads_debtor", "tenant", "debtor_id"),
)
"""What the entries of the chain hold, each with the salt of its digest; erased where a debtor is forgotten."""

DECISION_HEADS = Table(
    "decision_heads",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)
"""The last entry of each chain, so that one that was cut off is missed."""

OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("sequence", _COUNTED, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("identity", LargeBinary, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    UniqueConstraint("tenant", "identity", name="uq_outcomes_identity"),
    Index("ix_outcomes_decision", "tenant", "decision_id"),
    sqlite_autoincrement=True,
)
"""What became of decisions: sent, failed, suppressed, overridden, expired."""

REVIEWS = Table(
    "reviews",
    METADATA,
    Column("sequence", _COUNTED, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Index("ix_reviews_decision", "tenant", "decision_id"),
    sqlite_autoincrement=True,
)
"""Requests that a person look at a decision again, and what came of them (LGPD art. 20)."""

IDEMPOTENCY_KEYS = Table(
    "idempotency_keys",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("key_digest", LargeBinary, primary_key=True),
    Column("request_digest", LargeBinary, nullable=False),
    Column("status", Integer),
    Column("answer", LargeBinary),
    Column("received_at", BigInteger, nullable=False),
    Index("ix_idempotency_keys_received", "received_at"),
)
"""Requests that have one effect, however often they are sent; without an ``answer``, whose debtor was forgotten."""

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("key_id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)
"""Who may ask: only the hash of a key's secret is kept."""

DAY_BOOKS = Table(
    "day_books",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("local_day", Integer, primary_key=True),
    Column("content", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
"""What was used of capacities and budgets on each of the debtors' local days."""
