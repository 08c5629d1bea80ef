"""Tiny districts drawn in ASCII, small enough to work every answer by hand.

A picture is rows of cells separated by blanks. Each cell is a square of ``cell_m`` metres (1,000 unless said)::

    a     b     c/S         "a"   a unit called a
    .     .     d           "c/S" unit c with school S in its middle
    e/T   .     /U          "/U"  a school on land where nobody lives
                            "+"   land (a road) without a unit;  "."  water: nobody lives there, no road crosses it

Roads run between the middles of neighbouring land cells (up, down, left, right). A school and the unit of its cell
are 0 m apart. Speeds are chosen for mental arithmetic: one cell of 1,000 m takes 10 min on foot, 4 min by bicycle and
2 min by car. What water cuts off is unreachable (NaN). The first row of the picture is the north.

>>> study = build_world("a b c/S", pupils={"a": 30, "b": 20, "c": 10}, schools={"S": WorldSchool(places=50, roll=60)})
>>> study.travel["walk"].time_min[:, 0].tolist()
[20.0, 10.0, 0.0]
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.seats import find_seats
from geodata.study import MODES, STAGES, Adjacency, Basemap, Mode, StudyArea, TravelMatrix, compute_digest

M_PER_MIN: dict[Mode, float] = {"walk": 100.0, "bicycle": 250.0, "drive": 500.0}
YEAR = 2025
NO_VALUE = float("nan")

PLACES_COLUMNS = ("school_id", "stage", "capacity_places", "classes", "capacity_source")
ROLLS_COLUMNS = ("school_id", "year", "stage", "grade", "pupils", "classes")
ZONES_COLUMNS = ("unit_id", "stage", "school_id")


@dataclass(frozen=True)
class WorldSchool:
    """One school. ``places``, ``classes`` and ``roll`` are a number (of the first stage) or a number per stage.

    ``None`` means unknown: no capacity, no class count, no row in ``rolls``. The stages are those of ``stages``.
    """

    kind: str = "primary"
    stages: tuple[str, ...] = ("primary",)
    places: float | Mapping[str, float | None] | None = 100.0
    classes: float | Mapping[str, float | None] | None = None
    roll: float | Mapping[str, float | None] | None = None
    setting: str = ""
    town: str = ""
    name: str = ""
    ownership: str = "public"

    def number(self, field_name: str, stage: str) -> float:
        """Return one of the three numbers for a stage; NaN where unknown."""
        value = getattr(self, field_name)
        if isinstance(value, Mapping):
            value = value.get(stage)
        elif stage != self.stages[0]:
            value = None
        return NO_VALUE if value is None else float(value)


@dataclass(frozen=True)
class WorldUnit:
    """What is known of a unit beside its pupils."""

    setting: str = ""
    town: str = ""
    name: str = ""
    kind: str = "village"


@dataclass(frozen=True)
class _Picture:
    """Cells by (row, column); the row counts from the south."""

    land: frozenset[tuple[int, int]]
    units: dict[str, tuple[int, int]] = field(default_factory=dict)
    schools: dict[str, tuple[int, int]] = field(default_factory=dict)


def build_world(
    picture: str,
    *,
    pupils: Mapping[str, float] | Mapping[str, Mapping[str, float]] | None = None,
    schools: Mapping[str, WorldSchool] | None = None,
    units: Mapping[str, WorldUnit] | None = None,
    zones: Iterable[tuple[str, str, str]] = (),
    cell_m: float = 1000.0,
    modes: Iterable[Mode] = MODES,
    rolls: pd.DataFrame | None = None,
) -> StudyArea:
    """Return the district of ``picture``.

    ``pupils`` is ``{unit: primary pupils}`` or ``{stage: {unit: pupils}}``; a unit not named has none, a stage not
    named is unknown (NaN). ``zones`` are (unit, stage, school). ``rolls`` replaces the rolls made from ``schools``
    (year 2025, grade 0).
    """
    zones = tuple(zones)
    drawn = _read_picture(picture)
    known = {key: (schools or {}).get(key, WorldSchool()) for key in drawn.schools}
    by_stage = _pupils_by_stage(pupils or {})
    school_table = _build_schools(drawn, known, cell_m)
    unit_table = _build_units(drawn, units or {}, by_stage, cell_m)
    seats = find_seats(unit_table, school_table["x_m"].to_numpy(), school_table["y_m"].to_numpy())
    school_table["unit_id"] = pd.Series(seats, dtype=str)
    return StudyArea(
        name="world",
        crs="local",
        schools=school_table,
        places=_build_places(known),
        rolls=_build_rolls(known) if rolls is None else rolls,
        units=unit_table,
        zones=pd.DataFrame(list(zones), columns=list(ZONES_COLUMNS), dtype=str),
        sites=gpd.GeoDataFrame(
            {"site_id": pd.Series(dtype=str), "name": pd.Series(dtype=str), "x_m": [], "y_m": []}, geometry=[]
        ),
        travel={mode: _build_travel(drawn, mode, cell_m) for mode in modes},
        adjacency=_build_adjacency(drawn, cell_m),
        basemap=Basemap(
            roads=gpd.GeoDataFrame({"road_class": [], "name": []}, geometry=[]),
            water=gpd.GeoDataFrame({"kind": [], "name": []}, geometry=[]),
        ),
        synthetic=True,
        fingerprint=compute_digest(picture, repr(pupils), repr(schools), repr(units), repr(zones), cell_m),
    )


def build_five_villages(**changes: object) -> StudyArea:
    """Five villages on a line, 1 km apart, a school at each end: west W (100 places), east E (40 places).

    ::

        a/W  b  c  d  e/E        pupils 30 20 10 20 30

    Nearest: a, b, c -> W (c is 20 min from both; the tie goes to the smaller id, E, unless a zone says W).
    So E has c, d, e = 60 pupils for 40 places and W has a, b = 50 for 100. Minutes on foot: a 0, b 10, c 20, d 10, e 0;
    mean (20·10 + 10·20 + 20·10) / 110 = 600 / 110 = 5.4545.
    """
    settings: dict[str, object] = {
        "pupils": {"a": 30, "b": 20, "c": 10, "d": 20, "e": 30},
        "schools": {
            "W": WorldSchool(places=100, classes=2, roll=40, name="West School", setting="rural", town="Westtown"),
            "E": WorldSchool(places=40, classes=1, roll=70, name="East School", setting="urban", town="Easttown"),
        },
        "units": {
            **{key: WorldUnit(setting="rural", town="Westtown") for key in "abc"},
            **{key: WorldUnit(setting="urban", town="Easttown") for key in "de"},
        },
    }
    return build_world("a/W b c d e/E", **{**settings, **changes})  # type: ignore[arg-type]


def build_nine_units(**changes: object) -> StudyArea:
    """A 3x3 grid of ten pupils each with one school M in the middle (90 places).

    ::

        a  b    c
        d  e/M  f        on foot: e 0, b d f h 10, a c g i 20 min; mean (4·10 + 4·20) / 9 = 13.333
        g  h    i
    """
    settings: dict[str, object] = {
        "pupils": dict.fromkeys("abcdefghi", 10.0),
        "schools": {"M": WorldSchool(places=90, classes=2, roll=90, name="Middle School")},
    }
    return build_world("a b c\nd e/M f\ng h i", **{**settings, **changes})  # type: ignore[arg-type]


def build_island(**changes: object) -> StudyArea:
    """A mainland with school S and an island, unit i, that no road reaches.

    ::

        a  b/S  .  i        pupils a 10, b 20, i 5: five pupils are unreached
    """
    settings: dict[str, object] = {
        "pupils": {"a": 10, "b": 20, "i": 5},
        "schools": {"S": WorldSchool(places=50, classes=1, roll=30, name="Shore School")},
    }
    return build_world("a b/S . i", **{**settings, **changes})  # type: ignore[arg-type]


def _read_picture(picture: str) -> _Picture:
    rows = [line.split() for line in picture.strip().splitlines()]
    land: set[tuple[int, int]] = set()
    units: dict[str, tuple[int, int]] = {}
    schools: dict[str, tuple[int, int]] = {}
    for row, cells in enumerate(reversed(rows)):
        for column, cell in enumerate(cells):
            if cell == ".":
                continue
            land.add((row, column))
            unit, _, school = cell.partition("/")
            if unit not in ("", "+"):
                units[unit] = (row, column)
            if school:
                schools[school] = (row, column)
    return _Picture(frozenset(land), units, schools)


def _pupils_by_stage(pupils: Mapping[str, object]) -> dict[str, Mapping[str, float]]:
    if any(isinstance(value, Mapping) for value in pupils.values()):
        return dict(pupils)  # type: ignore[arg-type]
    return {"primary": pupils}  # type: ignore[dict-item]


def _middle(cell: tuple[int, int], cell_m: float) -> tuple[float, float]:
    return (cell[1] + 0.5) * cell_m, (cell[0] + 0.5) * cell_m


def _build_schools(drawn: _Picture, known: Mapping[str, WorldSchool], cell_m: float) -> gpd.GeoDataFrame:
    spots = [_middle(drawn.schools[key], cell_m) for key in known]
    return gpd.GeoDataFrame(
        {
            "school_id": pd.Series(list(known), dtype=str),
            "name": pd.Series([school.name or key for key, school in known.items()], dtype=str),
            "kind": pd.Series([school.kind for school in known.values()], dtype=str),
            "setting": pd.Series([school.setting for school in known.values()], dtype=str),
            "town": pd.Series([school.town for school in known.values()], dtype=str),
            "ownership": pd.Series([school.ownership for school in known.values()], dtype=str),
            "x_m": np.array([x for x, _ in spots], dtype=float),
            "y_m": np.array([y for _, y in spots], dtype=float),
            "group_id": pd.Series([""] * len(known), dtype=str),
            "boarding_places": np.full(len(known), NO_VALUE),
            "site_area_m2": np.full(len(known), NO_VALUE),
            "floor_area_m2": np.full(len(known), NO_VALUE),
        },
        geometry=[shapely.Point(spot) for spot in spots],
    )


def _build_units(
    drawn: _Picture, known: Mapping[str, WorldUnit], pupils: Mapping[str, Mapping[str, float]], cell_m: float
) -> gpd.GeoDataFrame:
    about = {key: known.get(key, WorldUnit()) for key in drawn.units}
    spots = [_middle(cell, cell_m) for cell in drawn.units.values()]
    half = cell_m / 2
    table = {
        "unit_id": pd.Series(list(about), dtype=str),
        "name": pd.Series([unit.name or key for key, unit in about.items()], dtype=str),
        "kind": pd.Series([unit.kind for unit in about.values()], dtype=str),
        "setting": pd.Series([unit.setting for unit in about.values()], dtype=str),
        "town": pd.Series([unit.town for unit in about.values()], dtype=str),
        "area_m2": np.full(len(about), cell_m**2),
        "perimeter_m": np.full(len(about), 4 * cell_m),
        "x_m": np.array([x for x, _ in spots], dtype=float),
        "y_m": np.array([y for _, y in spots], dtype=float),
        "population_people": np.full(len(about), NO_VALUE),
    }
    for stage in STAGES:
        here = pupils.get(stage)
        numbers = [NO_VALUE if here is None else float(here.get(key, 0.0)) for key in about]
        table[f"{stage}_pupils"] = np.array(numbers, dtype=float)
    boxes = [shapely.box(x - half, y - half, x + half, y + half) for x, y in spots]
    return gpd.GeoDataFrame(table, geometry=boxes)


def _build_places(known: Mapping[str, WorldSchool]) -> pd.DataFrame:
    rows = [
        (key, stage, school.number("places", stage), school.number("classes", stage))
        for key, school in known.items()
        for stage in school.stages
    ]
    table = pd.DataFrame(rows, columns=list(PLACES_COLUMNS[:4]))
    table = table.astype({"school_id": str, "stage": str, "capacity_places": float, "classes": float})
    table["capacity_source"] = np.where(table["capacity_places"].isna(), "missing", "given").astype(str)
    return table


def _build_rolls(known: Mapping[str, WorldSchool]) -> pd.DataFrame:
    rows = [
        (key, YEAR, stage, 0, school.number("roll", stage), school.number("classes", stage))
        for key, school in known.items()
        for stage in school.stages
        if not np.isnan(school.number("roll", stage))
    ]
    table = pd.DataFrame(rows, columns=list(ROLLS_COLUMNS))
    return table.astype({"school_id": str, "year": int, "stage": str, "grade": int, "pupils": float, "classes": float})


def _neighbours(cell: tuple[int, int]) -> list[tuple[int, int]]:
    row, column = cell
    return [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]


def _walk_steps(land: frozenset[tuple[int, int]], start: tuple[int, int]) -> dict[tuple[int, int], int]:
    """Return the number of steps from ``start`` to every land cell that can be reached."""
    steps = {start: 0}
    queue = deque([start])
    while queue:
        cell = queue.popleft()
        for other in _neighbours(cell):
            if other in land and other not in steps:
                steps[other] = steps[cell] + 1
                queue.append(other)
    return steps


def _build_travel(drawn: _Picture, mode: Mode, cell_m: float) -> TravelMatrix:
    length_m = np.full((len(drawn.units), len(drawn.schools)), NO_VALUE, dtype=np.float32)
    for column, school_cell in enumerate(drawn.schools.values()):
        steps = _walk_steps(drawn.land, school_cell)
        for row, unit_cell in enumerate(drawn.units.values()):
            if unit_cell in steps:
                length_m[row, column] = steps[unit_cell] * cell_m
    return TravelMatrix(
        mode=mode,
        unit_ids=tuple(drawn.units),
        destination_ids=tuple(drawn.schools),
        time_min=(length_m / np.float32(M_PER_MIN[mode])).astype(np.float32),
        length_m=length_m,
        unit_snap_m=np.zeros(len(drawn.units), dtype=np.float32),
        destination_snap_m=np.zeros(len(drawn.schools), dtype=np.float32),
    )


def _build_adjacency(drawn: _Picture, cell_m: float) -> Adjacency:
    owner = {cell: key for key, cell in drawn.units.items()}
    order = {key: position for position, key in enumerate(drawn.units)}
    pairs = [
        (key, owner[other])
        for key, cell in drawn.units.items()
        for other in _neighbours(cell)
        if other in owner and order[owner[other]] > order[key]
    ]
    touched = {key for pair in pairs for key in pair}
    return Adjacency(
        first_ids=tuple(first for first, _ in pairs),
        second_ids=tuple(second for _, second in pairs),
        border_m=np.full(len(pairs), cell_m),
        island_ids=tuple(key for key in drawn.units if key not in touched),
    )
