"""The store: one door to studies, scenarios, rulebooks, runs and the audit trail. See ``docs/store.md``."""

from __future__ import annotations

from store.audit import Audit
from store.database import build_engine, read_url
from store.desk import Clock, read_clock
from store.failures import translate_errors
from store.imports import Imports
from store.mappings import Mappings
from store.migrate import migrate
from store.rulesets import Rulesets
from store.runs import Runs
from store.scenarios import Scenarios
from store.studies import Studies


class Store(Studies, Scenarios, Imports, Rulesets, Runs, Mappings, Audit):
    """Everything that is remembered. One for each process; threads may share it, every call is one transaction.

    Every method raises :class:`~store.errors.StoreError`, with a cure, when the database cannot do it: then nothing was
    changed, and the same call may be made again.
    """


def open_store(url: str | None = None, *, clock: Clock = read_clock) -> Store:
    """Open the store and bring its tables to the present form; safe when two programs do so at once.

    Parameters
    ----------
    url : ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/DATABASE``; by default ``BUJU_DATABASE_URL``, else the
        SQLite file of this user, in the folder ``BUJU_STORE``
    clock : what tells the time (UTC)

    Raises
    ------
    StoreError
        There is no such database, it cannot be written, or a newer version of the program has written it.
    """
    engine = build_engine(read_url(url))
    done = False
    try:
        with translate_errors(engine):
            migrate(engine)
        done = True
    finally:
        if not done:
            engine.dispose()
    return Store(engine, clock)
