"""The tables of a comparison in the reader's words: indicators side by side, who loses most, schools, definitions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planning.compare import judge_difference
from planning.compare_measures import MEASURES
from planning.compare_units import BANDS
from planning.indicators import INDICATORS, Indicator
from reports.compare_words import GROUPS, KEY_INDICATORS, name_status, say_difference, say_number
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_kind, name_setting_short, name_stage_short

if TYPE_CHECKING:
    from planning.compare import Comparison

GROUP_KINDS = ("county", "setting", "town", "stage")


@dataclass(frozen=True)
class Cell:
    """One number of one option: its ``value`` in words, the ``difference`` from the baseline and its ``verdict``."""

    value: str
    difference: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class Line:
    """One number over all options. ``name`` is that of its definition."""

    name: str
    title: str
    definition: str
    cells: tuple[Cell, ...]


def build_lines(comparison: Comparison, stage: str, _: Translator) -> dict[str, list[Line]]:
    """Return the numbers of one stage by group; who gains and who loses first. Numbers known nowhere are left out."""
    lines = {line.name: line for line in _iterate_indicators(comparison, stage, _)}
    grouped = {"gains": list(_iterate_measures(comparison, stage, _))} if len(comparison.names) > 1 else {}
    for group, names in GROUPS.items():
        grouped[group] = [lines.pop(name) for name in names if name in lines]
    grouped["other"] = list(lines.values())
    return {group: found for group, found in grouped.items() if found}


def build_key_lines(comparison: Comparison, stage: str, _: Translator) -> list[Line]:
    """Return the few numbers that stand beside the map."""
    indicators = {line.name: line for line in _iterate_indicators(comparison, stage, _)}
    gains = {line.name: line for line in _iterate_measures(comparison, stage, _)} if len(comparison.names) > 1 else {}
    first = [gains[name] for name in ("worse_pupils", "better_pupils", "moved_pupils") if name in gains]
    lost = gains.get("lost_pupils")
    if lost is not None and any(cell.verdict == "worse" for cell in lost.cells):
        first.insert(0, lost)
    return [*first, *(indicators[name] for name in KEY_INDICATORS if name in indicators)]


def _iterate_indicators(comparison: Comparison, stage: str, _: Translator) -> Iterator[Line]:
    rows = comparison.indicators
    known = {str(row["indicator"]): row for row in rows[rows["stage"] == stage].to_dict("records")}
    count = len(comparison.names)
    for item in INDICATORS:
        row = known.get(item.name, {})
        values = [float(row.get(f"value_{option}", math.nan)) for option in range(count)]
        if not np.isfinite(values).any():
            continue
        cells = [Cell(say_number(values[0], item.unit, _))]
        for option in range(1, count):
            difference = float(row[f"difference_{option}"])
            verdict = str(row[f"verdict_{option}"])
            told = "" if verdict == "same" else say_difference(difference, item.unit, _)
            cells.append(Cell(say_number(values[option], item.unit, _), told, verdict))
        yield Line(item.name, _.say(item.title), _.say(item.definition), tuple(cells))


def _iterate_measures(comparison: Comparison, stage: str, _: Translator) -> Iterator[Line]:
    for item in MEASURES:
        values = [read_measure(comparison, option, item.name, stage) for option in range(1, len(comparison.names))]
        cells = [Cell(MISSING_NUMBER)]
        for value in values:
            verdict = judge_difference(value, item.unit, item.direction)
            told = say_difference(value, item.unit, _) if item.name == "mean_change_min" else ""
            cells.append(Cell(told or say_number(value, item.unit, _), "", verdict))
        yield Line(item.name, _.say(item.title), _.say(item.definition), tuple(cells))


def read_measure(comparison: Comparison, option: int, name: str, stage: str) -> float:
    """Return one number of ``planning.compare_measures``; NaN where it is not known."""
    if name in ("gone_schools", "new_schools"):
        rows = comparison.schools
        rows = rows[(rows["option"] == option) & (rows["stage"] == stage)]
        return float((rows["status"] == name.split("_")[0]).sum()) if len(rows) else math.nan
    rows = comparison.totals
    found = rows.loc[(rows["option"] == option) & (rows["stage"] == stage), name]
    return float(found.iloc[0]) if len(found) else math.nan


def list_definitions(_: Translator) -> list[tuple[str, str, str]]:
    """Return name, title and definition of every number of the page, in the order of its tables."""
    found = [(item.name, _.say(item.title), _.say(item.definition)) for item in MEASURES]
    known: dict[str, Indicator] = {item.name: item for item in INDICATORS}
    order = [*(name for names in GROUPS.values() for name in names), *known]
    return [
        *found,
        *(
            (name, _.say(known[name].title), _.say(known[name].definition))
            for name in dict.fromkeys(order)
            if name in known
        ),
    ]


def build_worst_table(comparison: Comparison, option: int, stage: str, _: Translator) -> pd.DataFrame:
    """Return the communities that lose most, by name, with school and minutes before and after."""
    rows = select_worst(comparison, option, stage)
    nothing = _("no school")
    return pd.DataFrame(
        {
            _("Rank"): rows["rank"].to_numpy(),
            _("Community"): rows["name"].to_numpy(),
            _("Township"): rows["town"].to_numpy(),
            _("Pupils"): rows["pupils"].round(1).to_numpy(),
            _("School before"): [_name_school(row, "before", nothing, _) for row in rows.to_dict("records")],
            _("Minutes before"): rows["min_before"].round(1).to_numpy(),
            _("School after"): [_name_school(row, "after", nothing, _) for row in rows.to_dict("records")],
            _("Minutes after"): rows["min_after"].round(1).to_numpy(),
            _("Minutes longer"): rows["change_min"].round(1).to_numpy(),
            _("Without a way to school"): rows["lost_pupils"].round(1).to_numpy(),
        }
    )


def select_worst(comparison: Comparison, option: int, stage: str) -> pd.DataFrame:
    """Return the rows of ``Comparison.worst`` for one option and stage."""
    rows = comparison.worst
    return rows[(rows["option"] == option) & (rows["stage"] == stage)].reset_index(drop=True)


def _name_school(row: dict[object, object], side: str, nothing: str, _: Translator) -> str:
    name, count = str(row[f"school_{side}"]), int(str(row[f"schools_{side}"]))
    if not name:
        return nothing
    return name if count < 2 else _("{school} and {count} more", school=name, count=count - 1)


def select_schools(comparison: Comparison, option: int, stage: str, *, changed_only: bool = False) -> pd.DataFrame:
    """Return the schools of one option and stage: those that go, come or change first, then by name.

    ``changed_only`` leaves out schools of which neither status nor modelled pupils change.
    """
    rows = comparison.schools
    rows = rows[(rows["option"] == option) & (rows["stage"] == stage)]
    if changed_only:
        differs = (rows["pupils_after"] - rows["pupils_before"]).abs() >= 0.5
        rows = rows[(rows["status"] != "same") | differs]
    order = rows["status"].map({"gone": 0, "new": 1, "changed": 2, "same": 3})
    return rows.assign(order=order).sort_values(["order", "name"], kind="stable").reset_index(drop=True)


def build_school_table(rows: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return schools before and after: pupils by the model, places, fill, class size; ``rows``: select_schools."""
    kinds = [
        name_kind(after or before, _) if after == before or not (before and after) else _name_change(before, after, _)
        for before, after in zip(rows["kind_before"], rows["kind_after"], strict=True)
    ]
    rows = _fill_absent(rows)
    percent = {side: (rows[f"fill_{side}"] * 100).round(1).to_numpy() for side in ("before", "after")}
    return pd.DataFrame(
        {
            _("School"): rows["name"].to_numpy(),
            _("What happens"): [name_status(str(status), _) for status in rows["status"]],
            _("Goes into"): rows["into"].to_numpy(),
            _("Kind"): kinds,
            _("Pupils before"): rows["pupils_before"].round().to_numpy(),
            _("Pupils after"): rows["pupils_after"].round().to_numpy(),
            _("Places before"): rows["places_before"].round().to_numpy(),
            _("Places after"): rows["places_after"].round().to_numpy(),
            _("Fill before (%)"): percent["before"],
            _("Fill after (%)"): percent["after"],
            _("Roll before"): rows["roll_before"].round().to_numpy(),
            _("Roll after"): rows["roll_after"].round().to_numpy(),
            _("Class size before"): rows["class_pupils_before"].round(1).to_numpy(),
            _("Class size after"): rows["class_pupils_after"].round(1).to_numpy(),
        }
    )


