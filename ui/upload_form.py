"""The places where files are dropped, and what was seen in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from geodata.errors import DataError
from reports.language import Translator
from ui.detect import Detected, detect_file
from ui.draft import STUDY_FILE, Draft, read_draft, write_draft
from ui.issue_table import build_rows, render_table
from ui.state import keep_draft_token, read_draft_token
from ui.text import plain
from ui.uploads import MAX_BYTES, ROLES, clear_unused, find_upload_folder, open_upload_folder, store_uploads


def open_draft() -> tuple[Path | None, Draft]:
    """Return the visitor's folder and draft; no folder before the first upload."""
    folder = find_upload_folder(read_draft_token())
    return folder, Draft() if folder is None else read_draft(folder)


def keep_draft(folder: Path | None, draft: Draft) -> Path:
    """Keep the draft, in a new folder where there is none yet; return the folder."""
    if folder is None:
        token, folder = open_upload_folder()
        keep_draft_token(token)
    write_draft(folder, draft)
    return folder


def name_role(_: Translator, role: str) -> str:
    """Return what a file is for, in the reader's language."""
    return {
        "schools": _("Schools"),
        "roads": _("Roads"),
        "population": _("Population"),
        "zones": _("Catchments today"),
        "sites": _("Candidate sites"),
    }[role]


def describe_role(_: Translator, role: str) -> str:
    """Return what the file should hold, in one line."""
    return {
        "schools": _(
            "One row per school: code, name, place, places, pupils, classes. Excel, CSV, GeoJSON, GeoPackage."
        ),
        "roads": _("An OpenStreetMap extract (.osm.pbf, .osm) or GraphML. Without it, straight lines are used."),
        "population": _("Villages, estates or cells with people or children, or a GeoTIFF raster."),
        "zones": _("Which village or estate belongs to which school. Excel or CSV."),
        "sites": _("Where schools could be built. Excel, CSV, GeoJSON, GeoPackage."),
    }[role]


def render_upload(_: Translator, role: str) -> Detected | None:
    """Draw the place for one file; return what was detected in the file that is there now."""
    folder, draft = open_draft()
    with st.container(border=True, height="stretch", key=f"card_{role}"):
        st.markdown(f"**{name_role(_, role)}**")
        st.caption(describe_role(_, role))
        with st.container(key=f"drop_{role}"):
            sent: Any = st.file_uploader(
                name_role(_, role),
                type=list(ROLES[role]),
                accept_multiple_files=role == "population",
                max_upload_size=MAX_BYTES[role] // 1_000_000,
                key=f"upload_{role}_{st.session_state.get(f'sent_{role}', 0)}",
                label_visibility="collapsed",
            )
        if sent:
            _take_over(_, role, sent if isinstance(sent, list) else [sent])
        for line in st.session_state.get(f"refused_{role}", []):
            st.error(line)
        folder, draft = open_draft()
        names = draft.files.get(role) or []
        if folder is None or not names or not (folder / names[0]).is_file():
            return None
        found = detect_file(folder / names[0])
        with st.container(horizontal=True, vertical_alignment="top"):
            _render_detected(_, role, names, found)
            if st.button(_("Remove"), key=f"remove_{role}", type="tertiary"):
                draft.files.pop(role, None)
                keep_draft(folder, draft)
                st.rerun()
    return found


def _take_over(_: Translator, role: str, sent: list[Any]) -> None:
    """Store what was sent, or remember why it was refused; then clear the widget for the next file."""
    folder, draft = open_draft()
    folder = keep_draft(folder, draft)
    st.session_state[f"refused_{role}"] = []
    try:
        draft.files[role] = store_uploads(folder, role, [(file.name, file.getbuffer()) for file in sent])
    except DataError as error:
        lines = [plain(f"{issue.file}: {_.say(issue.problem)}") for issue in error.issues]
        st.session_state[f"refused_{role}"] = lines
    else:
        keep_draft(folder, draft)
        clear_unused(folder, draft.used_files() | _read_open_files(folder))
    st.session_state[f"sent_{role}"] = st.session_state.get(f"sent_{role}", 0) + 1
    st.rerun()


def _read_open_files(folder: Path) -> set[str]:
    """Return the files that the study built last still reads."""
    from geodata.study_file import read_study_file

    if not (folder / STUDY_FILE).is_file():
        return set()
    spec = read_study_file(folder / STUDY_FILE)
    parts = (spec.schools, spec.roads, spec.population, spec.zones, spec.sites)
    return {part.path for part in parts if part is not None and part.path}


def _render_detected(_: Translator, role: str, names: list[str], found: Detected) -> None:
    shown = names[0].rsplit("/", 1)[-1] if len(names) == 1 else _("{count} files", count=len(names))
    facts = [found.format, _say_size(_, found.size_mb)]
    if found.rows is not None:
        facts.insert(1, _("{rows} rows", rows=_.number(found.rows)))
    if found.sheet:
        facts.insert(1, _("sheet {name}", name=found.sheet))
    mark = ":red[✗]" if found.issues else ":green[✓]"
    with st.container(key=f"detected_{role}"):
        st.markdown(f"{mark} **{plain(shown, longest=60)}**  \n{plain(' · '.join(facts))}")
        if found.issues:
            st.html(render_table(build_rows(_, found.issues), [issue.severity for issue in found.issues]))


def _say_size(_: Translator, size_mb: float) -> str:
    if size_mb < 1:
        return _("{size} kB", size=_.number(max(size_mb * 1000, 1)))
    return _("{size} MB", size=_.number(size_mb, digits=1))
