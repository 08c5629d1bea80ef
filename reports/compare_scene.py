"""The maps of a comparison: up to four answers in step, coloured by school, by minutes or by the change in minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.study import compute_digest
from planning.flag_case import iterate_rows
from reports.change_bands import RAMP, RAMP_BOUNDS, RAMP_COLOURS, classify_changes
from reports.colours import MISSING_CLASS, ROAD_STYLES, TIME_BREAKS_MIN, TIME_COLOURS, ZONE_COLOURS, classify
from reports.compare_words import BAND_COLOURS
from reports.drawing_colours import compute_drawing_colours
from reports.forecast_words import find_ground
from reports.legend import STAGE_SHAPES, build_legend, name_kind
from reports.map_scene import (
    View,
    build_map_texts,
    build_other_symbols,
    build_road_keys,
    build_symbols,
    find_credit,
    say_way_method,
)
from reports.maps import MapPart, Payload, compute_part_digest, encode_outlines, encode_points, pack_array

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from planning.compare import Comparison
    from planning.run import Outcome
    from reports.language import Translator

Painted = Literal["school", "time", "change"]
PAINTED: tuple[Painted, ...] = ("school", "time", "change")
Layout = Literal["swipe", "grid", "single"]
LOST, WON = len(RAMP), len(RAMP) + 1
"""Classes after those of the bands that have a length."""
BADGES = {"campus": "pair", "teaching_point": "half", "stages": "dot", "boarding": "dot", "bus": "dot"}
LARGEST_OUTLINED = 4_000
"""In counties of more units the outlines of catchments would take seconds to compute."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Panes:
    """What the reader asks of the maps: ``shown`` are numbers of options, in the order in which they stand."""

    stage: str
    painted: Painted
    layout: Layout
    shown: tuple[int, ...]
    language: str = "en"


@dataclass(frozen=True, eq=False)
class Sites:
    """Every school of every option once: ``points`` (ids, names, x_m, y_m); ``at``: its position, per option.

    Two options may open different schools under one id; then both stand here, the second under another id.
    """

    points: pd.DataFrame
    at: tuple[Mapping[str, int], ...]


def list_sites(study: StudyArea, outcomes: Sequence[Outcome]) -> Sites:
    """Return the schools of today and those that any of ``outcomes`` opens."""
    schools = study.schools
    ids = schools["school_id"].astype(str).tolist()
    names = schools["name"].fillna("").astype(str).tolist()
    spots = [(float(x), float(y)) for x, y in zip(schools["x_m"], schools["y_m"], strict=True)]
    today = {key: number for number, key in enumerate(ids)}
    places: dict[tuple[str, float, float], int] = {}
    found = []
    for outcome in outcomes:
        at = dict(today)
        opened = outcome.changes[outcome.changes["what"] == "opened"].drop_duplicates("school_id")
        for row in iterate_rows(opened):
            key, x_m, y_m = str(row.school_id), float(row.x_m), float(row.y_m)
            if (key, x_m, y_m) not in places:
                places[key, x_m, y_m] = len(ids)
                ids.append(key if key not in ids else f"{key}#{len(ids)}")
                names.append(str(row.name))
                spots.append((x_m, y_m))
            at[key] = places[key, x_m, y_m]
        found.append(at)
    points = pd.DataFrame({"id": ids, "name": names, "x_m": [x for x, _ in spots], "y_m": [y for _, y in spots]})
    return Sites(points, tuple(found))


def build_pane_parts(
    study: StudyArea, outcomes: Sequence[Outcome], comparison: Comparison, panes: Panes, _: Translator
) -> dict[str, MapPart]:
    """Return the points, and for every pane its values (``paint_0`` …) and outlines (``zones_0`` …)."""
    sites = list_sites(study, outcomes)
    points = sites.points
    ids, names = points["id"].tolist(), points["name"].tolist()
    placed = compute_part_digest(study.fingerprint, "points", repr(ids), repr(names), points[["x_m", "y_m"]].to_numpy())
    parts = {
        "schools": MapPart(
            "schools", placed, lambda: encode_points(ids, names, points["x_m"], points["y_m"], study.crs)
        )
    }
    zones = [_find_main(study, outcome, panes.stage, at) for outcome, at in zip(outcomes, sites.at, strict=True)]
    colours = _colour_zones(study, zones, len(points)) if panes.painted == "school" else []
    shapes = np.asarray(study.units.geometry.array)
    for place, option in enumerate(panes.shown):
        payload = _build_paint(study, outcomes[option], comparison, panes, option, sites.at[option], _)
        if panes.painted == "school":
            payload["units"] |= _paint_zones(zones[option], colours[option])
            moved = _find_moved(study, comparison, option, panes.stage)
            if len(moved):
                payload["units"]["striped"] = pack_array(moved.astype("<u4"))
        marks = [f"{name}{value}" for name, value in payload["units"].items()]
        digest = compute_part_digest(
            study.fingerprint, "paint", *marks, repr(payload["shown"]), repr(payload["others"])
        )
        parts[f"paint_{place}"] = MapPart("paint", digest, lambda payload=payload: payload)  # type: ignore[misc]
        if outlines_zones(study):
            zone = zones[option]
            own = compute_part_digest(study.fingerprint, "zones", zone)
            parts[f"zones_{place}"] = MapPart(
                "zones",
                own,
                lambda zone=zone: encode_outlines(shapes, zone, study.crs),  # type: ignore[misc]
            )
    return parts


