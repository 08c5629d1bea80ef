"""The map of a scenario: what closes is crossed, what opens is a star, areas that move are striped."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from geodata.study import compute_digest
from reports.change_bands import RAMP_BOUNDS, RAMP_COLOURS, classify_changes
from reports.colours import (
    FILL_COLOURS,
    MISSING_CLASS,
    ROAD_STYLES,
    TIME_BREAKS_MIN,
    TIME_COLOURS,
    ZONE_COLOURS,
    classify,
)
from reports.drawing_colours import compute_drawing_colours
from reports.legend import STAGE_SHAPES, build_legend
from reports.map_scene import build_map_texts, build_road_keys, find_credit, say_way_method
from reports.maps import MapPart, Payload, compute_part_digest, encode_outlines, encode_points, pack_array
from reports.scenario_points import PAINTED as PAINTED
from reports.scenario_points import Look as Look
from reports.scenario_points import Painted as Painted
from reports.scenario_points import Picture as Picture
from reports.scenario_points import build_picture as build_picture
from reports.scenario_points import build_point_symbols

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from reports.language import Translator

LARGEST_MOVES = 2_500
"""With more areas that change than these, lines to their schools would hide the map."""
LARGEST_OUTLINED = 4_000


def build_scenario_parts(
    study: StudyArea, picture: Picture, look: Look, _: Translator, *, pairs: npt.NDArray[np.int64]
) -> dict[str, MapPart]:
    """Return the parts that a scenario changes: points, paint, and outlines of zones in smaller counties.

    ``pairs``: positions of neighbouring units, shape (pairs, 2).
    """
    points = picture.points
    ids, names = points["point_id"].tolist(), points["name"].tolist()
    payload = build_scenario_paint(study, picture, look, _, pairs=pairs)
    marks = [f"{name}{value}" for name, value in payload["units"].items()]
    paint = compute_part_digest(study.fingerprint, "paint", *marks, repr(payload["shown"]), repr(payload["others"]))
    placed = compute_part_digest(study.fingerprint, "points", repr(ids), repr(names))
    x_m, y_m = points["x_m"], points["y_m"]
    parts = {
        "schools": MapPart("schools", placed, lambda: encode_points(ids, names, x_m, y_m, study.crs)),
        "paint": MapPart("paint", paint, lambda: payload),
    }
    if outlines_zones(study):
        zone = picture.before if look.painted == "today" else picture.after
        shapes = np.asarray(study.units.geometry.array)
        digest = compute_part_digest(study.fingerprint, "zones", zone)
        parts["zones"] = MapPart("zones", digest, lambda: encode_outlines(shapes, zone, study.crs))
    return parts


def outlines_zones(study: StudyArea) -> bool:
    """Whether borders of catchments are drawn: not around scattered buildings, and not where it takes seconds."""
    return not study.adjacency.scattered and len(study.units) <= LARGEST_OUTLINED


def build_scenario_paint(
    study: StudyArea, picture: Picture, look: Look, _: Translator, *, pairs: npt.NDArray[np.int64]
) -> Payload:
    """Return the values that the map paints."""
    now = picture.now
    shown = picture.before if look.painted == "today" else picture.after
    minutes = now.min_before if look.painted == "today" else now.min_after
    classes, colours, values = _paint_units(picture, look, pairs, minutes)
    linked = np.flatnonzero(shown >= 0)
    units: Payload = {
        "classes": pack_array(classes.astype(np.uint8)),
        "values": pack_array(np.asarray(values, dtype="<f4")),
        "link_units": pack_array(linked.astype("<u4")),
        "link_schools": pack_array(shown[linked].astype("<u2")),
        "colours": list(colours),
        "digits": 0,
    }
    moved = picture.moved
    if len(moved) and look.painted != "today":
        units["striped"] = pack_array(moved.astype("<u4"))
    if look.picked_units:
        where = {str(key): number for number, key in enumerate(study.units["unit_id"])}
        ringed = sorted(where[key] for key in look.picked_units if key in where)
        units["ringed"] = pack_array(np.array(ringed, dtype="<u4"))
    symbols = build_point_symbols(study, picture, look, _)
    return {"kind": "paint", "ids": [], "units": units, "shown": symbols[0], "others": symbols[1]}


def _paint_units(
    picture: Picture, look: Look, pairs: npt.NDArray[np.int64], minutes: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.uint8], tuple[str, ...], npt.NDArray[np.float64]]:
    """Return class, colours and value of every unit."""
    now = picture.now
    if look.painted == "time":
        return classify(minutes, TIME_BREAKS_MIN), TIME_COLOURS, minutes
    if look.painted == "change":
        change = now.min_after - now.min_before
        return classify_changes(change), RAMP_COLOURS, change
    count = len(picture.points)
    before = compute_drawing_colours(pairs, picture.before, picture.before, count)
    colours = compute_drawing_colours(pairs, picture.after, picture.after, count, before)
    zone, palette = (picture.before, before) if look.painted == "today" else (picture.after, colours)
    padded = palette if len(palette) else np.zeros(1, dtype=np.uint8)
    classes = np.where(zone >= 0, padded[np.maximum(zone, 0)], MISSING_CLASS).astype(np.uint8)
    return classes, ZONE_COLOURS, minutes


def name_painted(painted: Painted, _: Translator) -> str:
    """Return what the colour of the areas means, as a switch shows it."""
    names = {
        "zones": _("Who goes where"),
        "time": _("Minutes"),
        "change": _("Minutes more or less"),
        "today": _("Today"),
    }
    return names[painted]


def build_scenario_scene(study: StudyArea, picture: Picture, look: Look, _: Translator) -> dict[str, Any]:
    """Return texts, legend, layers and colours of the map."""
    moved = len(picture.moved) > 0 and look.painted != "today"
    few = len(picture.moved) <= LARGEST_MOVES
    roads, water = len(study.basemap.roads) > 0, len(study.basemap.water) > 0
    layers = [
        ("units", _("Planning units"), True, True),
        ("striped", _("Areas whose school changes"), True, moved),
        ("moves", _("Lines to the new school"), few, moved),
        ("ringed", _("Areas chosen"), True, bool(look.picked_units)),
        ("schools", _("Schools of this stage"), True, True),
        ("others", _("Other schools"), False, True),
        ("zones", _("Catchment borders"), False, outlines_zones(study)),
        ("roads", _("Roads"), True, roads),
        ("water", _("Water"), True, water),
        ("names", _("Names"), True, True),
    ]
    return {
        "study": study.fingerprint,
        "version": compute_digest(study.fingerprint, look, picture.after, picture.before, picture.now.numbers),
        "text": _build_texts(look, _),
        "layers": [
            {
                "id": name,
                "label": label,
                "on": on,
                "lazy": False,
                **({"keys": build_road_keys(_)} if name == "roads" else {}),
            }
            for name, label, on, has in layers
            if has
        ],
        "legend": _build_legend(study, picture, look, _),
        "road_styles": {str(rank): list(style) for rank, style in ROAD_STYLES.items()},
        "band_colours": {},
        "outline": look.painted in ("zones", "today") and outlines_zones(study),
        "attribution": find_credit(study),
        "picking": bool(look.picked_points or look.picked_units),
    }


def _build_texts(look: Look, _: Translator) -> dict[str, str]:
    value, no_value = _("{value} min to school"), _("No school within reach")
    if look.painted == "change":
        value, no_value = _("{value} min more (less: with a minus)"), _("Change unknown: no way before or after")
    return {**build_map_texts(_), "value": value, "no_value": no_value}


def _build_legend(study: StudyArea, picture: Picture, look: Look, _: Translator) -> list[dict[str, Any]]:
    stage, mode = picture.now.stage, picture.now.mode
    known = bool((picture.now.schools["places_after"] > 0).any())
    sections = build_legend(
        _,
        stage=stage,
        mode=mode,
        colour_by="time" if look.painted == "time" else "school",
        basis="modelled",
        child_breaks=(),
        fill_known=known,
        way_note=say_way_method(study, mode, _),
    )
    units = dict(sections[0])
    hatch = {"kind": "area", "colour": "hatch", "label": _("no school")}
    stripes = {"kind": "area", "colour": "#f2f2ee", "mark": "striped", "label": _("school changes")}
    if look.painted == "change":
        units = {
            "title": _("Minutes more or less than today"),
            "layer": "units",
            "ramp": {"colours": list(RAMP_COLOURS), "bounds": list(RAMP_BOUNDS)},
            "items": [hatch],
        }
    elif look.painted in ("zones", "today"):
        each = {"kind": "area", "colour": ZONE_COLOURS[0], "label": _("a colour for each school")}
        units = {"title": _("Catchments"), "layer": "units", "flow": True, "items": [each, hatch]}
    if len(picture.moved) and look.painted != "today":
        units["items"] = [*units["items"], stripes]
    kept = [_trim_fill(section, picture) for section in sections[1:3] if section["layer"] == "schools"]
    if (picture.after >= 0).all():
        units["items"] = [item for item in units["items"] if item is not hatch]
    return [units, *kept, *_build_change_legend(picture, look, stage, _)]


def _trim_fill(section: dict[str, Any], picture: Picture) -> dict[str, Any]:
    """Leave out of the legend what no school of this map is: every line of it takes height from the map."""
    schools = picture.now.schools
    open_now = schools[schools["pupils_after"].notna()]
    if len(section["items"]) == 2 and open_now["places_after"].notna().all():
        return {**section, "items": section["items"][:1]}
    return section


def _build_change_legend(picture: Picture, look: Look, stage: str, _: Translator) -> list[dict[str, Any]]:
    """Return the signs that stand on this map."""
    if look.painted == "today":
        return []
    points, shape = picture.points, STAGE_SHAPES[stage]
    grey = {"kind": "point", "shape": shape, "colour": FILL_COLOURS[2], "size": 5.5}
    every = {
        "closed": {**grey, "colour": "#d5d8da", "mark": "closed", "label": _("closed")},
        "opened": {**grey, "mark": "new", "label": _("new school")},
        "site": {**grey, "mark": "site", "label": _("candidate site")},
    }
    badges = {
        "plus": _("more places"),
        "minus": _("fewer places"),
        "half": _("teaching point"),
        "pair": _("campus"),
        "dot": _("other change"),
    }
    items: list[dict[str, Any]] = [item for what, item in every.items() if _has(points["what"], what)]
    items += [{**grey, "badge": name, "label": label} for name, label in badges.items() if _has(points["badge"], name)]
    return [{"title": _("Scenario"), "layer": "schools", "flow": True, "items": items}] if items else []


def _has(values: Collection[str], wanted: str) -> bool:
    return wanted in set(values)
