"""Where the rows lie that issues speak of: looked up in the files, because a row in error never reaches a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from geodata.crs import SHIFTED, WGS84, convert_points, normalise_crs
from geodata.errors import DataError, DataIssue
from geodata.files import LAYER_ENDINGS
from geodata.study_file import StudySpec, list_sources
from geodata.values import parse_number
from ui.columns import match_fields

ROLES = ("schools", "sites", "population", "gazetteer", "units", "housing", "exclusions", "open_land")
LAYER_ROLES = ("zones", "barriers", "buildings", "roads")
"""Roles whose rows have places only in a layer."""
FARTHEST_DEG = 5.0
"""A row farther than this from the middle of its file has a wrong position: to show it would shrink the map."""

Places = dict[tuple[str, int], tuple[float, float]]


def place_issues(issues: Sequence[DataIssue], spec: StudySpec) -> list[DataIssue]:
    """Return the issues, those that name a row of a file with the longitude and latitude of that row added."""
    places: dict[str, Places] = {}
    sources = [(role, source) for role in ROLES for source in list_sources(spec, role)]
    layers = [(role, source) for role in LAYER_ROLES for source in list_sources(spec, role)]
    sources += [(role, source) for role, source in layers if source.path.lower().endswith(LAYER_ENDINGS)]
    for role, source in sources:
        path = None if not source.path else spec.resolve(source.path)
        if path is not None and path.is_file() and any(_lacks_place(issue, path.name) for issue in issues):
            found = _read_places(
                str(path),
                path.stat().st_mtime_ns,
                role,
                (getattr(source, "sheet", ""), getattr(source, "layer", ""), source.crs),
                tuple(sorted(source.columns.items())),
            )
            places[path.name] = found | places.get(path.name, {})
    return [_add_place(issue, places) for issue in issues]


def _lacks_place(issue: DataIssue, file: str) -> bool:
    return issue.file == file and issue.row is not None and issue.lon_deg is None


def _add_place(issue: DataIssue, places: Mapping[str, Places]) -> DataIssue:
    known = places.get(issue.file, {})
    if issue.row is None or issue.lon_deg is not None:
        return issue
    place = known.get((issue.sheet, issue.row)) or known.get(("", issue.row))
    return issue if place is None else replace(issue, lon_deg=place[0], lat_deg=place[1])


@st.cache_data(max_entries=20, show_spinner=False)
def _read_places(
    name: str, _stamp: int, role: str, part: tuple[str, str, str], columns: tuple[tuple[str, str], ...]
) -> Places:
    """Return longitude and latitude by sheet and row; nothing for a file that cannot be opened."""
    from geodata.school_sheets import open_sheets

    sheet, layer, system = part
    try:
        sheets = open_sheets(Path(name), sheet=sheet, layer=layer, crs=system, match_school_sheets=role == "schools")
    except DataError:
        return {}
    places: Places = {}
    for opened in sheets:
        lon, lat = _locate(opened, role, dict(columns), system)
        near = np.isfinite(lon) & np.isfinite(lat) & ((lon != 0) | (lat != 0))
        if not near.any():
            continue
        near &= np.abs(lon - np.median(lon[near])) < FARTHEST_DEG
        near &= np.abs(lat - np.nanmedian(lat[near])) < FARTHEST_DEG
        for at in np.flatnonzero(near):
            places[opened.name, int(opened.rows[at])] = float(lon[at]), float(lat[at])
    return places


def _locate(sheet: Any, role: str, columns: Mapping[str, str], system: str) -> tuple[Any, Any]:
    """Return the longitude and latitude of each row of a sheet; NaN where it cannot be told."""
    if sheet.x is not None:
        return convert_points(sheet.x, sheet.y, system or sheet.crs, WGS84)
    found = match_fields(role, list(sheet.frame.columns), columns)
    for pair, source in ((("lon_deg", "lat_deg"), WGS84), (("x_m", "y_m"), system)):
        if set(pair) <= set(found) and source:
            first, second = (_read_numbers(sheet.frame[found[name]].tolist()) for name in pair)
            shifted = normalise_crs(system) if normalise_crs(system) in SHIFTED else source
            return convert_points(first, second, shifted if source == WGS84 else source, WGS84)
    nowhere = np.full(len(sheet.frame), np.nan)
    return nowhere, nowhere


def _read_numbers(cells: Sequence[str]) -> Any:
    def read(cell: str) -> float:
        try:
            number = parse_number(cell)
        except ValueError:
            return np.nan
        return np.nan if number is None else float(number)

    return np.array([read(cell) for cell in cells], dtype=np.float64)
