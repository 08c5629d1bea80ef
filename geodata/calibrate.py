"""Children brought to totals that are known: pupils of the county on the rolls, people of each township."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geodata.errors import DataIssue
from geodata.messages import Message, msg
from geodata.names import normalise_town
from geodata.population_table import PUPIL_COLUMNS, Values
from geodata.study import STAGES, Stage

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

FAR_FACTOR = 1.5
"""A total that differs from what was there by more than this factor, either way, is a warning and not a note."""

STAGE_LABEL: dict[Stage, Message] = {
    "kindergarten": msg("kindergarten"),
    "primary": msg("primary"),
    "junior": msg("junior"),
    "senior": msg("senior"),
}


def calibrate_pupils(units: gpd.GeoDataFrame, totals: Mapping[str, float]) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    """Scale the children of each stage so that all units together have the given total.

    Parameters
    ----------
    units : the units table
    totals : stage → pupils in the whole county. Stages that are absent are left as they are.

    Returns
    -------
    units : a changed copy. Where children of a stage are unknown everywhere, or nowhere are any, they are spread like
        the people; where those are unknown too, nothing changes and a warning says so.
    issues : what was scaled by how much
    """
    units = units.copy()
    issues: list[DataIssue] = []
    for key, total in totals.items():
        stage = next((stage for stage in STAGES if stage == key), None)
        if stage is None or not np.isfinite(total) or total < 0:
            text = msg("This total cannot be used: not a stage, or not a number of pupils.")
            issues.append(DataIssue("calibration", "warning", text, column=str(key), found=str(total)))
            continue
        everyone = np.ones(len(units), dtype=bool)
        issues += _scale(units, everyone, PUPIL_COLUMNS[stage], float(total), STAGE_LABEL[stage])
    return units, issues


def calibrate_towns(
    units: gpd.GeoDataFrame, totals: pd.DataFrame, *, modelled: Sequence[Stage] = (), file: str = ""
) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    """Scale people and children of each township to its known totals.

    Parameters
    ----------
    units : the units table; ``town`` names the township of each
    totals : ``town`` and any of ``population_people``, ``primary_pupils`` …; NaN = not known, left as it is
    modelled : stages whose children were derived from the people. Where such a stage has no total of its own, its
        children are scaled with the people.
    file : name of the file of totals, for the findings
    """
    units = units.copy()
    meant = align_towns(list(totals["town"]), sorted(set(units["town"])))
    totals = totals.assign(town=[meant.get(town, town) for town in totals["town"]])
    issues = _check_towns(units, totals, file)
    counts = [name for name in totals.columns if name in ("population_people", *PUPIL_COLUMNS.values())]
    followers = [PUPIL_COLUMNS[stage] for stage in modelled]
    for record in totals.to_dict("records"):
        chosen = (units["town"] == record["town"]).to_numpy()
        if not chosen.any():
            continue
        label = str(record["town"])
        known = [name for name in counts if not np.isnan(record[name])]
        if "population_people" in known:
            _follow(
                units, chosen, [name for name in followers if name not in known], float(record["population_people"])
            )
        for name in known:
            issues += _scale(units, chosen, name, float(record[name]), label, file=file)
    return units, issues


def align_towns(named: Sequence[str], there: Sequence[str]) -> dict[str, str]:
    """Return the name that the units have for each township of a table of totals; those that none has are absent.

    The same name, else the one that is the same without 镇, 乡, 街道 and the like, where only one is.
    """
    exact, plain = set(there), dict[str, list[str]]()
    for town in there:
        plain.setdefault(normalise_town(town), []).append(town)
    free = {key: towns for key, towns in plain.items() if key and len(towns) == 1}
    found = {town: town if town in exact else free.get(normalise_town(town), [""])[0] for town in named}
    taken = [town for town in found.values() if town]
    return {town: own for town, own in found.items() if own and (own == town or taken.count(own) == 1)}


def _follow(units: gpd.GeoDataFrame, chosen: Values, names: Sequence[str], people: float) -> None:
    """Scale children with the people they were derived from; in place."""
    before = float(np.nansum(units["population_people"].to_numpy(dtype=np.float64)[chosen]))
    for name in names:
        if before > 0:
            values = units[name].to_numpy(dtype=np.float64).copy()
            values[chosen] *= people / before
            units[name] = values


def _scale(
    units: gpd.GeoDataFrame, chosen: Values, name: str, total: float, label: Message | str, *, file: str = ""
) -> list[DataIssue]:
    """Bring the sum of one column over the chosen units to ``total``; in place."""
    values = units[name].to_numpy(dtype=np.float64).copy()
    before = float(np.nansum(values[chosen]))
    if before > 0:
        values[chosen] *= total / before
        units[name] = values
        factor = total / before
        if abs(factor - 1) < 1e-9:
            return []
        text = msg(
            "{name}: {before:,.0f} scaled to the known total of {total:,.0f} (× {factor:.3f}).",
            name=label,
            before=before,
            total=total,
            factor=factor,
        )
        severity = "note" if 1 / FAR_FACTOR <= factor <= FAR_FACTOR else "warning"
        return [DataIssue("calibration", "note" if severity == "note" else "warning", text, file=file, column=name)]
    if total == 0:
        return []
    basis = np.nan_to_num(units["population_people"].to_numpy(dtype=np.float64)[chosen])
    if name == "population_people":
        basis = units["area_m2"].to_numpy(dtype=np.float64)[chosen]
    if basis.sum() <= 0:
        text = msg("{name}: {total:,.0f} are known, but nothing says where they live.", name=label, total=total)
        cure = msg("Give a population file with people or children.")
        return [DataIssue("calibration", "warning", text, file=file, column=name, cure=cure)]
    values[chosen] = total * basis / basis.sum()
    units[name] = values
    if name == "population_people":
        text = msg("{name}: {total:,.0f} people had no known place; they were spread by area.", name=label, total=total)
    else:
        text = msg("{name}: {total:,.0f} pupils were spread like the people.", name=label, total=total)
    return [DataIssue("calibration", "warning", text, file=file, column=name)]


def _check_towns(units: gpd.GeoDataFrame, totals: pd.DataFrame, file: str) -> list[DataIssue]:
    """Return a warning for every township that only one of both tables has."""
    known, there = set(totals["town"]), set(units["town"]) - {""}
    issues = []
    for town in sorted(known - there):
        near = difflib.get_close_matches(town, sorted(there), n=1)
        cure = msg("Did you mean {town}?", town=near[0]) if near else None
        text = msg("The totals name a township in which there is no unit: {town}.", town=town)
        issues.append(DataIssue("town_unknown", "warning", text, file=file, found=town, cure=cure))
    for town in sorted(there - known):
        text = msg("There is no total for the township {town}; it stays as it is.", town=town)
        issues.append(DataIssue("town_without_total", "warning", text, file=file, found=town))
    return issues
