"""Settings of a study of one's own, each with a default that works."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from geodata.crs import LOCAL, WGS84, convert_points
from geodata.errors import CrsError
from geodata.site_exclusions import EXCLUSION_KINDS, name_kind
from geodata.study import SETTINGS, STAGES
from reports.language import Translator
from ui.detect import Detected
from ui.draft import OSM_BUILDINGS, Draft
from ui.text import clean, plain

SYSTEMS = ("", "GCJ-02", "BD-09", LOCAL)
OTHER = "other"
FIRST_YEAR, LAST_YEAR = 1990, 2100


def name_stage(_: Translator, stage: str) -> str:
    """Return a stage in the reader's language."""
    return {
        "kindergarten": _("Kindergarten"),
        "primary": _("Primary"),
        "junior": _("Junior secondary"),
        "senior": _("Senior secondary"),
    }.get(stage, stage)


def name_setting(_: Translator, setting: str) -> str:
    """Return urban, town or rural in the reader's language."""
    return {"urban": _("Urban"), "town": _("Town"), "rural": _("Rural")}.get(setting, setting)


def name_population_kind(_: Translator, kind: str) -> str:
    """Return a kind of population file in the reader's language."""
    return {
        "points": _("Points: villages, estates"),
        "polygons": _("Areas: villages, estates, blocks"),
        "hexagons": _("Hexagons by their centres"),
        "raster": _("Raster of inhabitants"),
        "age_rasters": _("Rasters by age (WorldPop)"),
        OSM_BUILDINGS: _("Buildings of the road file"),
    }[kind]


def list_population_kinds(found: Detected | None, roads: Detected | None, files: int) -> tuple[str, ...]:
    """Return the kinds that an upload can be, the likeliest first; empty where nothing can serve.

    Without an upload the buildings of an OpenStreetMap file can: ``""`` stands for not using them.
    """
    if found is None:
        is_map = roads is not None and roads.format.startswith("OpenStreetMap")
        return ("", OSM_BUILDINGS) if is_map else ()
    if found.shape == "raster":
        return ("age_rasters", "raster") if files > 1 else ("raster", "age_rasters")
    if found.shape == "polygon":
        return ("polygons",)
    return ("hexagons", "points") if found.hexagons else ("points", "hexagons")


def take_system(role: str, kept: str) -> str:
    """Return the coordinate system that was just chosen for a file, before its widgets are drawn; else ``kept``."""
    chosen = st.session_state.get(f"system_{role}")
    if chosen == OTHER:
        code = _complete_code(str(st.session_state.get(f"epsg_{role}") or ""))
        return code if code and _is_known(code) else ""
    return kept if chosen is None else str(chosen)


def render_system(_: Translator, role: str, draft: Draft, *, wanted: bool = False) -> None:
    """Ask which coordinates the file has: Chinese web maps give shifted ones. ``wanted``: it stands out."""
    names = {
        "": _("WGS 84, or as the file says"),
        "GCJ-02": "GCJ-02 · 高德 腾讯",
        "BD-09": "BD-09 · 百度",
        LOCAL: _("metres of a plan, without a place on Earth"),
        OTHER: _("another system (EPSG code)"),
    }
    kept = draft.systems.get(role, "")
    first, second = st.columns(2)
    label = _("Coordinates")
    chosen = first.selectbox(
        f":red[**{label}**]" if wanted else label,
        [*SYSTEMS, OTHER],
        index=[*SYSTEMS, OTHER].index(kept if kept in SYSTEMS else OTHER),
        format_func=lambda system: names[system],
        key=f"system_{role}",
        help=_("Points from Gaode, Tencent or Baidu maps are shifted by up to 800 m."),
    )
    if chosen == OTHER:
        code = second.text_input(
            _("EPSG code"),
            value=kept if kept not in SYSTEMS else "",
            key=f"epsg_{role}",
            placeholder="EPSG:4547",
            max_chars=40,
            help=_("CGCS2000, 3-degree zones: EPSG:4534 (central meridian 75°E) to EPSG:4554 (135°E)."),
        )
        chosen = _complete_code(code)
        if chosen and not _is_known(chosen):
            second.error(_("The coordinate system is not known."))
            chosen = ""
    draft.systems[role] = chosen


