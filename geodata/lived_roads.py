"""Slopes and crossings of a study's roads: read, put into costs by edge, and told to the planner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geodata.crossings import CrossingCosts, build_crossing_costs, cut_main_roads
from geodata.elevation import read_edge_heights
from geodata.errors import DataIssue
from geodata.messages import msg
from geodata.network import compute_speeds
from geodata.road_access import BACKWARD, FORWARD
from geodata.road_classes import STRAIGHT_LINE
from geodata.road_table import RoadTable
from geodata.slope import SlopeFactors, compute_slope_factors
from geodata.study import Mode
from geodata.study_file import StudySpec

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True, eq=False)
class LivedCosts:
    """What slopes do to each mode's times, what crossings cost, and what was found on reading; by edge of ``roads``.

    ``roads`` are those read, with main roads cut into pieces where crossing them costs.
    """

    roads: RoadTable
    slopes: Mapping[Mode, SlopeFactors] = field(default_factory=dict)
    crossings: CrossingCosts | None = None
    issues: tuple[DataIssue, ...] = ()


def build_lived_costs(spec: StudySpec, roads: RoadTable, crossings: gpd.GeoDataFrame) -> LivedCosts:
    """Return what ``[elevation]`` and ``[travel] crossing_penalty_s`` ask for.

    Raises ``DataError`` where the raster of heights cannot be used.
    """
    if spec.travel.path:  # the times are given: nothing here would be looked at
        return LivedCosts(roads)
    if spec.travel.crossing_penalty_s.get("main_road", 0.0) > 0:
        roads = cut_main_roads(roads)
    costs = build_crossing_costs(roads, crossings, spec.travel.crossing_penalty_s)
    if spec.elevation is None:
        return LivedCosts(roads, {}, costs)
    heights, issues = read_edge_heights(spec.resolve(spec.elevation.path), roads)
    walk_kmh = next((item.speed_kmh["walk"] for item in roads.classes if item.name == STRAIGHT_LINE), 4.0)
    slopes = {}
    for mode in spec.travel.modes:
        speeds = compute_speeds(roads, mode)
        factors = compute_slope_factors(roads, heights, mode, flat_kmh=speeds, walk_kmh=walk_kmh)
        if factors is not None:
            slopes[mode] = factors
    return LivedCosts(roads, slopes, costs, tuple(issues))


def check_lived_options(spec: StudySpec) -> tuple[DataIssue, ...]:
    """Report heights and crossings that the study asks for and that cannot change anything."""
    asked = spec.elevation is not None or any(value > 0 for value in spec.travel.crossing_penalty_s.values())
    if not asked or (spec.roads is not None and not spec.travel.path):
        return ()
    if spec.travel.path:
        problem = msg("Heights and crossings change nothing: the travel times of this study are given.")
    else:
        problem = msg("Heights and crossings change nothing: the study has no roads.")
    column = "[elevation]" if spec.elevation is not None else "[travel] crossing_penalty_s"
    return (DataIssue("lived_roads", "warning", problem, file="study.toml", column=column),)


def describe_lived_costs(spec: StudySpec, costs: LivedCosts) -> tuple[DataIssue, ...]:
    """Say what slopes and crossings do to the times of this study, so that nobody takes them for those of flat land."""
    issues: list[DataIssue] = []
    mode: Mode = "walk" if "walk" in costs.slopes else "bicycle"
    if spec.elevation is not None and mode in costs.slopes:
        problem = msg(
            "Times on foot and by bicycle follow the slope of the ground: over all roads, there and back, a way takes"
            " {share:.1%} longer than on the flat.",
            share=_measure_slowing(costs.roads, costs.slopes[mode], mode),
        )
        file = spec.resolve(spec.elevation.path).name
        issues.append(DataIssue("slopes", "note", problem, file=file, column="[elevation]"))
    if costs.crossings is not None:
        seconds = {name: float(spec.travel.crossing_penalty_s.get(name, 0.0)) for name in _PENALTIES}
        problem = msg(
            "On foot and by bicycle each crossing adds time: of a main road {main_road:,.0f} s, of a railway"
            " {railway:,.0f} s, of a river {river:,.0f} s.",
            **seconds,
        )
        issues.append(DataIssue("crossings", "note", problem, file="study.toml", column="[travel] crossing_penalty_s"))
    return tuple(issues)


_PENALTIES = ("main_road", "railway", "river")


def _measure_slowing(roads: RoadTable, factors: SlopeFactors, mode: Mode) -> float:
    """Return how much longer a way there and back takes over all roads of the mode (share)."""
    usable: npt.NDArray[np.bool_] = (roads.way_access[roads.way] & (FORWARD[mode] | BACKWARD[mode])) > 0
    length = roads.length_m[usable]
    return float(length @ (factors.ahead + factors.back)[usable] / (2 * length.sum()) - 1.0)
