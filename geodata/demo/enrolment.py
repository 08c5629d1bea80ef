"""Who goes where in the demo county: families choose schools, so the seat is overfull and village schools empty."""

from __future__ import annotations

import numpy as np

from geodata.demo.people import BIRTHS, STAGE_YEARS, People, Unit
from geodata.demo.schools import CLASS_SIZE, School
from geodata.demo.settlements import share_out
from geodata.demo.terrain import Terrain
from geodata.demo.ways import Points, build_generator

DETOUR = 1.35
RIVER_M = 1_600.0
"""Metres that a river between home and school adds."""
FILL = {
    ("primary", "urban"): (1.12, 1.46), ("primary", "town"): (0.72, 1.12), ("primary", "rural"): (0.1, 0.58),
    ("junior", "urban"): (1.08, 1.42), ("junior", "town"): (0.5, 0.98), ("junior", "rural"): (0.25, 0.6),
    ("senior", "urban"): (0.96, 1.24), ("senior", "town"): (0.8, 1.05), ("senior", "rural"): (0.8, 1.0),
    ("kindergarten", "urban"): (0.78, 1.1), ("kindergarten", "town"): (0.62, 1.0),
    ("kindergarten", "rural"): (0.3, 0.75),
}  # fmt: skip
"""How full schools are let to become, by stage and setting: pupils per place."""
PULL = {"urban": 2.0, "town": 1.1, "rural": 1.1}
REACH_M = {"kindergarten": 900.0, "primary": 1_100.0, "junior": 2_400.0, "senior": 12_000.0}
LEAK = {"kindergarten": 0.0008, "primary": 0.0065, "junior": 0.011, "senior": 1.0}
"""How much families outside the seat are drawn to its schools, beside what distance alone would say."""
SOUGHT_AFTER = ("县实验小学", "县第一小学", "县实验中学")
"""The schools that every family wants."""
TEACHING_POINT_GRADES = {2: 2, 3: 3, 4: 4, 6: 6}


def measure_ways(units: list[Unit], schools: list[School], terrain: Terrain) -> Points:
    """Return rough metres from each unit to each school: a detour factor, and more across the river."""
    home = np.array([(unit.x_m, unit.y_m) for unit in units])
    goal = np.array([(school.x_m, school.y_m) for school in schools])
    away = DETOUR * np.hypot(home[:, None, 0] - goal[:, 0], home[:, None, 1] - goal[:, 1])
    river = np.array(terrain.river.coords)
    east = np.argsort(river[:, 0], kind="stable")
    north = [xy[:, 1] > np.interp(xy[:, 0], river[east, 0], river[east, 1]) for xy in (home, goal)]
    return np.asarray(away + RIVER_M * (north[0][:, None] != north[1]))


def enrol(seed: int, units: list[Unit], people: People, schools: list[School], terrain: Terrain) -> None:
    """Fill the schools: sets pupils and classes by grade of every stage of every school."""
    rng = build_generator(seed, "enrolment")
    for stage in ("kindergarten", "primary", "junior", "senior"):
        mine = [school for school in schools if stage in school.stages]
        capacity = np.array([school.stages[stage].built_classes * CLASS_SIZE[stage] for school in mine], float)
        low, high = _list_bands(rng, mine, stage, capacity)
        flows = choose(stage, units, people.pupils[stage], mine, measure_ways(units, mine, terrain), low, high)
        rolls = share_out(int(people.pupils[stage].sum()), flows)
        for school, roll in zip(mine, rolls, strict=True):
            _fill_grades(rng, school, stage, int(roll))


def _list_bands(rng: np.random.Generator, schools: list[School], stage: str, capacity: Points) -> tuple[Points, Points]:
    """Return the lowest and highest believable roll of each school."""
    low, high = [], []
    for school, places in zip(schools, capacity, strict=True):
        bottom, top = FILL[stage, school.setting]
        if school.name.endswith(SOUGHT_AFTER):
            bottom = 1.29
        if school.private and stage != "kindergarten":
            bottom, top = 0.9, 1.02
        if school.kind == "teaching_point":
            grades = TEACHING_POINT_GRADES[school.stages[stage].built_classes]
            low.append(4.0)
            high.append(min(60.0, 14.0 * grades) * rng.uniform(0.5, 1.0))
            continue
        low.append(places * bottom)
        high.append(places * rng.uniform(bottom + 0.35 * (top - bottom), top))
    return np.array(low), np.array(high)


def choose(
    stage: str, units: list[Unit], pupils: np.ndarray, schools: list[School], ways: Points, low: Points, high: Points
) -> Points:  # fmt: skip
    """Return expected rolls: a gravity choice, with the pull of schools changed until rolls stay in their bands."""
    reach = np.full(ways.shape, REACH_M[stage])
    rural_home = np.array([unit.setting != "urban" for unit in units])
    urban_goal = np.array([school.setting == "urban" for school in schools])
    reach[rural_home] *= 1.35
    leak = np.where(rural_home[:, None] & urban_goal, LEAK[stage], 0.0)
    pull = np.array([PULL[school.setting] for school in schools]) * np.sqrt((low + high) / 2.0)
    draw = np.exp(-ways / reach) + leak * np.exp(-ways / 14_000.0) + 1e-9
    rolls = pull
    for _ in range(90):
        weight = draw * pull
        rolls = pupils @ (weight / weight.sum(axis=1, keepdims=True))
        pull = pull * (np.clip(rolls, low, high) / rolls) ** 0.6
    return np.asarray(rolls)


def _fill_grades(rng: np.random.Generator, school: School, stage: str, roll: int) -> None:
    """Split a roll over grades by the county's cohorts, and grades into classes."""
    here = school.stages[stage]
    first, last = STAGE_YEARS[stage]
    cohorts = np.array([BIRTHS[year] for year in range(last, first - 1, -1)], float)
    if school.kind == "teaching_point":
        cohorts = cohorts[: TEACHING_POINT_GRADES[here.built_classes]]
    if school.setting == "rural":
        cohorts = cohorts * np.linspace(0.86, 1.12, len(cohorts))
    here.pupils = [int(n) for n in share_out(roll, cohorts * rng.uniform(0.93, 1.07, len(cohorts)))]
    fill = roll / (here.built_classes * CLASS_SIZE[stage])
    size = CLASS_SIZE[stage] * float(np.clip((0.52 + 0.58 * fill) * rng.uniform(0.97, 1.09), 0.8, 1.48))
    here.classes = [max(1, round(pupils / size)) if pupils else 0 for pupils in here.pupils]
