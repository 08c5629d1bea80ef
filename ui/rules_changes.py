"""What an own copy changes: the list with source, reason, who and when; undo; versions; two of them compared; files."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from geodata.errors import LayoutError
from planning.rules import Rules, compare_rulebooks
from reports.language import MISSING_NUMBER, Translator
from store import StoredRuleset, StoreError
from ui.cards import text
from ui.rulebooks import Book, find_book, keep_choice, list_books, name_book, read_rules, resolve_choice
from ui.rules_card import build_dated
from ui.rules_copy import date_changes, import_copy, list_versions, restore_version
from ui.rules_edit import save_and_open, say_problems, undo_change
from ui.rules_view import View, build_view, render_trouble, tell_trouble
from ui.rules_words import name_field, name_rule, say_plain
from ui.scenario_bar import name_file
from ui.scenario_store import read_who, say_trouble, say_when
from ui.scenario_who import render_who
from ui.state import translator
from ui.text import clean, plain
from ui.zoning_keep import keep_value, put_back

MOST_VERSIONS = 50
MAX_BYTES = 1_000_000


def render_changes(view: View, _: Translator) -> None:
    """Draw the tab: on the left what differs, on the right versions and files."""
    left, right = st.columns([1.7, 1], gap="medium")
    try:
        versions = list_versions(view.copy.stored.name) if view.copy is not None else ()
    except StoreError as error:
        st.warning(plain(say_trouble(error, _), longest=500))
        versions = ()
    with left:
        if not read_who():
            render_who(_, key="rules_who_changes")
        _render_list(view, versions, _)
        render_trouble("changes")
        _render_compare(view, versions, _)
    with right:
        if versions:
            _render_versions(view, versions, _)
        _render_files(view, _)


def _render_title(title: str) -> None:
    st.markdown(f"**{plain(title)}**")


def _render_list(view: View, versions: tuple[StoredRuleset, ...], _: Translator) -> None:
    _render_title(_("What differs from the default"))
    copy = view.copy
    if copy is None:
        st.caption(_("This rulebook is as it comes with the program. Make a copy to change it."))
        return
    if not copy.editable:
        st.caption(_("This rulebook stands on its own, so there is no default to compare it with. Edit its file."))
        return
    if not copy.changes:
        st.caption(_("Nothing yet: choose a rule in the table and change it."))
        return
    rules = {rule.id: rule for rule in copy.rules.rules}
    for number, item in enumerate(date_changes(copy, versions)):
        with st.container(horizontal=True, vertical_alignment="center", key=f"rules_change_{number}"):
            st.html(build_dated([item], rules, _, named=True), width="stretch")
            st.button(
                _("Undo"),
                key=f"rules_undo_{number}",
                on_click=undo_change,
                args=(item.change.rule_id, item.change.field, "changes"),
            )
    with st.popover(_("Back to the default"), key="rules_reset"):
        st.caption(_("All changes are taken back, as a new version; the earlier ones stay and can be restored."))
        st.button(_("Take all changes back"), key="rules_reset_all", type="primary", on_click=_reset)


def _reset() -> None:
    view, _ = build_view(), translator()
    if view.copy is None:
        return
    if not read_who():
        tell_trouble("changes", _("Give your name first: it stands beside every change."))
        return
    save_and_open({**view.copy.read_document(), "rule": []}, read_who(), place="changes")


def _render_versions(view: View, versions: tuple[StoredRuleset, ...], _: Translator) -> None:
    _render_title(_("Versions"))
    for item in versions[:MOST_VERSIONS]:
        with st.container(horizontal=True, vertical_alignment="center", key=f"rules_version_{item.version}"):
            words = " · ".join([_("version {number}", number=item.version), *([item.who] if item.who else [])])
            st.html(
                f'<div class="version"><b>{text(words)}</b><span>{text(say_when(item.at, _))}</span></div>',
                width="stretch",
            )
            if view.copy is not None and item.ruleset_id == view.copy.stored.ruleset_id:
                st.caption(_("open"))
                continue
            st.button(_("Open"), key=f"rules_open_{item.version}", on_click=keep_choice, args=(item.ruleset_id,))
            if item.version < versions[0].version:
                st.button(_("Restore"), key=f"rules_restore_{item.version}", on_click=_restore, args=(item.ruleset_id,))


def _restore(ruleset_id: str) -> None:
    _, book = translator(), find_book(ruleset_id)
    if book is None or book.stored is None:
        return
    if not read_who():
        tell_trouble("changes", _("Give your name first: it stands beside every change."))
        return
    try:
        saved = restore_version(book.stored, read_who())
    except LayoutError as error:
        tell_trouble("changes", *say_problems(error, _))
        return
    tell_trouble("")
    keep_choice(saved.ruleset_id)


def _render_files(view: View, _: Translator) -> None:
    _render_title(_("Files"))
    if view.copy is not None:
        st.download_button(
            _("Download as TOML"),
            view.copy.stored.text,
            file_name=f"{name_file(view.copy.stored.name)}.toml",
            mime="application/toml",
            key="rules_download",
            on_click="ignore",
        )
    st.caption(_("A rulebook of one's own as a TOML file becomes a copy under the name that it gives itself."))
    sent = st.file_uploader(
        _("Rulebook (TOML)"), type=["toml"], key="rules_import", label_visibility="collapsed", disabled=not read_who()
    )
    if not read_who():
        st.caption(_("Give your name first: it stands beside every change."))
    if sent is not None and st.session_state.get("rules_import_seen") != sent.file_id:
        st.session_state["rules_import_seen"] = sent.file_id
        if take_file(bytes(sent.getbuffer()), _):
            st.rerun(scope="app")
    render_trouble("file")


def take_file(content: bytes, _: Translator) -> bool:
    """Read a rulebook file into the store and open it; False, with all that is wrong told, where that cannot be."""
    tell_trouble("")
    if len(content) > MAX_BYTES:
        tell_trouble("file", _("The file is too large for a rulebook."))
        return False
    try:
        saved = import_copy(content.decode("utf-8-sig").replace("\r\n", "\n"), read_who())
    except UnicodeDecodeError:
        tell_trouble("file", _("The file is not text in UTF-8."))
        return False
    except LayoutError as error:
        tell_trouble("file", *say_problems(error, _))
        return False
    keep_choice(saved.ruleset_id)
    return True


def _render_compare(view: View, versions: tuple[StoredRuleset, ...], _: Translator) -> None:
    """Draw the comparison of two rulebooks, or of two versions of one."""
    books = {book.choice: book for book in list_books()}
    books |= {item.ruleset_id: Book(item.ruleset_id, item) for item in versions[:MOST_VERSIONS]}
    if not any(book.own for book in books.values()):
        return
    _render_title(_("Compare two rulebooks or versions"))
    base = view.copy.base if view.copy is not None and view.copy.base else view.book.choice
    chosen = []
    with st.container(horizontal=True, gap="small", key="rules_compare"):
        for key, label, first in (
            ("rules_compare_a", _("The earlier one"), base),
            ("rules_compare_b", _("The later one"), view.book.choice),
        ):
            put_back(key, first, list(books))
            found = st.selectbox(
                label, list(books), format_func=lambda choice: name_book(books[choice], _), key=key, width=260
            )
            keep_value(key, found)
            chosen.append(str(found))
    try:
        sides = [read_rules(resolve_choice(choice)) for choice in chosen]
    except LayoutError as error:
        for line in say_problems(error, _):
            st.warning(plain(line, longest=500))
        return
    table = build_comparison(sides[0], sides[1], _)
    if table.empty:
        st.caption(_("They do not differ."))
        return
    st.dataframe(table, hide_index=True, height="auto" if len(table) < 9 else 330)


def build_comparison(before: Rules, after: Rules, _: Translator) -> pd.DataFrame:
    """Return what differs between two rulebooks in the reader's words."""
    found = compare_rulebooks(before, after)
    rules = {rule.id: rule for book in (before, after) for rule in book.rules}
    rows = []
    for row in found.to_dict("records"):
        rule, field = rules[str(row["rule_id"])], str(row["field"])
        sides = [
            say_plain(None if _is_missing(row[side]) else row[side], field, rule.unit, _)
            for side in ("before", "after")
        ]
        rows.append(
            (
                rule.id,
                clean(name_rule(rule, _)),
                name_field(field, _),
                *(clean(side) for side in sides),
                clean(row["source"] or MISSING_NUMBER),
                clean(row["reason"] or MISSING_NUMBER),
            )
        )
    columns = [_("Id"), _("Rule"), _("What"), _("Earlier value"), _("Later value"), _("Source"), _("Reason")]
    return pd.DataFrame(rows, columns=columns)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)
