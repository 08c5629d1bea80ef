"""The first page of the report: what is proposed, for whom it changes what, what speaks against it, and its state."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from reports.compare_words import say_number
from reports.consultation_checks import round_indicator
from reports.consultation_report_case import ReportCase, join_sentences
from reports.consultation_report_closures import TestedClosure
from reports.consultation_report_options import say_proof_short
from reports.consultation_report_plan import say_cost_total, tell_action
from reports.consultation_report_risks import Risk
from reports.consultation_report_rules import RuleLine, name_rule
from reports.consultation_words import say_count, say_synthetic
from reports.document import Align, Block, Box, Bullets, Facts, Heading, Paragraph, Table
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_stage_short

MOST_ACTIONS = 4
MOST_RISKS = 5
KEY_MEASURES = ("mean_travel_min", "p95_travel_min", "max_travel_min", "schools", "places")


def build_summary(
    case: ReportCase, lines: Sequence[RuleLine], tested: Sequence[TestedClosure], risks: Sequence[Risk], _: Translator
) -> Iterator[Block]:
    """Yield the summary: one page."""
    yield from _list_warnings(case, _)
    yield Paragraph(_say_lead(case, _), "lead")
    notes = [_.say(note) for note in case.list_notes(_, proposal=True)]
    if notes:
        yield Paragraph(join_sentences(notes, _), "warn")
    yield from _list_actions(case, _)
    yield _build_numbers(case, _)
    yield Facts(tuple(_list_verdicts(case, lines, tested, _)))
    grave = [risk for risk in risks if risk.grade < 2 and risk.why not in notes]
    if grave:
        yield Heading(_("What the panel should look at first"), 2)
        told = ((risk.title, risk.brief or risk.why) for risk in grave[:MOST_RISKS])
        yield Bullets(tuple(_("{title}: {why}", title=title, why=why) for title, why in told))


def _list_warnings(case: ReportCase, _: Translator) -> Iterator[Block]:
    synthetic = say_synthetic(case.consultation, _)
    missing = [_.say(step.name) for step in case.consultation.procedure.missing]
    if missing:
        lines = [_("Still missing: {steps}.", steps=_.join(missing)), *([synthetic] if synthetic else [])]
        yield Box(_("Draft for comment: not decided"), tuple(lines), "warn")
    elif synthetic:
        yield Box(synthetic, tone="warn")


def _say_lead(case: ReportCase, _: Translator) -> str:
    totals = case.consultation.publication.totals
    units, changed = int(totals["units"].sum()), int(totals["changed_units"].sum())
    pupils, moved = float(totals["pupils"].sum()), float(totals["moved_pupils"].sum(skipna=False))
    if not math.isfinite(moved):
        return _(
            "The proposal changes the school of {changed} of {units} communities. How many of {pupils} children would"
            " go to another school than today is not shown or not known.",
            changed=_.number(changed),
            units=_.number(units),
            pupils=_.number(pupils),
        )
    return _(
        "The proposal changes the school of {changed} of {units} communities: {moved} of {pupils} children ({share})"
        " would go to another school than today.",
        changed=_.number(changed),
        units=_.number(units),
        moved=_.number(moved),
        pupils=_.number(pupils),
        share=_.percent(moved / pupils if pupils else math.nan, digits=1),
    )


def _list_actions(case: ReportCase, _: Translator) -> Iterator[Block]:
    actions = case.consultation.proposal.scenario.all_actions
    grave = sorted(actions, key=lambda action: action.kind in ("bus", "boarding", "places"))
    told = [tell_action(action, case, _) for action in grave[:MOST_ACTIONS]]
    if len(actions) > MOST_ACTIONS:
        told.append(_("and {count} further steps", count=_.number(len(actions) - MOST_ACTIONS)))
    if told:
        yield Bullets(tuple(told))


def _build_numbers(case: ReportCase, _: Translator) -> Table:
    rows: list[tuple[str, str, str]] = []
    publication = case.consultation.publication
    for stage in publication.stages:
        part = f"{name_stage_short(stage, _)}: " if len(publication.stages) > 1 else ""
        rows += [(part + title, today, then) for title, today, then in _list_numbers(case, stage, _)]
    aligns: tuple[Align, ...] = ("left", "right", "right")
    return Table((_("In numbers"), _("Today"), _("Proposal")), tuple(rows), (0.56, 0.22, 0.22), aligns)


def _list_numbers(case: ReportCase, stage: str, _: Translator) -> Iterator[tuple[str, str, str]]:
    """Yield the numbers of one stage: children from the publication, ways and schools from the comparison."""
    totals = case.consultation.publication.totals
    rows = totals[totals["stage"] == stage]
    for name, title in (
        ("moved_pupils", _("Children who change school")),
        ("worse_pupils", _("Children with a longer way (by half a minute or more)")),
        ("better_pupils", _("Children with a shorter way")),
        ("lost_pupils", _("Children who lose their way to school")),
    ):
        count = float(rows[name].iloc[0]) if len(rows) else math.nan
        flag = name.replace("_pupils", "_hidden")
        hidden = len(rows) > 0 and flag in rows and bool(rows[flag].iloc[0])
        if name != "lost_pupils" or hidden or count > 0:
            yield title, MISSING_NUMBER, say_count(count, hidden, case.threshold, _)
    indicators = case.consultation.comparison.indicators
    titles = {
        "mean_travel_min": _("Mean way to school, one way"),
        "p95_travel_min": _("Way that 95% of children do not exceed"),
        "max_travel_min": _("Longest way of a community"),
        "schools": _("Schools of this stage"),
        "places": _("Places"),
    }
    for name in KEY_MEASURES:
        found = indicators[(indicators["indicator"] == name) & (indicators["stage"] == stage)]
        if len(found):
            unit = str(found["unit"].iloc[0])
            values = [
                round_indicator(case.consultation, name, unit, stage, float(found[f"value_{option}"].iloc[0]))
                for option in (0, 1)
            ]
            if any(map(math.isfinite, values)):
                yield titles[name], say_number(values[0], unit, _), say_number(values[1], unit, _)


def _list_verdicts(
    case: ReportCase, lines: Sequence[RuleLine], tested: Sequence[TestedClosure], _: Translator
) -> Iterator[tuple[str, str]]:
    binding = [line for line in lines if line.rule.severity == "block"]
    new = [name_rule(line.rule, _) for line in binding if line.new or line.worse]
    unknown = [name_rule(line.rule, _) for line in binding if line.state == "unknown"]
    told = _("✓ none is broken, as far as the data tell")
    if new:
        told = _("✗ {rules}: newly broken, or by more than today", rules=_.join(new))
    elif any(line.state == "failed" for line in binding):
        told = _("✓ none is newly broken; what is broken today stays (part “Rules”)")
    if unknown and len(unknown) == len(binding):
        told = _("? none can be judged, for want of data: {rules}", rules=_.join(unknown))
    elif unknown:
        told += _("; for want of data not known: {rules}", rules=_.join(unknown))
    yield _("Rules that forbid"), told
    if tested and not any(item.tests for item in tested):
        yield _("Closure tests"), _("The rulebook names no tests that a closure must pass.")
    elif tested:
        failed = sum(any(test.status == "failed" for test in item.tests) for item in tested)
        asked = any(test.status == "evidence" for item in tested for test in item.tests)
        told = _("✗ not met by {count} of {all}", count=_.number(failed), all=_.number(len(tested)))
        if not failed:
            told = _("✓ no ground found in the data against any of {all}", all=_.number(len(tested)))
        if asked:
            told += _("; what parents and the hearing say is not documented")
        yield _("Closure tests"), told
    yield _("Certificate"), say_proof_short(case, _)
    yield _("Costs"), say_cost_total(case, _) or _("not given")
