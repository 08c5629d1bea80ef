"""Street blocks as planning units: the faces of the net of streets, rivers and railways, merged to a chosen size.

The lines are cut at every crossing on a grid of one centimetre and polygonised (shapely; dead ends fall away). The rim
of the land is one of the lines, so that the faces cover it exactly. :mod:`geodata.block_merge` puts faces together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geodata.block_merge import Ints, Mosaic, merge_faces
from geodata.cut_lines import RIVER, CutLines
from geodata.shapes import Shapes

if TYPE_CHECKING:
    import geopandas as gpd

GRID_M = 0.01
"""Lines are cut on a grid this fine, so that neighbours share every point of their border."""
ON_LINE_M = 5 * GRID_M
BESIDE_COAST_M = 0.5


def build_street_blocks(
    cut: CutLines,
    outline: shapely.Geometry,
    *,
    target_m2: float = 40_000.0,
    compactness: float = 0.5,
    crs: object = None,
) -> gpd.GeoDataFrame:
    """Return the street blocks of an outline.

    Parameters
    ----------
    cut : the lines that cut (:func:`geodata.cut_lines.choose_cut_lines`), in metres
    outline : the land, one or more polygons
    target_m2 : size aimed at; blocks that no street divides are larger, and stay so
    compactness : weight (0 to 1) of a block's compactness against its size, when neighbours are chosen
    crs : CRS of the result

    Returns
    -------
    GeoDataFrame
        ``unit_id`` (from the block's place, so that it stays when others change), ``name`` (the one or two most
        prominent streets of its rim and a number, unique; without any, the id), ``kind`` = "block", ``wet`` (wide
        water: river, lake, sea), polygons. A valid coverage of the outline, in the order of ids; the same for any
        order of the lines.
    """
    import geopandas as gpd

    lines = _sort_lines(cut, outline)
    chains, faces = _cut_land(lines.lines, outline)
    sides = _find_sides(chains, faces)
    rank, name, prominence = _label_chains(chains, lines)
    mosaic = _measure(chains, faces, sides, rank, _find_wet(faces, cut))
    block, wet = merge_faces(mosaic, target_m2=target_m2, compactness=compactness)
    shapes = _unite(faces, block)
    ids = _build_ids(shapes)
    order = np.argsort(ids.astype(str), kind="stable")
    names = _name_blocks(np.where(sides >= 0, block[sides], -1), chains, prominence, name, ids)
    table = {"unit_id": ids[order], "name": names[order], "kind": "block", "wet": wet[order]}
    return gpd.GeoDataFrame(table, geometry=list(shapes[order]), crs=crs)


def find_needed_water(blocks: gpd.GeoDataFrame, lived_in: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which ``wet`` blocks must stay so that the land of people which hangs together through them still does.

    ``lived_in`` (per block): whether people live there. Water that joins the most separate pieces of such land comes
    first; of equals the first in the table. An empty island asks for no water.
    """
    wet = blocks["wet"].to_numpy(dtype=bool)
    there: npt.NDArray[np.bool_] = ~wet
    shapes = np.asarray(blocks.geometry.to_numpy(), dtype=object)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="touches")
    near_water = (wet[first] | wet[second]) & (first < second)
    length = shapely.length(shapely.intersection(shapes[first[near_water]], shapes[second[near_water]]))
    corner = np.zeros(len(first), dtype=bool)
    corner[np.flatnonzero(near_water)[length <= GRID_M]] = True
    apart = corner | (first > second)
    first, second = first[~apart], second[~apart]
    while True:
        kept = there[first] & there[second]
        links = coo_matrix((np.ones(kept.sum()), (first[kept], second[kept])), shape=(len(blocks), len(blocks)))
        part = connected_components(links, directed=False)[1]
        alive = np.isin(part, part[lived_in & there])
        reached: dict[int, set[int]] = {}
        for one, other in ((first, second), (second, first)):
            shore = ~there[one] & there[other] & alive[other]
            for water, land in zip(one[shore].tolist(), part[other[shore]].tolist(), strict=True):
                reached.setdefault(water, set()).add(land)
        best = max(reached, key=lambda water: (len(reached[water]), -water), default=-1)
        if best < 0 or len(reached[best]) < 2:
            return np.asarray(there & wet, dtype=bool)
        there[best] = True


