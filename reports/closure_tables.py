"""Closures in tables, in the reader's words: the ranking, pairs of schools, and their files for download."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.messages import Message
from reports.language import Translator
from reports.legend import name_kind, name_ownership, name_setting_short

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from reports.closure_scene import NewSchool

_PAIR_NUMBERS = (
    ("moved", "moved_pupils"),
    ("mean_before", "mean_min_before"),
    ("mean_after", "mean_min_after"),
    ("longest", "max_min_after"),
    ("extra", "extra_pupil_min"),
    ("beyond", "beyond_limit_added_pupils"),
    ("over", "over_places_added_pupils"),
    ("unreached", "unreached_added_pupils"),
)


@dataclass(frozen=True)
class Filter:
    """Which schools of a ranking are shown; empty choices leave nothing out."""

    settings: tuple[str, ...] = ()
    towns: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    small_only: bool = False
    can_close_only: bool = False


@dataclass(frozen=True)
class Heading:
    """One column of a table: the name of its values, its title and what it means; ``digits`` of its numbers."""

    name: str
    title: str
    meaning: str
    digits: int = 0


def list_headings(_: Translator) -> tuple[Heading, ...]:
    """Return the columns of the ranking with their definitions, in the order of the table."""
    return (
        Heading(
            "rank",
            _("Rank"),
            _(
                "Those that can close first, then those that lack places; then by the harm: who is left without a way,"
                " beyond the limit, above the places."
            ),
        ),
        Heading("school", _("School"), _("The school that would close in this stage.")),
        Heading(
            "verdict",
            _("Verdict"),
            _("Whether every child within the travel limit today would still have a school within it."),
        ),
        Heading(
            "dependent", _("Communities that depend on it"), _("Communities with no other school within the limit.")
        ),
        Heading("pupils", _("Pupils (model)"), _("Pupils whom the model sends here today.")),
        Heading("roll", _("On the roll"), _("Pupils on the school's latest roll; empty where it is not known.")),
        Heading("places", _("Places"), _("Places of this stage; empty where they are not known.")),
        Heading("moved", _("Pupils moved"), _("Pupils who would go to another school, also those pushed on.")),
        Heading("mean_before", _("Way now (min)"), _("Mean way of those moved, one way, before the closure."), 1),
        Heading("mean_after", _("Way then (min)"), _("Mean way of those moved, one way, after the closure."), 1),
        Heading("longest", _("Longest then (min)"), _("Longest way of those moved, after the closure."), 1),
        Heading("extra", _("Extra pupil-minutes"), _("Minutes that all children together travel more, one way a day.")),
        Heading(
            "beyond",
            _("Beyond limit (±)"),
            _("Change in the pupils whose way is beyond the travel limit of the rules."),
        ),
        Heading(
            "over",
            _("Above places (±)"),
            _("Change in the pupils whom schools of known size take in above their places."),
        ),
        Heading("unreached", _("Without way (±)"), _("Change in the pupils who have no way to any school.")),
        Heading("kind", _("Kind"), _("Kind of school.")),
        Heading("ownership", _("Run by"), _("Public or private, as the data say.")),
        Heading("setting", _("Setting"), _("Urban, town or rural.")),
        Heading("town", _("Township"), _("Township in which the school stands.")),
        Heading("small", _("Small school"), _("Below the size that the rules call small.")),
        Heading("reason", _("Reason"), _("Why it can close, or why not.")),
    )


def name_verdict(can_close: bool, places_suffice: bool, _: Translator) -> str:
    """Return whether a school can close, with a sign that needs no colour."""
    if not can_close:
        return _("✗ cannot close")
    return _("✓ can close") if places_suffice else _("◐ too few places")


def name_verdicts(table: pd.DataFrame, _: Translator) -> list[str]:
    """Return the verdict of every row of a ranking of schools or pairs."""
    return [
        name_verdict(bool(can), bool(suffice), _)
        for can, suffice in zip(table["can_close"], table["places_suffice"], strict=True)
    ]


def select_ranking(ranking: pd.DataFrame, chosen: Filter) -> pd.DataFrame:
    """Return the rows of a ranking that fit a filter, in order."""
    wanted = np.ones(len(ranking), dtype=np.bool_)
    for column, values in (("setting", chosen.settings), ("town", chosen.towns), ("kind", chosen.kinds)):
        if values:
            wanted &= ranking[column].fillna("").astype(str).isin(values).to_numpy()
    if chosen.small_only:
        wanted &= ranking["small"].fillna(False).astype(bool).to_numpy()
    if chosen.can_close_only:
        wanted &= (ranking["can_close"].astype(bool) & ranking["places_suffice"].astype(bool)).to_numpy()
    return ranking[wanted]


def order_ranking(ranking: pd.DataFrame) -> pd.DataFrame:
    """Return a ranking of schools or pairs, those that can close first, then those that lack places; ranks anew."""
    keys = ["can_close", "places_suffice", "rank"]
    ordered = ranking.sort_values(keys, ascending=[False, False, True], kind="stable")
    return ordered.assign(rank=np.arange(1, len(ordered) + 1)).reset_index(drop=True)


def build_ranking_table(ranking: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return a ranking as a reader sees it, by school id; numbers stay numbers, unknown ones are missing."""
    source: dict[str, Any] = {
        "rank": ranking["rank"].astype("Int64"),
        "pupils": ranking["pupils"],
        "roll": ranking["roll_pupils"],
        "places": ranking["capacity_places"],
        "moved": ranking["moved_pupils"],
        "mean_before": ranking["mean_min_before"],
        "mean_after": ranking["mean_min_after"],
        "longest": ranking["max_min_after"],
        "extra": ranking["extra_pupil_min"],
        "beyond": ranking["beyond_limit_added_pupils"],
        "over": ranking["over_places_added_pupils"],
        "unreached": ranking["unreached_added_pupils"],
        "dependent": [len(units) for units in ranking["dependent_units"]],
        "school": ranking["name"].astype(str),
        "verdict": name_verdicts(ranking, _),
        "kind": [name_kind(str(kind), _) for kind in ranking["kind"]],
        "ownership": [name_ownership(str(owner), _) for owner in ranking["ownership"]],
        "setting": [name_setting_short(str(setting), _) for setting in ranking["setting"]],
        "town": ranking["town"].fillna("").astype(str),
        "small": [_("yes") if small else "" for small in ranking["small"].fillna(False)],
        "reason": [say(reason, _) for reason in ranking["reason"]],
    }
    table = pd.DataFrame(index=ranking["school_id"].astype(str))
    for heading in list_headings(_):
        values = source[heading.name]
        column = values if isinstance(values, list) else values.to_numpy()
        number = isinstance(column, np.ndarray) and column.dtype.kind == "f"
        table[heading.title] = np.round(column, heading.digits) if number else column
    return table


