"""Files in and out: one scenario as TOML, or the whole county with all its scenarios as one file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from geodata.errors import DataError, LayoutError
from geodata.study import StudyArea
from geodata.study_file import read_study_file
from planning.scenario_file import parse_scenario
from reports.language import Translator
from store.exchange import pack_stored, store_unpacked, unpack_study
from ui.scenario_bar import name_file
from ui.scenario_store import (
    compute_study_key,
    create_stored,
    flatten_scenario,
    list_stored,
    open_app_store,
    open_scenario,
    read_who,
    say_trouble,
)
from ui.state import open_study, read_open_reference, translator
from ui.studies import UPLOAD_PREFIX, read_reference
from ui.text import plain
from ui.uploads import open_upload_folder

TROUBLE_KEY = "scenario_file_trouble"
MAX_SCENARIO_BYTES = 2_000_000
MAX_STUDY_BYTES = 1_000_000_000


def render_trouble(place: str, _: Translator) -> None:
    """Say why a file could not be read, where it was sent."""
    kept = st.session_state.get(TROUBLE_KEY)
    if isinstance(kept, list) and kept[0] == place:
        for line in kept[1]:
            st.error(plain(line, longest=500))


def _tell(place: str, *lines: str) -> None:
    st.session_state[TROUBLE_KEY] = [place, list(lines)]


def list_issue_lines(error: LayoutError, _: Translator) -> list[str]:
    """Return what is wrong with a file, a line for each problem."""
    if not isinstance(error, DataError):
        return [say_trouble(error, _)]
    lines = []
    for issue in error.issues[:10]:
        words = [_.say(part) for part in (issue.problem, issue.cure) if part is not None]
        lines.append(" ".join(words))
    return lines


def render_import_scenario(study: StudyArea, _: Translator, *, ready: bool) -> None:
    """Draw the place for a scenario file; what is read becomes a new scenario and opens."""
    sent = st.file_uploader(
        _("Scenario file (TOML)"),
        type=["toml"],
        key="scenario_import",
        disabled=not ready,
        label_visibility="collapsed",
    )
    if sent is not None and st.session_state.get("scenario_import_seen") != sent.file_id:
        st.session_state["scenario_import_seen"] = sent.file_id
        if import_scenario(study, sent.name, bytes(sent.getbuffer()), _):
            st.rerun(scope="app")
    render_trouble("scenario", _)


def import_scenario(study: StudyArea, file: str, content: bytes, _: Translator) -> bool:
    """Read a scenario file into the store and open it; False where it cannot be read, which is then told.

    A parent that the file names is looked for among the stored scenarios, by name.
    """
    _tell("scenario")
    if len(content) > MAX_SCENARIO_BYTES:
        _tell("scenario", _("The file is too large for a scenario."))
        return False
    try:
        text = content.decode("utf-8-sig")
        parents = {stored.name: stored.text for stored in list_stored(study)}
        scenario = flatten_scenario(parse_scenario(text, file=file, parents=parents.__getitem__))
        made = create_stored(study, scenario, read_who(), note=_("Read from the file {file}", file=file))
    except UnicodeDecodeError:
        _tell("scenario", _("The file is not text in UTF-8."))
        return False
    except LayoutError as error:
        _tell("scenario", *list_issue_lines(error, _))
        return False
    open_scenario(made.scenario_id)
    return True


def render_pack(study: StudyArea, _: Translator) -> None:
    """Draw the buttons that put the whole county, with its scenarios, into one file."""
    key = f"scenario_pack_{compute_study_key(study)}"
    packed = st.session_state.get(key)
    if not isinstance(packed, str) or not Path(packed).is_file():
        st.button(_("Prepare the file"), key="scenario_pack", on_click=_pack, args=(study, key))
        render_trouble("pack", _)
        return
    st.download_button(
        _("Download the county as one file"),
        Path(packed).read_bytes(),
        file_name=f"{name_file(study.name)}.buju.zip",
        mime="application/zip",
        key="scenario_pack_file",
        on_click=lambda: st.session_state.pop(key, None),
    )


def _pack(study: StudyArea, key: str) -> None:
    _ = translator()
    _tell("pack")
    folder = Path(tempfile.mkdtemp(prefix="buju-pack-"))
    try:
        spec = read_reference(read_open_reference() or "")
        path = pack_stored(open_app_store(), compute_study_key(study), spec, folder / "county.buju.zip")
    except LookupError:
        _tell("pack", _("The study's files are not there any more. Open the county again."))
        return
    except LayoutError as error:
        _tell("pack", *list_issue_lines(error, _))
        return
    st.session_state[key] = str(path)


def render_import_study(_: Translator, *, ready: bool) -> None:
    """Draw the place for a county as one file; it is opened as a study of its own, with its scenarios."""
    sent = st.file_uploader(
        _("County with scenarios (.buju.zip)"),
        type=["zip"],
        key="scenario_import_study",
        disabled=not ready,
        label_visibility="collapsed",
    )
    if sent is not None and st.session_state.get("scenario_import_study_seen") != sent.file_id:
        st.session_state["scenario_import_study_seen"] = sent.file_id
        with st.spinner(_("Unpacking …")):
            opened = import_study(bytes(sent.getbuffer()), _)
        if opened:
            st.rerun(scope="app")
    render_trouble("study", _)


def import_study(content: bytes, _: Translator) -> bool:
    """Unpack a county into an upload folder, put its scenarios into the store, and open it."""
    _tell("study")
    if len(content) > MAX_STUDY_BYTES:
        _tell("study", _("The file is larger than {limit} MB.", limit=MAX_STUDY_BYTES // 1_000_000))
        return False
    token, folder = open_upload_folder()
    try:
        with tempfile.TemporaryDirectory() as place:
            archive = Path(place) / "county.buju.zip"
            archive.write_bytes(content)
            unpacked = unpack_study(archive, folder)
        if unpacked.study_path.name != "study.toml" or unpacked.study_path.parent != folder:
            _tell("study", _("The file does not hold a county in the form that this version writes."))
            return False
        read_study_file(unpacked.study_path)
        store_unpacked(open_app_store(), f"{UPLOAD_PREFIX}{token}", unpacked, read_who())
    except LayoutError as error:
        _tell("study", *list_issue_lines(error, _))
        return False
    open_study(f"{UPLOAD_PREFIX}{token}")
    return True
