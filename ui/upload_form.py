"""The places where files are dropped, and what was understood of them."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from geodata.archives import SHAPEFILE_PARTS
from geodata.dictionary import SHEET_NAMES
from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from reports.language import Translator
from ui.columns import NEEDS, PLANNING_ROLES, PUPILS, SYSTEM_NEED, Need, list_unmet, match_fields, name_need
from ui.data_roles import describe_role, name_role
from ui.data_words import count_unknown
from ui.detect import TABLE_ENDINGS, Detected, detect_file, list_template_sheets
from ui.draft import SHEET_ROLES, STUDY_FILE, Draft, read_draft, write_draft
from ui.issue_table import build_rows, render_table
from ui.state import keep_draft_token, read_draft_token
from ui.text import clean, plain
from ui.uploads import (
    ROLES,
    clear_unused,
    find_upload_folder,
    keep_sheet,
    open_upload_folder,
    store_uploads,
)

MOST_UNUSED = 8
MOST_REFUSALS = 5
FILE_KEYS = ("path", "polygon", "speeds", "town_totals", "age_totals", "matches")
"""Keys of the study file that name a file."""


@dataclass(frozen=True)
class Upload:
    """One file that is there: what was detected, and the place on the page for what was understood of its columns."""

    found: Detected
    place: DeltaGenerator


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


def keep_changes(folder: Path, draft: Draft, before: Mapping[str, Any]) -> None:
    """Keep what changed since ``before``: a run that has not stopped yet does not undo the upload of another."""
    with _open_desk(str(folder)).lock:
        fresh = read_draft(folder)
        for name, value in asdict(draft).items():
            if value != before[name]:
                setattr(fresh, name, getattr(draft, name))
        write_draft(folder, fresh)


def render_upload(_: Translator, role: str) -> Upload | None:
    """Draw the card for one file; return what was detected in the file that is there now."""
    with st.container(border=True, height="stretch", key=f"card_{role}"):
        st.markdown(f"**{name_role(_, role)}**")
        st.caption(describe_role(_, role))
        return _render_drop(_, role)


def render_roads(_: Translator) -> Upload | None:
    """Draw the card of the roads: a file, or a download from OpenStreetMap."""
    with st.container(border=True, height="stretch", key="card_roads"):
        st.markdown(f"**{name_role(_, 'roads')}**")
        folder, draft = open_draft()
        names = {"file": _("File"), "download": _("Download from OpenStreetMap")}
        source = st.segmented_control(
            _("Where the roads come from"),
            list(names),
            default=draft.roads_from if draft.roads_from in names else "file",
            required=True,
            format_func=lambda source: names[source],
            key="roads_from",
            label_visibility="collapsed",
        )
        if source != draft.roads_from:
            draft.roads_from = str(source)
            folder = keep_draft(folder, draft)
        if source == "file":
            st.caption(describe_role(_, "roads"))
            return _render_drop(_, "roads")
        _render_download(_, folder, draft)
    return None


def _render_download(_: Translator, folder: Path | None, draft: Draft) -> None:
    place = st.text_input(
        _("Name of the place"),
        value=draft.roads_place,
        key="roads_place",
        placeholder=_("for example: Gongyi, Henan, China"),
        max_chars=200,
        disabled=bool(draft.files.get("outline")),
    ).strip()
    if place != draft.roads_place:
        draft.roads_place = place
        keep_draft(folder, draft)
    st.caption(describe_role(_, "outline"))
    upload = _render_drop(_, "outline")
    if upload is not None and (upload.found.shape != "polygon" or not upload.found.has_system):
        st.error(_("The outline must be an area whose file says its coordinate system."))
    st.caption(
        ":material/public: "
        + _("Needs internet. Only this name or outline is sent, to OpenStreetMap; nothing of your other files.")
    )


def _render_drop(_: Translator, role: str) -> Upload | None:
    """Draw the place for the file, and the file that is there."""
    with st.container(key=f"drop_{role}"):
        # Kind and size are checked after the upload: the widget would refuse a file in English only.
        sent: Any = st.file_uploader(
            name_role(_, role),
            accept_multiple_files="zip" in ROLES[role],  # a shapefile comes in parts; rasters by age or year are many
            key=f"upload_{role}_{st.session_state.get(f'sent_{role}', 0)}",
            label_visibility="collapsed",
        )
    if sent:
        _take_over(_, role, sent if isinstance(sent, list) else [sent])
    if refused := st.session_state.get(f"refused_{role}"):
        with st.container(key=f"refused_{role}_box"):
            for line in refused:
                st.error(line)
    folder, draft = open_draft()
    names = draft.files.get(role) or []
    if folder is None or not names:
        return None
    if not (folder / names[0]).is_file():  # cleared away: nothing that a study could be built of
        before = asdict(draft)
        draft.files.pop(role, None)
        keep_changes(folder, draft, before)
        return None
    line = st.container(horizontal=True, vertical_alignment="top")
    found = _choose_part(_, role, folder, draft, detect_file(folder / names[0], role, draft.parts.get(role, "")))
    with line:
        _render_detected(_, role, names, found)
        if st.button(_("Remove"), key=f"remove_{role}", type="tertiary"):
            draft.files.pop(role, None)
            draft.parts.pop(role, None)
            keep_draft(folder, draft)
            st.rerun()
    if found.shape == "osm" and not found.issues:
        st.caption(_say_osm(_, role))
    if found.issues:
        _render_unreadable(_, found.issues)
    return Upload(found, st.container(key=f"understood_{role}", gap="small"))


def _render_unreadable(_: Translator, issues: Sequence[DataIssue]) -> None:
    """Say why a file cannot be read: in sentences, as a card is too narrow for a table, unless there are many."""
    if len(issues) > MOST_REFUSALS:
        st.html(render_table(build_rows(_, issues), [issue.severity for issue in issues]))
        return
    for issue in issues:
        st.error(_tell_refusal(_, issue))


def _choose_part(_: Translator, role: str, folder: Path, draft: Draft, found: Detected) -> Detected:
    """Ask for the sheet or layer where there are several; return what is in the chosen one."""
    if role == "outline" or (len(found.parts) < 2 and not draft.parts.get(role)):
        return found
    if found.used == (SHEET_NAMES.get(role),) and not draft.parts.get(role):
        return found  # the sheet of the template: nothing to ask
    path = folder / draft.files[role][0]
    is_table = path.suffix.lower().lstrip(".") in TABLE_ENDINGS
    kept = draft.parts.get(role, "")
    chosen = kept if kept in found.parts else ""
    if len(found.parts) > 1:
        automatic = detect_file(path, role).used
        merged = role in ("schools", "rolls") and is_table and len(automatic) > 1
        options = [*([""] if merged else []), *found.parts]
        start = chosen if chosen in options else options[0] if merged else automatic[0]
        chosen = st.selectbox(
            _("Sheet to read") if is_table else _("Layer to read"),
            options,
            index=options.index(start),
            format_func=lambda name: clean(name) or _("together: {names}", names=_.join(automatic)),
            key=f"part_{role}_{path.parent.name}",
        )
    if chosen != kept:
        before = asdict(draft)
        draft.parts[role] = chosen
        keep_changes(folder, draft, before)
    if chosen and is_table and role not in SHEET_ROLES:
        keep_sheet(folder, draft.files[role][0], chosen)
    return detect_file(path, role, chosen)


@dataclass(frozen=True)
class _Desk:
    """Where the files of one folder are taken in, one after the other; ``taken`` are those that were, by their id."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    taken: set[tuple[str, ...]] = field(default_factory=set)


