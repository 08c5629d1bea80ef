"""A proposal as files for programs: tables as CSV and Parquet, every plan as a scenario file, the whole as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.errors import ExportError
from geodata.messages import Message
from geodata.site_search import Candidates
from geodata.study import StudyArea
from planning.certificate import Certificate
from planning.flag_case import iterate_rows
from planning.plain_values import as_plain
from planning.rules import Rules
from planning.scenario import Scenario
from planning.scenario_file import render_scenario
from planning.site_rules import check_sites, tell_site_check
from planning.siting_answer import (
    DECISION_COLUMNS,
    ENROLMENT_COLUMNS,
    PERIOD_COLUMNS,
    SCHOOL_COLUMNS,
    SitingAnswer,
    SitingPlan,
)
from planning.siting_file import render_siting_options
from reports.language import Translator
from reports.tables import render_csv

SITING_FILES = (
    *("front.csv", "decisions.csv", "periods.csv", "schools.csv", "enrolment.parquet"),
    *("options.toml", "answer.json"),
)
"""Files of a proposal, beside one scenario file per plan."""
_PARTS: Mapping[str, tuple[str, ...]] = {
    "decisions": DECISION_COLUMNS,
    "periods": PERIOD_COLUMNS,
    "schools": SCHOOL_COLUMNS,
    "enrolment": ENROLMENT_COLUMNS,
}


def write_siting_files(answer: SitingAnswer, folder: str | Path, *, language: Translator) -> list[Path]:
    """Write ``SITING_FILES`` and the scenario files into ``folder`` (made where missing); return their paths.

    Without a plan ``answer.json`` and ``options.toml`` only. Scenario files of an earlier proposal are removed.

    Raises
    ------
    ExportError
        The folder cannot be made or written to.
    """
    folder = Path(folder)
    texts = {
        "options.toml": render_siting_options(answer.options),
        "answer.json": json.dumps(build_siting_document(answer, language), ensure_ascii=False, indent=2) + "\n",
        **{f"{name_scenario_file(plan)}": render_scenario(stand_alone(plan.scenario)) for plan in answer.plans},
    }
    tables = {} if not answer.plans else {"front": _say_table(answer.front, language)}
    tables |= {} if not answer.plans else {name: stack_plans(answer, name, language) for name in _PARTS}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("plan_*.toml"):
            old.unlink()
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        for name, table in tables.items():
            if name == "enrolment":
                table.to_parquet(folder / "enrolment.parquet", index=False)
            else:
                (folder / f"{name}.csv").write_bytes(render_csv(table))
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error
    files = [f"{name}.parquet" if name == "enrolment" else f"{name}.csv" for name in tables]
    return [folder / name for name in (*texts, *files)]


def write_candidates(
    candidates: Candidates, rules: Rules, study: StudyArea, folder: str | Path, *, language: Translator
) -> list[Path]:
    """Write the sites that a search found, and how each stands by the siting rules; return the paths.

    Raises
    ------
    ExportError
        The folder cannot be made or written to.
    """
    folder = Path(folder)
    checks = check_sites(study, rules, candidates.distances)
    checks = checks.assign(finding=[language.say(tell_site_check(row, rules)) for row in iterate_rows(checks)])
    tables = {"candidates.csv": candidates.table, "site_checks.csv": checks}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            (folder / name).write_bytes(render_csv(_say_table(table, language)))
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error
    return [folder / name for name in tables]


def stack_plans(answer: SitingAnswer, part: str, language: Translator) -> pd.DataFrame:
    """Return one part of all plans, with the plan's id in front; messages become sentences.

    Parameters
    ----------
    part
        ``"decisions"``, ``"periods"``, ``"schools"`` or ``"enrolment"``. Of periods today's schools come first, as
        plan ``"today"``, then today's schools with the children sent anew.
    """
    held = [(plan.plan_id, getattr(plan, part)) for plan in answer.plans]
    if part == "periods":
        held[:0] = [("today", answer.before), ("today, other zones", answer.kept)]
    parts = []
    for plan_id, rows in held:
        table = _say_table(rows, language).reindex(columns=list(_PARTS[part]))
        table.insert(0, "plan", plan_id)
        parts.append(table)
    filled = [table for table in parts if len(table)] or parts[:1]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=["plan", *_PARTS[part]])


def name_scenario_file(plan: SitingPlan) -> str:
    """Return the name of a plan's scenario file: ``"plan_1.toml"``."""
    number = re.sub(r"[^0-9A-Za-z]+", "_", plan.plan_id.removeprefix("plan")).strip("_")
    return f"plan_{number}.toml"


def stand_alone(scenario: Scenario) -> Scenario:
    """Return the scenario with the actions of its parents as its own: its file needs no other."""
    return dataclasses.replace(scenario, actions=scenario.all_actions, inherited=(), parent=None)


def build_siting_document(answer: SitingAnswer, language: Translator) -> dict[str, Any]:
    """Return everything about the answer but its tables, as plain data; documented in ``docs/terminal.md``."""
    say = language.say
    document = {
        "status": "plan" if answer.plans else "no_plan",
        "conflicts": [
            {
                "rule": conflict.rule,
                "rule_id": conflict.rule_id,
                "message": say(conflict.message),
                "cure": say(conflict.cure),
                "unit_ids": conflict.unit_ids,
                "school_ids": conflict.school_ids,
                "short_pupils": conflict.short_pupils,
            }
            for conflict in answer.conflicts
        ],
        "plans": [_describe_plan(plan, language) for plan in answer.plans],
        "front": _say_table(answer.front, language).to_dict("records"),
        "left_out": _say_table(answer.left_out, language).to_dict("records"),
        "notes": [say(note) for note in answer.notes],
        "options": {"stage": answer.options.stage, "mode": answer.options.mode, **as_plain(answer.options)},
        "seconds": round(answer.seconds, 3),
        "record": answer.record,
    }
    plain: dict[str, Any] = make_plain(document, language)
    return plain


def _describe_plan(plan: SitingPlan, language: Translator) -> dict[str, Any]:
    return {
        "plan": plan.plan_id,
        "role": plan.role,
        "name": language.say(plan.name),
        "scenario": name_scenario_file(plan),
        "parts_cny": dict(plan.parts),
        "certificate": describe_certificate(plan.certificate, language),
    }


def describe_certificate(certificate: Certificate, language: Translator) -> dict[str, Any]:
    """Return a certificate as plain data, its method in the reader's language."""
    return {**certificate.as_dict(), "method": language.say(certificate.method)}


def _say_table(table: pd.DataFrame, language: Translator) -> pd.DataFrame:
    """Return the table with its messages as sentences."""
    told = table.copy()
    for name in told.columns:
        if any(isinstance(cell, Message) for cell in told[name]):
            told[name] = [language.say(cell) if isinstance(cell, Message) else cell for cell in told[name]]
    return told


def make_plain(value: Any, language: Translator) -> Any:
    """Return data that JSON can hold: messages as sentences, numbers that are not known as null."""
    if isinstance(value, Message):
        return language.say(value)
    if isinstance(value, Mapping):
        return {str(key): make_plain(item, language) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [make_plain(item, language) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return make_plain(dataclasses.asdict(value), language)
    if hasattr(value, "item") and callable(value.item):  # a number of numpy
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
