"""The tests that forbid to force a closure, item by item for each school: against it or not, unknown, to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from planning.flag_case import iterate_rows
from planning.rules import Rule
from reports.consultation_words import say_school
from reports.document import Block, Paragraph, Table
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
    rows = tuple(_tell_school([test for test in tests if (test.school_id, test.stage) == key], _) for key in schools)
    lead = _("A closure must not be forced while one of these tests stands against it. The result for each school:")
    headings = (
        *(_("School"), _("× Stands against it"), _("□ To be shown by a document, or not known")),
        _("✓ Does not stand against it"),
    )
    return [Paragraph(lead), Table(headings, rows, widths=(0.22, 0.28, 0.24, 0.26))]


def _tell_school(tests: list[ClosureTest], _: Translator) -> tuple[str, ...]:
    """Return the row of one school: its name, and its tests by result, one below the other."""
    open_tests = [test for test in tests if test.status not in ("passed", "failed")]
    return (
        tests[0].school,
        _list_tests([test for test in tests if test.status == "failed"], _, details=True),
        _list_tests(open_tests, _),
        _list_tests([test for test in tests if test.status == "passed"], _),
    )


def _list_tests(tests: list[ClosureTest], _: Translator, *, details: bool = False) -> str:
    told = []
    for test in tests:
        name = test.rule.name_zh if _.language == "zh" else test.rule.name_en
        text = _("{test}: {detail}", test=name, detail=test.detail) if details and test.detail else name
        told.append(f"· {text}")
    return "\n".join(told) or MISSING_NUMBER
