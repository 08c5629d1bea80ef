"""The alternatives that were considered, side by side, and how close to the best possible the proposal is proven."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from planning.actions import Action
from planning.certificate import Certificate
from planning.compare_measures import MEASURES
from planning.flag_case import iterate_rows
from planning.indicators import find_indicator
from planning.run import Outcome
from planning.scenario import name_stage
from reports.compare_tables import read_measure
from reports.compare_words import KEY_INDICATORS, say_number
from reports.consultation_checks import round_indicator
from reports.consultation_report_case import ReportCase, hide_small, say_option
from reports.consultation_report_method import name_method
from reports.consultation_words import say_count
from reports.document import Align, Block, Bullets, Heading, Paragraph, Table
from reports.language import MISSING_NUMBER, Translator
from reports.proof_words import name_stop
from reports.siting_words import round_up
from reports.zoning_words import list_objectives, tell_certificate

COUNTED = ("moved_pupils", "worse_pupils", "better_pupils", "lost_pupils")
"""Counts of children in the comparison; those of the proposal are the published ones."""


def build_options_part(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield the options side by side: today, the proposal, the alternatives; what each does differently."""
    consultation = case.consultation
    if not consultation.alternatives:
        yield Paragraph(
            _(
                "The proposal was compared with “{today}” only. A panel should ask for at least one other option"
                " (another receiving school, a later year, no closure but a bus line) before it decides.",
                today=say_option(consultation.baseline, _),
            ),
            "warn",
        )
    else:
        yield Bullets(tuple(_describe(outcome, _) for outcome in (consultation.baseline, *_list_options(case))))
    yield from (Paragraph(_.say(note), "warn") for note in case.list_notes(_, proposal=False))
    for stage in consultation.publication.stages:
        yield _build_option_table(case, stage, _)
    yield from _list_conflicts(case, _)


def _list_options(case: ReportCase) -> tuple[Outcome, ...]:
    return (case.consultation.proposal, *case.consultation.alternatives)


def _describe(outcome: Outcome, _: Translator) -> str:
    scenario = outcome.scenario
    return _(
        "“{name}”: {actions} actions; {method}.",
        name=say_option(outcome, _),
        actions=_.number(len(scenario.all_actions)),
        method=_.say(name_method(scenario.enrolment)),
    )


def _build_option_table(case: ReportCase, stage: str, _: Translator) -> Table:
    consultation = case.consultation
    names = (_("Today"), _("Proposal"), *(outcome.scenario.name for outcome in consultation.alternatives))
    rows = [_say_counts(name, case, stage, _) for name in COUNTED]
    rows = [row for row in rows if any(cell not in ("0", MISSING_NUMBER) for cell in row[1:])]
    indicators = consultation.comparison.indicators
    for name in KEY_INDICATORS:
        found = indicators[(indicators["indicator"] == name) & (indicators["stage"] == stage)]
        row = next(iterate_rows(found), None)
        if row is not None:
            values = [
                round_indicator(consultation, name, str(row.unit), stage, float(getattr(row, f"value_{option}")))
                for option in range(len(names))
            ]
            if any(map(math.isfinite, values)):
                rows.append((_title(name, _), *(_say_value(value, str(row.unit), case, _) for value in values)))
    caption = _.say(name_stage(stage)) if len(consultation.publication.stages) > 1 else ""
    right: Align = "right"
    aligns: tuple[Align, ...] = ("left", *([right] * len(names)))
    note = ""
    if len(names) > 2:
        note = _(
            "Children are counted against today. Those of the alternatives are rounded to multiples of {step}, so that"
            " no small difference is told.",
            step=_.number(case.threshold),
        )
    return Table((_("Measure"), *names), tuple(rows), aligns=aligns, caption=caption, note=note)


def _title(name: str, _: Translator) -> str:

    return _.say(find_indicator(name).title)


def _say_counts(name: str, case: ReportCase, stage: str, _: Translator) -> tuple[str, ...]:
    """Return one count of children for every option; nobody differs from today in today itself."""
    consultation = case.consultation
    title = next(_.say(item.title) for item in MEASURES if item.name == name)
    totals = consultation.publication.totals
    own = next(iterate_rows(totals[totals["stage"] == stage]), None)
    hidden = bool(getattr(own, name.replace("_pupils", "_hidden"), False))
    cells = [MISSING_NUMBER, say_count(float(getattr(own, name, math.nan)), hidden, case.threshold, _)]
    step = case.threshold
    for option in range(2, len(consultation.alternatives) + 2):
        value = read_measure(consultation.comparison, option, name, stage)
        # An alternative may differ from the proposal in one small community: a fine number would tell its children.
        rough = round(value / step) * step if value >= step else value
        cells.append(_say_value(rough, "pupils", case, _))
    return (title, *cells)


