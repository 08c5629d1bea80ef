"""Checks of the county as a whole and of its towns: large classes, people per school, places per 1,000 people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from planning.check_case import (
    Block,
    CheckCase,
    Floats,
    StageCase,
    build_block,
    ceil_amount,
    compare,
    speak_for_settings,
)
from planning.check_schools import CLASSES, PLACES, ROLL
from planning.measures import compute_class_share

BANDS = {"max_large_class_share": "large_class_from", "max_super_large_class_share": "super_large_class_from"}
COUNTY = np.array([""], dtype=object)


def check_large_share(case: CheckCase, key: str) -> Iterator[Block]:
    """Large classes as a share of all, by the averages of the schools; the cure is classes."""
    for item in case.stages:
        start = case.rules.limit(BANDS[key], item.stage, year=case.year)
        spoken = speak_for_settings(case, key, item.stage, [""])
        if start is None or spoken.at[0] < 0:
            continue
        sizes, classes = measure_classes(item)
        share = compute_class_share(sizes, classes, start)
        limit = float(spoken.limit[0])
        yield build_block(
            spoken,
            item.stage,
            "county",
            (COUNTY, COUNTY),
            np.array([share]),
            missing=f"{ROLL};{CLASSES}",
            cure="classes",
            cure_amount=np.array([count_share_cure(sizes, classes, start, limit)]),
            pupils=np.array([float(np.nansum(item.judged)) if np.isfinite(item.judged).any() else np.nan]),
        )


def measure_classes(item: StageCase) -> tuple[Floats, Floats]:
    """Return mean class size (NaN unknown) and classes by school."""
    classes = item.schools["classes"].to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(classes > 0, item.judged / classes, np.nan), classes


def count_share_cure(sizes: Floats, classes: Floats, start: float, limit: float) -> float:
    """Return the fewest classes, school by school, that bring the share of large classes down to ``limit``.

    A school whose average reaches ``start`` opens classes until it is below. Schools that mend most classes by each new
    one come first; the order is that of the cure, not of a timetable.
    """
    known = np.isfinite(sizes)
    large = known & (sizes >= start)
    wanted = ceil_amount(sizes[large] * classes[large] / start - classes[large], strict=True)
    count, total, opened = float(classes[large].sum()), float(classes[known].sum()), 0.0
    for at in np.argsort(wanted / classes[large], kind="stable"):
        if compare(np.array([count / (total + opened)]), np.array([limit]), "<=")[0]:
            break
        count -= float(classes[large][at])
        opened += float(wanted[at])
    return opened


def check_people_per_school(case: CheckCase, key: str) -> Iterator[Block]:
    """Inhabitants per school of the stage; the number of schools is not the planner's cure alone, so none is told."""
    for item in case.stages:
        areas = _sum_areas(case, item)
        schools = areas["schools"].to_numpy(dtype=np.float64)
        people = areas["people"].to_numpy(dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            measured = np.where(schools > 0, people / schools, np.nan)
        yield from _judge_areas(case, key, item, areas, measured, missing="units.population_people")


def check_places_per_1000(case: CheckCase, key: str) -> Iterator[Block]:
    """Places of the stage per 1,000 inhabitants of the county and of its towns; the cure is places."""
    for item in case.stages:
        areas = _sum_areas(case, item)
        people, places = (areas[name].to_numpy(dtype=np.float64) for name in ("people", "places"))
        with np.errstate(divide="ignore", invalid="ignore"):
            measured = np.where(people > 0, places / people * 1000.0, np.nan)
        missing = f"units.population_people;{PLACES}"
        yield from _judge_areas(case, key, item, areas, measured, missing=missing, people=people, places=places)


def _sum_areas(case: CheckCase, item: StageCase) -> pd.DataFrame:
    """Return people, places and schools of the county (town ``""``) and of every town that has a unit."""
    units = pd.DataFrame(case.study.units[["town", "population_people"]]).rename(
        columns={"population_people": "people"}
    )
    schools = (
        item.schools[["town", "capacity_places"]].rename(columns={"capacity_places": "places"}).assign(schools=1.0)
    )
    rows = [
        {
            "town": "",
            "people": units["people"].sum(min_count=1),
            "places": schools["places"].sum(min_count=1, skipna=False),
            "schools": float(len(schools)),
        }
    ]
    people = units.groupby("town", sort=True)["people"].sum(min_count=1)
    grouped = schools.groupby("town")
    places = grouped["places"].agg(lambda values: values.sum(min_count=1, skipna=False))
    counts = grouped["schools"].sum()
    rows += [
        {
            "town": str(town),
            "people": people[town],
            "places": places.get(town, 0.0),
            "schools": float(counts.get(town, 0.0)),
        }
        for town in people.index
        if str(town)
    ]
    return pd.DataFrame(rows)


def _judge_areas(
    case: CheckCase,
    key: str,
    item: StageCase,
    areas: pd.DataFrame,
    measured: Floats,
    *,
    missing: str,
    people: Floats | None = None,
    places: Floats | None = None,
) -> Iterator[Block]:
    for subject in ("county", "town"):
        rows = (areas["town"] == "").to_numpy() == (subject == "county")
        towns = areas["town"].to_numpy(dtype=object)[rows]
        spoken = speak_for_settings(case, key, item.stage, [""] * len(towns))
        if not len(towns) or spoken.at[0] < 0:
            continue
        amount = None
        if people is not None and places is not None:
            amount = ceil_amount(spoken.limit * people[rows] / 1000.0 - places[rows])
        cure = "places" if amount is not None else ""
        yield build_block(
            spoken, item.stage, subject, (towns, towns), measured[rows], missing=missing, cure=cure, cure_amount=amount
        )
