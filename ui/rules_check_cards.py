"""The cards of a check: one rule with whom it fails, one school with its rules, and which data would answer most."""

from __future__ import annotations

from typing import Any

import pandas as pd

from planning.rule_checks import iterate_checks, tell_check
from planning.rules import SEVERITIES, Rules
from reports.check_tables import say_cure, say_missing
from reports.citations import cite_rule
from reports.language import Translator
from ui.cards import render_facts, render_quiet, render_title, text
from ui.rules_check_tables import (
    STATES,
    WORST,
    count_missing,
    name_state,
    say_cures,
    sum_cures,
)
from ui.rules_words import mark_rule, name_mark, name_rule, name_severity, say_limits

MOST_ROWS = 40
MOST_MISSING = 10
STYLE = """
<style>
.case { border-left: 3px solid #b9c3c3; padding: 0.1rem 0 0.1rem 0.55rem; margin: 0.3rem 0; font-size: 0.86rem; }
.case.failed.block { border-color: #b3490b; } .case.failed.warn { border-color: #e0913f; }
.case.failed.note { border-color: #8fbfdc; } .case.passed { border-color: #7fb796; }
.case .cure { color: #1f5b3d; } .case .data { color: #6b4d00; } .case .of { color: #5d6b6c; font-size: 0.78rem; }
.weights { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); border: 1px solid #dde4e4;
  border-radius: 8px; background: #fff; }
.weights div { padding: 0.35rem 0.7rem; border-left: 1px solid #e8eded; min-width: 0; }
.weights div:first-child { border-left: 0; }
.weights span { display: block; color: #52605f; font-size: 0.76rem; line-height: 1.25; }
.weights b { font-size: 1.12rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.weights small { color: #5d6b6c; font-size: 0.76rem; font-weight: 400; }
</style>
"""


def build_weights(checks: pd.DataFrame, _: Translator) -> str:
    """Return the tiles: failed rules by severity with their cases, then unknown, then what documents must show."""
    tiles = []
    failed = checks[checks["status"] == "failed"]
    for severity in SEVERITIES:
        rows = failed[failed["severity"] == severity]
        if severity == "evidence" and rows.empty:
            continue
        title = _("{severity}: rules that fail", severity=name_severity(severity, _))
        tiles.append((title, rows["rule_id"].nunique(), _("cases: {count}", count=_.number(len(rows)))))
    unknown = checks[checks["status"] == "unknown"]
    tiles.append(
        (
            _("? Rules lacking data somewhere"),
            unknown["rule_id"].nunique(),
            _("cases: {count}", count=_.number(len(unknown))),
        )
    )
    shown = checks[checks["status"] == "evidence"]
    tiles.append((_("□ To be shown by documents"), shown["rule_id"].nunique(), ""))
    cells = "".join(
        f"<div><span>{text(title)}</span><b>{text(_.number(count))}</b> <small>{text(cases)}</small></div>"
        for title, count, cases in tiles
    )
    return f'<div class="weights">{cells}</div>'


def build_case(row: Any, rules: Rules, _: Translator, *, named: bool = False) -> str:
    """Return one row of the checks in words, with its cure; ``named`` puts the rule in front."""
    head = ""
    if named:
        rule = rules.by_id(str(row.rule_id))
        head = f"<b>{text(name_state(str(row.status), _))} · {text(name_rule(rule, _))}</b><br>"
    words = text(_.say(tell_check(row, rules)), longest=600)
    cure = say_cure(row, rules, _)
    kind = "data" if row.status in ("unknown", "evidence") else "cure"
    mend = f'<br><span class="{kind}">{text(cure, longest=400)}</span>' if cure else ""
    source = f'<br><span class="of">{text(cite_rule(rules, str(row.rule_id), _), longest=300)}</span>' if named else ""
    return f'<div class="case {text(row.status)} {text(row.severity)}">{head}{words}{mend}{source}</div>'


