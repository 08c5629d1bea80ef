"""A county small enough to upload: six schools, a grid of roads, twelve villages. Invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.dictionary import SHEET_NAMES

if TYPE_CHECKING:
    import shapely

LON, LAT, STEP = 113.0, 34.7, 0.01
HOSTILE_NAME = "<img src=x onerror=alert(1)>{{7*7}}小学"


def write_schools(path: Path, *, broken: bool) -> Path:
    """Write six schools; with ``broken`` the latitude in row 4 is impossible."""
    rows = ["学校代码,学校名称,学段,经度,纬度,学位数,在校生数,班数"]
    for number in range(6):
        name = HOSTILE_NAME if number == 0 else f"第{number}小学"
        lat = 934.7 if broken and number == 2 else LAT + 0.005 + STEP * (number // 3)
        rows.append(
            f"00{number + 1},{name},小学,{LON + 0.006 + STEP * (number % 3):.4f},{lat:.4f},300,{200 + 50 * number},8"
        )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def write_villages(path: Path) -> Path:
    """Write twelve villages with children, under headers that the dictionary does not know for the children."""
    rows = ["村代码,村名,经度,纬度,人口,孩子"]
    for number in range(12):
        lon, lat = LON + STEP * (number % 4) + 0.001, LAT + STEP * (number // 4) + 0.001
        rows.append(f"v{number:02d},{number}号村,{lon:.4f},{lat:.4f},{500 + number},{40 + number}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def write_roads(path: Path) -> Path:
    """Write a grid of 5 × 4 residential streets as OpenStreetMap XML."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<osm version='0.6'>"]
    for row in range(4):
        for column in range(5):
            lon, lat = LON + STEP * column, LAT + STEP * row
            lines.append(f"<node id='{row * 5 + column + 1}' lat='{lat:.5f}' lon='{lon:.5f}' version='1'/>")
    ways = [[row * 5 + column + 1 for column in range(5)] for row in range(4)]
    ways += [[row * 5 + column + 1 for row in range(4)] for column in range(5)]
    for number, nodes in enumerate(ways, start=1):
        refs = "".join(f"<nd ref='{node}'/>" for node in nodes)
        tags = f"<tag k='highway' v='residential'/><tag k='name' v='{number}号路'/>"
        lines.append(f"<way id='{number}' version='1'>{refs}{tags}</way>")
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
    return path


MESSY_ROWS: tuple[tuple[object, ...], ...] = (
    ("0001", "第一小学", "小学", 113.006, 34.705, 300, 250, 8),
    ("0002", "第二小学", "小学", 113.016, 934.7, 300, 250, 8),
    ("0003", "", "小学", 113.026, 34.705, 300, 250, 8),
    ("0004", "第四小学", "国际部", 113.006, 34.715, 300, 250, 8),
    ("0004", "第四小学分校", "小学", 113.016, 34.715, 300, 250, 8),
    ("0005", "第五小学", "小学", 113.026, 34.715, "约三百", 250, 8),
    ("0006", "第六小学", "小学", 113.008, 34.722, -40, "=1+1", 8),
    ("0001", "第一小学", "小学", 113.006, 34.705, 300, 250, 8),
)
SCHOOL_HEADERS = ("学校代码", "学校名称", "学段", "经度", "纬度", "学位数", "在校生数", "班数")


def write_messy_workbook(path: Path, *, mended: bool) -> Path:
    """Write a workbook as it comes: notes on the first sheet, schools with many faults (or none) on the second."""
    sound = [(f"000{n}", f"第{n}小学", "小学", *row[3:]) for n, row in enumerate(MESSY_ROWS[:6], start=1)]
    rows = [(*row[:4], 34.705 if row[4] == 934.7 else row[4], 300, 250, 8) for row in sound] if mended else MESSY_ROWS
    return write_workbook(path, {"填表说明": [("本表由学校填写", "勿改表头")], "学校名单": [SCHOOL_HEADERS, *rows]})