@st.cache_resource(max_entries=1000, show_spinner=False)
def _open_desk(folder: str) -> _Desk:
    """Return the desk of a folder: one for all runs."""
    return _Desk()


def _take_over(_: Translator, role: str, sent: list[Any]) -> None:
    """Store what was sent, or remember why it was refused; then clear the widget for the next file.

    Streamlit starts the next run of the page before the last one has stopped: who sends a second file at once has two
    runs that both see the first. Only one of them takes it.
    """
    folder, draft = open_draft()
    folder = keep_draft(None, draft) if folder is None else folder
    desk = _open_desk(str(folder))
    ids = (role, *(str(getattr(file, "file_id", id(file))) for file in sent))
    refused: list[str] = []
    with desk.lock:
        if ids not in desk.taken:
            refused = _store_sent(_, role, sent, folder)
            desk.taken.add(ids)
            st.session_state[f"refused_{role}"] = refused
    st.session_state[f"sent_{role}"] = st.session_state.get(f"sent_{role}", 0) + 1
    st.rerun()


def _store_sent(_: Translator, role: str, sent: list[Any], folder: Path) -> list[str]:
    """Store what was sent and name it in the draft; return why it was refused, if it was."""
    draft = read_draft(folder)
    before = list(draft.files.get(role) or [])
    try:
        draft.files[role] = store_uploads(folder, role, _bundle(role, sent))
    except DataError as error:
        return [_tell_refusal(_, issue) for issue in error.issues[:MOST_REFUSALS]]
    if role in ("schools", *PLANNING_ROLES):
        _take_template_sheets(folder, draft, role, before)
    keep_draft(folder, draft)
    clear_unused(folder, draft.used_files() | _read_open_files(folder))
    return []


