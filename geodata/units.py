"""Planning units: the smallest areas that are given to a school as a whole, with the children who live in them.

The population's own polygons, polygons of another layer, squares of a grid, or street blocks. Children set out from a
demand point: the middle of the people where it is known and lies inside, else the point that the file gives, else a
point inside.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.age_totals import read_age_totals
from geodata.age_totals_fit import fit_ages
from geodata.aggregate import (
    NEAREST_M,
    Shares,
    choose_majority,
    compute_area_shares,
    compute_centres,
    compute_point_shares,
    compute_weights,
    join_shares,
    sum_counts,
)
from geodata.blocks import build_street_blocks, find_needed_water
from geodata.cache import DiskCache
from geodata.calibrate import calibrate_pupils, calibrate_towns
from geodata.cut_lines import choose_cut_lines, find_outline, tell_no_roads
from geodata.dictionary import Origin
from geodata.errors import DataError, DataIssue
from geodata.features import read_features
from geodata.messages import msg
from geodata.population_buildings import read_town_totals
from geodata.population_table import COUNT_COLUMNS, PUPIL_COLUMNS, Parts, Population, Values, limit_issues
from geodata.raster_shares import share_raster
from geodata.shapes import Shapes, check_overlaps, is_point_layer
from geodata.study_file import PopulationSource, StudySpec
from geodata.tessellate import build_voronoi_cells, separate_points

if TYPE_CHECKING:
    import geopandas as gpd

    from geodata.measure import RoadFacts

UNIT_COLUMNS = ("unit_id", "name", "kind", "setting", "town", "area_m2", "perimeter_m", "x_m", "y_m", *COUNT_COLUMNS)
MAX_CELLS = 2_000_000


def build_units(
    population: Population,
    spec: StudySpec,
    crs: str,
    roads: RoadFacts | None = None,
    cache: DiskCache | None = None,
) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    """Return the planning units of a study and what was found on the way.

    Parameters
    ----------
    population : where people live (:func:`geodata.read_population.read_population`), in CRS ``crs``
    spec : ``spec.units`` says which units; ``spec.population`` which totals they are scaled to
    crs : the study's metric CRS, or ``"local"``
    roads : the roads of the study; only street blocks need them
    cache : keeps which cells of a raster lie in which units, for the next raster of the same grid

    Returns
    -------
    units : GeoDataFrame
        Columns :data:`UNIT_COLUMNS` and polygons. Sums of people and children are those of the population (grids and
        own polygons always; given polygons but for people who live far outside all of them, which is reported).
    issues : list of DataIssue

    Raises
    ------
    DataError
        Given polygons that cannot be used, a grid of more than :data:`MAX_CELLS` cells, or blocks without roads.
    """
    if spec.units.kind == "grid":
        units, issues = _build_grid(population, spec.units.cell_m, crs, cache)
    elif spec.units.kind == "polygons":
        units, issues = _fill_polygons(population, spec, crs, cache)
    elif spec.units.kind == "blocks":
        units, issues = _fill_blocks(population, spec, crs, roads, cache)
    else:
        units, issues = _take_own(population)
    units, demand_issues = _complete(units, crs)
    issues += demand_issues
    source = spec.population
    if source is not None:
        units, found = _calibrate(units, population, spec, source)
        issues += found
    return units, limit_issues(issues)


def _calibrate(
    units: gpd.GeoDataFrame, population: Population, spec: StudySpec, source: PopulationSource
) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    """Bring the units to the totals that the study knows: of townships, then of ages too, then of stages."""
    issues: list[DataIssue] = []
    towns, modelled = None, population.modelled
    if source.town_totals:
        towns = read_town_totals(spec.resolve(source.town_totals))
        own = towns.drop(columns="population_people", errors="ignore") if population.fits_towns else towns
        units, found = calibrate_towns(units, own, modelled=modelled, file=Path(source.town_totals).name)
        issues += found
        modelled = tuple(stage for stage in modelled if PUPIL_COLUMNS[stage] not in towns)
    if source.age_totals:
        ages = read_age_totals(spec.resolve(source.age_totals))
        units, found = fit_ages(units, ages, town_totals=towns, modelled=modelled)
        issues += found
    if source.totals:
        units, found = calibrate_pupils(units, source.totals)
        issues += found
    return units, issues


def _take_own(population: Population) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Use the population's own shapes; points get the area that is nearer to them than to any other point."""
    table = population.table.copy()
    shapes = table.geometry.to_numpy()
    issues: list[DataIssue] = []
    if is_point_layer(shapes):
        ids = table["unit_id"].to_numpy(dtype=object)
        x_m, y_m, moved = separate_points(shapely.get_x(shapes), shapely.get_y(shapes), ids)
        table["x_m"], table["y_m"] = x_m, y_m
        table = table.set_geometry(list(build_voronoi_cells(x_m, y_m)), crs=population.table.crs)
        if moved:
            text = msg("{count:,} places stand on the spot of another; they were set half a metre apart.", count=moved)
            issues.append(DataIssue("coincident_places", "warning", text))
    elif (shapely.get_type_id(shapes) == shapely.GeometryType.POINT).any():
        text = msg("The population file mixes points and areas.")
        cure = msg("Keep areas only, or points only, or ask for a grid: [units] kind = “grid”.")
        raise DataError(DataIssue("geometry", "error", text, cure=cure))
    elif population.raster is None and not (table["kind"] == "building").all():
        issues += check_overlaps(shapes, table["unit_id"].to_numpy(dtype=object), Origin())
    if population.parts is not None:
        table["x_m"], table["y_m"] = _find_middles(table, population.parts)
    return table, issues


