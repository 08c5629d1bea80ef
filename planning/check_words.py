"""What a check found and what would cure it, in words. The rule itself is cited by ``reports.citations``."""

from __future__ import annotations

import math
from typing import Any

from geodata.messages import Message, msg
from planning.balance_registry import find_indicator
from planning.balance_rules import PassRule, read_param
from planning.check_registry import RULE_CHECKS
from planning.rules import Rules
from planning.scenario import name_stage

_BOUNDS = {
    "<=": msg("at most {limit}"),
    "<": msg("less than {limit}"),
    ">=": msg("at least {limit}"),
    ">": msg("more than {limit}"),
    "=": msg("exactly {limit}"),
}
_NUMBERS = {
    "share": msg("{value:.1%}"),
    "ratio": msg("{value:.3f}"),
    "m": msg("{value:,.0f} m"),
    "min": msg("{value:,.1f} min"),
    "m2": msg("{value:,.1f} m²"),
    "CNY": msg("{value:,.0f} yuan"),
    "cny": msg("{value:,.0f} yuan"),
    "pupils": msg("{value:,.0f} pupils"),
    "classes": msg("{value:,.0f} classes"),
    "schools": msg("{value:,.0f} schools"),
    "people": msg("{value:,.0f} people"),
    "seats": msg("{value:,.0f} seats"),
    "indicators": msg("{value:,.0f} indicators"),
}
_PLAIN, _FINE = msg("{value:,.2f}"), msg("{value:,.1f} pupils")


def say_number(value: float, unit: str) -> Message:
    """Return a number with its unit in words; a share as percent."""
    template = _NUMBERS.get(unit, _PLAIN).template
    if unit == "pupils" and abs(value - round(value)) > 0.05:
        template = _FINE.template
    return Message(template, (("value", float(value)),))


def _say_gap(value: float, unit: str) -> Message:
    """Return a difference with its unit; between shares it is in percentage points."""
    if unit == "share":
        return msg("{points:,.1f} percentage points", points=value * 100.0)
    return say_number(value, unit)


def say_bound(op: str, limit: float, unit: str) -> Message:
    """Return the lawful side of a limit in words."""
    return Message(_BOUNDS[op].template, (("limit", say_number(limit, unit)),))


def name_subject(row: Any) -> Message:
    """Return whom a row is about: the school, community or town by name with its stage, or the county."""
    stage = name_stage(str(row.stage)) if row.stage else None
    if row.subject == "county":
        name: object = msg("The county")
    else:
        name = str(row.subject_name) or str(row.subject_id)
    return msg("{name}", name=name) if stage is None else msg("{name} ({stage})", name=name, stage=stage)


def tell_check(row: Any, rules: Rules) -> Message:
    """Say what one row of the checks found (a named tuple or a Series), without the name of its rule.

    Parameters
    ----------
    rules
        The rulebook that the row was checked against.
    """
    subject = name_subject(row)
    what = _name_measure(row, rules)
    if row.status == "evidence":
        return msg("{subject}: to be shown by a document.", subject=subject)
    if row.status == "unknown":
        return _tell_unknown(row, subject, what)
    if row.detail == "unreached":
        return _tell_unreached(row, subject)
    if not math.isfinite(row.measured):
        return _tell_unmeasured(row, subject)
    number = say_number(row.measured, row.unit)
    if not math.isfinite(row.limit):
        return msg("{subject}: {what} {number}.", subject=subject, what=what, number=number)
    bound = say_bound(row.op, row.limit, row.unit)
    parts = {"subject": subject, "what": what, "number": number, "bound": bound}
    if row.status == "passed":
        return msg("{subject}: {what} {number}; the rule says {bound}.", **parts)
    if row.unit == "indicators" and row.measured >= row.limit:
        return _tell_floor(row, rules, subject, number)
    gap = _say_gap(row.short_by, row.unit) if row.short_by > 0 else None
    if gap is None:
        return msg("{subject}: {what} {number}, but the rule says {bound}.", **parts)
    if row.op in ("<=", "<"):
        return msg("{subject}: {what} {number}, but the rule says {bound}: {gap} too much.", **parts, gap=gap)
    return msg("{subject}: {what} {number}, but the rule says {bound}: {gap} too little.", **parts, gap=gap)


def _tell_floor(row: Any, rules: Rules, subject: Message, number: Message) -> Message:
    """Say of a school that meets enough indicators why it fails: one that it misses is too far below its limit."""
    floor = read_param(rules.by_id(row.rule_id), "floor_ratio", PassRule().floor_share)
    return msg(
        "{subject}: {number}, as many as asked, but one that it misses lies below {floor:.0%} of its limit.",
        subject=subject,
        number=number,
        floor=floor,
    )


