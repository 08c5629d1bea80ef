"""Words that every document of a consultation pack shares: counts, schools, ways, what changes, status, footer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geodata.messages import Message
from planning.flag_case import iterate_rows
from planning.run_record import RESULTS_VERSION
from reports.document import Paragraph
from reports.language import MISSING_NUMBER, Translator

if TYPE_CHECKING:
    import datetime

    from planning.procedure import Procedure
    from planning.publication import Publication
    from planning.publication_options import PackOptions
    from reports.consultation_case import Consultation

BLANK_LINE = "_" * 20
"""Stands where the bureau has to write something in: what is not known is never invented."""
CHINESE_NUMBERS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三", "十四", "十五")
"""How the parts of an official text are numbered."""
DIGEST_LETTERS = 12
"""How much of the fingerprint of the data stands in a footer; the whole one stands in the report."""


def say_count(value: float, hidden: bool, threshold: int, _: Translator) -> str:
    """Return a published count: "not shown" where it is hidden, a dash where it is not known.

    A hidden count is not written as "<10": large counts are hidden beside small ones, so that these cannot be worked
    out, and of them it would be false. :func:`say_counts_note` says what is hidden; ``threshold`` is that of the pack.
    """
    if hidden or 0 < value < threshold:
        return _("not shown")
    return _.number(value) if math.isfinite(value) else MISSING_NUMBER


def say_school(name: str, school_id: str, _: Translator) -> str:
    """Return a school's name; one without a name, or with its id for a name, is called by its number."""
    return _("School no. {number}", number=school_id) if name.strip() in ("", school_id) else name.strip()


def say_community(name: str, unit_id: str, _: Translator) -> str:
    """Return a community's name; one without a name, or with its id for a name, is called by its number."""
    return _("Community no. {number}", number=unit_id) if name.strip() in ("", unit_id) else name.strip()


def say_school_names(names: Iterable[str], ids: str, _: Translator) -> str:
    """Return the schools of a community as a list.

    Parameters
    ----------
    names
        As ``before_names`` and ``after_names`` of the publication hold them.
    ids
        Their ids, joined by ";": schools without a name are called by them.
    """
    keys = [key for key in str(ids).split(";") if key]
    known = list(names)
    if not keys:
        return _.join(known) if known else _("no school")
    padded = known + [""] * (len(keys) - len(known))
    return _.join(say_school(str(name), key, _) for name, key in zip(padded, keys, strict=False))


def say_before(row: Any, _: Translator) -> str:
    """Return the schools of today of a row of ``publication.units``."""
    return say_school_names(row.before_names, row.before_ids, _)


def say_after(row: Any, _: Translator) -> str:
    """Return the schools of the proposal of a row of ``publication.units``."""
    return say_school_names(row.after_names, row.after_ids, _)


def say_minutes(minutes: float, _: Translator) -> str:
    """Return a time of travel in whole minutes, or a dash; less than half a minute is still a minute."""
    if not math.isfinite(minutes):
        return MISSING_NUMBER
    return _("{minutes} min", minutes=_.number(max(1.0, round_minutes(minutes))))


def round_minutes(minutes: float) -> float:
    """Return whole minutes, halves upwards, as a reader would round them."""
    return math.floor(minutes + 0.5)


def say_time_change(before_min: float, after_min: float, _: Translator) -> str:
    """Return how the way changes, in words that agree with the rounded times beside it."""
    if not (math.isfinite(before_min) and math.isfinite(after_min)):
        return MISSING_NUMBER
    change = max(1.0, round_minutes(after_min)) - max(1.0, round_minutes(before_min))
    if change > 0:
        return _("{minutes} min longer", minutes=_.number(change))
    if change < 0:
        return _("{minutes} min shorter", minutes=_.number(-change))
    return _("as long as today")


def say_change(row: Any, _: Translator) -> str:
    """Return in one sentence what changes for a community (a row of ``publication.units``)."""
    before, after = say_before(row, _), say_after(row, _)
    if not row.changed:
        return _("Nothing changes: the school stays {school}.", school=after)
    if not row.before_ids:
        return _("Today no school is assigned; in the proposal it is {after}.", after=after)
    if not row.after_ids:
        return _("Today the school is {before}; in the proposal no school can be reached.", before=before)
    return _("Today the school is {before}; in the proposal it is {after}.", before=before, after=after)


def tell_reason(row: Any, _: Translator) -> str:
    """Return why a community (a row of ``publication.units``) goes where it goes; empty where nothing is said."""
    reason = row.reason
    if isinstance(reason, Message):
        return _.say(reason)
    return str(reason) if isinstance(reason, str) else ""


def name_school_status(status: str, _: Translator, *, into: str = "") -> str:
    """Return what happens to a school (``status``, ``into`` of ``publication.schools``)."""
    if status == "gone":
        return _("merged into {school}", school=into) if into else _("closed")
    names = {"new": _("new"), "changed": _("changed"), "same": _("as today")}
    return names.get(status, status)


def say_before_after(before: str, after: str, _: Translator) -> str:
    """Return a value of today and of the proposal; once where they are equal."""
    return after if before == after else _("{before} → {after}", before=before, after=after)


def name_grades(grades: str, _: Translator) -> str:
    """Return which grades a way is of (``grades`` of ``publication.ways``)."""
    names = {"all": _("all grades"), "low": _("grades 1 to 3"), "upper": _("grade 4 and above")}
    return names.get(grades, grades)


