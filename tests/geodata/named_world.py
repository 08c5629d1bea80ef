"""A small town drawn by hand: nine blocks between eight streets, a river in the north, two villages in the east.

::

      y                   澄溪河 (the county limit in the north)
    3000 +-------+-------+-------+---------------+
         |   a   |   b   |   c   |               |
    2000 +--北--+--路---+-------+     v (柳镇)    |      streets from west to east at y 2000 (北路), 1000 (南路);
         |   d   |  e/S  |   f   |               |      from south to north at x 0 (西路), 1000 (甲路), 2000 (乙路),
    1000 +--南--+--路---+-------+---------------+      3000 (东路)
         |   g   |   h   |   i   |     w (柳镇)    |
       0 +-------+-------+-------+---------------+
         0     1000    2000    3000            5000   x

All blocks are of 城镇 and 1,000 m wide; v is 2,000 by 2,000 m, w 2,000 by 1,000 m. 南路 runs on to the east between
v and w. A second 甲路 lies in 柳镇, at x 4000 in v, and is another street. Ten primary pupils live in each unit.
"""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.study import Basemap, StudyArea
from tests.worlds import WorldSchool, WorldUnit, build_world

NAMES = {
    **{"a": "阳光花园", "b": "锦绣苑", "c": "桂园"},
    **{"d": "西关社区", "e": "中心社区", "f": "东关社区"},
    **{"g": "南苑", "h": "河东新村", "i": "柳园"},
    **{"v": "王庄村", "w": "李庄村"},
}
STREETS = {
    "北路": [[(0, 2000), (3000, 2000)]],
    "南路": [[(0, 1000), (5000, 1000)]],
    "西路": [[(0, 0), (0, 3000)]],
    "甲路": [[(1000, 0), (1000, 3000)], [(4000, 1200), (4000, 2900)]],
    "乙路": [[(2000, 0), (2000, 3000)]],
    "东路": [[(3000, 0), (3000, 3000)]],
    "": [[(0, 500), (3000, 500)]],
}


def build_named_world(*, wobble_m: float = 0.0) -> StudyArea:
    """Return the town; ``wobble_m`` moves the middle of each drawn street sideways, as drawing with few points does."""
    units = {
        key: WorldUnit(name=name, town="柳镇" if key in "vw" else "城镇", kind="village" if key in "vw" else "estate")
        for key, name in NAMES.items()
    }
    world = build_world(
        "a b c v\nd e/S f .\ng h i w",
        pupils=dict.fromkeys(NAMES, 10.0),
        units=units,
        schools={"S": WorldSchool(name="中心小学", town="城镇")},
    )
    shapes = dict(zip(world.units["unit_id"], world.units.geometry, strict=True))
    shapes |= {"v": shapely.box(3000, 1000, 5000, 3000), "w": shapely.box(3000, 0, 5000, 1000)}
    table = world.units.set_geometry([shapes[key] for key in world.units["unit_id"]])
    middles = shapely.centroid(table.geometry.to_numpy())
    table = table.assign(
        x_m=shapely.get_x(middles), y_m=shapely.get_y(middles), area_m2=table.area.to_numpy(dtype=np.float64)
    )
    lines = [shapely.MultiLineString([_bend(line, wobble_m) for line in parts]) for parts in STREETS.values()]
    roads = gpd.GeoDataFrame({"road_class": "residential", "name": list(STREETS)}, geometry=lines)
    river = shapely.LineString([(-500, 3000), (5500, 3000)])
    water = gpd.GeoDataFrame({"kind": ["river"], "name": ["澄溪河"]}, geometry=[river])
    return replace(world, units=table, basemap=Basemap(roads=roads, water=water), addresses=_build_addresses())


def _bend(line: list[tuple[float, float]], wobble_m: float) -> shapely.LineString:
    (x, y), (to_x, to_y) = line
    across = (wobble_m, 0.0) if x == to_x else (0.0, wobble_m)
    return shapely.LineString([(x, y), ((x + to_x) / 2 + across[0], (y + to_y) / 2 + across[1]), (to_x, to_y)])


def _build_addresses() -> pd.DataFrame:
    """Return houses along 北路, 100 m apart: odd numbers north of it (in a, b, c), even ones south (in d, e, f)."""
    rows = [("北路", str(number), 50.0 * number - 25, 2020.0 if number % 2 else 1980.0) for number in range(1, 60)]
    rows.append(("甲路", "1", 1020.0, 1500.0))
    rows.append(("甲路", "1", 4020.0, 2000.0))
    return pd.DataFrame(rows, columns=["street", "house_number", "x_m", "y_m"])