def _complete_code(code: str) -> str:
    """Return what was typed as an EPSG code: a bare number gets its prefix."""
    code = code.strip().upper().replace(" ", "")
    return f"EPSG:{code}" if code.isdigit() else code


def _is_known(system: str) -> bool:
    try:
        convert_points([0.0], [0.0], system, WGS84)
    except CrsError:
        return False
    return True


def render_school_settings(_: Translator, draft: Draft, found: Detected, *, asks_stage: bool) -> None:
    """Ask for what the columns of the schools leave open: which rows, which stage, setting, year."""
    columns = st.columns(4)
    options = ["", *found.numbers]
    kept = draft.keep_where_positive
    draft.keep_where_positive = columns[0].selectbox(
        _("Keep only rows where this is above zero"),
        options,
        index=options.index(kept) if kept in options else 0,
        format_func=lambda header: clean(header) or _("– keep all rows –"),
        key="set_keep",
        help=_("For files of places in which a column tells whether there is a school."),
    )
    chosen = draft.columns.get("schools", {})
    if chosen.get("stage") or chosen.get("kind"):
        draft.default_stage = ""
    else:
        label = _("Stage of all schools")
        draft.default_stage = columns[1].selectbox(
            f":red[**{label}**]" if asks_stage else label,
            ["", *STAGES],
            index=["", *STAGES].index(draft.default_stage),
            format_func=lambda stage: name_stage(_, stage) or _("– from their names –"),
            key="set_stage",
            help=_("The file has no column for the stage or kind of school."),
        )
    if chosen.get("setting"):
        draft.default_setting = ""
    else:
        draft.default_setting = columns[2].selectbox(
            _("Setting of all schools"),
            ["", *SETTINGS],
            index=["", *SETTINGS].index(draft.default_setting),
            format_func=lambda setting: name_setting(_, setting) or _("– unknown –"),
            key="set_setting",
            help=_("Urban, town or rural: some rules differ between them."),
        )
    if chosen.get("year"):
        draft.year = 0
        return
    year = columns[3].number_input(
        _("School year of the pupil numbers"),
        FIRST_YEAR,
        LAST_YEAR,
        draft.year or None,
        key="set_year",
        placeholder=_("for example: 2025"),
        help=_("The year in which the school year began. The file has no column for it."),
    )
    draft.year = int(year or 0)


def render_exclusion_kind(_: Translator, draft: Draft, *, asks_kind: bool) -> None:
    """Ask what a layer of exclusions is, where it has no column that tells it."""
    if draft.columns.get("exclusions", {}).get("kind"):
        draft.exclusion_kind = ""
        return
    label = _("What all of it is")
    options = ["", *EXCLUSION_KINDS]
    draft.exclusion_kind = st.columns(2)[0].selectbox(
        f":red[**{label}**]" if asks_kind else label,
        options,
        index=options.index(draft.exclusion_kind) if draft.exclusion_kind in options else 0,
        format_func=lambda kind: _.say(name_kind(kind)) if kind else _("– not chosen –"),
        key="set_exclusion_kind",
        help=_("The file has no column for the kind of zone, line or place."),
    )


def render_settings(_: Translator, draft: Draft, detected: Mapping[str, Detected]) -> None:
    """Draw the settings and write what is chosen into ``draft``."""
    first, second, third = st.columns(3, gap="large")
    with first:
        draft.name = st.text_input(
            _("Name of the study"), value=draft.name or _("My county"), key="set_name", max_chars=80
        )
        draft.detour_factor = float(
            st.number_input(
                _("Detour factor"),
                1.0,
                3.0,
                draft.detour_factor,
                step=0.05,
                key="set_detour",
                help=_("How much longer the way is than the straight line, where there is no road."),
            )
        )
    with second:
        _render_population(_, draft, detected)
    with third:
        _render_children(_, draft)


