"""What versions of scenarios gave, with the record that lets it be run again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from geodata.messages import msg
from store.checks import clean_who, is_plain
from store.desk import Desk, add_audit, draw_id
from store.errors import StoreMissingError
from store.models import plain_json, runs, scenario_versions, scenarios
from store.values import StoredRun


class Runs(Desk):
    """What the store does with runs."""

    def save_run(
        self,
        scenario_id: str,
        version: int,
        record: Mapping[str, Any],
        indicators: Mapping[str, Any],
        plan_fingerprint: str,
        who: str,
    ) -> StoredRun:
        """Store what one version of a scenario gave.

        Parameters
        ----------
        scenario_id, version
            What was run; ``StoreMissingError`` where it is not stored.
        record
            ``RunRecord.as_dict()``: fingerprints of the inputs, versions, seed, limits, solver.
        indicators
            Names and values; a number that is not finite is stored as None: unknown.
        plan_fingerprint
            Of the plan; empty where no lawful plan was found.
        who
            The planner, or empty.
        """
        run = build_run(scenario_id, version, record, indicators, plan_fingerprint, who, self._clock())
        if not is_plain(scenario_id):
            raise StoreMissingError(msg("There is no such version of a scenario in the store."))
        with self._write() as connection:
            write_run(connection, run, at=run.at, who=run.who)
        return run

    def list_runs(self, scenario_id: str) -> tuple[StoredRun, ...]:
        """Return the runs of a scenario, the latest first."""
        if not is_plain(scenario_id):
            return ()
        columns = [column for column in runs.c if column.name != "number"]
        wanted = select(*columns).where(runs.c.scenario_id == scenario_id).order_by(runs.c.number.desc())
        with self._read() as connection:
            return tuple(StoredRun(**row._mapping) for row in connection.execute(wanted))


def build_run(
    scenario_id: str,
    version: int,
    record: Mapping[str, Any],
    indicators: Mapping[str, Any],
    plan_fingerprint: str,
    who: str,
    at: datetime,
) -> StoredRun:
    """Return a run to be stored, under a new id."""
    return StoredRun(
        run_id=draw_id(),
        scenario_id=scenario_id,
        version=version,
        record=plain_json(record),
        indicators=plain_json(indicators),
        plan_fingerprint=plan_fingerprint,
        who=clean_who(who),
        at=at,
    )


def write_run(
    connection: Connection, run: StoredRun, *, at: datetime, who: str, details: Mapping[str, Any] | None = None
) -> None:
    """Write a run and its audit entry; ``at`` and ``who`` of the entry. ``StoreMissingError`` without its scenario."""
    table = scenario_versions
    of = (
        select(table.c.name, scenarios.c.study_key)
        .join(scenarios, scenarios.c.scenario_id == table.c.scenario_id)
        .where(table.c.scenario_id == run.scenario_id, table.c.version == run.version)
    )
    found = connection.execute(of).one_or_none()
    if found is None:
        raise StoreMissingError(msg("There is no such version of a scenario in the store."))
    connection.execute(insert(runs).values(**vars(run)))
    add_audit(
        connection,
        "run_saved",
        at=at,
        who=who,
        study_key=found.study_key,
        scenario_id=run.scenario_id,
        version=run.version,
        subject=found.name,
        details={"run_id": run.run_id, "plan_fingerprint": run.plan_fingerprint, **(details or {})},
    )
