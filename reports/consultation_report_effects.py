"""Who gains and who loses, in the report: children, settings, towns, communities and schools, as published."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from planning.flag_case import iterate_rows
from reports.consultation_checks import round_indicator
from reports.consultation_report_case import ReportCase, tell_community, tell_school, tell_schools
from reports.consultation_words import (
    name_school_status,
    say_before_after,
    say_count,
    say_counts_note,
    say_minutes,
    say_time_change,
)
from reports.document import Align, Block, Heading, Paragraph, Table
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_kind, name_setting_short, name_stage_short

MOST_COMMUNITIES = 12
MOST_WINNERS = 5
MOST_TOWNS = 15
MOST_SCHOOLS = 20
_RIGHT: Align = "right"


def build_effects_part(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield who gains and who loses: the county, settings, towns, then communities and schools by name."""
    yield from (Paragraph(_.say(note), "warn") for note in case.list_notes(_, proposal=True))
    yield from _list_pure_effects(case, _)
    yield _build_totals(case, _)
    for stage in case.consultation.publication.stages:
        head = _name_part(case, stage, _)
        yield from _list_settings(case, stage, head, _)
        yield from _list_towns(case, stage, head, _)
        yield from _list_communities(case, stage, head, _)
        yield from _list_schools(case, stage, head, _)
    yield Paragraph(say_counts_note(case.consultation, _), "small")


