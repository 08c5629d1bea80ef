"""What a resident knows by name: streets, rivers, railways, units, towns, schools, with the shapes behind the names.

The same name in several towns means different streets: lines of one name are split into connected groups, and the
groups are told apart by the town that most of their length lies in. Streets without a name are no landmarks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geodata.adjacency import find_land
from geodata.outlines import unite_shapes
from geodata.shapes import Shapes
from geodata.study import STAGES, FrozenArrays, StudyArea
from geodata.zone_word_parts import Name

if TYPE_CHECKING:
    import pandas as pd

LineKind = Literal["street", "water", "railway", "expressway", "other", "town", "county"]
SAME_STREET_M = 600.0
"""Pieces of one name that are no further apart are one street: a square, a park or a river may lie between."""
TOWN_STEP_M = 100.0
LABEL_COST = 3.0
"""A street block named after the streets beside it (人民路—建设路 3) has a label that nobody uses: so many names."""
ID_COST = 8.0
"""A unit that has only an id cannot be found without the map: so many names."""
COUNTY = Name("")
_AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


@dataclass(frozen=True, eq=False)
class Landmark:
    """A line with a name. ``shape`` is a line, or several, in the study's metres."""

    kind: LineKind
    name: Name
    shape: shapely.Geometry


@dataclass(frozen=True, eq=False)
class Landmarks(FrozenArrays):
    """Everything that words can name. Units stand in the order of the study's table.

    ``lines`` holds streets, water, railways, expressways; the limits of towns (``kind`` "town") and of the county.
    ``land`` is each unit's polygon, or where units are ``scattered`` footprints its Voronoi cell. ``name_cost``: how
    hard a unit's name is for residents, in names: 1, or :data:`LABEL_COST` or :data:`ID_COST`. ``pupils`` is keyed by
    stage; unknown is 0. ``schools`` maps ids to names, in the order of ``school_points``.
    """

    lines: tuple[Landmark, ...]
    unit_ids: tuple[str, ...]
    unit_names: tuple[Name, ...]
    unit_towns: tuple[str, ...]
    name_cost: npt.NDArray[np.float64]
    land: Shapes
    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]
    scattered: bool
    pupils: Mapping[str, npt.NDArray[np.float64]]
    schools: Mapping[str, Name] = field(default_factory=dict)
    school_points: Shapes = field(default_factory=lambda: np.empty(0, dtype=object))
    fingerprint: str = ""

    def find_units(self, unit_ids: Iterable[str]) -> npt.NDArray[np.int64]:
        """Return the positions of units, ascending; ``KeyError`` for one that is not there."""
        where = {key: position for position, key in enumerate(self.unit_ids)}
        return np.unique(np.array([where[str(key)] for key in unit_ids], dtype=np.int64))


def build_landmarks(study: StudyArea) -> Landmarks:
    """Return the named lines, units and schools of a study."""
    units = study.units
    land = find_land(units, scattered=study.adjacency.scattered)
    towns = _read_words(units, "town")
    tree = shapely.STRtree(land)
    ids = [str(key) for key in units["unit_id"]]
    texts = _read_words(units, "name")
    lines = [*_build_lines(study, towns, tree), *_build_limits(land, towns)]
    schools = study.schools
    return Landmarks(
        lines=tuple(lines),
        unit_ids=tuple(ids),
        unit_names=_tell_apart([text or key for text, key in zip(texts, ids, strict=True)], towns, ids),
        unit_towns=tuple(towns),
        name_cost=_rate_names(texts, ids, _read_words(units, "kind"), lines),
        land=land,
        x_m=units["x_m"].to_numpy(dtype=np.float64),
        y_m=units["y_m"].to_numpy(dtype=np.float64),
        scattered=study.adjacency.scattered,
        pupils={stage: np.nan_to_num(units[f"{stage}_pupils"].to_numpy(dtype=np.float64)) for stage in STAGES},
        schools=_name_schools(schools),
        school_points=np.asarray(schools.geometry.to_numpy(), dtype=object),
        fingerprint=study.fingerprint,
    )


def _read_words(table: pd.DataFrame, column: str) -> list[str]:
    """Return a column of words; missing words are empty."""
    if column not in table:
        return [""] * len(table)
    return [cell if isinstance(cell, str) else "" for cell in table[column]]


def _rate_names(
    texts: list[str], ids: list[str], kinds: list[str], lines: Iterable[Landmark]
) -> npt.NDArray[np.float64]:
    """Return how hard each unit's name is to know, in names."""
    streets = {line.name.text for line in lines if line.name.text}

    def rate(text: str, unit_id: str, kind: str) -> float:
        if not text or text == unit_id or kind == "cell":
            return ID_COST
        stem = text.split("—")[0].rpartition(" ")
        return LABEL_COST if kind == "block" and streets & {text.split("—")[0], stem[0]} else 1.0

    return np.array([rate(*row) for row in zip(texts, ids, kinds, strict=True)], dtype=np.float64)


