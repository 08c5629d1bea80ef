"""Checks of the roads: pieces that hang loose, and road files that end too near to the places they serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely

from geodata.crs import to_lonlat
from geodata.errors import DataIssue, Severity
from geodata.messages import Message, msg
from geodata.quality_facts import Facts

if TYPE_CHECKING:
    from geodata.road_evidence import RoadEvidence

LARGE_PIECE_M = 1_000.0
"""A loose piece as long as this is told even where nobody lives beside it."""
NEARER_M = 20.0
"""A place stands at a loose piece where that is nearer by this much than the road network."""
REACH_M = 500.0
"""Places further than this from a loose piece have nothing to do with it."""
NEAR_CUT_M = 2_000.0
"""Roads that end as near to a place as this may hide the short way round."""
MIN_CUT_ENDS = 3
OUTSIDE_M = 500.0
MAX_TOLD = 20

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def check_road_pieces(facts: Facts) -> list[DataIssue]:
    """Warning: schools or units stand at a piece of road from which no way leads to the others. Note: a large piece."""
    roads = facts.roads
    if roads is None or not len(roads.piece_length_m):
        return []
    schools, units = (_count_at_pieces(facts, roads, table) for table in ("schools", "units"))
    told = (schools + units > 0) | (roads.piece_length_m >= LARGE_PIECE_M)
    order = np.lexsort((-roads.piece_length_m, -units, -schools))
    order = order[told[order]]
    issues = []
    for one in order[:MAX_TOLD]:
        beside = schools[one] + units[one] > 0
        place = _find_middle(roads, int(one))
        if beside:
            problem = msg(
                "{length:.1f} km of road hang loose: no way leads from there to the other roads. "
                "Schools beside them: {schools}, units: {units}; they are led to another road.",
                length=roads.piece_length_m[one] / 1000,
                schools=int(schools[one]),
                units=int(units[one]),
            )
        else:
            problem = msg(
                "{length:.1f} km of road hang loose: no way leads from there to the other roads. No place needs them.",
                length=roads.piece_length_m[one] / 1000,
            )
        issues.append(_place(facts, "road_pieces", "warning" if beside else "note", problem, place, _MEND))
    if len(order) > MAX_TOLD:
        problem = msg("And {count} more findings of this kind.", count=len(order) - MAX_TOLD)
        issues.append(DataIssue("road_pieces", "note", problem, file=roads.source))
    return issues


_MEND = msg("Mend the roads there: a gap, a missing bridge; for a layer of lines a greater snap_m under [roads].")


def _count_at_pieces(facts: Facts, roads: RoadEvidence, table: str) -> Ints:
    """Return how many schools, or units with children, stand at each loose piece."""
    places, snap_m = _list_places(facts, table, roads.mode)
    count = np.zeros(len(roads.piece_length_m), dtype=np.int64)
    if not len(places):
        return count
    lines: Any = shapely.linestrings(roads.piece_lines.reshape(-1, 2, 2))
    points: Any = shapely.points(places)
    (place, line), away_m = shapely.STRtree(lines).query_nearest(
        points, max_distance=REACH_M, return_distance=True, all_matches=False
    )
    at = away_m + NEARER_M < snap_m[place]
    np.add.at(count, roads.piece[line[at]], 1)
    return count


def _list_places(facts: Facts, table: str, mode: str) -> tuple[Floats, Floats]:
    """Return x, y of schools, or of units that may hold children, and their metres to the network."""
    frame = facts.schools if table == "schools" else facts.units
    places = frame[["x_m", "y_m"]].to_numpy(dtype=float)
    snap = np.full(len(frame), np.nan)
    matrix = facts.travel.get(mode)
    if matrix is not None and matrix.method == "roads":
        ids, metres = (
            (matrix.destination_ids, matrix.destination_snap_m)
            if table == "schools"
            else (matrix.unit_ids, matrix.unit_snap_m)
        )
        known = dict(zip(ids, metres.tolist(), strict=True))
        snap = np.array([known.get(key, np.nan) for key in frame[f"{table[:-1]}_id"].astype(str)], dtype=float)
    wanted = np.isfinite(places).all(axis=1)
    if table == "units":
        wanted &= ~(facts.unit_pupils <= 0)
    return places[wanted], snap[wanted]


def _find_middle(roads: RoadEvidence, piece: int) -> tuple[float, float]:
    """Return a place on a piece: the middle of the bit nearest to its mean."""
    lines = roads.piece_lines[roads.piece == piece]
    middles = (lines[:, :2] + lines[:, 2:]) / 2
    nearest = int(np.argmin(np.hypot(*(middles - middles.mean(axis=0)).T)))
    return float(middles[nearest, 0]), float(middles[nearest, 1])


def _place(
    facts: Facts, check: str, severity: Severity, problem: Message, place: tuple[float, float], cure: Message
) -> DataIssue:
    lon, lat = to_lonlat([place[0]], [place[1]], facts.metric_crs)
    known = bool(np.isfinite(lon[0]) and np.isfinite(lat[0]))
    return DataIssue(
        check,
        severity,
        problem,
        file=facts.roads.source if facts.roads is not None else "",
        cure=cure,
        lon_deg=float(lon[0]) if known else None,
        lat_deg=float(lat[0]) if known else None,
    )


def check_road_extent(facts: Facts) -> list[DataIssue]:
    """Warning: schools or units lie outside the area that has roads, or near to where the road file cuts roads off."""
    roads = facts.roads
    if roads is None or len(roads.outline_m) < 4:
        return []
    schools, _ = _list_places(facts, "schools", roads.mode)
    units, _ = _list_places(facts, "units", roads.mode)
    return _check_outside(facts, roads, schools, units) + _check_cut(facts, roads, schools, units)


def _check_outside(facts: Facts, roads: RoadEvidence, schools: Floats, units: Floats) -> list[DataIssue]:
    area = shapely.Polygon(roads.outline_m)
    shapely.prepare(area)
    away = [np.asarray(shapely.distance(area, shapely.points(places)), dtype=float) for places in (schools, units)]
    counts = [int((distance > OUTSIDE_M).sum()) for distance in away]
    if not sum(counts):
        return []
    places, distance = np.concatenate([schools, units]), np.concatenate(away)
    furthest = int(distance.argmax())
    problem = msg(
        "Outside the area that the road file covers lie {schools} schools and {units} units, up to {distance:.1f} km.",
        schools=counts[0],
        units=counts[1],
        distance=float(distance[furthest]) / 1000,
    )
    cure = msg("Use a road file that reaches some kilometres beyond the units, or check the coordinates.")
    return [_place(facts, "road_extent", "warning", problem, tuple(places[furthest].tolist()), cure)]


def _check_cut(facts: Facts, roads: RoadEvidence, schools: Floats, units: Floats) -> list[DataIssue]:
    if len(roads.cut_m) < MIN_CUT_ENDS:
        return []
    cut_ends: Any = shapely.points(roads.cut_m)
    tree = shapely.STRtree(cut_ends)
    counts, used = [], set[int]()
    for places in (schools, units):
        place, cut = tree.query(shapely.points(places), predicate="dwithin", distance=NEAR_CUT_M)
        counts.append(len(np.unique(place)))
        used |= set(cut.tolist())
    if len(used) < MIN_CUT_ENDS:
        return []
    problem = msg(
        "The road file cuts {cut} roads off within {distance:g} km of places (schools: {schools}, units: {units}): "
        "ways that lead round outside are not known, and travel there may come out too long.",
        cut=len(used),
        distance=NEAR_CUT_M / 1000,
        schools=counts[0],
        units=counts[1],
    )
    cure = msg("Use a road file that reaches some kilometres beyond the county.")
    first = roads.cut_m[min(used)]
    return [_place(facts, "road_extent", "warning", problem, (float(first[0]), float(first[1])), cure)]
