"""The cards of the drawing table: an area with its reason and what can be done with it; a school with its zone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from planning.flag_case import iterate_rows
from planning.reasons import explain_unit
from planning.zone_changes import list_communities, list_flows, list_grades, tell_grades
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_kind, name_stage_short
from reports.today_tables import say_value
from ui.cards import render_facts, render_head, render_quiet, render_table, render_title, say_place_of
from ui.catchments_map import Selected, clear_selected
from ui.catchments_notices import render_zone_words
from ui.catchments_open import View, change_drawing
from ui.catchments_state import NO_ZONE, give_units, lock_units
from ui.reason_card import build_changes, build_reason
from ui.text import clean, plain

NEAR_ZONES = 2
"""Zones beside the area's own that get a button; the others stand in a list."""
MOST_LINES = 12

Ints = npt.NDArray[np.int64]


@st.cache_resource(max_entries=24, show_spinner=False)
def _list_flows(mark: str, _view: View) -> pd.DataFrame:
    return list_flows(_view.table, _view.drawing.zone)


@st.cache_resource(max_entries=24, show_spinner=False)
def _list_grades(mark: str, _view: View) -> pd.DataFrame:
    return list_grades(_view.sheet.study, _view.table, _view.drawing.zone)


@st.cache_resource(max_entries=24, show_spinner=False)
def list_zone_communities(mark: str, _view: View) -> pd.DataFrame:
    """Return the communities of every school, from the cache where the zones are the same."""
    return list_communities(_view.table, _view.drawing.zone)


def render_card(view: View, selected: Selected, _: Translator) -> bool:
    """Draw the card of what is chosen on the map; False where it is not there any more."""
    if selected["kind"] == "school":
        return _render_school(view, selected["id"], _)
    unit_ids = view.table.unit_ids
    if selected["id"] not in unit_ids:
        return False
    _render_unit(view, unit_ids.index(selected["id"]), _)
    return True


def _render_close(_: Translator) -> None:
    st.button(_("← Back to what is broken"), key="catchments_close", type="tertiary", on_click=clear_selected)


def _render_unit(view: View, unit: int, _: Translator) -> None:
    table = view.table
    reason = explain_unit(table, view.drawing.zone, unit, view.drawing.locked)
    row = view.sheet.study.units.iloc[unit]
    _render_close(_)
    head = render_head(table.unit_names[unit] or table.unit_ids[unit], say_place_of(row, _))
    pupils = render_facts(
        [
            (_("Pupils of this stage"), _.number(float(table.stage_pupils[unit]))),
            (_("Longer than to the nearest"), say_value(reason.extra_min, "min", _)),
        ]
    )
    ways = render_table(["", _("School"), _("Way")], _list_ways(view, unit, _))
    st.html(f'<div class="card">{head}{pupils}{ways}{build_reason(reason, _)}</div>')
    _render_actions(view, unit, _)
    st.html(f'<div class="card">{build_changes(reason, _)}</div>')


def _list_ways(view: View, unit: int, _: Translator) -> list[tuple[str, str, str]]:
    table = view.table
    rows = [(_("Drawn"), int(view.drawing.zone[unit]))]
    if view.sheet.has_today:
        rows.append((_("Today"), int(table.current[unit])))
    rows.append((_("Nearest"), int(table.nearest[unit])))
    return [(when, _name_zone(view, zone, _), _say_way(view, unit, zone, _)) for when, zone in rows]


def _name_zone(view: View, zone: int, _: Translator) -> str:
    return view.table.zone_names[zone] if zone != NO_ZONE else _("none")


def _say_way(view: View, unit: int, zone: int, _: Translator) -> str:
    minutes = float(view.table.minutes[unit, zone]) if zone != NO_ZONE else math.inf
    return _("{value} min", value=_.number(minutes, digits=1)) if math.isfinite(minutes) else MISSING_NUMBER


def list_near_zones(view: View, unit: int) -> list[int]:
    """Return the zones other than its own that an area could be given to: today's first, then by minutes."""
    table, own = view.table, int(view.drawing.zone[unit])
    minutes = table.minutes[unit]
    order = [int(zone) for zone in np.argsort(minutes, kind="stable") if math.isfinite(minutes[zone])]
    first = [int(table.current[unit])] if table.current[unit] >= 0 else []
    return [zone for zone in dict.fromkeys([*first, *order]) if zone != own]


