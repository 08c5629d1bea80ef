"""Municipalities whose border leaves an OpenStreetMap extract: the part of each that lies inside it.

An extract cuts the outline of a municipality open, so that no area can be drawn from it. What is left of its border
still parts the extract into inside and outside: going from the municipality's centre, every crossing of the border
changes the side (the even-odd rule). That needs a border without gaps inside the extract, and a
centre; where the file has none, the side counts on which no other municipality lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geodata.crs import WGS84
from geodata.errors import DataError
from geodata.osm_pass import keep_other, tell_unreadable_osm
from geodata.osm_tags import parse_population
from geodata.shapes import Shapes

if TYPE_CHECKING:
    import geopandas as gpd

_ON_EDGE_DEG = 1e-6
"""An end of a border this near to the extract's edge has been cut by it."""
_FREE_SHARE = 0.02
"""A side of which other areas cover at most this share may be an area's inside (outlines differ a little)."""


@dataclass(frozen=True)
class _Border:
    """A municipality's relation: its name and people, the ids of its border ways, and of the nodes in its middle."""

    area_id: str
    name: str
    population_people: float
    ways: tuple[int, ...]
    centres: tuple[str, ...]


def read_osm_cut_areas(
    path: str | Path, level: int, bounds: tuple[float, float, float, float], centres: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return the parts inside ``bounds`` of administrative areas whose border leaves the file.

    Parameters
    ----------
    path : an OpenStreetMap file
    level : ``admin_level`` of the areas
    bounds : west, south, east, north in degrees: where the file holds everything
    centres : named places of the file (:func:`geodata.osm_features.read_osm_places`); an area's centre is its
        ``admin_centre`` or ``label``, else the place of the same name; without one, the inside is the side on which
        no other area of the level lies

    Returns
    -------
    GeoDataFrame
        ``area_id``, ``name``, ``population_people``, as :func:`geodata.osm_features.read_osm_admin_areas`. Areas
        with a gap in the border inside ``bounds``, or whose inside cannot be told, are left out.
    """
    path = Path(path)
    by_level, lines = keep_other("borders", path, lambda: _read_borders(path))
    borders = by_level.get(str(level), [])
    box = shapely.box(*bounds)
    nodes = dict(zip(centres["place_id"], centres.geometry, strict=True))
    named = dict(zip(centres["name"].str.casefold(), centres.geometry, strict=True))
    found: list[tuple[_Border, Any]] = []
    doubtful: list[tuple[_Border, _Sides]] = []
    taken: list[Any] = []
    for border in borders:
        pieces = [lines[way] for way in border.ways if way in lines]
        sides = _part(pieces, box) if pieces else None
        centre = next((nodes[node] for node in border.centres if node in nodes), named.get(border.name.casefold()))
        if len(pieces) == len(border.ways):
            taken.append(shapely.build_area(shapely.union_all(pieces)))
        elif sides is not None and centre is not None and shapely.intersects(box, centre):
            found.append((border, sides.choose(centre)))
        elif sides is not None:
            doubtful.append((border, sides))
    taken += [shape for _, shape in found]
    found += [(border, shape) for border, sides in doubtful if (shape := sides.choose_free(taken)) is not None]
    return _build_table(found)


def _build_table(found: list[tuple[_Border, Any]]) -> gpd.GeoDataFrame:
    import geopandas as gpd

    rows = [(border.area_id, border.name, border.population_people) for border, _ in found]
    table = pd.DataFrame(rows, columns=["area_id", "name", "population_people"])
    table = table.astype({"area_id": "str", "name": "str", "population_people": "float64"})
    return gpd.GeoDataFrame(table, geometry=[shape for _, shape in found], crs=WGS84)


@dataclass(frozen=True)
class _Sides:
    """The two sides into which a border parts the extract; which of them is inside is not known yet."""

    border: Any
    first: Any
    second: Any

    def choose(self, centre: Any) -> Any:
        """Return the side on which the centre lies."""
        return (
            self.first if shapely.distance(self.first, centre) < shapely.distance(self.second, centre) else self.second
        )

    def choose_free(self, taken: list[Any]) -> Any:
        """Return the side on which no other area lies; ``None`` where that does not decide."""
        rest = shapely.union_all(taken)
        first, second = (
            shapely.area(shapely.intersection(side, rest)) / shapely.area(side) for side in (self.first, self.second)
        )
        free = (first < _FREE_SHARE, second < _FREE_SHARE)
        return None if free[0] == free[1] else self.first if free[0] else self.second


def _part(pieces: list[shapely.Geometry], box: shapely.Geometry) -> _Sides | None:
    """Return both sides of a border within a box, or ``None`` where the border has a gap or does not part it."""
    border = shapely.line_merge(shapely.intersection(shapely.union_all(pieces), box))
    edge: Any = shapely.boundary(box)
    if shapely.is_empty(border) or _has_gap(border, edge):
        return None
    faces = shapely.get_parts(shapely.polygonize([shapely.node(shapely.union_all([border, edge]))]))
    points = shapely.point_on_surface(faces)
    same = np.array([_is_same_side(points[0], point, border) for point in points])
    if same.all():
        return None
    return _Sides(border, shapely.union_all(faces[same]), shapely.union_all(faces[~same]))


def _has_gap(border: shapely.Geometry, edge: shapely.Geometry) -> bool:
    """Whether a line of the border ends inside the extract."""
    parts: Shapes = shapely.get_parts(border)
    ends = np.concatenate([shapely.get_point(parts, 0), shapely.get_point(parts, -1)])
    places, count = np.unique(shapely.get_coordinates(ends), axis=0, return_counts=True)
    loose = shapely.points(places[count % 2 == 1])
    return bool((shapely.distance(loose, edge) > _ON_EDGE_DEG).any())


def _is_same_side(first: shapely.Geometry, second: shapely.Geometry, border: shapely.Geometry) -> bool:
    """Whether the straight way between two points crosses the border an even number of times."""
    way = shapely.linestrings(np.concatenate([shapely.get_coordinates(first), shapely.get_coordinates(second)]))
    crossings = shapely.intersection(way, border)
    return bool(len(shapely.get_coordinates(crossings)) % 2 == 0)


def _read_borders(path: Path) -> tuple[dict[str, list[_Border]], dict[int, shapely.Geometry]]:
    """Return the areas by ``admin_level``, and the lines of their border ways that the file holds."""
    import osmium

    try:
        borders = _list_borders(path)
        wanted = {way for level in borders.values() for border in level for way in border.ways}
        chosen = osmium.filter.IdFilter(wanted)
        chosen.enable_for(osmium.osm.WAY)
        lines: dict[int, shapely.Geometry] = {}
        reader = osmium.FileProcessor(str(path.resolve()), osmium.osm.NODE | osmium.osm.WAY).with_locations()
        for way in reader.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)).with_filter(chosen):
            if isinstance(way, osmium.osm.Way):
                places = [(node.location.lon, node.location.lat) for node in way.nodes if node.location.valid()]
                if len(places) == len(way.nodes) > 1:
                    lines[way.id] = shapely.LineString(places)
    except (RuntimeError, ValueError, OSError, osmium.InvalidLocationError) as error:
        raise DataError(tell_unreadable_osm(path, str(error))) from error
    return borders, lines


def _list_borders(path: Path) -> dict[str, list[_Border]]:
    """Return the named administrative relations by level."""
    import osmium

    found: dict[str, list[_Border]] = {}
    chosen = osmium.filter.KeyFilter("admin_level")
    for element in osmium.FileProcessor(str(path.resolve()), osmium.osm.RELATION).with_filter(chosen):
        if element.tags.get("boundary") == "administrative" and element.tags.get("name"):
            found.setdefault(element.tags["admin_level"], []).append(_build_border(element))
    return found


def _build_border(relation: Any) -> _Border:
    members = [(member.type, member.ref, member.role) for member in relation.members]
    ways = tuple(ref for kind, ref, role in members if kind == "w" and role in ("", "outer", "inner"))
    middles = sorted((role, ref) for kind, ref, role in members if kind == "n" and role in ("admin_centre", "label"))
    people = parse_population(relation.tags.get("population", ""))
    name = relation.tags["name"].strip()
    return _Border(f"r{relation.id}", name, people, ways, tuple(f"n{ref}" for _, ref in middles))
