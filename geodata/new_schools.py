"""Schools that are not there yet: their place, their seat, and the ways to them, as a study built with them has them.

Where a study has roads, the ways to a new school are those of :mod:`geodata.travel`, on the same network with the same
settings, so they are the numbers that a study built with this school would hold. The network and the units' places on
it are prepared once and kept, since a planner who looks for a site asks again and again.

Without roads the ways are estimated. A matrix of straight lines is continued by the same formula. A matrix that was
given is continued at its own pace: minutes (and metres) per metre of straight line, over all ways that it holds; but
a place that it knows already (a school or a site within a millimetre) keeps the ways to it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.seats import SAME_DISTANCE_M, find_seats
from geodata.study import Mode, RoadNetwork, StudyArea, TravelMatrix
from geodata.travel import TravelSearch, measure_straight

if TYPE_CHECKING:
    import geopandas as gpd

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
NewTravelMethod = Literal["roads", "straight line", "pace"]

_KEPT = 4
"""Networks kept ready: the modes of one study, and one more."""
_LARGE = 50_000
"""Crossings from which on a search for a single school is worth a hierarchy."""
_NEAR_PLACES = 50
"""Places looked at to find one on the same side of a barrier as a new school."""


@dataclass(frozen=True)
class NewPoint:
    """A school to be added.

    ``x_m``, ``y_m``: metres in the study's CRS. ``setting`` and ``town``: of the unit in which it stands, where empty.
    ``site_id``: the candidate site that it takes; its travel and its side of barriers are used, and the site is no
    longer free. Unknown areas and beds are NaN.
    """

    school_id: str
    name: str
    kind: str
    x_m: float
    y_m: float
    setting: str = ""
    town: str = ""
    ownership: str = "public"
    site_id: str = ""
    site_area_m2: float = float("nan")
    boarding_places: float = float("nan")


def find_travel_method(study: StudyArea, mode: Mode) -> NewTravelMethod:
    """Return how the ways to a new school are found: by roads, by the study's straight lines, or at its own pace."""
    if mode in study.networks and study.travel[mode].method != "given":
        return "roads"
    return "straight line" if study.travel[mode].method == "straight line" else "pace"


def measure_new_school(study: StudyArea, mode: Mode, x_m: float, y_m: float) -> tuple[Floats32, Floats32]:
    """Return minutes and metres, shape (units,), from every unit of ``study.travel[mode].unit_ids`` to a point.

    NaN = unreachable or beyond the cutoff. By roads exactly as a study built with a school there has it; without roads
    estimated, see the module. ``KeyError`` for a mode without travel.
    """
    time, length, _ = measure_points(study, mode, np.array([x_m]), np.array([y_m]))
    return time[:, 0], length[:, 0]


def measure_points(study: StudyArea, mode: Mode, x_m: Floats, y_m: Floats) -> tuple[Floats32, Floats32, Floats32]:
    """Return minutes and metres, shape (units, points), and the metres between each point and the road (NaN unknown).

    See :func:`measure_new_school`.
    """
    travel = study.travel[mode]
    ids = [str(number) for number in range(len(x_m))]
    method = find_travel_method(study, mode)
    if method == "roads":
        time, length, snap_m = _find_search(study, mode).measure((ids, x_m, y_m))
        return time, length, snap_m.astype(np.float32)
    units = (travel.unit_ids, *_locate_units(study, travel))
    if method == "straight line":
        time, length = measure_straight(
            units, (tuple(ids), x_m, y_m), mode, travel.detour_factor, None, travel.cutoff_min
        )
        return time, length, np.zeros(len(ids), dtype=np.float32)
    return _measure_at_pace(study, travel, (x_m, y_m))


def warm_new_schools(study: StudyArea, mode: Mode) -> None:
    """Prepare the roads of a mode, so that the next question is answered at once."""
    if find_travel_method(study, mode) == "roads":
        search = _find_search(study, mode)
        if search.chains.n_core > _LARGE:
            search.prepare()


@dataclass(frozen=True, eq=False)
class _Ready:
    """A search with what it was made from."""

    fingerprint: str
    network: RoadNetwork
    unit_ids: tuple[str, ...]
    search: TravelSearch

    def fits(self, study: StudyArea, mode: Mode) -> bool:
        network, travel = study.networks[mode], study.travel[mode]
        same = self.network is network or (
            bool(study.fingerprint) and self.fingerprint == study.fingerprint and self.network.mode == mode
        )
        return same and (self.unit_ids is travel.unit_ids or self.unit_ids == travel.unit_ids)


