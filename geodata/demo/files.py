"""Write the demo county as ordinary input files, as a planner would bring them. All data are synthetic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geodata.demo import names
from geodata.demo.county import County, build_county
from geodata.demo.ground import write_ground
from geodata.demo.history import PAST_YEARS
from geodata.demo.people import BIRTHS, YEAR
from geodata.demo.planning_files import write_planning_tables
from geodata.demo.rows import STAGE_NAMES, convert_to_lonlat, write_rows
from geodata.demo.schools import CLASS_SIZE
from geodata.demo.terrain import CRS
from geodata.demo.ways import Points, Tags
from geodata.messages import msg
from geodata.study import Progress, no_progress

if TYPE_CHECKING:
    import osmium

KIND_NAMES = {
    "kindergarten": "幼儿园", "primary": "小学", "teaching_point": "教学点", "junior": "初级中学",
    "nine_year": "九年一贯制学校", "complete_secondary": "完全中学", "senior": "高级中学",
}  # fmt: skip
SETTING_NAMES = {"urban": "城区", "town": "镇区", "rural": "乡村"}
GRADE_HEADERS = {
    "kindergarten": ("小班人数", "中班人数", "大班人数"),
    "primary": tuple(f"{n}年级人数" for n in "一二三四五六"),
    "junior": tuple(f"{n}年级人数" for n in "七八九"),
    "senior": ("高一人数", "高二人数", "高三人数"),
}
ATTRIBUTION = "synthetic data, invented by the Buju demo generator; no real place, school or person"

STUDY = """# Synthetic demo county: every place, school and number in this folder is invented.
name = "{name}"
crs = "{crs}"
description = "Synthetic data for trying the program; not a real county."
description_zh = "合成数据，仅供演示，非真实县域。"
synthetic = true

[schools]
path = "schools.csv"
year = {year}

[roads]
path = "roads.osm.pbf"

[population]
path = "villages.gpkg"
kind = "polygons"
layer = "units"

[units]
kind = "population"

[zones]
path = "zones.csv"

[sites]
path = "sites.csv"

[exclusions]
path = "exclusions.gpkg"

[open_land]
path = "open_land.gpkg"

[rolls]
path = "rolls_history.csv"

[births]
path = "births.csv"

[housing]
path = "housing.csv"

[assets]
path = "assets.csv"

[groups]
path = "groups.csv"

[evidence]
path = "evidence.csv"
"""

README = """SYNTHETIC DATA 合成数据

Everything in this folder is invented by a seeded generator (seed {seed}): the county, its land, roads, villages,
people, schools, catchments. No real place, institution or person is meant.
本目录全部数据均为程序合成，与任何真实地区、学校和个人无关。

study.toml      the study: open it in the app, or with: python cli.py check study.toml
schools.csv     one row per school and stage, school year {year} (Chinese headers, UTF-8)
roads.osm.pbf   roads, water, a railway and house numbers in OpenStreetMap's format and tags (not OpenStreetMap data)
villages.gpkg   layer "units": planning units (villages, estates, communities), people, children by stage,
                births_2008 … births_2025 = children living there now by year of birth ({crs})
zones.csv       present catchments of primary and junior schools; several rows = shared zone (多校划片)
sites.csv       six candidate sites
exclusions.gpkg what keeps schools away: a flood zone, slopes that may slide, the railway, a funeral home
open_land.gpkg  plots of open land for building

For forecasts and inspections, as invented as the rest:
rolls_history.csv  pupils and classes by school, stage and grade, school years {first} to {last}
births.csv         children by year of birth and planning unit (those who live there now), and of the county
housing.csv        ten housing projects in the new north-east of the seat; four with pupils per dwelling of their own
assets.csv         teachers, rooms and equipment of primary and junior schools, {year}; nine-year and complete
                   secondary schools as a whole; a few cells are empty on purpose
groups.csv         three education groups, one alliance, one school district
evidence.csv       answers to some items of an inspection; the documents named do not exist 所列材料均为虚构

