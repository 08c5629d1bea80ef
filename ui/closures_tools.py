"""What a click does on the Closures page: close a school, change its size, open one; and the fields that go with it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import streamlit as st

from reports.language import Translator
from ui.closures_engine import Engine, find_base_places, find_design_size
from ui.closures_state import (
    COMBINE_KEY,
    MAP_KEY,
    SELECTION,
    TOOL_KEY,
    TOOLS,
    Asked,
    Opened,
    Resized,
    Tool,
    keep_asked,
    name_new_school,
    open_school,
    read_combine,
    read_tool,
    resize,
    toggle_closed,
)
from ui.map_canvas import read_map_event
from ui.text import plain
from ui.zoning_keep import keep_value, put_back

GRADES = {"kindergarten": 3, "primary": 6, "junior": 3, "senior": 3}
MOST_CLASSES, MOST_PLACES, LONGEST_NAME = 60, 20_000, 60


def take_click(engine: Engine, scope: str, asked: Asked, _: Translator) -> Asked:
    """Take in what was just clicked on the map; return the changes after it."""
    event = read_map_event(MAP_KEY)
    if event is None or event.type != "click" or engine.what_if is None:
        return asked
    tool, combine = read_tool(), read_combine()
    known = frozenset(engine.what_if.school_ids)
    after = asked
    if tool == "open" and event.kind == "unit":
        after = open_school(asked, _propose(engine, asked, event.id, _), combine=combine)
    elif tool == "close" and event.kind == "school" and event.id in known:
        after = toggle_closed(asked, event.id, combine=combine)
    elif event.kind == "" and not combine:
        after = Asked()
    keep_asked(scope, after)
    return after


def _propose(engine: Engine, asked: Asked, unit_id: str, _: Translator) -> Opened:
    """Return a new school of usual size in a unit."""
    assert engine.what_if is not None
    taken = frozenset(engine.study.schools["school_id"].astype(str)) | frozenset(
        engine.study.sites["site_id"].astype(str)
    )
    key = name_new_school(asked, taken, combine=read_combine())
    names = engine.study.units.set_index("unit_id")["name"]
    where = str(names.get(unit_id) or unit_id)
    return Opened(key, _("New school, {place}", place=where)[:LONGEST_NAME], _usual_places(engine), unit_id=unit_id)


def _usual_places(engine: Engine) -> float:
    """Return the places of a new school: one class for every grade, as many times as fits the usual school."""
    assert engine.what_if is not None
    size = find_design_size(engine)
    one = (size if math.isfinite(size) else 45.0) * GRADES[engine.stage]
    places = engine.what_if.base.schools["places_before"].to_numpy(dtype=np.float64)
    known = places[np.isfinite(places)]
    return one * max(1.0, round(float(np.median(known)) / one)) if len(known) else one


def render_tools(engine: Engine, scope: str, asked: Asked, _: Translator) -> Asked:
    """Draw the switch of what a click does, and its fields; return the changes after them."""
    names: dict[Tool, str] = {"close": _("Closure"), "places": _("Size"), "open": _("New school")}
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="closures_tools"):
        put_back(TOOL_KEY, "close", TOOLS)
        tool = st.segmented_control(
            _("What if …"),
            list(TOOLS),
            format_func=names.__getitem__,
            key=TOOL_KEY,
            required=True,
            label_visibility="collapsed",
        )
        keep_value(TOOL_KEY, tool)
        put_back(COMBINE_KEY, False)
        combine = st.toggle(_("Several at once"), key=COMBINE_KEY)
        keep_value(COMBINE_KEY, combine)
    if tool == "places":
        return _render_resize(engine, scope, asked, _)
    if tool == "open":
        return _render_open(engine, scope, asked, _)
    return asked


def _render_resize(engine: Engine, scope: str, asked: Asked, _: Translator) -> Asked:
    selected = SELECTION.read()
    assert engine.what_if is not None
    if selected is None or selected["kind"] != "school" or selected["id"] not in engine.what_if.school_ids:
        st.caption(_("Click a school, then say how many classes more or fewer it has."))
        return asked
    school_id = selected["id"]
    names = engine.study.schools.set_index("school_id")["name"]
    places = find_base_places(engine, school_id)
    present = next((item for item in asked.resized if item.school_id == school_id), Resized(school_id))
    key = f"closures_resize_{engine.stage}_{school_id}"
    label = str(names.get(school_id) or school_id)
    if math.isfinite(places) and math.isfinite(find_design_size(engine, school_id)):
        size = find_design_size(engine, school_id)
        most_fewer = -math.ceil(places / size)
        put_back(key, int(present.add_classes or 0))
        value = st.number_input(
            plain(_("{school}: classes more (+) or fewer (−)", school=label)),
            min_value=most_fewer,
            max_value=MOST_CLASSES,
            step=1,
            key=key,
            help=_(
                "{places} places today; a class has {size} by the rules.", places=_.number(places), size=_.number(size)
            ),
        )
        item = Resized(school_id, add_classes=float(value))
    else:
        put_back(key, present.places)
        wanted = st.number_input(
            plain(_("{school}: places (today unknown)", school=label)),
            min_value=0,
            max_value=MOST_PLACES,
            step=45,
            value=None,
            key=key,
            placeholder=_("unknown"),
        )
        item = Resized(school_id, places=None if wanted is None else float(wanted))
    if item == present or (item.places is None and not item.add_classes and present == Resized(school_id)):
        return asked
    after = resize(asked, item, combine=read_combine())
    keep_asked(scope, after)
    return after


def _render_open(engine: Engine, scope: str, asked: Asked, _: Translator) -> Asked:
    after = _choose_site(engine, scope, asked, _)
    if not after.opened:
        st.caption(_("Click an area: a new school opens in its middle."))
        return after
    item = after.opened[-1]
    left, right = st.columns([1.7, 1], gap="small")
    with left:
        key = f"closures_name_{item.school_id}_{item.unit_id}_{item.site_id}"
        put_back(key, item.name)
        name = st.text_input(_("New school"), key=key, max_chars=LONGEST_NAME)
    with right:
        key = f"closures_places_{item.school_id}_{item.unit_id}_{item.site_id}"
        put_back(key, int(item.places))
        places = st.number_input(_("Places"), min_value=1, max_value=MOST_PLACES, step=45, key=key)
    changed = dataclasses.replace(item, name=name.strip() or item.name, places=float(places))
    if changed == item:
        return after
    after = dataclasses.replace(after, opened=(*after.opened[:-1], changed))
    keep_asked(scope, after)
    return after


def _choose_site(engine: Engine, scope: str, asked: Asked, _: Translator) -> Asked:
    """Draw the list of candidate sites where the county has any; return the changes with a school on the one chosen."""
    sites = engine.study.sites
    # A site that does not say which stages may be built there serves all.
    fits = sites[[not stages or engine.stage in stages for stages in sites["stages"].fillna("").astype(str)]]
    if fits.empty:
        return asked
    names = {str(key): str(name or key) for key, name in zip(fits["site_id"], fits["name"].fillna(""), strict=True)}
    chosen = st.selectbox(
        _("Or on a candidate site"),
        list(names),
        index=None,
        format_func=lambda key: names[key],
        placeholder=_("choose a site"),
        key=f"closures_site_{engine.stage}",
    )
    seen = "closures_site_seen"
    if chosen is None or st.session_state.get(seen) == chosen:
        return asked
    st.session_state[seen] = chosen
    taken = frozenset(engine.study.schools["school_id"].astype(str)) | frozenset(names)
    key = name_new_school(asked, taken, combine=read_combine())
    name = _("New school, {place}", place=names[chosen])[:LONGEST_NAME]
    after = open_school(asked, Opened(key, name, _usual_places(engine), site_id=chosen), combine=read_combine())
    keep_asked(scope, after)
    return after
