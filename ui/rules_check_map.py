"""The map of a check: schools and areas by the gravest rule that they fail, all rules or one of them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from geodata.study import StudyArea, compute_digest
from planning.rules import Rules
from reports.language import Translator, read_catalogue
from reports.map_scene import build_study_parts
from reports.maps import MapPart
from reports.rules_scene import build_check_paint, build_check_scene
from ui.map_canvas import render_map
from ui.map_settings import read_tiles
from ui.rules_check_tables import count_by_rule
from ui.rules_words import name_rule
from ui.selection import Selected, Selection
from ui.state import read_language
from ui.text import clean
from ui.zoning_keep import keep_value, put_back

MAP_KEY = "rules_check_map"
SELECTION = Selection(MAP_KEY, "rules_check_selected", "rules_check_focus")
MAP_HEIGHT = "max(350px, calc(100vh - 365px))"
RULE_KEY = "rules_check_map_rule"


def choose_rule(checks: pd.DataFrame, rules: Rules, _: Translator) -> str:
    """Draw the list of rules that the map can show alone; ``""`` for all of them."""
    mapped = checks[checks["subject"].isin(["school", "unit"])]
    ids = [str(rule_id) for rule_id in count_by_rule(mapped, rules)["rule_id"]]
    names = {"": _("All rules")} | {rule_id: clean(name_rule(rules.by_id(rule_id), _), longest=80) for rule_id in ids}
    put_back(RULE_KEY, "", list(names))
    chosen = st.selectbox(
        _("On the map"),
        list(names),
        format_func=names.__getitem__,
        key=RULE_KEY,
        width=380,
        label_visibility="collapsed",
    )
    keep_value(RULE_KEY, chosen)
    return str(chosen or "")


@st.cache_resource(max_entries=4, show_spinner=False)
def _build_study_parts(fingerprint: str, _study: StudyArea) -> dict[str, MapPart | None]:
    return build_study_parts(_study)


@st.cache_resource(max_entries=16, show_spinner=False)
def _build_paint(fingerprint: str, mark: str, language: str, _study: StudyArea, _checks: pd.DataFrame) -> MapPart:
    return build_check_paint(_study, _checks, read_catalogue(language))


def render_check_map(study: StudyArea, checks: pd.DataFrame, mark: str, _: Translator) -> Selected | None:
    """Draw the map and return the school or unit chosen on it; ``mark`` names the checks."""
    selected = SELECTION.read()
    language = read_language()
    paint = _build_paint(study.fingerprint, mark, language, study, checks)
    scene = build_check_scene(study, mark, _)
    drawn = {
        **scene,
        "selected": selected,
        "focus": st.session_state.get(SELECTION.focus_key),
        "tiles": None if study.crs == "local" else read_tiles(),
        "version": compute_digest(scene["version"], mark),
    }
    parts = {**_build_study_parts(study.fingerprint, study), "paint": paint}
    render_map(drawn, parts, key=MAP_KEY, height=MAP_HEIGHT)
    return selected
