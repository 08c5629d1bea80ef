"""Boundaries in words: of one zone on its school's card, of all zones in a list with its downloads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from geodata.errors import LayoutError
from geodata.study import StudyArea, compute_digest
from planning.drawing import list_drawn
from reports.language import Translator, read_catalogue
from reports.tables import render_csv
from ui.cards import render_quiet, render_title, text
from ui.catchments_notice_job import compute_notice_key, read_notices, write_notices_in_worker
from ui.catchments_open import View
from ui.catchments_state import NO_ZONE
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.pupils_view import read_viewed_of
from ui.state import read_open_reference
from ui.studies import read_class_sizes, read_reference
from ui.text import clean, plain

if TYPE_CHECKING:
    from geodata.landmarks import Landmarks
    from reports.zone_notices import ZoneNotice

SLOT = "catchments_words"
SHOWN_KEY = "catchments_words_shown"
MOST_SHOWN = 60
LONGEST = 6000


def _name_key(view: View, _: Translator) -> str:
    return compute_notice_key(view.sheet.study.fingerprint, list_drawn(view.table, view.drawing.zone), _.language)


@st.cache_resource(max_entries=6, show_spinner=False)
def _load_notices(key: str) -> tuple[ZoneNotice, ...] | None:
    return read_notices(key)


def find_notices(view: View, _: Translator) -> tuple[ZoneNotice, ...] | None:
    """Return the boundaries of the zones as they are drawn now, None where they were not written yet."""
    key = _name_key(view, _)
    found = _load_notices(key)
    if found is None:
        _load_notices.clear(key)
    return found


@st.cache_resource(max_entries=2, show_spinner=False)
def _build_landmarks(fingerprint: str, _study: StudyArea) -> Landmarks:
    from geodata.landmarks import build_landmarks

    return build_landmarks(_study)


@st.cache_resource(max_entries=64, show_spinner=False)
def _describe_zone(
    key: str, schools: tuple[str, ...], language: str, _view: View, _rows: pd.DataFrame
) -> tuple[ZoneNotice, ...]:
    from reports.zone_notices import build_zone_notices

    sheet = _view.sheet
    landmarks = _build_landmarks(sheet.study.fingerprint, sheet.study)
    say = read_catalogue(language)
    return build_zone_notices(sheet.study, _rows, sheet.terms.stage, say, school_ids=schools, landmarks=landmarks)


def render_zone_words(view: View, zone: int, _: Translator) -> None:
    """Draw the boundary of one zone in words.

    It is written when the card opens. While the zone is being drawn it would hold up the strokes; then a button asks
    for it.
    """
    table, schools = view.table, view.table.zone_schools[zone]
    mine = np.isin(view.drawing.zone, np.flatnonzero(table.admits[: table.n_zones, zone]))
    key = compute_digest(view.sheet.key, schools, view.drawing.zone[mine], np.flatnonzero(mine))
    shown = st.session_state.get(SHOWN_KEY)
    title = render_title(_("The zone in words"))
    st.html(f'<div class="card">{title}</div>')
    if isinstance(shown, dict) and shown["school"] == schools[0] and shown["key"] != key:
        button = _("The zone has changed: write it in words again")
        if not st.button(button, key="catchments_words_again", width="stretch"):
            return
    st.session_state[SHOWN_KEY] = {"school": schools[0], "key": key}
    with st.spinner(_("Writing the boundary in words …")):
        rows = list_drawn(table, np.where(mine, view.drawing.zone, NO_ZONE))
        notices = _describe_zone(key, schools, _.language, view, rows)
    body = "".join(build_notice(notice, _, with_name=len(notices) > 1) for notice in notices)
    nobody = render_quiet(_("Nobody is given to this school."))
    st.html(f'<div class="card notice">{body or nobody}</div>')


def forget_words() -> None:
    """Forget which zone was shown in words: the next card writes its own at once."""
    st.session_state.pop(SHOWN_KEY, None)


def render_notices(view: View, _: Translator) -> None:
    """Draw the boundaries of all zones, or the button that writes them."""
    state = render_job(SLOT, _("Writing the boundaries in words"))
    if state is not None:
        clear_job(SLOT)
        if state.status == "failed" and state.problem is not None:
            st.warning(plain(_.say(state.problem), longest=500))
    notices = find_notices(view, _)
    if notices is None:
        _render_order(view, _)
        return
    st.caption(_("As a notice would say it. The share says for how many pupils (or houses) text and map agree."))
    for notice in notices[:MOST_SHOWN]:
        st.html(f'<div class="card notice">{build_notice(notice, _, with_name=True)}</div>')
    if len(notices) > MOST_SHOWN:
        st.caption(_("and {count} more in the downloads", count=_.number(len(notices) - MOST_SHOWN)))


def _render_order(view: View, _: Translator) -> None:
    job = read_job(SLOT)
    busy = job is not None and not job.finished
    st.caption(
        _(
            "Every zone as a ring of named lines, by its four sides, as a list of places and by house numbers, each "
            "checked against the map. It takes a minute or two."
        )
    )
    if st.button(_("Write the boundaries of all zones"), key="catchments_write_words", disabled=busy):
        try:
            spec = read_reference(read_open_reference() or "")
        except (LookupError, LayoutError):
            return
        zones = list_drawn(view.table, view.drawing.zone)
        key = _name_key(view, _)
        start_job(
            SLOT,
            key,
            write_notices_in_worker,
            spec=spec,
            class_sizes=read_class_sizes(),
            name=key,
            rows=tuple(zones.itertuples(index=False, name=None)),
            stage=view.sheet.terms.stage,
            language=_.language,
            viewed=read_viewed_of(view.sheet.study),
        )
        st.rerun()


def list_texts(notice: ZoneNotice, _: Translator) -> list[tuple[str, str, float]]:
    """Return the texts of a notice with their titles and how far text and map agree: a share of pupils, or houses."""
    places = "" if notice.units_text == notice.text else notice.units_text
    found = [
        (_("Boundary"), notice.text, notice.agreement_share),
        (_("Four sides"), notice.sides_text, notice.sides_agreement_share),
        (_("List of places"), places, notice.units_agreement_share),
        (_("House numbers"), notice.addresses_text, notice.addresses_agreement_share),
    ]
    return [item for item in found if item[1]]


def build_notice(notice: ZoneNotice, _: Translator, *, with_name: bool) -> str:
    """Return a zone in words as HTML with every word escaped."""
    parts = [f"<h4>{text(notice.name)}</h4>"] if with_name else []
    for title, words, share in list_texts(notice, _):
        known = math.isfinite(share)
        agree = " · " + _("text and map agree: {share}", share=_.percent(share, digits=1)) if known else ""
        parts.append(f'<p><span class="quiet">{text(title + agree)}</span><br>{text(words, longest=LONGEST)}</p>')
    return "".join(parts)


def render_notice_csv(notices: Sequence[ZoneNotice], _: Translator) -> bytes:
    """Return the boundaries as a table."""
    return render_csv(
        pd.DataFrame(
            {
                _("School ids"): [";".join(notice.school_ids) for notice in notices],
                _("Schools"): [notice.name for notice in notices],
                _("Boundary"): [notice.text for notice in notices],
                _("Text and map agree (share of pupils)"): [notice.agreement_share for notice in notices],
                _("Four sides"): [notice.sides_text for notice in notices],
                _("Four sides and map agree (share of pupils)"): [notice.sides_agreement_share for notice in notices],
                _("List of places"): [notice.units_text for notice in notices],
                _("House numbers"): [notice.addresses_text for notice in notices],
            }
        )
    )


def render_notice_text(notices: Sequence[ZoneNotice], _: Translator, *, title: str) -> bytes:
    """Return the boundaries as plain text below a title, one paragraph for each zone."""
    blocks = [clean(title)]
    for notice in notices:
        lines = [
            clean(notice.name),
            *(
                _("{title}: {words}", title=head, words=clean(words, longest=LONGEST))
                for head, words, _share in list_texts(notice, _)
            ),
        ]
        blocks.append("\r\n".join(lines))
    return ("\r\n\r\n".join(blocks) + "\r\n").encode("utf-8-sig")
