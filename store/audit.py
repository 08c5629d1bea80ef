"""Who changed what and when; written with every change, in its transaction, and never changed afterwards."""

from __future__ import annotations

from sqlalchemy import select

from geodata.messages import Message, msg
from store.checks import is_plain
from store.desk import Desk
from store.models import audit
from store.values import AuditEntry

MAX_ENTRIES = 10_000


class Audit(Desk):
    """What the store tells of its changes."""

    def list_audit(
        self, study_key: str | None = None, scenario_id: str | None = None, limit: int = 200
    ) -> tuple[AuditEntry, ...]:
        """Return the last ``limit`` changes (at most 10,000), of one study or one scenario or of all, latest first."""
        if not all(is_plain(key) for key in (study_key, scenario_id) if key is not None):
            return ()
        wanted = select(audit)
        if study_key is not None:
            wanted = wanted.where(audit.c.study_key == study_key)
        if scenario_id is not None:
            wanted = wanted.where(audit.c.scenario_id == scenario_id)
        wanted = wanted.order_by(audit.c.number.desc()).limit(max(0, min(limit, MAX_ENTRIES)))
        with self._read() as connection:
            return tuple(AuditEntry(**row._mapping) for row in connection.execute(wanted))


def tell_entry(entry: AuditEntry) -> Message:
    """Return what an entry says, as one sentence without who and when."""
    name, version, details = entry.subject, entry.version, entry.details
    if entry.what == "study_registered":
        return msg("made the county “{name}” known", name=name)
    if entry.what == "study_changed":
        return msg("opened the county “{name}” with other data", name=name)
    if entry.what == "scenario_created":
        return msg("created the scenario “{name}”", name=name)
    if entry.what == "scenario_copied":
        return msg("copied “{source}” to “{name}”", source=details.get("copy_of_name", ""), name=name)
    if entry.what == "scenario_saved":
        return msg("saved “{name}” as version {version}", name=name, version=version)
    if entry.what == "scenario_renamed":
        return msg("renamed “{before}” to “{name}”", before=details.get("name_before", ""), name=name)
    if entry.what == "scenario_deleted":
        return msg("deleted “{name}”", name=name)
    if entry.what == "scenario_undeleted":
        return msg("brought back “{name}”", name=name)
    if entry.what == "scenario_restored":
        restored = details.get("restored", "")
        return msg("restored version {restored} of “{name}” as version {version}", **_three(restored, name, version))
    if entry.what == "ruleset_saved":
        return msg("saved the rulebook “{name}” as version {version}", name=name, version=version)
    return msg("ran version {version} of “{name}”", name=name, version=version)


def _three(restored: object, name: str, version: int | None) -> dict[str, object]:
    return {"restored": restored, "name": name, "version": version}
