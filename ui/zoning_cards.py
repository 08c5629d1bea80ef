"""The cards of the Zoning page: a school, an area, the proof. HTML in which every word is escaped."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from geodata.study import StudyArea
from planning.certificate import Certificate
from planning.conflicts import Conflict
from planning.flag_case import iterate_rows
from planning.run import Outcome
from reports.forecast_words import name_enrolled
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_kind, name_stage_short
from reports.proof_words import name_stop
from reports.today_tables import say_value
from reports.zone_answer import find_report, say_amount
from ui.cards import (
    render_facts,
    render_head,
    render_homes,
    render_quiet,
    render_table,
    render_title,
    say_place_of,
    text,
)
from ui.reason_card import build_changes, build_reason
from ui.zoning_map import Compared
from ui.zoning_reasons import explain_area

FULL_SHARE = 0.995
MOST_SCHOOLS = 4

STYLE = """
<style>
.proof { border: 1px solid #b9d6d6; background: #f2f8f8; border-radius: 8px; padding: 0.6rem 0.75rem; }
.proof p { margin: 0 0 0.3rem; line-height: 1.35; }
.proof .big { font-size: 1.02rem; font-weight: 650; }
.proof .small { color: #52605f; font-size: 0.78rem; line-height: 1.35; margin: 0.3rem 0 0; }
.conflict { border-left: 3px solid #b3490b; padding: 0.15rem 0 0.15rem 0.6rem; margin: 0.45rem 0; }
.conflict.priced { border-color: #e0913f; }
.conflict b { font-weight: 600; }
.conflict .cure { color: #1f5b3d; }
.reason { background: #f4f6f6; border-radius: 6px; padding: 0.4rem 0.6rem; margin-top: 0.4rem; }
</style>
"""


def name_rule(rule: str, _: Translator) -> str:
    """Return a rule that can stand in the way of a plan."""
    names = {
        "capacity": _("Places"),
        "travel_cap": _("Travel limit"),
        "closed": _("Closed to an area"),
        "barrier": _("Barrier"),
        "lock": _("Kept zones"),
        "connected": _("One piece"),
        "unreached": _("No way"),
        "budget": _("Pupils moved"),
        "seat": _("School outside its zone"),
        "no_zone": _("No school"),
        "class_size": _("Class size"),
    }
    return names.get(rule, rule)


def build_proof(certificate: Certificate, outcome: Outcome, _: Translator) -> str:
    """Return the certificate as a box: what the plan costs, below what none can be, how far it is at most."""
    items = (*certificate.earlier, certificate)
    lines = []
    for item in items:
        if item.objective == "travel":
            lines += _tell_travel(item, outcome, _)
        else:
            lines.append(f"<p>{text(_tell_goal(item, _), longest=500)}</p>")
    last = certificate
    seconds = _("{value} s", value=_.number(sum(item.seconds for item in items), digits=1))
    small = " ".join(part for part in (_.say(_proof_of(items).method), name_stop(last.stopped, _), seconds) if part)
    return f'<div class="proof">{"".join(lines)}<p class="small">{text(small, longest=600)}</p></div>'


def _proof_of(items: tuple[Certificate, ...]) -> Certificate:
    """Return the goal whose proof is told: travel where it is one, else the last."""
    return next((item for item in items if item.objective == "travel"), items[-1])


def _tell_travel(item: Certificate, outcome: Outcome, _: Translator) -> list[str]:
    price = outcome.scenario.assignment.overload_price_min * item.overload_pupils
    mean = _("mean {value} min", value=_.number(item.mean_per_pupil, digits=1))
    plan = _(
        "This plan: {value} a day one way ({mean}).", value=say_amount(item.value - price, item.unit, _), mean=mean
    )
    lines = [f'<p class="big">{text(plan, longest=400)}</p>']
    if item.overload_pupils > 0.5:
        over = _(
            "{count} pupils above the places count {price} min each: {value} altogether.",
            count=_.number(item.overload_pupils),
            price=_.number(outcome.scenario.assignment.overload_price_min),
            value=say_amount(item.value, item.unit, _),
        )
        lines.append(f"<p>{text(over, longest=400)}</p>")
    if item.status == "optimal":
        best = _("No lawful plan can be better: proven.")
        return [*lines, f"<p>{text(best)}</p>"]
    floor = _("No lawful plan can be below {value}.", value=say_amount(item.bound, item.unit, _))
    gap = _("The plan is at most {gap} from the best possible.", gap=_.percent(_round_up(item.gap_share, 4), digits=2))
    return [*lines, f"<p>{text(floor, longest=400)}</p>", f'<p class="big">{text(gap, longest=400)}</p>']


def _round_up(share: float, digits: int) -> float:
    """Return a share rounded up: "at most" must hold for the figure that is read."""
    steps = 10.0**digits
    return math.ceil(share * steps - 1e-9) / steps


def _tell_goal(item: Certificate, _: Translator) -> str:
    words = {
        "fill": _("Pupils away from equally full schools: {value}.", value=_.number(item.value)),
        "moved": _("Pupils whose school changes: {value}.", value=_.number(item.value)),
        "compact": _("Raggedness of the zones (0 = circles): {value}.", value=_.number(item.value, digits=1)),
        "border": _("Borders between zones: {value} km.", value=_.number(item.value / 1000, digits=1)),
    }
    told = words.get(item.objective, "")
    if item.status == "optimal":
        return " ".join([told, _("No lawful plan can be better: proven.")])
    if item.bound > 0:
        return " ".join(
            [told, _("At most {gap} from the best possible.", gap=_.percent(_round_up(item.gap_share, 3), digits=1))]
        )
    return " ".join([told, _("How much better it could be is not known.")])


def build_conflict(conflict: Conflict, _: Translator, *, priced: bool) -> str:
    """Return a rule that cannot hold: where, by how much, and the cheapest cure."""
    head = name_rule(conflict.rule, _)
    if conflict.short_pupils >= 0.5:
        head += " · " + _("{count} pupils", count=_.number(conflict.short_pupils))
    cure = _.say(conflict.cure)
    words = _("Cure: {cure}", cure=cure)
    after = f'<div class="cure">{text(words, longest=500)}</div>' if cure else ""
    kind = "conflict priced" if priced else "conflict"
    return f'<div class="{kind}"><b>{text(head)}</b><br>{text(_.say(conflict.message), longest=700)}{after}</div>'


def build_zone_card(study: StudyArea, compared: Compared, school_id: str, _: Translator) -> str:
    """Return the card of a school: its zone, how full it gets, what more places would be worth."""
    about = study.schools[study.schools["school_id"] == school_id]
    if about.empty:
        return ""
    school, stage, outcome = about.iloc[0], compared.stage, compared.outcome
    head = render_head(school["name"], [name_kind(str(school["kind"]), _), *say_place_of(school, _)])
    row = _find_row(outcome.school_table, stage, school_id)
    if row is None:
        note = _("This school has no {stage} stage.", stage=name_stage_short(stage, _))
        return f'<div class="card">{head}{render_quiet(note)}</div>'
    before = _find_row(compared.today.school_table, stage, school_id) or {}
    proposed = _number(row, "modelled_pupils")
    facts = [
        (_("Places"), _.number(_number(row, "capacity_places"))),
        (name_enrolled(study, _), _.number(_number(row, "actual_pupils"))),
        (_("Today by the model"), _.number(_number(before, "modelled_pupils"))),
        *([(_("Proposed"), _.number(proposed))] if compared.planned else []),
        (_("Fill today"), _.percent(_number(before, "modelled_fill_share"))),
        *([(_("Fill proposed"), _.percent(_number(row, "modelled_fill_share")))] if compared.planned else []),
        (_("Mean way"), say_value(_number(row, "mean_travel_min"), "min", _)),
    ]
    parts = [head, render_facts([*facts, *_list_zone_facts(outcome, stage, school_id, _)])]
    parts += [_tell_worth(compared, school_id, _), render_homes(study, outcome, school_id, stage, _)]
    return f'<div class="card">{"".join(parts)}</div>'


def _find_row(table: pd.DataFrame, stage: str, school_id: str) -> dict[str, object] | None:
    rows = table[(table["school_id"] == school_id) & (table["stage"] == stage)]
    return None if rows.empty else {str(name): value for name, value in rows.iloc[0].items()}


def _number(row: dict[str, object], name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, int | float | np.number) else math.nan


def _list_zone_facts(outcome: Outcome, stage: str, school_id: str, _: Translator) -> list[tuple[str, str]]:
    report = find_report(outcome, stage)
    row = None if report is None else _find_row(report.schools, stage, school_id)
    if report is None or row is None or not math.isfinite(_number(row, "units")):
        return []
    facts = [(_("Areas in the zone"), _.number(_number(row, "units")))]
    if _number(row, "exclaves") > 0:
        facts.append((_("Exclaves"), _.number(_number(row, "exclaves"))))
    if math.isfinite(report.moved_pupils):
        facts.append((_("Joining"), _.number(_number(row, "joined_pupils"))))
        facts.append((_("Leaving"), _.number(_number(row, "left_pupils"))))
    return facts


def _tell_worth(compared: Compared, school_id: str, _: Translator) -> str:
    """Return what one more place and one more class at the school would save (the shadow price, in words)."""
    if compared.answer is None or compared.answer.place_values.empty:
        return ""
    row = _find_row(compared.answer.place_values, compared.stage, school_id)
    price = math.nan if row is None else _number(row, "price_per_place")
    if row is None or not math.isfinite(price):
        return ""
    if price <= 0:
        return render_quiet(_("More places here would save nothing: there are some free, or none are wanted."))
    unit = str(row["unit"])
    words = [_("One more place here would save {value} a day.", value=say_amount(price, unit, _))]
    if math.isfinite(_number(row, "class_saving")):
        words.append(
            _(
                "One more class ({places} places): {value}.",
                places=_.number(_number(row, "class_places")),
                value=say_amount(_number(row, "class_saving"), unit, _),
            )
        )
    return render_quiet(" ".join(words))


def build_area_card(study: StudyArea, compared: Compared, unit_id: str, _: Translator) -> str:
    """Return the card of an area: its school today and as proposed, minutes of each, and why."""
    about = study.units[study.units["unit_id"] == unit_id]
    if about.empty:
        return ""
    unit, stage = about.iloc[0], compared.stage
    column = f"{stage}_pupils"
    pupils = float(unit[column]) if column in about.columns and pd.notna(unit[column]) else math.nan
    head = render_head(unit["name"] or unit_id, say_place_of(unit, _))
    names = study.schools.set_index("school_id")["name"].astype(str)
    lines = _list_ways(_("Today"), compared.today, unit_id, stage, names, _)
    if compared.planned:
        lines += _list_ways(_("Proposed"), compared.outcome, unit_id, stage, names, _)
    near = _find_unit(compared.outcome, stage, unit_id)
    if near is not None and str(near["nearest_school_id"]):
        way = say_value(_number(near, "nearest_time_min"), "min", _)
        name = names.get(str(near["nearest_school_id"])) or str(near["nearest_school_id"])
        lines.append((_("Nearest"), name, "", way))
    parts = [
        head,
        render_facts([(_("Children of this stage"), _.number(pupils))]),
        render_table([_("When"), _("School"), _("Share"), _("Way")], lines),
    ]
    reason = explain_area(study, compared, unit_id)
    if reason is not None:
        parts += [build_reason(reason, _), build_changes(reason, _)]
    elif compared.planned:
        told = explain_assigned(compared, unit_id, names, pupils, _)
        parts += [render_title(_("Why")), f'<div class="reason">{text(told, longest=500)}</div>'] if told else []
    return f'<div class="card">{"".join(parts)}</div>'


def _list_ways(
    when: str, outcome: Outcome, unit_id: str, stage: str, names: pd.Series, _: Translator
) -> list[tuple[str, ...]]:
    rows = outcome.plan.stage_enrolment(stage) if outcome.plan is not None else outcome.unit_table.head(0)
    rows = rows[rows["unit_id"] == unit_id]
    lines: list[tuple[str, ...]] = []
    for row in iterate_rows(rows.sort_values("share", ascending=False).head(MOST_SCHOOLS) if len(rows) else rows):
        school = str(row.school_id)
        name = (names.get(school) or school) if school else _("no school within reach")
        way = say_value(float(row.time_min), "min", _) if school else MISSING_NUMBER
        lines.append((when, name, _.percent(row.share), way))
    return lines


def _find_unit(outcome: Outcome, stage: str, unit_id: str) -> dict[str, object] | None:
    rows = outcome.unit_table[(outcome.unit_table["unit_id"] == unit_id) & (outcome.unit_table["stage"] == stage)]
    return None if rows.empty else {str(name): value for name, value in rows.iloc[0].items()}


def explain_assigned(compared: Compared, unit_id: str, names: pd.Series, pupils: float, _: Translator) -> str:
    """Return why most pupils of an area are not assigned to the nearest school, as far as places tell it."""
    outcome, stage = compared.outcome, compared.stage
    row = _find_unit(outcome, stage, unit_id)
    if row is None or outcome.scenario.enrolment == "choice":
        return ""
    nearest = str(row["nearest_school_id"])
    if nearest == str(row["school_id"]):
        return _("This is the nearest school.")
    near = _find_row(outcome.school_table, stage, nearest) or {}
    return _explain_full(near, names.get(nearest) or nearest, pupils, _)


def _explain_full(near: dict[str, object], name: str, pupils: float, _: Translator) -> str:
    places, load = _number(near, "capacity_places"), _number(near, "modelled_pupils")
    values = {"school": name, "load": _.number(load), "places": _.number(places)}
    if str(near.get("kind")) == "teaching_point":
        return _("The nearest school, {school}, is a teaching point and has no zone of its own.", **values)
    if math.isfinite(places) and load >= FULL_SHARE * places:
        return _("The nearest school, {school}, is full: {load} pupils for {places} places.", **values)
    if math.isfinite(places) and math.isfinite(pupils) and load + pupils > places:
        free, wanted = _.number(places - load), _.number(pupils)
        return _(
            "The nearest school, {school}, has {free} places left, too few for the {wanted} pupils of this area.",
            free=free,
            wanted=wanted,
            school=name,
        )
    return _(
        "The nearest school, {school}, has places left ({load} of {places}); a limit on the way, a closed school, a "
        "barrier, or keeping areas whole speaks against it.",
        **values,
    )
