"""Pupils who stay where they are when zones change: who, of which grades, until when, and the loads year by year.

The rolls by grade are taken as they are in every year: nothing is forecast here. Where a school has no rolls by grade,
its cohorts are taken as even.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.tables import choose_year
from planning.zoning_facts import ZoneFacts

GRADES: dict[str, tuple[int, ...]] = {
    "kindergarten": (1, 2, 3),
    "primary": (1, 2, 3, 4, 5, 6),
    "junior": (7, 8, 9),
    "senior": (10, 11, 12),
}
STAYING_COLUMNS = ("stage", "year_number", "year", "grade", "pupils")
LOAD_COLUMNS = (
    *("stage", "year_number", "year", "school_id", "name", "capacity_places"),
    *("zone_pupils", "staying_pupils", "leaving_pupils", "pupils", "pupils_over"),
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cohorts:
    """Share of each grade in the pupils of every school, shape (schools, grades); ``known`` from rolls by grade."""

    grades: tuple[int, ...]
    share: Floats
    known: npt.NDArray[np.bool_]
    year: int | None

    @property
    def entering_share(self) -> Floats:
        """Share of the lowest grade by school."""
        return self.share[:, 0]


def build_cohorts(study: StudyArea, stage: str, school_ids: npt.NDArray[np.object_], year: int | None) -> Cohorts:
    """Return the grades of a stage with their shares by school; even where the rolls do not tell every grade."""
    grades = GRADES[stage]
    chosen = choose_year(study.rolls, stage, year)
    rows = study.rolls
    rows = rows[(rows["stage"] == stage) & rows["grade"].isin(grades)]
    rows = rows[rows["year"] == (-1 if chosen is None else chosen)]
    table = rows.pivot_table(index="school_id", columns="grade", values="pupils", aggfunc="sum", min_count=1)
    pupils = table.reindex(index=list(school_ids), columns=list(grades)).to_numpy(dtype=np.float64)
    total = pupils.sum(axis=1)
    known = np.isfinite(total) & (np.nan_to_num(total) > 0)
    share = np.full(pupils.shape, 1.0 / len(grades))
    share[known] = pupils[known] / total[known, None]
    return Cohorts(grades, share, known, chosen)


def build_stay_tables(
    facts: ZoneFacts, cohorts: Cohorts, zone: Ints
) -> tuple[pd.DataFrame, pd.DataFrame, list[Message]]:
    """Return who stays (by year and grade), the loads (by year and school), and what to say about it.

    Parameters
    ----------
    zone : shape (units,)
        New zone of every unit.

    Notes
    -----
    In the first year of the new zones the entering grade follows them and all other grades stay; each year one grade
    more follows. Year number 1 is the school year after the one whose pupils are known. In the year that has the number
    of the stage's grades nobody stays.
    """
    origin, target, pupils = list_movers(facts, zone)
    shares = cohorts.share[origin]
    staying: list[tuple[object, ...]] = []
    loads: list[pd.DataFrame] = []
    final = _final_loads(facts, zone)
    for number in range(1, len(cohorts.grades) + 1):
        year = None if not cohorts.year else cohorts.year + number
        by_grade = (pupils[:, None] * shares[:, number:]).sum(axis=0) if len(pupils) else np.zeros(0)
        staying += [
            (facts.stage, number, year, grade, float(count))
            for grade, count in zip(cohorts.grades[number:], by_grade, strict=False)
            if count > 0
        ]
        stay = pupils * shares[:, number:].sum(axis=1) if len(pupils) else np.zeros(0)
        loads.append(_build_loads(facts, final, origin, target, stay, number, year))
    table = pd.DataFrame(staying, columns=list(STAYING_COLUMNS))
    return table, pd.concat(loads, ignore_index=True), _tell(cohorts, table, float(pupils.sum()))


def list_movers(facts: ZoneFacts, zone: Ints) -> tuple[Ints, Ints, Floats]:
    """Return old school, new zone and pupils of everybody whose school is not in the new zone of the unit."""
    zone_of = facts.zone_of_school()
    origin: list[int] = []
    target: list[int] = []
    pupils: list[float] = []
    for unit, schools in sorted(facts.current.items()):
        complete = schools[zone_of[schools] >= 0]
        for school in complete[zone_of[complete] != zone[unit]]:
            if facts.pupils[unit] > 0:
                origin.append(int(school))
                target.append(int(zone[unit]))
                pupils.append(float(facts.pupils[unit]) / len(complete))
    return np.array(origin, dtype=np.int64), np.array(target, dtype=np.int64), np.array(pupils, dtype=np.float64)


def _final_loads(facts: ZoneFacts, zone: Ints) -> Floats:
    """Return the pupils of every school when all grades follow the new zones."""
    of_zone = np.bincount(zone, facts.pupils, minlength=facts.n_zones)
    loads = np.bincount(facts.low_school, facts.low_pupils, minlength=len(facts.schools)).astype(np.float64)
    for at, (members, split) in enumerate(zip(facts.members, facts.split, strict=True)):
        loads[members] += of_zone[at] * split
    return loads


def _build_loads(
    facts: ZoneFacts, final: Floats, origin: Ints, target: Ints, stay: Floats, number: int, year: int | None
) -> pd.DataFrame:
    """Return the loads of one year: who stays counts at the old school and not yet at the new one."""
    n = len(facts.schools)
    staying = np.bincount(origin, stay, minlength=n).astype(np.float64)
    leaving = np.zeros(n)
    not_yet = np.bincount(target, stay, minlength=facts.n_zones)
    for at, (members, split) in enumerate(zip(facts.members, facts.split, strict=True)):
        leaving[members] += not_yet[at] * split
    places = facts.schools["capacity_places"].to_numpy(dtype=np.float64)
    pupils = final + staying - leaving
    table = pd.DataFrame(
        {
            "stage": facts.stage,
            "year_number": number,
            "year": year,
            "school_id": facts.schools["school_id"].to_numpy(),
            "name": facts.schools["name"].to_numpy(),
            "capacity_places": places,
            "zone_pupils": final,
            "staying_pupils": staying,
            "leaving_pupils": leaving,
            "pupils": pupils,
            "pupils_over": np.where(np.isnan(places), np.nan, np.maximum(0.0, pupils - places)),
        }
    )
    return table.loc[:, list(LOAD_COLUMNS)]


def _tell(cohorts: Cohorts, staying: pd.DataFrame, pupils: float) -> list[Message]:
    """Return how many pupils of which grades stay until when, and how the grades are known."""
    if staying.empty:
        return [msg("No pupil stays at a school of another zone.")]
    first = staying[staying["year_number"] == 1]
    last = int(staying["year_number"].max())
    params = {
        "staying": float(first["pupils"].sum()),
        "pupils": pupils,
        "lowest": int(first["grade"].min()),
        "highest": int(first["grade"].max()),
    }
    told = (
        msg(
            "Of {pupils:,.0f} pupils in units that change school, {staying:,.0f} of grades {lowest} to {highest} stay"
            " where they are in the first year; the last of them leave after the school year {year}.",
            year=cohorts.year + last,
            **params,
        )
        if cohorts.year
        else msg(
            "Of {pupils:,.0f} pupils in units that change school, {staying:,.0f} of grades {lowest} to {highest} stay"
            " where they are in the first year; the last of them leave after {years} years.",
            years=last,
            **params,
        )
    )
    notes = [told]
    if not cohorts.known.all():
        notes.append(
            msg(
                "{count} schools have no rolls by grade: their grades are taken as even.",
                count=int((~cohorts.known).sum()),
            )
        )
    return notes
