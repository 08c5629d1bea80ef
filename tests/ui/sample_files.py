"""A county small enough to upload: six schools, a grid of roads, twelve villages. Invented."""

from __future__ import annotations

from pathlib import Path

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
