"""What a scenario does and means, as lines of text: its actions, what is wrong with them, what closures ask for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from geodata.messages import Message, msg
from planning.action_steps import ActionProblem
from planning.action_words import describe_action
from planning.closures import ClosureAnswer, Finding
from planning.flag_case import iterate_rows
from planning.run import Outcome
from planning.scenario import name_stage
from reports.language import Translator

_SEVERITY: Mapping[str, Message] = {
    "error": msg("Error"),
    "warning": msg("Warning"),
    "block": msg("Not allowed"),
    "warn": msg("Warning"),
    "note": msg("Note"),
}


def list_in_force(outcome: Outcome) -> set[int]:
    """Return the numbers of the actions that were carried out."""
    return set(outcome.changes["number"].astype(int))


def tell_actions(outcome: Outcome, names: Mapping[str, str], _: Translator) -> Iterator[str]:
    """Yield one line per action, in order, with its year and comment; those not in force say so."""
    held = list_in_force(outcome)
    for number, action in enumerate(outcome.scenario.all_actions, start=1):
        parts = [_("{number}.", number=number), _.say(describe_action(action, names))]
        if action.year is not None:
            parts.append(_("from {year}", year=action.year))
        if number not in held:
            parts.append(_("(not in force)"))
        if action.comment:
            parts.append("— " + action.comment)
        yield " ".join(parts)


def tell_problem(problem: ActionProblem, names: Mapping[str, str], _: Translator) -> str:
    """Return one line on what is wrong with an action, and what would cure it."""
    line = _(
        "{severity}: action {number} ({action}): {problem}",
        severity=_.say(_SEVERITY[problem.severity]),
        number=problem.number,
        action=_.say(describe_action(problem.action, names)),
        problem=_.say(problem.message),
    )
    return line if problem.cure is None else line + " " + _("To mend: {cure}", cure=_.say(problem.cure))


def tell_closure(answer: ClosureAnswer, _: Translator) -> Iterator[str]:
    """Yield what a closure means: who goes where, seats and beds, then every finding."""
    head = _(
        "{school} ({stage}): {pupils} pupils leave",
        school=answer.name,
        stage=_.say(name_stage(answer.stage)),
        pupils=_.number(answer.pupils),
    )
    goes = [
        _("{pupils} to {school}", pupils=_.number(row.pupils_added), school=row.name)
        for row in iterate_rows(answer.receivers)
    ]
    yield _("{head}: {parts}.", head=head, parts=_(", ").join(goes)) if goes else _("{head}.", head=head)
    needs = []
    if answer.bus_seats_needed > 0:
        needs.append(_("bus seats needed {needed}", needed=_.number(answer.bus_seats_needed)))
    if answer.beds_needed > 0.5:
        needs.append(_("beds for up to {needed}", needed=_.number(math.ceil(answer.beds_needed - 1e-6))))
    if needs:
        yield "  " + _("; ").join(needs)
    for finding in answer.findings:
        yield "  " + tell_finding(finding, _)


def tell_finding(finding: Finding, _: Translator) -> str:
    """Return one finding with its severity and rule."""
    said = _.say(finding.message)
    severity = _.say(_SEVERITY[finding.severity])
    if finding.rule_id:
        return _("{severity} [{rule}]: {text}", severity=severity, rule=finding.rule_id, text=said)
    return _("{severity}: {text}", severity=severity, text=said)
