"""Education groups and alliances of the demo county, and the county's answers for an inspection."""

from __future__ import annotations

import numpy as np

from geodata.demo import names
from geodata.demo.assets import Row
from geodata.demo.schools import School
from geodata.demo.ways import build_generator

GroupRow = tuple[str, str, str, str, str, int | str, int | str]
"""Group, name, kind, school, role, teachers due for exchange, teachers exchanged."""
GROUPS = (
    ("JT01", "县实验小学教育集团", "实验小学", "primary", 4),
    ("JT02", "县第一小学教育集团", "第一小学", "primary", 4),
    ("JT03", "县实验中学教育集团", "实验中学", "junior", 4),
)
"""Code, name, leading school (the end of its name), stage, number of further members."""
ALLIANCES = (("LM01", "云桥镇城乡教育联盟", "云桥镇", "联盟"), ("XQ01", "白鹤岗镇学区", "白鹤岗镇", "学区"))
MEMBERS_OF_ALLIANCE = 5
DUE_SHARE = 0.3
EVIDENCE = (
    ("G6", "100", "是", "澄溪县（合成）财政局 小规模学校公用经费核定表 2025", "2025-09-10", "合成材料，仅供演示"),
    ("G7", "7600", "否", "澄溪县（合成）特殊教育经费决算 2024", "2025-03-02", "合成材料，仅供演示"),
    ("G14", "58%", "是", "澄溪县（合成）2025年普通高中招生办法", "2025-05-20", "合成材料，仅供演示"),
    ("G15", "0.91", "", "", "", "待随迁子女台账核对"),
    ("Q1", "97.2%", "是", "澄溪县（合成）初中三年巩固率统计表", "2025-07-15", "合成材料，仅供演示"),
    ("Q2", "", "", "", "", ""),
    ("Q4", "5.3%", "是", "澄溪县（合成）教师培训经费决算 2024", "2025-03-02", "合成材料，仅供演示"),
    ("Q9", "", "", "", "", "待国家义务教育质量监测结果"),
    ("S-rec", "88%", "是", "澄溪县（合成）社会认可度调查报告", "2025-06-30", "合成材料，仅供演示"),
)
"""Item, reported value, met, document, date, note."""


def build_groups(seed: int, schools: list[School], assets: list[Row]) -> list[GroupRow]:
    """Return three groups led by sought-after schools of the seat, one alliance and one school district of towns."""
    rng = build_generator(seed, "groups")
    due = {str(row["school_id"]): row.get("eligible_teachers") for row in assets}
    taken: set[str] = set()
    rows: list[GroupRow] = []

    def add(code: str, name: str, kind: str, school: School, role: str) -> None:
        taken.add(school.school_id)
        eligible = due.get(school.school_id)
        known = eligible is not None
        count = int(eligible or 0)
        moved = int(rng.binomial(count, DUE_SHARE if kind == "教育集团" else DUE_SHARE / 3))
        rows.append((code, name, kind, school.school_id, role, count if known else "", moved if known else ""))

    for code, name, ending, stage, count in GROUPS:
        lead = next(school for school in schools if school.name == f"{names.COUNTY_SHORT}{ending}")
        add(code, name, "教育集团", lead, "牵头校")
        for school in _choose_members(lead, schools, stage, count, taken):
            add(code, name, "教育集团", school, "成员校")
    for code, name, town, kind in ALLIANCES:
        mine = [school for school in schools if school.town == town and {"primary", "junior"} & set(school.stages)]
        for school in [school for school in mine if school.school_id not in taken][:MEMBERS_OF_ALLIANCE]:
            add(code, name, kind, school, "成员校")
    return rows


def _choose_members(lead: School, schools: list[School], stage: str, count: int, taken: set[str]) -> list[School]:
    """Return public schools of the stage: the nearest two, and the nearest of the villages and towns."""
    free = [
        school
        for school in schools
        if stage in school.stages
        and school is not lead
        and school.school_id not in taken
        and not school.private
        and school.kind != "teaching_point"
        and not school.name.endswith(tuple(ending for _, _, ending, _, _ in GROUPS))
    ]
    free.sort(key=lambda school: round(float(np.hypot(school.x_m - lead.x_m, school.y_m - lead.y_m)), 3))
    near = [school for school in free if school.setting == "urban"][: count // 2]
    return near + [school for school in free if school.setting != "urban"][: count - len(near)]