def say_part(number: int, title: str, _: Translator) -> str:
    """Return the heading of a part with its number as the language writes it: ``1. Why``, ``一、缘由``."""
    if _.language == "zh" and 0 < number <= len(CHINESE_NUMBERS):
        return _("{number}. {title}", number=CHINESE_NUMBERS[number - 1], title=title)
    return _("{number}. {title}", number=_.number(number), title=title)


def say_status(procedure: Procedure, _: Translator) -> str:
    """Return what stands on every page while a step of the procedure is missing, else nothing."""
    return _("Draft for comment") if procedure.missing else ""


def say_proposal(procedure: Procedure, _: Translator) -> str:
    """Return what kind of proposal this is, as a title says it."""
    if procedure.kind == "closure":
        return _("Change of the school layout")
    return _("Change of school catchments")


def say_or_blank(text: str, _: Translator) -> str:
    """Return a text of the bureau, or a line to write it on."""
    return text.strip() or BLANK_LINE


def tell_sender(consultation: Consultation, _: Translator) -> Paragraph:
    """Return who signs and when, kept together at the right."""
    options = consultation.options
    return Paragraph(f"{say_or_blank(options.issuer, _)}\n{say_day(options.opens, _)}", align="right")


def say_period(options: PackOptions, _: Translator) -> str:
    """Return from when until when objections are taken, with lines where a day is not known yet."""
    opens = BLANK_LINE if options.opens is None else _.date(options.opens)
    closes = BLANK_LINE if options.closes is None else _.date(options.closes)
    return _("from {opens} to {closes}", opens=opens, closes=closes)


def say_days(options: PackOptions) -> int:
    """Return on how many days objections are taken, both ends counted; 0 where a day is not known."""
    if options.opens is None or options.closes is None:
        return 0
    return (options.closes - options.opens).days + 1


def say_synthetic(consultation: Consultation, _: Translator) -> str:
    """Return the warning of a study that is no real place, else nothing."""
    return _("Synthetic data: no real place, no real school.") if consultation.study.synthetic else ""


def say_footer(consultation: Consultation, _: Translator) -> str:
    """Return what stands on every page: sources, results version, pack, data, and whether the place is real."""
    study = consultation.study
    parts = [
        say_synthetic(consultation, _),
        _("Sources: {sources}", sources=study.attribution) if study.attribution else "",
        _("Pack {pack}", pack=consultation.pack_id),
        _("data {digest}", digest=study.fingerprint[:DIGEST_LETTERS]),
        _("results version {version}", version=RESULTS_VERSION),
    ]
    return " · ".join(part for part in parts if part)


def say_counts_note(consultation: Consultation, _: Translator) -> str:
    """Return the sentence about hidden and unknown counts that stands under every table of counts."""
    return _(
        "Children are counted by the model, in whole numbers. “Not shown”: fewer than {threshold}, or a number from"
        " which a smaller one could be worked out. “–”: not known.",
        threshold=consultation.publication.threshold,
    )


def say_day(day: datetime.date | None, _: Translator) -> str:
    """Return a day, or the space in which to write one."""
    return _("day ____ month ____ year ______") if day is None else _.date(day)


@dataclass(frozen=True)
class WayWords:
    """Where a community goes on one side: one row per group of grades that goes elsewhere than the others.

    ``schools`` in words; ``time_min`` and ``length_m`` one way, the mean over the shares of ``schools``, NaN unknown.
    """

    grades: str
    school_ids: tuple[str, ...]
    schools: str
    time_min: float
    length_m: float


Ways = Mapping[tuple[str, str, str], tuple[WayWords, ...]]
"""By stage, unit and side (``before``, ``after``)."""


def build_ways(publication: Publication, _: Translator) -> Ways:
    """Return ``publication.ways`` in words, by stage, unit and side; a unit without a school has no entry."""
    rows: dict[tuple[str, str, str], dict[str, list[Any]]] = {}
    for row in iterate_rows(publication.ways):
        key = (str(row.stage), str(row.unit_id), str(row.side))
        rows.setdefault(key, {}).setdefault(str(row.grades), []).append(row)
    order = ("all", "low", "upper")
    return {
        key: tuple(_say_way(grades, found[grades], _) for grades in sorted(found, key=order.index))
        for key, found in rows.items()
    }


def _say_way(grades: str, rows: list[Any], _: Translator) -> WayWords:
    return WayWords(
        grades=grades,
        school_ids=tuple(str(row.school_id) for row in rows),
        schools=_.join(say_school(str(row.school_name), str(row.school_id), _) for row in rows),
        time_min=_average(rows, "time_min"),
        length_m=_average(rows, "length_m"),
    )


def _average(rows: list[Any], column: str) -> float:
    """Return the mean over the rows, weighted by their shares; NaN where one is not known."""
    total = sum(float(row.share) for row in rows)
    return sum(float(row.share) * float(getattr(row, column)) for row in rows) / total if total > 0 else math.nan


def say_ways(ways: Sequence[WayWords], _: Translator) -> str:
    """Return all schools of a community on one side, with the grades where these part."""
    if not ways:
        return _("no school")
    if len(ways) == 1 and ways[0].grades == "all":
        return ways[0].schools
    told = [_("{grades}: {schools}", grades=name_grades(way.grades, _), schools=way.schools) for way in ways]
    return "\n".join(told)
