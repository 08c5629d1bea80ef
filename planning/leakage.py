"""Who leaks where: pupils on the rolls against the pupils that the model sends to each school.

The children known by unit and the rolls seldom have the same total. The modelled pupils of the schools whose roll is
known are scaled to the total of their rolls, so that only the *distribution* is compared: a surplus somewhere is a
deficit elsewhere. What shows is a net balance; pupils who swap places between two schools cancel out, so the share is
a lower bound.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from planning.scenario import name_setting, name_stage

LEAKAGE_COLUMNS = (
    "stage",
    "area_kind",
    "area",
    "name",
    "modelled_pupils",
    "expected_pupils",
    "actual_pupils",
    "surplus_pupils",
    "surplus_share",
)
MIN_SHARE_TOLD = 0.02
"""Settings whose balance is smaller than this share of their expected pupils are not put into words."""


def compute_expected_pupils(schools: pd.DataFrame) -> pd.Series:
    """Return modelled pupils scaled to the total of the rolls, indexed like ``schools``; NaN where no roll is known."""
    known = schools["actual_pupils"].notna() & schools["modelled_pupils"].notna()
    modelled = schools["modelled_pupils"].where(known)
    total = float(modelled.sum())
    factor = float(schools["actual_pupils"].where(known).sum()) / total if total > 0 else float("nan")
    return modelled * factor


def build_leakage(schools: pd.DataFrame) -> pd.DataFrame:
    """Return the balance by school, setting and town of one stage: the columns ``LEAKAGE_COLUMNS``.

    ``surplus_pupils`` = actual − expected: negative where pupils leave. Schools without a known roll are left out.
    """
    rows = schools.assign(expected_pupils=compute_expected_pupils(schools))
    rows = rows[rows["expected_pupils"].notna()]
    stage = str(schools["stage"].iloc[0]) if len(schools) else ""
    numbers = ["modelled_pupils", "expected_pupils", "actual_pupils"]
    parts = [rows[["school_id", "name", *numbers]].rename(columns={"school_id": "area"}).assign(area_kind="school")]
    for kind in ("setting", "town"):
        sums = rows[rows[kind] != ""].groupby(kind)[numbers].sum().reset_index()
        parts.append(sums.rename(columns={kind: "area"}).assign(area_kind=kind, name=sums[kind]))
    table = pd.concat(parts, ignore_index=True).assign(stage=stage)
    table["surplus_pupils"] = table["actual_pupils"] - table["expected_pupils"]
    table["surplus_share"] = table["surplus_pupils"] / table["expected_pupils"].where(table["expected_pupils"] > 0)
    return table.loc[:, list(LEAKAGE_COLUMNS)]


def compute_leak_share(actual: npt.NDArray[np.float64], expected: npt.NDArray[np.float64]) -> float:
    """Return the least share of pupils at another school than the model says: Σ max(0, missing) / Σ expected."""
    known = ~np.isnan(expected)
    total = float(expected[known].sum())
    missing = np.maximum(0.0, (expected - actual)[known])
    return float(missing.sum()) / total if total > 0 else float("nan")


def describe_leakage(leakage: pd.DataFrame) -> list[Message]:
    """Return the balance of the settings in words, the largest deficit first."""
    rows = leakage[(leakage["area_kind"] == "setting") & (leakage["surplus_share"].abs() >= MIN_SHARE_TOLD)]
    told = []
    for row in rows.sort_values(["stage", "surplus_pupils"], kind="stable").to_dict("records"):
        values = {
            "setting": name_setting(str(row["area"])),
            "stage": name_stage(str(row["stage"])),
            "count": abs(float(row["surplus_pupils"])),
            "share": abs(float(row["surplus_share"])),
        }
        if row["surplus_pupils"] < 0:
            told.append(
                msg(
                    "{stage}, {setting} schools: {count:,.0f} pupils fewer than the model sends there ({share:.0%});"
                    " they go elsewhere.",
                    **values,
                )
            )
        else:
            told.append(
                msg(
                    "{stage}, {setting} schools: {count:,.0f} pupils more than the model sends there ({share:.0%});"
                    " they come from elsewhere.",
                    **values,
                )
            )
    return told
