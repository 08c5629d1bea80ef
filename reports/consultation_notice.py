"""The public notice of a proposal: what changes, every school with its zone and map, how to object, the procedure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from planning.flag_case import iterate_rows
from planning.procedure import STEPS, Step, StepRecord
from planning.rules import Rule
from planning.scenario import name_mode, name_stage
from reports.consultation_changes import build_changes, say_what_happens
from reports.consultation_closures import build_closure_blocks
from reports.consultation_schools import build_school_blocks, choose_map, say_map_caption, share_widths
from reports.consultation_words import (
    name_school_status,
    say_before_after,
    say_count,
    say_counts_note,
    say_days,
    say_footer,
    say_or_blank,
    say_part,
    say_period,
    say_proposal,
    say_school,
    say_status,
    say_synthetic,
    tell_sender,
)
from reports.consultation_zones import NoticeZones, build_notice_zones, list_changed_schools, list_told_schools
from reports.document import Align, Blank, Block, Box, Bullets, Document, Facts, Heading, Paragraph, Picture, Table
from reports.forecast_words import say_school_year
from reports.language import Translator
from reports.legend import name_stage_short
from reports.static_maps import MapKey, name_map

if TYPE_CHECKING:
    from reports.consultation_case import Consultation

LEGAL_BASIS = {
    "rezoning": ("Z1", "Z2", "Z6", "Z8"),
    "closure": ("Z1", "C1.travel", "C2", "C6", "C9", "C11", "T1"),
}
"""Rules of the Chinese rulebook that a notice rests on, by kind of proposal; a rulebook without them cites none."""
_WIDTHS = (0.25, 0.22, 0.12, 0.15, 0.1, 0.16)
_ALIGNS: tuple[Align, ...] = ("left", "left", "left", "right", "right", "right")
LONG_NOTICE = 12
"""More schools than this: a table of contents."""


def list_notice_maps(consultation: Consultation) -> tuple[MapKey, ...]:
    """Return the maps of a notice: the county for every stage, then every school that is told in full."""
    county = tuple(MapKey(stage, "", "after") for stage in consultation.publication.stages)
    return (*county, *(choose_map(row) for row in iterate_rows(list_told_schools(consultation))))


def build_notice(
    consultation: Consultation, pictures: Mapping[str, bytes], _: Translator, *, zones: NoticeZones | None = None
) -> Document:
    """Return the notice.

    Parameters
    ----------
    pictures
        PNG by ``name_map`` of :func:`list_notice_maps`; what is missing is left out.
    zones
        Of ``build_notice_zones``: they are costly and serve every language of a pack; None: found here.
    """
    zones = build_notice_zones(consultation) if zones is None else zones
    parts = [part for part in _list_parts(consultation, pictures, zones, _) if part[1]]
    blocks = _open(consultation, _)
    for number, (title, content) in enumerate(parts, start=1):
        blocks += [Heading(say_part(number, title, _)), *content]
    used = {name_map(key) for key in list_notice_maps(consultation)}
    return Document(
        title=_say_title(consultation, _),
        language=_.language,
        blocks=(*blocks, *_sign(consultation, _)),
        subtitle=consultation.options.document_number,
        status=say_status(consultation.procedure, _),
        footer=say_footer(consultation, _),
        author=consultation.options.issuer,
        contents=len(list_told_schools(consultation)) > LONG_NOTICE,
        pictures={name: png for name, png in pictures.items() if name in used},
    )


def _say_title(consultation: Consultation, _: Translator) -> str:
    if consultation.procedure.missing:
        return _("Public notice: comments are invited on the proposal “{title}”", title=consultation.title)
    return _("Public notice of “{title}”", title=consultation.title)


def _list_parts(
    consultation: Consultation, pictures: Mapping[str, bytes], zones: NoticeZones, _: Translator
) -> Iterator[tuple[str, list[Block]]]:
    """Return titles and blocks in the order of the notice; parts without a block are left out and not numbered."""
    yield _("Why it is proposed"), _tell_why(consultation, _)
    yield _("What is proposed"), _tell_proposal(consultation, pictures, _)
    yield _("Zones by school"), build_school_blocks(consultation, pictures, zones, _)
    yield _("How to comment or object"), _tell_answering(consultation, _)
    yield _("Tests of closures"), build_closure_blocks(consultation, _)
    yield _("Procedure"), _tell_procedure(consultation, _)
    yield _("Enrolment"), _ask_enrolment(_)
    yield _("How to read this notice"), _tell_limits(consultation, _)


def _open(consultation: Consultation, _: Translator) -> list[Block]:
    """Return what a reader must know first: who asks for what until when, and that nothing is decided."""
    options = consultation.options
    blocks: list[Block] = []
    if consultation.study.synthetic:
        blocks.append(Box(say_synthetic(consultation, _), (_("This is an example, not a notice of any authority."),)))
    parts = {
        "issuer": say_or_blank(options.issuer, _),
        "kind": say_proposal(consultation.procedure, _),
        "title": consultation.title,
        "period": say_period(options, _),
    }
    if not consultation.procedure.missing:
        blocks.append(Paragraph(_("{issuer} hereby publishes: {kind}, “{title}”.", **_drop(parts, "period")), "lead"))
        return blocks
    lead = _(
        "{issuer} publishes the following proposal ({kind}: “{title}”) and asks residents, families and schools for"
        " their comments {period}.",
        **parts,
    )
    blocks.append(Paragraph(lead, "lead"))
    days = say_days(options)
    if days:
        blocks.append(Paragraph(_("Comments are taken on {days} days.", days=_.number(days))))
    box = Box(
        _("This is a draft for comment. Nothing is decided yet."),
        (_("Children go to the same schools as today until a decision is published."),),
        "warn",
    )
    return [*blocks, box]


def _drop(parts: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in parts.items() if name not in names}


def _tell_why(consultation: Consultation, _: Translator) -> list[Block]:
    purpose = consultation.options.purpose.strip()
    blocks: list[Block] = [Paragraph(purpose) if purpose else Blank(_("Purpose of the proposal"), 3)]
    wanted = LEGAL_BASIS[consultation.procedure.kind]
    known = {rule.id: rule for rule in consultation.rules.rules if rule.enabled}
    rules = [known[name] for name in wanted if name in known]
    if rules:
        cited = tuple(dict.fromkeys(_cite(rule, _) for rule in rules))
        blocks += [Paragraph(_("Rules that it rests on:")), Bullets(cited)]
    if any(rule.evidence != "official" for rule in rules):
        blocks.append(Paragraph(_("Cited from secondary sources; the original texts decide."), "small"))
    return blocks


def _cite(rule: Rule, _: Translator) -> str:
    """Return name and source of a rule; how far the source was read is told once for all of them."""
    chinese = _.language == "zh"
    source = (rule.source_zh if chinese else "") or rule.source
    clause = (rule.clause_zh if chinese else "") or rule.clause
    where = _("{source}, {clause}", source=source, clause=clause) if clause else source
    return _("{name}: {source}", name=rule.name_zh if chinese else rule.name_en, source=where)


def _tell_proposal(consultation: Consultation, pictures: Mapping[str, bytes], _: Translator) -> list[Block]:
    blocks: list[Block] = []
    stages = consultation.publication.stages
    for stage in stages:
        if len(stages) > 1:
            blocks.append(Heading(name_stage_short(stage, _), 2))
        blocks += [Bullets(tuple(_tell_totals(consultation, stage, _))), *_list_schools(consultation, stage, _)]
        file = name_map(MapKey(stage, "", "after"))
        if file in pictures:
            title = _(
                "Zones of the proposal, {stage} (○ school that stays as it is, ■ changed, ▲ new, × closed;"
                " hatched: communities that change)",
                stage=_.say(name_stage(stage)),
            )
            alt = _("Map of the county: {title}", title=title)
            blocks.append(Picture(file, alt=alt, caption=say_map_caption(consultation, title, _)))
    return blocks


def _tell_totals(consultation: Consultation, stage: str, _: Translator) -> Iterator[str]:
    """Return the sums of a stage in sentences; counts below the threshold are not told."""
    publication = consultation.publication
    totals = publication.totals[publication.totals["stage"] == stage]
    schools = publication.schools[publication.schools["stage"] == stage]
    for row in iterate_rows(schools[schools["status"].isin(["gone", "new"])]):
        name = say_school(str(row.name), str(row.school_id), _)
        yield _("{school}: {what}", school=name, what=name_school_status(str(row.status), _, into=str(row.into)))
    for row in iterate_rows(totals):
        yield _(
            "{changed} of {units} communities change their school.",
            changed=_.number(row.changed_units),
            units=_.number(row.units),
        )

        yield from _tell_children(row, publication.threshold, _)


def _tell_children(row: Any, threshold: int, _: Translator) -> Iterator[str]:
    """Return how many children change and for how many the way changes, one sentence each."""
    sentences = {
        "pupils": _("Children in all: {count}"),
        "moved": _("Children who go to another school: {count}"),
        "worse": _("Children with a longer way than today: {count}"),
        "better": _("Children with a shorter way than today: {count}"),
        "lost": _("Children who would reach no school: {count}"),
    }
    for name, sentence in sentences.items():
        count = float(getattr(row, name if name == "pupils" else f"{name}_pupils"))
        hidden = bool(getattr(row, f"{name}_hidden", False))
        if name != "lost" or hidden or count > 0:
            yield sentence.format(count=say_count(count, hidden, threshold, _))


def _list_schools(consultation: Consultation, stage: str, _: Translator) -> list[Block]:
    """Return the table of the schools that change, with the school year where it is known, else a line for it."""
    publication, changes = consultation.publication, build_changes(consultation)
    schools = list_changed_schools(publication)
    schools = schools[schools["stage"] == stage]
    if schools.empty:
        return [Paragraph(_("No school changes."))]
    rows = []
    for row in iterate_rows(schools):
        year = changes.school_years.get((stage, str(row.school_id)))
        rows.append(
            (
                say_school(str(row.name), str(row.school_id), _),
                say_what_happens(row, changes, _),
                "" if year is None else say_school_year(year, _),
                _say_pair(row, "places", _),
                _say_pair(row, "classes", _),
                _say_children(row, publication.threshold, _),
            )
        )
    headings = (
        *(_("School"), _("What happens"), _("From the school year")),
        *(_("Places"), _("Classes"), _("Children of its zone")),
    )
    columns = [place for place in range(len(headings)) if place != 2 or any(row[2] for row in rows)]
    table = Table(
        tuple(headings[place] for place in columns),
        tuple(tuple(row[place] for place in columns) for row in rows),
        widths=share_widths([_WIDTHS[place] for place in columns]),
        aligns=tuple(_ALIGNS[place] for place in columns),
        caption=_("Schools that change: today → in the proposal"),
        note=say_counts_note(consultation, _),
    )
    return [table] if any(row[2] for row in rows) else [Blank(_("From the school year"), 1), table]


def _say_pair(row: Any, name: str, _: Translator) -> str:
    """Return places or classes of today and of the proposal; a school that is not there has none."""
    before, after = (_.number(float(getattr(row, f"{name}_{side}"))) for side in ("before", "after"))
    return _say_both(row, before, after, _)


def _say_children(row: Any, threshold: int, _: Translator) -> str:
    before = say_count(float(row.pupils_before), bool(row.pupils_before_hidden), threshold, _)
    after = say_count(float(row.pupils_after), bool(row.pupils_after_hidden), threshold, _)
    return _say_both(row, before, after, _)


def _say_both(row: Any, before: str, after: str, _: Translator) -> str:
    none = _.number(0)
    return say_before_after(none if row.status == "new" else before, none if row.status == "gone" else after, _)


def _tell_answering(consultation: Consultation, _: Translator) -> list[Block]:
    """Return how to comment; after the last step of the procedure, whom to ask."""
    options = consultation.options
    lines = [
        (_("Time for comments"), say_period(options, _)),
        (_("Office"), say_or_blank(options.office or options.issuer, _)),
        (_("Phone"), say_or_blank(options.phone, _)),
        (_("E-mail"), say_or_blank(options.email, _)),
        (_("Address for letters and visits"), say_or_blank(options.address, _)),
    ]
    ways = (
        _("Fill in the form for comments and hand it in, or send it to the address above."),
        _("Or open the file map.html, look up your community, write your comment there and send the file it saves."),
        _("Or call, write, or come to the office during the time for comments."),
    )
    what = _(
        "Say which school or community you mean, what should be different, and why. You need not give your name."
        " Please write no names and no identity card numbers of children."
    )
    return [Facts(tuple(lines)), Bullets(ways, numbered=True), Paragraph(what)]


def _tell_procedure(consultation: Consultation, _: Translator) -> list[Block]:
    """Return the steps of the law with date and evidence, and what is missing."""
    procedure = consultation.procedure
    records = {record.step_id: record for record in procedure.records}
    steps = [step for step in STEPS.values() if procedure.kind in step.kinds]
    rows = tuple(_tell_step(step, records.get(step.step_id, StepRecord(step.step_id)), _) for step in steps)
    table = Table((_("Step"), _("Done"), _("Date"), _("Evidence and notes")), rows, widths=(0.34, 0.12, 0.2, 0.34))
    if not procedure.missing:
        return [table, Paragraph(_("All steps are done."))]
    missing = _.join(_.say(step.name) for step in procedure.missing)
    return [
        table,
        Box(_("Missing: {steps}", steps=missing), (_("Until all are done, this is a draft for comment."),), "warn"),
    ]


def _tell_step(step: Step, record: StepRecord, _: Translator) -> tuple[str, str, str, str]:
    state = _("✓ done") if record.done else _("□ missing")
    files = _.join(item.name for item in record.evidence)
    notes = "\n".join(part for part in (record.note.strip(), files) if part)
    return (_.say(step.name), state, "" if record.date is None else _.date(record.date), notes)


def _ask_enrolment(_: Translator) -> list[Block]:
    """Return lines for what a notice must say and this program cannot know."""
    return [
        Blank(_("Who may enrol, in which order (filled in by the issuer)"), 2),
        Blank(_("Papers that are needed"), 2),
        Blank(_("Days of registration"), 1),
    ]


def _tell_limits(consultation: Consultation, _: Translator) -> list[Block]:
    """Return what the numbers and maps mean, and what they do not."""
    publication, options = consultation.publication, consultation.options
    mode = _.say(name_mode(consultation.proposal.scenario.mode))
    points = [
        _("Zones are made up of whole communities. The lists of communities are exact; words and maps show them."),
        *_tell_baseline(consultation, _),
        _("Ways are {mode}, from the middle of a community; a single child's way may be shorter or longer.", mode=mode),
        *(_.say(note) for note in publication.notes),
        _(
            "On the maps: ● the school itself, ○ other schools, ■ school that changes, ▲ new school,"
            " × school that closes."
        ),
        _say_map_law(options.show_boundaries, options.map_number, _),
        say_synthetic(consultation, _),
    ]
    return [Bullets(tuple(point for point in points if point))]


def _tell_baseline(consultation: Consultation, _: Translator) -> Iterator[str]:
    """Return what the proposal is compared with, and how it is told who goes to which school."""
    before, after = consultation.baseline.scenario, consultation.proposal.scenario
    if before.all_actions:
        yield _("“Today” stands for the option “{name}”.", name=before.name)
    else:
        yield _("“Today”: schools and places as they are.")
    old, new = _name_method(before.enrolment, _), _name_method(after.enrolment, _)
    if old == new:
        yield _(
            "Who goes where is computed, today and in the proposal alike: {how}. Not every family does so.", how=old
        )
    else:
        yield _(
            "Who goes where is computed; today: {before}; in the proposal: {after}. Not every family does so.",
            before=old,
            after=new,
        )


def _name_method(enrolment: str, _: Translator) -> str:
    """Return how children are sent to school, so that a resident understands it."""
    names = {
        "nearest": _("every child goes to the nearest school"),
        "zones": _("every child goes to the school of its zone"),
        "capacity": _("children are shared among the schools so that places suffice and ways stay short"),
        "choice": _("children go where families of their community went so far, by a model"),
        "zoning": _("every child goes to the school of its newly drawn zone"),
    }
    return names.get(enrolment, enrolment)


def _say_map_law(boundaries: bool, number: str, _: Translator) -> str:
    """Return what is to be known of the review of the maps."""
    if number:
        return _("Map number: {number}", number=number)
    if boundaries:
        return _("The maps show borders of townships and have not been reviewed: before publication they must be.")
    return _("The maps show schools, zones and roads only, no administrative borders.")


def _sign(consultation: Consultation, _: Translator) -> list[Block]:
    """Return enclosures, issuer and day."""
    names = (
        _("Map to look up one's own community (map.html)"),
        _("Letters to the communities"),
        _("Form for comments"),
    )
    return [
        Paragraph(_("Enclosures:"), bold=True),
        Bullets(names, numbered=True),
        tell_sender(consultation, _),
    ]
