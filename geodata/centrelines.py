"""The line along the middle of an area: a river drawn as water becomes a line that roads cross once.

The middle is where the nearest banks are two: the edges inside the area of the Voronoi diagram of points along its
outline (the medial axis). Its side branches, which reach into every bend of the bank, are cut away where they are not
longer than the water is wide; the ends that are left are drawn on to the outline.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import shapely

from geodata.shapes import Shapes

MAX_POINTS = 20_000
"""Points along the outline of one area."""
BRANCH_WIDTHS = 1.0
"""A side branch shorter than this many times the width of the water at its root is cut away."""


def draw_centrelines(areas: Shapes) -> Shapes:
    """Return one line (of several parts) for each area, in metres; empty where an area has no middle worth a line."""
    lines: Shapes = np.array([_draw_centreline(area) for area in areas], dtype=object)
    return lines


def _draw_centreline(area: Any) -> Any:
    parts = [_draw_part(part) for part in shapely.get_parts(shapely.make_valid(area)) if part.geom_type == "Polygon"]
    return shapely.line_merge(shapely.union_all([part for part in parts if not part.is_empty]))


def _draw_part(area: Any) -> Any:
    """Return the middle line of one polygon."""
    width = 2 * area.area / max(area.length, 1e-9)
    step = max(width / 3, area.length / MAX_POINTS, 0.5)
    outline = shapely.segmentize(area.boundary, step)
    points = shapely.multipoints(shapely.get_coordinates(outline))
    edges = shapely.get_parts(shapely.voronoi_polygons(points, only_edges=True))
    edges = shapely.get_parts(shapely.union_all(edges))
    pairs = shapely.get_coordinates(edges).reshape(-1, 2, 2) if len(edges) else np.empty((0, 2, 2))
    shapely.prepare(area)
    inside = shapely.contains_properly(area, shapely.linestrings(pairs)) if len(pairs) else np.zeros(0, dtype=bool)
    pairs = pairs[inside]
    if not len(pairs):
        return shapely.LineString()
    pairs = _prune(np.round(pairs, 3), area)
    if not len(pairs):
        return shapely.LineString()
    middle = shapely.line_merge(shapely.multilinestrings(list(pairs)))
    return shapely.union_all([middle, *_reach_out(pairs, area)])


def _prune(pairs: Any, area: Any) -> Any:
    """Return the straight bits without the side branches that are no longer than the water is wide at their root."""
    while True:
        branches, degree = _list_branches(pairs)
        short = []
        for bits, root in branches:
            length = float(np.hypot(*(pairs[bits, 1] - pairs[bits, 0]).T).sum())
            half_width = float(shapely.distance(area.boundary, shapely.Point(root)))
            if degree[root] > 2 and length <= BRANCH_WIDTHS * 2 * half_width:
                short.append((length, bits, root))
        # of the branches at one root the shortest goes first: what remains of it may be the end of the river
        chosen: dict[tuple[float, float], list[int]] = {}
        for _, bits, root in sorted(short, key=lambda item: item[0]):
            chosen.setdefault(root, bits)
        if not chosen:
            return pairs
        pairs = np.delete(pairs, [bit for bits in chosen.values() for bit in bits], axis=0)


def _list_branches(pairs: Any) -> tuple[list[tuple[list[int], tuple[float, float]]], dict[tuple[float, float], int]]:
    """Return the runs of bits from every loose end to the next fork (with the fork), and the bits at each place."""
    at: dict[tuple[float, float], list[int]] = defaultdict(list)
    for number, (first, last) in enumerate(pairs.tolist()):
        at[first[0], first[1]].append(number)
        at[last[0], last[1]].append(number)
    branches = []
    for place, bits in at.items():
        if len(bits) != 1:
            continue
        run, here = [bits[0]], place
        while True:
            first, last = (tuple(end) for end in pairs[run[-1]].tolist())
            here = last if first == here else first
            if len(at[here]) != 2:
                break
            run.append(next(bit for bit in at[here] if bit != run[-1]))
        branches.append((run, here))
    return branches, {place: len(bits) for place, bits in at.items()}


def _reach_out(pairs: Any, area: Any) -> list[Any]:
    """Return lines from every loose end on to the outline, in the direction in which the middle ran."""
    branches, _ = _list_branches(pairs)
    reach = float(np.hypot(*(np.diff(np.array(area.bounds).reshape(2, 2), axis=0)[0])))
    found = []
    for bits, _ in branches:
        places = shapely.get_coordinates(shapely.line_merge(shapely.multilinestrings(list(pairs[bits[:8]]))))
        ends = pairs[bits[0]]
        loose = ends[0] if len(bits) == 1 or not (pairs[bits[1]] == ends[0]).all(axis=1).any() else ends[1]
        back = places[0] if np.hypot(*(places[-1] - loose)) < np.hypot(*(places[0] - loose)) else places[-1]
        step = loose - back
        length = float(np.hypot(*step))
        if length <= 0:
            continue
        ray = shapely.LineString([loose, loose + step / length * reach])
        met = shapely.get_parts(shapely.intersection(ray, area.boundary))
        hits = [hit for hit in met if not hit.is_empty]
        if hits:
            nearest = min(hits, key=lambda hit: float(shapely.distance(hit, shapely.Point(loose))))
            tip = shapely.get_coordinates(nearest)[0]
            found.append(shapely.LineString([loose, loose + (tip - loose) * 1.001]))
    return found
