"""The first tables: ledger rows, decision log, outcomes, reviews, idempotency keys, API keys, day books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    _ledger()
    _decision_log()
    _after_decisions()
    _requests()


def _counted() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("sequence", kind, primary_key=True, autoincrement=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=True)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def _place() -> sa.Column[int]:
    return sa.Column("sequence", sa.BigInteger(), primary_key=True, autoincrement=False)


def _ledger() -> None:
    op.create_table(
        "ledger_rows",
        _counted(), _text("tenant"), _text("table_name"), _bytes("identity"), _text("row_id"), _text("account_id"),
        _text("debtor_id", nullable=True), _text("content"), _moment("received_at"),
        sa.UniqueConstraint("tenant", "identity", name="uq_ledger_rows_identity"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_ledger_rows_account", "ledger_rows", ["tenant", "account_id"])
    op.create_index("ix_ledger_rows_row_id", "ledger_rows", ["tenant", "table_name", "row_id"])
    known = sa.text("debtor_id IS NOT NULL")
    op.create_index(
        "ix_ledger_rows_debtor", "ledger_rows", ["tenant", "debtor_id"], sqlite_where=known, postgresql_where=known
    )
    op.create_table("given_tables", _key("tenant"), _key("table_name"), _moment("received_at"))


def _decision_log() -> None:
    op.create_table(
        "decision_log",
        _key("tenant"), _place(), _text("kind"), _text("decision_id", nullable=True), _moment("recorded_at"),
        _bytes("payload_digest"), _bytes("previous"), _bytes("digest"),
    )  # fmt: skip
    op.create_index("ix_decision_log_decision", "decision_log", ["tenant", "decision_id"])
    op.create_table(
        "decision_payloads",
        _key("tenant"), _place(), _text("account_id", nullable=True), _text("debtor_id", nullable=True),
        _moment("decided_at", nullable=True), _bytes("salt"), _bytes("payload"),
        sa.ForeignKeyConstraint(["tenant", "sequence"], ["decision_log.tenant", "decision_log.sequence"]),
    )  # fmt: skip
    op.create_index("ix_decision_payloads_account", "decision_payloads", ["tenant", "account_id"])
    op.create_index("ix_decision_payloads_debtor", "decision_payloads", ["tenant", "debtor_id"])
    op.create_table(
        "decision_heads",
        _key("tenant"), sa.Column("sequence", sa.BigInteger(), nullable=False), _moment("recorded_at"),
        _bytes("digest"),
    )  # fmt: skip


def _after_decisions() -> None:
    op.create_table(
        "outcomes",
        _counted(), _text("tenant"), _bytes("identity"), _text("decision_id"), _text("status"), _moment("occurred_at"),
        _text("content"), _moment("received_at"),
        sa.UniqueConstraint("tenant", "identity", name="uq_outcomes_identity"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_outcomes_decision", "outcomes", ["tenant", "decision_id"])
    op.create_table(
        "reviews",
        _counted(), _text("tenant"), _text("decision_id"), _text("content"), _moment("received_at"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_reviews_decision", "reviews", ["tenant", "decision_id"])


def _requests() -> None:
    op.create_table(
        "idempotency_keys",
        _key("tenant"), sa.Column("key_digest", sa.LargeBinary(), primary_key=True), _bytes("request_digest"),
        sa.Column("status", sa.Integer(), nullable=True), _bytes("answer", nullable=True), _moment("received_at"),
    )  # fmt: skip
    op.create_table(
        "api_keys",
        _key("key_id"), _text("tenant"), _text("scopes"), _text("secret_hash"),
        _moment("created_at"), _moment("expires_at", nullable=True), _moment("revoked_at", nullable=True),
    )  # fmt: skip
    op.create_table(
        "day_books",
        _key("tenant"), sa.Column("local_day", sa.Integer(), primary_key=True), _text("content"),
        _moment("changed_at"),
    )  # fmt: skip