_READY: OrderedDict[int, _Ready] = OrderedDict()
_LOCK = Lock()


def _find_search(study: StudyArea, mode: Mode) -> TravelSearch:
    """Return the prepared network of a study and mode, kept from last time where it is the same."""
    with _LOCK:
        for key, ready in _READY.items():
            if ready.fits(study, mode):
                _READY.move_to_end(key)
                return ready.search
        travel, network = study.travel[mode], study.networks[mode]
        search = TravelSearch(
            network,
            (travel.unit_ids, *_locate_units(study, travel)),
            detour_factor=travel.detour_factor,
            max_snap_m=travel.max_snap_m,
            cutoff_min=travel.cutoff_min,
            used_again=True,
        )
        _READY[id(search)] = _Ready(study.fingerprint, network, travel.unit_ids, search)
        while len(_READY) > _KEPT:
            _READY.popitem(last=False)
        return search


def _locate_units(study: StudyArea, travel: TravelMatrix) -> tuple[Floats, Floats]:
    """Return x and y of the units in the order of a matrix; NaN for one that is not in the table."""
    spots = study.units.drop_duplicates("unit_id").set_index("unit_id")[["x_m", "y_m"]].reindex(list(travel.unit_ids))
    return spots["x_m"].to_numpy(dtype=np.float64), spots["y_m"].to_numpy(dtype=np.float64)


def _measure_at_pace(
    study: StudyArea, travel: TravelMatrix, points: tuple[Floats, Floats]
) -> tuple[Floats32, Floats32, Floats32]:
    """Return the ways at the pace of the matrix's own ones."""
    x_units, y_units = _locate_units(study, travel)
    places = _locate_destinations(study, travel)
    straight = np.hypot(x_units[:, None] - places[0][None, :], y_units[:, None] - places[1][None, :])
    asked = np.hypot(x_units[:, None] - points[0][None, :], y_units[:, None] - points[1][None, :])
    found = []
    for table, fallback in ((travel.time_min, None), (travel.length_m, travel.detour_factor)):
        used = np.isfinite(straight) & np.isfinite(table)
        metres = float(straight[used].sum())
        pace = float(table[used].sum(dtype=np.float64)) / metres if metres > 0 else fallback
        if pace is None:
            pace = float(
                measure_straight(
                    (("",), np.zeros(1), np.zeros(1)),
                    (("",), np.ones(1), np.zeros(1)),
                    travel.mode,
                    travel.detour_factor,
                    None,
                    np.inf,
                )[0][0, 0]
            )
        found.append((asked * pace).astype(np.float32))
    time, length = found
    for at, (x, y) in enumerate(zip(*points, strict=True)):
        same = np.flatnonzero(np.hypot(places[0] - x, places[1] - y) <= SAME_DISTANCE_M)
        if len(same) and np.isfinite(travel.time_min[:, same[0]]).any():
            time[:, at], length[:, at] = travel.time_min[:, same[0]], travel.length_m[:, same[0]]
    beyond = ~(time <= travel.cutoff_min)
    time[beyond] = np.nan
    length[beyond] = np.nan
    return time, length, np.full(len(points[0]), np.nan, dtype=np.float32)


def _locate_destinations(study: StudyArea, travel: TravelMatrix) -> tuple[Floats, Floats]:
    """Return x and y of the schools and sites of a matrix; NaN for one that is in neither table."""
    tables = [
        pd.DataFrame(table[[f"{name}_id", "x_m", "y_m"]]).rename(columns={f"{name}_id": "id"})
        for name, table in (("school", study.schools), ("site", study.sites))
        if len(table)
    ]
    if not tables:
        nowhere = np.full(len(travel.destination_ids), np.nan)
        return nowhere, nowhere
    spots = pd.concat(tables).drop_duplicates("id").set_index("id").reindex(list(travel.destination_ids))
    return spots["x_m"].to_numpy(dtype=np.float64), spots["y_m"].to_numpy(dtype=np.float64)


