"""Failures of databases and their drivers, told in words with a cure; never a password, never a statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from geodata.messages import Message, msg
from store.errors import StoreError


def describe_place(engine: Engine) -> str:
    """Return the file, or the server and database, of an engine; never a user or a password."""
    url = engine.url
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"


@contextmanager
def translate_errors(engine: Engine) -> Iterator[None]:
    """Turn errors of the database and its driver into :class:`StoreError`; the transaction was rolled back."""
    sqlite = engine.url.get_backend_name() == "sqlite"
    try:
        yield
    except DBAPIError as error:
        place = describe_place(engine)
        raise (_tell_sqlite(error.orig, place) if sqlite else _tell_postgresql(error.orig, place)) from error
    except PoolTimeout as error:
        raise _tell_busy() from error
    except SQLAlchemyError as error:
        raise _tell_gone(describe_place(engine)) from error
    except OSError as error:  # the network below a driver that lets it through
        raise _tell_gone(describe_place(engine)) from error


def _tell_busy() -> StoreError:
    return StoreError(
        msg("The store is busy: others have been writing for too long."),
        msg("Try again in a moment. Nothing was saved."),
    )


def _tell_full(place: str) -> StoreError:
    return StoreError(
        msg("The disk of the store is full: {place}.", place=place),
        msg("Make room on it, then save again. Nothing was saved, and nothing stored before is lost."),
    )


def _tell_gone(place: str) -> StoreError:
    return StoreError(
        msg("The database cannot be reached: {place}.", place=place),
        msg("Check that the server runs, and its address. Then try again: nothing was saved."),
    )


def _tell_unknown(place: str, found: str) -> StoreError:
    return StoreError(
        msg("The store could not do this: {place} ({reason}).", place=place, reason=found),
        msg("Try again; if it stays, look at docs/store.md. Nothing was saved."),
    )


def _tell_sqlite(error: BaseException | None, place: str) -> StoreError:
    """Return what an error of SQLite means; see https://www.sqlite.org/rescode.html."""
    extended = getattr(error, "sqlite_errorcode", None)
    code = None if extended is None else extended & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _tell_busy()
    if code == sqlite3.SQLITE_FULL:
        return _tell_full(place)
    found: dict[int, tuple[Message, Message]] = {
        sqlite3.SQLITE_READONLY: (
            msg("The store may be read but not written: {place}.", place=place),
            msg("Let this user write the file and its folder, or name another folder in {variable}.", **_VARIABLE),
        ),
        sqlite3.SQLITE_CANTOPEN: (
            msg("The file of the store cannot be opened: {place}.", place=place),
            msg(
                "Check that it is there and may be read and written, or name another folder in {variable}.", **_VARIABLE
            ),
        ),
        sqlite3.SQLITE_IOERR: (
            msg("The disk of the store does not read or write as it should: {place}.", place=place),
            msg("Check the disk and the room on it, then try again. Nothing was saved."),
        ),
        sqlite3.SQLITE_CORRUPT: (
            msg("The file of the store is damaged: {place}.", place=place),
            msg("Put the last backup in its place; docs/store.md says how."),
        ),
        sqlite3.SQLITE_NOTADB: (
            msg("The file is not a store: {place}.", place=place),
            msg("Move it away, or name another folder in {variable}.", **_VARIABLE),
        ),
    }
    if code in found:
        if code == sqlite3.SQLITE_CANTOPEN and not Path(place).parent.is_dir():
            return StoreError(
                msg("The folder of the store is gone: {path}.", path=str(Path(place).parent)),
                msg("Bring it back, or name another folder in {variable}; then start the program again.", **_VARIABLE),
            )
        return StoreError(*found[code])
    if isinstance(error, sqlite3.OperationalError) and "no such table" in str(error):
        return StoreError(
            msg("The file of the store was replaced by one without its tables: {place}.", place=place),
            msg("Put the right file in its place, then start the program again."),
        )
    return _tell_unknown(place, getattr(error, "sqlite_errorname", type(error).__name__))


_VARIABLE: dict[str, Any] = {"variable": "BUJU_STORE"}


def _find_code(error: BaseException | None) -> str:
    """Return the server's code; ``""`` for none. Where it hung up at once, the code is in the error before that."""
    while error is not None:
        told = error.args[0] if error.args else None
        if isinstance(told, dict) and told.get("C"):
            return str(told["C"])
        error = error.__cause__ or error.__context__
    return ""


def _tell_postgresql(error: BaseException | None, place: str) -> StoreError:
    """Return what an error of PostgreSQL means, by its code (Appendix A of its manual)."""
    code = _find_code(error)
    if code in ("55P03", "57014", "40P01", "40001", "53300"):
        return _tell_busy()
    if code == "53100":
        return _tell_full(place)
    if code.startswith("28"):
        return StoreError(
            msg("The database does not let this user in: {place}.", place=place),
            msg("Check user and password in {variable}.", variable="BUJU_DATABASE_URL"),
        )
    if code == "3D000":
        return StoreError(
            msg("The server has no such database: {place}.", place=place),
            msg("Make it with createdb, or mend {variable}.", variable="BUJU_DATABASE_URL"),
        )
    if code in ("25006", "42501"):
        return StoreError(
            msg("The database may be read but not written: {place}.", place=place),
            msg("Ask its keeper to let this user write and make tables."),
        )
    if code == "42P01":
        return StoreError(
            msg("The tables of the store are gone: {place}.", place=place),
            msg("Put the last backup in its place; docs/store.md says how."),
        )
    if not code or code.startswith(("57P", "08")):
        return _tell_gone(place)
    return _tell_unknown(place, f"PostgreSQL {code}")
