"""Scenarios that come from elsewhere, with what they gave there; all of them or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from geodata.messages import msg
from store.checks import check_text, clean_key, clean_name, clean_who, is_plain, number_name
from store.desk import Desk, draw_id
from store.errors import StoreError, StoreNameError
from store.models import KEY_LENGTH
from store.runs import build_run, write_run
from store.scenarios import create, list_taken
from store.toml_text import read_key, write_key
from store.values import StoredRun, StoredScenario


class Imports(Desk):
    """What the store does with scenarios of a study file."""

    def import_scenarios(
        self,
        study_key: str,
        scenarios: Sequence[tuple[str, str]],
        who: str,
        runs: Sequence[Mapping[str, Any]] = (),
    ) -> tuple[StoredScenario, ...]:
        """Store scenarios (name, TOML), parents before children, and their runs, in one transaction.

        A name in use gets a number; then ``name`` and, in its children, ``parent`` of the text follow it.
        ``StoreNameError`` where a parent is not among those before it, or a text is not TOML. Runs (as
        ``store.exchange.pack_stored`` writes them) keep who made them and when; what is no run of a scenario here is
        left out.
        """
        study_key, who = clean_key(study_key), clean_who(who)
        made: dict[str, StoredScenario] = {}
        with self._write() as connection:
            for given, text in scenarios:
                name = clean_name(given)
                free = number_name(name, list_taken(connection, study_key))
                parent = _find_parent(name, text, made)
                if parent is not None:
                    text = write_key(text, "parent", parent.name)
                if free != name:
                    text = write_key(text, "name", free)
                made[name] = create(
                    connection,
                    StoredScenario(
                        scenario_id=draw_id(),
                        study_key=study_key,
                        name=free,
                        text=check_text(text),
                        version=1,
                        parent_id=None if parent is None else parent.scenario_id,
                        who=who,
                        changed_at=self._clock(),
                        note="",
                    ),
                    "scenario_created",
                    {"imported_as": name},
                )
            for given_run in runs:
                run = _read_run(given_run, made, self._clock())
                if run is not None:
                    write_run(connection, run, at=self._clock(), who=who, details={"imported": True})
        return tuple(made.values())


def _read_run(given: Mapping[str, Any], made: Mapping[str, StoredScenario], now: datetime) -> StoredRun | None:
    """Return a run of a file as one of the first version here, None where it is none. Nothing in it is trusted."""
    name, at, plan = (given.get(key) for key in ("scenario", "at", "plan_fingerprint"))
    record, indicators, who = (given.get(key) for key in ("record", "indicators", "who"))
    if not (isinstance(name, str) and isinstance(record, Mapping) and isinstance(indicators, Mapping)):
        return None
    plan, who = (text if isinstance(text, str) else "" for text in (plan, who))
    if name not in made or len(plan) > KEY_LENGTH or not is_plain(plan):
        return None
    try:
        when = datetime.fromisoformat(at) if isinstance(at, str) else now
        when = when.astimezone(UTC) if when.tzinfo else now
        return build_run(made[name].scenario_id, 1, record, indicators, plan, who, min(when, now))
    except (ValueError, OverflowError, StoreError):
        return None


def _find_parent(name: str, text: str, made: dict[str, StoredScenario]) -> StoredScenario | None:
    try:
        named = read_key(text, "parent")
    except ValueError:
        raise StoreNameError(msg("“{name}” is not valid TOML.", name=name)) from None
    if named is None:
        return None
    if named not in made:
        raise StoreNameError(msg("The scenario that “{name}” builds on is not there.", name=name))
    return made[named]
