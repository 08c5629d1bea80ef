"""The closure tests item by item: what stands against closing a school, per school, with what is still to be done."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geodata.messages import Message
from planning.check_words import tell_cure
from planning.closures import ClosureAnswer, Finding
from planning.flag_case import iterate_rows
from planning.procedure import STEPS, StepRecord
from planning.rule_checks import RULE_CHECKS
from planning.rules import Rule
from reports.check_tables import SEVERITY_NAMES
from reports.consultation_checks import find_hidden
from reports.consultation_closures import name_test_status
from reports.consultation_report_case import ReportCase, Said, hide_small, join_sentences, say_small
from reports.consultation_report_rules import name_rule
from reports.consultation_words import say_count
from reports.document import Block, Bullets, Heading, Paragraph, Table
from reports.language import Translator
from reports.legend import name_stage_short

BLOCKERS_KEY = "closure_blockers"
"""Key of the grounds against a closure that people answer: parents, the hearing."""
WAY_KEY = "max_no_way_pupils"
_SIGNS = {"passed": "✓", "failed": "×", "unknown": "?", "evidence": "□"}


@dataclass(frozen=True)
class ClosureTest:
    """One ground against one closure. ``status``: passed, failed, unknown or evidence; texts as the reader's."""

    rule: Rule
    status: str
    found: tuple[str, ...]
    needed: str


@dataclass(frozen=True, eq=False)
class TestedClosure:
    """One stage of one school that goes, with its tests in the order of the rulebook, and further findings.

    ``leavers``: children who leave, published; NaN hidden or unknown.
    """

    answer: ClosureAnswer
    name: str
    leavers: float
    leavers_hidden: bool
    goes: str
    tests: tuple[ClosureTest, ...]
    others: tuple[str, ...]

    @property
    def open_tests(self) -> tuple[ClosureTest, ...]:
        """Tests that are not passed."""
        return tuple(test for test in self.tests if test.status != "passed")


def list_test_rules(case: ReportCase) -> tuple[Rule, ...]:
    """Return the grounds against a closure that the rulebook knows and that forbid it, in its order."""
    found = []
    for rule in case.consultation.rules.rules:
        check = RULE_CHECKS.get(rule.key)
        measured = check is not None and check.needs_closure and rule.severity == "block"
        if rule.enabled and (measured or rule.key == BLOCKERS_KEY):
            found.append(rule)
    return tuple(found)


def build_closure_tests(case: ReportCase, _: Translator) -> tuple[TestedClosure, ...]:
    """Return every closure of the proposal with its tests."""
    rules = list_test_rules(case)
    return tuple(_test(answer, rules, case, _) for answer in case.consultation.proposal.closures)


def _test(answer: ClosureAnswer, rules: Sequence[Rule], case: ReportCase, _: Translator) -> TestedClosure:
    leavers, hidden, goes = _count_leavers(answer, case, _)
    teller = _Teller(answer, case, leavers, hidden)
    cited = {rule.id for rule in rules}
    others = [item for item in answer.findings if item.rule_id not in cited]
    return TestedClosure(
        answer=answer,
        name=case.names.get(answer.school_id) or answer.name,
        leavers=leavers,
        leavers_hidden=hidden,
        goes=goes,
        tests=tuple(_judge(rule, teller, _) for rule in rules if _speaks(rule, answer.stage)),
        others=tuple(teller.tell_weighed(item, _) for item in others),
    )


def _speaks(rule: Rule, stage: str) -> bool:
    return not rule.value or bool({"all", stage} & set(rule.value))


def _count_leavers(answer: ClosureAnswer, case: ReportCase, _: Translator) -> tuple[float, bool, str]:
    """Return how many children leave as published, whether that is hidden, and where they go in words."""
    flows = case.consultation.publication.flows
    rows = flows[(flows["before_id"] == answer.school_id) & (flows["stage"] == answer.stage)]
    hidden = bool(rows["pupils_hidden"].any())
    goes = [
        _("{school}: {count}", school=_name_after(row, case, _), count=_say_flow(row, case, _))
        for row in iterate_rows(rows.sort_values("pupils", ascending=False, kind="stable"))
    ]
    total = math.nan if hidden else float(rows["pupils"].sum())
    return total, hidden, _("; ").join(goes)


def _name_after(row: Any, case: ReportCase, _: Translator) -> str:
    return case.names.get(str(row.after_id)) or str(row.after_name) or _("no school")


