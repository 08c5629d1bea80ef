"""Reading and writing at the store: whole transactions, and every failure told in words with its cure."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert

from store.failures import describe_place, translate_errors
from store.models import audit
from store.values import What

Clock = Callable[[], datetime]


def read_clock() -> datetime:
    """Return the time of the machine, in UTC."""
    return datetime.now(UTC)


def draw_id() -> str:
    """Return a new id of 16 signs (0-9, a-f) that cannot be guessed: ids stand in links that are shared."""
    return secrets.token_hex(8)


class Desk:
    """Holds the engine and the clock; what all parts of the store write with."""

    def __init__(self, engine: Engine, clock: Clock = read_clock) -> None:
        self._engine = engine
        self._clock = clock

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with translate_errors(self._engine), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        """Open a transaction that writes: alone from its first reading to its commit; all of it or nothing."""
        with translate_errors(self._engine), self._engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    @property
    def place(self) -> str:
        """Where the store is, in words without a password: the path of the file, or server and database."""
        return describe_place(self._engine)


def add_audit(
    connection: Connection,
    what: What,
    *,
    at: datetime,
    who: str,
    study_key: str = "",
    scenario_id: str | None = None,
    version: int | None = None,
    subject: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down who did what, in the transaction of the change itself."""
    connection.execute(
        insert(audit).values(
            at=at,
            who=who,
            what=what,
            study_key=study_key,
            scenario_id=scenario_id,
            version=version,
            subject=subject,
            details=dict(details or {}),
        )
    )
