"""What a notice tells of each school: what happens to it, its zone in words and as a map, who comes and who leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planning.flag_case import iterate_rows
from reports.consultation_changes import Changes, build_changes, say_what_happens
from reports.consultation_words import (
    Ways,
    build_ways,
    say_community,
    say_count,
    say_counts_note,
    say_minutes,
    say_school,
    say_ways,
    tell_reason,
)
from reports.consultation_zones import NoticeZones, list_told_schools, tell_zone
from reports.document import Align, Block, Bullets, Facts, Heading, Paragraph, Picture, Table
from reports.forecast_words import say_school_year
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_kind, name_stage_short
from reports.static_maps import MapKey, name_map

if TYPE_CHECKING:
    from reports.consultation_case import Consultation

MOST_REASONS = 15
"""More communities than this in one table: their reasons stand in the letters and on the map."""
LONG_TEXT = 1200
"""A row of facts is not cut by a page's end: a longer text is set as a paragraph."""
_WIDTHS = (0.16, 0.1, 0.22, 0.22, 0.1, 0.1, 0.1)
_ALIGNS: tuple[Align, ...] = ("left", "left", "left", "left", "right", "right", "right")


def choose_map(row: Any) -> MapKey:
    """Return which map a school (a row of ``publication.schools``) needs: both zones where both are and differ."""
    both = row.changed and row.status != "new"
    side: Any = "before" if row.status == "gone" else "both" if both else "after"
    return MapKey(str(row.stage), str(row.school_id), side)


@dataclass(frozen=True, eq=False)
class _Case:
    """What every school of one notice is told from."""

    consultation: Consultation
    pictures: Mapping[str, bytes]
    ways: Ways
    zones: NoticeZones
    changes: Changes
    names: Mapping[str, str]


def build_school_blocks(
    consultation: Consultation, pictures: Mapping[str, bytes], zones: NoticeZones, _: Translator
) -> list[Block]:
    """Return the blocks of every school that is told in full, by stage and id.

    Parameters
    ----------
    pictures : PNG by ``name_map`` of ``choose_map``; a school without a picture has none
    zones : of ``build_notice_zones``
    """
    schools = consultation.publication.schools
    names = {str(row.school_id): say_school(str(row.name), str(row.school_id), _) for row in iterate_rows(schools)}
    ways = build_ways(consultation.publication, _)
    case = _Case(consultation, pictures, ways, zones, build_changes(consultation), names)
    blocks: list[Block] = []
    stage = ""
    for row in iterate_rows(list_told_schools(consultation)):
        if row.stage != stage and len(consultation.publication.stages) > 1:
            blocks.append(Heading(name_stage_short(str(row.stage), _), 2))
        stage = str(row.stage)
        blocks += _tell_school(case, row, _)
    return blocks


def _tell_school(case: _Case, row: Any, _: Translator) -> list[Block]:
    name = say_school(str(row.name), str(row.school_id), _)
    blocks: list[Block] = [
        Heading(name, 3 if len(case.consultation.publication.stages) > 1 else 2),
        *_tell_state(case, row, _),
        *_tell_zones(case, row, _),
        *_show_map(case, row, name, _),
    ]
    coming, leaving, inside = _sort_communities(case, row)
    blocks += _list_communities(case, coming, _("Communities that come to this school"), _)
    blocks += _list_communities(case, leaving, _("Communities that leave this school"), _)
    return blocks + _list_communities(
        case, inside, _("Communities of this school for which grades or other schools change"), _
    )


def _tell_state(case: _Case, row: Any, _: Translator) -> list[Block]:
    """Return what happens to a school and from when, and its numbers of today and of the proposal side by side."""
    year = case.changes.school_years.get((str(row.stage), str(row.school_id)))
    facts = [
        (_("Township"), str(row.town)),
        (_("What happens"), say_what_happens(row, case.changes, _)),
        (_("From the school year"), "" if year is None else say_school_year(year, _)),
    ]
    rows = tuple(line for line in _list_numbers(case, row, _) if set(line[1:]) != {MISSING_NUMBER})
    return [
        Facts(tuple((title, value) for title, value in facts if value)),
        Table(("", _("Today"), _("In the proposal")), rows, widths=(0.4, 0.3, 0.3)),
    ]


