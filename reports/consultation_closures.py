"""The tests that forbid to force a closure, item by item for each school: against it or not, unknown, to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from planning.flag_case import iterate_rows
from planning.rules import Rule
from reports.consultation_words import say_school
from reports.document import Align, Block, Bullets, Paragraph, Table
from reports.language import MISSING_NUMBER

if TYPE_CHECKING:
    from reports.consultation_case import Consultation
    from reports.language import Translator

TestStatus = Literal["passed", "failed", "unknown", "evidence"]


@dataclass(frozen=True)
class ClosureTest:
    """One test of one school and stage. ``detail``: what is missing, in words; never a count of pupils."""

    school_id: str
    school: str
    stage: str
    rule: Rule
    status: TestStatus
    detail: str


def list_closure_tests(consultation: Consultation, _: Translator) -> tuple[ClosureTest, ...]:
    """Return the tests of every school that closes, merges or is cut down, by school, then in the rulebook's order.

    Tests that the data answer have a row per school in ``checks``. Those that people answer (parents, hearing) are
    asked of the county once, and hold for each school.
    """
    checks = consultation.checks
    measured = checks[(checks["detail"] == "closure") & (checks["severity"] == "block")]
    asked = _find_asked(consultation)
    schools = {(str(row.school_id), row.stage): str(row.name) for row in consultation.proposal.closures}
    found: list[ClosureTest] = []
    for (school_id, stage), name in schools.items():
        here = measured[(measured["subject_id"] == school_id) & (measured["stage"] == stage)]
        for row in iterate_rows(pd.concat([here, asked])):
            rule = consultation.rules.by_id(str(row.rule_id))
            found.append(
                ClosureTest(school_id, say_school(name, school_id, _), stage, rule, row.status, _tell_detail(row, _))
            )
    return tuple(found)


def _find_asked(consultation: Consultation) -> pd.DataFrame:
    """Return the checks of the county that say what parents and hearing think of closures."""
    checks = consultation.checks
    keys = {rule.id for rule in consultation.rules.rules if rule.key == "closure_blockers"}
    return checks[checks["rule_id"].isin(keys)]


def _tell_detail(row: Any, _: Translator) -> str:
    """Return what a test still needs, without counts: those of a closed school are small."""
    if row.status == "evidence":
        return _("To be shown by a document: there is none yet.")
    if row.document:
        return _("By {document}.", document=str(row.document))
    if row.status == "unknown":
        return _("Data are missing.")
    if row.status != "failed":
        return ""
    cures = {
        "bus": _("Pupils must ride: the plan has no school bus, or too few seats, for them."),
        "boarding": _("Pupils must board: the receiving school has too few beds."),
        "places": _("Places are missing at the receiving school."),
        "classes": _("Classes are missing at the receiving school."),
    }
    return cures.get(str(row.cure), "")


def name_test_status(status: str, _: Translator) -> str:
    """Return whether a test stands against a closure, told by a word and a sign, not by a colour."""
    names = {
        "passed": _("✓ not against it"),
        "failed": _("× against it"),
        "unknown": _("? not known"),
        "evidence": _("□ to be shown"),
    }
    return names.get(status, status)


def build_closure_blocks(consultation: Consultation, _: Translator) -> list[Block]:
    """Return one row per school with its tests; nothing where no school closes, or the rulebook has no such test."""
    tests = list_closure_tests(consultation, _)
    if not tests:
        return []
    schools = dict.fromkeys((test.school_id, test.stage) for test in tests)
    rules = {test.rule.id: test.rule for test in tests}
    rows = tuple(
        _mark_school([test for test in tests if (test.school_id, test.stage) == key], rules, _) for key in schools
    )
    marks: list[Align] = ["center"] * len(rules)
    table = Table(
        headings=(_("School"), *(_("Test {number}", number=_.number(place + 1)) for place in range(len(rules)))),
        rows=rows,
        widths=(0.3, *(0.7 / len(rules) for _rule in rules)),
        aligns=("left", *marks),
        note=_(
            "×: stands against a closure; □: to be shown by a document, or not known; ✓: does not stand against it."
        ),
    )
    lead = _("A closure must not be forced while one of these tests stands against it:")
    against = tuple(_tell_against(test, _) for test in tests if test.status == "failed")
    blocks: list[Block] = [
        Paragraph(lead),
        Bullets(tuple(_name_rule(rule, _) for rule in rules.values()), numbered=True),
        Paragraph(_("The result for each school:")),
        table,
    ]
    return [*blocks, Bullets(against)] if against else blocks


def _name_rule(rule: Rule, _: Translator) -> str:
    return rule.name_zh if _.language == "zh" else rule.name_en


def _mark_school(tests: list[ClosureTest], rules: Mapping[str, Rule], _: Translator) -> tuple[str, ...]:
    """Return the row of one school: its name, and a sign for the worst result of each test."""
    signs = {"failed": "×", "unknown": "□", "evidence": "□", "passed": "✓"}
    found = {rule_id: {test.status for test in tests if test.rule.id == rule_id} for rule_id in rules}
    marks = (
        next((sign for status, sign in signs.items() if status in seen), MISSING_NUMBER) for seen in found.values()
    )
    return (tests[0].school, *marks)


def _tell_against(test: ClosureTest, _: Translator) -> str:
    """Return which test stands against the closure of which school, and why."""
    name = _name_rule(test.rule, _)
    if not test.detail:
        return _("{school}: {what}", school=test.school, what=name)
    return _("{school}: {test}: {detail}", school=test.school, test=name, detail=test.detail)
