"""Where the store is, and how it is reached: SQLite in a file of this user, or PostgreSQL for teams.

SQLite writes ahead (WAL) and waits for the disk at every commit (``synchronous = FULL``), so a process or machine that
stops at any moment leaves whole transactions only. A transaction that writes takes the database's only writing lock at
its start (``BEGIN IMMEDIATE``; on PostgreSQL an advisory lock): what it has read stays true until it commits.
"""

from __future__ import annotations

import os
import sqlite3
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import QueuePool

from geodata.messages import msg
from store.errors import StoreError

URL_VARIABLE = "BUJU_DATABASE_URL"
STORE_VARIABLE = "BUJU_STORE"
FILE_NAME = "store.sqlite"
BUSY_S = 15.0
"""How long one waits for another that writes."""
ANSWER_S = 30.0
"""How long one waits for a word of a server before it counts as gone."""
POOL_SIZE = 10
WRITE_LOCK = 0x62756A75
"""Number of the advisory lock that writers of PostgreSQL hold, one after the other."""
_DRIVER = "postgresql+pg8000"


class _Cursor(Protocol):
    def execute(self, statement: str, /) -> Any: ...
    def close(self) -> None: ...


class _DriverConnection(Protocol):
    def cursor(self) -> _Cursor: ...
    def commit(self) -> None: ...


def compute_store_folder() -> Path:
    """Return the folder of the SQLite file: ``BUJU_STORE``, else ``buju`` in the platform's folder for data."""
    named = os.environ.get(STORE_VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "buju"


def read_url(url: str | None = None) -> URL:
    """Return the database meant: ``url``, else ``BUJU_DATABASE_URL``, else the SQLite file of this user.

    Raises ``StoreError`` for an address that is none, or of another kind of database; the address itself, which may
    hold a password, is never told.
    """
    from sqlalchemy import make_url

    named = url or os.environ.get(URL_VARIABLE)
    if not named:
        return URL.create("sqlite", database=str(compute_store_folder() / FILE_NAME))
    cure = msg("Write postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///FILE.")
    try:
        parsed = make_url(named.strip())
    except (ArgumentError, ValueError):
        raise StoreError(msg("The address of the database cannot be read."), cure) from None
    if parsed.drivername in ("postgresql", "postgres", _DRIVER):
        return parsed.set(drivername=_DRIVER)
    if parsed.drivername in ("sqlite", "sqlite+pysqlite") and parsed.database not in (None, "", ":memory:"):
        return parsed
    raise StoreError(msg("The store needs PostgreSQL, or a file of SQLite."), cure)


def build_engine(url: URL) -> Engine:
    """Return the engine of a database; for SQLite the file is made when absent. Raises ``StoreError``."""
    return _build_sqlite(url) if url.get_backend_name() == "sqlite" else _build_postgresql(url)


def _build_sqlite(url: URL) -> Engine:
    path = Path(str(url.database)).absolute()
    prepare_file(path)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        creator=lambda: _connect_sqlite(path),
        poolclass=QueuePool,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=BUSY_S,
        hide_parameters=True,
    )
    _watch_file(engine, path)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def prepare_file(path: Path) -> None:
    """Make the folder (0700) and an empty file (0600) where they are absent; raises ``StoreError``.

    SQLite gives its files ``-wal`` and ``-shm`` the mode of the database.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600))
    except OSError as error:
        raise StoreError(
            msg("The store cannot be written: {path} ({reason}).", path=str(path), reason=error.strerror or str(error)),
            msg("Name a folder that may be written in {variable}.", variable=STORE_VARIABLE),
        ) from error


def _connect_sqlite(path: Path) -> sqlite3.Connection:
    """Connect to a file that is there: one that was taken away is not silently begun anew."""
    # Transactions are begun by hand (see _begin_sqlite), so the driver must begin none.
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            _switch_to_wal(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Write ahead from now on. Two that switch at once do not wait for each other by themselves: one waits here.

    A file system that cannot share memory keeps the older journal, which is as safe and lets readers wait.
    """
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("COMMIT")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        # The other one switches, or the next connection will.


def _watch_file(engine: Engine, path: Path) -> None:
    """Drop pooled connections to a file that was replaced (a restored backup): nobody would see their work."""

    def mark(_connection: object, record: Any) -> None:
        record.info["file"] = _identify(path)

    def compare(_connection: object, record: Any, _proxy: object) -> None:
        if record.info.get("file") != _identify(path):
            raise DisconnectionError("the file of the store was replaced")

    event.listen(engine, "connect", mark)
    event.listen(engine, "checkout", compare)


def _identify(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _build_postgresql(url: URL) -> Engine:
    engine = create_engine(
        url.set(query={}),
        connect_args={"application_name": "buju", "timeout": ANSWER_S} | _read_query(url.query),
        pool_pre_ping=True,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=BUSY_S,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _limit_waits)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _read_query(query: Mapping[str, tuple[str, ...] | str]) -> dict[str, Any]:
    """Return what stands behind the ``?`` of an address, in the words of the driver; raises ``StoreError``."""
    named = {key: value if isinstance(value, str) else value[-1] for key, value in query.items()}
    words: dict[str, Any] = {}
    folder = named.pop("host", "")
    if folder:
        words["unix_sock"] = f"{folder}/.s.PGSQL.{named.pop('port', '5432')}"
    if "unix_sock" in named:
        words["unix_sock"] = named.pop("unix_sock")
    if "application_name" in named:
        words["application_name"] = named.pop("application_name")
    mode, authority = named.pop("sslmode", "disable"), named.pop("sslrootcert", None)
    if named or mode not in ("disable", "require", "verify-ca", "verify-full"):
        known = "host, port, unix_sock, application_name, sslmode (disable, require, verify-full), sslrootcert"
        raise StoreError(
            msg("The address of the database asks for something that is not known."),
            msg("Known behind the question mark: {known}.", known=known),
        )
    if mode != "disable":
        words["ssl_context"] = _build_ssl(mode, authority)
    return words


def _build_ssl(mode: str, authority: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=authority)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            msg("The certificate of the database server cannot be read: {reason}.", reason=reason),
            msg("Name the file of the certificate in sslrootcert."),
        ) from error
    if mode == "require":  # as libpq has it: what is sent is hidden, who answers is not proven
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _limit_waits(connection: _DriverConnection, _record: object) -> None:
    cursor = connection.cursor()
    for name, value_s in (("lock_timeout", BUSY_S), ("idle_in_transaction_session_timeout", 4 * BUSY_S)):
        cursor.execute(f"SET {name} = '{value_s:.0f}s'")
    cursor.close()
    connection.commit()  # else the settings would go with the first transaction that is rolled back


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": WRITE_LOCK})
