"""Rule checks for readers: every row in words with its clause, summaries, and the robust answer; as CSV and XLSX."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.dictionary import read_table_schema
from geodata.errors import ExportError
from geodata.messages import Message, msg
from planning.flag_case import iterate_rows
from planning.robust import RobustAnswer, name_variant
from planning.rule_checks import list_not_checked, summarise_checks, tell_check, tell_cure
from planning.rules import FACTS, Rules
from planning.run import Outcome
from planning.scenario import name_stage
from reports.citations import cite_rule
from reports.compare_files import render_workbook
from reports.language import Translator
from reports.tables import render_csv

CHECK_FILES = ("checks.csv", "checks_summary.csv", "not_checked.csv", "checks.xlsx")
ROBUST_FILES = ("robust_cases.csv", "robust_first.csv", "robust_worst.csv", "robust_failures.csv")
STATUS_NAMES: Mapping[str, Message] = {
    "passed": msg("passed"),
    "failed": msg("failed"),
    "unknown": msg("unknown"),
    "evidence": msg("document needed"),
}
SUBJECT_NAMES: Mapping[str, Message] = {
    "school": msg("school"),
    "unit": msg("community"),
    "town": msg("town"),
    "county": msg("county"),
    "group": msg("school group"),
}
SEVERITY_NAMES: Mapping[str, Message] = {
    "block": msg("forbids"),
    "warn": msg("advises"),
    "note": msg("informs"),
    "evidence": msg("needs a document"),
}


def build_check_rows(checks: pd.DataFrame, rules: Rules, _: Translator) -> pd.DataFrame:
    """Return the checks with ``rule``, ``source``, ``finding``, ``cure_words`` and ``missing_words`` beside them.

    Rows and their order are those of ``checks``; numbers stay as they are.
    """
    cited = {rule_id: cite_rule(rules, rule_id, _) for rule_id in checks["rule_id"].unique()}
    names = {rule_id: name_rule(rules, rule_id, _) for rule_id in cited}
    missing = {cell: say_missing(cell, _) for cell in checks["missing"].unique()}
    table = checks.copy()
    table.insert(1, "rule", checks["rule_id"].map(names))
    table["finding"] = [_.say(tell_check(row, rules)) for row in iterate_rows(checks)]
    table["cure_words"] = [say_cure(row, rules, _) for row in iterate_rows(checks)]
    table["missing_words"] = checks["missing"].map(missing)
    table["source"] = checks["rule_id"].map(cited)
    return table


def build_check_view(checks: pd.DataFrame, rules: Rules, _: Translator) -> pd.DataFrame:
    """Return the checks as a reader sees them: a few columns with headings in the reader's language.

    The gravest come first: failed before unknown, what forbids before what advises, and the largest shortfall by its
    limit first.
    """
    grave = checks["status"].map({"failed": 0, "unknown": 1, "evidence": 2, "passed": 3})
    weight = checks["severity"].map({"block": 0, "warn": 1, "evidence": 2, "note": 3})
    by = -(checks["short_by"] / checks["limit"].abs().where(checks["limit"] != 0, 1.0)).fillna(-math.inf)
    order = checks.assign(_a=grave, _b=weight, _c=by).sort_values(["_a", "_b", "_c", "subject_id"], kind="stable")
    rows = [
        (
            _.say(STATUS_NAMES[row.status]),
            name_rule(rules, row.rule_id, _),
            _.say(SUBJECT_NAMES[row.subject]),
            _.say(tell_check(row, rules)),
            say_cure(row, rules, _),
            _.say(SEVERITY_NAMES[row.severity]),
            cite_rule(rules, row.rule_id, _),
        )
        for row in iterate_rows(order)
    ]
    columns = [_("Status"), _("Rule"), _("About"), _("Finding"), _("Cure"), _("Weight"), _("Source")]
    return pd.DataFrame(rows, columns=columns)


def name_rule(rules: Rules, rule_id: str, _: Translator) -> str:
    """Return id and name of a rule in the reader's language, marked where nobody verified it."""
    rule = rules.by_id(rule_id)
    name = rule.name_zh if _.language == "zh" else rule.name_en
    if not rule.verified and rule.evidence != "convention":
        return _("{id} {name} (not verified)", id=rule_id, name=name)
    return f"{rule_id} {name}"