def _say_value(value: float, unit: str, case: ReportCase, _: Translator) -> str:
    """Return a number of the county; one of children that is small is not shown."""
    if unit == "pupils":
        hidden = 0.5 <= value < case.threshold
        return say_count(round(value) if math.isfinite(value) else value, hidden, case.threshold, _)
    return say_number(value, unit, _)


def _list_conflicts(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield why an alternative has no plan."""
    for outcome in case.consultation.alternatives:
        if outcome.plan is None:
            yield Paragraph(_("“{name}” has no lawful plan:", name=outcome.scenario.name), bold=True)
            yield Bullets(tuple(_.say(hide_small(item, case.threshold, _)) for item in outcome.conflicts))


def build_proof_part(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield what is proven about the proposal, in plain words; where nothing is, that and why."""
    certificates = case.consultation.proposal.certificates
    decided = [action for action in case.consultation.proposal.scenario.all_actions if _chooses(action)]
    if not certificates:
        yield Paragraph(_say_unproven(case, _), "lead")
        return
    for certificate in certificates:
        if len(certificates) > 1:
            yield Heading(_.say(name_stage(certificate.stage)), 2)
        yield from _tell_proof(certificate, case, _)
    if decided:
        yield Paragraph(
            _(
                "The proof is of who goes where, with the schools and places of this proposal. Which schools close,"
                " open or change was decided by hand ({count} steps): that another choice of schools would be worse is"
                " not proven.",
                count=_.number(len(decided)),
            ),
            "warn",
        )


def _chooses(action: Action) -> bool:
    """Tell whether an action decides by hand what a search could have decided."""
    return action.kind in ("close", "merge", "teaching_point", "open", "places", "stages", "move")


def _say_unproven(case: ReportCase, _: Translator) -> str:
    """Return the plain statement that a plan made by hand has no certificate."""
    method = case.consultation.proposal.scenario.enrolment
    follows = {
        "nearest": _("every child goes to the nearest school"),
        "zones": _("every child goes to the school of its zone"),
        "choice": _("children go as families were seen to choose"),
    }
    return _(
        "This plan was made by hand, and there is no certificate: {follows}, and the planner chose what changes. It"
        " was not computed whether another plan would serve the children better. What can be judged is how it compares"
        " with today and with the alternatives, and whether it keeps the rules. A search with a proven bound can be"
        " made with the commands “propose” and “run” (enrolment “zoning” or “capacity”).",
        follows=follows.get(method, method),
    )


def _tell_proof(certificate: Certificate, case: ReportCase, _: Translator) -> Iterator[Block]:
    for item in list_objectives(certificate):
        told = tell_certificate(replace(item, rule_prices=(), earlier=()))
        yield Paragraph(" ".join(_.say(hide_small(message, case.threshold, _)) for message in told), "lead")
    yield Paragraph(
        " ".join(part for part in (name_stop(certificate.stopped, _), _say_search(certificate, _)) if part), "small"
    )
    prices = [price for item in list_objectives(certificate) for price in item.rule_prices]
    if prices:
        rows = tuple(
            (
                _.say(price.name),
                *(_say_price(value, certificate.unit, _) for value in (price.saved, price.saved_at_most)),
            )
            for price in prices
        )
        headings = (_("If this rule were dropped"), _("Would be saved: seen"), _("At most"))
        yield Heading(_("Travel that each rule costs"), 2)
        yield Table(headings, rows, (0.56, 0.24, 0.2), ("left", "right", "right"))


def _say_search(certificate: Certificate, _: Translator) -> str:
    gap = round_up(certificate.gap_share) if math.isfinite(certificate.gap_share) else None
    return _("Seed {seed}; gap {gap}.", seed=str(certificate.seed), gap=_.percent(gap, digits=2))


def _say_price(value: float, unit: str, _: Translator) -> str:
    amount = _.number(value)
    names = {
        "pupil-minutes": _("{value} pupil-minutes", value=amount),
        "pupil-metres": _("{value} pupil-metres", value=amount),
        "metres": _("{value} m", value=amount),
    }
    return names.get(unit, amount)


def say_proof_short(case: ReportCase, _: Translator) -> str:
    """Return the certificate in half a sentence, for the summary."""
    certificates = case.consultation.proposal.certificates
    if not certificates:
        return _("made by hand; how close it is to the best possible is not known (no certificate)")
    gaps = [item.gap_share for item in certificates]
    if all(item.status == "optimal" for item in certificates):
        return _("given these schools, no lawful plan does better by its aim: proven")
    if any(not math.isfinite(gap) or item.bound <= 0 for gap, item in zip(gaps, certificates, strict=True)):
        return _("how close it is to the best possible is not proven")
    worst = round_up(max(gaps))
    return _("given these schools, within {gap} of the best possible: proven", gap=_.percent(worst, digits=2))
