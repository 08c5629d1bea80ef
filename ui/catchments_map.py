"""The map of the drawing table: takes in what was drawn on it, and shows the zones as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from geodata.study import StudyArea, compute_digest
from planning.zone_troubles import list_troubles
from reports.drawing_colours import compute_drawing_colours
from reports.drawing_scene import DrawingState, build_drawing_parts, build_drawing_scene, compute_drawing_id
from reports.language import Translator
from ui.catchments_open import Sheet, View, put_drawing
from ui.catchments_state import Drawing, give_units, lock_units, redo_step, undo_step
from ui.map_canvas import MapEdit, read_map_edits, render_map
from ui.map_settings import read_tiles
from ui.selection import Selected as Selected
from ui.selection import Selection

MAP_KEY = "catchments_map"
SELECTED_KEY = "catchments_selected"
FOCUS_KEY = "catchments_focus"
SHOWN_KEY = "catchments_shown"
"""Units that the reader asked to see, with the kind of mark that they get."""
SELECTION = Selection(MAP_KEY, SELECTED_KEY, FOCUS_KEY)
read_selected, select, clear_selected = SELECTION.read, SELECTION.select, SELECTION.clear
MAP_HEIGHT = "var(--catchments-map)"
MARKS = ("islands", "pockets", "detours", "conflict")
MARK_OF_KIND = {"pocket": "pockets", "island": "islands", "detour": "detours"}
LIST_KEY = "catchments_list"
"""The list that is open below the map; that of the troubles also marks them on it."""

Ints = npt.NDArray[np.int64]


def take_strokes(sheet: Sheet, drawing: Drawing) -> Drawing:
    """Apply what was drawn on the map since the last run; each stroke is taken in once, and the file written once."""
    table = sheet.table
    drawing_id = compute_drawing_id(sheet.study, sheet.terms.stage, table.zone_schools)
    edits = read_map_edits(MAP_KEY, drawing=drawing_id, after=drawing.seq, n_units=table.n_units, n_zones=table.n_zones)
    if not edits:
        return drawing
    for edit in edits:
        drawing = apply_edit(drawing, edit)
    return put_drawing(replace(drawing, seq=edits[-1].seq))


def apply_edit(drawing: Drawing, edit: MapEdit) -> Drawing:
    """Return the drawing after one stroke."""
    if edit.action == "give":
        return give_units(drawing, edit.units, edit.zone)
    if edit.action in ("lock", "unlock"):
        return lock_units(drawing, edit.units, on=edit.action == "lock")
    return undo_step(drawing) if edit.action == "undo" else redo_step(drawing)


def show_units(kind: str, units: Ints, unit_ids: tuple[str, ...], school_ids: tuple[str, ...] = ()) -> None:
    """Mark units on the map and go there; without units, go to the first school and show its zone. No card opens."""
    school = school_ids[0] if school_ids and not len(units) else ""
    st.session_state[SHOWN_KEY] = {"kind": kind, "units": [int(unit) for unit in units], "school": school}
    clear_selected()
    target = ("unit", unit_ids[int(units[0])]) if len(units) else ("school", school_ids[0]) if school_ids else None
    if target is not None:
        number = int((st.session_state.get(FOCUS_KEY) or {}).get("n", 0)) + 1
        st.session_state[FOCUS_KEY] = {"kind": target[0], "id": target[1], "n": number}


def forget_shown() -> None:
    """Take the marks away that the reader asked for."""
    st.session_state[SHOWN_KEY] = None


def read_shown() -> tuple[str, Ints, str]:
    """Return what the reader asked to see: kind of mark, units, or a school."""
    kept = st.session_state.get(SHOWN_KEY)
    if not isinstance(kept, Mapping):
        return "", np.empty(0, dtype=np.int64), ""
    return str(kept["kind"]), np.array(kept["units"], dtype=np.int64), str(kept["school"])


@st.cache_resource(max_entries=8, show_spinner=False)
def _list_pairs(fingerprint: str, _study: StudyArea) -> Ints:
    """Return neighbours as positions on the map, each pair once."""
    where = pd.Series(np.arange(len(_study.units)), index=_study.units["unit_id"].astype(str).to_numpy())
    sides = (_study.adjacency.first_ids, _study.adjacency.second_ids)
    pairs = np.column_stack([where.reindex(list(ids)).fillna(-1).to_numpy(dtype=np.int64) for ids in sides])
    known: Ints = pairs[(pairs >= 0).all(axis=1)]
    return known


def _choose_colours(view: View, drawing_id: str) -> npt.NDArray[np.uint8]:
    """Return a colour for each zone; a zone keeps its colour as long as it can."""
    kept = st.session_state.get("catchments_colours")
    before = kept["colours"] if isinstance(kept, Mapping) and kept["of"] == drawing_id else None
    table = view.table
    pairs = _list_pairs(view.sheet.study.fingerprint, view.sheet.study)
    colours = compute_drawing_colours(pairs, view.drawing.zone, table.current, table.n_zones, before)
    st.session_state["catchments_colours"] = {"of": drawing_id, "colours": colours.tolist()}
    return colours


def build_school_fill(view: View) -> pd.DataFrame:
    """Return pupils, places and fill of every school of the stage as drawn; low grades at teaching points included.

    The schools of one zone share its pupils as the zone says.
    """
    facts = view.table.facts
    pupils = np.bincount(facts.low_school, facts.low_pupils, minlength=len(facts.schools)).astype(np.float64)
    for own, (members, split) in enumerate(zip(facts.members, facts.split, strict=True)):
        pupils[members] += view.numbers.pupils[own] * split
    places = facts.schools["capacity_places"].to_numpy(dtype=np.float64)
    fill = np.divide(pupils, places, out=np.full(len(places), np.nan), where=places > 0)
    ids = facts.schools["school_id"].astype(str).to_numpy(dtype=object)
    return pd.DataFrame({"school_id": ids, "pupils": pupils, "places": places, "fill_share": fill})


def build_map_state(view: View, marks: Mapping[str, Ints]) -> DrawingState:
    """Return what the map shows."""
    table, drawing = view.table, view.drawing
    drawing_id = compute_drawing_id(view.sheet.study, view.sheet.terms.stage, table.zone_schools)
    nothing = np.empty(0, dtype=np.int64)
    kind, shown, _school = read_shown()
    found = {name: marks.get(name, nothing) for name in MARKS}
    if kind in found:
        found[kind] = np.union1d(found[kind], shown[shown < table.n_units]).astype(np.int64)
    return DrawingState(
        number=drawing.revision,
        zone=drawing.zone,
        before=table.current,
        locked=drawing.locked,
        zone_names=table.zone_names,
        zone_schools=table.zone_schools,
        school_fill=build_school_fill(view),
        marks=found,
        colours=_choose_colours(view, drawing_id),
        ack=drawing.seq,
        can_undo=bool(drawing.steps),
        can_redo=bool(drawing.undone),
    )


@st.cache_resource(max_entries=8, show_spinner=False)
def _list_troubles(key: str, _view: View) -> pd.DataFrame:
    return list_troubles(_view.table, _view.drawing.zone, _view.drawing.locked)


def list_shown_troubles(view: View) -> pd.DataFrame:
    """Return the pockets, islands and detours of the drawing, from the cache where they are known."""
    return _list_troubles(compute_digest(view.mark, view.drawing.locked), view)


def find_marks(view: View) -> dict[str, Ints]:
    """Return the units to be marked: islands always, pockets and detours while their list is open."""
    marks = {"islands": view.numbers.detached}
    if st.session_state.get(LIST_KEY) == "troubles":
        rows = list_shown_troubles(view)
        for kind, name in MARK_OF_KIND.items():
            units = [unit for found in rows.loc[rows["kind"] == kind, "units"] for unit in found]
            marks[name] = np.unique(np.array(units, dtype=np.int64))
    return marks


def render_drawing_map(view: View, selected: Selected | None, _: Translator) -> None:
    """Draw the map."""
    study, terms = view.sheet.study, view.sheet.terms
    state = build_map_state(view, find_marks(view))
    scene = build_drawing_scene(study, state, stage=terms.stage, mode=terms.mode, _=_)
    school = read_shown()[2]
    drawn = {
        **scene,
        "selected": selected or ({"kind": "school", "id": school} if school else None),
        "focus": st.session_state.get(FOCUS_KEY),
        "tiles": None if study.crs == "local" else read_tiles(),
    }
    parts = build_drawing_parts(study, state, stage=terms.stage, _=_)
    render_map(drawn, parts, key=MAP_KEY, height=MAP_HEIGHT)
