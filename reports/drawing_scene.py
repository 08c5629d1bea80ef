"""The map on which zones are drawn: shapes once, and with every run only zones, locks, colours, marks and fill.

The browser paints what the planner does at once and numbers it; the next run's answer names the last stroke that it
contains, so that the browser can lay its newer ones on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.border_lines import build_border_lines
from geodata.study import FrozenArrays, StudyArea, compute_digest
from reports.colours import (
    FILL_BREAKS,
    FILL_COLOURS,
    MISSING_CLASS,
    ROAD_STYLES,
    UNKNOWN_COLOUR,
    ZONE_COLOURS,
    classify,
    compute_radius_px,
)
from reports.drawing_words import MARK_STYLES, build_drawing_texts, name_mark
from reports.language import Translator
from reports.legend import STAGE_SHAPES, build_legend, name_kind
from reports.map_scene import (
    build_other_symbols,
    build_road_keys,
    build_study_parts,
    children_of_units,
    find_credit,
    say_fill,
)
from reports.maps import (
    MapPart,
    Payload,
    compute_part_digest,
    encode_paths,
    pack_array,
    pack_compressed,
    simplify_coverage,
    to_world,
)

if TYPE_CHECKING:
    from geodata.study import Mode, Stage

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DrawingState(FrozenArrays):
    """What is drawn at one moment; arrays by position in ``study.units`` or by zone.

    ``number``: revision, rises with every change. ``zone``, ``before`` (units,): proposed and current zone, −1 = none.
    ``locked`` (units,). ``zone_names``, ``zone_schools`` (school ids of each zone), ``colours`` (zones,): see
    ``compute_drawing_colours``. ``school_fill``: ``school_id``, ``pupils``, ``places``, ``fill_share`` of every school
    of the stage. ``marks``: positions of units by kind of mark (see ``MARK_STYLES``); which units move against
    ``before`` the browser sees by itself. ``ack``: last stroke applied. ``token`` tells drawings of one set of
    zones apart.
    """

    number: int
    zone: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    locked: npt.NDArray[np.bool_]
    zone_names: tuple[str, ...]
    zone_schools: tuple[tuple[str, ...], ...]
    school_fill: pd.DataFrame
    marks: Mapping[str, Positions]
    colours: npt.NDArray[np.uint8]
    ack: int = 0
    can_undo: bool = True
    can_redo: bool = True
    mark_labels: Mapping[str, str] = field(default_factory=dict)
    token: str = ""


def compute_drawing_id(study: StudyArea, stage: str, zone_schools: tuple[tuple[str, ...], ...], token: str = "") -> str:
    """Return the name of a drawing: strokes of another study, stage, set of zones or token are not meant for it."""
    return compute_digest("drawing", study.fingerprint, stage, zone_schools, token)


def build_drawing_parts(
    study: StudyArea, state: DrawingState, *, stage: Stage, _: Translator
) -> dict[str, MapPart | None]:
    """Return what the browser keeps: units, schools, basemap, borders, and a table of what stays alike by unit."""

    def part(role: str, build: Any, *details: object) -> MapPart:
        return MapPart(role, compute_part_digest(study.fingerprint, role, *details), build)

    details = (stage, _.language, state.before, state.zone_names, state.zone_schools)
    return {
        **build_study_parts(study),
        "borders": part("borders", lambda: encode_borders(study)),
        "table": part("table", lambda: encode_table(study, state, stage, _), *details),
    }


def encode_borders(study: StudyArea) -> Payload:
    """Pack every common border of units once, with its two units; scattered units have none."""
    shapes = simplify_coverage(np.asarray(study.units.geometry.array))
    lines = build_border_lines(shapes[:0] if study.adjacency.scattered else shapes)
    world = to_world(lines.points_m[:, 0], lines.points_m[:, 1], study.crs)
    return {
        "kind": "borders",
        "ids": [],
        "shape": encode_paths(world, lines.sizes, np.ones(len(lines.sizes), dtype=np.int64)),
        "first": pack_compressed(lines.first),
        "second": pack_compressed(lines.second),
    }


def encode_table(study: StudyArea, state: DrawingState, stage: Stage, _: Translator) -> Payload:
    """Pack demand points, pupils and current zones of units, names and schools of zones, and other schools."""
    school_at = {str(key): position for position, key in enumerate(study.schools["school_id"])}
    world = to_world(study.units["x_m"], study.units["y_m"], study.crs)
    kinds = [name_kind(str(kind), _) for kind in study.schools["kind"]]
    names, kind_of = np.unique(np.array(kinds, dtype=str), return_inverse=True)
    return {
        "kind": "table",
        "ids": [],
        "x": pack_compressed(world[:, 0]),
        "y": pack_compressed(world[:, 1]),
        "pupils": pack_array(children_of_units(study, stage).astype("<f4")),
        "before": pack_compressed(state.before),
        "names": list(state.zone_names),
        "schools": [[school_at[key] for key in keys if key in school_at] for keys in state.zone_schools],
        "kinds": names.tolist(),
        "kind_of": kind_of.tolist(),
        "others": build_other_symbols(study, stage, school_at, _),
    }


def build_drawing_scene(
    study: StudyArea, state: DrawingState, *, stage: Stage, mode: Mode, _: Translator, editable: bool = True
) -> dict[str, Any]:
    """Return texts, layers, legend, and under ``edit`` what is drawn now; ``ui.map_canvas.render_map`` packs it.

    ``editable`` False shows the zones and their views without the tools.
    """
    return {
        "study": study.fingerprint,
        "version": compute_digest(study.fingerprint, stage, mode, _.language, state.number, state.ack),
        "text": build_drawing_texts(_),
        "layers": _build_layers(study, state, _),
        "legend": _build_legend(study, state, stage, mode, _),
        "road_styles": {str(rank): list(style) for rank, style in ROAD_STYLES.items()},
        "band_colours": {},
        "outline": False,
        "attribution": find_credit(study),
        "edit": {
            "drawing": compute_drawing_id(study, stage, state.zone_schools, state.token),
            "number": state.number,
            "ack": state.ack,
            "editable": editable,
            "undo": state.can_undo,
            "redo": state.can_redo,
            "zone": state.zone,
            "locked": state.locked,
            "colours": state.colours.tolist(),
            "palette": list(ZONE_COLOURS),
            "shape": STAGE_SHAPES[stage],
            "symbols": _build_symbols(study, state, _),
            "marks": {name: np.asarray(units, dtype=np.int64) for name, units in state.marks.items() if len(units)},
            "mark_styles": {name: MARK_STYLES.get(name, "ringed") for name in state.marks},
        },
    }


def _build_symbols(study: StudyArea, state: DrawingState, _: Translator) -> list[list[Any]]:
    """Return ``[position, radius in pixels, colour, mark, fill in words]`` per school, the largest first."""
    school_at = {str(key): position for position, key in enumerate(study.schools["school_id"])}
    rows = state.school_fill[state.school_fill["school_id"].astype(str).isin(school_at)]
    pupils, places, fill = (
        rows[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("pupils", "places", "fill_share")
    )
    classes, sizes = classify(fill, FILL_BREAKS), compute_radius_px(pupils)
    unknown = "unknown" if np.isfinite(fill).any() else ""
    symbols = []
    for key, count, room, share, name, size in zip(
        rows["school_id"], pupils, places, fill, classes, sizes, strict=True
    ):
        known = name != MISSING_CLASS
        colour = FILL_COLOURS[name] if known else UNKNOWN_COLOUR
        mark = unknown if not known else "over" if share > 1.0 else ""
        words = say_fill(_, count, room, share)
        symbols.append([school_at[str(key)], round(float(size), 1), colour, mark, words])
    return sorted(symbols, key=lambda item: -float(item[1]))


def _build_layers(study: StudyArea, state: DrawingState, _: Translator) -> list[dict[str, Any]]:
    scattered = study.adjacency.scattered
    roads, water = len(study.basemap.roads) > 0, len(study.basemap.water) > 0
    marks = [(name, _name_mark(state, name, _), not scattered, True) for name in state.marks]
    layers = [
        ("units", _("Zones"), True, True),
        ("moved", _("Areas that change school"), not scattered, True),
        *marks,
        ("zones", _("Zone borders"), True, not scattered),
        ("locks", _("Locks"), True, True),
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


def _name_mark(state: DrawingState, name: str, _: Translator) -> str:
    return state.mark_labels.get(name) or name_mark(name, _)


def _build_legend(
    study: StudyArea, state: DrawingState, stage: Stage, mode: Mode, _: Translator
) -> list[dict[str, Any]]:
    known = bool(np.isfinite(state.school_fill["fill_share"].to_numpy(dtype=np.float64, na_value=np.nan)).any())
    legend = build_legend(
        _, stage=stage, mode=mode, colour_by="school", basis="modelled", child_breaks=(0.0,), fill_known=known
    )
    items: list[dict[str, Any]] = []
    if (state.zone < 0).any() or (state.before < 0).any():
        items.append({"kind": "area", "colour": "hatch", "label": _("no school")})
    plain = {"kind": "area", "colour": "#f2f2ee"}
    items.append({**plain, "mark": "dotted", "label": _("changes school")})
    items.append({**plain, "mark": "lock", "label": _("locked")})
    marks = [
        {**plain, "mark": MARK_STYLES.get(name, "ringed"), "label": _name_mark(state, name, _)} for name in state.marks
    ]
    first = {"title": "", "layer": "units", "flow": True, "items": [*items, *marks]}
    # Room is for the map: that colours are zones is plain, and the other pages say what the size of a symbol means.
    return [first, next(part for part in legend if part["layer"] == "schools")]
