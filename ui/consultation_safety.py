"""What would be published, worked out beside the page: what is hidden, what stands against it, what stays blank."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import StudyArea
from planning.compare_notes import name_enrolment
from planning.disclosure import DisclosureProblem, check_disclosure
from planning.procedure_checks import check_procedure
from planning.publication import Publication
from planning.publication_options import PackOptions
from planning.rules import Rules
from reports.consultation_build import build_today
from reports.consultation_case import list_printed_texts
from reports.language import Translator
from reports.legend import name_stage_short
from ui.cards import text
from ui.consultation_job import Checked, PackAsk, check_in_worker, compute_check_key, read_checked
from ui.job_panel import clear_job, open_board, read_job, render_job, say_failure, start_job
from ui.jobs import JobState
from ui.rules_key import read_rules
from ui.state import read_open_reference
from ui.studies import read_class_sizes, read_reference
from ui.text import plain

SLOT = "consultation_check"
FAILED_KEY = "consultation_check_failed"
"""Key and words of the check that could not be done, so that it is not tried again by itself."""
MOST_NOTES = 12


@st.cache_resource(max_entries=8, show_spinner=False)
def _load(key: str) -> Checked | None:
    return read_checked(key)


@st.cache_resource(max_entries=32, show_spinner=False)
def _check(
    key: str, asked: str, _study: StudyArea, _publication: Publication, _ask: PackAsk
) -> tuple[DisclosureProblem, ...]:
    rules = read_rules(_ask.rulebook)
    texts = list_printed_texts(_ask.proposal.all_actions, _ask.procedure)
    return check_disclosure(_study, _publication, _ask.options, rules=rules, texts=texts)


def find_checked(study: StudyArea, ask: PackAsk, _: Translator) -> Checked | None:
    """Return what would be published; while it is not known a job works it out, drawn here."""
    key = compute_check_key(study.fingerprint, ask)
    found = _load(key)
    if found is not None:
        _stop_other(key)
        return found
    _load.clear(key)
    failed = st.session_state.get(FAILED_KEY)
    if isinstance(failed, list) and failed[0] == key:
        st.warning(plain(failed[1], longest=900))
        st.button(_("Try again"), key="consultation_check_again", on_click=_forget_failure)
        return None
    if st.session_state.get(f"{SLOT}_job") != key and not _start(ask, key):
        st.warning(plain(_("The study's files are not there any more. Open the county again.")))
        return None
    state = render_job(SLOT, _("Working out what would be published"))
    if state is not None:
        _take_end(state, key, _)
    elif read_job(SLOT) is None:
        clear_job(SLOT)
    return None


def _take_end(state: JobState, key: str, _: Translator) -> None:
    """Draw the page again with the answer, or with the reason why there is none."""
    clear_job(SLOT)
    if state.status != "done":
        words = _("Stopped before there was an answer.") if state.status == "cancelled" else say_failure(state, _)
        st.session_state[FAILED_KEY] = [key, words or _("The answer could not be worked out.")]
    st.rerun()


def _forget_failure() -> None:
    st.session_state.pop(FAILED_KEY, None)


def _stop_other(key: str) -> None:
    """Stop the check of another question that still runs."""
    running = st.session_state.get(f"{SLOT}_job")
    if isinstance(running, str) and running != key:
        open_board().cancel(running)
        clear_job(SLOT)


def _start(ask: PackAsk, key: str) -> bool:
    try:
        spec = read_reference(read_open_reference() or "")
    except (LookupError, LayoutError):
        return False
    _stop_other(key)
    slim = replace(ask, alternatives=(), options=PackOptions(threshold=ask.options.threshold))
    start_job(SLOT, key, check_in_worker, spec=spec, class_sizes=read_class_sizes(), name=key, ask=slim)
    return True


def find_problems(study: StudyArea, ask: PackAsk, checked: Checked) -> tuple[DisclosureProblem, ...]:
    """Return what stands against publishing with the details as they are now."""
    asked = repr((ask.options, ask.procedure))
    return _check(compute_check_key(study.fingerprint, ask), asked, study, checked.publication, ask)


def render_safety(checked: Checked, problems: Sequence[DisclosureProblem], _: Translator) -> None:
    """Draw the panel: may this be published, what is hidden, how many pupils it is about."""
    publication = checked.publication
    blocking = [problem for problem in problems if problem.blocks]
    parts = []
    verdict = _("This must not be published as it is.") if blocking else _("Nothing here tells of single children.")
    parts.append(f'<p class="verdict {"bad" if blocking else "good"}">{text(verdict)}</p>')
    for problem in [*blocking, *(problem for problem in problems if not problem.blocks)]:
        weight = "" if problem.blocks else " priced"
        cure = text(_("Cure: {cure}", cure=_.say(problem.cure)), longest=600)
        words = text(_.say(problem.message), longest=600)
        parts.append(f'<div class="conflict{weight}">{words}<br><span class="cure">{cure}</span></div>')
    parts.append(f'<p class="quiet">{text(_say_hidden(publication, _), longest=500)}</p>')
    parts += [f"<p>{text(line, longest=400)}</p>" for line in _list_totals(checked, _)]
    st.html(f'<div class="card">{"".join(parts)}</div>')
    if publication.notes:
        with st.expander(_("What readers are told about these numbers"), key="consultation_notes"):
            for note in publication.notes[:MOST_NOTES]:
                st.caption(plain(_.say(note), longest=600))


def _say_hidden(publication: Publication, _: Translator) -> str:
    small, more = publication.hidden
    if not small:
        return _("No count of pupils lies below {threshold}: none is hidden.", threshold=publication.threshold)
    return _(
        "Hidden: {small} counts below {threshold}, and {more} more so that those cannot be worked out from the rest. "
        "No document shows a point at a home.",
        small=_.number(small),
        threshold=publication.threshold,
        more=_.number(more),
    )


def _list_totals(checked: Checked, _: Translator) -> list[str]:
    """Return for each stage how many pupils get another school and have a longer way, and how the rules are met."""
    lines = [
        _(
            "{stage}: {units} of {all} areas change; {moved} of {pupils} pupils get another school, {worse} have a "
            "longer way, {better} a shorter one.",
            stage=name_stage_short(str(row["stage"]), _),
            units=_.number(row["changed_units"]),
            all=_.number(row["units"]),
            moved=_.number(row["moved_pupils"]),
            pupils=_.number(row["pupils"]),
            worse=_.number(row["worse_pupils"]),
            better=_.number(row["better_pupils"]),
        )
        for row in checked.publication.totals.to_dict("records")
    ]
    told = _(
        "Of {all} rules checked, {failed} are not met everywhere and {unknown} cannot be answered from the data. "
        "The report tells these first.",
        all=_.number(sum(checked.rules.values())),
        failed=_.number(checked.rules.get("failed", 0)),
        unknown=_.number(checked.rules.get("unknown", 0)),
    )
    return [*lines, told]


def _list_methods(study: StudyArea, ask: PackAsk, _: Translator) -> list[str]:
    """Say where the two sides send children to school in different ways: then the actions are not all that changes."""
    before = ask.baseline or build_today(study, ask.proposal)
    if before.enrolment == ask.proposal.enrolment:
        return []
    words = _(
        "Before: {before}. After: {after}. Part of what changes comes from this. To publish the effect of the steps "
        "alone, compare with a scenario without steps that sends children to school as the proposal does.",
        before=_.say(name_enrolment(before.enrolment)),
        after=_.say(name_enrolment(ask.proposal.enrolment)),
    )
    return [words] if ask.proposal.all_actions else []


def list_blank(options: PackOptions, _: Translator) -> list[str]:
    """Return what stays a line to be filled in by hand."""
    names = {
        "issuer": _("who issues it"),
        "phone": _("phone"),
        "address": _("postal address"),
    }
    return [words for name, words in names.items() if not getattr(options, name)]


def render_remarks(study: StudyArea, ask: PackAsk, rules: Rules, _: Translator) -> None:
    """Say what the documents will print because something is not filled in, and what is odd about the steps."""
    lines = _list_methods(study, ask, _)
    missing = ask.procedure.missing
    if missing:
        words = _(
            "Every document will say “draft for comment”: {count} steps of the law are missing.", count=len(missing)
        )
        lines.append(words)
    blank = list_blank(ask.options, _)
    if blank:
        lines.append(_("Printed as lines to fill in by hand: {names}.", names=_.join(blank)))
    if ask.options.show_boundaries and not ask.options.map_number:
        lines.append(_("Maps with borders of townships need a review number before they are published (rule X6)."))
    odd = check_procedure(ask.procedure, ask.options, rules, today=datetime.datetime.now(tz=datetime.UTC).date())
    told = [_.say(message) for message in odd]
    lines += [line[:1].upper() + line[1:] for line in told]
    if lines:
        items = "".join(f"<li>{text(line, longest=500)}</li>" for line in lines[:MOST_NOTES])
        st.html(f'<div class="card"><ul class="remarks">{items}</ul></div>')
