"""Housing projects of the demo county: the seat grows to the north-east."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from geodata.demo import names
from geodata.demo.names import NameMaker
from geodata.demo.people import Unit
from geodata.demo.ways import build_generator

PROJECTS = (
    (2026, 960, 2), (2026, 420, 1), (2027, 1_180, 3), (2027, 640, 2), (2028, 1_320, 3),
    (2028, 380, 1), (2029, 860, 2), (2030, 540, 2), (2030, 1_050, 3), (2031, 720, 2),
)  # fmt: skip
"""School year of completion, dwellings, years until all are lived in."""
YIELDS = {0: (0.14, 0.27, 0.11), 2: (0.15, 0.29, 0.12), 5: (0.1, 0.18, 0.08), 8: (0.13, 0.24, 0.1)}
"""Kindergarten, primary and junior pupils per dwelling of the projects that have numbers of their own."""


@dataclass(frozen=True)
class Project:
    """One housing project; ``yields`` is empty where it has no numbers of its own."""

    project_id: str
    name: str
    x_m: float
    y_m: float
    dwellings: int
    year: int
    filling_years: int
    yields: tuple[float, ...] = ()


def build_housing(seed: int, units: list[Unit]) -> list[Project]:
    """Place the projects in different units of the seat's new north-east."""
    rng = build_generator(seed, "housing")
    maker = NameMaker(rng)
    used = {unit.name for unit in units}
    new = [k for k, unit in enumerate(units) if unit.town == names.SUBDISTRICTS[1] and unit.setting == "urban"]
    projects = []
    for number, unit in enumerate(rng.choice(new, size=len(PROJECTS), replace=False)):
        name = maker.draw_estate()
        while name in used:
            name = maker.draw_estate()
        x_m, y_m = _choose_place(rng, units[int(unit)])
        year, dwellings, filling_years = PROJECTS[number]
        key, yields = f"XM{number + 1:02d}", YIELDS.get(number, ())
        projects.append(Project(key, name, x_m, y_m, dwellings, year, filling_years, yields))
    return projects


def _choose_place(rng: np.random.Generator, unit: Unit) -> tuple[float, float]:
    """Return a place inside a unit, beside its middle where there is room."""
    for _ in range(20):
        x_m, y_m = unit.x_m + rng.uniform(-90, 90), unit.y_m + rng.uniform(-90, 90)
        if unit.shape.contains(shapely.Point(x_m, y_m)):
            return round(float(x_m), 1), round(float(y_m), 1)
    return unit.x_m, unit.y_m
