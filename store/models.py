"""The tables of the store, in types that SQLite and PostgreSQL share.

History is append-only: rows of ``scenario_versions``, ``rulesets``, ``runs`` and ``audit`` are written once and never
changed. Texts that hold data (records, indicators, details) are JSON as text: it comes back as it was written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

SCHEMA_REVISION = "0002"
"""The migration that makes the tables as they stand here; ``tests/store`` holds both together."""

ID_LENGTH = 32
KEY_LENGTH = 200
NAME_LENGTH = 120
WHO_LENGTH = 80
NOTE_LENGTH = 2_000


class UtcTime(TypeDecorator[datetime]):
    """A moment: given and returned in UTC, kept without a zone so that both databases keep it alike."""

    impl = DateTime(timezone=False)
    cache_ok = True

    def _drop_zone(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def _add_zone(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)

    process_bind_param = _drop_zone  # as SQLAlchemy calls them
    process_result_value = _add_zone


class JsonText(TypeDecorator[Mapping[str, Any]]):
    """Plain data as JSON text, with the same text for the same data; numbers that are not finite become null."""

    impl = Text
    cache_ok = True

    def _render(self, value: Mapping[str, Any] | None, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(plain_json(value), ensure_ascii=False, sort_keys=True)

    def _parse(self, value: str | None, dialect: Dialect) -> Mapping[str, Any] | None:
        return None if value is None else json.loads(value)

    process_bind_param = _render  # as SQLAlchemy calls them
    process_result_value = _parse


def plain_json(value: Any) -> Any:
    """Return plain data that JSON can hold: unknown numbers None, numpy's numbers plain, other things as text.

    A NUL sign, which PostgreSQL cannot hold, is dropped from texts.
    """
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_json(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if value is None or isinstance(value, bool | int):
        return value
    if hasattr(value, "item") and not isinstance(value, str):
        return plain_json(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode()


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

studies = Table(
    "studies",
    metadata,
    Column("study_key", String(KEY_LENGTH), primary_key=True),
    Column("name", String(KEY_LENGTH), nullable=False),
    Column("fingerprint", String(KEY_LENGTH), nullable=False),
    Column("who", String(WHO_LENGTH), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
)

scenarios = Table(
    "scenarios",
    metadata,
    Column("scenario_id", String(ID_LENGTH), primary_key=True),
    Column("study_key", String(KEY_LENGTH), ForeignKey("studies.study_key"), nullable=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    # The name as it is compared: "Plan A" and "plan a" may not stand beside each other.
    Column("name_key", String(4 * NAME_LENGTH), nullable=False),
    Column("text", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("parent_id", String(ID_LENGTH), ForeignKey("scenarios.scenario_id"), nullable=True),
    Column("who", String(WHO_LENGTH), nullable=False),
    Column("note", String(NOTE_LENGTH), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("deleted_at", UtcTime, nullable=True),
    Index("ix_scenarios_parent_id", "parent_id"),
    Index("ix_scenarios_study_key", "study_key"),
)
Index(
    "uq_scenarios_living_name",
    scenarios.c.study_key,
    scenarios.c.name_key,
    unique=True,
    sqlite_where=scenarios.c.deleted_at.is_(None),
    postgresql_where=scenarios.c.deleted_at.is_(None),
)

scenario_versions = Table(
    "scenario_versions",
    metadata,
    Column("scenario_id", String(ID_LENGTH), ForeignKey("scenarios.scenario_id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("text", Text, nullable=False),
    Column("parent_id", String(ID_LENGTH), nullable=True),
    Column("who", String(WHO_LENGTH), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("note", String(NOTE_LENGTH), nullable=False),
    PrimaryKeyConstraint("scenario_id", "version"),
)

rulesets = Table(
    "rulesets",
    metadata,
    Column("ruleset_id", String(ID_LENGTH), primary_key=True),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("name_key", String(4 * NAME_LENGTH), nullable=False),
    Column("version", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("who", String(WHO_LENGTH), nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("name_key", "version"),
)

runs = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(ID_LENGTH), nullable=False),
    Column("scenario_id", String(ID_LENGTH), nullable=False),
    Column("version", Integer, nullable=False),
    Column("record", JsonText, nullable=False),
    Column("indicators", JsonText, nullable=False),
    Column("plan_fingerprint", String(KEY_LENGTH), nullable=False),
    Column("who", String(WHO_LENGTH), nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("run_id"),
    ForeignKeyConstraint(["scenario_id", "version"], ["scenario_versions.scenario_id", "scenario_versions.version"]),
    Index("ix_runs_scenario_id_version", "scenario_id", "version"),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("who", String(WHO_LENGTH), nullable=False),
    Column("what", String(40), nullable=False),
    Column("study_key", String(KEY_LENGTH), nullable=False),
    Column("scenario_id", String(ID_LENGTH), nullable=True),
    Column("version", Integer, nullable=True),
    Column("subject", String(KEY_LENGTH), nullable=False),
    Column("details", JsonText, nullable=False),
    Index("ix_audit_study_key_number", "study_key", "number"),
    Index("ix_audit_scenario_id_number", "scenario_id", "number"),
    sqlite_autoincrement=True,
)

mappings = Table(
    "mappings",
    metadata,
    Column("mapping_key", String(KEY_LENGTH), primary_key=True),
    Column("role", String(40), nullable=False),
    Column("content", JsonText, nullable=False),
    Column("who", String(WHO_LENGTH), nullable=False),
    Column("at", UtcTime, nullable=False),
)