Kindergarten pupils are 98.5 % of the three cohorts, senior pupils 61.3 %; primary and junior all. Children of the
births of 2020-2022, 2014-2019, 2011-2013 and 2008-2010 are counted as kindergarten, primary, junior and senior age.
Teaching points (教学点) teach the first grades of their own village, which therefore also has a second school.
Some catchments are odd on purpose: estates sent past three nearer schools, villages zoned to another town.
"""


def write_demo_files(folder: Path, *, seed: int = 2026, progress: Progress = no_progress) -> Path:
    """Write the synthetic demo county into ``folder`` and return the path of its ``study.toml``.

    Equal seeds give equal tables on every machine; files that are there already are replaced.

    Raises
    ------
    LayoutError
        The seed draws a county without room for its villages (no such seed is known).
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    county = build_county(seed, progress=progress)
    progress(msg("Demo county: writing files"), 0.9)
    write_schools(folder / "schools.csv", county)
    write_roads(folder / "roads.osm.pbf", county)
    write_units(folder / "villages.gpkg", county)
    write_rows(folder / "zones.csv", ("单元编号", "学段", "学校代码"), [
        (unit_id, STAGE_NAMES[stage], school_id) for unit_id, stage, school_id in county.zones
    ])  # fmt: skip
    write_sites(folder / "sites.csv", county)
    write_ground(folder, seed, county)
    write_planning_tables(folder, county, seed)
    about = README.format(seed=seed, year=YEAR, crs=CRS, first=PAST_YEARS[0], last=PAST_YEARS[-1])
    (folder / "README.txt").write_text(about, encoding="utf-8", newline="\n")
    study = folder / "study.toml"
    study.write_text(STUDY.format(name=names.COUNTY, crs=CRS, year=YEAR), encoding="utf-8", newline="\n")
    return study


def write_schools(path: Path, county: County) -> None:
    """Write one row per school and stage."""
    grades = [header for stage in STAGE_NAMES for header in GRADE_HEADERS[stage]]
    header = [
        "学校代码",
        "学校名称",
        "办学类型",
        "学段",
        "城乡类型",
        "乡镇",
        "经度",
        "纬度",
        "学位数",
        "在校生数",
        "班数",
        "举办者",
        "寄宿床位数",
        *grades,
    ]
    lonlat = convert_to_lonlat(np.array([(school.x_m, school.y_m) for school in county.schools]))
    rows: list[list[object]] = []
    for school, (lon, lat) in zip(county.schools, lonlat, strict=True):
        for name, stage in school.stages.items():
            counts = dict(zip(GRADE_HEADERS[name], stage.pupils, strict=False))
            rows.append(
                [
                    school.school_id, school.name, KIND_NAMES[school.kind], STAGE_NAMES[name],
                    SETTING_NAMES[school.setting], school.town, f"{lon:.6f}", f"{lat:.6f}",
                    stage.built_classes * CLASS_SIZE[name] if stage.capacity_known else "",
                    sum(stage.pupils), sum(stage.classes), "民办" if school.private else "公办",
                    school.boarding_places or "", *(counts.get(grade, "") for grade in grades),
                ]
            )  # fmt: skip
    write_rows(path, header, rows)


def write_sites(path: Path, county: County) -> None:
    """Write the candidate sites."""
    lonlat = convert_to_lonlat(np.array([(site.x_m, site.y_m) for site in county.sites]))
    rows: list[list[object]] = []
    for site, (lon, lat) in zip(county.sites, lonlat, strict=True):
        stages = ";".join(STAGE_NAMES[stage] for stage in site.stages.split(";"))
        place = [site.site_id, site.name, f"{lon:.6f}", f"{lat:.6f}"]
        rows.append([*place, site.area_m2, site.class_options, stages, site.cost_cny])
    header = ("地块编号", "地块名称", "经度", "纬度", "用地面积", "可建规模", "可办学段", "建设费用")
    write_rows(path, header, rows)


