"""The tables of ``study.toml`` as values: where each file of a study lies and how its columns are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from geodata.study import Mode


@dataclass(frozen=True)
class SchoolsSource:
    """``[schools]``: one file of schools. ``columns`` maps our column names to the file's headers."""

    path: str
    sheet: str = ""
    layer: str = ""
    crs: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    keep_where_positive: str = ""
    year: int | None = None


@dataclass(frozen=True)
class RoadsSource:
    """``[roads]``: a ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.graphml`` file, a layer of lines, or a download.

    Of a layer of lines, ``columns`` maps ``road_class``, ``name``, ``oneway``, ``speed_kmh`` and the other columns of
    the data dictionary (table ``roads``) to the file's headers, and ``values`` the file's words to ours, by column.
    Line ends nearer than ``snap_m`` are joined.
    """

    path: str = ""
    place: str = ""
    polygon: str = ""
    speeds: str = ""
    layer: str = ""
    crs: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    snap_m: float = 1.0


@dataclass(frozen=True)
class PopulationSource:
    """``[population]``: where people, or children, live.

    ``kind``: ``points``, ``polygons``, ``raster``, ``age_rasters``, ``hexagons``, ``buildings``. ``columns`` maps our
    column names to the file's headers. ``share`` gives children of a stage per inhabitant where no ages are known.
    ``totals`` are known pupils by stage that the result is scaled to; ``town_totals`` is a table of such totals, and
    ``age_totals`` one of people by single year of age (of the county, or by township): counts are brought to both by
    iterative proportional fitting. ``year`` chooses among columns or rasters of several years (0 = the latest).
    """

    path: str = ""
    kind: Literal["points", "polygons", "raster", "age_rasters", "hexagons", "buildings"] = "polygons"
    layer: str = ""
    crs: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    share: dict[str, float] = field(default_factory=dict)
    totals: dict[str, float] = field(default_factory=dict)
    town_totals: str = ""
    age_totals: str = ""
    year: int = 0
    sheet: str = ""
    calibrate_to_rolls: bool = False


@dataclass(frozen=True)
class GazetteerSource:
    """``[gazetteer]``: names with a place, for a population list that has names but no positions.

    A layer of areas or points, or a table with positions; ``columns`` maps ``name`` and ``town``. ``matches`` is the
    reviewed table of near matches (``list_name``, ``list_town``, ``place_name``, ``place_town``, ``accept``).
    """

    path: str
    sheet: str = ""
    layer: str = ""
    crs: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    matches: str = ""


@dataclass(frozen=True)
class BuildingsSource:
    """``[buildings]``: footprints into which the people of areas, cells or points are put (dasymetric weights).

    An OSM file or a layer of areas; ``columns`` maps ``floors``, ``use`` and ``people_weight``, and ``values`` the
    file's words to ours, by column.
    """

    path: str
    layer: str = ""
    crs: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class UnitsSource:
    """``[units]``: planning units: the population's own polygons, given polygons, squares of ``cell_m``, street blocks.

    Blocks are cut by roads of ``road_classes`` (empty = streets), rivers and railways, and merged to about
    ``block_m2``, with weight ``compactness`` for their shape.
    """

    kind: Literal["population", "polygons", "grid", "blocks"] = "population"
    path: str = ""
    layer: str = ""
    crs: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    cell_m: float = 500.0
    block_m2: float = 40_000.0
    compactness: float = 0.5
    road_classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ZonesSource:
    """``[zones]``: the current catchments as a table of unit, stage, school, or as a layer of areas with a school.

    ``stage`` (of a layer without such a column) is the stage of all its areas.
    """

    path: str
    layer: str = ""
    crs: str = ""
    stage: Literal["", "kindergarten", "primary", "junior", "senior"] = ""
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BarriersSource:
    """``[barriers]``: a layer of lines that children should not cross. ``kind`` holds where no column tells it."""

    path: str
    layer: str = ""
    crs: str = ""
    kind: Literal["", "railway", "expressway", "river", "other"] = ""
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AddressesSource:
    """``[addresses]``: house numbers, beside those of an OSM road file: a table, a layer, or an OSM file."""

    path: str
    sheet: str = ""
    layer: str = ""
    crs: str = ""
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SitesSource:
    """``[sites]``: candidate sites for new schools."""

    path: str
    layer: str = ""
    crs: str = ""
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ExclusionsSource:
    """``[exclusions]``, or several ``[[exclusions]]``: what keeps a school away, as a layer or a table of points.

    ``kind`` (a word of the data dictionary, such as ``flood`` or 泥石流) holds where no column tells it.
    """

    path: str
    kind: str = ""
    sheet: str = ""
    layer: str = ""
    crs: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenLandSource:
    """``[open_land]``: a layer of areas on which schools may be built."""

    path: str
    layer: str = ""
    crs: str = ""
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RowsSource:
    """``[groups]`` or ``[evidence]``: one CSV or Excel file. ``columns`` and ``values`` as under ``[schools]``."""

    path: str
    sheet: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class YearRowsSource(RowsSource):
    """``[rolls]``, ``[births]`` or ``[assets]``: also the ``year`` of all rows, where no column tells it."""

    year: int | None = None


@dataclass(frozen=True)
class HousingSource(RowsSource):
    """``[housing]``: also a layer of points or areas, and the ``crs`` of its positions."""

    layer: str = ""
    crs: str = ""


@dataclass(frozen=True)
class ElevationSource:
    """``[elevation]``: a GeoTIFF of heights in metres, which slows walking and cycling uphill."""

    path: str


@dataclass(frozen=True)
class TravelSource:
    """``[travel]``: how travel is measured, or a given matrix (``path``: units × schools, in minutes).

    ``crossing_penalty_s``: seconds that a child on foot waits, or walks further, at each ``main_road``, ``railway`` or
    ``river`` on the way.
    """

    path: str = ""
    modes: tuple[Mode, ...] = ("walk", "bicycle", "drive")
    detour_factor: float = 1.3
    cutoff_min: dict[str, float] = field(default_factory=dict)
    max_snap_m: float = 500.0
    matrix_mode: Mode = "walk"
    crossing_penalty_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoSource:
    """``[demo]``: use the synthetic demo county instead of files."""

    seed: int = 2026
