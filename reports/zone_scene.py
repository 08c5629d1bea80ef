"""The map of proposed zones: a colour for each zone, no two neighbours alike; areas that change are marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.study import compute_digest
from reports.colours import MISSING_CLASS, ZONE_COLOURS, compute_zone_colours
from reports.language import Translator
from reports.map_scene import View, build_paint, build_scene, find_main_schools
from reports.maps import MapPart, compute_part_digest, encode_outlines, pack_array
from reports.zone_answer import count_moved, find_report, list_split

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from planning.run import Outcome

Stripes = Literal["", "moved", "elsewhere", "split", "conflict"]


@dataclass(frozen=True, eq=False)
class ZonePicture:
    """What a map of zones shows beside fill and travel.

    ``zone`` (units,): number of every unit's zone, −1 for none. ``striped`` and ``ringed``: positions of marked units;
    ``stripes`` says what the stripes mean: the school changes against the current zones (``"moved"``) or against the
    nearest school (``"elsewhere"``), pupils go to several schools (``"split"``), a rule cannot hold (``"conflict"``).
    Ringed units are exclaves.
    """

    zone: npt.NDArray[np.int64]
    striped: npt.NDArray[np.int64]
    stripes: Stripes
    ringed: npt.NDArray[np.int64]


def build_picture(study: StudyArea, outcome: Outcome, today: Outcome, stage: str) -> ZonePicture:
    """Return what the map of an answer shows; without a plan, today's zones with the units of the conflicts."""
    ids = study.units["unit_id"].astype(str).to_numpy()
    nowhere = np.empty(0, dtype=np.int64)
    if outcome.plan is None:
        against = {unit for conflict in outcome.hard_conflicts for unit in conflict.unit_ids}
        marked = np.flatnonzero([unit in against for unit in ids])
        return ZonePicture(find_main_schools(study, today, stage), marked, "conflict" if len(marked) else "", nowhere)
    report = find_report(outcome, stage)
    if report is None:
        split = np.flatnonzero([unit in list_split(outcome, stage) for unit in ids])
        show = outcome.scenario.enrolment == "capacity" and len(split) > 0
        zone = find_main_schools(study, outcome, stage)
        return ZonePicture(zone, split if show else nowhere, "split" if show else "", nowhere)
    rows = report.units.set_index("unit_id").reindex(ids)
    zone = pd.factorize(rows["zone_id"])[0].astype(np.int64)
    counted = bool(rows["moved_pupils"].notna().any())
    moved = rows["moved_pupils"].fillna(0.0) if counted else count_moved(today, outcome, stage).reindex(ids).fillna(0.0)
    striped = np.flatnonzero(moved.to_numpy(dtype=np.float64) > 0.5)
    ringed = np.flatnonzero(rows["exclave"].fillna(False).to_numpy(dtype=np.bool_))
    stripes: Stripes = "" if not len(striped) else "moved" if counted else "elsewhere"
    return ZonePicture(zone, striped, stripes, ringed)


def build_plain_picture(study: StudyArea, outcome: Outcome, stage: str) -> ZonePicture:
    """Return the picture of an outcome without marks."""
    nowhere = np.empty(0, dtype=np.int64)
    return ZonePicture(find_main_schools(study, outcome, stage), nowhere, "", nowhere)


def build_zone_parts(
    study: StudyArea, outcome: Outcome, view: View, picture: ZonePicture, _: Translator
) -> Mapping[str, MapPart]:
    """Return what the browser paints: values and marks of units, symbols of schools, outlines of zones."""
    payload = build_paint(study, outcome, view, _)
    units = payload["units"]
    if view.colour_by == "school":
        units["classes"] = pack_array(_colour_units(study, picture.zone))
        units["colours"] = list(ZONE_COLOURS)
    for name, marked in (("striped", picture.striped), ("ringed", picture.ringed)):
        if len(marked):
            units[name] = pack_array(marked.astype("<u4"))
    shapes = np.asarray(study.units.geometry.array)
    paint = compute_part_digest(
        study.fingerprint, "paint", *(f"{name}{value}" for name, value in units.items()), repr(payload["shown"])
    )
    parts = {"paint": MapPart("paint", paint, lambda: payload)}
    if not study.adjacency.scattered:
        outlines = compute_part_digest(study.fingerprint, "zones", picture.zone)
        parts["zones"] = MapPart("zones", outlines, lambda: encode_outlines(shapes, picture.zone, study.crs))
    return parts


def _colour_units(study: StudyArea, zone: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    where = {str(key): position for position, key in enumerate(study.units["unit_id"])}
    pairs = zip(study.adjacency.first_ids, study.adjacency.second_ids, strict=True)
    touching = [(where[a], where[b]) for a, b in pairs if a in where and b in where]
    colours = np.array(compute_zone_colours(zone.tolist(), touching) or [0], dtype=np.uint8)
    return np.where(zone >= 0, colours[np.maximum(zone, 0)], MISSING_CLASS).astype(np.uint8)


def build_zone_scene(
    study: StudyArea, outcome: Outcome, view: View, picture: ZonePicture, _: Translator
) -> dict[str, Any]:
    """Return texts, legend, layers and colours of the view."""
    scene = build_scene(study, outcome, view, _, has_isochrones=False)
    marks = _list_marks(picture, _)
    # Lines around every single building would hide the colours.
    scattered = study.adjacency.scattered
    layers = [
        {**layer, "on": True, "lazy": False, "label": _("Zone borders")} if layer["id"] == "zones" else layer
        for layer in scene["layers"]
        if not (scattered and layer["id"] == "zones")
    ]
    own = [{"id": name, "label": label, "on": not scattered, "lazy": False} for name, label in marks]
    legend = list(scene["legend"])
    items = [
        {"kind": "area", "colour": "#f2f2ee", "mark": name, "label": label} for name, label in marks if not scattered
    ]
    if view.colour_by == "school":
        hatch = [{"kind": "area", "colour": "hatch", "label": _("no school")}] if (picture.zone < 0).any() else []
        label = _("a colour for each, neighbours differ")
        if outcome.scenario.enrolment in ("capacity", "choice"):
            label = _("school that most pupils of an area attend")
        own_colour = {"kind": "area", "colour": ZONE_COLOURS[0], "label": label}
        legend[0] = {"title": _("Zones"), "layer": "units", "flow": True, "items": [own_colour, *hatch, *items]}
    else:
        legend[0] = {**legend[0], "items": [*legend[0]["items"], *items]}
    return {
        **scene,
        "layers": [*layers[:1], *own, *layers[1:]],
        "legend": [section for section in legend if section["layer"] not in ("isochrones", "others")],
        "outline": not scattered,
        "version": compute_digest(scene["version"], picture.stripes, picture.zone, picture.striped, picture.ringed),
    }


def _list_marks(picture: ZonePicture, _: Translator) -> list[tuple[str, str]]:
    meanings = {
        "moved": _("school changes against today"),
        "elsewhere": _("not at the nearest school"),
        "split": _("pupils go to several schools"),
        "conflict": _("a rule cannot hold here"),
    }
    found = [("striped", meanings[picture.stripes])] if picture.stripes else []
    return [*found, ("ringed", _("exclave of its zone"))] if len(picture.ringed) else found