def outlines_zones(study: StudyArea) -> bool:
    """Whether borders of catchments are drawn: not around scattered buildings, and not where it takes seconds."""
    return not study.adjacency.scattered and len(study.units) <= LARGEST_OUTLINED


def _find_main(study: StudyArea, outcome: Outcome, stage: str, at: Mapping[str, int]) -> Ints:
    """Return the position of every unit's main school; −1 for none."""
    main = _select_units(outcome, stage).reindex(study.units["unit_id"].astype(str))["school_id"]
    found: Ints = np.asarray(main.map(at).fillna(-1), dtype=np.int64)
    return found


def _select_units(outcome: Outcome, stage: str) -> pd.DataFrame:
    table = outcome.unit_table
    return table[table["stage"] == stage].drop_duplicates("unit_id").set_index("unit_id")


def _colour_zones(study: StudyArea, zones: Sequence[Ints], count: int) -> list[npt.NDArray[np.uint8]]:
    """Return the colour of every school's catchment, per option: a school keeps its colour where it can."""
    where = {str(key): position for position, key in enumerate(study.units["unit_id"])}
    pairs = zip(study.adjacency.first_ids, study.adjacency.second_ids, strict=True)
    found_pairs = [(where[a], where[b]) for a, b in pairs if a in where and b in where]
    touching: Ints = np.array(found_pairs, dtype=np.int64).reshape(-1, 2)
    found: list[npt.NDArray[np.uint8]] = []
    for zone in zones:
        found.append(compute_drawing_colours(touching, zone, zone, count, found[0] if found else None))
    return found


def _paint_zones(zone: Ints, colours: npt.NDArray[np.uint8]) -> Payload:
    padded = colours if len(colours) else np.zeros(1, dtype=np.uint8)
    classes = np.where(zone >= 0, padded[np.maximum(zone, 0)], MISSING_CLASS).astype(np.uint8)
    return {"classes": pack_array(classes), "colours": list(ZONE_COLOURS)}


def _find_moved(study: StudyArea, comparison: Comparison, option: int, stage: str) -> Ints:
    """Return the positions of the units in which more than half of the pupils go to another school."""
    rows = _select_changes(study, comparison, option, stage)
    moved = (rows["moved_pupils"] > 0.5 * rows["pupils"]) & (rows["pupils"] > 0)
    found: Ints = np.asarray(np.flatnonzero(moved.to_numpy(dtype=np.bool_)), dtype=np.int64)
    return found


def _select_changes(study: StudyArea, comparison: Comparison, option: int, stage: str) -> pd.DataFrame:
    units = comparison.units
    rows = units[(units["option"] == option) & (units["stage"] == stage)].drop_duplicates("unit_id")
    return rows.set_index("unit_id").reindex(study.units["unit_id"].astype(str))


def _build_paint(
    study: StudyArea,
    outcome: Outcome,
    comparison: Comparison,
    panes: Panes,
    option: int,
    at: Mapping[str, int],
    _: Translator,
) -> Payload:
    """Return the values of one pane; for catchments the colours are put in afterwards."""
    minutes = _select_units(outcome, panes.stage).reindex(study.units["unit_id"].astype(str))["time_min"]
    values = minutes.to_numpy(dtype=np.float64)
    units: Payload = {
        "classes": pack_array(classify(values, TIME_BREAKS_MIN).astype(np.uint8)),
        "values": pack_array(values.astype("<f4")),
        "colours": list(TIME_COLOURS),
        "digits": 1,
        **_build_links(study, outcome, panes.stage, at),
    }
    if option:
        rows = _select_changes(study, comparison, option, panes.stage)
        change = rows["change_min"].to_numpy(dtype=np.float64)
        units["changes"] = pack_array(change.astype("<f4"))
        if panes.painted == "change":
            units["classes"] = pack_array(_classify_changes(change, rows["verdict"]))
            units["colours"] = [*RAMP_COLOURS, BAND_COLOURS["lost"], BAND_COLOURS["won"]]
    return {
        "kind": "paint",
        "ids": [],
        "units": units,
        "shown": build_pane_symbols(study, outcome, panes.stage, at, _),
        "others": build_other_symbols(study, panes.stage, at, _),
    }


