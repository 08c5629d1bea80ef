"""What may be published of a proposal: whole numbers that agree everywhere, small counts hidden.

Every document of a pack is written from one :class:`Publication`. Pupils are rounded once, at the finest cells
(:data:`CELL_COLUMNS`), by largest remainder; every other count is a sum of those cells, so that all documents agree.
Then counts below the threshold are hidden, and as many others as are needed to keep them so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from geodata.messages import Message

CELL_COLUMNS = ("stage", "unit_id", "before_id", "after_id", "pupils", "verdict")
UNIT_COLUMNS = (
    *("stage", "unit_id", "name", "town", "setting", "pupils", "pupils_hidden", "moved_pupils", "moved_hidden"),
    *("before_ids", "before_names", "after_ids", "after_names", "min_before", "min_after", "change_min"),
    *("length_before_m", "length_after_m", "changed", "verdict", "reason"),
)
WAY_COLUMNS = ("stage", "unit_id", "side", "grades", "school_id", "school_name", "share", "time_min", "length_m")
SCHOOL_COLUMNS = (
    *("stage", "school_id", "name", "town", "setting", "status", "into", "kind_before", "kind_after"),
    *("places_before", "places_after", "classes_before", "classes_after"),
    *("pupils_before", "pupils_before_hidden", "pupils_after", "pupils_after_hidden"),
    *("roll_before", "roll_before_hidden", "roll_after", "roll_after_hidden"),
    *("units_before", "units_after", "mean_min_before", "mean_min_after", "changed"),
)
FLOW_COLUMNS = ("stage", "before_id", "before_name", "after_id", "after_name", "units", "pupils", "pupils_hidden")
TOWN_COLUMNS = (
    *("stage", "town", "units", "pupils", "pupils_hidden", "moved_pupils", "moved_hidden"),
    *("worse_pupils", "worse_hidden", "better_pupils", "better_hidden"),
)
TOTAL_COLUMNS = (
    *("stage", "units", "changed_units", "pupils", "moved_pupils", "worse_pupils", "same_pupils", "better_pupils"),
    *("lost_pupils", "won_pupils", "unknown_pupils"),
)
COUNTS = ("pupils", "moved_pupils", "worse_pupils", "better_pupils", "pupils_before", "pupils_after")


@dataclass(frozen=True, eq=False)
class Publication:
    """The tables that every document of a pack is written from. Only these leave the building.

    Counts are whole numbers as floats, NaN where unknown **or hidden**; the flag beside a count (``…_hidden``) says
    which. ``school ids`` of several schools are joined by ";", in the order of ``WAY_COLUMNS`` rows; names are tuples.

    Parameters
    ----------
    stages
        Stages that are answered in both, in order.
    units
        :data:`UNIT_COLUMNS`, one row per stage and planning unit, ordered by id. ``changed``: the set of schools is
        another. Minutes are the mean over the unit's pupils, one way, to one decimal; ``reason`` is a
        :class:`Message` without counts of pupils.
    ways
        :data:`WAY_COLUMNS`: where a unit goes, ``side`` ``before`` or ``after``, ``grades`` ``all``, ``low`` (grades 1
        to 3) or ``upper``; ``share`` of those grades (several rows: a shared zone, or the model's split).
    schools
        :data:`SCHOOL_COLUMNS`. ``pupils``: children of its zone by the model; ``roll``: on the roll, after: projected.
        ``changed``: its zone, places, classes or kind are not the same. ``mean_min``: NaN also where a community of
        its zone is hidden, of whose children it would tell.
    flows
        :data:`FLOW_COLUMNS`: who changes from which school to which (before ≠ after), ordered by ids.
    towns, totals
        :data:`TOWN_COLUMNS`, :data:`TOTAL_COLUMNS`; totals of a county are never hidden: a county below the
        threshold is refused.
    threshold
        What was hidden by.
    hidden
        How many counts are hidden because they are small, and how many more to keep them so.
    notes
        What a reader must know of these numbers, in words.
    """

    stages: tuple[str, ...]
    units: pd.DataFrame = field(repr=False)
    ways: pd.DataFrame = field(repr=False)
    schools: pd.DataFrame = field(repr=False)
    flows: pd.DataFrame = field(repr=False)
    towns: pd.DataFrame = field(repr=False)
    totals: pd.DataFrame = field(repr=False)
    threshold: int = 10
    hidden: tuple[int, int] = (0, 0)
    notes: tuple[Message, ...] = ()


def list_zones(publication: Publication, side: str) -> pd.DataFrame:
    """Return ``unit_id``, ``stage``, ``school_id`` of one side (``before``, ``after``): the zones as published."""
    rows = publication.ways[publication.ways["side"] == side]
    return rows.loc[:, ["unit_id", "stage", "school_id"]].drop_duplicates(ignore_index=True)