def _name_schools(schools: pd.DataFrame) -> dict[str, Name]:
    ids = [str(key) for key in schools["school_id"]]
    texts = [text or key for text, key in zip(_read_words(schools, "name"), ids, strict=True)]
    return dict(zip(ids, _tell_apart(texts, _read_words(schools, "town"), ids), strict=True))


def _tell_apart(texts: list[str], towns: list[str], ids: list[str]) -> tuple[Name, ...]:
    """Return names, qualified by town where a name stands twice, and by id where a town has it twice too."""
    count: dict[tuple[str, ...], int] = {}
    for text, town in zip(texts, towns, strict=True):
        for key in ((text,), (text, town)):
            count[key] = count.get(key, 0) + 1
    names = []
    for text, town, unit_id in zip(texts, towns, ids, strict=True):
        if count[(text,)] == 1:
            names.append(Name(text))
        else:
            names.append(Name(text, town if town and count[(text, town)] == 1 else unit_id))
    return tuple(names)


def _build_lines(study: StudyArea, towns: list[str], tree: shapely.STRtree) -> list[Landmark]:
    """Return streets, water and barriers with a name, one landmark for each name and town."""
    roads, water, barriers = study.basemap.roads, study.basemap.water, study.barriers
    found: dict[str, list[tuple[LineKind, shapely.Geometry]]] = {}
    for name, shape in zip(_read_words(roads, "name"), roads.geometry, strict=True):
        found.setdefault(name, []).append(("street", shape))
    lined = {
        name
        for name, shape in zip(_read_words(water, "name"), water.geometry, strict=True)
        if shape is not None and shapely.get_type_id(shape) not in _AREAS
    }
    for name, shape in zip(_read_words(water, "name"), water.geometry, strict=True):
        is_area = shapely.get_type_id(shape) in _AREAS
        if not (is_area and name in lined):
            found.setdefault(name, []).append(("water", shapely.boundary(shape) if is_area else shape))
    for kind, name, shape in zip(barriers["kind"], _read_words(barriers, "name"), barriers.geometry, strict=True):
        known: LineKind = kind if kind in ("railway", "expressway") else "other"
        if name not in found:
            found.setdefault(name, []).append((known, shape))
    found.pop("", None)
    return [line for name in sorted(found) for line in _split_line(name, found[name], towns, tree)]


def _split_line(
    name: str, pieces: list[tuple[LineKind, shapely.Geometry]], towns: list[str], tree: shapely.STRtree
) -> list[Landmark]:
    """Return the landmarks of one name: a landmark per town, where connected pieces lie in different towns."""
    parts: Shapes = shapely.get_parts(np.array([shape for _, shape in pieces], dtype=object))
    if not len(parts):
        return []
    kind = pieces[0][0]
    near = shapely.STRtree(parts).query(parts, predicate="dwithin", distance=SAME_STREET_M)
    links = coo_matrix((np.ones(near.shape[1]), (near[0], near[1])), shape=(len(parts), len(parts)))
    count, group = connected_components(links, directed=False)
    by_town: dict[str, list[shapely.Geometry]] = {}
    for number in range(count):
        members = parts[group == number]
        town = _find_town(members, towns, tree) if count > 1 and kind == "street" else ""
        by_town.setdefault(town, []).extend(members)
    several = len(by_town) > 1
    joined: dict[str, Any] = {town: shapely.multilinestrings(lines) for town, lines in by_town.items()}
    return [Landmark(kind, Name(name, town if several else ""), joined[town]) for town in sorted(joined)]


def _find_town(lines: Shapes, towns: list[str], tree: shapely.STRtree) -> str:
    """Return the town that most of the lines lies in."""
    length = shapely.length(lines)
    longest = lines[int(np.argmax(length))]
    steps = np.arange(0.0, max(float(length.max()), 1.0), TOWN_STEP_M)
    nearest = tree.nearest(shapely.line_interpolate_point(longest, steps))
    votes: dict[str, int] = {}
    for unit in nearest:
        votes[towns[int(unit)]] = votes.get(towns[int(unit)], 0) + 1
    return min(votes, key=lambda town: (-votes[town], town))


def _build_limits(land: Shapes, towns: list[str]) -> list[Landmark]:
    """Return the limits of the county and, where there are several, of the towns."""
    whole = unite_shapes(land)
    outer = shapely.multipolygons([shapely.Polygon(part.exterior) for part in shapely.get_parts(whole)])
    limits = [Landmark("county", COUNTY, shapely.boundary(outer))]
    names = sorted({town for town in towns if town})
    if len(names) > 1:
        member = np.array(towns, dtype=object)
        limits += [Landmark("town", Name(name), shapely.boundary(unite_shapes(land[member == name]))) for name in names]
    return limits
