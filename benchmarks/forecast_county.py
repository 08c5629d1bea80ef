"""Counties with families that drift: rolls, births and zones of many years, to test forecasts on. Seeded.

Every child is followed as a number: births by village fall (or swell first) from year to year with noise; before school
age some families move to the seat; at entry a part goes to a school other than that of its zone, a little more each
year; at every grade some leave the county's edge for its seat, more in the years of closures; counts are whole pupils
by chance (Poisson). Nothing of this is known to the forecast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.schema import build_empty_table
from geodata.study import Adjacency, Basemap, StudyArea, compute_digest

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIRST_BIRTHS, LAST_YEAR = 2001, 2030
FIRST_ROLLS = 2017
SIDE_M = 40_000.0


@dataclass(frozen=True)
class CountySize:
    """How large a county is: primary schools, junior schools, towns, units."""

    primary: int = 60
    junior: int = 20
    towns: int = 12
    units: int = 400


@dataclass(frozen=True, eq=False)
class GrownCounty:
    """``study`` with everything that happened; ``cut`` gives what was known in one year."""

    study: StudyArea

    def cut(self, year: int, *, births: str = "unit", years: int = 99) -> StudyArea:
        """Return the study as it was known: rolls and births up to ``year``; the units' children of that year.

        ``births``: ``"unit"``, ``"town"``, ``"county"`` or ``""`` (none); ``years``: how many years of rolls.
        """
        rolls = self.study.rolls
        known = self.study.births[self.study.births["year"] <= year]
        if not births:
            known = build_empty_table("births")
        elif births != "unit":
            town = known["unit_id"].map(self.study.units.set_index("unit_id")["town"])
            known = known.assign(town=town if births == "town" else "", unit_id="")
            sums = known.groupby(["year", "town", "unit_id"])["births_children"].sum()
            known = sums.reset_index()
        return replace(
            self.study,
            rolls=rolls[(rolls["year"] <= year) & (rolls["year"] > year - years)],
            births=known,
            fingerprint=compute_digest(self.study.fingerprint, year, births, years),
        )


def grow_county(seed: int, size: CountySize = CountySize()) -> GrownCounty:
    """Return a county grown from a seed."""
    rng = np.random.default_rng(seed)
    town_xy = rng.uniform(0, SIDE_M, (size.towns, 2))
    unit_town = rng.integers(0, size.towns, size.units)
    unit_xy = town_xy[unit_town] + rng.normal(0, 2_500, (size.units, 2))
    places = {}
    for stage, count in (("primary", size.primary), ("junior", size.junior)):
        town = np.concatenate(
            [np.arange(min(size.towns, count)), rng.integers(0, size.towns, max(count - size.towns, 0))]
        )
        places[stage] = (town, town_xy[town] + rng.normal(0, 2_000, (count, 2)))
    births = _grow_births(rng, unit_town, size)
    zones = {stage: _nearest(unit_xy, xy) for stage, (_, xy) in places.items()}
    rolls = _grow_rolls(rng, births, unit_town, zones, places)
    study = _build_study(seed, size, unit_town, unit_xy, places, zones, births, rolls)
    return GrownCounty(study)


def _grow_births(rng: np.random.Generator, unit_town: Ints, size: CountySize) -> Floats:
    """Return births by year and unit: a path with a turning point, towns that grow apart, villages that differ."""
    years = LAST_YEAR - FIRST_BIRTHS + 1
    slope = np.where(np.arange(years) < 15, rng.uniform(-0.005, 0.02), rng.uniform(-0.1, -0.03))
    path = np.cumsum(slope + rng.normal(0, 0.03, years))
    drift = rng.normal(0, 0.012, size.towns)
    drift[0] = 0.03
    town = np.cumsum(drift + rng.normal(0, 0.015, (years, size.towns)), axis=0)
    scale = rng.gamma(2.0, 1.0, size.units) * np.where(unit_town == 0, 3.0, 1.0)
    mean = 8_000 * scale / scale.sum() * np.exp(path[:, None] + town[:, unit_town])
    return np.asarray(rng.poisson(mean), dtype=np.float64)


def _nearest(units: Floats, schools: Floats) -> Ints:
    away = np.hypot(units[:, None, 0] - schools[:, 0], units[:, None, 1] - schools[:, 1])
    return np.asarray(away.argmin(axis=1), dtype=np.int64)


def _grow_rolls(
    rng: np.random.Generator,
    births: Floats,
    unit_town: Ints,
    zones: dict[str, Ints],
    places: dict[str, tuple[Ints, Floats]],
) -> pd.DataFrame:
    """Return rolls of every year: school number, year, stage, grade, pupils."""
    towns, n_primary, n_junior = int(unit_town.max()) + 1, len(places["primary"][0]), len(places["junior"][0])
    stay = {name: np.clip(rng.normal(0.995, 0.008, towns), 0.96, 1.01) for name in ("primary", "junior")}
    stay["primary"][0], stay["junior"][0] = 1.012, 1.006
    pull = rng.uniform(0.03, 0.08) + np.linspace(0.0, rng.uniform(0.0, 0.08), LAST_YEAR - FIRST_BIRTHS + 1)
    taste = rng.gamma(4.0, 0.25, n_primary) * np.where(places["primary"][0] == 0, 3.0, 1.0)
    feeder = _count_feeders(births.sum(axis=0), zones, n_primary, n_junior)
    primary, junior = np.zeros((n_primary, 6)), np.zeros((n_junior, 3))
    parts = []
    for year in range(FIRST_BIRTHS + 7, LAST_YEAR + 1):
        shock = rng.normal(0, 0.006)
        leavers = primary[:, 5].copy()
        for table, town, name in ((primary, places["primary"][0], "primary"), (junior, places["junior"][0], "junior")):
            keep = np.clip(stay[name][town] + shock, 0.9, 1.05)
            table[:, 1:] = _share_out(rng, table[:, :-1] * keep[:, None])
        at = year - FIRST_BIRTHS
        born = births[at - 7] / 3 + births[at - 6] * 2 / 3
        home = np.bincount(zones["primary"], born, minlength=n_primary) * rng.normal(1.0, 0.015)
        share = pull[at]
        primary[:, 0] = _share_out(rng, home * (1 - share) + share * home.sum() * taste / taste.sum())
        own, chosen = feeder @ leavers, leavers.sum() * 0.1 * np.ones(n_junior) / n_junior
        junior[:, 0] = _share_out(rng, 0.985 * (0.9 * own + chosen) * (1 + shock))
        if year >= FIRST_ROLLS:
            parts += [_list_rolls(primary, year, "primary", 1), _list_rolls(junior, year, "junior", 7)]
    return pd.concat(parts, ignore_index=True)


def _share_out(rng: np.random.Generator, expected: Floats) -> Floats:
    """Return whole numbers near what is expected; chance is a third of Poisson's, since families seldom toss coins."""
    return np.maximum(np.round(expected + rng.normal(0, 1, expected.shape) * np.sqrt(np.maximum(expected, 0)) / 3), 0)


