"""The rules in the report: which ones the proposal breaks, cures or leaves as they are, and the clause of each."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from planning.flag_case import iterate_rows
from planning.rules import Rule, Rules
from reports.check_tables import SEVERITY_NAMES, say_missing
from reports.citations import cite_rule
from reports.consultation_checks import hide_checks, say_finding, say_remedy
from reports.consultation_closures import name_test_status
from reports.consultation_report_case import ReportCase, join_sentences
from reports.document import Block, Box, Heading, PageBreak, Paragraph, Table
from reports.language import Translator

MOST_FINDINGS = 3
"""How many findings of a rule are told for each way in which it changes; the rest stands in the workbook."""
MOST_NAMED = 8
MOST_LACKS = 12
SAME_DETAILS = ("elsewhere", "unreached", "closure")
"""Details that say what would cure a row, or how it came about, not what it is about."""
_WEIGHTS = {"block": 0, "warn": 1, "evidence": 2, "note": 3}
_STATES = {"failed": 0, "unknown": 1, "evidence": 2, "passed": 3}


Rows = tuple[Any, ...]
"""Rows of the checks as named tuples, with ``gap``: by how much they miss the limit, also where that is not shown."""


@dataclass(frozen=True, eq=False)
class RuleLine:
    """One rule over all stages: how many schools, communities … break it today and in the proposal.

    ``new``, ``worse``, ``cured``, ``eased``: rows of the checks (of the proposal; ``cured`` of today) that the proposal
    breaks, makes worse, mends, makes less bad.
    """

    rule: Rule
    today: Rows
    then: Rows
    new: Rows
    worse: Rows
    cured: Rows
    eased: Rows

    @property
    def state(self) -> str:
        """``failed``, ``unknown``, ``evidence`` or ``passed`` in the proposal: what decides among all rows."""
        counts = Counter(row.status for row in self.then)
        if counts["failed"]:
            return "failed"
        if counts["unknown"] > counts["passed"]:
            return "unknown"
        return "passed" if counts["passed"] or not counts else "evidence"

    @property
    def touched(self) -> bool:
        """Whether the proposal changes anything about this rule."""
        return any((self.new, self.worse, self.cured, self.eased))


def compare_checks(case: ReportCase) -> tuple[RuleLine, ...]:
    """Return one line per rule that was checked, the gravest first: failed, unknown, document needed, passed."""
    shown = hide_checks(case.consultation)
    then = _list_rows(shown.assign(gap=case.consultation.checks["short_by"]))
    today = _list_rows(case.today.assign(gap=case.today["short_by"]))
    grouped: dict[str, dict[str, list[Any]]] = {}
    for key, row in then.items():
        found = grouped.setdefault(str(row.rule_id), defaultdict(list))
        found["then"].append(row)
        mark = _compare_row(row, today.get(key))
        if mark:
            found[mark].append(row)
    for key, row in today.items():
        if str(row.rule_id) in grouped:
            found = grouped[str(row.rule_id)]
            found["today"].append(row)
            if row.status == "failed" and (key not in then or then[key].status == "passed"):
                found["cured"].append(row)
    rules = case.consultation.rules
    parts = ("today", "then", "new", "worse", "cured", "eased")
    lines = [
        RuleLine(rules.by_id(rule_id), *(tuple(found[part]) for part in parts)) for rule_id, found in grouped.items()
    ]
    return tuple(sorted(lines, key=lambda line: (_STATES[line.state], _WEIGHTS[line.rule.severity])))


def _list_rows(checks: pd.DataFrame) -> dict[tuple[str, ...], Any]:
    """Return the checks by what they are about; of several about the same the first."""
    found: dict[tuple[str, ...], Any] = {}
    for row in iterate_rows(checks):
        about = "" if row.detail in SAME_DETAILS else str(row.detail)
        found.setdefault((str(row.rule_id), str(row.stage), str(row.subject), str(row.subject_id), about), row)
    return found


def _compare_row(row: Any, before: Any) -> str:
    """Return what the proposal does to a check: ``new``, ``worse``, ``eased``, or nothing."""
    if row.status != "failed":
        return ""
    if before is None or before.status != "failed":
        return "new"
    was, now = (0.0 if math.isnan(gap) else gap for gap in (before.gap, row.gap))
    step = 1e-3 * abs(was) + 1e-6
    return "worse" if now > was + step else "eased" if now < was - step else ""


def order_rows(rows: Iterable[Any]) -> list[Any]:
    """Return failed checks, the largest shortfall by its limit first."""

    def measure(row: Any) -> float:
        limit = abs(row.limit) if math.isfinite(row.limit) and row.limit else 1.0
        return math.inf if math.isnan(row.gap) else float(row.gap) / limit

    return sorted(rows, key=measure, reverse=True)


def tell_row(row: Any, case: ReportCase, _: Translator) -> str:
    """Return what a check found, without a figure that must not be shown."""
    rules = case.consultation.rules
    if row.detail == "closure":
        subject = _tell_subject(row, case, _)
        if row.status == "failed":
            return _("{school}: stands against its closure; see “Closure tests”.", school=subject)
        return _("{school}: {status}.", school=subject, status=name_test_status(str(row.status), _))
    if row.status == "unknown":
        subject = _tell_subject(row, case, _)
        return _("{subject}: not known without {missing}.", subject=subject, missing=say_missing(str(row.missing), _))
    told = row._replace(subject_name=_tell_name(row, case)) if row.subject in ("school", "unit") else row
    return say_finding(told, rules, _)


def _tell_name(row: Any, case: ReportCase) -> str:
    return case.names.get(str(row.subject_id)) or str(row.subject_name)


def _tell_subject(row: Any, case: ReportCase, _: Translator) -> str:
    if row.subject == "county":
        return _("The county")
    return _tell_name(row, case) or str(row.subject_id)


def tell_row_cure(row: Any, case: ReportCase, _: Translator) -> str:
    """Return what would cure a check, without a figure that must not be shown; empty where nothing is said."""
    return say_remedy(row, case.consultation.rules, _)


def cite(rule: Rule, rules: Rules, _: Translator) -> str:
    """Return id, name, source and clause of a rule, and how far its source can be trusted."""
    return f"{rule.id} {cite_rule(rules, rule.id, _)}"


def build_rules_part(case: ReportCase, lines: Sequence[RuleLine], _: Translator) -> Iterator[Block]:
    """Yield how the rules are met: what forbids first, then what the proposal changes, then what is not known."""
    rules = case.consultation.rules
    counts = {state: sum(line.state == state for line in lines) for state in _STATES}
    yield Paragraph(
        _(
            "Rulebook “{name}”, version {version}. {checked} of its rules speak about this proposal: {passed} are kept,"
            " {failed} are broken somewhere in the county (today or by the proposal), {unknown} cannot be told from the"
            " data, {evidence} are answered by documents. {others} rules were not checked; annex B says why.",
            name=(rules.title_zh if _.language == "zh" else rules.title_en) or rules.name,
            version=rules.version,
            checked=_.number(len(lines)),
            passed=_.number(counts["passed"]),
            failed=_.number(counts["failed"]),
            unknown=_.number(counts["unknown"]),
            evidence=_.number(counts["evidence"]),
            others=_.number(len(case.consultation.not_checked)),
        )
    )
    binding = [line for line in lines if line.rule.severity == "block"]
    if binding:
        yield Heading(_("Rules that forbid"), 2)
        yield _build_rule_table(binding, case, _)
    touched = [line for line in lines if line.touched]
    yield Heading(_("What the proposal changes"), 2)
    if touched:
        yield _build_changes(touched, case, _)
    else:
        yield Paragraph(_("No rule is newly broken, mended, or broken by more or by less than today."))
    lacks = list_lacks(lines)
    if lacks:
        title = _("Data that are missing for a judgement")
        yield Box(title, (join_first([say_missing(name, _) for name in lacks], MOST_LACKS, _),))


def list_lacks(lines: Sequence[RuleLine]) -> list[str]:
    """Return the columns that are missing for a judgement, by name."""
    return sorted({part for line in lines for row in line.then for part in str(row.missing).split(";") if part})


def _build_changes(touched: Sequence[RuleLine], case: ReportCase, _: Translator) -> Table:
    """Return what each rule's findings become, a few words for each finding; sources stand in the tables of rules."""
    rows = []
    for line in touched:
        told: list[str] = []
        most = MOST_FINDINGS if line.rule.severity in ("block", "warn") else 1
        for sign, found in (
            (_("✗ newly broken"), line.new),
            (_("▲ broken by more"), line.worse),
            (_("▼ broken by less"), line.eased),
        ):
            told += [
                _("{sign}: {finding}", sign=sign, finding=tell_row(row, case, _)) for row in order_rows(found)[:most]
            ]
            if len(found) > most:
                told.append(_("{sign}: {count} more", sign=sign, count=_.number(len(found) - most)))
        if len(line.cured):
            names = [_tell_subject(row, case, _) for row in line.cured]
            told.append(_("✓ no longer broken: {names}", names=join_first(names, MOST_NAMED, _)))
        rows.append((name_rule(line.rule, _), _.say(SEVERITY_NAMES[line.rule.severity]), "\n".join(told)))
    headings = (_("Rule"), _("Force"), _("What changes"))
    return Table(headings, tuple(rows), (0.24, 0.1, 0.66))


