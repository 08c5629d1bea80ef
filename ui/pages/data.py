"""The data page: three files in, columns named, problems seen and mended, a study built. Or an example opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import streamlit as st

from geodata.errors import DataError, DataIssue
from geodata.study import compute_digest
from geodata.study_file import StudySpec
from reports.language import Translator
from ui.build_job import build_in_worker
from ui.columns import GROUND_ROLES, PLACED_ROLES, PLANNING_ROLES, SYSTEM_NEED, Need, match_fields, read_columns
from ui.detect import Detected
from ui.draft import OSM_BUILDINGS, Draft, build_spec, write_study
from ui.issue_map import render_findings
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.jobs import JobState
from ui.mapping_form import name_choice, render_mapping
from ui.page_words import render_page_words
from ui.settings_form import (
    describe_children,
    render_exclusion_kind,
    render_school_settings,
    render_settings,
    render_system,
    take_system,
)
from ui.state import open_study, read_address, read_draft_token, read_open_reference, translator
from ui.studies import (
    UPLOAD_PREFIX,
    Example,
    find_study,
    forget_missing_studies,
    list_examples,
    read_class_sizes,
    read_reference,
)
from ui.study_summary import render_summary
from ui.template_button import render_template_button
from ui.text import plain
from ui.upload_form import (
    Upload,
    keep_draft,
    list_role_needs,
    name_role,
    open_draft,
    render_roads,
    render_understood,
    render_upload,
)

OWN, EXAMPLE = "own", "example"
BUILDING_KEY = "draft_being_built"
OPEN_KEY = "columns_open"
"""Whether the choice of columns was opened: it stays open once something was missing."""
MAIN_ROLES = ("schools", "roads", "population")
MORE_ROLES = ("zones", "units")
NEW_SITE_ROLES = ("sites", *GROUND_ROLES)


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
    uploads = _show_files(_)
    folder, draft = open_draft()
    if folder is not None and (draft.files or draft.roads_place):
        before = asdict(draft)
        _show_columns(_, draft, uploads)
        with st.expander(_("Settings")):
            render_settings(_, draft, {role: upload.found for role, upload in uploads.items()})
        unmet = render_understood(_, uploads, draft)
        if asdict(draft) != before:
            keep_draft(folder, draft)
        _show_build(_, folder, draft, unmet)
    with above:
        _show_result(_)


def _show_files(_: Translator) -> dict[str, Upload]:
    """Draw the places for files; return what was detected in each that is there."""
    st.caption(
        _("Three files make a study. They stay on this machine; numbers of pupils are needed, never their names.")
    )
    uploads: dict[str, Upload | None] = {}
    for column, role in zip(st.columns(3), MAIN_ROLES, strict=True):
        with column:
            uploads[role] = render_roads(_) if role == "roads" else render_upload(_, role)
    with st.expander(_("More files: catchments today, planning units")):
        for column, role in zip(st.columns(3), MORE_ROLES, strict=False):
            with column:
                uploads[role] = render_upload(_, role)
    with st.expander(_("For new schools: candidate sites, open land, what keeps schools away")):
        st.caption(
            _(
                "Railways, expressways, main roads and water are known from an OpenStreetMap road file; where a layer "
                "holds one of these kinds, the layer counts."
            )
        )
        for column, role in zip(st.columns(3), NEW_SITE_ROLES, strict=True):
            with column:
                uploads[role] = render_upload(_, role)
    with st.expander(_("For forecasts and inspections")):
        _show_planning_files(_, uploads)
    return {role: upload for role, upload in uploads.items() if upload is not None}


def _show_planning_files(_: Translator, uploads: dict[str, Upload | None]) -> None:
    """Draw the places for what forecasts and inspections need; all of it is optional."""
    with st.container(horizontal=True, vertical_alignment="center", key="planning_head"):
        st.caption(
            _(
                "All optional; a forecast or an inspection says what it lacks. The template workbook has a sheet for "
                "each: send it filled in once, here or as the file of schools, and every sheet is taken."
            ),
            width="stretch",
        )
        render_template_button(_, key="data_template")
    for start in (0, 3):
        for column, role in zip(st.columns(3), PLANNING_ROLES[start : start + 3], strict=True):
            with column:
                uploads[role] = render_upload(_, role)


def _show_columns(_: Translator, draft: Draft, uploads: Mapping[str, Upload]) -> None:
    """Draw the choice of columns per file; what is still needed stands out."""
    tables = {
        role: upload.found for role, upload in uploads.items() if upload.found.headers and not upload.found.issues
    }
    if not tables:
        return
    marks = {role: compute_digest(draft.files[role][0], found.used) for role, found in tables.items()}
    now = _take_choices(draft, marks)
    unmet = {role: list_role_needs(role, found, now) for role, found in tables.items()}
    st.session_state[OPEN_KEY] = st.session_state.get(OPEN_KEY) is True or any(unmet.values())
    with st.expander(_("Which column holds what"), expanded=st.session_state[OPEN_KEY]):
        for tab, (role, found) in zip(st.tabs([name_role(_, role) for role in tables]), tables.items(), strict=True):
            with tab:
                chosen = render_mapping(
                    _,
                    role,
                    marks[role],
                    found.headers,
                    draft.columns.get(role, {}),
                    has_shapes=found.shaped,
                    wanting=frozenset[str]().union(*(need.columns for need in unmet[role])),
                )
                draft.columns[role] = _keep_choices(role, chosen, found, draft.columns.get(role, {}))
                if role == "schools":
                    asks_stage = any(need.name == "stage" for need in unmet[role])
                    render_school_settings(_, draft, found, asks_stage=asks_stage)
                if role == "exclusions":
                    asks_kind = any(need.name == "exclusion_kind" for need in unmet[role])
                    render_exclusion_kind(_, draft, asks_kind=asks_kind)
                if role in PLACED_ROLES:
                    render_system(_, role, draft, wanted=SYSTEM_NEED in unmet[role])


def _take_choices(draft: Draft, marks: Mapping[str, str]) -> Draft:
    """Return the draft with what was just chosen: labels are drawn before their widgets tell."""
    columns = {role: dict(draft.columns.get(role, {})) for role in marks}
    for role, mark in marks.items():
        for name in read_columns(role):
            key = name_choice(role, name, mark)
            if key in st.session_state:
                columns[role][name] = str(st.session_state[key])
    stage = str(st.session_state.get("set_stage", draft.default_stage))
    systems = {role: take_system(role, draft.systems.get(role, "")) for role in marks}
    kind = str(st.session_state.get("set_exclusion_kind", draft.exclusion_kind))
    return replace(draft, columns=columns, default_stage=stage, exclusion_kind=kind, systems=systems)


def _keep_choices(role: str, chosen: dict[str, str], found: Detected, before: Mapping[str, str]) -> dict[str, str]:
    """Return the choices to remember: headers, and "not in this file" only where the dictionary would say otherwise."""
    automatic = match_fields(role, found.headers, {})
    kept = {name: header for name, header in before.items() if name in read_columns(role) and name not in chosen}
    return kept | {name: header for name, header in chosen.items() if header or name in automatic}


def _show_build(_: Translator, folder: Path, draft: Draft, unmet: Mapping[str, list[Need]]) -> None:
    has_population = bool(draft.files.get("population")) or draft.population_kind == OSM_BUILDINGS
    ready = bool(draft.files.get("schools")) and has_population
    state = read_job(OWN)
    running = state is not None and not state.finished
    if not running and st.button(_("Check and build"), type="primary", key="build", disabled=not ready):
        clear_job(OWN)
        try:
            spec = build_spec(draft, folder)
        except DataError as error:
            st.error(plain(str(error), longest=500))
            return
        st.session_state[BUILDING_KEY] = asdict(draft)
        start_job(OWN, f"{folder.name}", build_in_worker, spec=spec, class_sizes=read_class_sizes())
        st.rerun()
    if not ready:
        st.caption(_("Schools and population are needed; roads and the others may follow."))
    elif still := [name_role(_, role) for role, needs in unmet.items() if needs]:
        st.caption(":red[⚠] " + plain(_("Something is still missing in: {names}", names=_.join(still))))
    elif assumed := describe_children(_, draft):
        st.caption(plain(assumed, longest=500))


def _show_result(_: Translator) -> None:
    """Draw the running job, what went wrong with the last one, or the study that was built."""
    state = render_job(OWN, _("Checking and building"))
    if state is not None and state.status == "done":
        _finish_own()
    elif state is not None:
        _show_failure(_, state)
    elif read_job(OWN) is None:
        _show_built(_)


def _finish_own() -> None:
    """Make what was built the open study: only now is its study file written."""
    clear_job(OWN)
    folder, _draft = open_draft()
    built = st.session_state.pop(BUILDING_KEY, None)
    if folder is None or not isinstance(built, dict):
        return
    write_study(folder, Draft(**built))
    forget_missing_studies()
    open_study(UPLOAD_PREFIX + folder.name)
    st.rerun()


def _show_failure(_: Translator, state: JobState) -> None:
    if state.status == "cancelled":
        st.info(_("Stopped. Nothing was changed."))
    elif state.issues:
        issues = _show_download_failure(_, state.issues)
        errors = sum(issue.severity == "error" for issue in issues)
        if errors == 1:
            st.error(_("One error must be mended before the study can be built. Mend the file and send it again."))
        elif errors:
            st.error(
                _(
                    "{count} errors must be mended before the study can be built. Mend the file and send it again.",
                    count=errors,
                )
            )
        if issues:
            render_findings(_, issues, key="issues", spec=_read_building_spec())
    elif state.problem is not None:
        st.error(plain(_.say(state.problem), longest=500))


def _show_download_failure(_: Translator, issues: Sequence[DataIssue]) -> list[DataIssue]:
    """Say why the roads could not be downloaded, and what else can be done; return the other issues."""
    built = st.session_state.get(BUILDING_KEY)
    downloads = isinstance(built, dict) and built.get("roads_from") == "download"
    others = []
    for issue in issues:
        if not (downloads and issue.check == "roads"):
            others.append(issue)
            continue
        cure = _("Choose “File” in the box of roads and send an OpenStreetMap extract, or build without roads.")
        with st.container(key="download_failed"):
            st.error(plain(f"{_.say(issue.problem)} {cure}", longest=700))
    return others


def _read_building_spec() -> StudySpec | None:
    """Return the study that was being built, whose files say where the rows of the issues lie."""
    folder, _draft = open_draft()
    built = st.session_state.get(BUILDING_KEY)
    return build_spec(Draft(**built), folder) if folder is not None and isinstance(built, dict) else None


def _show_built(_: Translator) -> None:
    """Draw the study built from this visitor's files, if it is the open one."""
    token = read_draft_token()
    if token and read_open_reference() == UPLOAD_PREFIX + token:
        _show_open_study(_, UPLOAD_PREFIX + token)


def _show_open_study(_: Translator, reference: str) -> None:
    """Draw what was read for a study, and what was noticed; nothing where it is not built (any more)."""
    try:
        study = find_study(reference)
    except LookupError:
        return
    if study is None:
        return
    with st.container(border=True, key="built"):
        render_summary(_, study)
        if st.button(_("See it on the map"), type="primary", key="to_today"):
            st.switch_page("pages/today.py", query_params=read_address())
    if study.issues:
        heading = _("What was noticed")
        st.markdown(f"**{heading}**")
        render_findings(_, study.issues, key="noticed", spec=read_reference(reference), study=study)


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
        _show_open_study(_, reference)


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
