"""Letters to the communities whose school changes: a page each, and the same as a table for mail merge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from planning.flag_case import iterate_rows
from planning.scenario import name_mode
from reports.comment_form import build_form_spec
from reports.consultation_changes import Changes, build_changes
from reports.consultation_words import (
    WayWords,
    build_ways,
    name_grades,
    say_change,
    say_community,
    say_day,
    say_footer,
    say_minutes,
    say_or_blank,
    say_status,
    say_synthetic,
    say_time_change,
    say_ways,
    tell_reason,
    tell_sender,
)
from reports.document import Blank, Block, Box, Document, Heading, PageBreak, Paragraph, Table
from reports.forecast_words import say_school_year
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_stage_short

if TYPE_CHECKING:
    from reports.consultation_case import Consultation
    from reports.consultation_words import Ways

CUT_DASHES = 34
"""How long the line is along which the slip of a letter is cut off."""
SLIP_LINES, SHORT_SLIP_LINES = 5, 2
"""Lines of the slip; fewer where grades part, so that the letter stays on one page."""
LEAST_LENGTH_M = 50.0
"""A shorter way would be written as 0 km."""


def list_letter_units(consultation: Consultation) -> list[list[Any]]:
    """Return the rows of ``publication.units`` that change, one list per community: its stages in order."""
    units = consultation.publication.units
    order = {stage: place for place, stage in enumerate(consultation.publication.stages)}
    changed = units[units["changed"].astype(bool)]
    # Ids that are numbers are ordered as numbers: 2 before 10.
    changed = changed.assign(place=changed["stage"].map(order), key=changed["unit_id"].astype(str).str.zfill(20))
    changed = changed.sort_values(["town", "key", "place"], kind="stable")
    found: dict[str, list[Any]] = {}
    for row in iterate_rows(changed):
        found.setdefault(str(row.unit_id), []).append(row)
    return list(found.values())


@dataclass(frozen=True, eq=False)
class _Case:
    """What every letter is written from."""

    consultation: Consultation
    ways: Ways
    changes: Changes
    fields: list[dict[str, Any]]

    def find(self, row: Any, side: str) -> tuple[WayWords, ...]:
        """Return the ways of a row of ``publication.units`` on one side."""
        return self.ways.get((str(row.stage), str(row.unit_id), side), ())


def _build_case(consultation: Consultation, _: Translator) -> _Case:
    fields = build_form_spec(consultation, _)["fields"]
    return _Case(consultation, build_ways(consultation.publication, _), build_changes(consultation), fields)


def build_letters(consultation: Consultation, _: Translator) -> Document:
    """Return one page per community whose school changes, by township and id."""
    case = _build_case(consultation, _)
    letters = list_letter_units(consultation)
    blocks = _write_cover(letters, _)
    for rows in letters:
        blocks += [PageBreak(), *_write_letter(case, rows, _)]
    return Document(
        title=_("Letters to the communities: {title}", title=consultation.title),
        language=_.language,
        blocks=tuple(blocks),
        status=say_status(consultation.procedure, _),
        footer=say_footer(consultation, _),
        author=consultation.options.issuer,
    )


def _write_cover(letters: list[list[Any]], _: Translator) -> list[Block]:
    """Return the page for whoever sends the letters: how many, what to enclose, to whom."""
    if not letters:
        return [Paragraph(_("No community changes its school: there is nobody to write to."), "lead")]
    told = _(
        "For whoever sends them: {letters} letters, one page each, in the order of this list. Fill in empty lines, if"
        " there are any. The same letters stand as a table for mail merge in the .csv file beside.",
        letters=_.number(len(letters)),
    )
    towns: dict[str, list[str]] = {}
    for rows in letters:
        name = say_community(str(rows[0].name), str(rows[0].unit_id), _)
        towns.setdefault(str(rows[0].town), []).append(name)
    listed = [_("{town}: {communities}", town=town, communities=_.join(names)) for town, names in towns.items() if town]
    return [Paragraph(told), *map(Paragraph, listed), *(Paragraph(_.join(towns[town])) for town in towns if not town)]


def _write_letter(case: _Case, rows: list[Any], _: Translator) -> list[Block]:
    consultation = case.consultation
    first = rows[0]
    name = say_community(str(first.name), str(first.unit_id), _)
    town = str(first.town)
    place = _("{town}, {community}", town=town, community=name) if town and town not in name else name
    blocks: list[Block] = [Heading(_("To the families of {community}", community=place), 1)]
    if consultation.study.synthetic:
        blocks.append(Paragraph(say_synthetic(consultation, _), "small"))
    blocks.append(Paragraph(_say_opening(consultation, _), "lead"))
    for row in rows:
        blocks += _tell_stage(case, row, _)
    blocks.append(_tell_answering(consultation, _has_slip(case, rows), _))
    blocks.append(tell_sender(consultation, _))
    return [*blocks, *_ask_reply(case, rows[0], place, _)] if _has_slip(case, rows) else blocks


def _has_slip(case: _Case, rows: list[Any]) -> bool:
    """Whether a slip to answer follows: while comments are asked for, and where the page has room for it."""
    return bool(case.consultation.procedure.missing) and len(rows) == 1


def _ask_reply(case: _Case, row: Any, place: str, _: Translator) -> list[Block]:
    """Return the slip at the foot of a letter: the questions of the form that must be answered, numbered as there."""
    lines = (
        SLIP_LINES if len(_list_groups(case.find(row, "before"), case.find(row, "after"))) == 1 else SHORT_SLIP_LINES
    )
    asked = [field for field in case.fields if field["required"] or field["id"] == "contact"]
    slip, dashes = _("Reply slip"), "- " * CUT_DASHES
    blocks: list[Block] = [
        Paragraph(f"✂ {dashes} {slip} {dashes}", "small", bold=True, align="center"),
        Paragraph(_("{community} · Pack {pack}", community=place, pack=case.consultation.pack_id), "small"),
    ]
    for field in asked:
        title = _("{number}. {question}", number=_.number(field["number"]), question=str(field["label"]))
        if field["options"]:
            ticks = "   ".join(f"□ {option['label']}".replace(" ", "\u00a0") for option in field["options"])
            blocks.append(Paragraph(f"{title}\n{ticks}", "lead"))
        else:
            blocks.append(Blank(title, min(int(field["lines"]), lines)))
    return blocks


def _say_opening(consultation: Consultation, _: Translator) -> str:
    issuer = say_or_blank(consultation.options.issuer, _)
    if consultation.procedure.missing:
        return _(
            "{issuer} is considering a change of schools (“{title}”). It would change the school of your community."
            " Nothing is decided yet: we ask for your opinion.",
            issuer=issuer,
            title=consultation.title,
        )
    return _(
        "{issuer} changes schools (“{title}”). The school of your community changes.",
        issuer=issuer,
        title=consultation.title,
    )


def _tell_stage(case: _Case, row: Any, _: Translator) -> list[Block]:
    """Return school and way of today and of the proposal, from when, and why."""
    year = case.changes.unit_years.get((str(row.stage), str(row.unit_id)))
    blocks: list[Block] = [
        Heading(_("{stage}: what changes for you", stage=name_stage_short(str(row.stage), _)), 2),
        Table(
            headings=("", _("Today"), _("In the proposal")),
            rows=tuple(_pair_rows(case, row, _)),
            widths=(0.3, 0.35, 0.35),
        ),
    ]
    blocks += [Paragraph(told, bold=True) for told in _say_changes(case, row, _)]
    if year is not None:
        blocks.append(Paragraph(_("From the school year {year}.", year=say_school_year(year, _))))
    reason = tell_reason(row, _)
    if reason:
        blocks.append(Paragraph(_("Why: {reason}", reason=reason)))
    return blocks


def _say_changes(case: _Case, row: Any, _: Translator) -> list[str]:
    """Return how the way changes: by grades where they part, because their mean is nobody's way."""
    before, after = case.find(row, "before"), case.find(row, "after")
    groups = _list_groups(before, after)
    if len(groups) == 1:
        change = say_time_change(float(row.min_before), float(row.min_after), _)
        return [] if change == MISSING_NUMBER else [_("On average the way would be {change}.", change=change)]
    told = []
    for grades in groups:
        old, new = _find_way(before, grades), _find_way(after, grades)
        if old is not None and new is not None and math.isfinite(old.time_min) and math.isfinite(new.time_min):
            change = say_time_change(old.time_min, new.time_min, _)
            line = _("{grades}: the way would be {change}.", grades=name_grades(grades, _), change=change)
            told.append(line[:1].upper() + line[1:])
    return told


