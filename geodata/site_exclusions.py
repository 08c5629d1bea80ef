"""What keeps a school away: how far a place lies from railways, main roads, hazard zones and the like.

Layers of the study file (``[exclusions]``) say where these are. Railways, expressways, main roads and water are also
known from the study's own roads: these are used for a kind of which no layer tells.

Distances are measured in a straight line from the place to the line or outline as it is drawn: the middle of a road or
railway, not its edge. Main roads are those of the basemap, which is simplified by up to
``geodata.network.DRAWING_TOLERANCE_M``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.dictionary import read_table_schema
from geodata.messages import Message, msg
from geodata.road_classes import read_road_classes
from geodata.shapes import Shapes, build_points
from geodata.study import FrozenArrays, StudyArea

if TYPE_CHECKING:
    import geopandas as gpd

EXCLUSION_KINDS: tuple[str, ...] = read_table_schema("exclusions").column("kind").values
"""Every kind of thing that keeps a school away, in the order in which they are told."""
DISTANCE_COLUMNS = ("site_id", "kind", "name", "distance_m", "within", "shape", "source", "campus_m")
"""One row per place and known kind: the nearest line, zone or place.

``within``: the place lies in it, or on it. ``distance_m`` NaN: the kind is known, and there is none in the study.
``shape``: of the nearest one, area, line or point. ``source``: layer, barriers, roads or water. ``campus_m``: radius of
a circle of the site's area, NaN where that is unknown. A kind of which nothing is known has no rows."""
ON_LINE_M = 0.01
"""A place as near as this to a line or zone lies on it."""
KIND_WORDS: Mapping[str, Message] = MappingProxyType(
    {
        "railway": msg("railway"),
        "expressway": msg("expressway"),
        "main_road": msg("main road"),
        "flood": msg("flood zone"),
        "landslide": msg("landslide zone"),
        "debris_flow": msg("debris flow zone"),
        "seismic": msg("seismic fault or danger zone"),
        "ground_collapse": msg("zone of ground collapse"),
        "hidden_river": msg("hidden river"),
        "pollution": msg("polluted ground"),
        "water": msg("water"),
        "protected_farmland": msg("protected farmland"),
        "funeral_home": msg("funeral home"),
        "hospital_mortuary": msg("hospital mortuary"),
        "infectious_disease_hospital": msg("hospital for infectious diseases"),
        "high_voltage_line": msg("high-voltage line"),
        "high_voltage_substation": msg("high-voltage substation"),
        "gas_or_oil_pipeline": msg("gas or oil pipeline"),
        "explosive_site": msg("store of explosives"),
        "flammable_site": msg("store of flammable goods"),
        "gas_station": msg("filling station"),
        "market": msg("market"),
        "entertainment": msg("place of entertainment"),
        "prison": msg("prison"),
        "rubbish_station": msg("rubbish station"),
        "other": msg("other excluded ground"),
        "area": msg("too little land"),
    }
)
"""The kinds in words; ``area`` stands in ``excluded_by`` where too little land is left."""
_MAIN_GROUP = "main"
_SHAPE_NAMES = ("point", "line", "area")


@dataclass(frozen=True)
class ClearDistance:
    """How far a school keeps from one kind of thing.

    Parameters
    ----------
    kind
        One of ``EXCLUSION_KINDS``.
    distance_m
        Least distance in metres; 0: it must not lie within.
    excludes
        True: a place that is nearer is out; False: it is only told, and farther places are looked for first.
    rule_id
        The rule that says so; empty: none, the study's layer alone.
    """

    kind: str
    distance_m: float = 0.0
    excludes: bool = True
    rule_id: str = ""


@dataclass(frozen=True)
class ClearDistances:
    """The clear distances of all kinds, and the least area of a site in m2 (NaN: none is known)."""

    items: tuple[ClearDistance, ...] = ()
    min_area_m2: float = math.nan

    @property
    def excluding(self) -> tuple[ClearDistance, ...]:
        """Those that put a place out."""
        return tuple(item for item in self.items if item.excludes)


