"""Counties that the store knows: their key, their name, and the fingerprint of their data when last seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, update

from geodata.errors import LayoutError
from store.checks import clean_key, clean_who, compare_key, is_plain
from store.desk import Desk, add_audit
from store.models import KEY_LENGTH, studies
from store.values import StoredStudy


class Studies(Desk):
    """What the store does with studies."""

    def register_study(self, study_key: str, name: str, fingerprint: str, who: str = "") -> StoredStudy:
        """Make a study known, or note its new name and fingerprint; nothing is written when nothing changed.

        Parameters
        ----------
        study_key : chosen by the caller, such as ``demo``; at most 200 signs
        name : how the county is called; signs that cannot be shown are dropped, and it is cut at 200 signs
        fingerprint : ``StudyArea.fingerprint`` of the data as they are now
        who : the planner, or empty
        """
        study_key, who, name = clean_key(study_key), clean_who(who), _show(name) or study_key
        with self._read() as connection:
            found = find_study(connection, study_key)
        if found is not None and (found.name, found.fingerprint) == (name, fingerprint):
            return found
        with self._write() as connection:
            return _register(connection, study_key, name, fingerprint, who, self._clock())

    def find_study(self, study_key: str) -> StoredStudy | None:
        """Return one study; None where it is not known."""
        with self._read() as connection:
            return find_study(connection, study_key)

    def list_studies(self) -> tuple[StoredStudy, ...]:
        """Return every study, by name."""
        with self._read() as connection:
            found = [_build(row) for row in connection.execute(select(studies))]
        return tuple(sorted(found, key=lambda study: (compare_key(study.name), study.study_key)))


def find_study(connection: Connection, study_key: str) -> StoredStudy | None:
    """Return one study, or None."""
    if not is_plain(study_key):
        return None
    row = connection.execute(select(studies).where(studies.c.study_key == study_key)).one_or_none()
    return None if row is None else _build(row)


def ensure_study(connection: Connection, study_key: str, who: str, at: datetime) -> None:
    """Make a study known by its key where nobody registered it."""
    if find_study(connection, study_key) is None:
        _register(connection, study_key, study_key, "", who, at)


def _register(
    connection: Connection, study_key: str, name: str, fingerprint: str, who: str, at: datetime
) -> StoredStudy:
    before = find_study(connection, study_key)
    values = {"name": name, "fingerprint": fingerprint, "who": who, "changed_at": at}
    if before is None:
        connection.execute(insert(studies).values(study_key=study_key, created_at=at, **values))
    else:
        connection.execute(update(studies).where(studies.c.study_key == study_key).values(**values))
    add_audit(
        connection,
        "study_registered" if before is None else "study_changed",
        at=at,
        who=who,
        study_key=study_key,
        subject=name,
        details={"fingerprint": fingerprint, "fingerprint_before": "" if before is None else before.fingerprint},
    )
    found = find_study(connection, study_key)
    if found is None:
        raise LayoutError(f"study {study_key!r} was written and is not there")
    return found


def _show(name: str) -> str:
    return "".join(sign for sign in name if sign.isprintable()).strip()[:KEY_LENGTH]


def _build(row: Row[tuple[object, ...]]) -> StoredStudy:
    return StoredStudy(**row._mapping)
