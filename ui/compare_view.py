"""The answers that the Compare page shows, and their maps: two under a divider, or up to four beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import streamlit as st

from geodata.study import StudyArea, compute_digest
from planning.compare import Comparison, compare_outcomes
from planning.run import Outcome
from reports.compare_scene import PAINTED, Layout, Painted, Panes, build_pane_parts, build_pane_scene
from reports.language import Translator, read_catalogue
from reports.map_scene import build_study_parts
from reports.maps import MapPart
from ui.compare_options import Chosen, Option
from ui.map_canvas import render_map
from ui.map_settings import read_tiles
from ui.rulebooks import read_reference
from ui.scenario_outcomes import ask_scenario, compute_outcome_key
from ui.selection import Selected as Selected
from ui.selection import Selection
from ui.state import read_language
from ui.today_choices import choose_switch
from ui.zoning_keep import keep_value, put_back

MAP_KEY = "compare_map"
SELECTION = Selection(MAP_KEY, "compare_selected", "compare_focus")
read_selected, select, clear_selected = SELECTION.read, SELECTION.select, SELECTION.clear
MAP_HEIGHT = "var(--compare-map)"
SIDES_KEYS = ("compare_left", "compare_right")


@dataclass(frozen=True, eq=False)
class Compared:
    """The options that have an answer, with their comparison. ``key`` names it."""

    key: str
    options: tuple[Option, ...]
    outcomes: tuple[Outcome, ...]
    comparison: Comparison
    stage: str
    rulebook: str


def find_compared(study: StudyArea, chosen: Chosen, _: Translator) -> Compared | None:
    """Return what is compared; answers that take long run as jobs drawn here, and the others are compared meanwhile."""
    rulebook = read_reference()
    keys: list[str] = []
    options: list[Option] = []
    outcomes: list[Outcome] = []
    for option, scenario in zip(chosen.options, chosen.scenarios(), strict=True):
        outcome = ask_scenario(study, scenario, rulebook, _=_)
        if outcome is None:
            if not options:
                return None
            continue
        keys.append(compute_outcome_key(study.fingerprint, scenario, rulebook))
        options.append(option)
        outcomes.append(outcome)
    if not options:
        return None
    names = tuple(option.name for option in options)
    key = f"compare-{compute_digest(*keys, *names)}"
    comparison = _compare(key, tuple(outcomes), names)
    return Compared(key, tuple(options), tuple(outcomes), comparison, chosen.stage, rulebook)


@st.cache_resource(max_entries=16, show_spinner=False)
def _compare(key: str, _outcomes: tuple[Outcome, ...], _names: tuple[str, ...]) -> Comparison:
    return compare_outcomes(_outcomes, _names)


def choose_panes(compared: Compared, _: Translator) -> Panes:
    """Draw the switches of the map: what colours mean, and how the maps stand."""
    names: dict[str, str] = {"school": _("Catchment"), "time": _("Minutes"), "change": _("Change")}
    several = len(compared.options) > 1
    painted = cast(
        Painted,
        choose_switch(
            _("Colour of the areas"),
            list(PAINTED) if several else ["school", "time"],
            "compare_painted",
            names.__getitem__,
            "change" if several else "time",
        ),
    )
    possible = list(range(1 if painted == "change" else 0, len(compared.options)))
    if len(possible) < 2:
        return Panes(compared.stage, painted, "single", tuple(possible), _.language)
    words = {"swipe": _("Swipe"), "grid": _("Side by side")}
    layout = cast(Layout, choose_switch(_("Maps"), ["swipe", "grid"], "compare_layout", words.__getitem__, "swipe"))
    shown = tuple(possible)
    if layout == "swipe":
        shown = _choose_sides(compared, possible, _) if len(possible) > 2 else (possible[0], possible[1])
    return Panes(compared.stage, painted, layout, shown, _.language)


def _choose_sides(compared: Compared, possible: list[int], _: Translator) -> tuple[int, int]:
    """Draw the two lists of what stands left and right of the divider."""
    chosen = []
    for place, (key, label) in enumerate(zip(SIDES_KEYS, (_("Left"), _("Right")), strict=True)):
        put_back(key, possible[place], possible)
        found = st.selectbox(
            label, possible, format_func=lambda number: compared.options[number].name, key=key, width=170
        )
        keep_value(key, found)
        chosen.append(int(found))
    return chosen[0], chosen[1]


@st.cache_resource(max_entries=24, show_spinner=False)
def _build_view(
    fingerprint: str, key: str, panes: Panes, _study: StudyArea, _compared: Compared
) -> tuple[dict[str, Any], dict[str, MapPart]]:
    _ = read_catalogue(panes.language)
    scene = build_pane_scene(_study, _compared.outcomes, _compared.comparison, panes, _)
    return scene, build_pane_parts(_study, _compared.outcomes, _compared.comparison, panes, _)


@st.cache_resource(max_entries=4, show_spinner=False)
def _build_study_parts(fingerprint: str, _study: StudyArea) -> dict[str, MapPart | None]:
    return build_study_parts(_study)


def render_compare_map(study: StudyArea, compared: Compared, panes: Panes, selected: Selected | None) -> None:
    """Draw the maps."""
    scene, parts = _build_view(study.fingerprint, compared.key, panes, study, compared)
    drawn = {
        **scene,
        "selected": selected,
        "focus": st.session_state.get(SELECTION.focus_key),
        "tiles": None if study.crs == "local" else read_tiles(),
        "version": compute_digest(scene["version"], compared.key, read_language()),
    }
    render_map(drawn, {**_build_study_parts(study.fingerprint, study), **parts}, key=MAP_KEY, height=MAP_HEIGHT)
