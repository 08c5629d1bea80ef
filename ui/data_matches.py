"""The review table of names: which village of the list is which place. The answer is kept as the table of matches."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import streamlit as st

from geodata.errors import DataError
from geodata.study import compute_digest
from reports.language import Translator
from reports.tables import render_csv
from ui.columns import match_fields
from ui.detect import Detected
from ui.draft import Draft, build_document, build_spec
from ui.issue_table import build_rows, render_table
from ui.text import clean, plain
from ui.upload_form import Upload, keep_draft

TO_REVIEW = ("ambiguous", "unknown", "near", "left_out", "accepted")
UNDECIDED = ("ambiguous", "unknown")
CERTAIN = 0.9995
"""Names as like as this were certain before anybody accepted them."""
MATCHES_FILE = "matches.csv"
COLOURS: Mapping[str, str] = MappingProxyType({"ambiguous": "red", "unknown": "red", "near": "orange"})
HEIGHT = 420


def name_status(_: Translator, status: str) -> str:
    """Return how sure a match is, in the reader's language."""
    return {
        "exact": _("certain"),
        "near": _("near, please check"),
        "accepted": _("accepted"),
        "left_out": _("left out"),
        "ambiguous": _("several are possible"),
        "unknown": _("not found"),
    }.get(status, status)


def joins_by_name(draft: Draft, uploads: Mapping[str, Upload]) -> bool:
    """Whether the population is a list of names whose places are looked up in a file of their own."""
    if "population" not in uploads or "gazetteer" not in uploads:
        return False
    found: Detected = uploads["population"].found
    if found.issues or found.shaped or not found.headers or uploads["gazetteer"].found.issues:
        return False
    columns = match_fields("population", found.headers, draft.columns.get("population", {}))
    return not ({"lon_deg", "lat_deg"} <= set(columns) or {"x_m", "y_m"} <= set(columns))


def render_matches(_: Translator, folder: Path, draft: Draft, uploads: Mapping[str, Upload]) -> bool:
    """Draw the review table where the population is a list of names; return whether a new answer was kept."""
    if not joins_by_name(draft, uploads) or not draft.files.get("schools"):
        return False
    with st.container(border=True, key="matches"):
        heading = _("Names of the list and their places")
        st.markdown(f"**{heading}**")
        mark = _mark(folder, draft)
        try:
            table, places = _build(str(folder), mark, draft)
        except DataError as error:
            st.html(render_table(build_rows(_, error.issues[:20]), [issue.severity for issue in error.issues[:20]]))
            return False
        _render_counts(_, table)
        answer = _render_editor(_, table, places, mark)
        with st.container(horizontal=True):
            kept = st.button(_("Keep these matches"), key="keep_matches", type="primary")
            st.download_button(
                _("Download as CSV"),
                data=lambda: render_csv(table),
                file_name="matches.csv",
                mime="text/csv",
                key="matches_csv",
                on_click="ignore",
            )
        if kept:
            _keep(folder, draft, answer)
        return kept


def _mark(folder: Path, draft: Draft) -> str:
    """Return what names the state of lists, places and decisions that the table was built from."""
    document = build_document(draft)
    parts = [document.get(name) for name in ("population", "gazetteer", "crs")]
    stamps = [
        (folder / name).stat().st_mtime_ns for name in draft.files.get("matches") or [] if (folder / name).is_file()
    ]
    return compute_digest(repr(parts), tuple(stamps))


