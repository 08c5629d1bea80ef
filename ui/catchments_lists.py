"""The lists below the drawing table, one at a time: troubles, who goes where, boundaries in words, locks, downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from planning.flag_case import iterate_rows
from planning.zone_changes import list_changes
from reports.language import Translator
from ui.catchments_changes import build_change_table
from ui.catchments_files import render_downloads
from ui.catchments_map import LIST_KEY, MARK_OF_KIND, list_shown_troubles, select, show_units
from ui.catchments_notices import render_notices
from ui.catchments_open import View, change_drawing
from ui.catchments_state import NO_ZONE, give_units, lock_units
from ui.text import clean, plain

ROWS_KEY = "catchments_list_rows"
"""What the rows of the shown table stand for, in their order."""
MOST_ROWS = 500
TALL_ROWS = 9
OPEN_HEIGHT = "--catchments-map: max(400px, calc(100vh - 340px)) !important;"
"""Height of the map while a list is open below it."""

Ints = npt.NDArray[np.int64]


@st.cache_resource(max_entries=8, show_spinner=False)
def _list_changes(mark: str, _view: View) -> pd.DataFrame:
    return list_changes(_view.table, _view.drawing.zone, everyone=True)


def render_lists(view: View, _: Translator) -> None:
    """Draw the switch of the lists and the one that is chosen; none is computed before it is chosen."""
    names = {
        "troubles": _("Pockets, islands, detours"),
        "changes": _("Who goes where"),
        "notices": _("Boundaries in words"),
        "locks": _("Locks ({count})", count=_.number(int(view.drawing.locked.sum()))),
        "downloads": _("Downloads"),
    }
    chosen = st.segmented_control(
        _("Lists"), list(names), format_func=names.__getitem__, key=LIST_KEY, label_visibility="collapsed"
    )
    draw: dict[str, Callable[[View, Translator], None]] = {
        "troubles": _render_troubles,
        "changes": _render_changes,
        "notices": render_notices,
        "locks": _render_locks,
        "downloads": render_downloads,
    }
    if chosen in draw:
        # The list must be seen without scrolling.
        st.html(f"<style>.st-key-catchments_page {{ {OPEN_HEIGHT} }}</style>")
        with st.container(key="catchments_shown_list"):
            draw[chosen](view, _)


def name_trouble(kind: str, _: Translator) -> str:
    """Return a kind of trouble."""
    names = {"pocket": _("Pocket"), "island": _("Island"), "detour": _("Detour")}
    return names.get(kind, kind)


def _render_troubles(view: View, _: Translator) -> None:
    rows = list_shown_troubles(view)
    if rows.empty:
        st.text(_("None: every zone is one piece, and nobody passes a nearer school with places left."))
        return
    st.caption(
        _(
            "A pocket lies within another zone, an island apart from its school, a detour passes a nearer school. "
            "Choose a row to see it on the map."
        )
    )
    shown = rows.head(MOST_ROWS)
    table = pd.DataFrame(
        {
            _("What"): [name_trouble(str(kind), _) for kind in shown["kind"]],
            _("What it is"): [_.say(message) for message in shown["message"]],
            _("Areas"): [len(units) for units in shown["units"]],
            _("Pupils"): shown["pupils"].astype(float).round().to_numpy(),
            _("Pupil-minutes more a day"): shown["extra_min"].astype(float).round().to_numpy(),
            _("What would mend it"): [_.say(message) for message in shown["mend"]],
        }
    )
    about = [
        {
            "kind": MARK_OF_KIND.get(str(row.kind), "conflict"),
            "units": [int(unit) for unit in row.units],
            "zone": int(row.mend_zone),
            "mend": [int(unit) for unit in row.mend_units],
        }
        for row in iterate_rows(shown)
    ]
    chosen = _draw_table(table, "troubles", about, view, _show_trouble)
    _tell_more(len(rows) - len(shown), _)
    if chosen is not None and chosen["zone"] != NO_ZONE and chosen["mend"]:
        name = clean(view.table.zone_names[chosen["zone"]], longest=80)
        words = _("Do it: give {count} areas to {school}", count=_.number(len(chosen["mend"])), school=name)
        st.button(plain(words), key="catchments_mend", on_click=_mend, args=(chosen["mend"], chosen["zone"]))


def _draw_table(
    table: pd.DataFrame, name: str, about: list[dict[str, Any]], view: View, follow: Callable[..., None]
) -> dict[str, Any] | None:
    """Draw a table whose rows lead to the map; return what the chosen row stands for."""
    key = f"catchments_{name}_{view.mark[:12]}_{len(table)}"
    st.session_state[ROWS_KEY] = about
    numbers = {
        str(column): st.column_config.NumberColumn(format="localized") for column in table.select_dtypes("number")
    }
    height: Literal["auto"] | int = 360 if len(table) > TALL_ROWS else "auto"
    st.dataframe(
        table.reset_index(drop=True),
        hide_index=True,
        height=height,
        column_config=numbers,
        key=key,
        on_select=lambda: _follow_row(key, view.table.unit_ids, follow),
        selection_mode="single-row",
    )
    rows = st.session_state[key]["selection"]["rows"] if key in st.session_state else []
    return about[rows[0]] if rows and rows[0] < len(about) else None


def _follow_row(key: str, unit_ids: tuple[str, ...], follow: Callable[..., None]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    about = st.session_state.get(ROWS_KEY, [])
    if rows and rows[0] < len(about):
        follow(about[rows[0]], unit_ids)


def _show_trouble(about: dict[str, Any], unit_ids: tuple[str, ...]) -> None:
    show_units(about["kind"], np.array(about["units"], dtype=np.int64), unit_ids)


def _show_unit(about: dict[str, Any], unit_ids: tuple[str, ...]) -> None:
    select("unit", about["unit"])


def _mend(units: list[int], zone: int) -> None:
    change_drawing(lambda drawing: give_units(drawing, np.array(units, dtype=np.int64), zone))


def _tell_more(count: int, _: Translator) -> None:
    if count > 0:
        st.caption(_("and {count} more: search for them, or take the download", count=_.number(count)))


def _render_changes(view: View, _: Translator) -> None:
    rows = _list_changes(view.mark, view)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="catchments_search"):
        words = st.text_input(_("Find"), key="catchments_find", placeholder=_("area, township or school"), width=300)
        moved = st.toggle(_("Only those who change school"), key="catchments_only_moved")
    if moved:
        rows = rows[rows["moved_pupils"].fillna(0) > 0]
    rows = search_rows(rows, words or "")
    st.caption(_("{count} areas. Choose a row to see it on the map.", count=_.number(len(rows))))
    shown = rows.head(MOST_ROWS)
    table = build_change_table(shown, _)
    _draw_table(table, "changes", [{"unit": str(unit)} for unit in shown["unit_id"]], view, _show_unit)
    _tell_more(len(rows) - len(shown), _)


def search_rows(rows: pd.DataFrame, words: str) -> pd.DataFrame:
    """Return the rows in which every word stands somewhere: in the area, its township, or a school."""
    columns = ("unit_id", "name", "town", "old_school_names", "new_school_names")
    wanted = words.casefold().split()
    if not wanted:
        return rows
    text = rows[list(columns)].fillna("").astype(str).agg(" ".join, axis=1).str.casefold()
    found = np.logical_and.reduce([text.str.contains(word, regex=False).to_numpy(dtype=bool) for word in wanted])
    return rows[found]


def _render_locks(view: View, _: Translator) -> None:
    locked = np.flatnonzero(view.drawing.locked)
    if not len(locked):
        st.text(_("Nothing is locked. Locked areas stay with their school, also in “improve from here”."))
        return
    st.button(_("Unlock all"), key="catchments_unlock_all", on_click=_unlock, args=(locked.tolist(),))
    shown = locked[:MOST_ROWS]
    names = view.table.zone_names
    table = pd.DataFrame(
        {
            _("Area"): [view.table.unit_names[unit] for unit in shown],
            _("Township"): [view.table.towns[unit] for unit in shown],
            _("School as drawn"): [
                names[zone] if (zone := int(view.drawing.zone[unit])) != NO_ZONE else "" for unit in shown
            ],
        }
    )
    _draw_table(table, "locks", [{"unit": view.table.unit_ids[unit]} for unit in shown], view, _show_unit)
    _tell_more(len(locked) - len(shown), _)


def _unlock(units: list[int]) -> None:
    change_drawing(lambda drawing: lock_units(drawing, np.array(units, dtype=np.int64), on=False))
