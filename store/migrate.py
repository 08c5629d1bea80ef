"""Brings the tables of a store to the present form when it is opened; two programs may open a new one at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from geodata.messages import msg
from store.errors import StoreError
from store.failures import describe_place
from store.models import SCHEMA_REVISION

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS_FOLDER = Path(__file__).resolve().parent / "migrations"
# Alembic keeps the migration under way in variables of its modules.
_one_at_a_time = threading.Lock()


def migrate(engine: Engine) -> None:
    """Bring the tables to the present form, inside one transaction that holds the writing lock.

    Raises ``StoreError`` where a newer version of the program has written the database.
    """
    with engine.connect() as connection, connection.begin():
        found = read_revision(connection)
    if found == SCHEMA_REVISION:
        return
    with _one_at_a_time, engine.connect() as opened:
        connection = opened.execution_options(writes=True)
        with connection.begin():
            found = read_revision(connection)  # another program may have been quicker
            _require_known(found, engine)
            if found != SCHEMA_REVISION:
                from alembic import command

                command.upgrade(build_config(connection), "head")


def read_revision(connection: Connection) -> str | None:
    """Return the revision that the tables are at; None for a database without tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _require_known(found: str | None, engine: Engine) -> None:
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS_FOLDER)).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            msg("The store was written by a newer version of this program: {place}.", place=describe_place(engine)),
            msg("Bring this program up to date, or use another database. Nothing was changed."),
        )


def build_config(connection: Connection) -> Config:
    """Return Alembic's settings for a connection: the migrations of this package, no file ``alembic.ini``."""
    from alembic.config import Config

    config = Config()
    # Percent signs mean something in Alembic's settings.
    config.set_main_option("script_location", str(MIGRATIONS_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
