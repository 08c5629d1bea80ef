"""A small page for tests and measurements: the drawing map alone, with a server that keeps zones, locks and undo.

``BUJU_TEST_GRID`` is rows × columns × schools, such as ``50x100x100``. ``?slow=1`` makes every run take a second.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import streamlit as st  # noqa: E402

from geodata.study import StudyArea  # noqa: E402
from reports.drawing_colours import compute_drawing_colours  # noqa: E402
from reports.drawing_scene import (  # noqa: E402
    DrawingState,
    build_drawing_parts,
    build_drawing_scene,
    compute_drawing_id,
)
from reports.language import read_catalogue  # noqa: E402
from tests.ui.drawing_county import PUPILS, build_drawing_county, find_nearest  # noqa: E402
from ui.map_canvas import read_map_edits, read_map_event, render_map  # noqa: E402

HOSTILE = "<img src=x onerror=alert(1)>"
KEY = "drawing_map"


@st.cache_resource
def load_county() -> StudyArea:
    """Return the county; the same object for every visitor."""
    rows, columns, schools = (int(word) for word in os.environ.get("BUJU_TEST_GRID", "8x12x6").split("x"))
    small = rows * columns < 200
    names = {0: HOSTILE, 1: "实验小学"} if small else {}
    return build_drawing_county(rows, columns, schools, special=small, school_names=names)


@st.cache_resource
def find_pairs(_study: StudyArea) -> Any:
    """Return the positions of neighbours."""
    where = {key: position for position, key in enumerate(_study.units["unit_id"])}
    rows = zip(_study.adjacency.first_ids, _study.adjacency.second_ids, strict=True)
    return np.array([(where[a], where[b]) for a, b in rows], dtype=np.int64)


def read_drawn(study: StudyArea) -> dict[str, Any]:
    """Return what the session keeps: plain data only."""
    if "drawn" not in st.session_state:
        zone = find_nearest(study)
        if len(study.units) < 200:
            zone[-3:] = -1
        locked = np.zeros(len(study.units), dtype=bool)
        colours = compute_drawing_colours(find_pairs(study), zone, zone, len(study.schools))
        st.session_state["drawn"] = {
            "number": 1,
            "ack": 0,
            "past": [],
            "future": [],
            "now": (zone, locked),
            "before": zone.copy(),
            "colours": colours,
        }
    drawn: dict[str, Any] = st.session_state["drawn"]
    return drawn


def apply_edits(study: StudyArea, drawn: dict[str, Any]) -> None:
    """Take in the strokes, as a page does."""
    n_zones = len(study.schools)
    drawing = compute_drawing_id(study, "primary", list_schools(study))
    for edit in read_map_edits(KEY, drawing=drawing, after=drawn["ack"], n_units=len(study.units), n_zones=n_zones):
        drawn["ack"] = edit.seq
        drawn["number"] += 1
        if edit.action in ("undo", "redo"):
            source, other = ("past", "future") if edit.action == "undo" else ("future", "past")
            if drawn[source]:
                drawn[other].append(drawn["now"])
                drawn["now"] = drawn[source].pop()
            continue
        zone, locked = (values.copy() for values in drawn["now"])
        if edit.action == "give":
            zone[edit.units[~locked[edit.units]]] = edit.zone
        else:
            locked[edit.units] = edit.action == "lock"
        drawn["past"].append(drawn["now"])
        drawn["now"], drawn["future"] = (zone, locked), []


def list_schools(study: StudyArea) -> tuple[tuple[str, ...], ...]:
    """Return the schools of each zone."""
    return tuple((str(key),) for key in study.schools["school_id"])


def build_state(study: StudyArea, drawn: dict[str, Any]) -> DrawingState:
    """Return what the map shows."""
    zone, locked = drawn["now"]
    schools = list_schools(study)
    pupils = np.bincount(zone[zone >= 0], minlength=len(schools)) * PUPILS
    places = study.places["capacity_places"].to_numpy(dtype=float)
    fill = {
        "school_id": [keys[0] for keys in schools],
        "pupils": pupils,
        "places": places,
        "fill_share": pupils / places,
    }
    drawn["colours"] = compute_drawing_colours(find_pairs(study), zone, drawn["before"], len(schools), drawn["colours"])
    return DrawingState(
        number=drawn["number"],
        zone=zone,
        before=drawn["before"],
        locked=locked,
        zone_names=tuple(study.schools["name"]),
        zone_schools=schools,
        school_fill=pd.DataFrame(fill),
        marks={"islands": np.flatnonzero(zone == -2), "detours": np.arange(3, 5) if len(zone) < 200 else np.arange(0)},
        colours=drawn["colours"],
        ack=drawn["ack"],
        can_undo=bool(drawn["past"]),
        can_redo=bool(drawn["future"]),
    )


@st.fragment
def render() -> None:
    """Draw map and numbers; a stroke runs only this part again."""
    study = load_county()
    _ = read_catalogue(str(st.query_params.get("lang", "en")))
    drawn = read_drawn(study)
    apply_edits(study, drawn)
    if st.query_params.get("slow"):
        time.sleep(1.0)
    state = build_state(study, drawn)
    event = read_map_event(KEY)
    if event is not None:
        st.session_state["selected"] = {"kind": event.kind, "id": event.id} if event.kind else None
    scene = build_drawing_scene(study, state, stage="primary", mode="walk", _=_)
    shown = {**scene, "selected": st.session_state.get("selected"), "tiles": None}
    left, right = st.columns([2.3, 1])
    with left:
        render_map(shown, build_drawing_parts(study, state, stage="primary", _=_), key=KEY, height=600)
    moved = int((state.zone != state.before).sum())
    with right:
        st.html(f'<p class="moved" data-ack="{state.ack}">{moved} moved, {moved * PUPILS:.0f} pupils</p>')
        st.dataframe(state.school_fill, height=300)
        st.html(f'<p class="chosen">{(st.session_state.get("selected") or {}).get("id", "")}</p>')


st.set_page_config(layout="wide")
render()