def _bundle(role: str, sent: Sequence[Any]) -> list[tuple[str, bytes | memoryview]]:
    """Return names and contents of what was sent; the parts of one shapefile as the archive that a reader wants.

    Raises ``DataError`` where several files were sent for a role that takes one.
    """
    parts = [file for file in sent if Path(file.name).suffix.lower() in SHAPEFILE_PARTS]
    whole = [(file.name, file.getbuffer()) for file in sent if file not in parts]
    if parts:
        stem = next((Path(file.name).stem for file in parts if file.name.lower().endswith(".shp")), "shapefile")
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in parts:
                archive.writestr(Path(file.name).name, file.getbuffer())
        whole.append((f"{stem}.zip", stream.getvalue()))
    if len(whole) > 1 and not (role == "population" and all(_is_raster(name) for name, _content in whole)):
        problem = msg("Several files were sent where one is read.")
        cure = msg("Send one file. The parts of a shapefile, or rasters by age or year, are sent together.")
        raise DataError(DataIssue("upload", "error", problem, file=whole[0][0], found=f"{len(whole)}", cure=cure))
    return whole


def _is_raster(name: str) -> bool:
    return name.lower().endswith((".tif", ".tiff"))


def _tell_refusal(_: Translator, issue: DataIssue) -> str:
    """Return why a file was not taken and what to do, as one paragraph."""
    parts = [_.say(issue.problem), "" if issue.cure is None else _.say(issue.cure)]
    if issue.found:
        parts.insert(1, f"（{issue.found}）" if _.language == "zh" else f"({issue.found})")
    words = ("" if _.language == "zh" else " ").join(part for part in parts if part)
    return plain(_("{title}: {words}", title=issue.file, words=words), longest=500)


def _take_template_sheets(folder: Path, draft: Draft, role: str, before: list[str]) -> None:
    """Let a filled-in template serve every role that it has rows for and that has no file of its own yet.

    ``before`` is the file that it takes the place of: the other roles that had their rows from that one follow.
    """
    name = draft.files[role][0]
    for other in list_template_sheets(folder / name):
        if other == role or draft.files.get(other) in (None, [], before):
            draft.files[other] = [name]
            draft.parts.pop(other, None)


def _read_open_files(folder: Path) -> set[str]:
    """Return the files that the study built last still reads."""
    from geodata.study_file import ROLES, list_sources, read_study_file

    if not (folder / STUDY_FILE).is_file():
        return set()
    spec = read_study_file(folder / STUDY_FILE)
    parts = [part for role in ROLES for part in list_sources(spec, role)]
    named = [getattr(part, name, "") for part in parts for name in FILE_KEYS]
    return {name for name in named if name}


def _render_detected(_: Translator, role: str, names: list[str], found: Detected) -> None:
    shown = names[0].rsplit("/", 1)[-1] if len(names) == 1 else _("{count} files", count=len(names))
    facts = [found.format, _say_size(_, found.size_mb)]
    if found.rows is not None:
        facts.insert(1, _("{rows} rows", rows=_.number(found.rows)))
    if found.shape in ("point", "line", "polygon"):
        facts.insert(1, {"polygon": _("areas"), "line": _("lines")}.get(found.shape, _("points")))
    if found.years:
        facts.insert(1, say_years(found.years))
    if found.used:
        facts.insert(1, _.join(found.used))
    mark = ":red[✗]" if found.issues else ":green[✓]"
    with st.container(key=f"detected_{role}", width="stretch"):
        st.markdown(f"{mark} **{plain(shown, longest=60)}**  \n{plain(' · '.join(facts))}")


