"""What one more place, or one more class, would be worth at each school: shadow prices, as a table and in words.

The dual of a school's places is what *one* more place would save; a whole class seldom saves class size × dual, because
each further place saves less. So the dual is given for every school, and for the schools with the dearest places the
problem is solved again with one more class: that saving is exact. Both are of the assignment with units that may be
split, one way to school a day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from planning.capacity import Sent, send
from planning.conflicts import Case, name_some
from planning.scenario import name_stage
from planning.solvers.problems import Floats

PLACE_VALUE_COLUMNS = (
    "stage",
    "school_id",
    "name",
    "capacity_places",
    "pupils",
    "free_places",
    "pupils_over",
    "price_per_place",
    "class_places",
    "dual_saving",
    "class_saving",
    "class_travel_saving",
    "class_placed_pupils",
    "unit",
    "reason",
)
"""``price_per_place``: what one more place saves (dual), in ``unit`` a day, one way, above-places priced as in the
options. ``dual_saving`` = that × ``class_places``, an upper bound of ``class_saving``, which was solved (NaN: not
solved). ``class_travel_saving`` is its travel alone, ``class_placed_pupils`` how many fewer pupils are above places.
``reason`` is a Message or None. Schools of a group share the numbers of the group."""

TOP_SCHOOLS = 8
"""Schools for which one more class is solved."""


@dataclass(frozen=True, eq=False)
class _OneClass:
    """What one more class at a column was found to save."""

    saving: float
    travel: float
    placed_pupils: float
    reason: Message

    @property
    def numbers(self) -> tuple[float, float, float]:
        """The three numbers in the order of the table."""
        return self.saving, self.travel, self.placed_pupils


def build_place_values(case: Case, sent: Sent, flow: Sent) -> pd.DataFrame:
    """Return the table ``PLACE_VALUE_COLUMNS``, dearest places first.

    Parameters
    ----------
    sent, flow
        The plan, and the assignment with units that may be split (the same, where they may).
    """
    columns = case.assignment.columns
    width = len(columns.name)
    sizes = case.class_places
    solved = _solve_classes(case, flow, sizes)
    column = np.repeat(np.arange(width), np.diff(columns.start))
    free = np.maximum(0.0, columns.places - sent.load(width))
    price = flow.price if case.assignment.rows.ranks == 1 else np.full(width, np.nan)
    extra = np.array([solved[at].numbers if at in solved else _unsolved(flow, sizes, at) for at in range(width)])
    schools = case.schools.set_index("school_id").reindex(case.ways.school_ids[columns.member])
    table = pd.DataFrame(
        {
            "stage": case.stage,
            "school_id": schools.index.astype(str),
            "name": schools["name"].astype(str).to_numpy(),
            "capacity_places": schools["capacity_places"].to_numpy(dtype=np.float64),
            "pupils": sent.load(width)[column] * columns.share,
            "free_places": np.where(np.isfinite(free), free, np.nan)[column] * columns.share,
            "pupils_over": sent.over[column] * columns.share,
            "price_per_place": price[column],
            "class_places": sizes[column],
            "dual_saving": (price * sizes)[column],
            "class_saving": extra[column, 0],
            "class_travel_saving": extra[column, 1],
            "class_placed_pupils": extra[column, 2],
            "unit": case.costs.unit,
            "reason": pd.Series(_list_reasons(solved, column), dtype="object"),
        }
    )
    order = ["class_saving", "price_per_place", "school_id"]
    return table.sort_values(order, ascending=[False, False, True], kind="stable").reset_index(drop=True)


def _list_reasons(solved: dict[int, _OneClass], column: npt.NDArray[np.int64]) -> list[object]:
    return [solved[at].reason if at in solved else None for at in column.tolist()]


def _unsolved(flow: Sent, sizes: Floats, column: int) -> tuple[float, float, float]:
    """Places that are worth nothing save nothing by more of them; else nobody solved it."""
    return (0.0, 0.0, 0.0) if flow.price[column] == 0 and sizes[column] > 0 else (np.nan, np.nan, np.nan)


def _solve_classes(case: Case, flow: Sent, sizes: Floats) -> dict[int, _OneClass]:
    """Return what one more class saves at the columns where the dual says that it could save most."""
    worth = np.nan_to_num(flow.price * sizes)
    found: dict[int, _OneClass] = {}
    for column in np.argsort(-worth, kind="stable")[:TOP_SCHOOLS]:
        if worth[column] <= 0:
            break
        places = case.assignment.columns.places.copy()
        places[column] += sizes[column]
        found[int(column)] = _compare(case, int(column), flow, send(case.assignment, places=places, like=flow))
    return found


def _compare(case: Case, column: int, before: Sent, after: Sent) -> _OneClass:
    rows = case.assignment.rows
    travel = [
        float((case.assignment.cost[rows.unit[sent.row], sent.column] * sent.pupils).sum()) for sent in (before, after)
    ]
    placed = float(before.over.sum() - after.over.sum())
    saving = travel[0] - travel[1] + case.assignment.overload_price * placed
    return _OneClass(max(0.0, saving), travel[0] - travel[1], placed, _explain(case, column, before, after))


def _explain(case: Case, column: int, before: Sent, after: Sent) -> Message:
    """Return who would come to the school, and from which."""
    width = len(case.assignment.columns.name)
    flows = [_by_unit(case, sent, width) for sent in (before, after)]
    gain = flows[1][:, column] - flows[0][:, column]
    comers = np.flatnonzero(gain > 1e-6)
    comers = comers[np.argsort(-gain[comers], kind="stable")]
    left = (before.load(width) - before.over) - (after.load(width) - after.over)
    sources = np.argsort(-left, kind="stable")
    sources = sources[left[sources] > 1e-6]
    values: dict[str, object] = {
        "count": float(gain[comers].sum()),
        "units": name_some([str(case.unit_names[at]) for at in comers], 3),
        "schools": name_some([case.column_names[at] for at in sources], 2),
    }
    if not len(comers):
        return msg("pupils who are above its places would have one")
    if not len(sources):
        return msg("{count:,.0f} pupils of {units} would come, and fewer would be above the places", **values)
    return msg("{count:,.0f} pupils of {units} would come, and places become free at {schools}", **values)


def _by_unit(case: Case, sent: Sent, width: int) -> Floats:
    """Return pupils (units, columns)."""
    table = np.zeros((len(case.ways.unit_ids), width))
    np.add.at(table, (case.assignment.rows.unit[sent.row], sent.column), sent.pupils)
    return table


def describe_place_values(table: pd.DataFrame, limit: int = 5) -> list[Message]:
    """Return in words which schools' places are worth most, and what one more class there would save."""
    told: list[Message] = []
    for row in table[table["class_saving"] > 0].head(limit).to_dict("records"):
        values = {
            "stage": name_stage(str(row["stage"])),
            "school": row["name"],
            "places": row["class_places"],
            "saved": row["class_travel_saving"],
            "placed": row["class_placed_pupils"],
            "reason": row["reason"],
            "price": row["price_per_place"],
            "unit": _name_unit(str(row["unit"])),
        }
        if row["class_placed_pupils"] <= 0.5:
            words = msg(
                "{stage}: one more class ({places:.0f} places) at {school} would save {saved:,.0f} {unit} of one-way"
                " travel a day, because {reason}.",
                **values,
            )
        elif row["class_travel_saving"] > 0.5:
            words = msg(
                "{stage}: one more class ({places:.0f} places) at {school} would give {placed:,.0f} pupils a place and"
                " save {saved:,.0f} {unit} of one-way travel a day, because {reason}.",
                **values,
            )
        else:
            words = msg(
                "{stage}: one more class ({places:.0f} places) at {school} would give {placed:,.0f} pupils a place,"
                " because {reason}.",
                **values,
            )
        told.append(words)
    return told


def _name_unit(unit: str) -> Message:
    return msg("pupil-metres") if unit == "pupil-metres" else msg("pupil-minutes")