def _render_actions(view: View, unit: int, _: Translator) -> None:
    locked = bool(view.drawing.locked[unit])
    near = list_near_zones(view, unit)
    with st.container(key="catchments_actions", gap="small"):
        if not locked:
            for zone in near[:NEAR_ZONES]:
                words = _(
                    "Give to {school} · {way}",
                    school=clean(view.table.zone_names[zone], longest=60),
                    way=_say_way(view, unit, zone, _),
                )
                st.button(
                    plain(words), key=f"catchments_give_{zone}", on_click=_give, args=([unit], zone), width="stretch"
                )
            _render_others(view, unit, near[NEAR_ZONES:], _)
        word = _("Unlock this area") if locked else _("Lock this area here")
        st.button(word, key="catchments_lock", on_click=_lock, args=([unit], not locked), width="stretch")


def _render_others(view: View, unit: int, zones: list[int], _: Translator) -> None:
    if not zones:
        return
    names = {zone: clean(view.table.zone_names[zone], longest=60) for zone in zones}
    key = f"catchments_other_{view.sheet.key[:8]}_{unit}_{view.drawing.revision}"
    st.selectbox(
        _("Give to another school"),
        zones,
        format_func=lambda zone: f"{names[zone]} · {_say_way(view, unit, zone, _)}",
        index=None,
        placeholder=_("Give to another school"),
        key=key,
        on_change=_give_chosen,
        args=(unit, key),
        label_visibility="collapsed",
    )


def _give(units: list[int], zone: int) -> None:
    change_drawing(lambda drawing: give_units(drawing, np.array(units), zone))


def _give_chosen(unit: int, key: str) -> None:
    zone = st.session_state.get(key)
    if isinstance(zone, int):
        _give([unit], zone)


def _lock(units: list[int], on: bool) -> None:
    change_drawing(lambda drawing: lock_units(drawing, np.array(units), on=on))


@dataclass(frozen=True)
class School:
    """The chosen school: its own zone (−1: a teaching point) and its share of the zone's pupils."""

    school_id: str
    zone: int
    share: float
    row: pd.Series


def find_school(view: View, school_id: str) -> School | None:
    """Return a school of the study with its zone; None for one that is not there."""
    schools = view.sheet.study.schools
    about = schools[schools["school_id"].astype(str) == school_id]
    if about.empty:
        return None
    facts = view.table.facts
    for own, (members, split) in enumerate(zip(facts.members, facts.split, strict=True)):
        for member, share in zip(members, split, strict=True):
            if str(facts.ways.school_ids[member]) == school_id:
                return School(school_id, own, float(share), about.iloc[0])
    return School(school_id, NO_ZONE, 0.0, about.iloc[0])


def _render_school(view: View, school_id: str, _: Translator) -> bool:
    school = find_school(view, school_id)
    if school is None:
        return False
    _render_close(_)
    stage = view.sheet.terms.stage
    head = render_head(school.row["name"], [name_kind(str(school.row["kind"]), _), *say_place_of(school.row, _)])
    if school.zone == NO_ZONE:
        note = _("This school has no zone of its own: {stage}.", stage=name_stage_short(stage, _))
        st.html(f'<div class="card">{head}{render_quiet(note)}</div>')
        return True
    st.html(f'<div class="card">{head}{render_facts(_list_zone_facts(view, school, _))}</div>')
    render_zone_words(view, school.zone, _)
    _render_zone_lock(view, school, _)
    parts = [_build_grades(view, school, _), _build_flows(view, school, _), _build_communities(view, school, _)]
    st.html(f'<div class="card">{"".join(parts)}</div>')
    return True


def _list_zone_facts(view: View, school: School, _: Translator) -> list[tuple[str, str]]:
    now, zone = view.numbers, school.zone
    mean_min, longest_min = _measure_ways(view, zone)
    facts = [
        (_("Places"), _.number(_finite(now.places[zone]))),
        (_("Pupils as drawn"), _.number(float(now.pupils[zone]))),
        (_("Fill as drawn"), _.percent(float(now.fill_share[zone]))),
    ]
    if view.today is not None:
        facts += [
            (_("Pupils today"), _.number(float(view.today.pupils[zone]))),
            (_("Joining"), _.number(float(now.joined_pupils[zone]))),
            (_("Leaving"), _.number(float(now.left_pupils[zone]))),
        ]
    return [
        *facts,
        (_("Mean way"), say_value(mean_min, "min", _)),
        (_("Longest way"), say_value(longest_min, "min", _)),
        (_("Areas in the zone"), _.number(len(_find_zone_units(view, zone)))),
        (_("Pieces of land"), _.number(int(now.pieces[zone]))),
    ]