def build_rule_card(rows: pd.DataFrame, rules: Rules, rule_id: str, _: Translator) -> str:
    """Return one rule with everybody whom it fails, what would cure it, and which data are missing."""
    rule = rules.by_id(rule_id)
    mark = mark_rule(rule)
    head = (
        f'<h3>{text(name_rule(rule, _))}</h3><div class="kind">{text(rule.id)} · {text(say_limits(rule, _))} '
        f'<span class="mark {mark}">{text(name_mark(mark, _))}</span></div>'
    )
    source = render_quiet(cite_rule(rules, rule_id, _))
    facts = render_facts((name_state(state, _), _.number(int((rows["status"] == state).sum()))) for state in STATES)
    parts = [head, source, facts]
    cures = sum_cures(rows)
    if cures:
        parts += [render_title(_("What would cure all of it")), f"<p>{text(say_cures(cures, _))}</p>"]
    failed = rows[rows["status"] == "failed"].sort_values("short_by", ascending=False, kind="stable")
    parts += _list_cases(failed, rules, _("Failed"), _)
    parts += _list_cases(rows[rows["status"] == "evidence"], rules, _("To be shown by documents"), _)
    unknown = rows[rows["status"] == "unknown"]
    if len(unknown):
        parts += [render_title(_("Unknown")), build_missing(unknown, _)]
    return "".join(parts)


def _list_cases(rows: pd.DataFrame, rules: Rules, title: str, _: Translator) -> list[str]:
    if rows.empty:
        return []
    shown = [build_case(row, rules, _) for row in iterate_checks(rows.head(MOST_ROWS))]
    more = len(rows) - len(shown)
    after = [render_quiet(_("and {count} more, in the download", count=_.number(more)))] if more > 0 else []
    return [render_title(title), *shown, *after]


def build_subject_card(rows: pd.DataFrame, rules: Rules, name: str, _: Translator) -> str:
    """Return one school or community with all rules that judge it, the gravest failure first."""
    weights = rows["severity"].map(SEVERITIES.index)
    ordered = rows.assign(_state=rows["status"].map(WORST), _weight=weights)
    ordered = ordered.sort_values(["_state", "_weight"], kind="stable")
    cases = [build_case(row, rules, _, named=True) for row in iterate_checks(ordered.head(MOST_ROWS))]
    return f"<h3>{text(name)}</h3>" + "".join(cases)


def build_missing(checks: pd.DataFrame, _: Translator) -> str:
    """Return which data would answer how many rules, the most useful first."""
    found = count_missing(checks)
    lines = []
    for row in found.head(MOST_MISSING).to_dict("records"):
        words = _(
            "{columns}: would answer rules: {rules}, cases: {cases}",
            columns=say_missing(str(row["missing"]), _),
            rules=_.number(int(row["rules"])),
            cases=_.number(int(row["subjects"])),
        )
        lines.append(f'<div class="case unknown">{text(words, longest=500)}</div>')
    more = len(found) - len(lines)
    if more > 0:
        lines.append(render_quiet(_("and {count} more, in the download", count=_.number(more))))
    return "".join(lines)


def build_overview(checks: pd.DataFrame, not_checked: pd.DataFrame, rules: Rules, _: Translator) -> str:
    """Return what stands beside the table while nothing is chosen: missing data, cures, rules that nothing checks."""
    parts = []
    if (checks["status"] == "unknown").any():
        parts += [render_title(_("Data that would answer most rules")), build_missing(checks, _)]
    cures = sum_cures(checks[checks["severity"] == "block"])
    if cures:
        parts += [
            render_title(_("What would cure the serious failures, rule by rule")),
            f"<p>{text(say_cures(cures, _))}</p>",
            render_quiet(_("One cure may serve several rules, so less may be enough.")),
        ]
    parts.append(render_quiet(_("Choose a rule in the table to see whom it fails and by how much.")))
    if len(not_checked):
        lines = [
            f"<li>{text(name_rule(rules.by_id(str(row.rule_id)), _))}: {text(_.say(row.reason))}</li>"
            for row in iterate_checks(not_checked)
        ]
        title = text(_("Rules that have nothing to judge here: {count}", count=_.number(len(lines))))
        parts.append(f'<details class="quiet"><summary>{title}</summary><ul>{"".join(lines)}</ul></details>')
    return "".join(parts)
