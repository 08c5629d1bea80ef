"""The map of the Scenarios page: the county after the steps, beside today."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from geodata.study import StudyArea, compute_digest
from reports.language import Translator, read_catalogue
from reports.map_scene import build_study_parts
from reports.maps import MapPart
from reports.scenario_after import BeforeAfter
from reports.scenario_scene import (
    PAINTED,
    Look,
    Painted,
    Picture,
    build_picture,
    build_scenario_parts,
    build_scenario_scene,
    name_painted,
)
from ui.map_canvas import render_map
from ui.map_settings import read_tiles
from ui.scenario_pick import read_picked
from ui.scenario_view import FOCUS_KEY, MAP_KEY, Selected, View
from ui.state import read_language
from ui.zoning_keep import keep_value, put_back

MAP_HEIGHT = "var(--scenario-map)"


def choose_painted(_: Translator, *, key: str = "scenario_painted", painted: tuple[Painted, ...] = PAINTED) -> Painted:
    """Draw the switch of what the colours of the map mean."""
    put_back(key, "zones", painted)
    chosen = st.segmented_control(
        _("On the map"),
        painted,
        format_func=lambda name: name_painted(name, _),
        key=key,
        required=True,
        label_visibility="collapsed",
    )
    keep_value(key, chosen)
    return chosen or "zones"


@st.cache_resource(max_entries=8, show_spinner=False)
def list_pairs(fingerprint: str, _study: StudyArea) -> npt.NDArray[np.int64]:
    """Return neighbours as positions of units, each pair once, shape (pairs, 2)."""
    where = pd.Series(np.arange(len(_study.units)), index=_study.units["unit_id"].astype(str).to_numpy())
    sides = (_study.adjacency.first_ids, _study.adjacency.second_ids)
    pairs = np.column_stack([where.reindex(list(ids)).fillna(-1).to_numpy(dtype=np.int64) for ids in sides])
    known: npt.NDArray[np.int64] = pairs[(pairs >= 0).all(axis=1)]
    return known


@st.cache_resource(max_entries=4, show_spinner=False)
def _build_study_parts(fingerprint: str, _study: StudyArea) -> dict[str, MapPart | None]:
    return build_study_parts(_study)


@st.cache_resource(max_entries=24, show_spinner=False)
def _build(
    fingerprint: str, mark: str, look: Look, _study: StudyArea, _changes: pd.DataFrame, _now: BeforeAfter
) -> tuple[dict[str, Any], dict[str, MapPart]]:
    _ = read_catalogue(look.language)
    picture: Picture = build_picture(_study, _changes, _now)
    scene = build_scenario_scene(_study, picture, look, _)
    return scene, build_scenario_parts(_study, picture, look, _, pairs=list_pairs(fingerprint, _study))


def render_scenario_map(view: View, painted: Painted, selected: Selected | None, now: BeforeAfter) -> None:
    """Draw the map."""
    study, changes = view.study, view.quick.applied.changes
    points, units = read_picked()
    look = Look(painted, read_language(), points, units)
    mark = compute_digest(
        view.stage,
        now.mode,
        changes.to_json(default_handler=str),
        "\x1f".join(map(str, now.school_after)),
        "\x1f".join(map(str, now.school_before)),
        now.min_after,
        now.schools["pupils_after"].to_numpy(),
    )
    scene, parts = _build(study.fingerprint, mark, look, study, changes, now)
    drawn = {
        **scene,
        "selected": selected,
        "focus": st.session_state.get(FOCUS_KEY),
        "tiles": None if study.crs == "local" else read_tiles(),
        "version": compute_digest(scene["version"], mark),
    }
    render_map(drawn, {**_build_study_parts(study.fingerprint, study), **parts}, key=MAP_KEY, height=MAP_HEIGHT)