def _sort_lines(cut: CutLines, outline: shapely.Geometry) -> CutLines:
    """Return the lines that meet the outline, in an order of their own places and not of the file."""
    shapely.prepare(outline)
    near = np.flatnonzero(shapely.intersects(outline, cut.lines))
    lines = shapely.normalize(shapely.force_2d(cut.lines[near]))
    keys = pd.DataFrame(
        {"wkb": shapely.to_wkb(lines), "rank": cut.rank[near], "name": cut.name[near], "street": cut.street[near]}
    )
    order = keys.sort_values(["wkb", "rank", "name", "street"], kind="stable").index.to_numpy()
    at = near[order]
    return CutLines(lines[order], cut.rank[at], cut.name[at], cut.street[at], cut.water, cut.coast)


def _cut_land(lines: Shapes, outline: shapely.Geometry) -> tuple[Shapes, Shapes]:
    """Return the stretches between crossings, and the faces inside the outline sorted by their places."""
    rim = shapely.get_parts(shapely.boundary(shapely.normalize(outline)))
    chains: Shapes = shapely.get_parts(shapely.union_all(np.concatenate([lines, rim]), grid_size=GRID_M))
    faces: Shapes = shapely.get_parts(shapely.polygonize(chains))
    inner = shapely.point_on_surface(faces)
    kept = shapely.intersects(outline, inner)
    faces, inner = faces[kept], inner[kept]
    return chains, faces[np.lexsort((shapely.get_y(inner), shapely.get_x(inner)))]


def _find_sides(chains: Shapes, faces: Shapes) -> Ints:
    """Return the faces on both sides of every stretch, shape (n, 2); -1 = none, as beyond the rim and at dead ends."""
    rings, owner = shapely.get_rings(faces, return_index=True)
    places, ring = shapely.get_coordinates(rings, return_index=True)
    inner = ring[1:] == ring[:-1]
    ends = shapely.get_coordinates(chains)
    first = np.r_[0, np.cumsum(shapely.get_num_coordinates(chains))[:-1]]
    points = np.rint(np.vstack([places, ends[first], ends[first + 1]]) / GRID_M).astype(np.int64)
    points -= points.min(axis=0)
    _, number = np.unique(points[:, 0] * (points[:, 1].max() + 1) + points[:, 1], return_inverse=True)
    number = number.reshape(-1)
    count, size = len(places), int(number.max()) + 1

    def pair(one: Ints, other: Ints) -> Ints:
        return np.asarray(np.minimum(one, other) * size + np.maximum(one, other), dtype=np.int64)

    edges, face = pair(number[: count - 1][inner], number[1:count][inner]), owner[ring[:-1][inner]]
    order = np.lexsort((face, edges))
    edges, face = edges[order], np.append(face[order], -1)
    wanted = pair(number[count : count + len(chains)], number[count + len(chains) :])
    low, high = np.searchsorted(edges, wanted, "left"), np.searchsorted(edges, wanted, "right")
    return np.column_stack([np.where(high > low, face[low], -1), np.where(high > low + 1, face[high - 1], -1)])


def _label_chains(chains: Shapes, lines: CutLines) -> tuple[Ints, npt.NDArray[np.object_], Ints]:
    """Return rank, name and prominence of each stretch, from the lines that it lies on.

    The rank is the highest of them, 0 on the mere rim. The name is that of the largest street with a name, else of a
    railway or river; all streets are more prominent than these.
    """
    rank = np.zeros(len(chains), dtype=np.int64)
    prominence = np.zeros(len(chains), dtype=np.int64)
    name = np.full(len(chains), "", dtype=object)
    if not len(lines.lines):
        return rank, name, prominence
    middle = shapely.line_interpolate_point(chains, 0.5, normalized=True)
    chain, line = shapely.STRtree(lines.lines).query(middle, predicate="dwithin", distance=ON_LINE_M)
    np.maximum.at(rank, chain, lines.rank[line])
    named = lines.name[line] != ""
    chain, line = chain[named], line[named]
    weight, words = lines.rank[line] + np.where(lines.street[line], RIVER + 1, 0), lines.name[line].astype(str)
    best = np.lexsort((words, -weight, chain))
    first = best[np.unique(chain[best], return_index=True)[1]]
    name[chain[first]], prominence[chain[first]] = words[first], weight[first]
    return rank, name, prominence


