"""Answers of keys are found by their age, so that those whose time is over are deleted without reading the others."""

from __future__ import annotations

from alembic import op

revision = "v0002"
down_revision = "v0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_idempotency_keys_received", "idempotency_keys", ["received_at"])
