"""The Today map of one outcome: what every unit and school looks like, what it says, and which layers there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.study import STAGES, compute_digest
from planning.access_reach import find_reach_limit
from reports.colours import (
    CHILDREN_COLOURS,
    FILL_BREAKS,
    FILL_COLOURS,
    MISSING_CLASS,
    REACH_BREAKS,
    REACH_COLOURS,
    ROAD_STYLES,
    TIME_BREAKS_MIN,
    TIME_COLOURS,
    UNKNOWN_COLOUR,
    ZONE_COLOURS,
    classify,
    compute_count_breaks,
    compute_radius_px,
    compute_zone_colours,
)
from reports.forecast_words import find_ground
from reports.language import Translator
from reports.legend import STAGE_SHAPES, Basis, ColourBy, build_legend, name_kind
from reports.maps import (
    MapPart,
    Payload,
    compute_part_digest,
    encode_basemap,
    encode_outlines,
    encode_points,
    encode_units,
    pack_array,
)

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from planning.run import Outcome

LAZY_LAYERS = ("isochrones", "zones")
OSM_CREDIT = "© OpenStreetMap contributors"


@dataclass(frozen=True)
class View:
    """What the reader asks the map to show: all plain words."""

    stage: str
    mode: str
    colour_by: ColourBy = "time"
    basis: Basis = "actual"
    language: str = "en"


def build_study_parts(study: StudyArea) -> dict[str, MapPart | None]:
    """Return the parts that depend on the study alone: units, schools, basemap."""
    frame = study.schools
    ids, names = frame["school_id"].astype(str).tolist(), frame["name"].fillna("").astype(str).tolist()
    has_map = len(study.basemap.roads) > 0 or len(study.basemap.water) > 0

    def part(role: str, build: Any) -> MapPart:
        return MapPart(role, compute_part_digest(find_ground(study), role), build)

    return {
        "units": part("units", lambda: encode_units(study)),
        "schools": part("schools", lambda: encode_points(ids, names, frame["x_m"], frame["y_m"], study.crs)),
        "basemap": part("basemap", lambda: encode_basemap(study.basemap, study.crs)) if has_map else None,
    }


def build_paint_part(study: StudyArea, outcome: Outcome, view: View, _: Translator) -> MapPart:
    """Return the values that this view paints: classes of units, who goes where, symbols of schools."""
    payload = build_paint(study, outcome, view, _)
    marks = [payload["units"][name] for name in ("classes", "values", "link_units", "link_schools")]
    digest = compute_part_digest(study.fingerprint, "paint", *marks, repr(payload["shown"]), repr(payload["others"]))
    return MapPart("paint", digest, lambda: payload)


def build_zones_part(study: StudyArea, outcome: Outcome, stage: str) -> MapPart:
    """Return the outlines of the catchments of one stage: each unit belongs to its main school."""
    zone = find_main_schools(study, outcome, stage)
    shapes = np.asarray(study.units.geometry.array)
    digest = compute_part_digest(study.fingerprint, "zones", zone)
    return MapPart("zones", digest, lambda: encode_outlines(shapes, zone, study.crs))


def build_scene(
    study: StudyArea, outcome: Outcome, view: View, _: Translator, *, has_isochrones: bool
) -> dict[str, Any]:
    """Return texts, legend, layers and colours of the view; everything that is not kept in the browser."""
    children = children_of_units(study, view.stage)
    roads, water = len(study.basemap.roads) > 0, len(study.basemap.water) > 0
    layers = [
        ("units", _("Planning units"), True, True),
        ("schools", _("Schools of this stage"), True, True),
        ("others", _("Other schools"), False, True),
        ("zones", _("Catchment borders"), False, True),
        ("isochrones", _("Time bands around schools"), False, has_isochrones),
        ("roads", _("Roads"), True, roads),
        ("water", _("Water"), True, water),
        ("names", _("Names"), True, True),
    ]
    return {
        "study": find_ground(study),
        "version": compute_digest(study.fingerprint, view),
        "text": _build_texts(view, _),
        "layers": [
            {
                "id": name,
                "label": label,
                "on": on,
                "lazy": name in LAZY_LAYERS,
                **({"keys": build_road_keys(_)} if name == "roads" else {}),
            }
            for name, label, on, has in layers
            if has
        ],
        "legend": build_legend(
            _,
            stage=view.stage,
            mode=view.mode,
            colour_by=view.colour_by,
            basis=view.basis,
            child_breaks=compute_count_breaks(children),
            fill_known=_knows_fill(outcome, view),
            way_note=say_way_method(study, view.mode, _),
            reach_min=find_reach_limit(outcome.rules, view.stage, outcome.scenario.year),
        ),
        "road_styles": {str(rank): list(style) for rank, style in ROAD_STYLES.items()},
        "band_colours": {f"{limit:g}": colour for limit, colour in zip(TIME_BREAKS_MIN, TIME_COLOURS, strict=False)},
        # Colours alone do not tell neighbouring catchments apart for every eye.
        "outline": view.colour_by == "school",
        "attribution": find_credit(study),
    }


def build_road_keys(_: Translator) -> list[dict[str, Any]]:
    """Return the legend of the roads, which stands with the switch of their layer."""
    names = {1: _("Main road"), 2: _("County road"), 3: _("Street"), 4: _("Path or service road")}
    return [
        {"colour": ROAD_STYLES[rank][0], "width": ROAD_STYLES[rank][1] * 1.3, "label": name}
        for rank, name in names.items()
    ]


def _knows_fill(outcome: Outcome, view: View) -> bool:
    rows = outcome.school_table[outcome.school_table["stage"] == view.stage]
    return bool(rows["fill_share" if view.basis == "actual" else "modelled_fill_share"].notna().any())


def say_way_method(study: StudyArea, mode: str, _: Translator) -> str:
    """Return how ways were measured where they do not follow the study's roads, else nothing."""
    travel = {str(name): matrix for name, matrix in study.travel.items()}.get(mode)
    if travel is None or travel.method == "roads":
        return ""
    if travel.method == "given":
        return _("Travel times as given in the data.")
    return _("Estimated: straight line × {factor}, no roads given.", factor=_.number(travel.detour_factor, digits=1))