def _say_osm(_: Translator, role: str) -> str:
    """Return what is taken out of a file of OpenStreetMap."""
    if role == "schools":
        return _("The schools of the map are taken. It knows no numbers of pupils and no places.")
    return _("The buildings of the map are taken, with their use and their storeys where it knows them.")


def say_years(years: Sequence[int]) -> str:
    """Return years as one range, or as a list where some between are missing: ``2020–2024``, ``2020, 2023``."""
    first, last = years[0], years[-1]
    if len(years) == 1:
        return str(first)
    return f"{first}–{last}" if len(years) == last - first + 1 else ", ".join(str(year) for year in years)


def _say_size(_: Translator, size_mb: float) -> str:
    if size_mb < 1:
        return _("{size} kB", size=_.number(max(size_mb * 1000, 1)))
    return _("{size} MB", size=_.number(size_mb, digits=1))


def render_understood(_: Translator, uploads: Mapping[str, Upload], draft: Draft) -> dict[str, list[Need]]:
    """Say in each card which columns were understood; return what is still needed, by role."""
    unmet: dict[str, list[Need]] = {}
    for role, upload in uploads.items():
        found = upload.found
        if found.issues or role not in NEEDS or not (found.headers or found.shaped) or found.shape == "osm":
            continue
        columns = match_fields(role, found.headers, draft.columns.get(role, {}))
        unmet[role] = list_role_needs(role, found, draft)
        with upload.place:
            _render_columns(_, role, found, columns, unmet[role])
            for line in _list_remarks(_, role, found, columns, draft):
                st.caption(f":orange[⚠] {plain(line, longest=400)}")
    return unmet


def list_role_needs(role: str, found: Detected, draft: Draft) -> list[Need]:
    """Return what the file of a role still needs, with the choices of the draft."""
    columns = match_fields(role, found.headers, draft.columns.get(role, {}))
    unmet = list_unmet(
        role,
        columns,
        has_shapes=found.shaped,
        default_stage=draft.default_stage,
        default_kind=draft.barrier_kind if role == "barriers" else draft.exclusion_kind,
        parts=found.used,
        headers=found.headers,
        by_name=role == "population" and bool(draft.files.get("gazetteer")),
    )
    in_metres = {"x_m", "y_m"} <= set(columns) and not {"lon_deg", "lat_deg"} <= set(columns)
    nameless = not found.has_system or (in_metres and not found.shaped)
    return [*unmet, SYSTEM_NEED] if nameless and not draft.systems.get(role) else unmet


def _render_columns(_: Translator, role: str, found: Detected, columns: Mapping[str, str], unmet: list[Need]) -> None:
    needed = len({need.name for need in (*NEEDS[role], *unmet)})
    counts = _(
        "Needed: {met} of {needed} found · {used} of {total} columns understood",
        met=needed - len(unmet),
        needed=needed,
        used=len(set(columns.values()) & set(found.headers)),
        total=len(found.headers),
    )
    if unmet:
        st.error(plain(_("Still needed: {names}", names=_.join([name_need(_, need) for need in unmet]))))
    unused = [header for header in found.headers if header not in set(columns.values())]
    listed = _.join(unused[:MOST_UNUSED]) + ("…" if len(unused) > MOST_UNUSED else "")
    st.caption(plain(counts), help=plain(_("Not used: {names}", names=listed), longest=600) if unused else None)


def _list_remarks(_: Translator, role: str, found: Detected, columns: Mapping[str, str], draft: Draft) -> list[str]:
    """Return what will be unknown or assumed with this file, one sentence each."""
    lines = []
    if unknown := count_unknown(role, found, columns, draft):
        lines.append(_("Words not understood: {count}. Say what they mean under “Which column holds what”.",
                       count=unknown))  # fmt: skip
    staged = " ".join(columns)
    if role == "schools":
        if "capacity_places" not in staged and "classes" not in staged:
            lines.append(_("No places and no classes: how full the schools are stays unknown."))
        if "pupils" not in staged:
            lines.append(_("No pupil numbers: only modelled numbers can be shown."))
    if role == "population" and not any(name in columns for name in PUPILS):
        lines.append(_("No numbers of children: they are estimated from the inhabitants."))
    return lines