@st.cache_data(max_entries=20, show_spinner=False)
def _build(folder: str, mark: str, _draft: Draft) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Return the review table, and name and township of every place; hashed by folder and mark."""
    from geodata.gazetteer import build_match_table, list_place_names

    spec = build_spec(_draft, Path(folder))
    places = list_place_names(spec)
    pairs = list(dict.fromkeys(zip(places["place_name"], places["place_town"], strict=True)))
    return build_match_table(spec), [(str(name), str(town)) for name, town in pairs]


def _render_counts(_: Translator, table: pd.DataFrame) -> None:
    counts = table["status"].value_counts()
    parts = []
    for status in ("exact", *TO_REVIEW[::-1]):
        if status in counts:
            words = _("{name}: {value}", name=name_status(_, status), value=_.number(int(counts[status])))
            parts.append(f":{COLOURS.get(status, 'green')}[{plain(words)}]")
    st.markdown(" · ".join(parts))
    if any(status in counts for status in UNDECIDED):
        st.caption(_("Choose the place of each name that is not certain. A name accepted without a place is left out."))


def _render_editor(_: Translator, table: pd.DataFrame, places: list[tuple[str, str]], mark: str) -> pd.DataFrame:
    """Draw the rows that want a look, or all of them; return the whole table with the reader's answers."""
    kept = (table["status"] == "accepted") & (table["score"].astype(float) >= CERTAIN)
    waiting = table["status"].isin(TO_REVIEW) & ~kept
    show_all = st.toggle(_("Also show the certain ones"), key="matches_all", value=not waiting.any())
    shown = table if show_all else table[waiting]
    if shown.empty:
        return table
    nowhere = _("– none –")
    labels = {nowhere: ("", "")} | {label: pair for pair in places if (label := _label(*pair))}
    named = {pair: label for label, pair in labels.items()}
    pairs = zip(shown["place_name"], shown["place_town"], strict=True)
    current = [named.get((str(name), str(town)), nowhere) for name, town in pairs]
    view = pd.DataFrame(
        {
            "listed": [_label(str(n), str(t)) for n, t in zip(shown["list_name"], shown["list_town"], strict=True)],
            "place": current,
            "accept": shown["accept"].astype(bool),
            "status": [name_status(_, str(status)) for status in shown["status"]],
            "score": shown["score"].astype(float),
            "row": shown["row"],
        },
        index=shown.index,
    )
    edited = st.data_editor(
        view,
        key=f"matches_editor_{mark}_{show_all}",
        hide_index=True,
        height=min(HEIGHT, 40 + 35 * len(view)),
        disabled=["listed", "status", "score", "row"],
        column_config={
            "listed": st.column_config.TextColumn(_("Name in the list"), width="medium"),
            "place": st.column_config.SelectboxColumn(_("Place"), options=list(labels), required=True, width="medium"),
            "accept": st.column_config.CheckboxColumn(_("Accept"), width="small"),
            "status": st.column_config.TextColumn(_("How sure"), width="small"),
            "score": st.column_config.ProgressColumn(
                _("Likeness"), min_value=0.0, max_value=1.0, format="percent", width="small"
            ),
            "row": st.column_config.NumberColumn(_("Row"), width="small"),
        },
    )
    return apply_answers(table, view, edited, labels)


def apply_answers(
    table: pd.DataFrame, view: pd.DataFrame, edited: pd.DataFrame, labels: Mapping[str, tuple[str, str]]
) -> pd.DataFrame:
    """Return the review table with the reader's answers: who chooses another place accepts it.

    Parameters
    ----------
    table : as ``geodata.gazetteer.build_match_table`` gives it
    view, edited : the rows shown, before and after; ``place`` is a label, ``accept`` a truth
    labels : name and township of each label
    """
    answer = table.copy()
    for at in edited.index:
        before, place = str(view.at[at, "place"] or ""), str(edited.at[at, "place"] or "")
        accept = bool(edited.at[at, "accept"])
        if place != before:
            name, town = labels.get(place, ("", ""))
            answer.at[at, "place_name"], answer.at[at, "place_town"] = name, town
            accept = accept or bool(name)
        answer.at[at, "accept"] = accept
    return answer


def _keep(folder: Path, draft: Draft, answer: pd.DataFrame) -> None:
    """Write the reviewed table into a folder of its own and name it in the draft."""
    from geodata.gazetteer import write_matches

    fresh = Path(tempfile.mkdtemp(prefix="matches-", dir=folder))
    write_matches(fresh / MATCHES_FILE, answer)
    draft.files["matches"] = [f"{fresh.name}/{MATCHES_FILE}"]
    keep_draft(folder, draft)


def _label(name: str, town: str) -> str:
    """Return a place in one line: township first, as lists are sorted."""
    return clean(f"{town} · {name}" if town and name else name)
