"""The map of the Closures page: who can close, and where the pupils go after a change."""

from __future__ import annotations

from typing import Any

import streamlit as st

from geodata.study import StudyArea, compute_digest
from reports.closure_scene import ClosurePicture, build_closure_parts, build_closure_scene
from reports.forecast_words import find_ground
from reports.language import read_catalogue
from reports.map_scene import build_study_parts
from reports.maps import MapPart
from ui.closures_engine import Answered, Engine, judge_closed
from ui.closures_state import MAP_KEY, SELECTION, Asked
from ui.map_canvas import render_map
from ui.map_settings import read_tiles
from ui.selection import Selected
from ui.state import read_language

MAP_HEIGHT = "var(--closures-map)"


@st.cache_resource(max_entries=48, show_spinner=False)
def _build_view(key: str, language: str, _study: StudyArea, _picture: ClosurePicture) -> tuple[dict[str, Any], Any]:
    translator = read_catalogue(language)
    return build_closure_scene(_study, _picture, translator), build_closure_parts(_study, _picture, translator)


@st.cache_resource(max_entries=4, show_spinner=False)
def _build_study_parts(fingerprint: str, _study: StudyArea) -> dict[str, MapPart | None]:
    return build_study_parts(_study)


def build_picture(engine: Engine, ranking: Any, asked: Asked, answered: Answered | None) -> ClosurePicture:
    """Return what the map shows."""
    assert engine.what_if is not None
    answer = None if answered is None else answered.answer
    verdict = None if answer is None else judge_closed(engine, asked)
    return ClosurePicture(
        stage=engine.stage,
        mode=engine.question.mode,
        unit_ids=engine.what_if.unit_ids,
        base=engine.what_if.base,
        ranking=ranking,
        answer=answer,
        closed=frozenset(asked.closed) if answer is not None else frozenset(),
        opened=() if answered is None else answered.opened,
        dependents=frozenset() if verdict is None else frozenset(verdict.dependents),
    )


def render_closures_map(
    engine: Engine, ranking: Any, asked: Asked, answered: Answered | None, selected: Selected | None
) -> None:
    """Draw the map; the view stays where the reader left it."""
    study, language = engine.study, read_language()
    picture = build_picture(engine, ranking, asked, answered)
    key = compute_digest(engine.key, asked.digest, ranking is None)
    scene, parts = _build_view(key, language, study, picture)
    shown = {
        **scene,
        "study": find_ground(engine.county),  # the view stays when the base changes
        "selected": selected,
        "focus": st.session_state.get(SELECTION.focus_key),
        "tiles": None if study.crs == "local" else read_tiles(),
        "version": compute_digest(scene["version"], key),
    }
    render_map(shown, {**_build_study_parts(engine.fingerprint, study), **parts}, key=MAP_KEY, height=MAP_HEIGHT)
