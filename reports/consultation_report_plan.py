"""The proposal itself in the report: purpose, what it does, steps by year, costs and the procedure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from planning.action_words import describe_action
from planning.actions import Action, AddBoarding, AddBusLine, ChangePlaces, ChangeStages, OpenSchool
from planning.procedure import STEPS, Step, StepRecord
from reports.consultation_report_case import ReportCase
from reports.document import Align, Block, Box, Bullets, Paragraph, Table
from reports.forecast_words import say_school_year
from reports.language import MISSING_NUMBER, Translator
from reports.scenario_words import list_in_force, tell_problem

CLOSING_KINDS = ("close", "merge", "teaching_point")


@dataclass(frozen=True)
class LateStep:
    """Something that a closure needs and that comes after it: what is needed, and for which school."""

    closure: str
    need: str
    closure_year: int
    need_year: int


def build_purpose_part(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield why the proposal is made, in the words of the bureau, or space for them."""
    purpose = case.consultation.options.purpose.strip()
    if purpose:
        yield from (Paragraph(part) for part in purpose.split("\n") if part.strip())
    else:
        yield Paragraph(
            _("The bureau has not stated the purpose yet. A panel cannot judge a proposal without it."), "warn"
        )


def build_actions_part(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield what the proposal does, numbered, with the planner's reasons; then doubts about single actions."""
    outcome = case.consultation.proposal
    if not outcome.scenario.all_actions:
        yield Paragraph(_("No school opens, closes or changes: only the catchments are drawn anew."))
    else:
        yield Bullets(tuple(_tell_actions(case, _)), numbered=True)
    problems = [tell_problem(problem, case.names, _) for problem in outcome.action_problems]
    if problems:
        yield Box(_("Doubts of the program about these steps"), tuple(problems), "warn")


def _tell_actions(case: ReportCase, _: Translator) -> Iterator[str]:
    held = list_in_force(case.consultation.proposal)
    for number, action in enumerate(case.consultation.proposal.scenario.all_actions, start=1):
        told = tell_action(action, case, _)
        if action.year is not None:
            told += _(" (from {year})", year=str(action.year))
        if number not in held:
            told += _(" (not yet in force in the year that was computed)")
        yield f"{told} — {action.comment}" if action.comment else told


def tell_action(action: Action, case: ReportCase, _: Translator) -> str:
    """Return what an action does, with the names that the documents use."""
    return _.say(describe_action(action, case.names))


def build_stages_part(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield the steps by school year, and whether everything is there before the school that needs it closes."""
    actions = case.consultation.proposal.scenario.all_actions
    if not actions:
        yield Paragraph(
            _("Nothing is built or closed. The new catchments hold from the first enrolment after the decision.")
        )
        return
    years: dict[int | None, list[str]] = defaultdict(list)
    for number, action in enumerate(actions, start=1):
        years[action.year].append(_("{number}. {what}", number=_.number(number), what=tell_action(action, case, _)))
    rows = tuple(
        (_say_year(year, _), "\n".join(years[year]))
        for year in sorted(years, key=lambda year: (year is not None, year or 0))
    )
    yield Table((_("School year"), _("Steps, with their numbers")), rows, (0.2, 0.8))
    late = list_late_steps(case, _)
    if late:
        yield Box(_("Build first, close afterwards: not kept"), tuple(_say_late(item, _) for item in late), "bad")
    elif any(action.kind in CLOSING_KINDS for action in actions):
        if any(action.year is None for action in actions):
            yield Paragraph(
                _("Not every step has a year, so whether all is built before a school closes cannot be seen."), "warn"
            )
        else:
            yield Paragraph(
                _(
                    "Build first, close afterwards: no bus line, bed, place or new school that takes children of a"
                    " closing school comes later than the closure."
                ),
                "good",
            )


def _say_year(year: int | None, _: Translator) -> str:
    if year is None:
        return _("no year given")
    return say_school_year(year, _)


def _say_late(item: LateStep, _: Translator) -> str:
    return _(
        "“{closure}” is planned for {closure_year}, but “{need}” only for {need_year}.",
        closure=item.closure,
        closure_year=str(item.closure_year),
        need=item.need,
        need_year=str(item.need_year),
    )


def list_late_steps(case: ReportCase, _: Translator) -> tuple[LateStep, ...]:
    """Return what takes children of a closing school and comes in a later year than its closure."""
    proposal = case.consultation.proposal
    actions = proposal.scenario.all_actions
    found: list[LateStep] = []
    for answer in proposal.closures:
        closure = actions[answer.number - 1]
        takers = {str(key) for key in answer.receivers["school_id"]}
        for number, action in enumerate(actions, start=1):
            if closure.year is None or action.year is None or action.year <= closure.year:
                continue
            if _builds(number, action, case) and str(getattr(action, "school_id", "")) in takers:
                told = (tell_action(closure, case, _), tell_action(action, case, _))
                found.append(LateStep(*told, closure.year, action.year))
    return tuple(dict.fromkeys(found))


def _builds(number: int, action: Action, case: ReportCase) -> bool:
    """Tell whether an action gives room, beds or a ride."""
    if isinstance(action, ChangePlaces):
        changes = case.consultation.proposal.changes
        rows = changes[changes["number"] == number]
        grown = (rows["places_after"] > rows["places_before"]) | (rows["classes_after"] > rows["classes_before"])
        asked = any((part or 0) > 0 for part in (action.add_places, action.add_classes))
        return bool(grown.any()) or (rows.empty and asked)
    if isinstance(action, ChangeStages):
        return bool(action.add)
    return isinstance(action, OpenSchool | AddBoarding | AddBusLine)


def build_cost_part(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield what the plan costs as the bureau gives it; else that nothing was given, and what has to be priced."""
    costs = sorted(case.consultation.options.costs, key=lambda item: (item.school_year, item.name))
    if costs:
        rows = tuple(
            (
                _say_year(item.school_year, _),
                item.name,
                _say_amount(item.amount, item.unit, _),
                str(item.price_year) if item.price_year else MISSING_NUMBER,
                item.source or _("not given"),
            )
            for item in costs
        )
        headings = (_("School year"), _("For what"), _("Amount"), _("Prices of"), _("Source"))
        aligns: tuple[Align, ...] = ("left", "left", "right", "left", "left")
        yield Table(headings, rows, (0.14, 0.34, 0.18, 0.12, 0.22), aligns, note=say_cost_total(case, _))
        return
    yield Paragraph(_("No costs were given. The council cannot weigh the proposal without them."), "warn")
    needs = tuple(_list_priced(case, _))
    if needs:
        yield Paragraph(_("To be priced by the bureau:"))
        yield Bullets(needs)


def say_cost_total(case: ReportCase, _: Translator) -> str:
    """Return the sums of the costs, one for each currency and price year; empty where none were given."""
    sums: dict[tuple[str, int | None], float] = defaultdict(float)
    for item in case.consultation.options.costs:
        sums[item.unit, item.price_year] += item.amount
    told = []
    for (unit, price_year), amount in sums.items():
        money = _say_amount(amount, unit, _)
        if price_year:
            money = _("{money} (prices of {year})", money=money, year=str(price_year))
        told.append(money)
    return _("In all: {sums}", sums="; ".join(told)) if told else ""


def _say_amount(amount: float, unit: str, _: Translator) -> str:
    """Return a sum of money to the last yuan: a council adds up."""
    return _("{value} yuan", value=_.number(amount)) if unit == "CNY" else f"{_.number(amount)} {unit}"


def _list_priced(case: ReportCase, _: Translator) -> Iterator[str]:
    proposal = case.consultation.proposal
    for number, action in enumerate(proposal.scenario.all_actions, start=1):
        if _builds(number, action, case):
            yield tell_action(action, case, _)
    for answer in proposal.closures:
        free = [
            _("{count} m² of site", count=_.number(answer.assets.get("site_area_m2", math.nan))),
            _("{count} m² of floor", count=_.number(answer.assets.get("floor_area_m2", math.nan))),
        ]
        known = [
            told
            for told, key in zip(free, ("site_area_m2", "floor_area_m2"), strict=True)
            if answer.assets.get(key, 0.0) > 0
        ]
        if known:
            name = case.names.get(answer.school_id) or answer.name
            yield _("What becomes free at {school}: {assets}", school=name, assets=_.join(known))


def build_procedure_part(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield the steps of the law in order: done when, shown by which file, or missing."""
    procedure = case.consultation.procedure
    records = {record.step_id: record for record in procedure.records}
    rows = tuple(
        _say_step(step, records.get(step.step_id), case, _) for step in STEPS.values() if procedure.kind in step.kinds
    )
    headings = (_("Step"), _("Rules"), _("State"), _("Evidence and note"))
    yield Table(headings, rows, (0.28, 0.14, 0.22, 0.36))
    if procedure.missing:
        yield Paragraph(
            _("While a step is missing this is a draft for comment, and nothing may be carried out on its ground."),
            "warn",
        )


def _say_step(step: Step, record: StepRecord | None, case: ReportCase, _: Translator) -> tuple[str, ...]:
    known = {rule.id for rule in case.consultation.rules.rules}
    rules = _.join(rule_id for rule_id in step.rule_ids if rule_id in known)
    if record is None or not record.done:
        state = _("□ missing")
        if record is not None and record.date is not None:
            state = _("□ {day}, without evidence", day=_.date(record.date))
    else:
        state = _("✓ {day}", day=_.date(record.date)) if record.date else ""
    shown = [item.name for item in record.evidence] if record else []
    note = record.note if record else ""
    return (_.say(step.name), rules, state, "\n".join(part for part in (*shown, note) if part))
