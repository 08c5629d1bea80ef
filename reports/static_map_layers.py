"""What static maps are drawn from: outlines of zones, changed land, towns, roads, water and schools, prepared once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.outlines import build_zone_outlines
from geodata.road_classes import read_road_classes
from planning.publication import list_zones
from reports.consultation_layers import find_school_points
from reports.document_fonts import cover_missing
from reports.maps import RANK_OF_GROUP

if TYPE_CHECKING:
    from reports.consultation_case import Consultation

TOLERANCE_SHARE = 1 / 4000
"""Outlines may move by this share of the county's width: about a third of a dot on a page."""
Box = tuple[float, float, float, float]
Shapes = npt.NDArray[Any]


@dataclass(frozen=True)
class School:
    """A school as it is marked: ``status`` same, changed, new or gone (closed or merged)."""

    school_id: str
    name: str
    x_m: float
    y_m: float
    status: str
    changed: bool


@dataclass(frozen=True, eq=False)
class MapLayers:
    """Shapes in metres of the study's CRS.

    ``zones``: by stage and side, one area per zone with the ids of its schools. ``changed``: by stage, the land of all
    communities that change. ``towns``: empty where borders are not to be shown. ``roads``: lines with rank (1 main
    road … 4) and name; ``water``: lines and areas.
    """

    zones: Mapping[tuple[str, str], Sequence[tuple[frozenset[str], shapely.Geometry]]]
    changed: Mapping[str, shapely.Geometry]
    towns: Sequence[shapely.Geometry]
    schools: Mapping[str, Sequence[School]]
    roads: Shapes
    ranks: npt.NDArray[np.int64]
    road_names: Sequence[str]
    water: Shapes
    bounds: Box
    map_number: str = ""
    credit: str = ""
    road_tree: shapely.STRtree = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "road_tree", shapely.STRtree(self.roads))

    def find_zone(self, stage: str, side: str, school_id: str) -> shapely.Geometry:
        """Return the land from which children go to a school, shared land too; empty where there is none."""
        parts = [shape for ids, shape in self.zones.get((stage, side), ()) if school_id in ids]
        return shapely.union_all(parts) if len(parts) > 1 else parts[0] if parts else shapely.Polygon()


def build_map_layers(consultation: Consultation) -> MapLayers:
    """Return the layers of a consultation's maps: all outlines in one go, so that they share their borders."""
    study, publication, options = consultation.study, consultation.publication, consultation.options
    bounds = _find_bounds(study.units)
    frames = [
        list_zones(publication, side).assign(layer=side)[["unit_id", "stage", "school_id", "layer"]]
        for side in ("before", "after")
    ]
    moved = publication.units.loc[publication.units["changed"].astype(bool), ["unit_id", "stage"]]
    frames.append(moved.assign(school_id="changed", layer="changed"))
    if options.show_boundaries and "town" in study.units:
        towns = pd.DataFrame(
            {"unit_id": study.units["unit_id"].astype(str), "school_id": study.units["town"].astype(str)}
        )
        frames.append(towns[towns["school_id"].str.len() > 0].assign(stage="town", layer="town"))
    rows = pd.concat(frames, ignore_index=True)
    rows["stage"] = rows["stage"].astype(str) + "|" + rows["layer"]
    tolerance = max(bounds[2] - bounds[0], bounds[3] - bounds[1]) * TOLERANCE_SHARE
    outlines = build_zone_outlines(study.units, rows, scattered=study.adjacency.scattered, tolerance_m=tolerance)
    zones: dict[tuple[str, str], list[tuple[frozenset[str], shapely.Geometry]]] = {}
    for stage_layer, ids, shape in zip(outlines["stage"], outlines["school_id"], outlines.geometry, strict=True):
        stage, layer = str(stage_layer).rsplit("|", 1)
        zones.setdefault((stage, layer), []).append((frozenset(str(ids).split(";")), shape))
    roads, ranks, names = _list_roads(consultation, tolerance)
    return MapLayers(
        zones={key: tuple(found) for key, found in zones.items() if key[1] in ("before", "after")},
        changed={key[0]: found[0][1] for key, found in zones.items() if key[1] == "changed"},
        towns=[shape for _ids, shape in zones.get(("town", "town"), ())],
        schools=_list_schools(consultation),
        roads=roads,
        ranks=ranks,
        road_names=names,
        water=shapely.simplify(np.asarray(study.basemap.water.geometry, dtype=object), tolerance),
        bounds=bounds,
        map_number=cover_missing(options.map_number),
        credit=cover_missing(study.attribution),
    )


def _find_bounds(units: Any) -> Box:
    west, south, east, north = (float(value) for value in units.total_bounds)
    return west, south, east, north


def _list_roads(consultation: Consultation, tolerance: float) -> tuple[Shapes, npt.NDArray[np.int64], list[str]]:
    """Return the roads of rank 1 to 3 (main roads to streets), their ranks and names."""
    roads = consultation.study.basemap.roads
    classes = read_road_classes()
    rank_of = {name: RANK_OF_GROUP.get(entry.group, 4) for name, entry in classes.items()}
    ranks = np.array([rank_of.get(str(name), 4) for name in roads["road_class"]], dtype=np.int64)
    shapes = np.asarray(roads.geometry, dtype=object)
    drawn = (ranks <= 3) & ~shapely.is_empty(shapes) & ~shapely.is_missing(shapes)
    names = (
        [cover_missing(name) if isinstance(name, str) else "" for name in roads["name"][drawn]]
        if "name" in roads
        else []
    )
    return shapely.simplify(shapes[drawn], tolerance), ranks[drawn], names or [""] * int(drawn.sum())


def _list_schools(consultation: Consultation) -> dict[str, list[School]]:
    """Return the schools of each stage with their places: those of the study, and those that the plan opens."""
    rows = consultation.publication.schools
    places = find_school_points(consultation)
    found: dict[str, list[School]] = {}
    for row in rows.itertuples(index=False):
        place = places.get(str(row.school_id))
        if place is not None and np.isfinite(place).all():
            name = cover_missing(str(row.name) or str(row.school_id))
            school = School(str(row.school_id), name, *place, str(row.status), bool(row.changed))
            found.setdefault(str(row.stage), []).append(school)
    return found