def _measure_ways(view: View, zone: int) -> tuple[float, float]:
    """Return the mean and the longest way to a zone's schools, shared areas included; NaN for none."""
    units = _find_zone_units(view, zone)
    pupils = view.table.pupils[units] * view.table.weight[view.drawing.zone[units], zone]
    minutes = view.table.minutes[units, zone]
    counted = (pupils > 0) & np.isfinite(minutes)
    if not counted.any():
        return math.nan, math.nan
    return float(np.average(minutes[counted], weights=pupils[counted])), float(minutes[counted].max())


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else math.nan


def _find_zone_units(view: View, zone: int) -> Ints:
    """Return the units of a zone, those that it shares with others included."""
    zones = np.flatnonzero(view.table.admits[: view.table.n_zones, zone])
    return np.flatnonzero(np.isin(view.drawing.zone, zones))


def _render_zone_lock(view: View, school: School, _: Translator) -> None:
    units = _find_zone_units(view, school.zone)
    if not len(units):
        return
    on = not bool(view.drawing.locked[units].all())
    word = _("Lock the whole zone") if on else _("Unlock the whole zone")
    st.button(word, key="catchments_lock_zone", on_click=_lock, args=(units.tolist(), on), width="stretch")


def _build_grades(view: View, school: School, _: Translator) -> str:
    rows = _list_grades(view.mark, view)
    rows = rows[rows["school_id"].astype(str) == school.school_id]
    if rows.empty:
        return ""
    lines = [
        (
            _.number(float(row.grade)),
            _.number(float(row.pupils)),
            _.number(float(row.classes)),
            _.number(float(row.class_size), digits=1),
            _.number(float(row.limit_class_size)),
        )
        for row in iterate_rows(rows.sort_values("grade"))
    ]
    notes = "".join(render_quiet(_.say(item)) for item in tell_grades(view.sheet.study, view.table)[:1])
    return (
        render_title(_("By grade, as drawn"))
        + render_table([_("Grade"), _("Pupils"), _("Classes"), _("In a class"), _("At most")], lines)
        + notes
    )


def _build_flows(view: View, school: School, _: Translator) -> str:
    if not view.sheet.has_today:
        return ""
    rows = _list_flows(view.mark, view)
    mine = view.table.zone_ids[school.zone]
    parts = []
    for title, here, other in (
        (_("Who comes, against today"), "to_school_ids", "from_names"),
        (_("Who leaves, against today"), "from_school_ids", "to_names"),
    ):
        flow = rows[[str(ids) == mine for ids in rows[here]]]
        if flow.empty:
            continue
        lines = [
            (getattr(row, other), _.number(float(row.pupils)), _say_longer(float(row.extra_min), float(row.pupils), _))
            for row in iterate_rows(flow.head(MOST_LINES))
        ]
        parts.append(render_title(title) + render_table([_("School"), _("Pupils"), _("Way longer by")], lines))
    return "".join(parts)


def _say_longer(extra_min: float, pupils: float, _: Translator) -> str:
    """Return pupil-minutes as minutes of one pupil."""
    minutes = extra_min / pupils if pupils > 0 else math.nan
    return _("{value} min", value=_.number(minutes, digits=1)) if math.isfinite(minutes) else MISSING_NUMBER


def _build_communities(view: View, school: School, _: Translator) -> str:
    rows = list_zone_communities(view.mark, view)
    rows = rows[rows["school_id"].astype(str) == school.school_id].sort_values("pupils", ascending=False)
    title = render_title(_("Its communities"))
    if rows.empty:
        return title + render_quiet(_("None."))
    lines = [
        (row.community, _.number(float(row.pupils)), say_value(float(row.min_after), "min", _))
        for row in iterate_rows(rows.head(MOST_LINES))
    ]
    more = len(rows) - len(lines)
    after = render_quiet(_("and {count} more in the list below", count=_.number(more))) if more > 0 else ""
    return title + render_table([_("Community"), _("Pupils"), _("Way")], lines) + after