def join_first(names: Sequence[str], most: int, _: Translator) -> str:
    """Return the first of a list in words, and how many more there are."""
    if len(names) <= most:
        return _.join(names)
    return _("{names} and {count} others", names=_.join(names[:most]), count=_.number(len(names) - most))


def name_rule(rule: Rule, _: Translator) -> str:
    """Return id and name of a rule."""
    return f"{rule.id} {rule.name_zh if _.language == 'zh' else rule.name_en}"


def _build_rule_table(lines: Sequence[RuleLine], case: ReportCase, _: Translator) -> Table:
    rules = case.consultation.rules
    rows = tuple(
        (
            cite(line.rule, rules, _),
            _.say(SEVERITY_NAMES[line.rule.severity]),
            _say_state(line.today, _),
            _say_then(line, _),
            _tell_met(line, case, _),
        )
        for line in lines
    )
    headings = (_("Rule, source and clause"), _("Force"), _("Today"), _("Proposal"), _("How it is met"))
    return Table(headings, rows, widths=(0.29, 0.1, 0.12, 0.13, 0.36))


def _say_state(rows: Rows, _: Translator) -> str:
    """Return how a rule is kept on one side, in a few words."""
    if not rows:
        return _("nothing to judge")
    counts = Counter(row.status for row in rows)
    failed, passed, unknown = (counts[name] for name in ("failed", "passed", "unknown"))
    if not failed + passed:
        return _("? not known") if unknown else _("document needed")
    if failed + passed + unknown == 1:
        return _("✗ broken") if failed else _("✓ kept")
    told = _("✓ kept")
    if failed:
        told = _("✗ {failed} of {judged} break it", failed=_.number(failed), judged=_.number(failed + passed))
    elif unknown:
        told = _("✓ kept by {count}", count=_.number(passed))
    return told + "\n" + _("? {count} not known", count=_.number(unknown)) if unknown else told


