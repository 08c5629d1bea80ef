"""Do schools and units stand where they should? Points that fit the ground only after a shift of Chinese web maps.

GCJ-02 and BD-09 move places by 300 to 1,100 m, about the same way all over a county, so no point looks wrong by itself.
But places stand in some relation to the roads and to the outlines around them: villages at the roadside, school sites
in the middle of a block. That relation is sharp: where points stand right, their distances to the roads differ from
those a hundred metres further on; where they stand wrong, they do not. For a set of points the *sharpness* is

    t = mean(d) / (deviation(d) / sqrt(n)),   d = mean of log(distance + 10 m) on rings around the point,
                                                  minus that at the point,

a number like Student's t: around 0 for points that have nothing to do with the lines, far from 0 (either way) for
points that have. It is taken where the points are, where they would be after each shift done or undone, and at places
moved as far in other directions, which show what chance does. Several references (roads, outlines of the units) are
joined as the root of the sum of squares.
A shift is told only where it is sharp (:data:`SHARP`), much sharper than the points as they are, and than anything
chance does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geodata.crs import LOCAL, SHIFTED, WGS84, convert_to_wgs84, from_lonlat, normalise_crs, shift_from_wgs84, to_lonlat
from geodata.errors import DataIssue
from geodata.messages import msg
from geodata.osm import OSM_SUFFIXES
from geodata.quality_facts import Facts
from geodata.study import RoadNetwork

Floats = npt.NDArray[np.float64]

MIN_POINTS = 12
MAX_POINTS = 400
"""Points that are looked at; of more a fixed sample is taken."""
SHARP = 4.5
"""Sharpness from which points surely belong where they are."""
LEAD = 1.5
"""A shift must be sharper than the best of chance by this factor …"""
MARGIN = 2.5
"""… and than the points as they are by this much."""
CLEAR = 1.2
"""… and than every other shift by this factor."""
MIN_SHIFT_M = 150.0
"""Where the shifts of web maps move nothing (outside China) there is nothing to find."""
RINGS_M = (50.0, 100.0)
CHANCE_M = (400.0, 650.0, 950.0)
NEAR_M = 10.0
_AROUND = np.arange(8) * np.pi / 4


@dataclass(frozen=True, eq=False)
class _Reading:
    """One way to read a file: ``points`` are where its points would be, if ``role`` were in ``datum``.

    ``role`` is the file to which the datum belongs: the points' own, or that of the roads.
    """

    role: str
    datum: str
    points: Floats


def check_shifted_points(facts: Facts) -> list[DataIssue]:
    """Warning: schools or units, or the roads, look shifted: they fit each other far better as GCJ-02 or BD-09."""
    if facts.metric_crs == LOCAL or not (facts.networks or len(facts.units)):
        return []
    roads = _list_road_lines(facts)
    found: dict[tuple[str, str], DataIssue] = {}
    for table in ("schools", "units"):
        frame = facts.schools if table == "schools" else facts.units
        points = _sample(frame[["x_m", "y_m"]].to_numpy(dtype=float))
        if len(points) < MIN_POINTS:
            continue
        readings = _list_readings(facts, table, points)
        references = [roads] if len(roads) else []
        if table == "schools":
            references.append(_list_outlines(facts))
        best = find_shift(points, [reading.points for reading in readings], references) if readings else None
        if best is not None:
            reading = readings[best]
            issue = _tell(facts, table, reading, points)
            found.setdefault((reading.role, reading.datum), issue)
    return list(found.values())


def find_shift(points: Floats, moved: Sequence[Floats], references: Sequence[Any]) -> int | None:
    """Return which of the ``moved`` points (each as ``points``) surely fit the references; ``None`` where none does.

    ``references``: arrays of lines or areas in the metres of the points.
    """
    trees = [shapely.STRtree(shapes) for shapes in references if len(shapes)]
    if not trees or not moved:
        return None
    options = np.array([measure_sharpness(one, trees) for one in moved])
    best = int(options.argmax())
    if options[best] < SHARP:
        return None
    now = measure_sharpness(points, trees)
    rivals = np.delete(options, best)
    if options[best] < now + MARGIN or (len(rivals) and options[best] < CLEAR * rivals.max()):
        return None
    chance = [
        measure_sharpness(points + radius * np.array([np.cos(angle), np.sin(angle)]), trees)
        for radius in CHANCE_M
        for angle in _AROUND[::2] + radius
    ]
    return best if options[best] >= LEAD * max(*chance, now) else None


def measure_sharpness(points: Floats, trees: Sequence[shapely.STRtree]) -> float:
    """Return how sharply points stand in relation to the shapes of the trees; see the head of this module."""
    return float(np.sqrt(sum(_compare(points, tree) ** 2 for tree in trees)))


def _compare(points: Floats, tree: shapely.STRtree) -> float:
    def measure(places: Floats) -> Floats:
        _, distance = tree.query_nearest(shapely.points(places), return_distance=True, all_matches=False)
        return np.log(np.asarray(distance, dtype=np.float64) + NEAR_M)

    steps = np.array([[r * np.cos(a), r * np.sin(a)] for r in RINGS_M for a in _AROUND])
    around = measure((points[None, :, :] + steps[:, None, :]).reshape(-1, 2)).reshape(len(steps), len(points))
    difference = around.mean(axis=0) - measure(points)
    spread = float(difference.std(ddof=1))
    return float(difference.mean()) / (spread / np.sqrt(len(points))) if spread > 1e-6 else 0.0


def _sample(points: Floats) -> Floats:
    """Return different points with a place, a fixed sample of :data:`MAX_POINTS` where there are more."""
    known = np.unique(points[np.isfinite(points).all(axis=1)].round(1), axis=0)
    if len(known) <= MAX_POINTS:
        return known
    return known[np.sort(np.random.default_rng(0).choice(len(known), MAX_POINTS, replace=False))]


def _list_readings(facts: Facts, table: str, points: Floats) -> list[_Reading]:
    """Return the other ways to read the points' file, or that of the roads, which move something."""
    crs = facts.metric_crs
    role = "schools" if table == "schools" else "population"
    declared = _name_datum(facts.declared_crs.get(role, ""))
    lon_deg, lat_deg = to_lonlat(points[:, 0], points[:, 1], crs)
    if not (shift_from_wgs84(lon_deg, lat_deg, "GCJ-02")[0] != lon_deg).any():
        return []  # the formula of BD-09 moves points all over the world, but nobody writes it outside China

    def move(change: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> Floats:
        lon, lat = to_lonlat(points[:, 0], points[:, 1], crs)
        return np.column_stack(from_lonlat(*change(lon, lat), crs))

    def written(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        return shift_from_wgs84(lon, lat, declared) if declared in SHIFTED else (lon, lat)

    readings = []
    for datum in (*SHIFTED, WGS84):
        if datum == declared:
            continue
        if datum in SHIFTED:
            moved = move(lambda lon, lat, datum=datum: convert_to_wgs84(*written(lon, lat), datum))  # type: ignore[misc]
        else:
            moved = move(written)
        readings.append(_Reading(role, datum, moved))
    if _name_datum(facts.declared_crs.get("roads", "")) == WGS84:
        for datum in SHIFTED:
            moved = move(lambda lon, lat, datum=datum: shift_from_wgs84(lon, lat, datum))  # type: ignore[misc]
            readings.append(_Reading("roads", datum, moved))
    kept: list[_Reading] = []
    for one in readings:  # the points' own file comes first where the roads' would move them alike
        others = [points, *(other.points for other in kept)]
        if min(_measure_shift(other, one.points) for other in others) >= MIN_SHIFT_M:
            kept.append(one)
    return kept


def _measure_shift(points: Floats, moved: Floats) -> float:
    return float(np.median(np.hypot(*(moved - points).T)))


def _name_datum(crs: str) -> str:
    """Return GCJ-02 or BD-09 where a file is said to be in them, else WGS 84 for all systems that are not shifted."""
    named = normalise_crs(crs)
    return named if named in SHIFTED else WGS84


def _list_road_lines(facts: Facts) -> Any:
    """Return the road pieces of the network for walking, else of the first."""
    network: RoadNetwork | None = facts.networks.get("walk") or next(iter(facts.networks.values()), None)
    if network is None:
        return np.empty(0, dtype=object)
    tail = np.repeat(np.arange(network.n_nodes), np.diff(network.start))
    once = (tail < network.head) | (np.asarray(network.head) == tail)
    places = np.column_stack([network.x_m, network.y_m])
    return shapely.linestrings(np.stack([places[tail[once]], places[network.head[once]]], axis=1))


def _list_outlines(facts: Facts) -> Any:
    """Return the lines around the units; none where units are points."""
    shapes = np.asarray(facts.units.geometry.to_numpy(), dtype=object)
    return shapely.boundary(shapes[shapely.get_dimensions(shapes) == 2])


def _tell(facts: Facts, table: str, reading: _Reading, points: Floats) -> DataIssue:
    """Return the warning, at the middle of the points."""
    what = msg("schools") if table == "schools" else msg("units")
    distance = _measure_shift(points, reading.points)
    osm = facts.roads is not None and Path(facts.roads.source.lower()).name.endswith(OSM_SUFFIXES)
    if reading.role != "roads":
        problem = msg(
            "The {places} look shifted by some {distance:,.0f} m: "
            "read as {datum} they fit the roads and outlines far better.",
            places=what,
            distance=distance,
            datum="WGS 84" if reading.datum == WGS84 else reading.datum,
        )
        cure = msg('Write crs = "{crs}" for this file, and look at the map.', crs=reading.datum)
    else:
        problem = msg(
            "The {places} and the roads look shifted against each other by some {distance:,.0f} m, "
            "as if the roads had been drawn in {datum}.",
            places=what,
            distance=distance,
            datum=reading.datum,
        )
        cure = msg('Write crs = "{crs}" for this file, and look at the map.', crs=reading.datum)
        if osm:  # OpenStreetMap is WGS 84
            cure = msg("Use the positions as they were before somebody corrected them; or look for other roads.")
    on_points = reading.role != "roads" or osm
    role = ("schools" if table == "schools" else "population") if on_points else "roads"
    lon, lat = to_lonlat(np.median(points[:, :1], axis=0), np.median(points[:, 1:], axis=0), facts.metric_crs)
    return DataIssue(
        "shifted_points",
        "warning",
        problem,
        file=facts.files.get(role, "") or (facts.files.get("units", "") if role == "population" else ""),
        found=facts.declared_crs.get(role, "") or "WGS 84",
        cure=cure,
        lon_deg=float(lon[0]),
        lat_deg=float(lat[0]),
    )
