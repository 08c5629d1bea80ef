"""Every word of the offline map, in one language: the page itself only fills in names and numbers.

Names in braces are filled in by the page; what a reader of the other documents sees there is said here in the same
words (``reports.consultation_words``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planning.scenario import name_mode
from reports.consultation_words import (
    say_count,
    say_counts_note,
    say_footer,
    say_or_blank,
    say_period,
    say_proposal,
    say_status,
    say_synthetic,
)
from reports.language import Translator
from reports.legend import name_stage_short
from reports.map_scene import find_credit, say_way_method

if TYPE_CHECKING:
    from reports.consultation_case import Consultation


def build_page_words(consultation: Consultation, _: Translator) -> dict[str, Any]:
    """Return the words of the page by key: texts, and lists of texts for ``method``, ``limits`` and ``answer``."""
    stages = consultation.publication.stages
    return {
        **_say_head(consultation, _),
        **_say_search(_),
        **_say_map(consultation, _),
        **_say_card(consultation, _),
        **_say_school(consultation, _),
        **_say_lists(_),
        **_say_form(consultation, _),
        **{f"stage_{stage}": name_stage_short(stage, _) for stage in stages},
        "method": _say_method(consultation, _),
        "limits": _say_limits(_),
        "answer": _say_answer(consultation, _),
        "contacts": _list_contacts(consultation, _),
    }


def say_no_script(_: Translator) -> str:
    """Return what a browser without scripts shows."""
    return _("This map needs JavaScript. The public notice says the same in words and on paper.")


def _say_head(consultation: Consultation, _: Translator) -> dict[str, Any]:
    procedure, options = consultation.procedure, consultation.options
    parts = [options.issuer, options.document_number]
    if options.opens is not None or options.closes is not None:
        parts.append(_("Comments {period}", period=say_period(options, _)))
    return {
        "skip": _("Go to the search"),
        "kind": say_proposal(procedure, _),
        "byline": " · ".join(part for part in parts if part),
        "synthetic": say_synthetic(consultation, _),
        "draft": say_status(procedure, _),
        "draft_note": _("Nothing is decided yet."),
        "steps_count": _("Steps still to come: {count}"),
        "steps": [_.say(step.name) for step in procedure.missing],
        "sources_title": _("Sources and version"),
        "foot": say_footer(consultation, _),
    }


def _say_search(_: Translator) -> dict[str, str]:
    return {
        "find_title": _("Find your home"),
        "find_label": _("Estate, village, street, address or school"),
        "find_hint": _("You can also choose on the map. What you type stays on this device."),
        "find_none": _("Nothing found for “{text}”. Try the name of a community or street, or choose on the map."),
        "find_count": _("Found: {count}"),
        "find_clear": _("Clear"),
        "find_results": _("Search results"),
        "kind_community": _("Community"),
        "kind_school": _("School"),
        "in_community": _("in {community}"),
        "house": _("{street} no. {number}"),
        "street_one": _("Street in one community"),
        "street_note": _("Street through {count} communities"),
    }


def _say_map(consultation: Consultation, _: Translator) -> dict[str, str]:
    number = consultation.options.map_number
    note = (
        _("Map review number: {number}", number=number)
        if number
        else _("Sketch map. Borders of zones are not administrative borders.")
    )
    credit = find_credit(consultation.study)
    return {
        "map_title": _("Map"),
        "map_label": _("Map: arrow keys move it, plus and minus zoom, Enter chooses what lies in the middle"),
        "zoom_in": _("Zoom in"),
        "zoom_out": _("Zoom out"),
        "fit": _("Show the whole county"),
        "north": _("N"),
        "north_up": _("North is at the top"),
        "map_note": " · ".join(part for part in (note, credit) if part),
        "view_title": _("What the map shows"),
        "view_change": _("What changes"),
        "view_after": _("Proposal"),
        "view_before": _("Today"),
        "stage_title": _("Stage"),
        "legend": _("Legend"),
        "legend_changed": _("community that gets another school"),
        "legend_zone": _("border of a zone in the proposal"),
        "legend_zone_before": _("border of a zone today"),
        "legend_shared": _("zone of several schools"),
        "legend_same": _("school"),
        "legend_changed_school": _("school that changes"),
        "legend_gone": _("school that closes or merges"),
        "legend_new": _("new school"),
        "legend_border": _("border of a township"),
    }


def _say_card(consultation: Consultation, _: Translator) -> dict[str, str]:
    scenario = consultation.proposal.scenario
    mode = _.say(name_mode(scenario.mode))
    bus = any(action.kind == "bus" for action in scenario.all_actions)
    minutes_note = (
        _("Minutes one way, {mode} or by the school bus of the proposal; the mean of the community.", mode=mode)
        if bus
        else _("Minutes one way, {mode}; the mean of the community.", mode=mode)
    )
    return {
        "card_title": _("My home"),
        "card_empty": _(
            "Search for your community or choose it on the map: here you see its school today and in the proposal."
        ),
        "community_number": _("Community no. {number}"),
        "school_number": _("School no. {number}"),
        "today": _("Today"),
        "proposed": _("Proposal"),
        "no_school": _("no school"),
        "changes_yes": _("The school changes"),
        "changes_no": _("The school stays the same"),
        "several": _("one of these schools"),
        "grades_low": _("grades 1 to 3"),
        "grades_upper": _("grade 4 and above"),
        "minutes": _("{minutes} min"),
        "longer": _("{minutes} min longer"),
        "shorter": _("{minutes} min shorter"),
        "as_long": _("as long as today"),
        "for_grades": _("{grades}: "),
        "metres": _("{number} m"),
        "kilometres": _("{number} km"),
        "why": _("Why:"),
        "minutes_note": minutes_note,
        "comment_on": _("Comment on this"),
        "comment_on_school": _("Comment on this school"),
        "show_map": _("Show on the map"),
        "print": _("Print"),
    }


def _say_school(consultation: Consultation, _: Translator) -> dict[str, str]:
    return {
        "hidden": say_count(float("nan"), True, consultation.publication.threshold, _),
        "closed": _("closes"),
        "merged": _("is merged into {school}"),
        "status_new": _("new school"),
        "status_changed": _("places or kind change"),
        "status_same": _("stays as it is"),
        "zone_changes": _("stays; its zone changes"),
        "fact_places": _("Places"),
        "fact_classes": _("Classes"),
        "fact_pupils": _("Children of its zone"),
        "fact_roll": _("Pupils on the roll"),
        "fact_units": _("Number of communities"),
        "zone_before": _("Zone today: {count} communities"),
        "zone_after": _("Zone in the proposal: {count} communities"),
        "counts_note": say_counts_note(consultation, _),
    }


def _say_lists(_: Translator) -> dict[str, str]:
    return {
        "changes_title": _("What changes"),
        "changes_none": _("No community gets another school at this stage."),
        "changes_sum": _("{changed} of {units} communities get another school: {moved} of {all} children."),
        "changes_ways": _(
            "Compared with today, {worse} children have a longer way, {better} a shorter one and {same} about the same."
        ),
        "schools_title": _("Schools that change"),
        "units_title": _("Communities that get another school"),
        "what": _("What happens"),
        "times": _("{times} ({difference})"),
        "show_all": _("Show all {count}"),
        "method_title": _("How this was worked out"),
        "limits_title": _("What to bear in mind"),
        "answer_title": _("How to object or comment"),
        "form_title": _("Your comment"),
    }


def _say_form(consultation: Consultation, _: Translator) -> dict[str, str]:
    ways = [
        way for way in (consultation.options.email, consultation.options.office, consultation.options.address) if way
    ]
    where = (
        _("Now send it to: {ways}.", ways=_.join(ways)) if ways else _("Now send it to the office named in the notice.")
    )
    return {
        "form_intro": _("This page sends nothing. Save your comment as a file or copy it, and send it yourself."),
        "form_required": _("(required)"),
        "form_optional": _("(may be left empty)"),
        "form_choose": _("– please choose –"),
        "form_save": _("Save as a file"),
        "form_copy": _("Copy as text"),
        "form_mail": _("Write an e-mail"),
        "form_clear": _("Empty the form"),
        "form_text": _("Your comment as text"),
        "form_check": _("Please check your answers"),
        "form_missing": _("Please write something here."),
        "form_missing_choice": _("Please choose one."),
        "form_long": _("Too long by {count} characters."),
        "form_identity": _("This looks like an identity card number. Please take it out."),
        "form_head": _("Comment on: {title}"),
        "form_pack": _("Pack {pack}, written on {day}"),
        "form_line": _("{number}. {label}: {answer}"),
        "form_saved": _("Saved as {file}."),
        "form_copied": _("Copied."),
        "form_by_hand": _("Your browser does not allow copying: please select the text below and copy it."),
        "form_where": where,
    }


def _say_method(consultation: Consultation, _: Translator) -> list[str]:
    """Return how the answer was found, in plain words."""
    scenario, study = consultation.proposal.scenario, consultation.study
    differs = consultation.baseline.scenario.enrolment != scenario.enrolment
    methods = {
        "nearest": _("In the proposal every child goes to the nearest school that teaches its stage."),
        "zones": _("In the proposal every community goes to the school of its zone, with the changes named here."),
        "capacity": _("In the proposal places are shared out so that all children together have the shortest ways."),
        "choice": _("In the proposal families choose schools as they are seen to choose today."),
        "zoning": _("In the proposal zones are drawn anew, each of one piece, within the rules."),
    }
    parts = [
        _("Two states are compared: the schools and zones of today, and those of the proposal."),
        methods[scenario.enrolment],
        _("Today is worked out by another method; part of the differences comes from that.") if differs else "",
        _(
            "The way is measured from the homes of a community to the school, one way, {mode}.",
            mode=_.say(name_mode(scenario.mode)),
        ),
        say_way_method(study, scenario.mode, _),
        _("School year from {year}.", year=scenario.year) if scenario.year else "",
    ]
    return [part for part in parts if part]


def _say_limits(_: Translator) -> list[str]:
    return [
        _("Minutes are a mean of the community: from your own door it may be a few minutes more or less."),
        _("Weather, traffic and waiting for a bus are not in the minutes."),
        _("Lines on the map are simplified by a few metres. The words of the notice decide where a border runs."),
        _("A house number leads to its community. Homes and single children are not in this page."),
        _("What counts is the published decision, not this page."),
    ]


def _say_answer(consultation: Consultation, _: Translator) -> list[str]:
    return [
        _("Comments and objections are taken {period}.", period=say_period(consultation.options, _)),
        _("Use the form below, the paper form, or call."),
    ]


def _list_contacts(consultation: Consultation, _: Translator) -> list[list[str]]:
    """Return name and value of every way to reach the office; the phone has a line to write on where it is missing."""
    options = consultation.options
    pairs = [
        (_("Office"), options.office),
        (_("Phone"), say_or_blank(options.phone, _)),
        (_("E-mail"), options.email),
        (_("Address"), options.address),
    ]
    return [[name, value] for name, value in pairs if value]
