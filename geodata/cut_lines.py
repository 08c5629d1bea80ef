"""The lines that cut land into street blocks: streets, railways, expressways, rivers, shores; each with its rank.

The rank says how much a line parts: :data:`RANKS` for streets, then railways, expressways and other barriers
(:data:`BARRIER`), the shores of wide water (:data:`SHORE`), and rivers (:data:`RIVER`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from geodata.road_classes import read_road_classes
from geodata.shapes import Shapes, is_point_layer

if TYPE_CHECKING:
    import geopandas as gpd

    from geodata.measure import RoadFacts
    from geodata.population_table import Population

CUTTING_CLASSES = (
    "motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street",
    "pedestrian", "road",
)  # fmt: skip
"""Classes that cut by default: what a car or a child uses as a street. Not slip roads (they run beside the road that
they serve), yards and drives, field tracks and park paths."""
RANKS = {"trunk": 5, "primary": 4, "secondary": 3, "tertiary": 2}
"""Rank of a class of road; streets that are not named here have 1, tracks and paths 0."""
BARRIER, SHORE, RIVER = 6, 7, 8
WIDE_M = 20.0
"""Water as wide as this (area / half the outline) has shores that cut."""
NEAR_PEOPLE_M = 300.0
"""Roads this near to people belong to the land of a study that has no areas."""
RIM_M = 50.0
"""The land goes on for this distance beyond the outermost houses and roads."""
GAP_M = 150.0
"""Gaps between areas of a population layer up to twice this width are closed."""
HOLE_M2 = 1e6
"""Larger holes of an outline stay: they may be another county's land."""


@dataclass(frozen=True, eq=False)
class CutLines:
    """Lines with ``rank``, ``name`` ("" = none) and whether each is a ``street``; ``water``: wide water areas.

    ``coast``: lines with the sea on their right, as OpenStreetMap draws them; they cut like shores.
    """

    lines: Shapes
    rank: npt.NDArray[np.int64]
    name: npt.NDArray[np.object_]
    street: npt.NDArray[np.bool_]
    water: Shapes
    coast: Shapes


def choose_cut_lines(facts: RoadFacts, road_classes: Sequence[str] = ()) -> CutLines:
    """Return the lines of a study that cut.

    Parameters
    ----------
    facts : the roads of the study; ``facts.lines`` holds them at full precision
    road_classes : classes of ``geodata/tables/road_classes.csv``; empty = :data:`CUTTING_CLASSES`

    Raises
    ------
    DataError
        A class is not known, or the study has no roads.
    """
    known = read_road_classes()
    unknown = [name for name in road_classes if name not in known]
    if unknown:
        problem = msg("Unknown road class: {names}.", names=", ".join(unknown))
        cure = msg("Use one of: {values}.", values=", ".join(known))
        raise DataError(DataIssue("units", "error", problem, column="[units] road_classes", cure=cure))
    if facts.lines is None:
        raise DataError(tell_no_roads())
    wanted = set(road_classes or CUTTING_CLASSES)
    roads = facts.lines[facts.lines["road_class"].isin(wanted)]
    road_rank = {name: _rank(name, known[name].group) for name in wanted}
    barriers = facts.barriers
    barrier_rank = [RIVER if kind == "river" else BARRIER for kind in barriers["kind"]]
    water = facts.basemap.water
    shapes, kinds = np.asarray(water.geometry.to_numpy(), dtype=object), water["kind"].to_numpy(dtype=object)
    is_area = shapely.get_dimensions(shapes) == 2
    coast = shapely.get_parts(shapes[(kinds == "sea") & ~is_area])
    wide = shapes[is_area & (_measure_width(shapes) >= WIDE_M)]
    shores = shapely.get_parts(shapely.boundary(wide))
    parts = [
        (roads.geometry.to_numpy(), [road_rank[name] for name in roads["road_class"]], roads["name"].tolist(), True),
        (barriers.geometry.to_numpy(), barrier_rank, barriers["name"].tolist(), False),
        (shores, [SHORE] * len(shores), [""] * len(shores), False),
        (coast, [SHORE] * len(coast), [""] * len(coast), False),
    ]
    return CutLines(
        lines=np.concatenate([np.asarray(part[0], dtype=object) for part in parts]),
        rank=np.array([rank for part in parts for rank in part[1]], dtype=np.int64),
        name=np.array([str(name) for part in parts for name in part[2]], dtype=object),
        street=np.repeat([part[3] for part in parts], [len(part[1]) for part in parts]),
        water=wide,
        coast=coast,
    )


def _rank(name: str, group: str) -> int:
    if group == "expressway":
        return BARRIER
    return RANKS.get(name.removesuffix("_link"), 0 if group in ("track", "path") and name != "pedestrian" else 1)


def tell_no_roads() -> DataIssue:
    """Return the issue for blocks that nothing cuts."""
    problem = msg("Street blocks need roads, and the study names none.")
    return DataIssue("units", "error", problem, column="[units] kind", cure=msg("Give a road file under [roads]."))


def _measure_width(shapes: Shapes) -> npt.NDArray[np.float64]:
    """Return the mean width of areas in metres: that of a long strip is area / half its outline."""
    around = shapely.length(shapes)
    return np.asarray(2 * shapely.area(shapes) / np.where(around > 0, around, 1.0), dtype=np.float64)


def find_outline(population: Population, cut: CutLines) -> shapely.Geometry:
    """Return the land that is cut into blocks.

    That of the population layer where it has areas or cells, with gaps of up to twice :data:`GAP_M` closed and small
    holes filled. Points and buildings cover no land: a concave hull around them and the roads near them.
    """
    table: gpd.GeoDataFrame = population.table
    shapes = np.asarray(table.geometry.to_numpy(), dtype=object)
    if is_point_layer(shapes) or bool((table["kind"] == "building").all()):
        middles = shapely.centroid(shapes)
        near, _ = shapely.STRtree(middles).query(cut.lines[cut.street], predicate="dwithin", distance=NEAR_PEOPLE_M)
        beside = shapely.get_coordinates(cut.lines[cut.street][np.unique(near)])
        places = np.unique(np.round(np.vstack([shapely.get_coordinates(middles), beside])), axis=0)
        hull = shapely.concave_hull(shapely.MultiPoint(places), ratio=0.1)
        return hull.buffer(RIM_M, quad_segs=2).simplify(1.0)
    whole = shapely.union_all(shapes)
    closed = shapely.buffer(shapely.buffer(whole, GAP_M, join_style="mitre"), -GAP_M, join_style="mitre")
    parts = shapely.get_parts(shapely.union(whole, closed))
    filled: shapely.Geometry = shapely.union_all([_fill_holes(part) for part in parts if part.geom_type == "Polygon"])
    return filled


def _fill_holes(part: shapely.Polygon) -> shapely.Polygon:
    return shapely.Polygon(part.exterior, [ring for ring in part.interiors if shapely.Polygon(ring).area > HOLE_M2])