def write_two_years(path: Path) -> Path:
    """Write villages on two sheets, the second with twice the people."""
    headers = ("村代码", "村名", "经度", "纬度", "人口")
    years = {}
    for year, factor in (("2023年", 1), ("2024年", 2)):
        places = [(LON + STEP * (n % 4) + 0.001, LAT + STEP * (n // 4) + 0.001) for n in range(12)]
        years[year] = [headers, *((f"v{n:02d}", f"{n}号村", *place, 500 * factor) for n, place in enumerate(places))]
    return write_workbook(path, years)


def write_workbook(path: Path, sheets: Mapping[str, Sequence[tuple[object, ...]]]) -> Path:
    """Write sheets of rows; texts stay texts."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
    return path


def write_filled_template(path: Path) -> Path:
    """Write schools, their rolls of two past years, and births, each on its sheet of the template."""
    schools: list[tuple[object, ...]] = [
        (f"000{n}", f"第{n}小学", "小学", *row[3:4], 34.705, 300, 250, 8, 2025)
        for n, row in enumerate(MESSY_ROWS[:6], 1)
    ]
    rolls: list[tuple[object, ...]] = [(row[0], year, "小学", 240) for year in (2023, 2024) for row in schools]
    births: list[tuple[object, ...]] = [(year, f"v{n:02d}", 7) for year in (2022, 2023, 2024) for n in range(12)]
    return write_workbook(
        path,
        {
            SHEET_NAMES["schools"]: [(*SCHOOL_HEADERS, "年份"), *schools],
            SHEET_NAMES["rolls"]: [("学校代码", "年份", "学段", "在校生数"), *rolls],
            SHEET_NAMES["births"]: [("年份", "单元编号", "出生人数"), *births],
        },
    )


def write_zones(path: Path, *, unit: str) -> Path:
    """Write catchments of two villages, one of them called ``unit``."""
    path.write_text(f"单元编号,学段,学校代码\nv00,小学,0001\n{unit},小学,0002\n", encoding="utf-8")
    return path


def write_layers(path: Path) -> Path:
    """Write a GeoPackage of two layers: towns without people, then villages as squares with people."""
    import geopandas as gpd
    import shapely

    corners = [(LON + STEP * (n % 4), LAT + STEP * (n // 4)) for n in range(12)]
    squares = [shapely.box(x, y, x + STEP, y + STEP) for x, y in corners]
    towns = gpd.GeoDataFrame({"乡镇": ["甲镇"]}, geometry=[shapely.union_all(squares)], crs="EPSG:4326")
    facts = {"村代码": [f"v{n:02d}" for n in range(12)], "人口": [500.0 + n for n in range(12)]}
    towns.to_file(path, layer="乡镇", driver="GPKG")
    gpd.GeoDataFrame(facts, geometry=squares, crs="EPSG:4326").to_file(path, layer="行政村", driver="GPKG")
    return path


def write_hexagons(path: Path) -> Path:
    """Write a table of hexagons with people and a count of schools, without names, stages or capacities."""
    rows = ["id,lon,lat,population,schools,jobs"]
    for number in range(12):
        lon, lat = LON + STEP * (number % 4) + 0.001, LAT + STEP * (number // 4) + 0.001
        rows.append(f"89a901291a{number:02d}fff,{lon:.4f},{lat:.4f},{500 + number},{int(number % 4 == 0)},7")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def write_worded_schools(
    path: Path, *, kinds: tuple[str, ...] = ("完小", "村级小学", "村级小学", "外语实验班")
) -> Path:
    """Write schools whose kinds are told in words of the office; two of them the dictionary does not know."""
    rows = ["学校代码,学校名称,办学类型,经度,纬度,学位数,在校生数,班数"]
    for number in range(6):
        lon, lat = LON + 0.006 + STEP * (number % 3), LAT + 0.005 + STEP * (number // 3)
        rows.append(
            f"00{number + 1},第{number}学校,{kinds[number % len(kinds)]},{lon:.4f},{lat:.4f},300,{200 + number},8"
        )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


VILLAGES = ("王家庄", "李家沟", "张家湾", "赵各庄", "大槐树", "小河沿", "石桥", "柳林", "东岭", "西坡", "南关", "北寨")


def write_village_list(path: Path) -> Path:
    """Write people by name of the village, without places: one name is misspelt, one is not on any map."""
    names = [f"{name}村" for name in VILLAGES]
    names[2], names[5] = "张家弯村", "新月村民委员会"
    rows = ["乡镇,村名,人口", *(f"甲镇,{name},{500 + number}" for number, name in enumerate(names))]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def write_gazetteer(path: Path) -> Path:
    """Write the areas of the villages with their names, as GeoJSON."""
    import geopandas as gpd
    import shapely

    corners = [(LON + STEP * (n % 4), LAT + STEP * (n // 4)) for n in range(12)]
    squares = [shapely.box(x, y, x + STEP, y + STEP) for x, y in corners]
    facts = {"乡镇": ["甲镇"] * 12, "村名": list(VILLAGES)}
    gpd.GeoDataFrame(facts, geometry=squares, crs="EPSG:4326").to_file(path, driver="GeoJSON")
    return path


def write_road_shapefile(folder: Path) -> list[Path]:
    """Write a grid of roads as a shapefile with classes in words, in Gauss-Krüger metres; return its parts."""
    import geopandas as gpd
    import shapely

    lines = [shapely.LineString([(LON, LAT + STEP * row), (LON + 4 * STEP, LAT + STEP * row)]) for row in range(4)]
    lines += [shapely.LineString([(LON + STEP * at, LAT), (LON + STEP * at, LAT + 3 * STEP)]) for at in range(5)]
    cut = [part for line in lines for part in _cut(line)]
    words = ["村村通", "县道", "乡道", "机耕路"]
    table = gpd.GeoDataFrame(
        {"等级": [words[at % 4] for at in range(len(cut))], "路名": [f"{at}路" for at in range(len(cut))]},
        geometry=cut,
        crs="EPSG:4326",
    )
    table.to_crs("EPSG:4547").to_file(folder / "roads.shp", encoding="utf-8")
    return sorted(folder.glob("roads.*"))


def _cut(line: shapely.LineString) -> list[shapely.LineString]:
    """Return a line of the grid cut where others cross it."""
    import shapely

    (x0, y0), (x1, y1) = line.coords
    count = round(max(x1 - x0, y1 - y0) / STEP)
    steps = [(x0 + (x1 - x0) * at / count, y0 + (y1 - y0) * at / count) for at in range(count + 1)]
    return [shapely.LineString(pair) for pair in pairwise(steps)]


def write_metric_schools(path: Path) -> Path:
    """Write schools whose eastings carry the number of their Gauss-Krüger zone (CGCS2000, 3-degree zone 38)."""
    from geodata.crs import convert_points

    lon = [LON + 0.006 + STEP * (number % 3) for number in range(6)]
    lat = [LAT + 0.005 + STEP * (number // 3) for number in range(6)]
    east, north = convert_points(lon, lat, "EPSG:4326", "EPSG:4526")
    rows = ["学校代码,学校名称,学段,X坐标,Y坐标,学位数,在校生数"]
    rows += [f"00{n + 1},第{n}小学,小学,{east[n]:.1f},{north[n]:.1f},300,{200 + n}" for n in range(6)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
