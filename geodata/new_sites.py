"""Sites that are not in the study yet: candidates of a search, with their seats, sides and the ways to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from geodata.new_schools import Floats, NewPoint, add_sides, measure_points
from geodata.schema import build_empty_table
from geodata.seats import find_seats
from geodata.study import Mode, StudyArea, TravelMatrix, compute_digest


def add_sites(study: StudyArea, sites: pd.DataFrame) -> StudyArea:
    """Return a copy of ``study`` with more candidate sites: rows, seats, sides, and travel in every mode.

    Parameters
    ----------
    study
        The ways to the new sites are found as those to new schools (``geodata.new_schools``).
    sites
        ``site_id``, ``x_m``, ``y_m``; columns of the table ``sites`` that are not there are unknown.

    Returns
    -------
    StudyArea
        Sites of the same ``site_id`` are replaced. The fingerprint is a new one.

    Raises
    ------
    ValueError
        A site stands twice in ``sites``, or has the id of a school.
    """
    ids = sites["site_id"].astype(str)
    if ids.duplicated().any() or ids.isin(set(study.schools["school_id"].astype(str))).any():
        raise ValueError("sites: every site needs an id of its own, other than those of the schools")
    if not len(sites):
        return study
    study = _drop_sites(study, set(ids))
    x_m, y_m = (sites[name].to_numpy(dtype=np.float64) for name in ("x_m", "y_m"))
    seats = find_seats(study.units, x_m, y_m, scattered=study.adjacency.scattered)
    points = [
        NewPoint(school_id=key, name=key, kind="", x_m=x, y_m=y)
        for key, x, y in zip(ids, x_m.tolist(), y_m.tolist(), strict=True)
    ]
    content = sites.astype(str).to_csv(index=False)
    return replace(
        study,
        sites=_join(study, sites.assign(site_id=ids, unit_id=pd.Series(seats, index=sites.index, dtype="str"))),
        travel={mode: _measure(study, mode, tuple(ids), x_m, y_m) for mode in study.travel},
        sides=add_sides(study, points, seats, place="site"),
        fingerprint=compute_digest(study.fingerprint, "sites", content),
    )


def _drop_sites(study: StudyArea, ids: set[str]) -> StudyArea:
    """Return the study without some sites."""
    known = study.sites["site_id"].astype(str)
    gone = set(known[known.isin(ids)])
    if not gone:
        return study
    travel = {}
    for mode, matrix in study.travel.items():
        kept = np.array([key not in gone for key in matrix.destination_ids], dtype=bool)
        travel[mode] = replace(
            matrix,
            destination_ids=tuple(key for key in matrix.destination_ids if key not in gone),
            time_min=matrix.time_min[:, kept],
            length_m=matrix.length_m[:, kept],
            destination_snap_m=matrix.destination_snap_m[kept],
        )
    sides = study.sides
    if len(sides):
        sides = sides[~((sides["place"] == "site") & sides["id"].isin(gone))].reset_index(drop=True)
    return replace(study, sites=study.sites[~known.isin(gone)].reset_index(drop=True), travel=travel, sides=sides)


def _join(study: StudyArea, sites: pd.DataFrame) -> pd.DataFrame:
    """Return the table of sites with the new ones below."""
    import geopandas as gpd

    empty = build_empty_table("sites", study.crs)
    names = [name for name in empty.columns if name != "geometry"]
    parts = []
    for table in (study.sites, sites):
        part = pd.DataFrame({name: table[name] if name in table.columns else np.nan for name in names})
        for name in names:
            is_text = empty[name].dtype == "str"
            values = part[name].astype(object).where(part[name].notna(), "") if is_text else part[name]
            part[name] = values.astype(empty[name].dtype)
        parts.append(part)
    parts[1]["name"] = parts[1]["name"].where(parts[1]["name"] != "", parts[1]["site_id"])
    both = pd.concat([part for part in parts if len(part)], ignore_index=True)
    joined: pd.DataFrame = gpd.GeoDataFrame(
        both, geometry=gpd.points_from_xy(both["x_m"], both["y_m"]), crs=study.schools.crs
    )
    return joined


def _measure(study: StudyArea, mode: Mode, ids: tuple[str, ...], x_m: Floats, y_m: Floats) -> TravelMatrix:
    """Return the travel of a mode with columns of the new sites."""
    travel = study.travel[mode]
    time, length, snap_m = measure_points(study, mode, x_m, y_m)
    return replace(
        travel,
        destination_ids=(*travel.destination_ids, *ids),
        time_min=np.concatenate([travel.time_min, time], axis=1),
        length_m=np.concatenate([travel.length_m, length], axis=1),
        destination_snap_m=np.concatenate([travel.destination_snap_m, snap_m]),
    )