def write_units(path: Path, county: County) -> None:
    """Write the planning units as a GeoPackage with people, children by stage and by year of birth."""
    import geopandas as gpd
    import pyogrio

    units, people = county.units, county.people
    table: dict[str, object] = {
        column: [getattr(unit, column) for unit in units]
        for column in ("unit_id", "name", "kind", "setting", "town", "x_m", "y_m")
    }
    table["population_people"] = people.people
    table |= {f"{stage}_pupils": people.pupils[stage] for stage in STAGE_NAMES}
    table |= {f"births_{year}": people.births[:, k] for k, year in enumerate(BIRTHS)}
    frame = gpd.GeoDataFrame(table, geometry=[unit.shape for unit in units], crs=CRS)
    path.unlink(missing_ok=True)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2026-01-01T00:00:00.000Z"})  # else the file holds "now"
    try:
        frame.to_file(path, layer="units", driver="GPKG", engine="pyogrio", metadata={"DESCRIPTION": ATTRIBUTION})
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def write_roads(path: Path, county: County) -> None:
    """Write roads, water, the railway and house numbers as OpenStreetMap nodes and ways."""
    import osmium
    from osmium.osm import mutable

    xy = [*county.book.xy]
    ways = [*county.book.ways]
    for line, tags in _list_other_lines(county):
        ring = tags.get("natural") == "water"
        nodes = list(range(len(xy), len(xy) + len(line) - ring))
        xy += [(float(x), float(y)) for x, y in (line[:-1] if ring else line)]
        ways.append(([*nodes, nodes[0]] if ring else nodes, tags))
    lonlat = convert_to_lonlat(np.array(xy)).tolist()
    path.unlink(missing_ok=True)
    header = osmium.io.Header()
    header.set("generator", "Buju demo county: " + ATTRIBUTION)
    writer = osmium.SimpleWriter(str(path), header=header)
    try:
        for number, place in enumerate(lonlat, 1):
            writer.add_node(mutable.Node(id=number, version=1, location=tuple(place)))
        _write_houses(writer, county, first=len(lonlat) + 1)
        for number, (nodes, tags) in enumerate(ways, 1):
            writer.add_way(mutable.Way(id=number, version=1, nodes=[node + 1 for node in nodes], tags=tags))
    finally:
        writer.close()


def _write_houses(writer: osmium.SimpleWriter, county: County, *, first: int) -> None:
    """Write the houses as nodes with their addresses, numbered from ``first``."""
    from osmium.osm import mutable

    houses = county.houses
    rows = zip(convert_to_lonlat(houses.points).tolist(), houses.streets, houses.numbers, strict=True)
    for number, (place, street, house) in enumerate(rows, first):
        tags = {"addr:street": street, "addr:housenumber": house}
        writer.add_node(mutable.Node(id=number, version=1, location=tuple(place), tags=tags))


def _list_other_lines(county: County) -> list[tuple[Points, Tags]]:
    """Return the river, streams, reservoir, ponds and the railway with their tags."""
    land = county.terrain
    lines: list[tuple[Points, Tags]] = [
        (shapely.get_coordinates(land.river), {"waterway": "river", "name": names.RIVER}),
        (
            shapely.get_coordinates(land.river_area.exterior),
            {"natural": "water", "water": "river", "name": names.RIVER},
        ),
        (
            shapely.get_coordinates(land.reservoir.exterior),
            {"natural": "water", "water": "reservoir", "name": names.RESERVOIR},
        ),
    ]
    lines += [(shapely.get_coordinates(pond.exterior), {"natural": "water", "water": "pond"}) for pond in land.ponds]
    for line, name in zip(county.streams, names.STREAMS, strict=False):
        lines.append((line, {"waterway": "stream", "name": name}))
    lines.append((county.railway, {"railway": "rail", "usage": "main", "name": names.RAILWAY}))
    return lines
