"""Check and build: the running job, what went wrong and what would mend it, or the study that was built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import streamlit as st

from geodata.errors import DataError, DataIssue
from geodata.study_file import StudySpec
from reports.language import Translator
from ui.build_job import build_in_worker
from ui.columns import Need
from ui.data_columns import list_tables
from ui.data_cures import apply_cure, render_cures
from ui.data_memory import remember_mappings
from ui.data_residuals import render_residuals
from ui.data_roles import name_role
from ui.draft import OSM_BUILDINGS, Draft, build_spec, write_study
from ui.issue_map import render_findings
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.jobs import JobState
from ui.settings_form import describe_children
from ui.state import open_study, read_address, read_draft_token, read_open_reference
from ui.studies import UPLOAD_PREFIX, find_study, forget_missing_studies, read_class_sizes, read_reference
from ui.study_summary import render_summary
from ui.text import plain
from ui.upload_form import Upload, keep_draft, open_draft

OWN = "own"
BUILDING_KEY = "draft_being_built"


def render_build(
    _: Translator, folder: Path, draft: Draft, unmet: Mapping[str, list[Need]], uploads: Mapping[str, Upload]
) -> None:
    """Draw the button that builds, and what speaks against pressing it."""
    has_population = bool(draft.files.get("population")) or draft.population_kind == OSM_BUILDINGS
    ready = bool(draft.files.get("schools")) and has_population
    state = read_job(OWN)
    running = state is not None and not state.finished
    if not running and st.button(_("Check and build"), type="primary", key="build", disabled=not ready):
        remember_mappings(draft, list_tables(uploads))
        _start_build(folder, draft)
    if not ready:
        st.caption(_("Schools and population are needed; roads and the others may follow."))
    elif still := [name_role(_, role) for role, needs in unmet.items() if needs]:
        st.caption(":red[⚠] " + plain(_("Something is still missing in: {names}", names=_.join(still))))
    elif assumed := describe_children(_, draft):
        st.caption(plain(assumed, longest=500))


def _start_build(folder: Path, draft: Draft) -> None:
    """Start the work in another process; returns only where the draft cannot become a study."""
    clear_job(OWN)
    try:
        spec = build_spec(draft, folder)
    except DataError as error:
        st.error(plain(str(error), longest=500))
        return
    st.session_state[BUILDING_KEY] = asdict(draft)
    start_job(OWN, f"{folder.name}", build_in_worker, spec=spec, class_sizes=read_class_sizes())
    st.rerun()


def render_result(_: Translator) -> None:
    """Draw the running job, what went wrong with the last one, or the study that was built."""
    state = render_job(OWN, _("Checking and building"))
    if state is not None and state.status == "done":
        _finish_own()
    elif state is not None:
        _render_failure(_, state)
    elif read_job(OWN) is None:
        token = read_draft_token()
        if token and read_open_reference() == UPLOAD_PREFIX + token:
            render_open_study(_, UPLOAD_PREFIX + token, own=True)


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


def _render_failure(_: Translator, state: JobState) -> None:
    if state.status == "cancelled":
        st.info(_("Stopped. Nothing was changed."))
    elif state.issues:
        issues = _render_download_failure(_, state.issues)
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
            _render_own_findings(_, issues, key="issues", spec=_read_building_spec())
    elif state.problem is not None:
        st.error(plain(_.say(state.problem), longest=500))


def _render_own_findings(_: Translator, issues: Sequence[DataIssue], *, key: str, spec: StudySpec | None) -> None:
    """Draw findings about the visitor's own files, with what can be mended at one press."""
    folder, draft = open_draft()
    cure = render_cures(_, issues, draft, key=key)
    if cure is not None and folder is not None and apply_cure(folder, draft, cure):
        keep_draft(folder, draft)
        _start_build(folder, draft)
    render_findings(_, issues, key=key, spec=spec, marked=True)


def _render_download_failure(_: Translator, issues: Sequence[DataIssue]) -> list[DataIssue]:
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


def render_open_study(_: Translator, reference: str, *, own: bool = False) -> None:
    """Draw what was read for a study, and what was noticed; nothing where it is not built (any more).

    ``own``: it was built from the visitor's files, which can be mended here.
    """
    try:
        study = find_study(reference)
    except LookupError:
        return
    if study is None:
        return
    with st.container(border=True, key="built"):
        render_summary(_, study)
        render_residuals(_, study, read_reference(reference))
        if st.button(_("See it on the map"), type="primary", key="to_today"):
            st.switch_page("pages/today.py", query_params=read_address())
    if not study.issues:
        return
    heading = _("What was noticed")
    st.markdown(f"**{heading}**")
    spec = read_reference(reference)
    if own:
        folder, draft = open_draft()
        cure = render_cures(_, study.issues, draft, key="noticed")
        if cure is not None and folder is not None and apply_cure(folder, draft, cure):
            keep_draft(folder, draft)
            _start_build(folder, draft)
    render_findings(_, study.issues, key="noticed", spec=spec, study=study, marked=own)
