"""Who leaves a school, from where, to which school, by grade band: the plan without the actions against that with them.

Grades 1 to 3 (``low``) and the grades above are followed apart, because a teaching point takes the low grades only.
Within a unit and band those who can stay stay; the others leave for the schools that gain, in proportion to the gain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.school_columns import GRADES
from geodata.study import StudyArea
from planning.projected_rolls import split_bands
from planning.tables import StageTables, choose_year

LAST_LOW_GRADE = 3
"""The highest grade of a teaching point."""
LEAST_SHARE = 1e-9

Floats = npt.NDArray[np.float64]

FLOW_COLUMNS = (
    *("unit_id", "name", "setting", "town", "low", "school_id", "share", "pupils"),
    *("min_before", "min_after", "m_before", "m_after", "limit_min"),
)
"""One row per unit, band and receiving school (``""`` = reaches none). ``share`` of the unit's pupils; ``limit_min``:
the longest way that the rules allow (NaN = no rule)."""


@dataclass(frozen=True, eq=False)
class GradeMix:
    """Grades of a stage and the share of each in the pupils of a school; ``known`` where the roll tells them."""

    grades: tuple[int, ...]
    share: Floats
    known: bool
    low: npt.NDArray[np.bool_]

    def within(self, low: bool) -> Floats:
        """Return the share of every grade in its band; zero in the other."""
        part = np.where(self.low == low, self.share, 0.0)
        total = part.sum()
        if total <= 0:
            part = (self.low == low).astype(float)
            total = part.sum()
        return part / total if total > 0 else part


def build_grade_mix(study: StudyArea, stage: str, school_id: str, year: int | None) -> GradeMix:
    """Return the grades of a school by its roll, else even cohorts. Only primary has low grades.

    Grades that the roll leaves out are empty: a teaching point has no others. They are not known where the roll has a
    total that its grades do not make up.
    """
    grades = GRADES[stage]
    low = np.array([stage == "primary" and grade <= LAST_LOW_GRADE for grade in grades])
    rows = study.rolls[(study.rolls["school_id"] == school_id) & (study.rolls["stage"] == stage)]
    chosen = choose_year(study.rolls, stage, year)
    rows = rows[rows["year"] == (-1 if chosen is None else chosen)]
    by_grade = rows.groupby("grade")["pupils"].sum()
    pupils = by_grade.reindex(list(grades)).fillna(0.0).to_numpy(dtype=np.float64)
    total = float(pupils.sum())
    if total <= 0 or total < float(by_grade.get(0, 0.0)) - 0.5:
        return GradeMix(grades, np.full(len(grades), 1.0 / len(grades)), False, low)
    return GradeMix(grades, pupils / total, True, low)


def build_flows(
    before: StageTables, after: StageTables, school_id: str, *, low_grade_share: float, mix: GradeMix
) -> pd.DataFrame:
    """Return who leaves ``school_id``: ``FLOW_COLUMNS``.

    Where both bands leave and the school's roll tells its grades, the bands weigh as in that roll; the total stays that
    of the model.
    """
    rows = before.pairs[before.pairs["school_id"] == school_id]
    unit_ids = rows["unit_id"].unique()
    if not len(unit_ids):
        return pd.DataFrame(columns=list(FLOW_COLUMNS))
    ways = rows.drop_duplicates("unit_id").set_index("unit_id")
    old = _split_bands(before, unit_ids, low_grade_share)
    new = _split_bands(after, unit_ids, low_grade_share)
    found = []
    for low in (True, False):
        leaving, gains = _compare_band(old[old["low"] == low], new[new["low"] == low], school_id)
        merged = gains.merge(leaving, on="unit_id")
        merged["share"] = merged["leaving"] * merged["part"]
        found.append(merged.assign(low=low))
    flows = pd.concat(found, ignore_index=True)
    flows = flows[flows["share"] > LEAST_SHARE].copy()
    flows["pupils"] = flows["share"] * flows["unit_pupils"]
    about = ways.reindex(flows["unit_id"])
    for column, source in (
        *(("name", "name"), ("setting", "setting"), ("town", "town")),
        *(("min_before", "time_min"), ("m_before", "length_m"), ("limit_min", "max_min")),
    ):
        flows[column] = about[source].to_numpy()
    flows["pupils"] *= _weigh_bands(flows, mix)
    ordered = flows.sort_values(["unit_id", "low", "school_id"], ascending=[True, False, True], kind="stable")
    return ordered.loc[:, list(FLOW_COLUMNS)].reset_index(drop=True)


def _split_bands(tables: StageTables, unit_ids: npt.NDArray[np.object_], low_grade_share: float) -> pd.DataFrame:
    """Return the shares of units at schools by band (``planning.projected_rolls.split_bands``)."""
    pairs = tables.pairs[tables.pairs["unit_id"].isin(unit_ids)]
    low_only = dict(zip(tables.schools["school_id"], tables.schools["low_only"].astype(bool), strict=True))
    split = split_bands(pairs, low_only, low_grade_share if tables.stage == "primary" else 0.0)
    share = pairs["share"].to_numpy(dtype=float)
    about = pairs[["unit_id", "school_id", "time_min", "length_m"]].assign(
        unit_pupils=np.divide(pairs["pupils"], share, out=np.full(len(pairs), np.nan), where=share > 0)
    )
    both = pd.concat(
        [about.assign(low=low, share=split[f"{band}_share"]) for low, band in ((True, "low"), (False, "upper"))]
    )
    return both[both["share"] > LEAST_SHARE]


def _compare_band(old: pd.DataFrame, new: pd.DataFrame, school_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what leaves the school by unit (``leaving``, share), and by unit and school the part that goes there."""
    keys = ["unit_id", "school_id"]
    both = old[[*keys, "share"]].merge(
        new[[*keys, "share", "time_min", "length_m", "unit_pupils"]], on=keys, how="outer", suffixes=("_old", "_new")
    )
    change = both["share_new"].fillna(0.0) - both["share_old"].fillna(0.0)
    leaving = both.assign(leaving=-change)[(both["school_id"] == school_id) & (change < -LEAST_SHARE)]
    gains = both.assign(gain=change)[change > LEAST_SHARE]
    part = gains["gain"] / gains.groupby("unit_id")["gain"].transform("sum")
    gains = gains.assign(part=part).rename(columns={"time_min": "min_after", "length_m": "m_after"})
    return leaving[["unit_id", "leaving"]], gains[[*keys, "part", "min_after", "m_after", "unit_pupils"]]


def _weigh_bands(flows: pd.DataFrame, mix: GradeMix) -> Floats:
    """Return what each row's pupils are multiplied by, so that the bands weigh as in the school's roll."""
    low = flows["low"].to_numpy(dtype=bool)
    pupils = flows["pupils"].to_numpy(dtype=float)
    low_pupils, upper_pupils = np.nansum(pupils[low]), np.nansum(pupils[~low])
    wanted = float(mix.share[mix.low].sum())
    if not mix.known or low_pupils <= 0 or upper_pupils <= 0 or not 0 < wanted < 1:
        return np.ones(len(flows))
    total = low_pupils + upper_pupils
    weights: Floats = np.where(low, wanted * total / low_pupils, (1.0 - wanted) * total / upper_pupils)
    return weights