def _find_middles(table: gpd.GeoDataFrame, parts: Parts) -> tuple[Values, Values]:
    """Return the middle of the buildings of each place, where it lies inside the place; else the point it had."""
    middles = np.column_stack(
        [np.bincount(parts.source, parts.share * at, minlength=len(table)) for at in (parts.x_m, parts.y_m)]
    )
    inside = shapely.intersects(table.geometry.to_numpy(), shapely.points(middles))
    inside[parts.bare] = False
    x_m, y_m = table["x_m"].to_numpy(dtype=np.float64), table["y_m"].to_numpy(dtype=np.float64)
    return np.where(inside, middles[:, 0], x_m), np.where(inside, middles[:, 1], y_m)


def _fill_polygons(
    population: Population, spec: StudySpec, crs: str, cache: DiskCache | None
) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Read the given polygons and put the people into them."""
    import geopandas as gpd

    features = read_features(spec, spec.units, crs)
    if shapely.is_empty(features.shapes).any() or not (shapely.area(features.shapes) > 0).all():
        text = msg("The layer of planning units must hold areas only.")
        raise DataError(DataIssue("geometry", "error", text, file=features.origin.file))
    frame = features.frame.drop(columns=[c for c in COUNT_COLUMNS if c in features.frame])
    units = gpd.GeoDataFrame(frame, geometry=list(features.shapes), crs=population.table.crs)
    overlaps = check_overlaps(features.shapes, frame["unit_id"].to_numpy(dtype=object), features.origin)
    shares, sources = _compute_shares(population, units, crs, cache)
    filled = _fill(units, shares, sources)
    return filled, [*features.issues, *overlaps, *_tell_left_out(shares, sources, features.origin.file)]


def _fill_blocks(
    population: Population, spec: StudySpec, crs: str, roads: RoadFacts | None, cache: DiskCache | None
) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Cut street blocks and put the people into those on land.

    Blocks without people stay, with 0 pupils: a zone is land without holes, and what joins two streets of houses is
    often a park or a works. Wide water stays only where blocks with people hang together through nothing else (two
    banks of a river with a bridge): elsewhere it would join zones across a lake.
    """
    if roads is None:
        raise DataError(tell_no_roads())
    cut = choose_cut_lines(roads, spec.units.road_classes)
    blocks = build_street_blocks(
        cut,
        find_outline(population, cut),
        target_m2=spec.units.block_m2,
        compactness=spec.units.compactness,
        crs=population.table.crs,
    )
    wet = blocks["wet"].to_numpy(dtype=bool)
    if wet.all():
        raise DataError(tell_no_roads())
    land = blocks[~wet].drop(columns="wet").reset_index(drop=True)
    shares, sources = _compute_shares(population, land, crs, cache)
    shares = _move_ashore(shares)
    filled = _fill(land, shares, sources)
    counts = filled[list(COUNT_COLUMNS)]
    lived_in = np.zeros(len(blocks), dtype=bool)
    lived_in[~wet] = ((counts > 0).any(axis=1) | counts.isna().all(axis=1)).to_numpy()
    nobody = {name: 0.0 if known else np.nan for name, known in counts.notna().any().items()}
    water = blocks[find_needed_water(blocks, lived_in)].drop(columns="wet").assign(**nobody, town="", setting="")
    units = pd.concat([filled, water]).sort_values("unit_id", ignore_index=True)
    return units, _tell_left_out(shares, sources, "")


def _move_ashore(shares: Shares) -> Shares:
    """Return shares in which each source that meets land at all lives on it wholly: nobody lives on the water."""
    total = np.bincount(shares.source, shares.share)
    return replace(shares, share=shares.share / total[shares.source])


