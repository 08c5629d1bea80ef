"""The pack that was made: the zip, every file of it by what it is for, and what is missing for a final one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import streamlit as st

from planning.procedure import STEPS
from reports.consultation_case import PackFile
from reports.language import LANGUAGE_NAMES, MISSING_NUMBER, Translator
from ui.cards import text
from ui.consultation_job import MadePack
from ui.text import clean, plain

MIME = {
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "json": "application/json",
    "zip": "application/zip",
    "gpkg": "application/geopackage+sqlite3",
    "geojson": "application/geo+json",
    "kml": "application/vnd.google-earth.kml+xml",
    "txt": "text/plain",
}
OPEN_ROLES = ("map", "notice", "report", "letters", "comment_form")
"""Roles whose files stand open; the others, of many files, stand folded."""


ENDINGS = ("html", "pdf", "docx", "xlsx", "csv", "json")
"""In what order the files of one role stand."""


def render_made(made: MadePack, _: Translator) -> None:
    """Say what was made and what is missing for a final one, with a button for the zip."""
    tone, words = _say_state(made, _)
    st.html(f'<div class="card"><p class="verdict {tone}">{text(words, longest=500)}</p></div>')
    path = made.folder / "pack" / made.zip_name
    size = say_size(path.stat().st_size, _) if path.is_file() else MISSING_NUMBER
    st.download_button(
        _("Download the whole pack (zip, {size})", size=size),
        lambda: made.read(made.zip_name),
        file_name=made.zip_name,
        mime=MIME["zip"],
        key="consultation_zip",
        on_click="ignore",
        type="primary",
        width="stretch",
    )


def render_files(made: MadePack, _: Translator) -> None:
    """Draw a button for every file, by what it is for; those of which there are many stand folded."""
    from reports.consultation import name_role

    roles = list(dict.fromkeys(file.role for file in made.files))
    for role in [*(role for role in OPEN_ROLES if role in roles), *(role for role in roles if role not in OPEN_ROLES)]:
        files = sorted((file for file in made.files if file.role == role), key=_rank_file)
        title = _.say(name_role(role))
        title = title[:1].upper() + title[1:]
        if role in OPEN_ROLES or len(files) == 1:
            with st.container(key=f"consultation_files_{role}", gap="small"):
                st.caption(plain(title))
                _render_buttons(made, files, _)
        else:
            label = _("{title} ({count} files)", title=title, count=_.number(len(files)))
            with st.expander(plain(label), key=f"consultation_files_{role}"):
                _render_buttons(made, files, _)
    seconds = _.number(made.seconds, digits=0)
    st.caption(plain(_("Pack {number}, made in {seconds} seconds.", number=made.pack_id, seconds=seconds)))


def _say_state(made: MadePack, _: Translator) -> tuple[str, str]:
    if not made.missing:
        return "good", _("The pack is made. All steps of the law are there, so nothing says “draft”.")
    steps = _.join(_.say(STEPS[name].name) for name in made.missing if name in STEPS)
    return "warn", _("The pack is made as a draft for comment. Missing steps: {steps}.", steps=steps)


def _render_buttons(made: MadePack, files: Sequence[PackFile], _: Translator) -> None:
    many = len({file.language for file in files if file.language}) > 1
    with st.container(horizontal=True, gap="small"):
        for file in files:
            path = PurePosixPath(file.path)
            st.download_button(
                plain(_name_file(file, _, many=many)),
                lambda path=file.path: made.read(path),  # type: ignore[misc]
                file_name=path.name,
                mime=MIME.get(path.suffix[1:], "application/octet-stream"),
                key=f"consultation_file_{clean(file.path).replace('/', '_').replace('.', '_')}",
                on_click="ignore",
            )


def _rank_file(file: PackFile) -> tuple[str, int, str]:
    ending = PurePosixPath(file.path).suffix[1:]
    return file.language, ENDINGS.index(ending) if ending in ENDINGS else len(ENDINGS), file.path


def _name_file(file: PackFile, _: Translator, *, many: bool) -> str:
    """Return what a button says: the kind of file, its language where there are two, its size."""
    path = PurePosixPath(file.path)
    kinds = {".pdf": "PDF", ".docx": "Word", ".html": "HTML", ".json": "JSON"}
    if file.role in OPEN_ROLES and path.suffix in {*kinds, ".csv"}:
        name = kinds.get(path.suffix, _("CSV for mail merge"))
        if many and file.language in LANGUAGE_NAMES:
            name = f"{name}, {LANGUAGE_NAMES[file.language]}"  # type: ignore[index]
    else:
        name = path.name
    return f"{name} · {say_size(file.size_bytes, _)}"


def say_size(size_bytes: int, _: Translator) -> str:
    """Return the size of a file as readers write it."""
    if size_bytes < 1_000_000:
        return _("{size} KB", size=_.number(max(1, round(size_bytes / 1_000))))
    return _("{size} MB", size=_.number(size_bytes / 1_000_000, digits=1))