def say_cure(row: Any, rules: Rules, _: Translator) -> str:
    """Return the cure of a row as a sentence, with missing data by their meaning; empty where there is none."""
    if row.status == "unknown" and row.missing:
        return _("Add {missing}.", missing=say_missing(str(row.missing), _))
    cure = tell_cure(row, rules)
    return "" if cure is None else _.say(cure)


def say_missing(missing: str, _: Translator) -> str:
    """Return names of columns (``table.column``, ``;``-joined) by their meaning in the data dictionary."""
    return _(", ").join(_name_column(part, _) for part in missing.split(";") if part)


def _name_column(name: str, _: Translator) -> str:
    table, _dot, column = name.partition(".")
    if name in FACTS:
        return FACTS[name].meaning_zh if _.language == "zh" else FACTS[name].meaning_en
    if name == "schools.storeys":
        return _("storeys of the buildings (no table holds them yet)")
    if table == "scenario":
        return _("seats of the bus lines of the scenario")
    if table == "travel":
        length, time = _("lengths of the ways to school"), _("travel times to school")
        return length if column == "length_m" else time
    if table in ("schools", "places", "rolls", "units", "zones", "assets", "groups", "births", "evidence"):
        found = next((item for item in read_table_schema(table).columns if item.name == column), None)
        if found is not None:
            meaning = found.meaning_zh if _.language == "zh" else found.meaning_en
            short = re.split(r"[;；(（,，:：]", meaning)[0].strip()
            return _("{meaning} ({column})", meaning=short, column=name)
    return name


def build_summary_rows(checks: pd.DataFrame, rules: Rules, _: Translator) -> pd.DataFrame:
    """Return counts by rule and stage with the name, weight and source of the rule."""
    table = summarise_checks(checks)
    table.insert(1, "rule", [name_rule(rules, rule_id, _) for rule_id in table["rule_id"]])
    table["severity"] = [_.say(SEVERITY_NAMES[rules.by_id(rule_id).severity]) for rule_id in table["rule_id"]]
    table["source"] = [cite_rule(rules, rule_id, _) for rule_id in table["rule_id"]]
    return table


