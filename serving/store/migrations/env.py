"""What alembic runs: the steps, in the transaction of the connection that it is given."""

from __future__ import annotations

from alembic import context

from serving.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table="acerto_schema"
)
context.run_migrations()
