"""Features of an OpenStreetMap file beside its roads: schools, buildings, places, municipalities, water.

All readers return longitude and latitude (EPSG:4326). Ids are the kind of element and its number: ``n123`` (node),
``w123`` (way), ``r123`` (relation).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geodata.crs import WGS84
from geodata.errors import DataError
from geodata.osm_pass import (
    ADDRESSES,
    AREAS,
    BUILDINGS,
    PLACES,
    SCHOOLS,
    WATER,
    Feature,
    read_features,
    require_file,
    tell_unreadable_osm,
)
from geodata.osm_tags import (
    DWELLING_LEVELS,
    OTHER_DWELLING_LEVELS,
    UNINHABITED,
    guess_kind,
    guess_stages,
    parse_levels,
    parse_population,
)
from geodata.population_table import Values
from geodata.shapes import Shapes

if TYPE_CHECKING:
    import geopandas as gpd

SAME_SCHOOL_M = 300.0
"""A node and an outline of equal name this near to each other are one school, mapped twice."""

# WGS 84 ellipsoid: half axis in metres and first eccentricity squared.
_AXIS_M = 6_378_137.0
_ECCENTRICITY2 = 0.00669437999014

_WATERWAYS = {"river": "river", "canal": "river", "riverbank": "river", "stream": "stream", "ditch": "stream"}
_RAILWAYS = frozenset(["rail", "light_rail", "narrow_gauge"])
_SIDE_TRACKS = frozenset(["yard", "siding", "crossover"])


def read_osm_schools(path: str | Path) -> gpd.GeoDataFrame:
    """Return schools and kindergartens as points.

    Columns: ``school_id``, ``name`` (may be empty), ``amenity`` (school, kindergarten), ``stages`` (a guess, see
    :func:`geodata.osm_tags.guess_stages`; joined by ``;``), ``kind`` (of the schools table), ``site_area_m2`` (NaN for
    a node), geometry: the node, or a point inside the outline.

    A node with the same name as an outline within :data:`SAME_SCHOOL_M`, and a nameless node inside an outline, are
    the same school: the outline stays; of outlines with one name within that distance, the largest.
    """
    amenities = {"school", "kindergarten"}
    found = [feature for feature in read_features(path, SCHOOLS) if feature.tags.get("amenity") in amenities]
    shapes = _shapes(found)
    stages = [guess_stages(feature.tags) for feature in found]
    table = pd.DataFrame(
        {
            "school_id": [feature.osm_id for feature in found],
            "name": [feature.tags.get("name", "").strip() for feature in found],
            "amenity": [feature.tags["amenity"] for feature in found],
            "stages": [";".join(each) for each in stages],
            "kind": [guess_kind(each) for each in stages],
        },
        dtype="str",
    )
    table["site_area_m2"] = compute_areas_m2(shapes)
    table.loc[table["school_id"].str.startswith("n"), "site_area_m2"] = np.nan
    kept = ~_find_repeated(table, shapes)
    return _build_layer(table[kept], _inner_points(shapes[kept]))


def read_osm_buildings(path: str | Path) -> gpd.GeoDataFrame:
    """Return building outlines.

    Columns: ``building_id``, ``building`` (the tag), ``levels`` (NaN where not tagged), ``floor_area_m2`` (outline ×
    levels; untagged levels by type, see ``osm_tags.DWELLING_LEVELS``), ``inhabited`` (whether people may live in this
    type of building).
    """
    found = [f for f in read_features(path, BUILDINGS) if f.tags.get("building") != "no"]
    shapes = _shapes(found)
    types = [feature.tags["building"] for feature in found]
    levels = np.array([parse_levels(feature.tags.get("building:levels", "")) for feature in found], dtype=np.float64)
    usual = np.array([DWELLING_LEVELS.get(kind, OTHER_DWELLING_LEVELS) for kind in types], dtype=np.float64)
    table = pd.DataFrame({"building_id": [feature.osm_id for feature in found], "building": types}, dtype="str").assign(
        levels=levels
    )
    table["floor_area_m2"] = compute_areas_m2(shapes) * np.where(np.isnan(levels), usual, levels)
    table["inhabited"] = np.array([kind not in UNINHABITED for kind in types], dtype=bool)
    return _build_layer(table, shapes)


def read_osm_places(path: str | Path) -> gpd.GeoDataFrame:
    """Return named settlements (nodes tagged ``place``): ``place_id``, ``name``, ``place``, ``population_people``."""
    found = [f for f in read_features(path, PLACES) if f.tags.get("name")]
    table = pd.DataFrame(
        {
            "place_id": [feature.osm_id for feature in found],
            "name": [feature.tags["name"].strip() for feature in found],
            "place": [feature.tags["place"] for feature in found],
        },
        dtype="str",
    )
    table["population_people"] = _read_populations(found)
    return _build_layer(table, _shapes(found))


def read_osm_admin_areas(path: str | Path, level: int = 8) -> gpd.GeoDataFrame:
    """Return named administrative areas of one ``admin_level``: ``area_id``, ``name``, ``population_people``.

    Outlines that the extract has cut open are not there: an area needs its whole border.
    """
    found = [
        feature
        for feature in read_features(path, AREAS)
        if feature.tags.get("boundary") == "administrative"
        and feature.tags.get("admin_level") == str(level)
        and feature.tags.get("name")
    ]
    table = pd.DataFrame(
        {
            "area_id": [feature.osm_id for feature in found],
            "name": [feature.tags["name"].strip() for feature in found],
        },
        dtype="str",
    )
    table["population_people"] = _read_populations(found)
    return _build_layer(table, _shapes(found))


def read_osm_addresses(path: str | Path) -> pd.DataFrame:
    """Return house numbers: ``street``, ``house_number`` (as written), ``lon_deg``, ``lat_deg``.

    Nodes, and a point inside the outline of buildings and other areas. Without a street the place (``addr:place``)
    stands for it; numbers whose street only a relation of addresses tells are left out.
    """
    found = [
        (street.strip(), feature.tags["addr:housenumber"].strip(), feature.wkb)
        for feature in read_features(path, ADDRESSES)
        if (street := feature.tags.get("addr:street") or feature.tags.get("addr:place", ""))
    ]
    table = pd.DataFrame([row[:2] for row in found], columns=["street", "house_number"], dtype="str")
    points = _inner_points(_from_wkb(row[2] for row in found))
    return table.assign(lon_deg=shapely.get_x(points), lat_deg=shapely.get_y(points))


def read_osm_water(path: str | Path) -> gpd.GeoDataFrame:
    """Return water for the basemap: ``kind`` (river, stream, lake, sea), ``name``; lines and polygons.

    Coastline is a line of kind ``sea``. Lines come first: how osmium mixes them with areas differs from pass to pass.
    """
    rows: list[tuple[str, str, str]] = []
    for feature in sorted(read_features(path, WATER), key=lambda feature: feature.kind != "l"):
        kind = _name_water(feature.tags)
        is_line = feature.kind == "l"
        wanted_line = feature.tags.get("waterway") in _WATERWAYS or feature.tags.get("natural") == "coastline"
        if kind and (wanted_line if is_line else feature.tags.get("natural") != "coastline"):
            rows.append((kind, feature.tags.get("name", ""), feature.wkb))
    table = pd.DataFrame([row[:2] for row in rows], columns=["kind", "name"], dtype="str")
    return _build_layer(table, _from_wkb(row[2] for row in rows))


def read_osm_barriers(path: str | Path) -> gpd.GeoDataFrame:
    """Return lines that part the land: ``kind`` (railway, river), ``name``.

    Railways in use (not trams, metros, yards and sidings), rivers and canals, all without their tunnels and culverts.
    Of a way that the extract has cut open the pieces inside are kept: a river must not vanish at the border.
    """
    import osmium

    path = require_file(path)
    rows: list[tuple[str, str]] = []
    lines: list[shapely.Geometry] = []
    keys = osmium.filter.KeyFilter("railway", "waterway")
    try:
        for way in osmium.FileProcessor(str(path.resolve())).with_locations().with_filter(keys):
            kind = _name_barrier(way.tags) if isinstance(way, osmium.osm.Way) else ""
            if kind:
                found = _list_inside(way)
                lines += found
                rows += [(kind, (way.tags.get("name") or "").strip())] * len(found)
    except (RuntimeError, ValueError, OSError, osmium.InvalidLocationError) as error:
        raise DataError(tell_unreadable_osm(path, str(error))) from error
    table = pd.DataFrame(rows, columns=["kind", "name"], dtype="str")
    return _build_layer(table, np.array(lines, dtype=object))


def _name_barrier(tags: Any) -> str:
    """Return the kind of barrier a way is, or ``""``."""
    if tags.get("tunnel", "no") != "no":
        return ""
    if tags.get("railway") in _RAILWAYS and tags.get("service") not in _SIDE_TRACKS:
        return "railway"
    return "river" if tags.get("waterway") in {"river", "canal"} else ""


def _list_inside(way: Any) -> list[shapely.Geometry]:
    """Return the lines of a way between the nodes that the file holds."""
    runs: list[list[tuple[float, float]]] = [[]]
    for node in way.nodes:
        if node.location.valid():
            runs[-1].append((node.location.lon, node.location.lat))
        elif runs[-1]:
            runs.append([])
    return [shapely.LineString(run) for run in runs if len(run) > 1]


def compute_areas_m2(shapes: Shapes) -> Values:
    """Return areas in m² of small shapes in degrees: degrees are stretched by the ellipsoid at each shape's middle.

    For a building the error is below one in ten thousand; for a municipality it stays below one in a hundred.
    """
    if not len(shapes):
        return np.empty(0)
    bounds = shapely.bounds(shapes)
    latitude = np.radians((bounds[:, 1] + bounds[:, 3]) / 2)
    bend = 1 - _ECCENTRICITY2 * np.sin(latitude) ** 2
    metres_lon = np.pi / 180 * _AXIS_M * np.cos(latitude) / np.sqrt(bend)
    metres_lat = np.pi / 180 * _AXIS_M * (1 - _ECCENTRICITY2) / bend**1.5
    return np.asarray(shapely.area(shapes) * metres_lon * metres_lat, dtype=np.float64)


def _name_water(tags: Mapping[str, str]) -> str:
    """Return the kind of water an element is, or ``""``."""
    if tags.get("natural") == "coastline":
        return "sea"
    if tags.get("waterway") in _WATERWAYS:
        return _WATERWAYS[tags["waterway"]]
    if tags.get("natural") == "water" or tags.get("landuse") == "reservoir":
        return "river" if tags.get("water") in {"river", "canal", "oxbow"} else "lake"
    return ""


def _from_wkb(parts: Iterable[str]) -> Shapes:
    shapes: Shapes = shapely.from_wkb(np.array(list(parts), dtype=object))
    return shapes


def _shapes(features: Sequence[Feature]) -> Shapes:
    return _from_wkb(feature.wkb for feature in features)


def _build_layer(table: pd.DataFrame, shapes: Shapes) -> gpd.GeoDataFrame:
    import geopandas as gpd

    return gpd.GeoDataFrame(table.reset_index(drop=True), geometry=list(shapes), crs=WGS84)


def _read_populations(features: Sequence[Feature]) -> Values:
    return np.array([parse_population(feature.tags.get("population", "")) for feature in features], dtype=np.float64)


def _inner_points(shapes: Shapes) -> Shapes:
    points: Shapes = shapely.point_on_surface(shapes)
    return points


def _find_repeated(table: pd.DataFrame, shapes: Shapes) -> Shapes:
    """Return which rows are another drawing of a school that is there as an outline; boolean array.

    A node beside an outline of its name, a nameless node inside one, and of outlines with one name (the grounds and the
    houses on them) all but the largest.
    """
    is_node = table["school_id"].str.startswith("n").to_numpy()
    repeated = np.zeros(len(table), dtype=bool)
    areas = np.flatnonzero(~is_node)
    if not len(areas):
        return repeated
    names = table["name"].str.casefold().str.split().str.join(" ").to_numpy()
    amenity, size = table["amenity"].to_numpy(), compute_areas_m2(shapes)
    stretch = np.cos(np.radians(shapely.get_y(shapely.centroid(shapes)).mean()))
    metres = np.pi / 180 * _AXIS_M * np.array([stretch, 1.0])
    flat = shapely.transform(shapes, lambda xy: xy * metres)
    near = shapely.STRtree(flat[areas]).query(flat, predicate="dwithin", distance=SAME_SCHOOL_M)
    for one, area in zip(near[0], areas[near[1]], strict=True):
        if one == area or amenity[one] != amenity[area]:
            continue
        if not names[one]:
            repeated[one] |= bool(is_node[one] and shapely.intersects(shapes[one], shapes[area]))
        elif names[one] == names[area]:
            repeated[one] |= bool(is_node[one] or (size[one], -one) < (size[area], -area))
    return repeated
