"""The values that cross borders: study area, road network, travel matrix, adjacency. All frozen, arrays read-only.

Tables are plain (Geo)DataFrames, checked once at the reader's exit against ``geodata/tables/*.csv``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.errors import DataIssue
from geodata.messages import Message

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

Stage = Literal["kindergarten", "primary", "junior", "senior"]
Mode = Literal["walk", "bicycle", "drive"]
STAGES: tuple[Stage, ...] = ("kindergarten", "primary", "junior", "senior")
MODES: tuple[Mode, ...] = ("walk", "bicycle", "drive")
SETTINGS: tuple[str, ...] = ("urban", "town", "rural")


Progress: TypeAlias = Callable[[Message, float], None]
"""Called with the name of the step and the share of the work done (0 to 1); raises ``Cancelled`` to stop."""


def no_progress(step: Message, share: float) -> None:
    """Ignore progress."""


class FrozenArrays:
    """Read-only arrays and mappings, also after pickling: the value is rebuilt through its constructor."""

    def __post_init__(self) -> None:
        for item in fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value = value.view()
                value.flags.writeable = False
                object.__setattr__(self, item.name, value)
            elif isinstance(value, dict):
                object.__setattr__(self, item.name, MappingProxyType(dict(value)))

    def __reduce__(self) -> tuple[Any, ...]:
        values = [getattr(self, item.name) for item in fields(self)]  # type: ignore[arg-type]
        return (type(self), tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values))


@dataclass(frozen=True)
class Source:
    """Where a table came from: shown in every document."""

    role: str
    path: str
    digest: str = ""
    note: str = ""


@dataclass(frozen=True, eq=False)
class RoadNetwork(FrozenArrays):
    """One mode's directed graph in CSR form: the arcs of node ``i`` are ``start[i]:start[i+1]``.

    Only the largest connected part that the mode can use is kept. ``length_m`` and ``time_s`` are per arc;
    ``x_m``/``y_m`` per node, in the study's metric CRS. ``parts`` and ``kept_share`` (of road length) say what the
    cleaning found. Self loops and parallel arcs may occur. ``enterable`` (per arc) is False where a point beside the
    road cannot join it (expressways); ``None`` = everywhere. Legs off the road are walked at ``off_road_kmh``.
    """

    mode: Mode
    start: npt.NDArray[np.int32]
    head: npt.NDArray[np.int32]
    length_m: npt.NDArray[np.float32]
    time_s: npt.NDArray[np.float32]
    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]
    parts: int = 1
    kept_share: float = 1.0
    source: str = ""
    date: str = ""
    enterable: npt.NDArray[np.bool_] | None = None
    off_road_kmh: float = 4.0

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.x_m)


@dataclass(frozen=True, eq=False)
class TravelMatrix(FrozenArrays):
    """Travel from units (rows) to schools and sites (columns), one mode.

    ``time_min`` and ``length_m`` have shape (units, destinations), float32; NaN = unreachable or beyond
    ``cutoff_min``. ``unit_snap_m``/``destination_snap_m`` are the metres between the point and the road, already
    included in both. ``method`` is ``"roads"``, ``"straight line"`` or ``"given"``; ``detour_factor`` applies to
    straight lines and off-road legs, ``max_snap_m`` to the latter (see ``geodata.travel``).
    """

    mode: Mode
    unit_ids: tuple[str, ...]
    destination_ids: tuple[str, ...]
    time_min: npt.NDArray[np.float32]
    length_m: npt.NDArray[np.float32]
    unit_snap_m: npt.NDArray[np.float32]
    destination_snap_m: npt.NDArray[np.float32]
    method: str = "roads"
    detour_factor: float = 1.3
    cutoff_min: float = float("inf")
    max_snap_m: float = 500.0

    def __post_init__(self) -> None:
        super().__post_init__()
        shape = (len(self.unit_ids), len(self.destination_ids))
        if self.time_min.shape != shape or self.length_m.shape != shape:
            raise ValueError(f"travel matrix: expected shape {shape}, got {self.time_min.shape}, {self.length_m.shape}")

    def columns(self, destination_ids: list[str]) -> npt.NDArray[np.int64]:
        """Positions of the destinations named; ``KeyError`` for one that is not there."""
        where = {key: position for position, key in enumerate(self.destination_ids)}
        return np.array([where[key] for key in destination_ids], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Adjacency(FrozenArrays):
    """Pairs of neighbouring units, each once (``first_ids < second_ids`` in table order), with their shared border.

    Units without a neighbour (islands) do not occur in the pairs and are listed in ``island_ids``.

    ``area_m2`` and ``perimeter_m`` (per unit, in the order of the units table) are those of the shapes whose borders
    were measured: the units' own outlines, or, where units are ``scattered`` footprints, the Voronoi cells of their
    demand points. So the borders of a unit never add up to more than its perimeter. Empty: those of the units table.

    ``barriers`` (per pair; see ``geodata.barriers``) names the kinds of barrier that part the two units where no
    walkable road joins them, such as ``"river;railway"``; ``crossed`` names those between them that a road crosses.
    Empty texts: nothing lies between. Empty tuples: the study has no barriers.
    """

    first_ids: tuple[str, ...]
    second_ids: tuple[str, ...]
    border_m: npt.NDArray[np.float64]
    island_ids: tuple[str, ...] = ()
    area_m2: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    perimeter_m: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    scattered: bool = False
    barriers: tuple[str, ...] = ()
    crossed: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Basemap(FrozenArrays):
    """Lines and areas for drawing only, in the study's CRS.

    ``roads``: ``road_class`` (see ``geodata/tables/road_classes.csv``), ``name``, line geometry. ``water``: ``kind``
    (river, stream, lake, sea), ``name``, line or polygon geometry. Either may be empty.
    """

    roads: gpd.GeoDataFrame
    water: gpd.GeoDataFrame


@dataclass(frozen=True, eq=False)
class StudyArea(FrozenArrays):
    """Everything known about one county, checked. Tables: see ``docs/data-dictionary.md``.

    ``travel`` and ``networks`` are keyed by mode; ``networks`` is empty where there are no roads. ``crs`` is metric
    (``"EPSG:…"``, WKT, or ``"local"`` for a grid of metres without a place on Earth). ``road_report`` is the table
    of length by class. ``attribution`` is the credit that the data's licence asks for.

    ``barriers`` holds lines that part the county: ``kind`` (railway, expressway, river, other), ``name``,
    ``crossings`` (places where a walkable road crosses). ``sides`` says on which side of them a place lies: ``kind``,
    ``place`` (unit, school, site), ``id``, ``side`` (a number; land that a walkable road joins across the line is one
    side), ``side_uncrossed`` (the same, when those roads may not be used either).

    ``addresses``: house numbers, ``street``, ``house_number`` as written, ``x_m``, ``y_m``; empty where none are known.

    ``exclusions``: what keeps a school away (railways, hazard zones …), ``exclusion_id``, ``kind``, ``name``, lines,
    areas or points. ``open_land``: land that may be built on, ``land_id``, ``name``, ``area_m2``, areas. Either may be
    empty.

    ``births``, ``housing``, ``assets``, ``groups`` and ``evidence``: what forecasts and inspections need; each may be
    empty.

    ``view`` names the year and variant of the forecast whose children and rolls the tables hold, as ``"2030 middle"``;
    empty: those of the files (``planning.projected_study``).

    ``fingerprint`` identifies content: equal inputs, equal fingerprint.
    """

    name: str
    crs: str
    schools: gpd.GeoDataFrame
    places: pd.DataFrame
    rolls: pd.DataFrame
    units: gpd.GeoDataFrame
    zones: pd.DataFrame
    sites: gpd.GeoDataFrame
    travel: Mapping[Mode, TravelMatrix]
    adjacency: Adjacency
    basemap: Basemap
    networks: Mapping[Mode, RoadNetwork] = field(default_factory=dict)
    road_report: pd.DataFrame | None = None
    barriers: gpd.GeoDataFrame = field(default_factory=lambda: _build_empty("barriers"))
    sides: pd.DataFrame = field(default_factory=lambda: build_empty_sides())
    addresses: pd.DataFrame = field(default_factory=lambda: _build_empty("addresses"))
    exclusions: gpd.GeoDataFrame = field(default_factory=lambda: _build_empty("exclusions"))
    open_land: gpd.GeoDataFrame = field(default_factory=lambda: _build_empty("open_land"))
    births: pd.DataFrame = field(default_factory=lambda: _build_empty("births"))
    housing: pd.DataFrame = field(default_factory=lambda: _build_empty("housing"))
    assets: pd.DataFrame = field(default_factory=lambda: _build_empty("assets"))
    groups: pd.DataFrame = field(default_factory=lambda: _build_empty("groups"))
    evidence: pd.DataFrame = field(default_factory=lambda: _build_empty("evidence"))
    view: str = ""
    issues: tuple[DataIssue, ...] = ()
    sources: tuple[Source, ...] = ()
    attribution: str = ""
    synthetic: bool = False
    fingerprint: str = ""


def build_empty_sides() -> pd.DataFrame:
    """Return the table ``sides`` of a study without barriers."""
    import pandas as pd

    words = {name: pd.Series([], dtype="str") for name in ("kind", "place", "id")}
    return pd.DataFrame({**words, **{name: pd.Series([], dtype="int64") for name in ("side", "side_uncrossed")}})


def _build_empty(table: str) -> Any:
    from geodata.schema import build_empty_table

    return build_empty_table(table)


def compute_digest(*parts: object) -> str:
    """Return a short stable digest of bytes, strings, numbers and arrays, in order."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(str(part.dtype).encode() + str(part.shape).encode() + np.ascontiguousarray(part).tobytes())
        elif isinstance(part, bytes):
            digest.update(part)
        else:
            digest.update(repr(part).encode())
        digest.update(b"\x00")
    return digest.hexdigest()[:20]
