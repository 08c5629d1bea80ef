"""A scenario's answer as files: the tables of a run, what changed, what every closure means, and all of it as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.errors import ExportError
from planning.action_words import describe_action
from planning.closures import COMMUNITY_COLUMNS, GRADE_COLUMNS, RECEIVER_COLUMNS, ClosureAnswer
from planning.run import Outcome
from planning.scenario_file import action_as_dict
from reports.citations import cite_rule
from reports.closure_lists import build_answer_rows
from reports.language import Translator, read_catalogue
from reports.scenario_words import list_in_force
from reports.tables import build_run_record, render_csv, write_run_tables

CLOSURE_FILES = (
    *("closures.csv", "closures_receivers.csv", "closures_communities.csv", "closures_grades.csv"),
    "closures_findings.csv",
)
SCENARIO_FILES = ("outcome.json", "changes.csv", *CLOSURE_FILES)
"""Files of a scenario beside those of every run."""

CLOSURE_COLUMNS = (
    *("number", "what", "school_id", "name", "stage", "pupils", "roll_pupils", "bus_seats_needed", "bus_seats"),
    *("beds_needed", "beds_free", "freed_site_area_m2", "freed_floor_area_m2", "freed_places", "freed_classes"),
    *("freed_boarding_places", "blocks", "warnings"),
)
FINDING_COLUMNS = ("number", "school_id", "name", "stage", "severity", "rule_id", "finding", "source")
_HEAD = ("number", "what", "closed_school_id", "closed_school_name", "stage")


def write_scenario_files(
    outcome: Outcome, names: Mapping[str, str], folder: str | Path, *, language: Translator | None = None
) -> list[Path]:
    """Write ``SCENARIO_FILES`` and the tables of the run into ``folder`` (made where missing); return their paths.

    Without a plan ``outcome.json`` and ``changes.csv`` only.

    Parameters
    ----------
    names
        Name by id (``planning.action_words.collect_names``).
    language
        The reader's language; English by default.

    Raises
    ------
    ExportError
        The folder cannot be made or written to.
    """
    folder = Path(folder)
    language = language or read_catalogue("en")
    tables = {"changes.csv": outcome.changes}
    written: list[Path] = []
    if outcome.plan is not None:
        written += write_run_tables(outcome, folder, language=language)
        tables |= build_closure_tables(outcome, language=language)
        if len(outcome.zones):
            tables["zones.csv"] = outcome.zones
    document = json.dumps(build_outcome_document(outcome, names, language=language), ensure_ascii=False, indent=2)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            (folder / name).write_bytes(render_csv(table))
        (folder / "outcome.json").write_text(document + "\n", encoding="utf-8")
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error
    return [*written, *(folder / name for name in (*tables, "outcome.json"))]


def build_closure_tables(outcome: Outcome, *, language: Translator) -> dict[str, pd.DataFrame]:
    """Return the tables of ``CLOSURE_FILES``; of a scenario that closes nothing only their headers."""
    answers = outcome.closures
    parts = {"receivers": RECEIVER_COLUMNS, "communities": COMMUNITY_COLUMNS, "grades": GRADE_COLUMNS}
    rows = [_describe_closure(answer) for answer in answers]
    findings = [
        {
            **{name: getattr(answer, name) for name in ("number", "school_id", "name", "stage")},
            "severity": finding.severity,
            "rule_id": finding.rule_id,
            "finding": language.say(finding.message),
            "source": cite_rule(outcome.rules, finding.rule_id, language),
        }
        for answer in answers
        for finding in answer.findings
    ]
    found = {"closures.csv": pd.DataFrame(rows, columns=list(CLOSURE_COLUMNS))}
    for part, columns in parts.items():
        table = build_answer_rows(answers, part)
        found[f"closures_{part}.csv"] = table if len(table.columns) else pd.DataFrame(columns=[*_HEAD, *columns])
    return found | {"closures_findings.csv": pd.DataFrame(findings, columns=list(FINDING_COLUMNS))}


def _describe_closure(answer: ClosureAnswer) -> dict[str, Any]:
    """Return the figures of one closure by ``CLOSURE_COLUMNS``."""
    severities = [finding.severity for finding in answer.findings]
    about = {name: getattr(answer, name) for name in CLOSURE_COLUMNS if hasattr(answer, name)}
    freed = {f"freed_{name}": value for name, value in answer.assets.items()}
    return {**about, **freed, "blocks": severities.count("block"), "warnings": severities.count("warn")}


def build_outcome_document(outcome: Outcome, names: Mapping[str, str], *, language: Translator) -> dict[str, Any]:
    """Return everything about the answer but the tables, as plain data; documented in ``docs/scenarios.md``."""
    say = language.say
    scenario, held = outcome.scenario, list_in_force(outcome)
    document = {
        "status": "plan" if outcome.plan is not None else "no_plan",
        "name": scenario.name,
        "parent": scenario.parent,
        "year": scenario.year,
        "plan_fingerprint": outcome.record.plan_fingerprint,
        "actions": [
            {
                "number": number,
                "in_force": number in held,
                "inherited": number <= len(scenario.inherited),
                "words": say(describe_action(action, names)),
                **action_as_dict(action),
            }
            for number, action in enumerate(scenario.all_actions, start=1)
        ],
        "problems": [
            {
                "number": problem.number,
                "severity": problem.severity,
                "problem": say(problem.message),
                "cure": None if problem.cure is None else say(problem.cure),
            }
            for problem in outcome.action_problems
        ],
        "conflicts": [say(conflict) for conflict in outcome.conflicts],
        "closures": [
            {
                **_describe_closure(answer),
                "findings": [
                    {"severity": item.severity, "rule_id": item.rule_id, "finding": say(item.message)}
                    for item in answer.findings
                ],
            }
            for answer in outcome.closures
        ],
        "record": build_run_record(outcome, say=say),
    }
    plain: dict[str, Any] = _without_nan(document)
    return plain


def _without_nan(value: Any) -> Any:
    """Return plain data in which a number that is not known is null: JSON has no NaN."""
    if isinstance(value, Mapping):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