def _fill_absent(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with 0 pupils and places on the side where a school does not teach the stage."""
    filled = rows.copy()
    for status, side in (("gone", "after"), ("new", "before")):
        absent = (filled["status"] == status).to_numpy()
        for name in ("pupils", "places", "roll"):
            other = filled[f"{name}_{'before' if side == 'after' else 'after'}"].notna().to_numpy()
            filled.loc[absent & other, f"{name}_{side}"] = 0.0
    return filled


def _name_change(before: str, after: str, _: Translator) -> str:
    return f"{name_kind(before, _)} → {name_kind(after, _)}"


def sum_groups(comparison: Comparison, option: int, kind: str, stage: str) -> pd.DataFrame:
    """Return pupils by group (rows) and band (columns, ``BANDS``) of one option.

    ``kind``: one of ``GROUP_KINDS``; for ``"stage"`` the groups are the stages, and ``stage`` does not count.
    """
    rows = comparison.spread
    rows = rows[rows["option"] == option]
    if kind == "stage":
        rows = rows[rows["group_kind"] == "county"].assign(group=lambda table: table["stage"])
    else:
        rows = rows[(rows["group_kind"] == kind) & (rows["stage"] == stage)]
    wide = rows.pivot_table(index="group", columns="band", values="pupils", aggfunc="sum", fill_value=0.0)
    return wide.reindex(columns=list(BANDS), fill_value=0.0)


def name_area(kind: str, group: str, _: Translator) -> str:
    """Return the name of a group of :func:`sum_groups`."""
    if kind == "setting":
        return name_setting_short(group, _)
    if kind == "stage":
        return name_stage_short(group, _)
    if kind == "county":
        return _("Whole county")
    return group or _("Unknown township")


def build_gain_table(comparison: Comparison, option: int, kind: str, stage: str, _: Translator) -> pd.DataFrame:
    """Return who gains and who loses by group, in pupils and per cent: the numbers of the chart."""
    wide = sum_groups(comparison, option, kind, stage)
    total = wide.sum(axis=1)
    worse = wide[["worse", "worse_5", "worse_15"]].sum(axis=1)
    better = wide[["better", "better_5", "better_15"]].sum(axis=1)
    table = pd.DataFrame(
        {
            _("Group"): [name_area(kind, str(group), _) for group in wide.index],
            _("Pupils"): total.round().to_numpy(),
            _("Longer way"): worse.round().to_numpy(),
            _("Longer way (%)"): (worse / total * 100).round(1).to_numpy(),
            _("No change"): wide["same"].round().to_numpy(),
            _("Shorter way"): better.round().to_numpy(),
            _("Shorter way (%)"): (better / total * 100).round(1).to_numpy(),
            _("Lose their way"): wide["lost"].round().to_numpy(),
            _("Get a way"): wide["won"].round().to_numpy(),
            _("Unknown"): wide["unknown"].round().to_numpy(),
        }
    )
    order = (worse + wide["lost"]).to_numpy()
    return table.iloc[np.argsort(-order, kind="stable")].reset_index(drop=True)
