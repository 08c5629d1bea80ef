"""Write the demo county's tables for forecasts and inspections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from geodata.demo.assets import Row, build_assets
from geodata.demo.county import County
from geodata.demo.groups import EVIDENCE, build_groups
from geodata.demo.history import build_history
from geodata.demo.housing import build_housing
from geodata.demo.people import BIRTHS, YEAR
from geodata.demo.rows import STAGE_NAMES, convert_to_lonlat, write_rows
from geodata.dictionary import read_table_schema

GRADE_NAMES = {
    "kindergarten": {1: "小班", 2: "中班", 3: "大班"},
    "primary": {n: f"{word}年级" for n, word in enumerate("一二三四五六", 1)},
    "junior": {n: f"{word}年级" for n, word in enumerate("七八九", 7)},
    "senior": {n: f"高{word}" for n, word in enumerate("一二三", 10)},
}


def write_planning_tables(folder: Path, county: County, seed: int) -> None:
    """Write rolls of past years, births, housing, assets, groups and evidence into ``folder``."""
    write_rows(
        folder / "rolls_history.csv",
        ("学校代码", "学年", "学段", "年级", "在校生数", "班数"),
        (
            (school_id, year, STAGE_NAMES[stage], GRADE_NAMES[stage][grade], pupils, classes)
            for school_id, year, stage, grade, pupils, classes in build_history(seed, county.schools)
        ),
    )
    write_rows(folder / "births.csv", ("年份", "乡镇", "单元编号", "出生人数"), _list_births(county))
    assets = build_assets(seed, county.schools)
    _write_housing(folder / "housing.csv", county, seed)
    _write_assets(folder / "assets.csv", assets)
    header = ("集团代码", "集团名称", "类型", "学校代码", "角色", "符合交流条件教师数", "集团内交流教师数")
    write_rows(folder / "groups.csv", header, build_groups(seed, county.schools, assets))
    write_rows(folder / "evidence.csv", ("条目编号", "填报数值", "是否达标", "佐证材料", "材料日期", "备注"), EVIDENCE)


def _list_births(county: County) -> Iterator[tuple[int, str, str, int]]:
    """Yield births by unit, then those of the county, year by year."""
    births = county.people.births
    for k, year in enumerate(BIRTHS):
        for unit, count in zip(county.units, births[:, k].tolist(), strict=True):
            yield year, unit.town, unit.unit_id, count
        yield year, "", "", int(births[:, k].sum())


def _write_housing(path: Path, county: County, seed: int) -> None:
    projects = build_housing(seed, county.units)
    lonlat = convert_to_lonlat(np.array([(project.x_m, project.y_m) for project in projects]))
    header = ("项目编号", "项目名称", "经度", "纬度", "规划户数", "交付年份", "入住期")
    rows = [
        (
            *(project.project_id, project.name, f"{lon:.6f}", f"{lat:.6f}"),
            *(project.dwellings, project.year, project.filling_years),
            *(project.yields or ("", "", "")),
        )
        for project, (lon, lat) in zip(projects, lonlat.tolist(), strict=True)
    ]
    write_rows(path, (*header, "户均幼儿", "户均小学生", "户均初中生"), rows)


def _write_assets(path: Path, assets: list[Row]) -> None:
    """Write the assets under the first Chinese header of each column."""
    columns = {column.name: column.aliases[0] for column in read_table_schema("assets").columns if column.aliases}
    names = [name for name in columns if name in assets[0] or name == "year"]
    known = {"year": YEAR}
    rows = [
        [STAGE_NAMES.get(str(value), value) for value in ((known | row).get(name, "") for name in names)]
        for row in assets
    ]
    write_rows(path, [columns[name] for name in names], rows)
