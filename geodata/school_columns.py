"""The columns that a file of schools may hold: those of three tables, and wide ones per stage and per grade."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from geodata.dictionary import ColumnSchema, read_table_schema
from geodata.study import STAGES
from geodata.values import is_missing, normalise_header

QUANTITIES = ("capacity_places", "classes", "pupils")

GRADES: dict[str, tuple[int, ...]] = {
    "kindergarten": (1, 2, 3),
    "primary": (1, 2, 3, 4, 5, 6),
    "junior": (7, 8, 9),
    "senior": (10, 11, 12),
}
"""Grades of each stage, by the six-three-three structure. Kindergarten: 1, 2, 3 = 小班, 中班, 大班."""

STAGES_OF_KIND: dict[str, tuple[str, ...]] = {
    "kindergarten": ("kindergarten",),
    "primary": ("primary",),
    "teaching_point": ("primary",),
    "junior": ("junior",),
    "nine_year": ("primary", "junior"),
    "complete_secondary": ("junior", "senior"),
    "senior": ("senior",),
    "twelve_year": ("primary", "junior", "senior"),
}

_STAGE_WORDS: dict[str, tuple[str, ...]] = {
    "kindergarten": ("幼儿园", "幼儿", "学前", "kindergarten"),
    "primary": ("小学", "小学部", "小学段", "primary"),
    "junior": ("初中", "初中部", "初中段", "junior"),
    "senior": ("高中", "高中部", "高中段", "senior"),
}
_GRADE_WORDS: dict[int, tuple[str, ...]] = {
    **{n: (f"{zh}年级", f"{n}年级", f"grade{n}", f"g{n}") for n, zh in enumerate("一二三四五六七八九", 1)},
    **{n: (f"{n}年级", f"grade{n}", f"g{n}") for n in (10, 11, 12)},
}
_GRADE_NAMES = {7: "初一", 8: "初二", 9: "初三", 10: "高一", 11: "高二", 12: "高三"}
_KINDERGARTEN_GRADES = {1: "小班", 2: "中班", 3: "大班"}
_PUPIL_WORDS = ("", "人数", "学生数", "学生人数", "在校生数", "在校学生数", "在校人数", "pupils", "students")
_CLASS_WORDS = ("班数", "班级数", "教学班数", "classes")

_NAME_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"幼儿园|幼稚园|kindergarten|kindergarden", "kindergarten"),
    (r"教学点|teaching point", "teaching_point"),
    (r"十二年|twelve.year", "twelve_year"),
    (r"九年|nine.year", "nine_year"),
    (r"完全中学|完中", "complete_secondary"),
    (r"高级中学|高中|senior (high|secondary)", "senior"),
    (r"初级中学|初中|junior (high|secondary)|middle school", "junior"),
    (r"小学|完小|primary school|elementary school", "primary"),
)
_BETWEEN_WORDS = re.compile(r"[;；,，、/+&和及]")


@cache
def build_school_columns() -> dict[str, ColumnSchema]:
    """Return every column that a file of schools may hold, by our name, in the order of matching.

    ``capacity_places``, ``classes``, ``pupils`` and their wide forms (``primary_capacity_places`` …, 小学学位数),
    ``grade_1_pupils`` (一年级, 一年级人数), ``grade_1_classes``, ``kindergarten_grade_1_pupils`` (小班人数).
    """
    found = {column.name: column for column in read_table_schema("schools").columns if column.name != "unit_id"}
    for table in ("places", "rolls"):
        for column in read_table_schema(table).columns:
            if column.name not in found and column.name != "capacity_source":  # worked out, as the seat is
                found[column.name] = replace(column, required=False)
    wide = [
        _build_wide(found[quantity], f"{stage}_{quantity}", _STAGE_WORDS[stage], found[quantity].aliases)
        for stage in STAGES
        for quantity in QUANTITIES
    ]
    grades = [_build_grade(found[quantity], grade) for quantity in ("pupils", "classes") for grade in range(1, 13)]
    small = [
        _build_wide(found["pupils"], f"kindergarten_grade_{grade}_pupils", (word,), _PUPIL_WORDS)
        for grade, word in _KINDERGARTEN_GRADES.items()
    ]
    return found | {column.name: column for column in (*wide, *grades, *small)}


def _build_wide(base: ColumnSchema, name: str, starts: Sequence[str], ends: Sequence[str]) -> ColumnSchema:
    aliases = tuple(f"{start}{end}" for start in starts for end in ends)
    return replace(base, name=name, aliases=aliases, key=False, required=False)


def _build_grade(base: ColumnSchema, grade: int) -> ColumnSchema:
    starts = (*_GRADE_WORDS[grade], *([_GRADE_NAMES[grade]] if grade in _GRADE_NAMES else []))
    ends = _PUPIL_WORDS if base.name == "pupils" else _CLASS_WORDS
    return _build_wide(base, f"grade_{grade}_{base.name}", starts, ends)


def match_kind_and_stages(text: str, words: Mapping[str, str]) -> tuple[str, tuple[str, ...]] | None:
    """Return kind (``""`` where the cell names stages only) and stages meant by a cell of 学段 or 办学类型.

    ``words`` are further words of the study file. A cell may name several stages (``小学、初中``). ``None`` = not
    understood; ``("", ())`` = empty.
    """
    if is_missing(text):
        return "", ()
    own = {normalise_header(word): meaning for word, meaning in words.items()}
    text = own.get(normalise_header(text), text)
    columns = build_school_columns()
    key = normalise_header(text)
    stage = columns["stage"].words.get(key)
    if stage:
        return "", (stage,)
    kind = columns["kind"].words.get(key)
    if kind:
        return kind, STAGES_OF_KIND[kind]
    parts = [part for part in _BETWEEN_WORDS.split(text) if part.strip()]
    stages = [columns["stage"].words.get(normalise_header(own.get(normalise_header(part), part))) for part in parts]
    if len(parts) < 2 or None in stages:
        return None
    return "", tuple(stage for stage in STAGES if stage in stages)


def guess_kind(name: str) -> str:
    """Return the kind of school that a name tells (``…小学``, ``…幼儿园``), or ``""``."""
    return next((kind for pattern, kind in _NAME_PATTERNS if re.search(pattern, name, re.IGNORECASE)), "")


def choose_kind(stages: Sequence[str]) -> str:
    """Return the kind of school that teaches these stages."""
    taught = set(stages) - {"kindergarten"}
    if not taught:
        return "kindergarten"
    for kind in ("primary", "junior", "senior", "nine_year", "complete_secondary"):
        if set(STAGES_OF_KIND[kind]) == taught:
            return kind
    return "twelve_year"


def split_by_grades(total: float, stages: Sequence[str]) -> dict[str, float]:
    """Share a number of a whole school between its stages by their grades (6:3, 6:3:3 …); the sum stays the same.

    Whole numbers stay whole: what is left over goes to the largest remainders, the earlier stage first.
    """
    weights = [len(GRADES[stage]) for stage in stages]
    exact = [total * weight / sum(weights) for weight in weights]
    if total != int(total):
        return dict(zip(stages, exact, strict=True))
    whole = [int(value) for value in exact]
    order = sorted(range(len(stages)), key=lambda i: (whole[i] - exact[i], i))
    for position in order[: int(total) - sum(whole)]:
        whole[position] += 1
    return {stage: float(value) for stage, value in zip(stages, whole, strict=True)}
