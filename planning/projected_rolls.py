"""Rolls after actions: the pupils on today's rolls go where the model sends the pupils of their school.

Between two answers of the model, ``F[x, y]`` counts the pupils of all units who are at school ``x`` without the actions
and at ``y`` with them. Within a unit those who can stay do: of each school's share the smaller of the two; the others
are spread in proportion to what grows. Then

    roll after of y = sum over x of roll of x × F[x, y] / F[x, all]

so that the pupils on the rolls are neither lost nor doubled (those who reach no school stand under ``""``). The rolls
keep what the model does not explain: a school with half the modelled pupils on its roll hands on half.

Where teaching points are concerned, grades 1 to 3 and grades 4 to 6 are followed apart. A unit's low grades are at its
teaching points first, and what is left of them at its complete schools, in proportion. Rolls by grade say how many of a
school's pupils are in the low grades; where there are none, the model's share does.

A school without modelled pupils keeps its roll while it is open; else its roll goes to the nearest open school, in a
straight line. Where a roll is not known, neither is what becomes of it: every school that takes its pupils is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from geodata.study import StudyArea
from planning.scenario import Scenario
from planning.tables import (
    JOINT_KINDS,
    StageTables,
    build_stage_schools,
    choose_year,
    complete_school_table,
)

LOW_GRADES = (1, 2, 3)
UPPER_GRADES = (4, 5, 6)
FLOW_COLUMNS = ("school_from", "school_to", "grades", "pupils")
NEGLIGIBLE_SHARE = 1e-9

Floats = npt.NDArray[np.float64]


def split_bands(pairs: pd.DataFrame, low_only: Mapping[str, bool], low_grade_share: float) -> pd.DataFrame:
    """Return ``unit_id``, ``school_id``, ``low_share`` and ``upper_share``: shares of a unit's pupils by grade band.

    Parameters
    ----------
    pairs
        ``unit_id``, ``school_id``, ``share`` of one stage (``StageTables.pairs``).
    low_only
        Whether a school is a teaching point, by id.

    Notes
    -----
    Exact where all of a unit's low grades go to teaching points, or none do; else low grades beside teaching points are
    spread over its complete schools in proportion to their shares.
    """
    table = pd.DataFrame(pairs[["unit_id", "school_id", "share"]])
    point = table["school_id"].isin([key for key, low in low_only.items() if low]).to_numpy()
    share = table["share"].to_numpy(dtype=np.float64)
    at_points = pd.Series(np.where(point, share, 0.0)).groupby(table["unit_id"].to_numpy()).sum()
    taken = at_points.reindex(table["unit_id"]).to_numpy()
    rest = 1.0 - taken
    low_rest = np.maximum(low_grade_share - taken, 0.0)
    part = np.divide(low_rest, rest, out=np.zeros(len(rest)), where=rest > NEGLIGIBLE_SHARE)
    low = np.where(point, share, share * np.minimum(part, 1.0))
    low_share: Floats = np.asarray(low, dtype=np.float64)
    return table.assign(low_share=low_share, upper_share=share - low_share).drop(columns="share")


def compute_flows(before: StageTables, after: StageTables, low_grade_share: float) -> pd.DataFrame:
    """Return who goes from which school to which: ``FLOW_COLUMNS``, ordered; ``""`` = reaches no school.

    ``grades``: ``"low"`` and ``"upper"`` where teaching points are concerned before or after, else ``""``. Pupils who
    stay are rows from a school to itself. Units whose number of pupils is not known count as none.
    """
    points = [_list_points(tables) for tables in (before, after)]
    bands = ("low", "upper") if any(any(found.values()) for found in points) else ("",)
    parts = []
    for band in bands:
        sides = [
            _list_shares(tables, found, band, low_grade_share)
            for tables, found in zip((before, after), points, strict=True)
        ]
        part = _cross(sides[0], sides[1])
        part.insert(2, "grades", band)
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(list(FLOW_COLUMNS[:3]), kind="stable", ignore_index=True)


def _list_points(tables: StageTables) -> dict[str, bool]:
    schools = tables.schools
    return {str(key): bool(low) for key, low in zip(schools["school_id"], schools["low_only"], strict=True)}


def _list_shares(tables: StageTables, points: dict[str, bool], band: str, low_grade_share: float) -> pd.DataFrame:
    """Return unit_id, school_id and pupils of one band; the unit's pupils are those of the pairs."""
    pairs = tables.pairs
    whole = np.divide(
        pairs["pupils"].to_numpy(dtype=np.float64),
        pairs["share"].to_numpy(dtype=np.float64),
        out=np.zeros(len(pairs)),
        where=pairs["share"].to_numpy(dtype=np.float64) > 0,
    )
    share = pairs["share"].to_numpy(dtype=np.float64)
    if band:
        share = split_bands(pairs, points, low_grade_share)[f"{band}_share"].to_numpy(dtype=np.float64)
    pupils = np.nan_to_num(whole) * share
    table = pd.DataFrame({"unit_id": pairs["unit_id"], "school_id": pairs["school_id"], "pupils": pupils})
    return table[table["pupils"] > 0]