def _list_groups(before: Sequence[WayWords], after: Sequence[WayWords]) -> list[str]:
    """Return all grades, or the groups of grades whose ways part."""
    groups = sorted({way.grades for way in (*before, *after)}, key=("all", "low", "upper").index)
    return [grades for grades in groups if grades != "all"] or ["all"]


def _pair_rows(case: _Case, row: Any, _: Translator) -> list[tuple[str, str, str]]:
    """Return the rows school and way, once for all grades or once for each group of grades that parts."""
    before, after = case.find(row, "before"), case.find(row, "after")
    rows: list[tuple[str, str, str]] = []
    for grades in _list_groups(before, after):
        old, new = _find_way(before, grades), _find_way(after, grades)
        school, way = _("School"), _("Way to school, one way")
        if grades != "all":
            school, way = (_("{title}, {grades}", title=item, grades=name_grades(grades, _)) for item in (school, way))
        rows.append((school, *_both(old.schools if old else "", new.schools if new else "", _("no school"))))
        ride = new is not None and any((str(row.unit_id), key) in case.changes.rides for key in new.school_ids)
        told = _say_way(case, old, False, _), _say_way(case, new, ride, _)
        rows.append((way, *_both(*told, MISSING_NUMBER)))
    return rows


def _both(first: str, second: str, nothing: str) -> tuple[str, str]:
    return first or nothing, second or nothing


