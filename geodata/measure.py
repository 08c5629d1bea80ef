"""Roads into networks, networks into travel tables; each kept on disk by the content it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from geodata.barriers import read_barriers
from geodata.cache import DiskCache
from geodata.errors import DataIssue
from geodata.lived_roads import build_lived_costs, check_lived_options, describe_lived_costs
from geodata.messages import msg
from geodata.network import build_basemap, build_network, build_road_report, list_road_lines
from geodata.osm_features import read_osm_water
from geodata.read_roads import read_roads
from geodata.road_evidence import RoadEvidence, build_road_evidence
from geodata.study import (
    Basemap,
    Mode,
    Progress,
    RoadNetwork,
    Source,
    TravelMatrix,
    compute_digest,
)
from geodata.study_file import StudySpec
from geodata.travel import compute_travel_matrix, read_travel_matrix

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

TRAVEL_VERSION = 2
"""Part of the cache keys here: raise it when the same roads give other travel."""
ROADS_VERSION = 5
"""Part of the cache key of :class:`RoadFacts`: raise it when the same files give other facts."""

OSM_ENDINGS = (".pbf", ".osm", ".osm.gz", ".osm.bz2")


@dataclass(frozen=True)
class RoadFacts:
    """What the road file gives: a network per mode, lines and water for drawing, the report on them, barriers.

    ``barriers`` and ``crossings``: see :func:`geodata.barriers.read_barriers`. ``lines`` are the roads with every node
    (:func:`geodata.network.list_road_lines`), kept only where street blocks are cut from them. ``issues``: what the
    planner should know of slopes, crossings, and the layer of lines. ``evidence``: what the checks of roads look at.
    """

    networks: dict[Mode, RoadNetwork]
    basemap: Basemap
    report: pd.DataFrame | None
    barriers: gpd.GeoDataFrame
    crossings: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame | None = None
    issues: tuple[DataIssue, ...] = ()
    evidence: RoadEvidence | None = None


def read_road_facts(
    spec: StudySpec, crs: str, sources: tuple[Source, ...], cache: DiskCache, progress: Progress
) -> RoadFacts:
    """Read, clean and connect the roads of a study; an empty :class:`RoadFacts` where it names none.

    Raises ``DataError`` for a bad file, ``NetworkError`` where roads must be downloaded and cannot be.
    """
    import geopandas as gpd

    if spec.roads is None:
        nothing = gpd.GeoDataFrame({"road_class": [], "name": []}, geometry=[], crs=None if crs == "local" else crs)
        basemap = Basemap(nothing, nothing.rename(columns={"road_class": "kind"}))
        return RoadFacts({}, basemap, None, *read_barriers(spec, crs, None), issues=check_lived_options(spec))
    progress(msg("Reading roads"), 0.0)
    digests = [(source.role, source.digest) for source in sources if source.role in ("roads", "barriers", "elevation")]
    cuts = spec.units.kind == "blocks"
    lived = (spec.elevation, sorted(spec.travel.crossing_penalty_s.items()), bool(spec.travel.path))
    key = "roads-" + compute_digest(
        ROADS_VERSION, digests, spec.roads, spec.barriers, spec.travel.modes, crs, cuts, lived
    )
    found = cache.load(key)
    if isinstance(found, RoadFacts):
        return found
    roads = read_roads(spec, crs)
    barriers, crossings = read_barriers(spec, crs, roads)
    costs = build_lived_costs(spec, roads, crossings)
    networks: dict[Mode, RoadNetwork] = {}
    for position, mode in enumerate(spec.travel.modes):
        progress(msg("Connecting roads"), 0.5 + 0.4 * position / len(spec.travel.modes))
        if mode == "drive":  # neither slopes nor crossings slow a car here
            networks[mode] = build_network(roads, mode)
        else:
            slopes = costs.slopes.get(mode)
            networks[mode] = build_network(costs.roads, mode, slopes=slopes, crossings=costs.crossings)
    progress(msg("Drawing the basemap"), 0.9)
    basemap, report = build_basemap(roads, _read_water(spec, crs)), build_road_report(roads, networks)
    lines = list_road_lines(roads) if cuts else None
    issues = (*roads.issues, *check_lived_options(spec), *costs.issues, *describe_lived_costs(spec, costs))
    evidence = build_road_evidence(roads, networks)
    facts = RoadFacts(networks, basemap, report, barriers, crossings, lines, issues, evidence)
    cache.store(key, facts)
    return facts


def _read_water(spec: StudySpec, crs: str) -> gpd.GeoDataFrame | None:
    """Rivers and lakes of the same OSM file, for drawing; ``None`` where the road file is not OSM."""
    if spec.roads is None or not spec.roads.path.endswith(OSM_ENDINGS):
        return None
    water = read_osm_water(spec.resolve(spec.roads.path))
    return water if crs == "local" else water.to_crs(crs)


def measure_travel(
    spec: StudySpec,
    networks: Mapping[Mode, RoadNetwork],
    units: gpd.GeoDataFrame,
    schools: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    cache: DiskCache,
    progress: Progress,
) -> dict[Mode, TravelMatrix]:
    """Return one travel matrix per mode, units × (schools, then sites); a given matrix is read instead."""
    origins = _points(units, "unit_id")
    schools_xy, sites_xy = _points(schools, "school_id"), _points(sites, "site_id")
    ids, x_m, y_m = (np.concatenate([a, b]) for a, b in zip(schools_xy, sites_xy, strict=True))
    destinations = (ids, x_m, y_m)
    if spec.travel.path:
        matrix = read_travel_matrix(spec, list(origins[0]), list(destinations[0]))
        return {spec.travel.matrix_mode: matrix}
    found: dict[Mode, TravelMatrix] = {}
    for position, mode in enumerate(spec.travel.modes):
        share = position / len(spec.travel.modes)
        progress(_STEP[mode], share)
        network = networks.get(mode)
        parts: list[object] = []
        if network is not None:
            parts += [getattr(network, item.name) for item in fields(network)]
        key = "travel-" + compute_digest(
            TRAVEL_VERSION, mode, *parts, *(a.astype(str) for a in (*origins, *destinations)), spec.travel
        )
        kept = cache.load(key)
        if isinstance(kept, TravelMatrix):
            matrix = replace(kept, max_snap_m=spec.travel.max_snap_m)  # kept ones may not know it yet
        else:
            matrix = compute_travel_matrix(
                network,
                origins,
                destinations,
                mode=mode,
                cutoff_min=spec.travel.cutoff_min.get(mode, float("inf")),
                detour_factor=spec.travel.detour_factor,
                max_snap_m=spec.travel.max_snap_m,
                cache=cache,
            )
            cache.store(key, matrix)
        found[mode] = matrix
    return found


_STEP = {
    "walk": msg("Measuring walks"),
    "bicycle": msg("Measuring bicycle rides"),
    "drive": msg("Measuring drives"),
}


def _points(table: gpd.GeoDataFrame, id_column: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ids, x and y of a table as arrays."""
    return (
        table[id_column].to_numpy(dtype=object),
        table["x_m"].to_numpy(dtype=np.float64),
        table["y_m"].to_numpy(dtype=np.float64),
    )