def find_credit(study: StudyArea) -> str:
    """Return the credit that the map must show: the study's own, else OpenStreetMap's where its data are used."""
    if study.attribution or study.synthetic:
        return study.attribution
    endings = (".pbf", ".osm", ".osm.gz", ".graphml")
    used = any(source.path.endswith(endings) or "OpenStreetMap" in source.note for source in study.sources)
    return OSM_CREDIT if used else ""


def _build_texts(view: View, _: Translator) -> dict[str, str]:
    values = {
        "time": (_("{value} min to school"), _("No school within reach")),
        "children": (_("{value} children of this stage"), _("Number of children unknown")),
        "school": (_("{value} min to school"), _("No school within reach")),
        "reach": (_("{value} places for each child within reach"), _("Places within reach unknown")),
    }
    value, no_value = values[view.colour_by]
    return {**build_map_texts(_), "value": value, "no_value": no_value}


def build_map_texts(_: Translator) -> dict[str, str]:
    """Return the words of every map: its buttons and panels."""
    return {
        "map": _("Map of the county: arrow keys move it, plus and minus zoom"),
        "zoom_in": _("Zoom in"),
        "zoom_out": _("Zoom out"),
        "fit": _("Show the whole county"),
        "layers": _("Layers"),
        "legend": _("Legend"),
        "busy": _("Computing what the layer shows …"),
    }


def build_paint(study: StudyArea, outcome: Outcome, view: View, _: Translator) -> Payload:
    """Return the values that a view paints, ready to be sent."""
    units = study.units["unit_id"].astype(str)
    where = {key: position for position, key in enumerate(units)}
    school_at = {str(key): position for position, key in enumerate(study.schools["school_id"])}
    links = build_links(outcome, view.stage, where, school_at)
    table = select_unit_rows(outcome, view.stage).reindex(units)
    minutes = table["time_min"].to_numpy(dtype=np.float32)
    children = children_of_units(study, view.stage).astype(np.float32)
    if view.colour_by == "children":
        breaks = compute_count_breaks(children)
        classes, colours, values = classify(children, breaks), CHILDREN_COLOURS, children
    elif view.colour_by == "school":
        zone = find_main_schools(study, outcome, view.stage)
        classes, colours, values = classify_zones(study, zone, where), ZONE_COLOURS, minutes
    elif view.colour_by == "reach":
        reach = _find_reach(outcome, view.stage, units)
        classes, colours, values = classify(reach, REACH_BREAKS), REACH_COLOURS, reach
    else:
        classes, colours, values = classify(minutes, TIME_BREAKS_MIN), TIME_COLOURS, minutes
    return {
        "kind": "paint",
        "ids": [],
        "units": {
            "classes": pack_array(classes.astype(np.uint8)),
            "values": pack_array(np.asarray(values, dtype="<f4")),
            "link_units": pack_array(links["unit"].to_numpy(dtype="<u4")),
            "link_schools": pack_array(links["school"].to_numpy(dtype="<u2")),
            "colours": list(colours),
            "digits": 2 if view.colour_by == "reach" else 0,
        },
        "shown": build_symbols(outcome, view, school_at, _),
        "others": build_other_symbols(study, view.stage, school_at, _),
    }


def _find_reach(outcome: Outcome, stage: str, units: pd.Series[str]) -> Any:
    """Return places per child within reach of every unit; NaN where they are not known."""
    found = next((tables.reach for tables in outcome.stages if tables.stage == stage), pd.Series(dtype=np.float64))
    return found.reindex(units).to_numpy(dtype=np.float64)


def select_unit_rows(outcome: Outcome, stage: str) -> pd.DataFrame:
    """Return the unit table of one stage by unit id."""
    table = outcome.unit_table
    return table[table["stage"] == stage].drop_duplicates("unit_id").set_index("unit_id")