def _list_pure_effects(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield what the steps alone change, where today is computed by another method than the proposal."""
    proposal, baseline = case.consultation.proposal, case.consultation.baseline
    if proposal.before is None or baseline.scenario.enrolment == proposal.scenario.enrolment:
        return
    for stage in case.consultation.publication.stages:
        found = []
        for outcome in (proposal.before, proposal):
            rows = outcome.indicators
            mask = (rows["indicator"] == "mean_travel_min") & (rows["stage"] == stage) & (rows["area_kind"] == "county")
            value = float(rows.loc[mask, "value"].iloc[0]) if mask.any() else math.nan
            found.append(round_indicator(case.consultation, "mean_travel_min", "min", stage, value))
        if all(map(math.isfinite, found)):
            yield Paragraph(
                _(
                    "The steps alone, both computed as the proposal is: the mean way changes from {before} to {after}"
                    " minutes{part}.",
                    before=_.number(found[0], digits=1),
                    after=_.number(found[1], digits=1),
                    part=_name_part(case, stage, _),
                )
            )


def _name_part(case: ReportCase, stage: str, _: Translator) -> str:
    """Return the stage in brackets where there are several."""
    if len(case.consultation.publication.stages) < 2:
        return ""
    return _(" ({stage})", stage=name_stage_short(stage, _))


def _build_totals(case: ReportCase, _: Translator) -> Table:
    rows = []
    for row in iterate_rows(case.consultation.publication.totals):
        told = [
            say_count(math.nan, True, case.threshold, _)
            if getattr(row, f"{name}_hidden", False)
            else _say_of(float(getattr(row, f"{name}_pupils")), float(row.pupils), _)
            for name in ("moved", "worse", "same", "better", "lost")
        ]
        rows.append((name_stage_short(str(row.stage), _), _.number(row.pupils), *told))
    headings = (
        *(_("Stage"), _("Children"), _("Change school"), _("Longer way")),
        *(_("No change"), _("Shorter way"), _("Lose their way")),
    )
    aligns: tuple[Align, ...] = ("left", *([_RIGHT] * 6))
    return Table(headings, tuple(rows), aligns=aligns, note=_("A change of less than half a minute is none."))


def _say_of(count: float, whole: float, _: Translator) -> str:
    """Return a count with its share of the whole."""
    if not (count > 0 and whole > 0):
        return _.number(count)
    share = count / whole
    nearly = share < 0.1 or 0.99 < share < 1
    told = _.percent(min(share, 0.999) if nearly else share, digits=1 if nearly else 0)
    return _("{count} ({share})", count=_.number(count), share=told)


def _list_settings(case: ReportCase, stage: str, part: str, _: Translator) -> Iterator[Block]:
    """Yield how many communities of each setting gain and lose; shares of children could tell of single ones."""
    units = _select(case.consultation.publication.units, stage)
    settings = units["setting"].fillna("").astype(str)
    if settings.nunique() < 2:
        return
    rows = []
    for setting in ("urban", "town", "rural", ""):
        here = units[settings == setting]
        if len(here):
            counts = [
                int(here["verdict"].isin(names).sum()) for names in (("worse", "lost"), ("same",), ("better", "won"))
            ]
            named = name_setting_short(setting, _)
            told = [_.number(count) for count in (len(here), int(here["changed"].sum()), *counts)]
            rows.append((named, *told, _say_mean_change(here, _)))
    yield Heading(_("By setting{part}", part=part), 2)
    headings = (
        *(_("Setting"), _("Number of communities"), _("Other school"), _("Longer way")),
        *(_("No change"), _("Shorter way"), _("Largest rise")),
    )
    yield Table(headings, tuple(rows), aligns=("left", *([_RIGHT] * 6)))


def _say_mean_change(units: pd.DataFrame, _: Translator) -> str:
    """Return the longest lengthening among communities."""
    change = units["change_min"].max()
    if not math.isfinite(change) or change < 0.5:
        return MISSING_NUMBER
    return _("+{minutes} min", minutes=_.number(change, digits=0))


def _list_towns(case: ReportCase, stage: str, part: str, _: Translator) -> Iterator[Block]:
    towns = _select(case.consultation.publication.towns, stage)
    names = ("moved", "worse", "better")
    touched = pd.Series(False, index=towns.index)
    for name in names:
        touched |= towns[f"{name}_hidden"].astype(bool) | (towns[f"{name}_pupils"] > 0)
    if len(towns) < 2 or not touched.any():
        return
    order = towns[touched].sort_values(["moved_pupils", "worse_pupils"], ascending=False, kind="stable")
    rows = [_say_town(row, case, _) for row in iterate_rows(order.head(MOST_TOWNS))]
    yield Heading(_("By township{part}", part=part), 2)
    headings = (_("Township"), _("Children"), _("Change school"), _("Longer way"), _("Shorter way"))
    rest = len(order) - len(rows)
    untouched = _.number(int((~touched).sum()))
    note = _("{count} townships, where nobody's way changes, are left out.", count=untouched)
    if rest > 0:
        note += _(" {count} more stand in the workbook.", count=_.number(rest))
    aligns: tuple[Align, ...] = ("left", *([_RIGHT] * 4))
    yield Table(headings, tuple(rows), aligns=aligns, note=note)


def _say_town(row: Any, case: ReportCase, _: Translator) -> tuple[str, ...]:
    counts = (
        (row.pupils, row.pupils_hidden),
        (row.moved_pupils, row.moved_hidden),
        (row.worse_pupils, row.worse_hidden),
        (row.better_pupils, row.better_hidden),
    )
    told = [say_count(float(value), bool(hidden), case.threshold, _) for value, hidden in counts]
    return (str(row.town) or _("Unknown township"), *told)


def _list_communities(case: ReportCase, stage: str, part: str, _: Translator) -> Iterator[Block]:
    units = _select(case.consultation.publication.units, stage)
    worse = units[units["verdict"].isin(("worse", "lost"))].assign(gone=lambda rows: rows["verdict"] == "lost")
    worse = worse.sort_values(["gone", "change_min"], ascending=False, kind="stable")
    better = units[units["verdict"].isin(("better", "won"))].sort_values("change_min", kind="stable")
    for rows, most, title in (
        (worse, MOST_COMMUNITIES, _("Communities that lose most{part}", part=part)),
        (better, MOST_WINNERS, _("Communities that gain most{part}", part=part)),
    ):
        if len(rows):
            yield Heading(title, 2)
            yield _build_unit_table(rows, most, case, _)


def _build_unit_table(units: pd.DataFrame, most: int, case: ReportCase, _: Translator) -> Table:
    rows = []
    for row in iterate_rows(units.head(most)):
        name = tell_community(str(row.name), str(row.unit_id), _)
        before = tell_schools(row.before_names, row.before_ids, _)
        after = tell_schools(row.after_names, row.after_ids, _)
        ways = _("{before} → {after}", before=say_minutes(row.min_before, _), after=say_minutes(row.min_after, _))
        rows.append(
            (
                f"{name}\n{row.town}" if row.town else name,
                say_count(float(row.pupils), bool(row.pupils_hidden), case.threshold, _),
                say_before_after(before, after, _),
                f"{ways}\n{say_time_change(row.min_before, row.min_after, _)}",
            )
        )
    headings = (_("Community"), _("Children"), _("School"), _("Way to school"))
    rest = len(units) - len(rows)
    note = _("{count} more stand in the workbook.", count=_.number(rest)) if rest > 0 else ""
    return Table(headings, tuple(rows), (0.24, 0.11, 0.43, 0.22), ("left", "right", "left", "left"), note=note)


def _list_schools(case: ReportCase, stage: str, part: str, _: Translator) -> Iterator[Block]:
    schools = _select(case.consultation.publication.schools, stage)
    changed = schools[schools["changed"].astype(bool)]
    if changed.empty:
        return
    order = changed["status"].map({"gone": 0, "new": 1, "changed": 2, "same": 3})
    size = changed[["pupils_before", "pupils_after"]].fillna(0.0)
    shift = -(size["pupils_after"] - size["pupils_before"]).abs()
    changed = changed.assign(order=order, shift=shift).sort_values(["order", "shift"], kind="stable")
    yield Heading(_("Schools that change{part}", part=part), 2)
    rows = tuple(_say_school_row(row, case, _) for row in iterate_rows(changed.head(MOST_SCHOOLS)))
    headings = (
        *(_("School"), _("What happens"), _("Places"), _("Children of its zone")),
        *(_("On the roll"), _("Children per place")),
    )
    rest = len(changed) - len(rows)
    note = _("{count} more stand in the workbook.", count=_.number(rest)) if rest > 0 else ""
    aligns: tuple[Align, ...] = ("left", "left", *([_RIGHT] * 4))
    yield Table(headings, rows, (0.23, 0.19, 0.15, 0.15, 0.15, 0.13), aligns, note=note)


def _say_school_row(row: Any, case: ReportCase, _: Translator) -> tuple[str, ...]:
    told = name_school_status(str(row.status), _, into=str(row.into or ""))
    if row.status == "same":
        told = _("its zone changes")
    elif row.status == "changed" and row.kind_before == row.kind_after:
        told = _("its places or classes change")
    elif row.kind_before and row.kind_after and row.kind_before != row.kind_after:
        told = _("becomes: {kind}", kind=name_kind(str(row.kind_after), _))
    places = _say_pair((row.places_before, False), (row.places_after, False), row.status, case, _)
    zone = _say_pair(
        (row.pupils_before, row.pupils_before_hidden), (row.pupils_after, row.pupils_after_hidden), row.status, case, _
    )
    roll = _say_pair(
        (row.roll_before, row.roll_before_hidden), (row.roll_after, row.roll_after_hidden), row.status, case, _
    )
    return (tell_school(str(row.name), str(row.school_id), _), told, places, zone, roll, _say_fill(row, case, _))


def _say_pair(
    before: tuple[float, bool], after: tuple[float, bool], status: str, case: ReportCase, _: Translator
) -> str:
    first = say_count(float(before[0]), bool(before[1]), case.threshold, _)
    second = say_count(float(after[0]), bool(after[1]), case.threshold, _)
    if status == "gone":
        return first
    return second if status == "new" else say_before_after(first, second, _)


def _say_fill(row: Any, case: ReportCase, _: Translator) -> str:
    """Return pupils per place in the proposal; nothing where the pupils are hidden."""
    if row.status == "gone":
        return MISSING_NUMBER
    count = case.count_after(str(row.school_id), str(row.stage))
    if count.hidden or not (row.places_after > 0):
        return MISSING_NUMBER
    return _.percent(count.pupils / row.places_after)


def _select(table: pd.DataFrame, stage: str) -> pd.DataFrame:
    return table[table["stage"] == stage].reset_index(drop=True)