@dataclass(frozen=True, eq=False)
class Obstacles(FrozenArrays):
    """Everything known that keeps a school away.

    ``parts`` holds single lines, areas and points by kind, ``names`` their names; ``sources`` where a kind is known
    from. A kind that is known and of which there is none has an empty array.
    """

    parts: Mapping[str, Shapes]
    names: Mapping[str, npt.NDArray[np.object_]]
    sources: Mapping[str, str]


def name_kind(kind: str) -> Message:
    """Return a kind in words; one that is not known stands as it is."""
    return KIND_WORDS.get(kind) or msg("{text}", text=kind)


def list_known_kinds(study: StudyArea) -> dict[str, str]:
    """Return the kinds of which the study knows where they are, and from where: layer, barriers, roads, water.

    A layer of the study file comes first. Railways come from the barriers (an OpenStreetMap road file, or a layer of
    barriers), main roads from the roads, expressways from both, water from an OpenStreetMap road file. Roads without
    an expressway say that there is none; a file without any railway says nothing, for extracts are often cut down to
    roads.
    """
    drawn = set(study.exclusions["kind"].astype(str))
    barriers = set(study.barriers["kind"].astype(str))
    has_roads = len(study.basemap.roads) > 0
    found: dict[str, str] = {kind: "layer" for kind in EXCLUSION_KINDS if kind in drawn}
    if "railway" in barriers:
        found.setdefault("railway", "barriers")
    if has_roads or "expressway" in barriers:
        found.setdefault("expressway", "barriers")
    if has_roads:
        found.setdefault("main_road", "roads")
    if len(study.basemap.water):
        found.setdefault("water", "water")
    return {kind: found[kind] for kind in EXCLUSION_KINDS if kind in found}


def build_obstacles(study: StudyArea) -> Obstacles:
    """Return everything known that keeps a school away, each line, area and point by itself."""
    sources = list_known_kinds(study)
    tables = {
        "layer": lambda kind: study.exclusions[study.exclusions["kind"] == kind],
        "barriers": lambda kind: study.barriers[study.barriers["kind"] == kind],
        "roads": lambda kind: _list_main_roads(study),
        "water": lambda kind: _list_water(study),
    }
    parts: dict[str, Shapes] = {}
    names: dict[str, npt.NDArray[np.object_]] = {}
    for kind, source in sources.items():
        table = tables[source](kind)
        shapes, owner = shapely.get_parts(np.asarray(table.geometry.to_numpy(), dtype=object), return_index=True)
        parts[kind] = np.asarray(shapes, dtype=object)
        names[kind] = table["name"].fillna("").astype(str).to_numpy(dtype=object)[owner]
    return Obstacles(parts, names, sources)


def _list_main_roads(study: StudyArea) -> gpd.GeoDataFrame:
    main = [name for name, item in read_road_classes().items() if item.group == _MAIN_GROUP]
    return study.basemap.roads[study.basemap.roads["road_class"].isin(main)]


def _list_water(study: StudyArea) -> gpd.GeoDataFrame:
    """Return the areas of water; lines of rivers and coasts have no ground to stand on."""
    water = study.basemap.water
    return water[shapely.get_dimensions(np.asarray(water.geometry.to_numpy(), dtype=object)) == 2]