def _build_grid(
    population: Population, cell_m: float, crs: str, cache: DiskCache | None
) -> tuple[pd.DataFrame, list[DataIssue]]:
    """Put the people into squares of ``cell_m`` metres whose corners are whole multiples of ``cell_m``."""
    if not 10 <= cell_m <= 100_000:
        text = msg("The grid's cells must measure between 10 m and 100 km.")
        raise DataError(DataIssue("grid_cell", "error", text, column="[units] cell_m", found=f"{cell_m:g}"))
    squares = _sort_squares(np.concatenate(_find_squares(population, cell_m)))
    units = _draw_squares(squares, cell_m, population.table.crs)
    shares, sources = _compute_shares(population, units, crs, cache)
    filled = _fill(units, shares, sources)
    peopled = filled[list(COUNT_COLUMNS)].fillna(0.0).sum(axis=1) > 0
    unknown = filled[list(COUNT_COLUMNS)].isna().all(axis=1)
    return filled[peopled | unknown].reset_index(drop=True), []


def _find_squares(population: Population, cell_m: float) -> list[npt.NDArray[np.int64]]:
    """Return column and row of the squares in which people may live."""
    found, table = [], population.table
    if population.parts is not None:
        found.append(np.floor(np.column_stack([population.parts.x_m, population.parts.y_m]) / cell_m).astype(np.int64))
        table = table.iloc[population.parts.bare]
    if not len(table):
        return found
    if (population.raster is None or population.parts is not None) and _counts_as_points(table):
        return [*found, np.floor(np.column_stack(_demand_points(table)) / cell_m).astype(np.int64)]
    # One metre more, because an edge that is straight on the raster is not quite straight in metres.
    bounds = shapely.bounds(table.geometry.to_numpy()) + np.array([-1.0, -1.0, 1.0, 1.0])
    return [*found, np.column_stack(_list_squares(np.floor(bounds / cell_m).astype(np.int64)))]