def _count_feeders(weight: Floats, zones: dict[str, Ints], n_primary: int, n_junior: int) -> Floats:
    table = np.zeros((n_junior, n_primary))
    np.add.at(table, (zones["junior"], zones["primary"]), weight)
    total = table.sum(axis=0)
    return np.asarray(np.divide(table, total, out=np.full_like(table, 1.0 / n_junior), where=total > 0))


def _list_rolls(table: Floats, year: int, stage: str, first: int) -> pd.DataFrame:
    school, grade = np.indices(table.shape)
    ids = [f"{stage[0].upper()}{number:04d}" for number in school.ravel()]
    columns = {"school_id": ids, "year": year, "stage": stage, "grade": grade.ravel() + first}
    return pd.DataFrame({**columns, "pupils": table.ravel(), "classes": np.nan})


def _build_study(
    seed: int,
    size: CountySize,
    unit_town: Ints,
    unit_xy: Floats,
    places: dict[str, tuple[Ints, Floats]],
    zones: dict[str, Ints],
    births: Floats,
    rolls: pd.DataFrame,
) -> StudyArea:
    names = np.array([f"T{number:02d}" for number in range(size.towns)], dtype=object)
    unit_ids = np.array([f"U{number:05d}" for number in range(size.units)], dtype=object)
    school_parts, place_parts, zone_parts = [], [], []
    for stage, (town, xy) in places.items():
        ids = [f"{stage[0].upper()}{number:04d}" for number in range(len(town))]
        about = {
            "school_id": ids,
            "name": ids,
            "kind": stage,
            "setting": "",
            "town": names[town],
            "ownership": "public",
        }
        school_parts.append(pd.DataFrame({**about, "x_m": xy[:, 0], "y_m": xy[:, 1]}))
        room = {
            "school_id": ids,
            "stage": stage,
            "capacity_places": 900.0,
            "classes": np.nan,
            "capacity_source": "given",
        }
        place_parts.append(pd.DataFrame(room))
        zone = {"unit_id": unit_ids, "stage": stage, "school_id": np.array(ids, dtype=object)[zones[stage]]}
        zone_parts.append(pd.DataFrame(zone))
    years = np.arange(FIRST_BIRTHS, LAST_YEAR + 1)
    born = pd.DataFrame(
        {
            "year": np.repeat(years, size.units),
            "town": "",
            "unit_id": np.tile(unit_ids, len(years)),
            "births_children": births.ravel(),
        }
    )
    child = births[2025 - FIRST_BIRTHS - 12 : 2025 - FIRST_BIRTHS - 5].sum(axis=0) * 6 / 7
    units = pd.DataFrame({"unit_id": unit_ids, "name": unit_ids, "setting": "", "town": names[unit_town]})
    units = units.assign(x_m=unit_xy[:, 0], y_m=unit_xy[:, 1], primary_pupils=child, junior_pupils=child / 2)
    points = gpd.points_from_xy(units["x_m"], units["y_m"])
    schools = pd.concat(school_parts, ignore_index=True)
    empty = Basemap(gpd.GeoDataFrame({"road_class": []}, geometry=[]), gpd.GeoDataFrame({"kind": []}, geometry=[]))
    return StudyArea(
        name=f"county {seed}",
        crs="local",
        schools=gpd.GeoDataFrame(schools, geometry=gpd.points_from_xy(schools["x_m"], schools["y_m"])),
        places=pd.concat(place_parts, ignore_index=True),
        rolls=rolls,
        units=gpd.GeoDataFrame(units, geometry=points),
        zones=pd.concat(zone_parts, ignore_index=True),
        sites=gpd.GeoDataFrame({"site_id": []}, geometry=[]),
        travel={},
        adjacency=Adjacency((), (), np.empty(0)),
        basemap=empty,
        births=born,
        synthetic=True,
        fingerprint=compute_digest(seed, repr(size)),
    )
