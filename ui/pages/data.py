"""The data page: three files in, columns named, problems seen and mended, a study built. Or an example opened."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st

from reports.language import Translator
from ui.build_job import build_in_worker
from ui.data_build import OWN, render_build, render_open_study, render_result
from ui.data_columns import render_columns
from ui.data_files import render_files
from ui.data_matches import render_matches
from ui.issue_map import render_findings
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.page_words import render_page_words
from ui.settings_form import render_settings
from ui.state import open_study, read_address, read_open_reference, translator
from ui.studies import (
    Example,
    find_study,
    forget_missing_studies,
    list_examples,
    read_class_sizes,
    read_reference,
)
from ui.text import plain
from ui.upload_form import keep_changes, open_draft, render_understood

EXAMPLE = "example"


def show_data() -> None:
    """Draw the page."""
    _ = translator()
    render_page_words(_)
    st.header(_("Load data"), anchor=False)
    examples = list_examples()
    names = {OWN: _("Your own files"), EXAMPLE: _("Examples with real data")}
    is_example = read_open_reference() in {example.reference for example in examples}
    section = st.segmented_control(
        _("What to load"),
        list(names),
        default=EXAMPLE if is_example else OWN,
        required=True,
        format_func=lambda section: names[section],
        key="data_section",
        label_visibility="collapsed",
    )
    if section == EXAMPLE:
        _show_examples(_, examples)
    else:
        _show_own(_)


def _show_own(_: Translator) -> None:
    above = st.container()  # the answer stands where the eye is, not below three boxes of files
    uploads = render_files(_)
    folder, draft = open_draft()
    if folder is not None and (draft.files or draft.roads_place):
        before = asdict(draft)
        again = render_columns(_, draft, uploads)
        if not again:
            with st.expander(_("Settings")):
                render_settings(_, draft, {role: upload.found for role, upload in uploads.items()})
            unmet = render_understood(_, uploads, draft)
            again = render_matches(_, folder, draft, uploads)
        if asdict(draft) != before:
            keep_changes(folder, draft, before)
        if again:
            st.rerun()
        render_build(_, folder, draft, unmet, uploads)
    with above:
        render_result(_)


def _show_examples(_: Translator, examples: list[Example]) -> None:
    st.caption(_("Research data of real places. Where the files lie and who published them: docs/real-cases.md."))
    state = render_job(EXAMPLE, _("Building the example"))
    if state is not None:
        wanted = str(st.session_state.get("example_reference") or "")
        clear_job(EXAMPLE)
        if state.status == "done" and wanted:
            forget_missing_studies()
            _enter(wanted)
        st.warning(plain(_.say(state.problem), longest=500) if state.problem else _("Stopped. Nothing was changed."))
        if state.issues:
            render_findings(_, state.issues, key="example_issues", spec=read_reference(wanted) if wanted else None)
    busy = read_job(EXAMPLE) is not None
    for example in examples:
        with st.container(
            horizontal=True, vertical_alignment="center", border=True, key=f"example_{example.reference}"
        ):
            with st.container(width="stretch", gap=None):
                st.markdown(f"**{plain(example.name)}**")
                words = example.description_zh if _.language == "zh" else example.description
                st.caption(plain(words) if example.present else _("The data are not on this machine."))
            pressed = st.button(_("Open"), key=f"open_{example.reference}", disabled=busy or not example.present)
        if pressed:
            _open_example(example.reference)
    reference = read_open_reference()
    if reference is not None and reference in {example.reference for example in examples}:
        render_open_study(_, reference)


def _open_example(reference: str) -> None:
    if find_study(reference) is not None:
        _enter(reference)
    st.session_state["example_reference"] = reference
    spec, sizes = read_reference(reference), read_class_sizes()
    start_job(EXAMPLE, f"example-{reference}", build_in_worker, spec=spec, class_sizes=sizes)
    st.rerun()


def _enter(reference: str) -> None:
    open_study(reference)
    st.switch_page("pages/today.py", query_params=read_address())


if __name__ == "__main__":
    show_data()
