"""The plan: which places are open, and who goes where. A value: a change returns a new plan.

The law: no pupil is lost or doubled. The shares of every unit and stage add up to one, the unreached included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import compute_digest
from planning.scenario import name_stage

ENROLMENT_COLUMNS = ("unit_id", "stage", "school_id", "share", "pupils", "time_min", "length_m", "origin")
PLACES_COLUMNS = ("school_id", "stage", "capacity_places", "classes", "capacity_source")
SHARE_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Plan:
    """Open places and enrolment.

    ``places``: school_id, stage, capacity_places, classes, capacity_source. ``enrolment``: one row per unit and
    school: unit_id, stage, school_id (``""`` = reaches no school), share of the unit's pupils of the stage (0 to 1),
    pupils (NaN where the unit's number is unknown), time_min, length_m, and ``origin``: ``nearest``, ``zone``,
    ``no_zone`` (the unit has no usable zone and went to the nearest school) or ``unreached``.
    """

    places: pd.DataFrame
    enrolment: pd.DataFrame

    def __post_init__(self) -> None:
        for name, columns in (("places", PLACES_COLUMNS), ("enrolment", ENROLMENT_COLUMNS)):
            table = getattr(self, name)
            missing = [column for column in columns if column not in table.columns]
            if missing:
                raise ValueError(f"plan: {name} lacks {', '.join(missing)}")
            object.__setattr__(self, name, table.loc[:, list(columns)].reset_index(drop=True))

    @property
    def fingerprint(self) -> str:
        """Equal plans have equal fingerprints."""
        parts: list[object] = []
        for table in (self.places, self.enrolment):
            for column in table.columns:
                values = table[column].to_numpy()
                parts += [column, values if values.dtype.kind in "fiu" else "\x1f".join(map(str, values))]
        return compute_digest(*parts)

    def stage_enrolment(self, stage: str) -> pd.DataFrame:
        """Return the rows of one stage."""
        return self.enrolment[self.enrolment["stage"] == stage]

    def pupils_by_school(self, stage: str) -> pd.Series:
        """Return modelled pupils of a stage by school id; the unreached stand under ``""``."""
        rows = self.stage_enrolment(stage)
        return rows.groupby("school_id")["pupils"].sum()


def check_plan(plan: Plan, pupils: pd.DataFrame) -> list[Message]:
    """Return what breaks the law that no pupil is lost or doubled; empty for a lawful plan.

    Parameters
    ----------
    pupils
        ``unit_id``, ``stage``, ``pupils``: what the units hold.
    """
    problems: list[Message] = []
    sums = plan.enrolment.groupby(["stage", "unit_id"], as_index=False)["share"].sum()
    wrong = sums[(sums["share"] - 1.0).abs() > SHARE_TOLERANCE]
    problems += [
        msg("Unit {unit}: the shares of its pupils add up to {share:.3f}, not 1.", unit=str(unit), share=float(share))
        for unit, share in zip(wrong["unit_id"], wrong["share"], strict=True)
    ]
    if plan.enrolment.duplicated(["unit_id", "stage", "school_id"]).any():
        problems.append(msg("A unit and school stand twice in the plan."))
    for stage, rows in pupils.groupby("stage"):
        held = float(rows["pupils"].sum())
        placed = float(plan.stage_enrolment(str(stage))["pupils"].sum())
        if not np.isclose(held, placed, rtol=1e-9, atol=1e-6):
            problems.append(
                msg(
                    "{stage}: {held:,.1f} pupils live here, but the plan has {placed:,.1f}.",
                    stage=name_stage(str(stage)),
                    held=held,
                    placed=placed,
                )
            )
    known = set(plan.places["school_id"]) | {""}
    strangers = sorted(set(plan.enrolment["school_id"]) - known)
    if strangers:
        problems.append(msg("Pupils are sent to schools that are not open: {schools}.", schools=", ".join(strangers)))
    return problems