def _list_squares(reach: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return column and row of every square within rows of first column, first row, last column, last row."""
    wide, high = reach[:, 2] - reach[:, 0] + 1, reach[:, 3] - reach[:, 1] + 1
    count = wide * high
    if count.sum() > 20 * MAX_CELLS:
        text = msg("The grid would have more than {limit:,} cells.", limit=MAX_CELLS)
        cure = msg("Choose larger cells: [units] cell_m.")
        raise DataError(DataIssue("grid_size", "error", text, cure=cure))
    owner = np.repeat(np.arange(len(reach)), count)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return reach[owner, 0] + place % wide[owner], reach[owner, 1] + place // wide[owner]


def _sort_squares(squares: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return each square once, by column, then by row: as ``np.unique`` of rows, but sorting plain numbers."""
    if not len(squares):
        return squares
    low = squares.min(axis=0)
    high = int(squares[:, 1].max() - low[1]) + 1
    column, row = np.divmod(np.unique((squares[:, 0] - low[0]) * high + squares[:, 1] - low[1]), high)
    return np.column_stack([column + low[0], row + low[1]])


def _draw_squares(squares: npt.NDArray[np.int64], cell_m: float, crs: object) -> gpd.GeoDataFrame:
    """Return squares with ids like ``c0012_0034``, made of their place in the CRS: they stay when data grow."""
    import geopandas as gpd

    if len(squares) > MAX_CELLS:
        text = msg("The grid would have more than {limit:,} cells.", limit=MAX_CELLS)
        cure = msg("Choose larger cells: [units] cell_m.")
        raise DataError(DataIssue("grid_size", "error", text, cure=cure))
    ids = [f"c{column:04d}_{row:04d}" for column, row in squares.tolist()]
    low = squares * cell_m
    shapes = shapely.box(low[:, 0], low[:, 1], low[:, 0] + cell_m, low[:, 1] + cell_m)
    return gpd.GeoDataFrame({"unit_id": ids, "name": "", "kind": "cell"}, geometry=list(shapes), crs=crs)


def _counts_as_points(table: gpd.GeoDataFrame) -> bool:
    """Whether places are put into units whole: points and buildings are, land is cut."""
    return is_point_layer(table.geometry.to_numpy()) or bool((table["kind"] == "building").all())


def _demand_points(table: gpd.GeoDataFrame) -> tuple[Values, Values]:
    """Return where the people of each place are: the given point, else a point inside the shape."""
    x_m, y_m = table["x_m"].to_numpy(dtype=np.float64).copy(), table["y_m"].to_numpy(dtype=np.float64).copy()
    unknown = np.flatnonzero(~(np.isfinite(x_m) & np.isfinite(y_m)))
    inner = shapely.point_on_surface(table.geometry.to_numpy()[unknown])
    x_m[unknown], y_m[unknown] = shapely.get_x(inner), shapely.get_y(inner)
    return x_m, y_m


def _compute_shares(
    population: Population, units: gpd.GeoDataFrame, crs: str, cache: DiskCache | None
) -> tuple[Shares, pd.DataFrame]:
    """Return who lives in which unit, and the table of sources that the shares point at."""
    shapes = units.geometry.to_numpy()
    if population.parts is not None:
        table = pd.DataFrame(population.table.drop(columns="geometry"))
        return _compute_part_shares(population, population.parts, units), table
    if population.raster is not None:
        return share_raster(population.raster, units, crs, cache)
    table, ids = pd.DataFrame(population.table.drop(columns="geometry")), units["unit_id"].to_numpy(dtype=object)
    if _counts_as_points(population.table):
        x_m, y_m = _demand_points(population.table)
        return compute_point_shares(x_m, y_m, shapes, ids), table
    return compute_area_shares(population.table.geometry.to_numpy(), shapes, ids), table


def _compute_part_shares(population: Population, parts: Parts, units: gpd.GeoDataFrame) -> Shares:
    """Return who lives in which unit where people are known by building; places without buildings as ever."""
    shapes, ids = units.geometry.to_numpy(), units["unit_id"].to_numpy(dtype=object)
    housed = compute_point_shares(parts.x_m, parts.y_m, shapes, ids)
    found = replace(housed, source=parts.source[housed.source], share=housed.share * parts.share[housed.source])
    if not len(parts.bare):
        return found
    bare = population.table.iloc[parts.bare]
    if _counts_as_points(bare):
        rest = compute_point_shares(*_demand_points(bare), shapes, ids)
    else:
        rest = compute_area_shares(bare.geometry.to_numpy(), shapes, ids)
    return join_shares(found, replace(rest, source=parts.bare[rest.source]))


def _fill(units: gpd.GeoDataFrame, shares: Shares, sources: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return units with counts, the middle of their people, and town and setting where they have none."""
    weight = compute_weights(sources)
    units = units.reset_index(drop=True)
    counts = sum_counts(shares, sources, len(units))
    for name in COUNT_COLUMNS:
        units[name] = counts[name]
    x_m, y_m = compute_centres(shares, weight, len(units))
    inside = shapely.intersects(units.geometry.to_numpy(), shapely.points(x_m, y_m))
    given = {"x_m", "y_m"} <= set(units.columns)
    for name, middle in (("x_m", x_m), ("y_m", y_m)):
        units[name] = np.where(inside, middle, units[name] if given else np.nan)
    for name in ("town", "setting"):
        majority = choose_majority(shares, sources[name], weight, len(units))
        own = units[name].tolist() if name in units else [""] * len(units)
        units[name] = [mine or theirs for mine, theirs in zip(own, majority, strict=True)]
    return units


def _tell_left_out(shares: Shares, sources: pd.DataFrame, file: str) -> list[DataIssue]:
    """Say how many places were moved into the nearest unit, and how many people live outside all units."""
    issues = []
    if shares.moved:
        text = msg(
            "{count:,} places lie outside every unit; they were given to the nearest one within {limit:g} m.",
            count=shares.moved,
            limit=NEAREST_M,
        )
        issues.append(DataIssue("outside_units", "warning", text, file=file))
    weight = compute_weights(sources)
    lost = weight.sum() - (shares.share * weight[shares.source]).sum()
    if weight.sum() > 0 and lost > 1e-6 * weight.sum():
        share = lost / weight.sum()
        text = msg(
            "{people:,.0f} people ({share:.1%}) live outside all units and are left out.", people=lost, share=share
        )
        issues.append(DataIssue("people_left_out", "warning" if share > 0.01 else "note", text, file=file))
    return issues


def _complete(units: gpd.GeoDataFrame, crs: str) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    """Return units with every column in order, measured, each with its demand point."""
    import geopandas as gpd

    shapes: Shapes = units.geometry.to_numpy()
    frame = pd.DataFrame(units.drop(columns="geometry"))
    x_m, y_m = _demand_points(units if {"x_m", "y_m"} <= set(units.columns) else units.assign(x_m=np.nan, y_m=np.nan))
    far = int((shapely.distance(shapes, shapely.points(x_m, y_m)) > 1.0).sum())
    frame = frame.assign(x_m=x_m, y_m=y_m, area_m2=shapely.area(shapes), perimeter_m=shapely.length(shapes))
    for name in ("name", "kind", "setting", "town"):
        frame[name] = _as_words(frame[name]) if name in frame else ""
    frame["kind"] = frame["kind"].where(frame["kind"] != "", "other")
    frame["unit_id"] = _as_words(frame["unit_id"])
    issues = []
    if far:
        text = msg("{count:,} units have their given demand point outside their outline.", count=far)
        issues.append(DataIssue("demand_outside", "note", text))
    table = gpd.GeoDataFrame(frame[list(UNIT_COLUMNS)], geometry=list(shapes), crs=None if crs == "local" else crs)
    return table, issues


def _as_words(column: pd.Series) -> pd.Series | list[str]:
    """Return a column as text; one that is text already is not asked cell by cell."""
    if column.dtype == "str" and not column.isna().any():
        return column
    return [str(value) for value in column]