def _cross(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return school_from, school_to, pupils: those who can stay stay, unit by unit, the others in proportion."""
    both = before.merge(after, on=["unit_id", "school_id"], how="outer", suffixes=("_before", "_after"))
    was, will = (both[f"pupils_{name}"].fillna(0.0).to_numpy(dtype=np.float64) for name in ("before", "after"))
    stay = np.minimum(was, will)
    stayed = pd.DataFrame({"school_from": both["school_id"], "school_to": both["school_id"], "pupils": stay})
    units, unit_at = np.unique(both["unit_id"].to_numpy(dtype=object).astype(str), return_inverse=True)
    schools, school_at = np.unique(both["school_id"].to_numpy(dtype=object).astype(str), return_inverse=True)
    gone, come = was - stay, will - stay
    total = np.bincount(unit_at, come, minlength=len(units))
    weight = np.divide(come, total[unit_at], out=np.zeros(len(come)), where=total[unit_at] > 0)
    shape = (len(units), len(schools))
    leaving = sparse.csr_array((gone, (unit_at, school_at)), shape=shape)
    arriving = sparse.csr_array((weight, (unit_at, school_at)), shape=shape)
    moved = (leaving.T @ arriving).tocoo()
    table = pd.DataFrame(
        {"school_from": schools[moved.coords[0]], "school_to": schools[moved.coords[1]], "pupils": moved.data}
    )
    every = pd.concat([stayed, table])
    every = every[every["pupils"] > 0]
    return every.groupby(["school_from", "school_to"], sort=True)["pupils"].sum().reset_index()


def project_rolls(study: StudyArea, scenario: Scenario, before: StageTables, after: StageTables) -> pd.Series[float]:
    """Return pupils on the rolls of one stage with the actions, by school id; ``""``: pupils who reach no school.

    Parameters
    ----------
    study
        Without the actions: its rolls by grade and its schools' places on the map are used.
    before, after
        The stage without and with the actions.
    """
    flows = compute_flows(before, after, scenario.low_grade_share) if before.modelled and after.modelled else None
    rolls = before.schools.set_index("school_id")["actual_pupils"].astype(float)
    open_ids = [str(key) for key in after.schools["school_id"]]
    found = pd.Series(0.0, index=pd.Index([*open_ids, ""], dtype=object))
    known = rolls.notna()
    bands = sorted(flows["grades"].unique()) if flows is not None and len(flows) else [""]
    parts = _split_rolls(study, scenario, before, rolls, flows) if bands != [""] else {"": rolls}
    unknown: set[str] = {str(key) for key in rolls.index[~known] if key in found.index}
    if flows is None or flows.empty:  # nothing says who comes to a new school
        unknown |= {key for key in open_ids if key not in rolls.index}
    for band, roll in parts.items():
        rows = None if flows is None else flows[flows["grades"] == band]
        for key, pupils in roll.items():
            own = None if rows is None else rows[rows["school_from"] == key]
            _hand_on(str(key), float(pupils), own, found, unknown, after, study)
    found[list(unknown)] = np.nan
    return found


def _hand_on(
    key: str,
    pupils: float,
    rows: pd.DataFrame | None,
    found: pd.Series[float],
    unknown: set[str],
    after: StageTables,
    study: StudyArea,
) -> None:
    """Add the roll of one school (of one band) to the schools to which its pupils go."""
    if rows is None or rows.empty:
        goal = key if key in found.index else _find_nearest_open(study, key, after)
        goals, shares = [goal], np.ones(1)
    else:
        goals = [str(goal) for goal in rows["school_to"]]
        flow = rows["pupils"].to_numpy(dtype=np.float64)
        shares = flow / flow.sum() if len(flow) > 1 else np.ones(1)
    if np.isnan(pupils):
        unknown.update(goal for goal, share in zip(goals, shares, strict=True) if share > NEGLIGIBLE_SHARE and goal)
        return
    for goal, share in zip(goals, shares, strict=True):
        found[goal] += pupils * share


def _find_nearest_open(study: StudyArea, key: str, after: StageTables) -> str:
    """Return the open school nearest to a closed one in a straight line (of equals the first id), ``""`` if none is."""
    spots = study.schools.drop_duplicates("school_id").set_index("school_id")[["x_m", "y_m"]]
    goals = spots.reindex([str(goal) for goal in after.schools["school_id"]]).dropna()
    if key not in spots.index or goals.empty:
        return ""
    away = np.hypot(goals["x_m"] - spots.at[key, "x_m"], goals["y_m"] - spots.at[key, "y_m"])
    return str(sorted(zip(away.round(3), goals.index, strict=True))[0][1])


def _split_rolls(
    study: StudyArea, scenario: Scenario, before: StageTables, rolls: pd.Series[float], flows: pd.DataFrame | None
) -> dict[str, pd.Series[float]]:
    """Return the rolls of the low and of the upper grades: by the rolls' grades, else by the model's share."""
    year = choose_year(study.rolls, before.stage, scenario.year)
    rows = study.rolls
    rows = rows[(rows["stage"] == before.stage) & (rows["year"] == (-1 if year is None else year))]
    sums = [
        rows[rows["grade"].isin(grades)].groupby("school_id")["pupils"].sum(min_count=1).reindex(rolls.index)
        for grades in (LOW_GRADES, UPPER_GRADES)
    ]
    counted = sums[0].fillna(0.0) + sums[1].fillna(0.0)
    share = (sums[0].fillna(0.0) / counted.where(counted > 0)).astype(float)
    low_only = before.schools.set_index("school_id")["low_only"].astype(bool)
    if flows is not None:
        modelled = flows.pivot_table(index="school_from", columns="grades", values="pupils", aggfunc="sum")
        modelled = modelled.reindex(index=rolls.index, columns=["low", "upper"]).fillna(0.0)
        total = modelled["low"] + modelled["upper"]
        share = share.fillna(modelled["low"] / total.where(total > 0))
    share = share.fillna(scenario.low_grade_share).where(~low_only, 1.0)
    return {"low": rolls * share, "upper": rolls - rolls * share}


def apply_projected_rolls(
    study: StudyArea,
    changed: StudyArea,
    scenario: Scenario,
    before: Sequence[StageTables],
    after: Sequence[StageTables],
) -> list[StageTables]:
    """Return the stages with the actions, their ``actual_pupils`` projected, and all that follows from them.

    Parameters
    ----------
    study, changed
        Without and with the actions.
    """
    earlier = {tables.stage: tables for tables in before}
    rolls = {tables.stage: project_rolls(study, scenario, earlier[tables.stage], tables) for tables in after}
    return [_put_rolls(changed, scenario, tables, rolls) for tables in after]


def _put_rolls(
    changed: StudyArea, scenario: Scenario, tables: StageTables, rolls: Mapping[str, pd.Series[float]]
) -> StageTables:
    schools = tables.schools.copy()
    ids = schools["school_id"]
    roll = rolls[tables.stage].reindex(ids).to_numpy(dtype=np.float64)
    schools["actual_pupils"] = roll
    capacity = schools["capacity_places"]
    schools["fill_share"] = schools["actual_pupils"] / capacity.where(capacity > 0)
    schools["mean_class_pupils"] = schools["actual_pupils"] / schools["classes"].where(schools["classes"] > 0)
    schools["size_pupils"], schools["size_classes"] = schools["actual_pupils"], schools["classes"]
    if tables.stage in ("primary", "junior"):
        _add_joint_sizes(changed, scenario, schools, tables.stage, rolls)
    pairs = tables.pairs if tables.modelled else None
    return replace(tables, schools=complete_school_table(schools, pairs))


def _add_joint_sizes(
    changed: StudyArea, scenario: Scenario, schools: pd.DataFrame, stage: str, rolls: Mapping[str, pd.Series[float]]
) -> None:
    """Count both stages of nine- and twelve-year schools, with the projected roll of the other one where asked for."""
    joint = schools["kind"].isin(JOINT_KINDS).to_numpy()
    if not joint.any():
        return
    name = "junior" if stage == "primary" else "primary"
    other = build_stage_schools(changed, name, scenario.year).set_index("school_id")
    ids = schools["school_id"]
    pupils = rolls[name] if name in rolls else other["actual_pupils"]
    has_other = ids.isin(other.index).to_numpy() & joint
    for size, added in (("size_pupils", pupils), ("size_classes", other["classes"])):
        both = schools[size].to_numpy(dtype=np.float64) + added.reindex(ids).to_numpy(dtype=np.float64)
        schools[size] = np.where(has_other, both, schools[size].to_numpy(dtype=np.float64))