def _classify_changes(change: Floats, verdict: pd.Series[str]) -> npt.NDArray[np.uint8]:
    classes = classify_changes(change)
    judged = verdict.fillna("").to_numpy(dtype=object)
    unknown = classes == MISSING_CLASS
    classes[unknown & (judged == "lost")] = LOST
    classes[unknown & (judged == "won")] = WON
    return classes


def _build_links(study: StudyArea, outcome: Outcome, stage: str, at: Mapping[str, int]) -> Payload:
    """Return who goes where: positions of units and of their schools, a unit's main school first."""
    where = {str(key): position for position, key in enumerate(study.units["unit_id"])}
    pairs = [tables.pairs for tables in outcome.stages if tables.stage == stage and tables.modelled]
    rows = pairs[0] if pairs else pd.DataFrame({"unit_id": [], "school_id": [], "share": []})
    rows = rows[rows["school_id"] != ""].sort_values("share", ascending=False, kind="stable")
    links = pd.DataFrame({"unit": rows["unit_id"].map(where), "school": rows["school_id"].map(at)}).dropna()
    return {
        "link_units": pack_array(links["unit"].to_numpy(dtype="<u4")),
        "link_schools": pack_array(links["school"].to_numpy(dtype="<u2")),
    }


def build_pane_symbols(
    study: StudyArea, outcome: Outcome, stage: str, at: Mapping[str, int], _: Translator
) -> list[Payload]:
    """Return the schools of the stage in one answer; closed ones crossed, new ones stars, others with badges."""
    view = View(stage=stage, mode=outcome.scenario.mode, basis="modelled", language=_.language)
    symbols = build_symbols(outcome, view, at, _)
    today = set(study.schools["school_id"].astype(str))
    ids = {number: key for key, number in at.items()}
    badges = _find_badges(outcome, stage)
    for symbol in symbols:
        key = ids[int(symbol["at"])]
        if key not in today:
            symbol |= {"mark": "new", "strong": True, "lines": [_("New school"), *symbol["lines"]]}
        elif key in badges:
            symbol |= {"badge": badges[key], "strong": True}
    here = set(outcome.school_table.loc[outcome.school_table["stage"] == stage, "school_id"].astype(str))
    taught = study.places.loc[study.places["stage"] == stage, "school_id"].astype(str)
    kinds = dict(zip(study.schools["school_id"].astype(str), study.schools["kind"].fillna("").astype(str), strict=True))
    closed = [
        {
            "at": at[key],
            "shape": STAGE_SHAPES[stage],
            "colour": "#d5d8da",
            "mark": "closed",
            "strong": True,
            "size": 5.5,
            "lines": [name_kind(kinds.get(key, ""), _), _("Closed for this stage")],
        }
        for key in dict.fromkeys(taught)
        if key in today and key not in here and stage in outcome.scenario.stages
    ]
    # What changes lies above the rest.
    return sorted([*symbols, *closed], key=lambda item: (bool(item.get("strong")), -float(item["size"])))


def _find_badges(outcome: Outcome, stage: str) -> dict[str, str]:
    changes = outcome.changes
    found = {}
    for row in iterate_rows(changes[changes["stage"].isin(["", stage])]):
        if row.what == "places":
            found[str(row.school_id)] = "minus" if float(row.places_after) < float(row.places_before) else "plus"
        elif row.what in BADGES:
            found[str(row.school_id)] = BADGES[str(row.what)]
    return found


def build_pane_scene(
    study: StudyArea, outcomes: Sequence[Outcome], comparison: Comparison, panes: Panes, _: Translator
) -> dict[str, Any]:
    """Return texts, layers, legend, and under ``panes`` which answers stand where."""
    labels = [comparison.names[option] for option in panes.shown]
    return {
        "study": find_ground(study),
        "version": compute_digest(
            study.fingerprint, panes, tuple(labels), *(o.record.plan_fingerprint for o in outcomes)
        ),
        "text": {
            **build_map_texts(_),
            "value": _("{value} min to school"),
            "no_value": _("No school within reach"),
            "change": _("{value} min against the baseline"),
            "not_open": _("Not open here"),
            "divider": _("Drag the line to compare, or use the arrow keys"),
        },
        "layers": _build_layers(study, panes, _),
        "legend": _build_legend(study, outcomes, comparison, panes, _),
        "road_styles": {str(rank): list(style) for rank, style in ROAD_STYLES.items()},
        "band_colours": {},
        "outline": panes.painted == "school" and outlines_zones(study),
        "attribution": find_credit(study),
        "panes": {"layout": panes.layout, "items": [{"label": label} for label in labels]},
    }