def _say_flow(row: Any, case: ReportCase, _: Translator) -> str:
    return say_count(float(row.pupils), bool(row.pupils_hidden), case.threshold, _)


@dataclass(frozen=True, eq=False)
class _Teller:
    """Tells the findings of one closure with published counts only."""

    answer: ClosureAnswer
    case: ReportCase
    leavers: float
    hidden: bool

    def tell(self, finding: Finding, _: Translator) -> str:
        """Return a finding; numbers of a receiving school are those of the publication."""
        params = dict(finding.message.params)
        receiver = self._find_receiver(params)
        if receiver and ("pupils" in params or "size" in params):
            return _.say(self._publish(finding.message, receiver, _))
        said = hide_small(finding.message, self.case.threshold, _, of=self.leavers, everything=self.hidden)
        return _.say(self._rename(said, receiver))

    def tell_weighed(self, finding: Finding, _: Translator) -> str:
        """Return a finding with its rule and weight in front."""
        weight = _.say(SEVERITY_NAMES[finding.severity])
        if not finding.rule_id:
            return _("{weight}: {text}", weight=weight, text=self.tell(finding, _))
        return _("{rule} ({weight}): {text}", rule=finding.rule_id, weight=weight, text=self.tell(finding, _))

    def _find_receiver(self, params: dict[str, object]) -> str:
        name = str(params.get("school", ""))
        rows = self.answer.receivers
        found = rows.loc[rows["name"].astype(str) == name, "school_id"] if name else rows["school_id"].iloc[:0]
        return str(found.iloc[0]) if len(found) else ""

    def _rename(self, message: Message, school_id: str) -> Message:
        called = self.case.names.get(school_id) if school_id else None
        own = {"school": called, "name": self.case.names.get(self.answer.school_id)}
        params = tuple((key, own.get(key) or value) for key, value in message.params)
        return Message(message.template, params)

    def _publish(self, message: Message, school_id: str, _: Translator) -> Message:
        count = self.case.count_after(school_id, self.answer.stage)
        params = dict(message.params)
        closed = find_hidden(self.case.consultation.publication).get(("school", self.answer.stage), frozenset())
        if count.hidden or school_id in closed:  # the finding may count by the model where the roll is shown
            told: dict[str, object] = {
                key: Said(_("some")) if key in ("pupils", "short", "size") else value for key, value in params.items()
            }
        else:
            told = dict(params)
            was = float(str(params.get("pupils", math.nan)))
            if math.isfinite(count.pupils) and abs(count.pupils - was) <= 1:
                told["pupils"] = count.pupils
        return self._rename(Message(message.template, tuple(told.items())), school_id)


def _judge(rule: Rule, teller: _Teller, _: Translator) -> ClosureTest:
    if rule.key == BLOCKERS_KEY:
        return _judge_by_document(rule, teller.case, _)
    answer, case = teller.answer, teller.case
    row = _find_row(case.consultation.checks, rule.id, answer)
    found = tuple(teller.tell(item, _) for item in answer.findings if item.rule_id == rule.id)
    if row is None:
        return ClosureTest(rule, "unknown", found or (_("Not checked."),), "")
    needed = "" if teller.hidden else _say_cure(row, teller, _)
    if rule.key == WAY_KEY:
        found = tuple(part for part in (*found, _say_seats(teller, _)) if part)
    return ClosureTest(rule, str(row.status), found, needed if row.status != "passed" else "")


def _say_cure(row: Any, teller: _Teller, _: Translator) -> str:
    cure = tell_cure(row, teller.case.consultation.rules)
    return "" if cure is None else _.say(hide_small(cure, teller.case.threshold, _, of=teller.leavers))


def _find_row(checks: pd.DataFrame, rule_id: str, answer: ClosureAnswer) -> Any:
    rows = checks[
        (checks["rule_id"] == rule_id)
        & (checks["subject_id"].astype(str) == answer.school_id)
        & (checks["stage"] == answer.stage)
    ]
    return next(iterate_rows(rows), None)


def _say_seats(teller: _Teller, _: Translator) -> str:
    """Return how many seats the way to the other schools needs, and how many the bus lines of the plan have."""
    answer, threshold = teller.answer, teller.case.threshold
    if teller.hidden or not (answer.bus_seats_needed > 0 and answer.bus_seats > 0):
        return ""
    needed = say_small(answer.bus_seats_needed, threshold, _, of=teller.leavers)
    return _(
        "Seats needed: {needed}; the bus lines of the plan have {seats}.",
        needed=needed or _.number(math.ceil(answer.bus_seats_needed - 1e-6)),
        seats=_.number(answer.bus_seats),
    )


