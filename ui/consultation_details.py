"""The details of a pack: who publishes it, until when, what stands on the map, what is hidden. Kept at every change."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, get_args

import streamlit as st

from geodata.errors import DataError, LayoutError
from planning.procedure import Kind
from planning.publication_options import LEAST_THRESHOLD, Datum
from reports.language import Translator
from ui.consultation_draft import (
    LONGEST,
    LONGEST_TEXT,
    PackDraft,
    build_options,
    build_procedure,
    put_details,
    read_day,
)
from ui.consultation_panels import render_part_title
from ui.consultation_state import change_draft, empty_uploader, find_folder, read_round, recall_told, tell
from ui.scenario_store import say_trouble
from ui.state import translator
from ui.text import clean, plain

MOST_THRESHOLD = 100
MAX_FILE_BYTES = 2_000_000


@dataclass(frozen=True)
class Form:
    """The form of one scenario's draft: draws fields that keep what is typed."""

    scenario_id: str
    draft: PackDraft

    def key(self, name: str) -> str:
        """Return the key of the widget of a field."""
        return f"consultation_{name}"

    def show(self, name: str, value: Any) -> dict[str, Any]:
        """Put the value kept into the widget; returns what the widget needs to keep a change."""
        key = self.key(name)
        st.session_state[key] = value
        return {"key": key, "on_change": _keep, "args": (self.scenario_id, name, key)}


def _keep(scenario_id: str, name: str, key: str) -> None:
    value = st.session_state.get(key)
    if isinstance(value, datetime.date):
        value = value.isoformat()
    elif isinstance(value, str) and name == "purpose":
        value = "\n".join(clean(line, longest=LONGEST[name]) for line in value.splitlines())[: LONGEST[name]]
    elif isinstance(value, str):
        value = clean(value, longest=LONGEST.get(name, LONGEST_TEXT)).strip()
    elif value is None:
        value = ""

    def change(draft: PackDraft) -> None:
        setattr(draft, name, value)

    change_draft(scenario_id, change)


def render_details(form: Form, suggestion: str, _: Translator) -> None:
    """Draw the form; ``suggestion`` is the title where none is given."""
    with st.container(key="consultation_details", gap="small"):
        _render_text(form, "title", _("Title"), placeholder=suggestion)
        st.text_area(
            _("Purpose"),
            max_chars=LONGEST["purpose"],
            height=88,
            placeholder=_("Why the proposal is made, in your own words. It begins the notice and the report."),
            **form.show("purpose", form.draft.purpose),
        )
        _render_publisher(form, _)
        _render_days(form, _)
        _render_map(form, _)
        _render_file(form, _)


def _render_text(form: Form, name: str, label: str, *, placeholder: str = "", help_text: str | None = None) -> None:
    st.text_input(
        label,
        max_chars=LONGEST.get(name, LONGEST_TEXT),
        placeholder=plain_placeholder(placeholder),
        help=help_text,
        **form.show(name, getattr(form.draft, name)),
    )


def plain_placeholder(words: str) -> str | None:
    """Return words for the inside of an empty field, or None."""
    return clean(words, longest=120) or None


def _render_publisher(form: Form, _: Translator) -> None:
    render_part_title(_("Who publishes"))
    left, right = st.columns(2, gap="small")
    with left:
        _render_text(form, "issuer", _("Issued by"), placeholder=_("name of the bureau"))
        _render_text(form, "office", _("Office that answers"), placeholder=_("an office, not a person"))
        _render_text(form, "address", _("Postal address"))
    with right:
        _render_text(form, "document_number", _("Number of the document"))
        _render_text(form, "phone", _("Phone"))
        _render_text(form, "email", _("E-mail"))


def _render_days(form: Form, _: Translator) -> None:
    render_part_title(_("When residents can object"))
    left, right = st.columns(2, gap="small")
    with left:
        _render_day(form, "opens", _("First day"))
    with right:
        _render_day(form, "closes", _("Last day"))


def _render_day(form: Form, name: str, label: str) -> None:
    st.date_input(
        label,
        min_value=datetime.date(2000, 1, 1),
        max_value=datetime.date(2100, 12, 31),
        format="YYYY-MM-DD",
        **form.show(name, read_day(getattr(form.draft, name))),
    )