def build_unchecked_rows(rules: Rules, missing: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return the rules that were not checked (``planning.rule_checks.list_not_checked``), with the reason in words."""
    return missing.assign(
        rule=[name_rule(rules, rule_id, _) for rule_id in missing["rule_id"]],
        reason=[_.say(reason) for reason in missing["reason"]],
    )


def build_robust_tables(answer: RobustAnswer, rules: Rules, _: Translator) -> dict[str, pd.DataFrame]:
    """Return the tables of a robust answer by the stem of their file."""
    first = answer.first.assign(rule=[name_rule(rules, rule_id, _) for rule_id in answer.first["rule_id"]])
    rows = [(name, value, year, variant, answer.mean[name]) for name, (value, year, variant) in answer.worst.items()]
    worst = pd.DataFrame(rows, columns=["indicator", "worst", "worst_year", "worst_variant", "mean"])
    failures = answer.failures.assign(finding=[_.say(tell_check(row, rules)) for row in iterate_rows(answer.failures)])
    return {"robust_cases": answer.cases, "robust_first": first, "robust_worst": worst, "robust_failures": failures}


def list_check_lines(checks: pd.DataFrame, rules: Rules, _: Translator) -> list[str]:
    """Return a short summary for a terminal: one line per rule that fails or is not known, the gravest first."""
    counts = {name: int((checks["status"] == name).sum()) for name in STATUS_NAMES}
    lines = [
        _(
            "Checks: {passed} passed, {failed} failed, {unknown} unknown, {evidence} need a document.",
            **{name: _.number(count) for name, count in counts.items()},
        )
    ]
    for severity in SEVERITY_NAMES:
        rows = checks[(checks["severity"] == severity) & (checks["status"] == "failed")]
        for (rule_id, stage), part in rows.groupby(["rule_id", "stage"], sort=False):
            short = part["short_by"].fillna(math.inf).to_numpy(dtype=float)
            worst = part.iloc[int(short.argmax())]
            lines.append(
                _(
                    "{weight}: {rule}, {stage}: {count} fail. Worst: {finding} {cure}",
                    weight=_.say(SEVERITY_NAMES[severity]),
                    rule=name_rule(rules, str(rule_id), _),
                    stage=_.say(name_stage(str(stage))) if stage else _("all stages"),
                    count=_.number(len(part)),
                    finding=_.say(tell_check(worst, rules)),
                    cure=say_cure(worst, rules, _),
                ).rstrip()
            )
    unknown = checks[checks["status"] == "unknown"]
    lacks = sorted({part for cell in unknown["missing"] for part in cell.split(";") if part})
    if lacks:
        lines.append(_("Missing data: {missing}.", missing=say_missing(";".join(lacks), _)))
    return lines


def list_robust_lines(answer: RobustAnswer, rules: Rules, _: Translator) -> list[str]:
    """Return the robust answer as lines for a terminal."""
    lines = [_.say(line) for line in answer.basis]
    good, count = _.number(int(answer.cases["lawful"].sum())), _.number(len(answer.cases))
    lines.append(_("“{name}”: lawful in {good} of {count} cases.", name=answer.name, good=good, count=count))
    lines += [
        _(
            "{rule} first fails in {year} ({variant}), in {cases} of {count} cases.",
            rule=name_rule(rules, str(row.rule_id), _),
            year=str(row.year),
            variant=_.say(name_variant(str(row.variant))),
            cases=_.number(int(row.cases)),
            count=count,
        )
        for row in iterate_rows(answer.first)
        if row.severity == "block"
    ]
    return lines + [_.say(conflict) for conflict in answer.conflicts]


def write_check_files(
    checks: pd.DataFrame, outcome: Outcome, folder: str | Path, _: Translator, *, robust: RobustAnswer | None = None
) -> list[Path]:
    """Write ``CHECK_FILES`` (and ``ROBUST_FILES``) into ``folder``, made where missing; return their paths.

    Raises
    ------
    ExportError
        The folder cannot be made or written to.
    """
    folder, rules = Path(folder), outcome.rules
    missing = list_not_checked(rules, outcome, checks, balanced=True)
    tables = {
        "checks": build_check_rows(checks, rules, _),
        "checks_summary": build_summary_rows(checks, rules, _),
        "not_checked": build_unchecked_rows(rules, missing, _),
    }
    if robust is not None:
        tables |= build_robust_tables(robust, rules, _)
    sheets = {"checks": build_check_view(checks, rules, _), **{name: tables[name] for name in list(tables)[1:3]}}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            (folder / f"{name}.csv").write_bytes(render_csv(table))
        (folder / "checks.xlsx").write_bytes(render_workbook(sheets))
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error
    return [*(folder / f"{name}.csv" for name in tables), folder / "checks.xlsx"]


def build_judgement(
    checks: pd.DataFrame, outcome: Outcome, _: Translator, robust: RobustAnswer | None = None
) -> dict[str, Any]:
    """Return what ``judge --json`` prints; documented in ``docs/terminal.md``."""
    rules = outcome.rules
    broken = checks[(checks["status"] == "failed") & (checks["severity"] == "block")]
    failed = checks[checks["status"] == "failed"]
    document: dict[str, Any] = {
        "rulebook": f"{rules.name} {rules.version}",
        "lawful": outcome.plan is not None and broken.empty,
        "counts": {name: int((checks["status"] == name).sum()) for name in STATUS_NAMES},
        "rules": _list_records(summarise_checks(checks)),
        "failed": [
            {**record, "finding": _.say(tell_check(row, rules)), "cure_words": say_cure(row, rules, _)}
            for record, row in zip(_list_records(failed), iterate_rows(failed), strict=True)
        ],
    }
    if robust is not None:
        document["robust"] = {
            "lawful": robust.lawful,
            "cases": _list_records(robust.cases),
            "first": _list_records(robust.first),
            "worst": {name: {"value": v, "year": y, "variant": w} for name, (v, y, w) in robust.worst.items()},
            "mean": dict(robust.mean),
            "basis": [_.say(line) for line in robust.basis],
        }
    return document


def _list_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain objects; what is not known is null."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): cell for name, cell in row.items()} for row in rows]