def _say_then(line: RuleLine, _: Translator) -> str:
    parts = [_say_state(line.then, _)]
    if len(line.new):
        parts.append(_("{count} new", count=_.number(len(line.new))))
    if len(line.cured):
        parts.append(_("{count} mended", count=_.number(len(line.cured))))
    return "\n".join(parts)


def _tell_met(line: RuleLine, case: ReportCase, _: Translator) -> str:
    """Return the finding that tells most: the worst of what is new, else the worst of all, else how it is kept."""
    failed = tuple(row for row in line.then if row.status == "failed")
    for rows in (line.new, line.worse, failed):
        if rows:
            row = order_rows(rows)[0]
            return join_sentences((tell_row(row, case, _), tell_row_cure(row, case, _)), _)
    if line.state == "evidence":
        return _("To be shown by a document.")
    decided = [row for row in line.then if row.status == line.state]
    if line.state == "passed" and len(line.then) > 1:
        return _("All {count} that it speaks about keep it.", count=_.number(len(decided)))
    return tell_row(decided[0], case, _) if decided else ""


def build_rule_annexes(case: ReportCase, lines: Sequence[RuleLine], _: Translator) -> Iterator[Block]:
    """Yield annex A, every rule with its clause and how it is met, and annex B, what was not checked and why."""
    yield PageBreak()
    yield Heading(_("Annex A. The other rules that were checked"), 1)
    yield Paragraph(
        _(
            "Broken rules come first, then those that cannot be told, then those that are kept. “Not"
            " verified”: nobody of this project has read the source. “Original text not read”: it is known from the"
            " press or from another text. Each single finding stands in the workbook."
        ),
        "small",
    )
    rest = [line for line in lines if line.rule.severity != "block"]
    measured = [line for line in rest if line.state != "evidence"]
    if measured:
        yield _build_rule_table(measured, case, _)
    asked = tuple((cite(line.rule, case.consultation.rules, _),) for line in rest if line.state == "evidence")
    if asked:
        yield Heading(_("Rules that wait for a document"), 2)
        yield Table((_("Rule, source and clause"),), asked, (1.0,))
    missing = case.consultation.not_checked
    if missing.empty:
        return
    yield Heading(_("Annex B. Rules that were not checked"), 1)
    told: dict[str, list[str]] = {}
    for row in iterate_rows(missing):
        told.setdefault(_.say(row.reason), []).append(str(row.rule_id))
    rows = tuple((reason, _.number(len(ids)), _.join(ids)) for reason, ids in told.items())
    yield Table(
        (_("Why not"), _("Rules"), _("Their numbers")), rows, widths=(0.4, 0.1, 0.5), aligns=("left", "right", "left")
    )
