"""A county small enough to upload: six schools, a grid of roads, twelve villages. Invented."""

from __future__ import annotations

from pathlib import Path

from geodata.dictionary import SHEET_NAMES

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


def write_workbook(path: Path, sheets: dict[str, list[tuple[object, ...]]]) -> Path:
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
