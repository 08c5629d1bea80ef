"""Small roads for tests: OSM files written by hand, and networks given as lists of arcs in metres."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from geodata.osm import read_osm_roads
from geodata.road_classes import read_road_classes
from geodata.road_table import RoadTable, build_road_table
from geodata.study import Mode, RoadNetwork

Way = tuple[Sequence[int], Mapping[str, str]]


def write_osm(
    path: Path,
    nodes: Mapping[int, tuple[float, float]],
    ways: Iterable[Way],
    *,
    node_tags: Mapping[int, Mapping[str, str]] | None = None,
    ways_first: bool = False,
) -> Path:
    """Write an ``.osm`` file; nodes are (lon, lat)."""

    def tags(values: Mapping[str, str]) -> str:
        return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in values.items())

    def refs(members: Sequence[int]) -> str:
        return "".join(f'<nd ref="{member}"/>' for member in members)

    node_text = "".join(
        f'<node id="{key}" version="1" lon="{lon:.7f}" lat="{lat:.7f}">{tags((node_tags or {}).get(key, {}))}</node>\n'
        for key, (lon, lat) in nodes.items()
    )
    way_text = "".join(
        f'<way id="{number}" version="1">{refs(members)}{tags(data)}</way>\n'
        for number, (members, data) in enumerate(ways, start=1)
    )
    body = way_text + node_text if ways_first else node_text + way_text
    path.write_text(f'<?xml version="1.0"?>\n<osm version="0.6">\n{body}</osm>\n', encoding="utf-8")
    return path


def read_table(path: Path, crs: str = "local") -> RoadTable:
    """Read a road file with the default classes."""
    return build_road_table(read_osm_roads(path), crs, read_road_classes())


def build_arcs(
    places: Sequence[tuple[float, float]],
    arcs: Iterable[tuple[int, int] | tuple[int, int, float, float]],
    *,
    mode: Mode = "walk",
    m_per_s: float = 1.0,
) -> RoadNetwork:
    """Return a network of given arcs: (from, to) with its straight length, or (from, to, metres, seconds)."""
    xy = np.array(places, dtype=np.float64).reshape(-1, 2)
    rows = []
    for arc in arcs:
        tail, head = arc[0], arc[1]
        length = float(np.hypot(*(xy[tail] - xy[head]))) if len(arc) == 2 else arc[2]  # type: ignore[misc]
        time = length / m_per_s if len(arc) == 2 else arc[3]  # type: ignore[misc]
        rows.append((tail, head, length, time))
    rows.sort()
    start = np.zeros(len(xy) + 1, dtype=np.int32)
    for tail, *_ in rows:
        start[tail + 1] += 1
    return RoadNetwork(
        mode=mode,
        start=np.cumsum(start).astype(np.int32),
        head=np.array([row[1] for row in rows], dtype=np.int32),
        length_m=np.array([row[2] for row in rows], dtype=np.float32),
        time_s=np.array([row[3] for row in rows], dtype=np.float32),
        x_m=xy[:, 0],
        y_m=xy[:, 1],
    )


def both_ways(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return every pair in both directions."""
    return [arc for first, second in pairs for arc in ((first, second), (second, first))]