def build_ranking_rows(ranking: pd.DataFrame, unit_names: Mapping[str, str], _: Translator) -> pd.DataFrame:
    """Return a ranking for a file: every column by its plain name, dependent communities by id and by name."""
    rows = ranking.copy()
    ids = [[str(unit) for unit in units] for units in ranking["dependent_units"]]
    rows["dependent_units"] = [";".join(units) for units in ids]
    rows["dependent_names"] = ["; ".join(unit_names.get(unit) or unit for unit in units) for units in ids]
    rows["reason"] = [say(reason, _) for reason in ranking["reason"]]
    return rows


def build_pair_table(pairs: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return pairs of closures as a reader sees them; the index is the two ids with a line break between them."""
    headings = {heading.name: heading for heading in list_headings(_)}
    first, second = pairs["school_id"].astype(str), pairs["other_id"].astype(str)
    table = pd.DataFrame(index=["\n".join(pair) for pair in zip(first, second, strict=True)])
    table[headings["rank"].title] = pairs["rank"].astype("Int64").to_numpy()
    table[_("First school")] = pairs["name"].astype(str).to_numpy()
    table[_("Second school")] = pairs["other_name"].astype(str).to_numpy()
    table[headings["verdict"].title] = name_verdicts(pairs, _)
    for name, column in _PAIR_NUMBERS:
        values = pairs[column].to_numpy(dtype=np.float64)
        table[headings[name].title] = np.round(values, headings[name].digits)
        if name == "extra":
            together = pairs["together"].to_numpy(dtype=np.float64)
            table[_("of which only together")] = np.round(together) + 0.0
    table[headings["dependent"].title] = [len(units) for units in pairs["dependent_units"]]
    table[headings["reason"].title] = [say(reason, _) for reason in pairs["reason"]]
    return table


def say(reason: object, _: Translator) -> str:
    """Return a reason as a sentence; nothing for none."""
    if isinstance(reason, Message):
        return _.say(reason)
    return "" if reason is None or (isinstance(reason, float) and math.isnan(reason)) else str(reason)


def build_move_table(moves: pd.DataFrame, study: StudyArea, opened: Sequence[NewSchool], _: Translator) -> pd.DataFrame:
    """Return who moves as a reader sees it, by unit id: schools and communities by name; a unit may go to several.

    ``moves``: ``planning.what_if.list_moved``; ``opened``: schools that the study does not know.
    """
    moves = unite_moves(moves)
    units = study.units.drop_duplicates("unit_id").set_index("unit_id")
    schools = study.schools.drop_duplicates("school_id").set_index("school_id")["name"].fillna("").astype(str).to_dict()
    schools |= {school.school_id: school.name for school in opened}
    keys = moves["unit_id"].astype(str)
    none = _("no school within reach")

    def name_school(key: object) -> str:
        return schools.get(str(key)) or str(key) or none

    table = pd.DataFrame(index=keys.to_numpy())
    table[_("Community")] = [str(units["name"].get(key) or key) for key in keys]
    table[_("Township")] = [str(units["town"].get(key) or "") for key in keys]
    table[_("Setting")] = [name_setting_short(str(units["setting"].get(key) or ""), _) for key in keys]
    table[_("Pupils")] = np.round(moves["pupils"].to_numpy(dtype=np.float64), 1)
    table[_("From school")] = [name_school(key) for key in moves["from_school_id"]]
    table[_("To school")] = [name_school(key) for key in moves["to_school_id"]]
    table[_("Way before (min)")] = np.round(moves["min_before"].to_numpy(dtype=np.float64), 1)
    table[_("Way after (min)")] = np.round(moves["min_after"].to_numpy(dtype=np.float64), 1)
    return table


def unite_moves(moves: pd.DataFrame) -> pd.DataFrame:
    """Return moves with one row for each unit, old and new school: low and upper grades together, most pupils first.

    Minutes are means by pupils.
    """
    ends = ["unit_id", "from_school_id", "to_school_id"]
    if moves.empty:
        return moves
    weight = moves["pupils"].to_numpy(dtype=np.float64)
    weighed = moves[ends].assign(pupils=weight)
    for name in ("min_before", "min_after"):
        weighed[name] = moves[name].to_numpy(dtype=np.float64) * weight
    united = weighed.groupby(ends, sort=False, as_index=False).agg(
        pupils=("pupils", "sum"),
        min_before=("min_before", _sum_known),
        min_after=("min_after", _sum_known),
    )
    for name in ("min_before", "min_after"):
        united[name] = united[name] / united["pupils"]
    return united.sort_values("pupils", ascending=False, kind="stable").reset_index(drop=True)


def _sum_known(values: pd.Series[float]) -> float:
    return float(values.sum(min_count=len(values)))
