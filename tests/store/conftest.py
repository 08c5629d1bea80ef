"""Both databases: every test that takes ``url`` or ``store`` runs on SQLite and on the real PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store import Store, open_store
from tests.store.server import Server, find_programs


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A private PostgreSQL; without its programs the test is skipped, and fails in CI."""
    programs = find_programs()
    if programs is None:
        message = "PostgreSQL is not installed: apt-get install postgresql (the Makefile does it for `make test`)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    found = Server(programs)
    try:
        found.prepare()
        found.start()
        yield found
    finally:
        found.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new, empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    server: Server = request.getfixturevalue("server")
    return server.make_database()


class Clock:
    """Begins at noon and goes on by one minute at every look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    found = open_store(url, clock=Clock())
    yield found
    found.close()