def _build_layers(study: StudyArea, panes: Panes, _: Translator) -> list[dict[str, Any]]:
    roads, water = len(study.basemap.roads) > 0, len(study.basemap.water) > 0
    layers = [
        ("units", _("Planning units"), True, True),
        ("striped", _("Areas that change school"), True, panes.painted == "school"),
        ("zones", _("Catchment borders"), False, outlines_zones(study)),
        ("schools", _("Schools of this stage"), True, True),
        ("others", _("Other schools"), False, True),
        ("roads", _("Roads"), True, roads),
        ("water", _("Water"), True, water),
        ("names", _("Names"), True, True),
    ]
    keys = {"roads": {"keys": build_road_keys(_)}}
    return [
        {"id": name, "label": label, "on": on, "lazy": False, **keys.get(name, {})}
        for name, label, on, has in layers
        if has
    ]


def _build_legend(
    study: StudyArea, outcomes: Sequence[Outcome], comparison: Comparison, panes: Panes, _: Translator
) -> list[dict[str, Any]]:
    shown = [outcomes[option] for option in panes.shown]
    fills = pd.concat([item.school_table["modelled_fill_share"] for item in shown]) if shown else pd.Series(dtype=float)
    sections = build_legend(
        _,
        stage=panes.stage,
        mode=shown[0].scenario.mode,
        colour_by="time" if panes.painted == "time" else "school",
        basis="modelled",
        child_breaks=(),
        fill_known=bool(fills.notna().any()),
        way_note=say_way_method(study, shown[0].scenario.mode, _),
    )
    units = sections[0]
    if panes.painted == "change":
        units = _build_change_section(comparison, panes, _)
    elif panes.painted == "school":
        stripes = {"kind": "area", "colour": "#f2f2ee", "mark": "striped", "label": _("school changes")}
        units = {
            "title": _("Catchments"),
            "layer": "units",
            "flow": True,
            "items": [
                {"kind": "area", "colour": ZONE_COLOURS[0], "label": _("a colour for each school")},
                {"kind": "area", "colour": "hatch", "label": _("no school")},
                stripes,
            ],
        }
    fill = [section for section in sections[1:3] if section["layer"] == "schools"]
    return [units, *fill, *_build_sign_section(study, shown, panes.stage, _)]


def _build_change_section(comparison: Comparison, panes: Panes, _: Translator) -> dict[str, Any]:
    units = comparison.units
    rows = units[units["option"].isin(panes.shown) & (units["stage"] == panes.stage)]
    unknown = ~np.isfinite(rows["change_min"].to_numpy(dtype=np.float64))
    judged = set(rows.loc[unknown, "verdict"])
    items = [
        {"kind": "area", "colour": BAND_COLOURS[name], "label": label}
        for name, label in (("lost", _("loses its way to school")), ("won", _("gets a way to school")))
        if name in judged
    ]
    if judged - {"lost", "won"}:
        items.append({"kind": "area", "colour": "hatch", "label": _("unknown, or no school in both")})
    return {
        "title": _("Minutes against “{name}”: blue shorter, orange longer", name=comparison.names[0]),
        "layer": "units",
        "flow": True,
        "ramp": {"colours": list(RAMP_COLOURS), "bounds": list(RAMP_BOUNDS)},
        "items": items,
    }


def _build_sign_section(study: StudyArea, shown: Sequence[Outcome], stage: str, _: Translator) -> list[dict[str, Any]]:
    """Return the signs of closed, new and changed schools as far as they stand on the maps."""
    every = {
        "closed": {"mark": "closed", "colour": "#d5d8da", "label": _("closed")},
        "new": {"mark": "new", "label": _("new school")},
        "plus": {"badge": "plus", "label": _("more places")},
        "minus": {"badge": "minus", "label": _("fewer places")},
        "half": {"badge": "half", "label": _("teaching point")},
        "pair": {"badge": "pair", "label": _("campus")},
        "dot": {"badge": "dot", "label": _("other change")},
    }
    found: set[str] = set()
    today = set(study.places.loc[study.places["stage"] == stage, "school_id"].astype(str))
    for outcome in shown:
        here = set(outcome.school_table.loc[outcome.school_table["stage"] == stage, "school_id"].astype(str))
        found |= set(_find_badges(outcome, stage).values())
        found |= ({"closed"} if today - here else set()) | ({"new"} if here - today else set())
    plain = {"kind": "point", "shape": STAGE_SHAPES[stage], "colour": "#f4efe4", "size": 5.5}
    items = [{**plain, **sign} for name, sign in every.items() if name in found]
    return [{"title": _("Against today"), "layer": "schools", "flow": True, "items": items}] if items else []
