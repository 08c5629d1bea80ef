"""The map of the Sites page: today with the candidate sites, or the chosen plan in its year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pandas as pd
import streamlit as st

from geodata.study import StudyArea, compute_digest
from planning.run import Outcome
from planning.site_rules import check_sites
from reports.language import Translator, read_catalogue
from reports.map_scene import build_study_parts
from reports.maps import MapPart
from reports.scenario_points import SITE_PREFIX, Look, Painted
from reports.siting_scene import SitingPicture, build_siting_parts, build_siting_picture, build_siting_scene
from reports.siting_sites import build_map_sites, describe_sites, list_unchecked
from ui.closures_choices import list_methods
from ui.map_canvas import render_map
from ui.map_settings import read_tiles
from ui.rules_key import compute_rules_key, read_rules
from ui.scenario_map import choose_painted as switch_painted
from ui.scenario_map import list_pairs
from ui.selection import Selected
from ui.sites_job import Found
from ui.sites_state import MAP_KEY, SELECTION, Shown
from ui.state import read_language
from ui.today_choices import Choice
from ui.today_map import ask

MAP_HEIGHT = "var(--sites-map)"
PAINTED: tuple[Painted, ...] = ("zones", "time", "change", "today")


@dataclass(frozen=True, eq=False)
class Ground:
    """What stands on the map whatever the plan: today, and the sites with what is known of them.

    ``sites``: ``reports.siting_sites.ABOUT_COLUMNS``; ``key`` names both. ``unchecked``: what no layer tells of.
    """

    key: str
    stage: str
    mode: str
    today: Outcome
    sites: pd.DataFrame
    unchecked: tuple[str, ...] = ()


def build_ground(study: StudyArea, stage: str, mode: str, rulebook: str, found: Found | None, found_key: str) -> Ground:
    """Return today and the sites of a stage.

    Today: as the current zones say where there are any, else within the places, else at the nearest school.
    """
    zoned = bool((study.zones["stage"] == stage).any())
    method = "zones" if zoned else list_methods(study, cast(Any, stage))[0]
    today = ask(study, Choice(cast(Any, stage), cast(Any, mode), method, rulebook))
    rules = compute_rules_key(rulebook)
    language = read_language()
    sites, unchecked = _describe(study.fingerprint, rules, stage, found_key, language, study, rulebook, found)
    key = compute_digest(study.fingerprint, rules, stage, mode, found_key)
    return Ground(key, stage, mode, today, sites, unchecked)


@st.cache_resource(max_entries=12, show_spinner=False)
def _describe(
    fingerprint: str,
    rules_key: str,
    stage: str,
    found_key: str,
    language: str,
    _study: StudyArea,
    _rulebook: str,
    _found: Found | None,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    rules, _ = read_rules(_rulebook), read_catalogue(language)
    checks = [check_sites(_study, rules, stage=stage)]
    candidates = None if _found is None else _found.candidates
    if candidates is not None:
        ids = candidates.table["site_id"].astype(str).tolist()
        checks.append(check_sites(_study, rules, candidates.distances, stage=stage, site_ids=ids))
    filled = [table for table in checks if len(table)]
    joined = pd.concat(filled, ignore_index=True) if filled else checks[0]
    return describe_sites(_study, rules, joined, candidates, stage, _), tuple(list_unchecked(joined, _))


@st.cache_resource(max_entries=4, show_spinner=False)
def _build_study_parts(fingerprint: str, _study: StudyArea) -> dict[str, MapPart | None]:
    return build_study_parts(_study)


@st.cache_resource(max_entries=32, show_spinner=False)
def _build_view(
    fingerprint: str, mark: str, look: Look, _study: StudyArea, _picture: SitingPicture
) -> tuple[dict[str, Any], dict[str, MapPart]]:
    _ = read_catalogue(look.language)
    drawn = build_siting_picture(_study, _picture)
    scene = build_siting_scene(_study, _picture, drawn, look, _)
    return scene, build_siting_parts(_study, _picture, drawn, look, _, pairs=list_pairs(fingerprint, _study))


def choose_painted(shown: Shown, _: Translator) -> Painted:
    """Draw the switch of what the colours mean; without a plan there is only today."""
    if shown.plan is None:
        return "today"
    return switch_painted(_, key="sites_painted", painted=PAINTED)


def render_sites_map(
    study: StudyArea, ground: Ground, shown: Shown, painted: Painted, selected: Selected | None, _: Translator
) -> None:
    """Draw the map; the view stays where the reader left it."""
    # Without a plan the sites are what the map is about: they are shown together with today.
    look = Look("zones" if shown.plan is None else painted, read_language())
    plan_id = "" if shown.plan is None else shown.plan.plan_id
    mark = compute_digest(ground.key, shown.key, plan_id, shown.year)
    picture = SitingPicture(ground.today, ground.stage, build_map_sites(ground.sites, _), shown.plan, shown.year)
    scene, parts = _build_view(study.fingerprint, mark, look, study, picture)
    drawn = {
        **scene,
        "selected": selected,
        "focus": st.session_state.get(SELECTION.focus_key),
        "tiles": None if study.crs == "local" else read_tiles(),
        "version": compute_digest(scene["version"], mark),
    }
    render_map(drawn, {**_build_study_parts(study.fingerprint, study), **parts}, key=MAP_KEY, height=MAP_HEIGHT)


def read_site_id(selected: Selected | None) -> str:
    """Return the id of the site that was clicked, ``""`` where it was something else."""
    if selected is None or selected["kind"] != "school" or not selected["id"].startswith(SITE_PREFIX):
        return ""
    return selected["id"].removeprefix(SITE_PREFIX)


def forget_views() -> None:
    """Forget what was drawn of answers, because one of them was made anew."""
    _build_view.clear()