def _render_map(form: Form, _: Translator) -> None:
    render_part_title(_("Maps, numbers, files"))
    left, right = st.columns(2, gap="small")
    with left:
        _render_text(
            form,
            "map_number",
            _("Map review number"),
            help_text=_("Given by the surveying authority. Without borders of townships no review is asked for."),
        )
        st.checkbox(
            _("Draw the borders of townships"), **form.show("show_boundaries", bool(form.draft.show_boundaries))
        )
        scopes = {"changed": _("Only schools that change"), "all": _("Every school")}
        st.segmented_control(
            _("The notice tells"),
            list(scopes),
            format_func=lambda name: scopes[name],
            required=True,
            **form.show("scope", form.draft.scope if form.draft.scope in scopes else "changed"),
        )
    with right:
        st.number_input(
            _("Hide counts of pupils below"),
            min_value=LEAST_THRESHOLD,
            max_value=MOST_THRESHOLD,
            step=1,
            help=_("Smaller counts could point at single children. Others are hidden with them where needed."),
            **form.show("threshold", min(max(int(form.draft.threshold), LEAST_THRESHOLD), MOST_THRESHOLD)),
        )
        st.selectbox(
            _("Coordinates of the layers"),
            list(get_args(Datum)),
            format_func=lambda name: _name_datum(name, _),
            **form.show("datum", form.draft.datum if form.draft.datum in get_args(Datum) else "WGS-84"),
        )


def _name_datum(name: str, _: Translator) -> str:
    names = {
        "WGS-84": _("WGS-84 (satellite positioning, most programs)"),
        "CGCS2000": _("CGCS2000 (official Chinese maps)"),
        "GCJ-02": _("GCJ-02 (Chinese web maps)"),
    }
    return names.get(name, name)


def _render_file(form: Form, _: Translator) -> None:
    """Draw what brings the details out as a file, and in again."""
    with st.expander(_("Details, costs and steps as a file"), key="consultation_file_box"):
        st.caption(
            _(
                "This server keeps what you fill in for seven days. A file keeps it for longer, and is what the "
                "terminal reads. Evidence files are not in it."
            )
        )
        st.download_button(
            _("Save as a file (TOML)"),
            lambda: _render_toml(form),
            file_name="pack.toml",
            mime="application/toml",
            key="consultation_file_save",
            on_click="ignore",
        )
        place = "consultation_file_read"
        sent = st.file_uploader(_("Read such a file"), type=["toml"], key=f"{place}_{read_round(place)}")
        if sent is not None:
            empty_uploader(place)
            read_details(form.scenario_id, bytes(sent.getbuffer()))
            st.rerun()
        for line in recall_told("file"):
            st.warning(plain(line, longest=400))


def _render_toml(form: Form, kind: Kind = "closure") -> bytes:
    from planning.pack_file import render_pack_file

    folder = find_folder()
    text = render_pack_file(build_options(form.draft), build_procedure(form.draft, kind, folder), folder=folder)
    return text.encode("utf-8")


def read_details(scenario_id: str, content: bytes) -> None:
    """Take over a file of details; what is wrong with it is told, and nothing is taken over then."""
    _ = translator()
    tell("file")
    if len(content) > MAX_FILE_BYTES:
        tell("file", _("The file is larger than {limit} MB.", limit=MAX_FILE_BYTES // 1_000_000))
        return
    found, dropped, lines = parse_details(content, _)
    if found is None:
        tell("file", *lines)
        return
    change_draft(scenario_id, lambda draft: put_details(draft, found))
    if dropped:
        tell("file", _("The evidence files are not here: choose them again at their steps."))


def parse_details(content: bytes, _: Translator) -> tuple[Any, bool, list[str]]:
    """Return options and procedure, whether evidence was left out, and what is wrong where nothing can be read."""
    from planning.pack_file import parse_pack_file

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None, False, [_("The file is not text in UTF-8.")]
    rows = text.splitlines()
    plain_rows = [row for row in rows if not row.lstrip().startswith("evidence")]
    try:
        return parse_pack_file("\n".join(plain_rows), kind="closure"), len(plain_rows) < len(rows), []
    except DataError as error:
        lines = []
        for issue in error.issues[:8]:
            words = [issue.column, *(_.say(part) for part in (issue.problem, issue.cure) if part is not None)]
            lines.append(" ".join(word for word in words if word))
        return None, False, lines
    except LayoutError as error:
        return None, False, [say_trouble(error, _)]
