"""What the Today map shows in one run: parts and scene from the caches, selection from the session."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from geodata.study import Mode, StudyArea, compute_digest
from planning.rules import read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario
from reports.colours import BANDS_MIN
from reports.language import read_catalogue
from reports.map_scene import View, build_paint_part, build_scene, build_study_parts, build_zones_part
from reports.maps import MapPart, Payload, compute_part_digest, encode_bands
from ui.map_canvas import read_wanted_layers, render_map
from ui.map_settings import read_tiles
from ui.selection import Selected as Selected
from ui.selection import Selection
from ui.state import read_language
from ui.today_choices import Choice

MAP_KEY = "today_map"
SELECTED_KEY = "today_selected"
FOCUS_KEY = "today_focus"
SELECTION = Selection(MAP_KEY, SELECTED_KEY, FOCUS_KEY)
read_selected, select, clear_selected = SELECTION.read, SELECTION.select, SELECTION.clear
MAP_HEIGHT = "var(--today-map)"


@st.cache_resource(max_entries=48, show_spinner=False)
def compute_outcome(fingerprint: str, choice: Choice, _study: StudyArea) -> Outcome:
    """Return the answer for one stage, mode, enrolment and rulebook; the colours do not matter (see ``ask``)."""
    scenario = Scenario(stages=(choice.stage,), mode=choice.mode, enrolment=choice.enrolment)
    return run_scenario(_study, read_rulebook(choice.rulebook), scenario)


def ask(study: StudyArea, choice: Choice) -> Outcome:
    """Return the outcome for a choice, from the cache where the same was asked before."""
    plain = Choice(choice.stage, choice.mode, choice.enrolment, choice.rulebook, "time", "actual")
    return compute_outcome(study.fingerprint, plain, study)


@st.cache_resource(max_entries=96, show_spinner=False)
def _build_view(
    fingerprint: str, choice: Choice, language: str, _study: StudyArea, _outcome: Outcome
) -> tuple[dict[str, Any], MapPart]:
    translator = read_catalogue(language)
    view = View(choice.stage, choice.mode, choice.colour_by, choice.basis, language)
    scene = build_scene(_study, _outcome, view, translator, has_isochrones=choice.mode in _study.networks)
    return scene, build_paint_part(_study, _outcome, view, translator)


@st.cache_resource(max_entries=8, show_spinner=False)
def _build_study_parts(fingerprint: str, _study: StudyArea) -> dict[str, MapPart | None]:
    return build_study_parts(_study)


@st.cache_resource(max_entries=24, show_spinner=False)
def _build_zones_part(fingerprint: str, choice: Choice, _study: StudyArea, _outcome: Outcome) -> MapPart:
    return build_zones_part(_study, _outcome, choice.stage)


@st.cache_resource(max_entries=24, show_spinner=False)
def _compute_bands(digest: str, stage: str, mode: Mode, _study: StudyArea) -> Payload:
    from geodata.isochrones import compute_isochrones

    taught = _study.places.loc[_study.places["stage"] == stage, "school_id"]
    schools = _study.schools[_study.schools["school_id"].isin(taught)]
    x_m, y_m = np.asarray(schools["x_m"], dtype=float), np.asarray(schools["y_m"], dtype=float)
    return encode_bands(compute_isochrones(_study.networks[mode], x_m, y_m, bands_min=BANDS_MIN), _study.crs)


def _build_bands_part(study: StudyArea, choice: Choice) -> MapPart:
    digest = compute_part_digest(study.fingerprint, "isochrones", choice.stage, choice.mode, BANDS_MIN)
    payload = _compute_bands(digest, choice.stage, choice.mode, study)
    return MapPart("isochrones", digest, lambda: payload)


def render_today_map(study: StudyArea, outcome: Outcome, choice: Choice, selected: Selected | None) -> None:
    """Draw the map, and below it what is being computed for it."""
    language = read_language()
    _ = read_catalogue(language)
    place, status = st.container(), st.empty()
    scene, paint = _build_view(study.fingerprint, choice, language, study, outcome)
    parts = {**_build_study_parts(study.fingerprint, study), "paint": paint}
    wanted = read_wanted_layers(MAP_KEY)
    with status, st.spinner(_("Computing what the layer shows …")):
        if ("zones" in wanted or choice.colour_by == "school") and outcome.plan is not None:
            parts["zones"] = _build_zones_part(study.fingerprint, choice, study, outcome)
        if "isochrones" in wanted and choice.mode in study.networks:
            parts["isochrones"] = _build_bands_part(study, choice)
    shown = {
        **scene,
        "selected": selected,
        "focus": st.session_state.get(FOCUS_KEY),
        "tiles": None if study.crs == "local" else read_tiles(),
        "version": compute_digest(scene["version"], sorted(wanted), choice.enrolment, choice.rulebook),
    }
    with place:
        render_map(shown, parts, key=MAP_KEY, height=MAP_HEIGHT)
