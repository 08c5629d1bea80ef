"""The demo county's present catchments, with the oddities of a map that grew over decades, and six candidate sites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from geodata.demo import names
from geodata.demo.enrolment import measure_ways
from geodata.demo.people import People, Unit
from geodata.demo.schools import CLASS_SIZE, School
from geodata.demo.terrain import SEAT_ANGLE, SEAT_M, Terrain
from geodata.demo.ways import Points, build_generator
from geodata.errors import LayoutError

ZoneRow = tuple[str, str, str]
EXCLAVES = {"primary": 4, "junior": 2}
PAST_NEAREST = {"primary": 5, "junior": 3}
SHARED_UNITS = 7


@dataclass(frozen=True)
class Site:
    """A candidate site for a new school."""

    site_id: str
    name: str
    x_m: float
    y_m: float
    area_m2: int
    class_options: str
    stages: str
    cost_cny: int


def build_zones(seed: int, units: list[Unit], people: People, schools: list[School], terrain: Terrain) -> list[ZoneRow]:
    """Return the catchments of public primary and junior schools as (unit, stage, school), in unit order.

    Every unit has a school, also those without pupils. A rule of thumb made them: the nearest school of the own
    subdistrict or town, in the seat with an eye to places; then come the oddities (:func:`_add_oddities`). Teaching
    points serve their own village only, and higher grades go on to the school beside it in the list: a shared zone.
    """
    rng = build_generator(seed, "zones")
    rows: list[tuple[int, str, str]] = []
    for stage in ("primary", "junior"):
        open_ = [
            school
            for school in schools
            if stage in school.stages and not school.private and school.kind != "teaching_point"
        ]
        ways = measure_ways(units, open_, terrain)
        choice = _divide(units, people.pupils[stage], open_, stage, ways)
        shared = _add_oddities(rng, stage, units, open_, ways, choice)
        rows += [(k, stage, open_[int(choice[k])].school_id) for k in range(len(units))]
        rows += [(k, stage, open_[other].school_id) for k, other in shared]
    points = [school for school in schools if school.kind == "teaching_point"]
    rows += [(school.unit, "primary", school.school_id) for school in points]
    return [(units[k].unit_id, stage, school_id) for k, stage, school_id in sorted(rows)]


def _divide(units: list[Unit], pupils: np.ndarray, schools: list[School], stage: str, ways: Points) -> np.ndarray:
    """Return each unit's school: the nearest in its own seat or town; full schools of the seat count as farther."""
    unit_side = np.array([unit.setting == "urban" for unit in units])
    school_side = np.array([school.setting == "urban" for school in schools])
    same_town = np.array([[unit.town == school.town for school in schools] for unit in units])
    cost = ways + 30_000.0 * (unit_side[:, None] != school_side)
    cost += np.where(unit_side[:, None], 0.0, 6_000.0) * ~same_town
    near_seat = np.array([unit.town in names.SUBDISTRICTS and unit.setting == "rural" for unit in units])
    cost[near_seat] = ways[near_seat]
    places = np.array([school.stages[stage].built_classes * CLASS_SIZE[stage] for school in schools], float)
    extra = np.zeros(len(schools))
    choice = np.argmin(cost, axis=1)
    for _ in range(40):
        choice = np.argmin(np.round(cost + extra, 3), axis=1)
        load = np.bincount(choice, weights=pupils, minlength=len(schools)) / places
        extra += np.where(school_side, 45.0 * np.clip(load - 1.15, -0.3, 1.0), 0.0)
        extra = np.clip(extra, 0.0, 900.0)
    return np.asarray(choice)


def _add_oddities(
    rng: np.random.Generator, stage: str, units: list[Unit], schools: list[School], ways: Points, choice: np.ndarray
) -> list[tuple[int, int]]:
    """Change ``choice``: estates sent past near schools, exclaves. Return (unit, second school) of the shared zone."""
    rank = np.argsort(np.round(ways, 1), axis=1, kind="stable")
    urban = np.flatnonzero([unit.setting == "urban" and unit.kind == "estate" for unit in units])
    rural = np.flatnonzero([unit.setting == "rural" for unit in units])
    for k in rng.permutation(urban)[: PAST_NEAREST[stage]]:
        choice[k] = int(rank[k, 3])
    for k in rng.permutation(rural)[: EXCLAVES[stage]]:
        town = units[k].town
        others = [s for s in rank[k] if schools[s].town != town and schools[s].setting == "town"]
        choice[k] = int(others[1])
    odd = rng.permutation(urban)[PAST_NEAREST[stage] :]
    middle = int(odd[0])
    around = np.argsort(
        np.hypot(*(np.array([(u.x_m - units[middle].x_m, u.y_m - units[middle].y_m) for u in units]).T)), kind="stable"
    )
    shared = []
    for k in [k for k in around if units[k].setting == "urban"][:SHARED_UNITS]:
        second = next(int(s) for s in rank[k] if s != choice[k] and schools[s].setting == "urban")
        shared.append((int(k), second))
    return shared


def build_sites(terrain: Terrain) -> list[Site]:
    """Return the candidate sites: three in the seat where schools are short, two at its edge, one in the east."""
    plan = (
        ("新城街道东北地块（规划小学）", 1_350.0, 1_750.0, 32_000, "24;30;36", "primary", 96_000_000),
        ("滨河街道南岸地块（九年一贯制）", 700.0, -1_720.0, 52_000, "36;45;54", "primary;junior", 168_000_000),
        ("新城街道东环路地块（规划初中）", 2_150.0, 250.0, 45_000, "24;30;36", "junior", 132_000_000),
        ("城关街道西环路地块", -2_350.0, 300.0, 28_000, "18;24;30", "primary", 78_000_000),
        ("新城街道北环路地块", -300.0, 2_650.0, 60_000, "36;45", "primary;junior", 175_000_000),
        ("东部片区中心地块", 9_800.0, 3_600.0, 24_000, "12;18", "primary", 42_000_000),
    )
    cos, sin = np.cos(SEAT_ANGLE), np.sin(SEAT_ANGLE)
    sites = []
    for n, (name, u, v, area, options, stages, cost) in enumerate(plan, 1):
        x_m, y_m = SEAT_M[0] + u * cos - v * sin, SEAT_M[1] + u * sin + v * cos
        sites.append(Site(f"0{n}", name, round(float(x_m), 1), round(float(y_m), 1), area, options, stages, cost))
    inside = shapely.contains(terrain.outline, shapely.points([(site.x_m, site.y_m) for site in sites]))
    if not inside.all():
        raise LayoutError("a site lies outside the county")
    return sites
