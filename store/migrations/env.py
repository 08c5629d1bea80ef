"""What Alembic runs: the steps of ``versions`` on the connection that ``store.migrate`` gives, in its transaction."""

from alembic import context

from store.models import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
