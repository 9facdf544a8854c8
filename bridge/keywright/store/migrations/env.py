"""What alembic runs: the migrations, inside the transaction the store has opened."""

from alembic import context

from keywright.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
context.run_migrations()
