"""What the store hands out: frozen values, plain fields, times in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

What = Literal[
    "study_registered",
    "study_changed",
    "scenario_created",
    "scenario_copied",
    "scenario_saved",
    "scenario_renamed",
    "scenario_deleted",
    "scenario_undeleted",
    "scenario_restored",
    "ruleset_saved",
    "run_saved",
]
"""What an audit entry tells of."""


@dataclass(frozen=True)
class StoredStudy:
    """One county. ``study_key`` is chosen by the caller; ``fingerprint`` is that of the data last seen."""

    study_key: str
    name: str
    fingerprint: str
    who: str
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True)
class StoredScenario:
    """A scenario as it is now. ``text`` is its TOML; ``version`` counts from 1 and rises with every change.

    ``parent_id`` is the scenario that it builds on, in the same study; ``who`` and ``note`` are those of the last
    change. ``deleted``: it can be brought back, and its name is free for others.
    """

    scenario_id: str
    study_key: str
    name: str
    text: str
    version: int
    parent_id: str | None
    who: str
    changed_at: datetime
    note: str
    deleted: bool = False


@dataclass(frozen=True)
class StoredVersion:
    """One version of a scenario; never changed once written."""

    scenario_id: str
    version: int
    text: str
    name: str
    parent_id: str | None
    who: str
    at: datetime
    note: str


@dataclass(frozen=True)
class StoredRuleset:
    """One version of a rulebook, as TOML. Saving under the same name makes the next version."""

    ruleset_id: str
    name: str
    version: int
    text: str
    who: str
    at: datetime


@dataclass(frozen=True)
class StoredRun:
    """What one version of a scenario gave: the record says from what, with what, and how long it was searched.

    ``record``: see ``planning.run.RunRecord.as_dict``. ``indicators``: names and values; an unknown number is None.
    """

    run_id: str
    scenario_id: str
    version: int
    record: Mapping[str, Any] = field(hash=False)
    indicators: Mapping[str, Any] = field(hash=False)
    plan_fingerprint: str
    who: str
    at: datetime


@dataclass(frozen=True)
class AuditEntry:
    """Who changed what, and when. ``number`` rises with time; ``subject`` is the name that it had."""

    number: int
    at: datetime
    who: str
    what: What
    study_key: str
    scenario_id: str | None
    version: int | None
    subject: str
    details: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class StoredMapping:
    """What was said last about files of one role with the same headers: plain data, written by ``ui.data_memory``."""

    mapping_key: str
    role: str
    content: Mapping[str, Any] = field(hash=False)
    who: str
    at: datetime
