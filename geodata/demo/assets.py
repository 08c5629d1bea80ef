"""Assets of the demo county's schools: village schools have room but few PE and art teachers, the seat's no room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.demo.schools import CLASS_SIZE, School
from geodata.demo.ways import build_generator

MISSING_CELLS = 9
PUPILS_PER_TEACHER = {"primary": 18.5, "junior": 13.2, "senior": 12.5}
TEACHERS_PER_CLASS = {"primary": 1.75, "junior": 3.1, "senior": 3.4}
"""Small classes need as many teachers as large ones: the greater of both numbers holds."""


@dataclass(frozen=True)
class Level:
    """What schools of one setting have, as shares of the teachers and per place or class as built."""

    above_degree: float
    backbone: float
    pe_art: float
    room_m2: float
    sports_m2: float
    equipment_cny: float
    multimedia: float
    certified: float
    trained: float


LEVELS = {
    "urban": Level(0.95, 0.225, 0.19, 4.9, 8.2, 2_350, 1.12, 0.999, 0.985),
    "town": Level(0.91, 0.21, 0.19, 5.3, 9.2, 2_250, 1.15, 0.997, 0.97),
    "rural": Level(0.86, 0.2, 0.07, 5.0, 11.5, 1_600, 1.0, 0.99, 0.93),
}
JUNIOR_FACTORS = {"above_degree": 0.95, "room_m2": 1.25, "sports_m2": 1.3, "equipment_cny": 1.2}

Row = dict[str, float | str]


def build_assets(seed: int, schools: list[School]) -> list[Row]:
    """Return one row per school with primary or junior classes; a few cells are not known (absent).

    Schools of one stage are counted by stage; nine-year and complete secondary schools as a whole (``stage`` empty),
    as their buildings and teachers are shared.
    """
    rng = build_generator(seed, "assets")
    rows = [_build_row(rng, school) for school in schools if {"primary", "junior"} & set(school.stages)]
    names = [name for name in rows[0] if name not in ("school_id", "stage", "founded_year")]
    for at in rng.choice(len(rows), size=MISSING_CELLS, replace=False):
        del rows[int(at)][names[int(rng.integers(len(names)))]]
    return rows


def _build_row(rng: np.random.Generator, school: School) -> Row:
    stages = school.stages
    level, upper = LEVELS[school.setting], "primary" not in stages
    pupils = sum(sum(stage.pupils) for stage in stages.values())
    classes = sum(sum(stage.classes) for stage in stages.values())
    places = sum(stage.built_classes * CLASS_SIZE[name] for name, stage in stages.items())
    factor = {name: value if upper else 1.0 for name, value in JUNIOR_FACTORS.items()}
    teachers = sum(
        max(sum(here.pupils) / PUPILS_PER_TEACHER[name], sum(here.classes) * TEACHERS_PER_CLASS[name])
        for name, here in stages.items()
    )
    staff = max(2, round(teachers * rng.uniform(0.94, 1.06)))

    def near(value: float, spread: float = 0.12) -> float:
        return float(value * np.exp(rng.normal(0.0, spread)))

    row: Row = {"school_id": school.school_id, "stage": next(iter(stages)) if len(stages) == 1 else ""}
    row |= _count_staff(rng, school, level, staff, above_degree=level.above_degree * factor["above_degree"])
    room = near(places * level.room_m2 * factor["room_m2"])
    row |= {
        "teaching_area_m2": round(room),
        "indoor_sports_m2": round(room * rng.uniform(0.06, 0.12)) if classes >= 24 and rng.random() < 0.5 else 0,
        "outdoor_sports_m2": round(near(places * level.sports_m2 * factor["sports_m2"], 0.18)),
        "equipment_cny": 100
        * round(near((0.6 * pupils + 0.4 * places) * level.equipment_cny * factor["equipment_cny"]) / 100),
        "multimedia_rooms": max(1, round(near(classes * level.multimedia, 0.06))),
        "pupil_computers": round(near(pupils / 9.5 + 6, 0.2)),
        "library_books": 10 * round(near((pupils + places) / 20 * (20 if upper else 16), 0.15)),
    }
    return row | _count_rooms(rng, school, pupils, classes)


def _count_staff(
    rng: np.random.Generator, school: School, level: Level, staff: int, *, above_degree: float
) -> dict[str, float | str]:
    """Return the teachers of a school by what they are and have; each a part of all."""

    def part(total: int, share: float) -> int:
        return int(rng.binomial(total, min(share, 1.0)))

    eligible = part(staff, 0.42)
    rotated = part(eligible, 0.13 if school.setting != "rural" else 0.1)
    pe_art = part(staff, level.pe_art)
    small = school.kind == "teaching_point" or school.setting == "rural"
    return {
        "staff_teachers": staff,
        "above_degree_teachers": part(staff, above_degree),
        "backbone_teachers": part(staff, level.backbone),
        "pe_art_teachers": pe_art,
        "shared_pe_art_teachers": int(rng.integers(0, 3)) if small else 0,
        "mid_title_teachers": part(staff, 0.56 if school.setting == "urban" else 0.5),
        "certified_teachers": part(staff, level.certified),
        "trained_teachers": part(staff, level.trained),
        "eligible_teachers": eligible,
        "rotated_teachers": rotated,
        "rotated_backbone_teachers": part(rotated, 0.24),
    }


def _count_rooms(rng: np.random.Generator, school: School, pupils: int, classes: int) -> dict[str, float | str]:
    """Return rooms for music and art, when the school was founded, and who is in it."""
    wanted = max(1, -(-classes // 12))
    kept = wanted if school.setting != "urban" else max(1, wanted - int(rng.integers(0, 2)))
    rural_point = school.kind == "teaching_point"
    sizes = [max(sum(stage.pupils) / max(sum(stage.classes), 1) for stage in school.stages.values())]
    urban = school.setting == "urban"
    return {
        "music_rooms": 0 if rural_point and rng.random() < 0.6 else kept,
        "smallest_music_m2": round(float(rng.choice([62, 73, 84, 96, 98, 104]))),
        "art_rooms": 0 if rural_point and rng.random() < 0.6 else kept,
        "smallest_art_m2": round(float(rng.choice([60, 67, 81, 90, 94, 98]))),
        "founded_year": int(rng.integers(1951, 2006) if not urban or rng.random() < 0.6 else rng.integers(2006, 2021)),
        "migrant_pupils": int(rng.binomial(pupils, rng.uniform(0.05, 0.2)))
        if urban
        else int(rng.binomial(pupils, 0.01)),
        "largest_class_pupils": round(sizes[0] * rng.uniform(1.02, 1.09)),
        "in_zone_pupils": int(rng.binomial(pupils, 0.9 if urban else 0.985)),
    }
