"""Settings of a study of one's own, each with a default that works."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import streamlit as st

from geodata.site_exclusions import EXCLUSION_KINDS, name_kind
from geodata.study import SETTINGS, STAGES
from reports.language import Translator
from ui.detect import Detected
from ui.draft import OSM_BUILDINGS, Draft, has_osm_roads
from ui.text import clean, plain

FIRST_YEAR, LAST_YEAR = 1990, 2100
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")


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


def render_barrier_kind(_: Translator, draft: Draft, *, asks_kind: bool) -> None:
    """Ask what a layer of barriers is, where it has no column that tells it."""
    if draft.columns.get("barriers", {}).get("kind"):
        draft.barrier_kind = ""
        return
    names = {
        "": _("– not chosen –"),
        "railway": _("Railway"),
        "expressway": _("Expressway"),
        "river": _("River"),
        "other": _("Another barrier"),
    }
    label = _("What all of it is")
    draft.barrier_kind = st.columns(2)[0].selectbox(
        f":red[**{label}**]" if asks_kind else label,
        list(names),
        index=list(names).index(draft.barrier_kind),
        format_func=lambda kind: names[kind],
        key="set_barrier_kind",
        help=_("Children cross it only where a road does."),
    )


def render_zone_stage(_: Translator, draft: Draft) -> None:
    """Ask for the stage of a layer of catchments, where it has no column that tells it."""
    if draft.columns.get("zones", {}).get("stage"):
        draft.zone_stage = ""
        return
    draft.zone_stage = st.columns(2)[0].selectbox(
        _("Stage of all catchments"),
        ["", *STAGES],
        index=["", *STAGES].index(draft.zone_stage),
        format_func=lambda stage: name_stage(_, stage) or _("– that of the school –"),
        key="set_zone_stage",
        help=_("The file has no column for the stage. A school of one stage says it."),
    )


def render_snap(_: Translator, draft: Draft) -> None:
    """Ask how far the ends of road lines may lie apart and still meet."""
    draft.snap_m = float(
        st.columns(2)[0].number_input(
            _("Join line ends that lie nearer than, metres"),
            0.0,
            50.0,
            draft.snap_m,
            step=0.5,
            key="set_snap",
            help=_("Lines drawn by hand often miss each other by a little. Too much joins roads that do not meet."),
        )
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
    names_of_files = draft.files.get("population") or []
    files = len(names_of_files)
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
    _render_year(_, draft, [*names_of_files, *_list_year_headers(detected.get("population"))])
    if draft.population_kind != OSM_BUILDINGS and has_osm_roads(draft) and not draft.files.get("buildings"):
        draft.use_osm_buildings = st.checkbox(
            _("Put the people into the buildings of the road file"),
            value=draft.use_osm_buildings,
            key="set_osm_buildings",
            help=_("By floor area, inside each area or cell. Nobody is lost: where there is no building, people stay."),
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


def _list_year_headers(found: Detected | None) -> list[str]:
    """Return the headers that name a year: people of several years stand side by side."""
    return [] if found is None else [header for header in found.headers if _YEAR.search(header)]


def _render_year(_: Translator, draft: Draft, names: Sequence[str]) -> None:
    """Ask which year counts, where the names of files or columns tell several."""
    years = sorted({int(year) for name in names for year in _YEAR.findall(name.rsplit("/", 1)[-1])}, reverse=True)
    if len(years) < 2:
        draft.population_year = 0
        return
    options = [0, *years]
    draft.population_year = st.selectbox(
        _("Year of the population"),
        options,
        index=options.index(draft.population_year) if draft.population_year in options else 0,
        format_func=lambda year: str(year) if year else _("the latest: {year}", year=years[0]),
        key=f"set_population_year_{'_'.join(map(str, years))}",
    )


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