def _list_numbers(case: _Case, row: Any, _: Translator) -> list[tuple[str, str, str]]:
    """Return rows of a title and two values; a school that is gone or new has zero places, not unknown ones.

    The mean way to a school is left out: with the ways of its communities it would tell their hidden counts.
    """
    threshold = case.consultation.publication.threshold

    def pair(title: str, say: Callable[[str], str], nothing: str = MISSING_NUMBER) -> tuple[str, str, str]:
        absent = {"gone": "after", "new": "before"}.get(str(row.status))
        before, after = (nothing if side == absent else say(side) for side in ("before", "after"))
        return (title, before, after)

    def count(name: str) -> Callable[[str], str]:
        return lambda side: say_count(
            float(getattr(row, f"{name}_{side}")), bool(getattr(row, f"{name}_{side}_hidden")), threshold, _
        )

    def number(name: str) -> Callable[[str], str]:
        return lambda side: _.number(float(getattr(row, f"{name}_{side}")))

    return [
        pair(_("Kind"), lambda side: name_kind(str(getattr(row, f"kind_{side}")), _) or MISSING_NUMBER),
        pair(_("Places"), number("places"), _.number(0)),
        pair(_("Classes"), number("classes"), _.number(0)),
        pair(_("Children of its zone"), count("pupils"), _.number(0)),
        pair(_("On its roll"), count("roll"), _.number(0)),
        pair(_("Places taken"), lambda side: _say_fill(row, side, _)),
    ]


def _say_fill(row: Any, side: str, _: Translator) -> str:
    """Return how full a school is, from its published counts; a dash where its children are not shown."""
    places, pupils = float(getattr(row, f"places_{side}")), float(getattr(row, f"pupils_{side}"))
    if getattr(row, f"pupils_{side}_hidden") or not places > 0:
        return MISSING_NUMBER
    told = _.percent(pupils / places)
    return _("{share}: more children than places", share=told) if pupils > places else told


def _tell_zones(case: _Case, row: Any, _: Translator) -> list[Block]:
    """Return the zones of a school in words; a school with several has one list each."""
    gone = row.status == "gone"
    zones = case.zones.get((str(row.stage), "before" if gone else "after", str(row.school_id)), ())
    if not zones:
        return [] if gone else [Paragraph(_("No community is assigned to this school by the proposal."))]
    blocks: list[Block] = []
    for zone in zones:
        pairs = tell_zone(zone, _, today=gone)
        if len(zone.school_ids) > 1:
            pairs.insert(1, (_("Shared by"), _.join(case.names.get(key, key) for key in zone.school_ids)))
        short = tuple(pair for pair in pairs if len(pair[1]) <= LONG_TEXT)
        blocks += [Facts(short)] if short else []
        for title, text in pairs:
            if len(text) > LONG_TEXT:
                blocks += [Paragraph(title, bold=True), Paragraph(text)]
        if not zone.exact:
            told = _("The boundary in words is approximate here; the list of communities is exact.")
            blocks.append(Paragraph(told, "small"))
    return blocks


def _show_map(case: _Case, row: Any, name: str, _: Translator) -> list[Block]:
    key = choose_map(row)
    file = name_map(key)
    if file not in case.pictures:
        return []
    texts = {
        "before": _("Zone of {school} today", school=name),
        "after": _("Zone of {school} in the proposal", school=name),
        "both": _("Zone of {school} today and in the proposal", school=name),
    }
    signs = {
        "before": _("filled: zone of today"),
        "after": _("filled: zone in the proposal"),
        "both": _(
            "filled: zone in the proposal; dashed: zone of today; hatched: comes to the school; dotted: leaves it"
        ),
    }
    title = _("{title} ({signs})", title=texts[key.side], signs=signs[key.side])
    return [Picture(file, alt=title, caption=say_map_caption(case.consultation, title, _))]