def add_schools(study: StudyArea, places: Sequence[NewPoint]) -> StudyArea:
    """Return a copy of ``study`` with more schools: rows, seats, sides, and travel in every mode.

    Their places by stage are not added: they are no schools of a stage before. ``KeyError`` for an unknown site.
    """
    return add_school_rows(add_school_travel(study, places), places)


def add_school_travel(study: StudyArea, places: Sequence[NewPoint]) -> StudyArea:
    """Return a copy with travel to the schools that take no site, or a site to which no way is known."""
    known = {mode: _find_known_sites(study, travel) for mode, travel in study.travel.items()}
    found: dict[Mode, TravelMatrix] = {}
    for mode, travel in study.travel.items():
        fresh = [place for place in places if place.site_id not in known[mode]]
        if fresh:
            x_m, y_m = (np.array([getattr(place, axis) for place in fresh]) for axis in ("x_m", "y_m"))
            time, length, snap_m = measure_points(study, mode, x_m, y_m)
            travel = replace(
                travel,
                destination_ids=(*travel.destination_ids, *(place.school_id for place in fresh)),
                time_min=np.concatenate([travel.time_min, time], axis=1),
                length_m=np.concatenate([travel.length_m, length], axis=1),
                destination_snap_m=np.concatenate([travel.destination_snap_m, snap_m]),
            )
        found[mode] = travel
    return replace(study, travel=found)


def _find_known_sites(study: StudyArea, travel: TravelMatrix) -> set[str]:
    """Return the sites to which the matrix knows at least one way."""
    where = {key: at for at, key in enumerate(travel.destination_ids)}
    sites = [str(key) for key in study.sites["site_id"]] if len(study.sites) else []
    return {
        key
        for key in sites
        if key in where
        and (np.isfinite(travel.time_min[:, where[key]]).any() or np.isfinite(travel.length_m[:, where[key]]).any())
    }


def add_school_rows(study: StudyArea, places: Sequence[NewPoint]) -> StudyArea:
    """Return a copy with the rows, seats and sides of new schools, their sites taken; travel must be there already.

    The travel of a site gets the name of its school.
    """
    if not places:
        return study
    x_m, y_m = (np.array([getattr(place, axis) for place in places], dtype=np.float64) for axis in ("x_m", "y_m"))
    seats = find_seats(study.units, x_m, y_m, scattered=study.adjacency.scattered)
    taken = {place.site_id: place.school_id for place in places if place.site_id}
    free = ~study.sites["site_id"].isin(list(taken)) if len(study.sites) else []
    return replace(
        study,
        schools=_add_rows(study, places, x_m, y_m, seats),
        sites=study.sites[free].reset_index(drop=True) if taken else study.sites,
        travel={mode: _rename(travel, taken) for mode, travel in study.travel.items()} if taken else study.travel,
        sides=add_sides(study, places, seats),
    )


def _rename(travel: TravelMatrix, names: dict[str, str]) -> TravelMatrix:
    """Return a matrix whose sites are called by their schools, where these have no column yet; nothing is copied."""
    there = set(travel.destination_ids)
    ids = tuple(names[key] if key in names and names[key] not in there else key for key in travel.destination_ids)
    return replace(travel, destination_ids=ids)


def _add_rows(
    study: StudyArea, places: Sequence[NewPoint], x_m: Floats, y_m: Floats, seats: npt.NDArray[np.object_]
) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import shapely

    units = study.units.drop_duplicates("unit_id").set_index("unit_id")[["setting", "town"]].reindex(seats)
    about = units.fillna("").astype(str).reset_index(drop=True)
    rows = {
        "school_id": [place.school_id for place in places],
        "name": [place.name or place.school_id for place in places],
        "kind": [place.kind for place in places],
        "setting": [place.setting or about.at[at, "setting"] for at, place in enumerate(places)],
        "town": [place.town or about.at[at, "town"] for at, place in enumerate(places)],
        "ownership": [place.ownership for place in places],
        "x_m": x_m,
        "y_m": y_m,
        "boarding_places": [place.boarding_places for place in places],
        "group_id": ["" for _ in places],
        "site_area_m2": [place.site_area_m2 for place in places],
        "floor_area_m2": [np.nan for _ in places],
        "unit_id": list(seats),
    }
    kept = {name: values for name, values in rows.items() if name in study.schools.columns}
    table = gpd.GeoDataFrame(kept, geometry=shapely.points(x_m, y_m), crs=study.schools.crs)
    both = pd.concat([study.schools, table], ignore_index=True)
    for name in kept:
        both[name] = both[name].astype(study.schools[name].dtype)
    return gpd.GeoDataFrame(both, geometry="geometry", crs=study.schools.crs)