def _judge_by_document(rule: Rule, case: ReportCase, _: Translator) -> ClosureTest:
    """Return what documents say: the evidence of the study, else the record of the hearing."""
    rows = case.consultation.checks
    row = next(iterate_rows(rows[rows["rule_id"] == rule.id]), None)
    status = "evidence" if row is None else str(row.status)
    if row is not None and status in ("passed", "failed"):
        found = (
            _("By {document}.", document=str(row.document)) if row.document else _("Reported, without a document."),
        )
        return ClosureTest(rule, status, found, "")
    record = _find_record(rule, case)
    if record is not None and record.done:
        files = _.join(item.name for item in record.evidence)
        day = _.date(record.date) if record.date else ""
        found = (_("Held on {day}; see {files}. {note}", day=day, files=files, note=record.note).strip(),)
        return ClosureTest(rule, "evidence", found, _("Enter the result in the table of evidence."))
    return ClosureTest(rule, "evidence", (), "")


def _find_record(rule: Rule, case: ReportCase) -> StepRecord | None:
    steps = {step.step_id for step in STEPS.values() if rule.id in step.rule_ids}
    return next((record for record in case.consultation.procedure.records if record.step_id in steps), None)


def build_closures_part(case: ReportCase, tested: Sequence[TestedClosure], _: Translator) -> Iterator[Block]:
    """Yield the tests of all closures: how each is judged, the results side by side, then what was found."""
    rules = list_test_rules(case)
    if not rules:
        yield Paragraph(_("The rulebook names no tests that a closure must pass."))
    else:
        yield _build_grounds(rules, _)
        yield _build_matrix(rules, tested, case, _)
        if any(test.status == "evidence" and not test.found for item in tested for test in item.tests):
            yield Paragraph(
                _(
                    "□ No document says yet what parents and the hearing answered. Ask them before the decision, and"
                    " attach the record."
                ),
                "warn",
            )
    proposal, baseline = case.consultation.proposal.scenario, case.consultation.baseline.scenario
    if proposal.enrolment != baseline.enrolment and tested:
        yield Paragraph(
            _(
                "What follows is judged against the same method without the steps of the proposal; who leaves is"
                " counted against today."
            ),
            "small",
        )
    yield from _list_details(tested, _)


def _build_grounds(rules: Sequence[Rule], _: Translator) -> Table:
    """Return every ground, how it is judged here, and where it stands."""
    chinese = _.language == "zh"
    rows = []
    for rule in rules:
        note = rule.note_zh if chinese else rule.note
        if not note:
            note = _("Answered by people, with a document.")
        clause = (rule.clause_zh if chinese else "") or rule.clause
        source = (rule.source_zh if chinese else "") or rule.source
        rows.append(
            (name_rule(rule, _), note, _("{source}, {clause}", source=source, clause=clause) if clause else source)
        )
    headings = (_("Ground"), _("How it is judged here"), _("Source"))
    caption = _("A school must not be closed or merged while one of these grounds stands against it:")
    return Table(headings, tuple(rows), (0.27, 0.45, 0.28), caption=caption)


def _build_matrix(rules: Sequence[Rule], tested: Sequence[TestedClosure], case: ReportCase, _: Translator) -> Table:
    rows = []
    several = len(case.consultation.publication.stages) > 1
    for item in tested:
        marks = {test.rule.id: name_test_status(test.status, _) for test in item.tests}
        leave = say_count(item.leavers, item.leavers_hidden, case.threshold, _)
        stage = f"\n{name_stage_short(item.answer.stage, _)}" if several else ""
        rows.append((f"{item.name}{stage}", leave, item.goes, *(marks.get(rule.id, "–") for rule in rules)))
    headings = (_("School"), _("Leave"), _("They go to"), *(rule.id for rule in rules))
    width = 0.54 / max(1, len(rules))
    return Table(headings, tuple(rows), widths=(0.17, 0.08, 0.21, *([width] * len(rules))))


def _list_details(tested: Sequence[TestedClosure], _: Translator) -> Iterator[Block]:
    for item in tested:
        lines = []
        for test in item.tests:
            sign = _("{sign} {rule}", sign=_SIGNS[test.status], rule=test.rule.id)
            if test.found:
                told = join_sentences((*test.found, test.needed), _)
                lines.append(_("{test}: {finding}", test=sign, finding=told))
        if lines or item.others:
            yield Heading(item.name, 3)
            yield Bullets((*lines, *item.others))
