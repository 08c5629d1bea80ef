"""The user's own files with every finding marked in them, as a download."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import streamlit as st

from geodata.errors import DataIssue
from geodata.study_file import StudySpec
from reports.language import Translator
from ui.uploads import safe_name

ENDINGS = {".csv": ".xlsx", ".xlsx": ".xlsx", ".xls": ".xlsx", ".gpkg": ".gpkg", ".geojson": ".gpkg", ".zip": ".gpkg"}
"""What the marked copy of a file is."""


def render_marked_button(_: Translator, spec: StudySpec, issues: Sequence[DataIssue], *, key: str) -> None:
    """Draw the button; the copies are made when it is pressed: one file as it is, several as a ZIP archive."""
    file_name = name_download([issue.file for issue in issues])
    st.download_button(
        _("Download marked-up copies") if file_name.endswith(".zip") else _("Download marked-up copy"),
        data=lambda: build_download(_, spec, issues),
        file_name=file_name,
        key=f"{key}_marked",
        on_click="ignore",
        help=_("Your own files with every finding marked in its cell, to mend them and send them again."),
    )


def name_download(files: Sequence[str]) -> str:
    """Return the name of the download: that of the only file that findings speak of, else of an archive of several."""
    names = set(files)
    if len(names) != 1:
        return "buju-marked.zip"
    stem, dot, ending = safe_name(names.pop(), "data").rpartition(".")
    return f"{stem}-marked{ENDINGS.get(dot + ending.lower(), '.zip')}"


def build_download(_: Translator, spec: StudySpec, issues: Sequence[DataIssue]) -> bytes:
    """Return the marked copy where :func:`name_download` promises a single file, else all in a ZIP archive."""
    from reports.marked_copy import build_marked_copies

    copies = build_marked_copies(spec, issues, _)
    ending = name_download([issue.file for issue in issues]).rpartition(".")[2]
    if single := [content for name, content in copies.items() if name.endswith("." + ending) and ending != "zip"]:
        return single[0]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in copies.items():
            archive.writestr(name, content)
    return stream.getvalue()
