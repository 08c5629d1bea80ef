"""What can go wrong with the proposal, from what was found: broken rules, closures, full schools, long ways, gaps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planning.actions import Action
from planning.flag_case import iterate_rows
from planning.scenario import name_stage
from reports.check_tables import say_missing
from reports.consultation_report_case import ReportCase, tell_community, tell_school
from reports.consultation_report_closures import TestedClosure
from reports.consultation_report_plan import list_late_steps
from reports.consultation_report_rules import (
    RuleLine,
    join_first,
    list_lacks,
    name_rule,
    order_rows,
    tell_row,
    tell_row_cure,
)
from reports.consultation_words import say_minutes
from reports.document import Block, Paragraph, Table
from reports.language import Translator

MOST_NAMED = 4
FULL_SHARE = 1.0
LONG_WAY_RISE_MIN = 5.0


@dataclass(frozen=True)
class Risk:
    """One thing that can go wrong: how grave (0 forbids, 1 grave, 2 to be known), what, why, and what helps.

    ``brief``: what the summary says in the place of a long ``why``.
    """

    grade: int
    title: str
    why: str
    cure: str
    brief: str = ""


def list_risks(
    case: ReportCase, lines: Sequence[RuleLine], tested: Sequence[TestedClosure], _: Translator
) -> tuple[Risk, ...]:
    """Return the risks, the gravest first; each follows from a finding of this report."""
    found = [
        *_find_closures(tested, _),
        *_find_rules(case, lines, _),
        *_find_lost(case, _),
        *_find_late(case, _),
        *_find_full(case, _),
        *_find_ways(case, _),
        *_find_forecast(case, _),
        *_find_gaps(case, lines, _),
        *_find_method(case, _),
    ]
    return tuple(sorted(found, key=lambda risk: risk.grade))


def build_risks_part(risks: Sequence[Risk], _: Translator) -> Iterator[Block]:
    """Yield the risks as a table."""
    if not risks:
        yield Paragraph(_("The program found none. That is no proof that there is none."))
        return
    grades = {0: _("forbids"), 1: _("grave"), 2: _("to be known")}
    rows = tuple((grades[risk.grade], risk.title, risk.why, risk.cure) for risk in risks)
    yield Table((_("Gravity"), _("Risk"), _("Why"), _("What helps")), rows, (0.11, 0.24, 0.38, 0.27))


def _find_closures(tested: Sequence[TestedClosure], _: Translator) -> Iterator[Risk]:
    for item in tested:
        failed = [test for test in item.tests if test.status == "failed"]
        if failed:
            yield Risk(
                0,
                _("The closure test is not met: {school}", school=item.name),
                " ".join(text for test in failed for text in test.found),
                " ".join(test.needed for test in failed if test.needed) or _("Mend this first, or keep the school."),
            )
    asked = [test for item in tested for test in item.tests if test.status == "evidence"]
    if asked:
        yield Risk(
            1,
            _("What parents say is not known"),
            _("No document shows what parents and the hearing answered; a majority against it forbids a closure."),
            _("Ask the parents of each school and hold the hearing before the decision."),
        )


def _find_rules(case: ReportCase, lines: Sequence[RuleLine], _: Translator) -> Iterator[Risk]:
    """Yield rules that the proposal breaks anew or more, without those that the closure tests tell already.

    One risk for each rule that forbids; one for all that advise.
    """
    touched = [line for line in lines if (line.new or line.worse) and {row.detail for row in line.then} != {"closure"}]
    for line in touched:
        if line.rule.severity == "block":
            row = order_rows(line.new or line.worse)[0]
            count = len(line.new) + len(line.worse)
            more = _(" ({count} cases, this is the worst)", count=_.number(count)) if count > 1 else ""
            yield Risk(
                0,
                _("A rule that forbids is broken, or by more: {rule}", rule=name_rule(line.rule, _)),
                tell_row(row, case, _) + more,
                tell_row_cure(row, case, _) or _("Change the proposal there, or state why it is accepted."),
            )
    advising = [line for line in touched if line.rule.severity == "warn"]
    if advising:
        ids = [line.rule.id for line in advising]
        cases = [len(line.new) + len(line.worse) for line in advising]
        told = [
            _("{rule} ({count})", rule=line.rule.id, count=_.number(count))
            for line, count in zip(advising, cases, strict=True)
        ]
        yield Risk(
            1,
            _("Rules that advise are newly broken, or by more"),
            _("Cases by rule: {rules}.", rules=_.join(told)),
            _("The part “Rules” names them; state for each why it is accepted, or mend it."),
            _("{count} cases, rules {rules}.", count=_.number(sum(cases)), rules=join_first(ids, MOST_NAMED, _))
            if len(ids) > MOST_NAMED
            else "",
        )


def _find_lost(case: ReportCase, _: Translator) -> Iterator[Risk]:
    totals = case.consultation.publication.totals
    for row in iterate_rows(totals):
        hidden = bool(getattr(row, "lost_hidden", False))
        if not (hidden or row.lost_pupils > 0):
            continue
        stage = _.say(name_stage(str(row.stage)))
        some = _("Some children reach a school today and none in the proposal ({stage}).", stage=stage)
        yield Risk(
            0,
            _("Children without a school"),
            some
            if hidden
            else _(
                "{count} children reach a school today and none in the proposal ({stage}).",
                count=_.number(row.lost_pupils),
                stage=stage,
            ),
            _("Keep their school, run a bus, or open another."),
        )


def _find_late(case: ReportCase, _: Translator) -> Iterator[Risk]:
    late = list_late_steps(case, _)
    if late:
        yield Risk(
            0,
            _("A school closes before what replaces it is there"),
            _("; ").join(f"{item.need} ({item.need_year}) > {item.closure} ({item.closure_year})" for item in late),
            _("Build first, close afterwards: put the closure after it."),
        )


def _find_full(case: ReportCase, _: Translator) -> Iterator[Risk]:
    """Yield schools that take more children in the proposal and are above their places."""
    rows = case.consultation.publication.schools
    told = []
    for row in iterate_rows(rows[(rows["status"] != "gone") & rows["changed"].astype(bool)]):
        count = case.count_after(str(row.school_id), str(row.stage))
        grows = not float(row.pupils_after) <= float(row.pupils_before)
        if count.hidden or not (row.places_after > 0) or not grows:
            continue
        share = count.pupils / float(row.places_after)
        if share > FULL_SHARE + 5e-3:
            told.append((share, tell_school(str(row.name), str(row.school_id), _)))
    if told:
        told.sort(reverse=True)
        names = _.join(f"{name} ({_.percent(share)})" for share, name in told[:MOST_NAMED])
        yield Risk(
            1,
            _("Schools above their places take more children"),
            _("{count} schools: {names}.", count=_.number(len(told)), names=names),
            _("Add places first, or give part of their zone to a school with room."),
        )


def _find_ways(case: ReportCase, _: Translator) -> Iterator[Risk]:
    units = case.consultation.publication.units
    longer = units[units["change_min"] >= LONG_WAY_RISE_MIN].sort_values("change_min", ascending=False, kind="stable")
    if longer.empty:
        return
    names = _("; ").join(
        _(
            "{name} {before} → {after}",
            name=tell_community(str(row.name), str(row.unit_id), _),
            before=say_minutes(row.min_before, _),
            after=say_minutes(row.min_after, _),
        )
        for row in iterate_rows(longer.head(MOST_NAMED))
    )
    yield Risk(
        1,
        _("Much longer ways"),
        _(
            "Communities whose way becomes {minutes} minutes or more longer: {count}, first {names}.",
            count=_.number(len(longer)),
            minutes=_.number(LONG_WAY_RISE_MIN),
            names=names,
        ),
        _("Walk and drive these ways before the decision; bus lines, or another school."),
    )


def _find_forecast(case: ReportCase, _: Translator) -> Iterator[Risk]:
    scenario = case.consultation.proposal.scenario
    if scenario.variant:
        yield Risk(
            2,
            _("The forecast may be wrong"),
            _("Children are those that one variant expects in {year}.", year=str(scenario.year)),
            _("Compute the other variants, too (command “judge” with --years)."),
        )
        return
    yield Risk(
        2,
        _("Numbers of children will change"),
        _("The plan counts today's children. Fewer births empty schools, new housing fills them."),
        _("Judge the plan in later years and variants before the decision (command “judge” with --years)."),
    )


def _find_gaps(case: ReportCase, lines: Sequence[RuleLine], _: Translator) -> Iterator[Risk]:
    lacks = list_lacks(lines)
    unknown = [line.rule.id for line in lines if line.state == "unknown"]
    if unknown and lacks:
        missing = join_first([say_missing(name, _) for name in lacks], MOST_NAMED, _)
        yield Risk(
            1 if any(line.state == "unknown" and line.rule.severity == "block" for line in lines) else 2,
            _("Rules that cannot be judged for want of data"),
            _("{rules}. Missing: {missing}.", rules=_.join(unknown), missing=missing),
            _("Fill in the data and export again."),
        )
    grave = [issue for issue in case.consultation.study.issues if issue.severity != "note"]
    if grave:
        yield Risk(
            2,
            _("Doubts about the data"),
            _("{count} warnings of the data checks; see the part on data.", count=_.number(len(grave))),
            _("Mend them and export again."),
        )


def _find_method(case: ReportCase, _: Translator) -> Iterator[Risk]:
    proposal = case.consultation.proposal
    if proposal.record.travel.get("method") == "straight line":
        yield Risk(
            1,
            _("Ways are estimated"),
            _(
                "No roads are known: ways are straight lines times {factor}. Mountains and rivers are not seen.",
                factor=_.number(float(str(proposal.record.travel.get("detour_factor", math.nan))), digits=2),
            ),
            _("Add the roads to the study and compute again."),
        )
    for note in case.list_notes(_, proposal=True):
        yield Risk(
            1,
            _("Today and the proposal are not computed alike"),
            _.say(note),
            _("Choose a baseline that is computed as the proposal is."),
        )
    yield from _find_hand(proposal.scenario.all_actions, proposal.certificates, _)


def _find_hand(actions: Sequence[Action], certificates: Sequence[object], _: Translator) -> Iterator[Risk]:
    if actions and not certificates:
        yield Risk(
            2,
            _("A better plan may exist"),
            _("The plan was made by hand and has no certificate."),
            _("Have alternatives computed, and compare them."),
        )
