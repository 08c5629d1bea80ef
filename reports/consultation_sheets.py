"""The published tables of a pack as sheets in the reader's words: schools, communities, flows, towns, totals.

Every count comes from the publication; a hidden one is written in the words of all documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from reports.compare_words import name_band, name_verdict
from reports.consultation_words import (
    name_school_status,
    say_after,
    say_before,
    say_community,
    say_count,
    say_school,
    tell_reason,
)
from reports.consultation_workbook import CellKind, Column, Sheet
from reports.legend import name_kind, name_setting_short, name_stage_short

if TYPE_CHECKING:
    from reports.consultation_case import Consultation
    from reports.language import Translator

SCHOOLS_WIDTH = 28.0
"""Letters in a line of a list of schools."""
ABSENT = {"gone": "after", "new": "before"}
"""On which side a school does not teach the stage: there nothing is unknown, there is nothing."""


def build_published_sheets(consultation: Consultation, _: Translator) -> list[Sheet]:
    """Return the sheets of schools, communities that change, all communities, flows, towns and totals."""
    publication, threshold = consultation.publication, consultation.publication.threshold
    return [
        _build_schools(publication.schools, threshold, _),
        _build_communities(publication.units, threshold, _),
        _build_units(publication.units, threshold, _),
        _build_flows(publication.flows, threshold, _),
        _build_towns(publication.towns, threshold, _),
        _build_totals(publication.totals, threshold, _),
    ]


def list_rows(table: pd.DataFrame) -> list[Any]:
    """Return the rows of a table as named tuples."""
    return list(table.itertuples(index=False))


def list_counts(table: pd.DataFrame, name: str, hidden: str, threshold: int, _: Translator) -> list[object]:
    """Return counts as cells: numbers, words where hidden, None where not known."""
    return [
        say_count(value, True, threshold, _)
        if flag or 0 < value < threshold
        else (None if value != value else float(value))
        for value, flag in zip(table[name], table[hidden], strict=True)
    ]


def list_numbers(values: Iterable[Any]) -> list[object]:
    """Return numbers as cells; None where not known."""
    return [None if value is None or value != value else float(value) for value in values]


def name_outcome(verdict: str, _: Translator) -> str:
    """Return whether a way becomes shorter or longer, in words."""
    return name_band(verdict, _) if verdict in ("lost", "won") else name_verdict(verdict, _)


def _list_stages(table: pd.DataFrame, _: Translator) -> list[object]:
    return [name_stage_short(str(stage), _) for stage in table["stage"]]


def _say_yes(values: Iterable[Any], _: Translator) -> list[object]:
    return [_("yes") if value else _("no") for value in values]


def _build_schools(table: pd.DataFrame, threshold: int, _: Translator) -> Sheet:
    rows = list_rows(table)
    counts = {
        name: list_counts(table, name, f"{name}_hidden", threshold, _)
        for name in ("pupils_before", "pupils_after", "roll_before", "roll_after")
    }
    columns = [
        Column(_("Stage"), _list_stages(table, _)),
        Column(_("School"), [say_school(str(row.name), str(row.school_id), _) for row in rows]),
        Column(_("School number"), [str(row.school_id) for row in rows]),
        Column(_("Township"), [str(row.town or "") for row in rows]),
        Column(_("Setting"), [name_setting_short(str(row.setting), _) for row in rows]),
        Column(_("What happens"), [name_school_status(str(row.status), _, into=str(row.into or "")) for row in rows]),
        Column(_("Kind before"), [name_kind(str(row.kind_before or ""), _) for row in rows]),
        Column(_("Kind in the proposal"), [name_kind(str(row.kind_after or ""), _) for row in rows]),
    ]
    for name, headings, kind in _name_school_numbers(_):
        for side, heading in zip(("before", "after"), headings, strict=True):
            cells = counts.get(f"{name}_{side}") or list_numbers(table[f"{name}_{side}"])
            columns.append(Column(heading, _blank_absent(cells, rows, side), kind))
    columns.append(Column(_("Something changes"), _say_yes(table["changed"], _)))
    return Sheet("schools", _("Schools"), tuple(columns))


def _name_school_numbers(_: Translator) -> list[tuple[str, tuple[str, str], CellKind]]:
    return [
        ("places", (_("Number of places before"), _("Number of places in the proposal")), "count"),
        ("classes", (_("Number of classes before"), _("Number of classes in the proposal")), "count"),
        ("pupils", (_("Children of the zone before"), _("Children of the zone in the proposal")), "count"),
        ("roll", (_("Roll before the change"), _("Roll in the proposal (projected)")), "count"),
        ("units", (_("Communities before"), _("Communities in the proposal")), "count"),
        ("mean_min", (_("Mean minutes before"), _("Mean minutes in the proposal")), "minutes"),
    ]


def _blank_absent(cells: list[object], rows: list[Any], side: str) -> list[object]:
    """Return cells with an empty text where a school does not teach the stage on that side."""
    return ["" if ABSENT.get(str(row.status)) == side else cell for cell, row in zip(cells, rows, strict=True)]


def _build_communities(table: pd.DataFrame, threshold: int, _: Translator) -> Sheet:
    """The communities of which something changes, as a resident reads them."""
    table = table[table["changed"].astype(bool)]
    rows = list_rows(table)
    columns = (
        Column(_("Stage"), _list_stages(table, _)),
        Column(_("Community"), [say_community(str(row.name), str(row.unit_id), _) for row in rows]),
        Column(_("Township"), [str(row.town or "") for row in rows]),
        Column(_("School before the change"), [say_before(row, _) for row in rows], widest=SCHOOLS_WIDTH),
        Column(_("School in the proposal"), [say_after(row, _) for row in rows], widest=SCHOOLS_WIDTH),
        Column(_("Minutes before the change"), list_numbers(table["min_before"]), "minutes"),
        Column(_("Minutes in the proposal"), list_numbers(table["min_after"]), "minutes"),
        Column(
            _("Children who change school"), list_counts(table, "moved_pupils", "moved_hidden", threshold, _), "count"
        ),
        Column(_("Reason"), [tell_reason(row, _) for row in rows]),
    )
    return Sheet("communities", _("Communities that change"), columns)


def _build_units(table: pd.DataFrame, threshold: int, _: Translator) -> Sheet:
    rows = list_rows(table)
    columns = (
        Column(_("Stage"), _list_stages(table, _)),
        Column(_("Community"), [say_community(str(row.name), str(row.unit_id), _) for row in rows]),
        Column(_("Community number"), [str(row.unit_id) for row in rows]),
        Column(_("Township"), [str(row.town or "") for row in rows]),
        Column(_("Setting"), [name_setting_short(str(row.setting), _) for row in rows]),
        Column(_("Children"), list_counts(table, "pupils", "pupils_hidden", threshold, _), "count"),
        Column(
            _("Children who change school"), list_counts(table, "moved_pupils", "moved_hidden", threshold, _), "count"
        ),
        Column(_("School before the change"), [say_before(row, _) for row in rows], widest=SCHOOLS_WIDTH),
        Column(_("School in the proposal"), [say_after(row, _) for row in rows], widest=SCHOOLS_WIDTH),
        Column(_("Minutes before the change"), list_numbers(table["min_before"]), "minutes"),
        Column(_("Minutes in the proposal"), list_numbers(table["min_after"]), "minutes"),
        Column(_("Minutes longer"), list_numbers(table["change_min"]), "minutes"),
        Column(_("Metres before"), list_numbers(table["length_before_m"].round()), "count"),
        Column(_("Metres in the proposal"), list_numbers(table["length_after_m"].round()), "count"),
        Column(_("The way becomes"), [name_outcome(str(row.verdict), _) for row in rows]),
        Column(_("Something changes"), _say_yes(table["changed"], _)),
        Column(_("Reason"), [tell_reason(row, _) for row in rows]),
        Column(_("Numbers of the schools before"), [str(row.before_ids) for row in rows]),
        Column(_("Numbers of the schools in the proposal"), [str(row.after_ids) for row in rows]),
    )
    return Sheet("units", _("All communities"), columns)


def _build_flows(table: pd.DataFrame, threshold: int, _: Translator) -> Sheet:
    rows = list_rows(table)
    nothing = _("no school")

    def name(key: object, text: object) -> str:
        return say_school(str(text), str(key), _) if str(key) else nothing

    columns = (
        Column(_("Stage"), _list_stages(table, _)),
        Column(_("School before the change"), [name(row.before_id, row.before_name) for row in rows]),
        Column(_("Number of the school before"), [str(row.before_id) for row in rows]),
        Column(_("School in the proposal"), [name(row.after_id, row.after_name) for row in rows]),
        Column(_("Number of the school in the proposal"), [str(row.after_id) for row in rows]),
        Column(_("Number of communities"), list_numbers(table["units"]), "count"),
        Column(_("Children"), list_counts(table, "pupils", "pupils_hidden", threshold, _), "count"),
    )
    return Sheet("flows", _("Who changes school"), columns)


def _build_towns(table: pd.DataFrame, threshold: int, _: Translator) -> Sheet:
    names = {
        "pupils": _("Children"),
        "moved": _("Children who change school"),
        "worse": _("Longer way"),
        "better": _("Shorter way"),
    }
    counts = [
        Column(title, list_counts(table, _count_of(name), f"{name}_hidden", threshold, _), "count")
        for name, title in names.items()
    ]
    columns = (
        Column(_("Stage"), _list_stages(table, _)),
        Column(_("Township"), [str(town) or _("Unknown township") for town in table["town"]]),
        Column(_("Number of communities"), list_numbers(table["units"]), "count"),
        *counts,
    )
    return Sheet("towns", _("Townships"), columns)


def _count_of(name: str) -> str:
    return name if name == "pupils" else f"{name}_pupils"


def _build_totals(table: pd.DataFrame, threshold: int, _: Translator) -> Sheet:
    names = {
        "units": _("Number of communities"),
        "changed_units": _("Communities that change"),
        "pupils": _("Children"),
        "moved_pupils": _("Children who change school"),
        "worse_pupils": _("Longer way"),
        "same_pupils": _("No change"),
        "better_pupils": _("Shorter way"),
        "lost_pupils": _("Lose their way"),
        "won_pupils": _("Get a way"),
        "unknown_pupils": _("Unknown"),
    }
    columns = []
    for name, title in names.items():
        flag = name.replace("_pupils", "_hidden")
        shown = flag != name and flag in table
        cells = list_counts(table, name, flag, threshold, _) if shown else list_numbers(table[name])
        columns.append(Column(title, cells, "count"))
    return Sheet("totals", _("Totals of the county"), (Column(_("Stage"), _list_stages(table, _)), *columns))