def _render_population(_: Translator, draft: Draft, detected: Mapping[str, Detected]) -> None:
    files = len(draft.files.get("population") or [])
    kinds = list_population_kinds(detected.get("population"), detected.get("roads"), files)
    if not kinds:
        draft.population_kind = ""
        st.caption(_("Population: no file yet."))
        return
    current = draft.population_kind if draft.population_kind in kinds else kinds[0]
    draft.population_kind = st.selectbox(
        _("What the population file is"),
        kinds,
        index=kinds.index(current),
        format_func=lambda kind: name_population_kind(_, kind) if kind else _("– no file yet –"),
        key=f"set_kind_{'_'.join(kinds)}",
    )
    cells_first = draft.population_kind in ("raster", "age_rasters", OSM_BUILDINGS)
    names = {
        "population": _("as in the file"),
        "grid": _("square cells"),
        "blocks": _("street blocks"),
        "polygons": _("areas of a file of their own"),
    }
    options = ["grid", "population"] if cells_first else ["population", "grid"]
    if "roads" in detected or draft.roads_from == "download":
        options.append("blocks")
    if draft.files.get("units"):
        options.insert(0, "polygons")
    else:
        st.session_state.pop("units_seen", None)
    if draft.files.get("units") and st.session_state.get("units_seen") != draft.files["units"]:
        st.session_state["units_seen"] = draft.files["units"]
        draft.units = "polygons"
    draft.units = st.selectbox(
        _("Planning units"),
        options,
        index=options.index(draft.units) if draft.units in options else 0,
        format_func=lambda units: names[units],
        key=f"set_units_{draft.population_kind}_{'_'.join(options)}",
    )
    if draft.units == "grid":
        draft.cell_m = float(
            st.number_input(_("Side of a cell, metres"), 50, 5000, int(draft.cell_m), step=50, key="set_cell")
        )
    elif draft.units == "blocks":
        _render_blocks(_, draft)


def _render_blocks(_: Translator, draft: Draft) -> None:
    first, second = st.columns(2)
    draft.block_ha = float(
        first.number_input(
            _("Size of a block, hectares"),
            0.5,
            200.0,
            draft.block_ha,
            step=0.5,
            key="set_block",
            help=_(
                "Land between streets, rivers and railways; small pieces are put together to about this size, "
                "never across a river or a railway."
            ),
        )
    )
    draft.block_compactness = float(
        second.slider(
            _("Compactness"),
            0.0,
            1.0,
            draft.block_compactness,
            step=0.1,
            key="set_compactness",
            help=_("0: blocks of equal size. 1: round blocks, whatever their size."),
        )
    )


def _render_children(_: Translator, draft: Draft) -> None:
    chosen = draft.columns.get("population", {})
    counted = [stage for stage in STAGES if chosen.get(f"{stage}_pupils")]
    missing = [stage for stage in STAGES if stage not in counted]
    draft.calibrate = st.checkbox(
        _("Scale the children to the pupils of the schools"),
        value=draft.calibrate,
        key="set_calibrate",
        help=_("For each stage: all children together become as many as the pupils on the rolls."),
    )
    if draft.population_kind == "age_rasters" or not missing:
        draft.use_shares = False
        return
    draft.use_shares = st.checkbox(
        _("Estimate children from inhabitants"),
        value=draft.use_shares and not counted,
        key=f"set_use_shares_{len(counted)}",
        help=_("Where the file has no numbers of children. The shares are assumptions: put in those of your county."),
    )
    if not draft.use_shares:
        return
    for start in range(0, len(missing), 2):
        for column, stage in zip(st.columns(2), missing[start : start + 2], strict=False):
            share = round(draft.shares.get(stage, 0.0) * 100, 3)
            label = _("{stage}, % of inhabitants", stage=name_stage(_, stage))
            typed = column.number_input(plain(label), 0.0, 30.0, share, step=0.5, key=f"set_share_{stage}")
            draft.shares[stage] = round(typed / 100, 5)


def describe_children(_: Translator, draft: Draft) -> str:
    """Return in words where the children come from, when that is an assumption; else ``""``."""
    if not draft.use_shares or not draft.population_kind:
        return ""
    counted = draft.columns.get("population", {})
    shares = [
        f"{name_stage(_, stage)} {_.percent(draft.shares[stage], digits=1)}"
        for stage in STAGES
        if draft.shares.get(stage) and not counted.get(f"{stage}_pupils")
    ]
    return _("Children are estimated from inhabitants (change it under Settings): {shares}", shares=_.join(shares))