def measure_exclusions(
    study: StudyArea,
    sites: pd.DataFrame | None = None,
    *,
    shapes: Shapes | None = None,
    obstacles: Obstacles | None = None,
) -> pd.DataFrame:
    """Return how far each place lies from the nearest thing of each known kind.

    Parameters
    ----------
    study
        With ``exclusions``, ``barriers`` and ``basemap``.
    sites
        ``site_id``, ``x_m``, ``y_m`` and perhaps ``area_m2``; None: the study's candidate sites.
    shapes
        Areas to measure from instead of the points, one per site.
    obstacles
        Of the study, where they are built already.

    Returns
    -------
    DataFrame
        ``DISTANCE_COLUMNS``, in the order of the places, then of the kinds. Of equally near things the first counts.
    """
    table = study.sites if sites is None else sites
    known = obstacles or build_obstacles(study)
    x_m, y_m = (table[name].to_numpy(dtype=np.float64) for name in ("x_m", "y_m"))
    spots = build_points(x_m, y_m) if shapes is None else shapes
    area_m2 = table["area_m2"].to_numpy(dtype=np.float64) if "area_m2" in table.columns else np.full(len(x_m), np.nan)
    frames = []
    for number, (kind, source) in enumerate(known.sources.items()):
        nearest, away_m = find_nearest(known.parts[kind], spots)
        names, dimensions = known.names[kind], shapely.get_dimensions(known.parts[kind])
        frames.append(
            pd.DataFrame(
                {
                    "site_id": table["site_id"].astype(str).to_numpy(dtype=object),
                    "kind": kind,
                    "name": [names[at] if at >= 0 else "" for at in nearest],
                    "distance_m": away_m,
                    "within": away_m <= ON_LINE_M,
                    "shape": [_SHAPE_NAMES[dimensions[at]] if at >= 0 else "" for at in nearest],
                    "source": source,
                    "campus_m": np.sqrt(area_m2 / np.pi),
                    "order": np.arange(len(spots)) * len(known.sources) + number,
                }
            )
        )
    if not frames:
        return pd.DataFrame({name: pd.Series([], dtype=_DTYPES.get(name, "str")) for name in DISTANCE_COLUMNS})
    found = pd.concat(frames, ignore_index=True).sort_values("order").reset_index(drop=True)
    return found[list(DISTANCE_COLUMNS)].astype({name: _DTYPES.get(name, "str") for name in DISTANCE_COLUMNS})


_DTYPES = {"distance_m": "float64", "campus_m": "float64", "within": "bool"}


def find_nearest(parts: Shapes, spots: Shapes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the number of the nearest part and its distance in metres for every place; -1 and NaN where none is."""
    nearest, away_m = np.full(len(spots), -1, dtype=np.int64), np.full(len(spots), np.nan)
    usable = np.flatnonzero(~(shapely.is_missing(spots) | shapely.is_empty(spots)))
    if not len(parts) or not len(usable):
        return nearest, away_m
    tree = shapely.STRtree(parts)
    found, distance = tree.query_nearest(spots[usable], return_distance=True, all_matches=True)
    order = np.lexsort((found[1], found[0]))  # of equally near parts the first in the order of the table
    firsts = order[np.unique(found[0][order], return_index=True)[1]]
    nearest[usable[found[0][firsts]]] = found[1][firsts]
    away_m[usable[found[0][firsts]]] = distance[firsts]
    return nearest, away_m


def find_excluded(distances: pd.DataFrame, clear: ClearDistances, *, excluding: bool = True) -> pd.Series[str]:
    """Return, by place, the kinds that it is too near to, joined by ``;``: only those that exclude, or only warnings.

    ``distances``: ``DISTANCE_COLUMNS``. The index holds every ``site_id`` that has distances; clear ones have ``""``.
    """
    limits = {item.kind: item.distance_m for item in clear.items if item.excludes == excluding}
    limit_m = distances["kind"].map(limits).to_numpy(dtype=np.float64)
    away_m = distances["distance_m"].to_numpy(dtype=np.float64)
    near = (away_m < limit_m) | (distances["within"].to_numpy(dtype=bool) & ~np.isnan(limit_m))
    kinds = distances["kind"].where(near, "")
    ids = distances["site_id"]
    return kinds.groupby(ids, sort=False).agg(lambda found: ";".join(dict.fromkeys(kind for kind in found if kind)))