def say_map_caption(consultation: Consultation, title: str, _: Translator) -> str:
    """Return the caption of a map, with the number of its review where there is one."""
    number = consultation.options.map_number
    return _("{title}. Map number: {number}", title=title, number=number) if number else title


def _sort_communities(case: _Case, row: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the changed communities of a school: those that come, those that leave, those that stay and share."""
    units = case.consultation.publication.units
    units = units[(units["stage"] == row.stage) & units["changed"].astype(bool)]
    coming: list[Any] = []
    leaving: list[Any] = []
    inside: list[Any] = []
    # Communities without a name go by their number: 2 before 10.
    key = units["name"].where(units["name"] != units["unit_id"], units["unit_id"].astype(str).str.zfill(20))
    for unit in iterate_rows(units.assign(key=key).sort_values(["town", "key", "unit_id"], kind="stable")):
        before, after = (str(row.school_id) in str(ids).split(";") for ids in (unit.before_ids, unit.after_ids))
        if before or after:
            (inside if before and after else leaving if before else coming).append(unit)
    return coming, leaving, inside


def _list_communities(case: _Case, units: list[Any], caption: str, _: Translator) -> list[Block]:
    """Return a table of communities, and why each changes where they are few."""
    if not units:
        return []
    rides = [_takes_bus(case, unit) for unit in units]
    rows = [_tell_community(case, unit, ride, _) for unit, ride in zip(units, rides, strict=True)]
    told = _list_reasons([(row[0], tell_reason(unit, _)) for row, unit in zip(rows, units, strict=True)], _)
    notes = [
        _("*: by the school bus of the proposal.") if any(rides) else "",
        _("Why: see the letter to each community, or the map.") if len(told) > MOST_REASONS else "",
        say_counts_note(case.consultation, _) if any(bool(unit.pupils_hidden) for unit in units) else "",
    ]
    headings = (
        *(_("Community"), _("Township"), _("School today"), _("School in the proposal")),
        *(_("Way today"), _("Way in the proposal"), _("Children")),
    )
    columns = [place for place in range(len(headings)) if place != 1 or any(row[1] for row in rows)]
    table = Table(
        headings=tuple(headings[place] for place in columns),
        rows=tuple(tuple(row[place] for place in columns) for row in rows),
        widths=share_widths([_WIDTHS[place] for place in columns]),
        aligns=tuple(_ALIGNS[place] for place in columns),
        caption=caption,
        note=" ".join(note for note in notes if note),
    )
    return [table, Bullets(told)] if told and len(told) <= MOST_REASONS else [table]


def _list_reasons(reasons: list[tuple[str, str]], _: Translator) -> tuple[str, ...]:
    """Return every reason once, with the communities that it is the reason for."""
    groups: dict[str, list[str]] = {}
    for name, reason in reasons:
        groups.setdefault(reason, []).append(name)
    return tuple(
        _("{community}: {reason}", community=_.join(names), reason=reason) for reason, names in groups.items() if reason
    )


def share_widths(widths: Sequence[float]) -> tuple[float, ...]:
    """Return widths that add up to the line: a column that was left out leaves its width to all others."""
    return tuple(width / sum(widths) for width in widths)


def _tell_community(case: _Case, unit: Any, ride: bool, _: Translator) -> tuple[str, ...]:
    then = say_minutes(float(unit.min_after), _)
    return (
        say_community(str(unit.name), str(unit.unit_id), _),
        str(unit.town),
        say_ways(case.ways.get((unit.stage, unit.unit_id, "before"), ()), _),
        say_ways(case.ways.get((unit.stage, unit.unit_id, "after"), ()), _),
        say_minutes(float(unit.min_before), _),
        f"{then}*" if ride else then,
        say_count(float(unit.pupils), bool(unit.pupils_hidden), case.consultation.publication.threshold, _),
    )


def _takes_bus(case: _Case, unit: Any) -> bool:
    ways = case.ways.get((unit.stage, unit.unit_id, "after"), ())
    return any((str(unit.unit_id), school_id) in case.changes.rides for way in ways for school_id in way.school_ids)