def add_sides(
    study: StudyArea,
    places: Sequence[NewPoint],
    seats: npt.NDArray[np.object_],
    *,
    place: Literal["school", "site"] = "school",
) -> pd.DataFrame:
    """Return the sides of barriers with those of new schools, or of new sites.

    A school at a site lies where the site does; else on the side of the nearest unit, school or site to which a
    straight line crosses no barrier of the kind; else on that of the unit in which it stands.
    """
    sides = study.sides
    if sides.empty:
        return sides
    parts = [sides]
    for point, seat in zip(places, seats, strict=True):
        for kind in sides["kind"].unique():
            rows = sides[sides["kind"] == kind]
            if point.site_id:
                own = rows[(rows["place"] == "site") & (rows["id"] == point.site_id)]
            else:
                own = _find_same_side(study, rows, str(kind), point)
            if own.empty:
                own = rows[(rows["place"] == "unit") & (rows["id"] == seat)]
            parts.append(own.head(1).assign(place=place, id=point.school_id))
    return pd.concat(parts, ignore_index=True).astype(sides.dtypes.to_dict())


def _find_same_side(study: StudyArea, rows: pd.DataFrame, kind: str, place: NewPoint) -> pd.DataFrame:
    """Return the row of the nearest place that no barrier of this kind parts from a new school, empty for none."""
    import shapely

    tables = {"unit": study.units, "school": study.schools, "site": study.sites}
    spots = pd.concat(
        [
            pd.DataFrame(table[[f"{name}_id", "x_m", "y_m"]]).rename(columns={f"{name}_id": "id"}).assign(place=name)
            for name, table in tables.items()
            if len(table)
        ]
    )
    spots["away_m"] = np.hypot(spots["x_m"] - place.x_m, spots["y_m"] - place.y_m)
    spots = spots.sort_values(["away_m", "place", "id"], kind="stable").head(_NEAR_PLACES)
    lines = study.barriers.geometry[study.barriers["kind"] == kind].to_numpy()
    tree = shapely.STRtree(lines)
    for spot in spots.itertuples():
        way = shapely.linestrings([[place.x_m, place.y_m], [float(spot.x_m), float(spot.y_m)]])  # type: ignore[arg-type]
        found = rows[(rows["place"] == spot.place) & (rows["id"] == spot.id)]
        if len(found) and not len(tree.query(way, predicate="intersects")):
            return found
    return rows.iloc[:0]


def lonlat_to_study(study: StudyArea, lon_deg: float, lat_deg: float) -> tuple[float, float]:
    """Return metres in the study's CRS from degrees WGS 84 (a ``"local"`` grid lies around 0, 0)."""
    from geodata.crs import from_lonlat

    x_m, y_m = from_lonlat([lon_deg], [lat_deg], study.crs)
    return float(x_m[0]), float(y_m[0])


def unit_point(study: StudyArea, unit_id: str) -> tuple[float, float]:
    """Return the demand point of a unit in metres; ``KeyError`` for one that is not there."""
    found = study.units.loc[study.units["unit_id"] == unit_id, ["x_m", "y_m"]]
    if found.empty:
        raise KeyError(unit_id)
    return float(found["x_m"].iloc[0]), float(found["y_m"].iloc[0])


def measure_gap_m(study: StudyArea, x_m: float, y_m: float) -> float:
    """Return the metres from a point to the nearest unit (0 inside one, ``inf`` where there are no units)."""
    import shapely

    if study.units.empty:
        return float("inf")
    return float(np.min(shapely.distance(study.units.geometry.to_numpy(), shapely.Point(x_m, y_m))))


def measure_snap_m(study: StudyArea, mode: Mode, x_m: float, y_m: float) -> float:
    """Return the metres from a point to the nearest road of a mode; NaN where the study has no roads."""
    if find_travel_method(study, mode) != "roads":
        return float("nan")
    return float(_find_search(study, mode).find_snap_m(x_m, y_m))