def _tell_unreached(row: Any, subject: Message) -> Message:
    if not math.isfinite(row.pupils):
        return msg("{subject}: no school can be reached; how many children live there is not known.", subject=subject)
    pupils = float(row.pupils)
    return msg("{subject}: no school can be reached; children there: {pupils:,.0f}.", subject=subject, pupils=pupils)


def _name_measure(row: Any, rules: Rules) -> Message:
    """Return what is measured, with the indicator of a spread, the class it speaks of, or the grades."""
    check = RULE_CHECKS.get(rules.by_id(row.rule_id).key)
    if check is None:
        return msg("reported value")
    if row.detail and check.key in ("between_school_cv_each_indicator", "composite_cv_2012"):
        if row.detail == "composite":
            return msg("mean coefficient of variation of all indicators")
        return msg("{title}: {indicator}", title=check.title, indicator=find_indicator(row.detail).title)
    if row.detail == "largest":
        return msg("largest class")
    if row.detail == "mean":
        return msg("average class")
    if row.detail.startswith("grades "):
        grades = row.detail.removeprefix("grades ").split(";")
        return msg("{title} (grades {first} to {last})", title=check.title, first=grades[0], last=grades[-1])
    return check.title


def _tell_unknown(row: Any, subject: Message, what: Message) -> Message:
    missing = tuple(part for part in str(row.missing).split(";") if part)
    if not missing:
        return msg("{subject}: {what} is not known.", subject=subject, what=what)
    if math.isfinite(row.measured):
        number = say_number(row.measured, row.unit)
        known = {"subject": subject, "what": what, "number": number, "missing": missing}
        return msg("{subject}: {what} {number}, which does not decide it without {missing}.", **known)
    return msg("{subject}: {what} cannot be told without {missing}.", subject=subject, what=what, missing=missing)


def _tell_unmeasured(row: Any, subject: Message) -> Message:
    """Say what has no number of its own: an empty school, a closure, or a document's yes or no."""
    if row.detail == "closure":
        if row.status == "passed":
            return msg("{subject}: its closure keeps the rule.", subject=subject)
        return msg(
            "{subject}: its closure breaks the rule for {pupils:,.0f} pupils.", subject=subject, pupils=row.pupils
        )
    if row.document:
        if row.status == "passed":
            return msg("{subject}: met, by {document}.", subject=subject, document=row.document)
        return msg("{subject}: not met, by {document}.", subject=subject, document=row.document)
    if row.status == "passed":
        return msg("{subject}: reported as met.", subject=subject)
    if row.cure == "places":
        return msg("{subject}: {pupils:,.0f} pupils and no places.", subject=subject, pupils=row.pupils)
    if row.cure == "classes":
        return msg("{subject}: {pupils:,.0f} pupils and no classes.", subject=subject, pupils=row.pupils)
    return msg("{subject}: reported as not met.", subject=subject)


_CURES = {
    "places": msg("{amount:,.0f} more places would cure it."),
    "classes": msg("{amount:,.0f} more classes would cure it."),
    "m2": msg("{amount:,.0f} m² more would cure it."),
    "teachers": msg("{amount:,.0f} more teachers would cure it."),
    "cny": msg("{amount:,.0f} yuan more would cure it."),
    "rooms": msg("{amount:,.0f} more rooms would cure it."),
    "boarding": msg("{amount:,.0f} more beds would cure it."),
    "bus": msg("A school bus with {amount:,.0f} seats would cure it."),
}
_SHARED = msg("{amount:,.0f} more classes, with the pupils shared evenly, would cure it.")
_ELSEWHERE = {
    "places": msg("{amount:,.0f} places at other schools would cure it."),
    "classes": msg("{amount:,.0f} of its classes run by other schools would cure it."),
}


def tell_cure(row: Any, rules: Rules) -> Message | None:
    """Say what would cure a failed check, or which data an unknown one needs; None where there is nothing to say."""
    if row.status == "unknown" and row.missing:
        return msg("Add {missing}.", missing=tuple(part for part in str(row.missing).split(";") if part))
    if row.status == "evidence":
        return msg("Add a document to the table of evidence, item {item}.", item=str(row.rule_id))
    if row.status != "failed":
        return None
    if not row.cure or not row.cure_amount > 0:
        if row.detail == "largest":
            return msg("Share the pupils evenly among the classes.")
        return None
    found = _ELSEWHERE if row.detail == "elsewhere" else _CURES
    if row.detail == "largest" and row.cure == "classes":
        found = {"classes": _SHARED}
    return Message(found[row.cure].template, (("amount", float(row.cure_amount)),))
