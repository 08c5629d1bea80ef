"""Rolls of the demo county's schools in earlier years: today's cohorts followed back, families moving to the seat."""

from __future__ import annotations

import numpy as np

from geodata.demo.people import ATTENDANCE, BIRTHS, YEAR
from geodata.demo.schools import School, Stage
from geodata.demo.settlements import share_out
from geodata.demo.ways import Points, build_generator

PAST_YEARS = range(2020, YEAR)
EARLIER_BIRTHS = {2002: 8_150, 2003: 8_200, 2004: 8_300, 2005: 8_350, 2006: 8_450, 2007: 8_500}
"""Children of the years before those of the planning units, who were at school in 2020."""
LEFT_PER_YEAR = 0.004
"""Share of a cohort that leaves the county each year with its family."""
DRIFT_PER_YEAR = {"urban": 0.014, "town": 0.0, "rural": -0.038}
"""How fast the share of a school in its cohort grows, by setting: families move to the seat."""
FIRST_GRADE = {"kindergarten": 1, "primary": 1, "junior": 7, "senior": 10}
ENTRY_AGE = {"kindergarten": 3, "primary": 6, "junior": 12, "senior": 15}

RollRow = tuple[str, int, str, int, int, int]
"""School, year, stage, grade, pupils, classes."""


def build_history(seed: int, schools: list[School]) -> list[RollRow]:
    """Return the rolls of :data:`PAST_YEARS` by school, year, stage and grade.

    The county's pupils of a grade and year are its cohort, as it stands today, plus those who have left since. They are
    shared out over the schools as the same cohort is today (one that has left the stage: as its oldest grade is), with
    drift and chance. Classes are as large as today.
    """
    rng = build_generator(seed, "history")
    rows: list[RollRow] = []
    for stage in FIRST_GRADE:
        mine = [school for school in schools if stage in school.stages]
        drift = np.array([DRIFT_PER_YEAR[school.setting] for school in mine]) + rng.normal(0.0, 0.006, len(mine))
        taste = {year: np.exp(rng.normal(0.0, 0.045, len(mine))) for year in (*EARLIER_BIRTHS, *BIRTHS)}
        for year in PAST_YEARS:
            grades = range(max(len(school.stages[stage].pupils) for school in mine))
            for grade in grades:
                pupils = _share_cohort(rng, mine, stage, year, grade, drift, taste)
                rows += [
                    (school.school_id, year, stage, FIRST_GRADE[stage] + grade, int(count), _count_classes(here, count))
                    for school, here, count in _list_taught(mine, stage, grade, pupils)
                ]
    order = {school.school_id: number for number, school in enumerate(schools)}
    stages = list(FIRST_GRADE)
    return sorted(rows, key=lambda row: (row[1], order[row[0]], stages.index(row[2]), row[3]))


def _share_cohort(
    rng: np.random.Generator,
    schools: list[School],
    stage: str,
    year: int,
    grade: int,
    drift: Points,
    taste: dict[int, Points],
) -> Points:
    """Return the pupils of one grade (counted from 0) and year by school."""
    born, ago = year - ENTRY_AGE[stage] - grade, YEAR - year
    alive = BIRTHS.get(born, EARLIER_BIRTHS.get(born, 0))
    total = round(alive * ATTENDANCE[stage] * (1.0 + LEFT_PER_YEAR) ** ago)
    today = np.array([_find_today(school.stages[stage], grade, ago) for school in schools])
    gone = np.array([grade + ago >= len(school.stages[stage].pupils) for school in schools])
    chance = np.where(gone, taste[born], 1.0) * np.exp(rng.normal(0.0, 0.006, len(schools)))
    return np.asarray(share_out(total, today * np.exp(-drift * ago) * chance), dtype=np.float64)


def _find_today(stage: Stage, grade: int, ago: int) -> float:
    """Return a school's weight: pupils of the cohort today, else of its oldest grade; 0 where it lacks the grade."""
    if grade >= len(stage.pupils):
        return 0.0
    later = min(grade + ago, len(stage.pupils) - 1)
    return max(float(stage.pupils[later]), 0.4)


def _list_taught(schools: list[School], stage: str, grade: int, pupils: Points) -> list[tuple[School, Stage, float]]:
    """Return the schools that teach a grade, with their pupils in it."""
    found = zip(schools, (school.stages[stage] for school in schools), pupils, strict=True)
    return [(school, here, float(count)) for school, here, count in found if grade < len(here.pupils)]


def _count_classes(stage: Stage, pupils: float) -> int:
    size = sum(stage.pupils) / max(sum(stage.classes), 1)
    return max(1, round(pupils / max(size, 1.0))) if pupils else 0
