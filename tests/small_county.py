"""A county of three villages and two schools, as files: for the tests of the doors and of the build.

Each village has 60 pupils of primary age and is about 0.9 km wide. School 001 stands on the border of the first and the
second village and is over its places (120 of 90); school 002 stands east of the third and is a third full (60 of 180).
Both have names that a careless program would run.
"""

import json
from pathlib import Path

SCHOOLS = """学校代码,学校名称,学段,经度,纬度,学位数,在校生数,班数
001,=第一小学,小学,113.00,34.50,90,120,2
002,{{7*7}}小学,小学,113.02,34.50,180,60,4
"""
STUDY = """name = "小县"
[schools]
path = "schools.csv"
year = 2025
[population]
path = "villages.geojson"
kind = "polygons"
columns = { unit_id = "编号" }
"""


def write_small_county(folder: Path) -> Path:
    """Write the files into ``folder`` and return the path of the study file."""
    features = []
    for number, west in enumerate([112.99, 113.0, 113.01]):
        east = round(west + 0.01, 3)
        ring = [[west, 34.49], [east, 34.49], [east, 34.51], [west, 34.51], [west, 34.49]]
        properties = {"编号": f"0{number}", "村名": f"村{number}", "人口": 1000, "小学生数": 60}
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    villages = {"type": "FeatureCollection", "features": features}
    (folder / "schools.csv").write_text(SCHOOLS, encoding="utf-8")
    (folder / "villages.geojson").write_text(json.dumps(villages, ensure_ascii=False), encoding="utf-8")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return folder / "study.toml"