def _find_wet(faces: Shapes, cut: CutLines) -> npt.NDArray[np.bool_]:
    """Return which faces are water: those inside a wide water area, and those to the right of a coast."""
    wet = np.zeros(len(faces), dtype=bool)
    if len(cut.water) and len(faces):
        face, _ = shapely.STRtree(cut.water).query(shapely.point_on_surface(faces), predicate="intersects")
        wet[face] = True
    if len(cut.coast) and len(faces):
        places, line = shapely.get_coordinates(cut.coast, return_index=True)
        inner = line[1:] == line[:-1]
        step, middle = np.diff(places, axis=0)[inner], ((places[1:] + places[:-1]) / 2)[inner]
        right = np.column_stack([step[:, 1], -step[:, 0]]) * (BESIDE_COAST_M / np.hypot(*step.T))[:, None]
        balance = np.zeros(len(faces))
        for sign in (1, -1):
            face, _ = shapely.STRtree(shapely.points(middle + sign * right)).query(faces, predicate="contains")
            np.add.at(balance, face, sign)
        wet |= balance > 0
    return wet


def _measure(chains: Shapes, faces: Shapes, sides: Ints, rank: Ints, wet: npt.NDArray[np.bool_]) -> Mosaic:
    between = (sides >= 0).all(axis=1)
    return Mosaic(
        area_m2=np.asarray(shapely.area(faces), dtype=np.float64),
        perimeter_m=np.asarray(shapely.length(faces), dtype=np.float64),
        wet=wet,
        first=sides[between, 0],
        second=sides[between, 1],
        rank=rank[between],
        length_m=np.asarray(shapely.length(chains[between]), dtype=np.float64),
    )


def _unite(faces: Shapes, block: Ints) -> Shapes:
    """Return one shape per block."""
    order = np.argsort(block, kind="stable")
    groups = np.split(faces[order], np.cumsum(np.bincount(block))[:-1])
    whole = [group[0] if len(group) == 1 else shapely.coverage_union_all(group) for group in groups]
    shapes: Shapes = shapely.normalize(np.array(whole, dtype=object))
    return shapes


def _build_ids(shapes: Shapes) -> npt.NDArray[np.object_]:
    """Return ids like ``b69310_376342``: a place inside in tens of metres; a second block there gets a number."""
    inner = shapely.point_on_surface(shapes)
    tens = np.floor(np.column_stack([shapely.get_x(inner), shapely.get_y(inner)]) / 10).astype(np.int64)
    ids = pd.Series([f"b{x}_{y}" for x, y in tens.tolist()], dtype=object)
    order = np.lexsort((shapely.get_y(inner), shapely.get_x(inner)))
    again = ids.iloc[order].groupby(ids.iloc[order]).cumcount().reindex(ids.index)
    return np.array([f"{key}_{more + 1}" if more else key for key, more in zip(ids, again, strict=True)], dtype=object)


def _name_blocks(
    sides: Ints, chains: Shapes, prominence: Ints, name: npt.NDArray[np.object_], ids: npt.NDArray[np.object_]
) -> npt.NDArray[np.object_]:
    """Return names such as ``人民路—建设路 3``: the most prominent lines of the rim, and a number in order of ids.

    Of streets of one rank the one with the longest part of the rim comes first. ``sides``: blocks on both sides.
    """
    rim = (sides[:, 0] != sides[:, 1]) & (name != "")
    both = pd.DataFrame(
        {
            "block": sides[rim].T.ravel(),
            "name": np.tile(name[rim], 2),
            "prominence": np.tile(prominence[rim], 2),
            "length": np.tile(shapely.length(chains[rim]), 2),
        }
    )
    by_name = both[both["block"] >= 0].groupby(["block", "name"], as_index=False)
    lines = by_name.agg({"prominence": "max", "length": "sum"}).round({"length": 1})
    lines = lines.sort_values(["block", "prominence", "length", "name"], ascending=[True, False, False, True])
    stems = lines.groupby("block").head(2).groupby("block")["name"].agg("—".join)
    table = pd.DataFrame({"stem": stems, "unit_id": ids[stems.index]}).sort_values("unit_id")
    number = table.groupby("stem").cumcount() + 1
    result = ids.copy()
    result[table.index] = [f"{stem} {count}" for stem, count in zip(table["stem"], number, strict=True)]
    return result