def children_of_units(study: StudyArea, stage: str) -> Any:
    """Return the children of a stage living in every unit, in the order of the units; NaN = unknown."""
    column = f"{stage}_pupils"
    if column not in study.units.columns:
        return np.full(len(study.units), np.nan)
    return study.units[column].to_numpy(dtype=np.float64, na_value=np.nan)


def build_links(outcome: Outcome, stage: str, where: Mapping[str, int], school_at: Mapping[str, int]) -> pd.DataFrame:
    """Return positions of units and of the schools that their pupils attend, the main school of a unit first."""
    rows = outcome.plan.stage_enrolment(stage) if outcome.plan is not None else None
    if rows is None or rows.empty:
        return pd.DataFrame({"unit": pd.Series(dtype=np.int64), "school": pd.Series(dtype=np.int64)})
    rows = rows[rows["school_id"] != ""].sort_values("share", ascending=False, kind="stable")
    links = pd.DataFrame({"unit": rows["unit_id"].map(where), "school": rows["school_id"].map(school_at)})
    return links.dropna().astype(np.int64)


def find_main_schools(study: StudyArea, outcome: Outcome, stage: str) -> Any:
    """Return the number of every unit's main school among all schools of the study; −1 for none."""
    school_at = {str(key): position for position, key in enumerate(study.schools["school_id"])}
    main = select_unit_rows(outcome, stage).reindex(study.units["unit_id"].astype(str))["school_id"]
    return main.map(school_at).fillna(-1).to_numpy(dtype=np.int64)


def classify_zones(study: StudyArea, zone: Any, where: Mapping[str, int]) -> Any:
    """Return the colour of every unit's zone; ``where``: position of every unit."""
    pairs = zip(study.adjacency.first_ids, study.adjacency.second_ids, strict=True)
    colours = compute_zone_colours(zone.tolist(), [(where[a], where[b]) for a, b in pairs if a in where and b in where])
    return np.array([colours[number] if number >= 0 else MISSING_CLASS for number in zone], dtype=np.uint8)


def build_symbols(outcome: Outcome, view: View, school_at: Mapping[str, int], _: Translator) -> list[Payload]:
    """Return the symbols of the schools of the stage, coloured by fill; ``school_at``: position of every school."""
    rows = outcome.school_table[outcome.school_table["stage"] == view.stage]
    actual = view.basis == "actual"
    pupils = rows["actual_pupils" if actual else "modelled_pupils"].to_numpy(dtype=np.float64)
    fill = rows["fill_share" if actual else "modelled_fill_share"].to_numpy(dtype=np.float64)
    classes, sizes = classify(fill, FILL_BREAKS), compute_radius_px(pupils)
    symbols = []
    # Where no school's fill is known a mark on every one would say nothing.
    unknown = "unknown" if _knows_fill(outcome, view) else ""
    places = rows["capacity_places"].to_numpy(dtype=np.float64)
    for row, count, room, share, name, size in zip(
        rows.itertuples(), pupils, places, fill, classes, sizes, strict=True
    ):
        known = name != MISSING_CLASS
        symbols.append(
            {
                "at": school_at[str(row.school_id)],
                "shape": STAGE_SHAPES[view.stage],
                "colour": FILL_COLOURS[name] if known else UNKNOWN_COLOUR,
                "mark": unknown if not known else "over" if share > 1.0 else "",
                "size": round(float(size), 1),
                "lines": [name_kind(str(row.kind), _), say_fill(_, count, room, share)],
            }
        )
    # Small symbols come last, so that a large one never hides them.
    return sorted(symbols, key=lambda item: -float(item["size"]))


def say_fill(_: Translator, pupils: float, places: float, share: float) -> str:
    """Return pupils, places and fill in words; what is unknown is said to be unknown."""
    if np.isfinite(pupils) and np.isfinite(places):
        return _(
            "{pupils} pupils, {places} places: {share}",
            pupils=_.number(pupils),
            places=_.number(places),
            share=_.percent(share),
        )
    if np.isfinite(pupils):
        return _("{pupils} pupils, places unknown", pupils=_.number(pupils))
    if np.isfinite(places):
        return _("Pupils unknown, {places} places", places=_.number(places))
    return _("Pupils and places unknown")


def build_other_symbols(study: StudyArea, stage: str, school_at: Mapping[str, int], _: Translator) -> list[Payload]:
    """Return the schools without this stage, each with the shape of its lowest stage."""
    stages: dict[str, set[str]] = {}
    for school, name in zip(study.places["school_id"].astype(str), study.places["stage"].astype(str), strict=True):
        stages.setdefault(school, set()).add(name)
    kinds = dict(zip(study.schools["school_id"].astype(str), study.schools["kind"].astype(str), strict=True))
    return [
        {
            "at": school_at[school],
            "shape": STAGE_SHAPES[next(name for name in STAGES if name in found)],
            "lines": [name_kind(kinds.get(school, ""), _)],
        }
        for school, found in stages.items()
        if stage not in found and school in school_at
    ]
