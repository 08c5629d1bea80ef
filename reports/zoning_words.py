"""Proposed zones in sentences: how good they are, what is proven, what each rule costs, who moves."""

from __future__ import annotations

import math

from geodata.messages import Message, msg
from planning.certificate import Certificate, RulePrice, name_objective
from planning.scenario import name_stage
from planning.zoning_report import ZoningReport


def list_objectives(certificate: Certificate) -> tuple[Certificate, ...]:
    """Return the certificates of all objectives in the planner's order."""
    return (*certificate.earlier, certificate)


def tell_certificate(certificate: Certificate) -> list[Message]:
    """Return the sentences of every objective: value, proven least, gap; then the price of every rule."""
    told: list[Message] = []
    for item in list_objectives(certificate):
        told.append(_tell_value(item))
        if item.objective == "travel" and item.overload_pupils > 0.5:
            told.append(_tell_overload(item))
        told.append(_tell_bound(item))
        told += [_tell_price(price, item) for price in item.rule_prices]
    return told


def _tell_value(item: Certificate) -> Message:
    value = _measure(item.value, item.unit)
    if item.objective != "travel":
        return msg("{objective}: {value}.", objective=name_objective(item.objective), value=value)
    if math.isfinite(item.mean_per_pupil):
        mean = (
            msg("{minutes:.1f} min", minutes=item.mean_per_pupil)
            if item.unit == "pupil-minutes"
            else msg("{metres:,.0f} m", metres=item.mean_per_pupil)
        )
        return msg(
            "{objective}: {value}, {mean} per pupil on average.",
            objective=name_objective(item.objective),
            value=value,
            mean=mean,
        )
    return msg("{objective}: {value}.", objective=name_objective(item.objective), value=value)


def _tell_overload(item: Certificate) -> Message:
    """Tell what of the value is travel and what is the price of pupils above the places."""
    travel = item.value - item.overload_price * item.overload_pupils
    return msg(
        "In it: {travel} of travel; {pupils:,.0f} pupils above the places are counted as {price:,.0f} each.",
        travel=_measure(travel, item.unit),
        pupils=item.overload_pupils,
        price=item.overload_price,
    )


def _tell_bound(item: Certificate) -> Message:
    if item.status == "optimal":
        return msg("No lawful plan does better: proven.")
    if item.bound <= 0:
        return msg("How much better a plan can be is not known for this objective.")
    return msg(
        "No lawful plan does better than {bound}: this one is within {gap:.2%} of the best possible. {method}",
        bound=_measure(item.bound, item.unit),
        gap=math.ceil(item.gap_share * 1e4 - 1e-9) / 1e4,
        method=item.method,
    )


def _tell_price(price: RulePrice, item: Certificate) -> Message:
    saved, most = _measure(price.saved, item.unit), _measure(price.saved_at_most, item.unit)
    if price.saved_at_most <= 1e-6 * max(1.0, abs(item.value)):
        return msg("Without {rule}: nothing would be saved.", rule=price.name)
    if price.saved_at_most - price.saved <= 1e-6 * max(1.0, abs(item.value)):
        return msg("Without {rule}: {saved} would be saved.", rule=price.name, saved=saved)
    return msg(
        "Without {rule}: {saved} were seen to be saved, {most} at most can be.", rule=price.name, saved=saved, most=most
    )


def _measure(value: float, unit: str) -> Message:
    """Return a value with its unit."""
    units = {
        "pupil-minutes": msg("{value:,.0f} pupil-minutes", value=value),
        "pupil-metres": msg("{value:,.0f} pupil-metres", value=value),
        "pupils": msg("{value:,.0f} pupils", value=value),
        "metres": msg("{value:,.0f} m", value=value),
    }
    return units.get(unit) or msg("{value:,.2f}", value=value)


def tell_report(report: ZoningReport) -> list[Message]:
    """Return the sentences of a report: overload, pupils moved, notes."""
    told = [msg("Zones of {stage}:", stage=name_stage(report.stage))]
    if report.overload_pupils > 0.5:
        told.append(msg("Above the places: {pupils:,.0f} pupils.", pupils=report.overload_pupils))
    else:
        told.append(msg("No school gets more pupils than it has places."))
    if math.isfinite(report.moved_pupils):
        told.append(msg("Pupils whose school changes: {pupils:,.0f}.", pupils=report.moved_pupils))
    else:
        told.append(msg("No current zones are given, so nobody is counted as moved."))
    return told + list(report.notes)
