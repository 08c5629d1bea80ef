"""What the tests of sites share: worlds with lines and zones that keep schools away, and with open land."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import shapely

from geodata.study import Basemap, StudyArea


def add_exclusions(study: StudyArea, *things: tuple[str, str, shapely.Geometry]) -> StudyArea:
    """Return the study with exclusions of (kind, name, shape)."""
    table = pd.DataFrame(
        {
            "exclusion_id": [f"{kind}-{number}" for number, (kind, _, _) in enumerate(things)],
            "kind": [kind for kind, _, _ in things],
            "name": [name for _, name, _ in things],
        },
        dtype="str",
    )
    return replace(study, exclusions=gpd.GeoDataFrame(table, geometry=[shape for _, _, shape in things]))


def add_open_land(study: StudyArea, *shapes: shapely.Geometry) -> StudyArea:
    """Return the study with open land called L1, L2 …, of the area of its outline."""
    names = [f"L{number}" for number in range(1, len(shapes) + 1)]
    table = pd.DataFrame({"land_id": names, "name": names}, dtype="str")
    table["area_m2"] = shapely.area(list(shapes))
    return replace(study, open_land=gpd.GeoDataFrame(table, geometry=list(shapes)))


def add_basemap(
    study: StudyArea, roads: Sequence[tuple[str, str, shapely.Geometry]] = (), water: Sequence[shapely.Geometry] = ()
) -> StudyArea:
    """Return the study with roads of (class, name, line) and water."""
    classes, names = [road[0] for road in roads], [road[1] for road in roads]
    lines = gpd.GeoDataFrame({"road_class": classes, "name": names}, geometry=[road[2] for road in roads])
    lakes = gpd.GeoDataFrame({"kind": ["lake"] * len(water), "name": [""] * len(water)}, geometry=list(water))
    return replace(study, basemap=Basemap(lines, lakes))


def add_railway(study: StudyArea, line: shapely.Geometry) -> StudyArea:
    """Return the study with a railway among its barriers."""
    table = pd.DataFrame({"kind": ["railway"], "name": ["Old Line"]}, dtype="str").assign(crossings=0)
    return replace(study, barriers=gpd.GeoDataFrame(table, geometry=[line]))
