"""Who lives in each planning unit of the demo county: people, children by year of birth, pupils by stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.demo import names
from geodata.demo.names import NameMaker
from geodata.demo.partition import Land
from geodata.demo.settlements import Settlement, name_subdistrict, share_out
from geodata.demo.terrain import SEAT_M
from geodata.demo.ways import Points, build_generator

YEAR = 2025
"""The school year that begins in autumn 2025."""
BIRTHS = {
    2008: 8_600, 2009: 8_700, 2010: 8_800, 2011: 8_900, 2012: 9_000, 2013: 9_100, 2014: 9_500, 2015: 9_100,
    2016: 10_900, 2017: 10_500, 2018: 9_300, 2019: 8_700, 2020: 7_600, 2021: 6_700, 2022: 6_000, 2023: 5_400,
    2024: 5_500, 2025: 4_900,
}  # fmt: skip
"""Children living in the county by year of birth: halved in the seven years from 2016 to 2023."""
STAGE_YEARS = {"kindergarten": (2020, 2022), "primary": (2014, 2019), "junior": (2011, 2013), "senior": (2008, 2010)}
ATTENDANCE = {"kindergarten": 0.985, "primary": 1.0, "junior": 1.0, "senior": 0.613}
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Unit:
    """One planning unit. ``settlement`` is the number of its seat, town or village; x, y is where its people live."""

    unit_id: str
    name: str
    kind: str
    setting: str
    town: str
    settlement: int
    shape: BaseGeometry
    x_m: float
    y_m: float


@dataclass(frozen=True)
class People:
    """Counts by unit: ``people``, ``births`` (units × years of ``BIRTHS``) and ``pupils`` by stage."""

    people: Ints
    births: Ints
    pupils: dict[str, Ints]


def build_units(seed: int, lands: list[Land], places: list[Settlement]) -> list[Unit]:
    """Name the units and give them ids: county, town and running number, as in the statistical code."""
    rng = build_generator(seed, "units")
    maker = NameMaker(rng)
    towns = [*names.SUBDISTRICTS, *names.TOWNS]
    counter = dict.fromkeys(towns, 0)
    units = []
    for land in lands:
        place = places[land.settlement]
        kind, name, setting = _describe(rng, maker, land, place)
        spot = land.shape.point_on_surface() if place.kind != "village" else shapely.Point(place.x_m, place.y_m)
        middle = land.shape.centroid
        if place.kind != "village" and land.shape.contains(middle):
            spot = middle
        x_m, y_m = round(spot.x, 1), round(spot.y, 1)
        town = name_subdistrict(np.array([(x_m, y_m)]))[0] if place.kind == "seat" else place.town
        counter[town] += 1
        code = 1 + towns.index(town) if town in names.SUBDISTRICTS else 100 + towns.index(town) - 2
        unit_id = f"049901{code:03d}{200 * (kind == 'village') + counter[town]:03d}"
        units.append(Unit(unit_id, name, kind, setting, town, land.settlement, land.shape, x_m, y_m))
    return units


def _describe(rng: np.random.Generator, maker: NameMaker, land: Land, place: Settlement) -> tuple[str, str, str]:
    """Return kind, name and setting of a unit."""
    if place.kind == "village":
        return "village", place.name, "rural"
    if place.kind == "town":
        return "community", maker.draw_from(names.TOWN_COMMUNITY, "社区", place.name[:-1]), "town"
    middle = np.array(land.shape.centroid.coords[0])
    out = float(np.hypot(*(middle - SEAT_M))) / 3_000.0
    draw = rng.random()
    if draw < 0.06:
        return (
            "block",
            maker.draw_from(
                ("人民公园", "体育中心", "产业园", "商贸城", "行政中心", "物流园", "文化广场", "老机械厂"), "片区"
            ),
            "urban",
        )
    if out > 0.72 and draw < 0.2:
        return "community", maker.draw_from(names.URBAN_VILLAGE, "村社区"), "urban"
    if draw < 0.4 + 0.25 * (out < 0.45):
        return "community", maker.draw_from(names.COMMUNITY_FIRST, "社区"), "urban"
    return "estate", maker.draw_estate(), "urban"


def count_people(seed: int, units: list[Unit], places: list[Settlement]) -> People:
    """Count people and children: exact totals, shared out over the units."""
    rng = build_generator(seed, "people")
    weight = np.array([_weigh(unit) for unit in units]) * np.exp(rng.normal(0.0, 0.25, len(units)))
    people = np.zeros(len(units), np.int64)
    for number, place in enumerate(places):
        mine = np.array([k for k, unit in enumerate(units) if unit.settlement == number])
        people[mine] = (
            _fill_blocks(place.people, weight[mine]) if place.kind == "seat" else share_out(place.people, weight[mine])
        )
    births = count_births(rng, units, places, people)
    years = list(BIRTHS)
    pupils = {}
    for stage, (first, last) in STAGE_YEARS.items():
        living = births[:, years.index(first) : years.index(last) + 1].sum(axis=1)
        total = round(float(living.sum()) * ATTENDANCE[stage])
        pupils[stage] = np.minimum(share_out(total, living.astype(float)), living)
    return People(people, births, pupils)


def _fill_blocks(total: int, weight: Points) -> Ints:
    """Share people out over the blocks of the seat, none above 3,500."""
    weight = weight.copy()
    for _ in range(12):
        exact = total * weight / weight.sum()
        weight = np.minimum(exact, 3_400.0)
    return share_out(total, weight)


def _weigh(unit: Unit) -> float:
    """Return how many people a unit should hold, before scaling: its area times the density of its kind."""
    if unit.kind == "block":
        return unit.shape.area * 0.03
    if unit.setting == "town":
        return unit.shape.area
    out = float(np.hypot(unit.x_m - SEAT_M[0], unit.y_m - SEAT_M[1])) / 3_000.0
    density = {"estate": 1.7, "community": 1.0}.get(unit.kind, 1.0) * (1.25 - 0.6 * out)
    return unit.shape.area * density * (0.55 if unit.name.endswith("村社区") else 1.0)


def count_births(rng: np.random.Generator, units: list[Unit], places: list[Settlement], people: Ints) -> Ints:
    """Return children by unit and year of birth: fewer each year, most of all in the hills and villages."""
    level, trend = [], []
    for unit in units:
        hilly = places[unit.settlement].hilliness
        if unit.setting == "urban":
            new = unit.kind == "estate"
            level.append(1.12 if new else 0.95)
            trend.append(0.028 if new else 0.012)
        elif unit.setting == "town":
            level.append(1.05)
            trend.append(0.006)
        else:
            level.append(1.0 - 0.18 * hilly)
            trend.append(-0.016 - 0.02 * hilly)
    level_ = np.array(level) * np.exp(rng.normal(0.0, 0.11, len(units)))
    births = np.zeros((len(units), len(BIRTHS)), np.int64)
    for k, (year, total) in enumerate(BIRTHS.items()):
        noise = np.exp(rng.normal(0.0, 0.13, len(units)))
        births[:, k] = share_out(total, people * level_ * np.exp(np.array(trend) * (year - 2014)) * noise)
    return births
