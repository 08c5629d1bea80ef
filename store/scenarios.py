"""Scenarios with their whole history. A change is refused, not merged, where somebody else was quicker.

Every change writes the scenario, its new version and the audit entry in one transaction. Nothing is ever removed:
deleting only hides.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, insert, select, update

from geodata.messages import msg
from store.checks import check_text, clean_key, clean_name, clean_note, clean_who, compare_key, is_plain, number_name
from store.desk import Desk, add_audit, draw_id
from store.errors import StoreConflict, StoreError, StoreMissingError, StoreNameError
from store.models import scenario_versions, scenarios
from store.studies import ensure_study
from store.values import StoredScenario, StoredVersion, What

KEEP_PARENT: Final = "\x00keep"
"""Stands for: the parent stays as it is. No id can be this."""


class Scenarios(Desk):
    """What the store does with scenarios."""

    def list_scenarios(self, study_key: str, deleted: bool = False) -> tuple[StoredScenario, ...]:
        """Return the living scenarios of a study by name, or the deleted ones, the last deleted first."""
        if not is_plain(study_key):
            return ()
        alive = scenarios.c.deleted_at.is_(None)
        wanted = select(scenarios).where(scenarios.c.study_key == study_key, ~alive if deleted else alive)
        with self._read() as connection:
            rows = connection.execute(wanted.order_by(scenarios.c.deleted_at.desc())).all()
        found = [_build(row) for row in rows]
        return tuple(found if deleted else sorted(found, key=lambda item: (compare_key(item.name), item.scenario_id)))

    def find_scenario(self, scenario_id: str) -> StoredScenario | None:
        """Return one scenario, also a deleted one (``deleted`` tells); None where there is none of that id."""
        with self._read() as connection:
            return _find(connection, scenario_id)

    def create_scenario(
        self, study_key: str, name: str, text: str, who: str, parent_id: str | None = None, note: str = ""
    ) -> StoredScenario:
        """Store a new scenario as version 1.

        Raises ``StoreNameError`` where the name is taken or cannot be one (see :meth:`suggest_name`), and
        ``StoreError`` where the parent is not a living scenario of this study.
        """
        scenario = StoredScenario(
            scenario_id=draw_id(),
            study_key=clean_key(study_key),
            name=clean_name(name),
            text=check_text(text),
            version=1,
            parent_id=parent_id,
            who=clean_who(who),
            changed_at=self._clock(),
            note=clean_note(note),
        )
        with self._write() as connection:
            return create(connection, scenario, "scenario_created")

    def suggest_name(self, study_key: str, name: str) -> str:
        """Return ``name``, or the first of ``name (2)``, ``name (3)`` … that no living scenario of the study has."""
        with self._read() as connection:
            return number_name(clean_name(name), list_taken(connection, clean_key(study_key)))

    def save_scenario(
        self,
        scenario_id: str,
        text: str,
        who: str,
        expected_version: int,
        name: str | None = None,
        note: str = "",
        parent_id: str | None = KEEP_PARENT,
    ) -> StoredScenario:
        """Store the next version; nothing is written where nothing would change and there is no note.

        Parameters
        ----------
        scenario_id, text, who, note
            Which scenario, its new TOML, the planner, and why it was changed.
        expected_version
            The version that the change was made on.
        name, parent_id
            Another name, another parent (None: no parent); by default they stay.

        Raises
        ------
        StoreConflict
            Somebody else saved or deleted it meanwhile; ``mine`` and ``theirs`` hold both.
        """
        text, who, note = check_text(text), clean_who(who), clean_note(note)
        name = None if name is None else clean_name(name)
        with self._write() as connection:
            before = _require(connection, scenario_id)
            after = dataclasses.replace(
                before,
                text=text,
                name=before.name if name is None else name,
                parent_id=before.parent_id if parent_id == KEEP_PARENT else parent_id,
                who=who,
                note=note,
                changed_at=self._clock(),
            )
            return _save(connection, before, after, expected_version, "scenario_saved")

    def copy_scenario(self, scenario_id: str, name: str, who: str) -> StoredScenario:
        """Store a copy as version 1 under another name, with the same parent."""
        name, who = clean_name(name), clean_who(who)
        with self._write() as connection:
            of = _require(connection, scenario_id)
            copy = dataclasses.replace(
                of, scenario_id=draw_id(), name=name, version=1, who=who, changed_at=self._clock(), deleted=False
            )
            details = {"copy_of": of.scenario_id, "copy_of_name": of.name, "copy_of_version": of.version}
            return create(connection, copy, "scenario_copied", details)

    def rename_scenario(self, scenario_id: str, name: str, who: str, expected_version: int) -> StoredScenario:
        """Give another name: a new version with the same text. Raises as :meth:`save_scenario` does."""
        name, who = clean_name(name), clean_who(who)
        with self._write() as connection:
            before = _require(connection, scenario_id)
            after = dataclasses.replace(before, name=name, who=who, note="", changed_at=self._clock())
            return _save(connection, before, after, expected_version, "scenario_renamed")

    def delete_scenario(self, scenario_id: str, who: str, expected_version: int | None = None) -> StoredScenario:
        """Hide a scenario: it can be brought back, with its history.

        Raises ``StoreError`` while living scenarios build on it, and ``StoreConflict`` where ``expected_version`` is
        given and somebody else saved meanwhile.
        """
        who, at = clean_who(who), self._clock()
        with self._write() as connection:
            before = _require(connection, scenario_id)
            if before.deleted:
                return before
            mine = dataclasses.replace(before, version=expected_version or before.version, who=who, deleted=True)
            if mine.version != before.version:
                raise StoreConflict(mine, before)
            _require_no_children(connection, before)
            return _hide(connection, before, who, at, hidden=True)

    def undelete_scenario(self, scenario_id: str, who: str) -> StoredScenario:
        """Bring back a deleted scenario; where its name was taken meanwhile it gets a number, as a new version.

        Raises ``StoreError`` while its parent is deleted.
        """
        who, at = clean_who(who), self._clock()
        with self._write() as connection:
            before = _require(connection, scenario_id)
            if not before.deleted:
                return before
            _require_parent(connection, before)
            name = number_name(before.name, list_taken(connection, before.study_key))
            if name == before.name:
                return _hide(connection, before, who, at, hidden=False)
            # Its name must be free before it lives again.
            renamed = dataclasses.replace(before, name=name, who=who, note="", changed_at=at)
            _write_version(connection, before, renamed)
            return _hide(connection, dataclasses.replace(renamed, version=before.version + 1), who, at, hidden=False)

    def list_versions(self, scenario_id: str) -> tuple[StoredVersion, ...]:
        """Return every version of a scenario, the latest first; empty where there is no such scenario."""
        if not is_plain(scenario_id):
            return ()
        table = scenario_versions
        wanted = select(table).where(table.c.scenario_id == scenario_id).order_by(table.c.version.desc())
        with self._read() as connection:
            return tuple(StoredVersion(**row._mapping) for row in connection.execute(wanted))

    def restore_version(self, scenario_id: str, version: int, who: str, expected_version: int) -> StoredScenario:
        """Store text and parent of an earlier version as a new version; the name stays as it is now."""
        who, table = clean_who(who), scenario_versions
        wanted = select(table).where(table.c.scenario_id == scenario_id, table.c.version == version)
        with self._write() as connection:
            before = _require(connection, scenario_id)
            row = connection.execute(wanted).one_or_none()
            if row is None:
                raise StoreMissingError(
                    msg("The scenario “{name}” has no version {version}.", name=before.name, version=version)
                )
            after = dataclasses.replace(
                before, text=row.text, parent_id=row.parent_id, who=who, note="", changed_at=self._clock()
            )
            return _save(connection, before, after, expected_version, "scenario_restored", {"restored": version})


def _build(row: Row[tuple[object, ...]]) -> StoredScenario:
    values = dict(row._mapping)
    for unused in ("name_key", "created_at"):
        del values[unused]
    return StoredScenario(deleted=values.pop("deleted_at") is not None, **values)


def _find(connection: Connection, scenario_id: str) -> StoredScenario | None:
    if not is_plain(scenario_id):
        return None
    row = connection.execute(select(scenarios).where(scenarios.c.scenario_id == scenario_id)).one_or_none()
    return None if row is None else _build(row)


def _require(connection: Connection, scenario_id: str) -> StoredScenario:
    found = _find(connection, scenario_id)
    if found is None:
        raise StoreMissingError(
            msg("There is no such scenario in the store."), msg("Choose one from the list of scenarios.")
        )
    return found


def list_taken(connection: Connection, study_key: str) -> set[str]:
    """Return the names of the living scenarios of a study, as ``compare_key`` makes them."""
    wanted = select(scenarios.c.name_key).where(scenarios.c.study_key == study_key, scenarios.c.deleted_at.is_(None))
    return set(connection.execute(wanted).scalars())


def create(
    connection: Connection, scenario: StoredScenario, what: What, details: dict[str, object] | None = None
) -> StoredScenario:
    """Write a new scenario with its first version; raises ``StoreError`` for a name in use or a parent not there."""
    at = scenario.changed_at
    ensure_study(connection, scenario.study_key, scenario.who, at)
    _require_free(connection, scenario)
    _require_parent(connection, scenario)
    values = {name: getattr(scenario, name) for name in ("scenario_id", "study_key", "name", "text", "version")}
    values |= {name: getattr(scenario, name) for name in ("parent_id", "who", "note", "changed_at")}
    connection.execute(insert(scenarios).values(**values, name_key=compare_key(scenario.name), created_at=at))
    _add_version(connection, scenario)
    _note(connection, what, scenario, scenario.who, at, details)
    return scenario


def _save(
    connection: Connection,
    before: StoredScenario,
    after: StoredScenario,
    expected_version: int,
    what: What,
    details: dict[str, object] | None = None,
) -> StoredScenario:
    if before.version != expected_version or before.deleted:
        raise StoreConflict(dataclasses.replace(after, version=expected_version, deleted=False), before)
    same = (before.text, before.name, before.parent_id) == (after.text, after.name, after.parent_id)
    if same and not after.note and what != "scenario_restored":
        return before
    if compare_key(before.name) != compare_key(after.name):
        _require_free(connection, after)
    if before.parent_id != after.parent_id:
        _require_parent(connection, after)
    saved = _write_version(connection, before, after)
    told = dict(details or {})
    if before.name != after.name:
        told["name_before"] = before.name
    if before.parent_id != after.parent_id:
        told["parent_before"] = before.parent_id
    _note(connection, what, saved, saved.who, saved.changed_at, told)
    return saved


def _write_version(connection: Connection, before: StoredScenario, after: StoredScenario) -> StoredScenario:
    """Write ``after`` as the version that follows ``before``; ``StoreConflict`` where ``before`` is not the last."""
    saved = dataclasses.replace(after, version=before.version + 1)
    values = {name: getattr(saved, name) for name in ("name", "text", "version", "parent_id", "who", "note")}
    # The writing lock keeps others away; whoever writes past it is still found out here.
    done = connection.execute(
        update(scenarios)
        .where(scenarios.c.scenario_id == before.scenario_id, scenarios.c.version == before.version)
        .values(**values, name_key=compare_key(saved.name), changed_at=saved.changed_at)
    )
    if done.rowcount != 1:
        raise StoreConflict(
            dataclasses.replace(after, version=before.version), _require(connection, before.scenario_id)
        )
    _add_version(connection, saved)
    return saved


def _add_version(connection: Connection, scenario: StoredScenario) -> None:
    names = ("scenario_id", "version", "name", "text", "parent_id", "who", "note")
    values = {name: getattr(scenario, name) for name in names}
    connection.execute(insert(scenario_versions).values(**values, at=scenario.changed_at))


def _hide(connection: Connection, scenario: StoredScenario, who: str, at: datetime, *, hidden: bool) -> StoredScenario:
    connection.execute(
        update(scenarios)
        .where(scenarios.c.scenario_id == scenario.scenario_id)
        .values(deleted_at=at if hidden else None, who=who, changed_at=at)
    )
    _note(connection, "scenario_deleted" if hidden else "scenario_undeleted", scenario, who, at)
    return dataclasses.replace(scenario, deleted=hidden, who=who, changed_at=at)


def _note(
    connection: Connection,
    what: What,
    scenario: StoredScenario,
    who: str,
    at: datetime,
    details: dict[str, object] | None = None,
) -> None:
    told = dict(details or {})
    if scenario.note and what in ("scenario_created", "scenario_saved"):
        told["note"] = scenario.note
    add_audit(
        connection,
        what,
        at=at,
        who=who,
        study_key=scenario.study_key,
        scenario_id=scenario.scenario_id,
        version=scenario.version,
        subject=scenario.name,
        details=told,
    )


def _require_free(connection: Connection, scenario: StoredScenario) -> None:
    taken = list_taken(connection, scenario.study_key)
    if compare_key(scenario.name) in taken:
        free = number_name(scenario.name, taken)
        raise StoreNameError(
            msg("The name “{name}” is taken by another scenario of this county.", name=scenario.name),
            msg("Choose another name, such as “{name}”.", name=free),
        )


def _require_parent(connection: Connection, scenario: StoredScenario) -> None:
    """Raise ``StoreError`` unless the parent lives, in the same study, and does not build on the scenario itself."""
    seen, parent_id = {scenario.scenario_id}, scenario.parent_id
    while parent_id is not None:
        if parent_id in seen:
            raise StoreError(msg("“{name}” would build on itself.", name=scenario.name), msg("Choose another parent."))
        parent = _find(connection, parent_id)
        if parent is None or parent.study_key != scenario.study_key:
            raise StoreMissingError(msg("The scenario that “{name}” builds on is not there.", name=scenario.name))
        if parent.deleted:
            raise StoreError(
                msg("“{name}” builds on “{parent}”, which is deleted.", name=scenario.name, parent=parent.name),
                msg("Bring back “{parent}” first.", parent=parent.name),
            )
        seen.add(parent_id)
        parent_id = parent.parent_id


def _require_no_children(connection: Connection, scenario: StoredScenario) -> None:
    wanted = select(scenarios.c.name).where(
        scenarios.c.parent_id == scenario.scenario_id, scenarios.c.deleted_at.is_(None)
    )
    children = tuple(sorted(connection.execute(wanted).scalars()))
    if children:
        raise StoreError(
            msg("Other scenarios build on “{name}”: {children}.", name=scenario.name, children=children),
            msg("Delete those first, or give them another parent."),
        )