def _find_way(ways: Sequence[WayWords], grades: str) -> WayWords | None:
    """Return the way of some grades: their own, or that of all grades."""
    return next((way for way in ways if way.grades in (grades, "all")), None)


def _say_way(case: _Case, way: WayWords | None, ride: bool, _: Translator) -> str:
    """Return minutes, how, and how far; how far is left out on a bus, whose line is not known."""
    if way is None or not math.isfinite(way.time_min):
        return ""
    minutes = say_minutes(way.time_min, _)
    if ride:
        return _("{minutes}, by the new school bus", minutes=minutes)
    mode = _.say(name_mode(case.consultation.proposal.scenario.mode))
    if not math.isfinite(way.length_m):
        return _("{minutes} {mode}", minutes=minutes, mode=mode)
    if way.length_m < LEAST_LENGTH_M:
        return _("{minutes} {mode}, less than 0.1 km", minutes=minutes, mode=mode)
    return _("{minutes} {mode}, {km} km", minutes=minutes, mode=mode, km=_.number(way.length_m / 1000, digits=1))


def _tell_answering(consultation: Consultation, slip: bool, _: Translator) -> Block:
    """Return how to answer and until when, or whom to ask once it is decided."""
    options = consultation.options
    closes = say_day(options.closes, _)
    office = say_or_blank(options.office or options.issuer, _)
    lines = [
        _("Call: {phone}", phone=say_or_blank(options.phone, _)),
        _("Write or come: {office}, {address}", office=office, address=say_or_blank(options.address, _)),
        _("E-mail: {email}", email=say_or_blank(options.email, _)),
    ]
    if not consultation.procedure.missing:
        return Box(_("If you have a question"), tuple(lines))
    if slip:
        form = _("Or fill in the slip below. You need not give your name, and please write no child's name.")
    else:
        form = _("Or fill in the form for comments. You need not give your name.")
    return Box(_("Tell us what you think until {closes}", closes=closes), (*lines, form))


def build_letter_rows(consultation: Consultation, _: Translator) -> pd.DataFrame:
    """Return the letters as a table for mail merge: one row per community, headings in the reader's language.

    What belongs to a stage stands in columns of its own, named after it where there are several stages. No column
    holds a count of pupils.
    """
    case = _build_case(consultation, _)
    rows = [_build_row(case, rows, _) for rows in list_letter_units(consultation)]
    several = len(consultation.publication.stages) > 1
    stages = [name_stage_short(stage, _) for stage in consultation.publication.stages]
    titles = list(_list_stage_columns(_))
    wanted = [_("{stage}: {column}", stage=stage, column=title) for stage in stages for title in titles]
    columns = [*_list_place_columns(_), *(wanted if several else titles), *_list_sender(consultation, _)]
    return pd.DataFrame(rows, columns=columns).fillna("")


def _list_place_columns(_: Translator) -> tuple[str, ...]:
    return (_("Township"), _("Number of the community"), _("Community"))


def _list_stage_columns(_: Translator) -> tuple[str, ...]:
    return (
        *(_("School today"), _("School in the proposal"), _("From the school year")),
        *(_("Way today"), _("Way in the proposal")),
        *(_("What changes"), _("Change of the way"), _("Why")),
    )


def _list_sender(consultation: Consultation, _: Translator) -> dict[str, str]:
    """Return what is the same in every letter; what is not known stays empty, to be filled in."""
    options = consultation.options
    return {
        _("Proposal"): consultation.title,
        _("State"): say_status(consultation.procedure, _),
        _("Issuer"): options.issuer,
        _("Document number"): options.document_number,
        _("Comments from"): "" if options.opens is None else _.date(options.opens),
        _("Comments until"): "" if options.closes is None else _.date(options.closes),
        _("Office"): options.office,
        _("Phone"): options.phone,
        _("E-mail"): options.email,
        _("Address"): options.address,
        _("Pack"): consultation.pack_id,
        _("Note"): say_synthetic(consultation, _),
    }


def _build_row(case: _Case, rows: list[Any], _: Translator) -> dict[str, str]:
    first, consultation = rows[0], case.consultation
    values = (str(first.town), str(first.unit_id), say_community(str(first.name), str(first.unit_id), _))
    found = dict(zip(_list_place_columns(_), values, strict=True))
    several = len(consultation.publication.stages) > 1
    for row in rows:
        stage = name_stage_short(str(row.stage), _)
        year = case.changes.unit_years.get((str(row.stage), str(row.unit_id)))
        told = (
            say_ways(case.find(row, "before"), _),
            say_ways(case.find(row, "after"), _),
            "" if year is None else say_school_year(year, _),
            say_minutes(float(row.min_before), _),
            say_minutes(float(row.min_after), _),
            say_change(row, _),
            " ".join(_say_changes(case, row, _)) or MISSING_NUMBER,
            tell_reason(row, _),
        )
        for title, value in zip(_list_stage_columns(_), told, strict=True):
            found[_("{stage}: {column}", stage=stage, column=title) if several else title] = value
    return {**found, **_list_sender(consultation, _)}
