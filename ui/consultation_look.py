"""A look inside the pack: pictures of the first pages, and the map for homes in a frame that can reach nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import streamlit as st

from reports.language import LANGUAGE_NAMES, Translator
from ui.consultation_job import MadePack
from ui.consultation_panels import render_part_title
from ui.text import plain

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

LOOK_KEY = "consultation_look"
MAP = "map"
FRAME_HTML = "<div class='place'></div>"
FRAME_CSS = """
.place iframe { width: 100%; height: min(78vh, 760px); border: 1px solid #dde4e4; border-radius: 8px;
  background: #fff; }
"""
SCRIPT = """
export default function (component) {
  const place = component.parentElement.querySelector(".place");
  const { page, title, mark } = component.data || {};
  if (!place || !page || place.dataset.mark === mark) return;
  const frame = document.createElement("iframe");
  // No same origin: whatever stands in the page cannot reach this app.
  frame.setAttribute("sandbox", "allow-scripts allow-downloads allow-modals");
  frame.title = title;
  frame.srcdoc = page;
  place.replaceChildren(frame);
  place.dataset.mark = mark;
}
"""


@lru_cache(maxsize=1)
def _register() -> ComponentRenderer:
    return st.components.v2.component("buju_pack_frame", html=FRAME_HTML, css=FRAME_CSS, js=SCRIPT)


def render_look(made: MadePack, _: Translator) -> None:
    """Draw what is chosen: pages of a document, or the map."""
    names = {"notice": _("Notice"), "report": _("Report"), "letters": _("Letters")}
    options = {key: names[role] for key in made.looks if (role := key.rsplit("_", 1)[0]) in names}
    options[MAP] = _("Map for homes")
    render_part_title(_("A look inside"))
    if st.session_state.get(LOOK_KEY) not in options:
        st.session_state[LOOK_KEY] = next(iter(options))
    chosen = st.segmented_control(
        _("Part of the pack"),
        list(options),
        format_func=lambda key: options[key],
        key=LOOK_KEY,
        required=True,
        label_visibility="collapsed",
    )
    if chosen == MAP:
        _render_map(made, _)
    elif chosen is not None and chosen in made.looks:
        _render_pages(made, chosen, options[chosen], _)


def _render_pages(made: MadePack, key: str, title: str, _: Translator) -> None:
    language = key.rsplit("_", 1)[1]
    pages = made.looks[key]
    name = LANGUAGE_NAMES.get(language, language)  # type: ignore[call-overload]
    st.caption(plain(_("The first pages, {language}. The whole document is in the downloads.", language=name)))
    if key in made.cut:
        st.caption(plain(_("Only its beginning is set here: the number of pages at the foot counts just that.")))
    with st.container(key="consultation_pages"):
        columns = st.columns(2, gap="small")
    for number, page in enumerate(pages, start=1):
        with columns[(number - 1) % len(columns)]:
            try:
                picture = made.look(page)
            except OSError:
                st.caption(_("This page is not there any more. Make the pack again."))
                continue
            st.image(picture, width="stretch", alt=_("{title}, page {number}", title=title, number=number))


def _render_map(made: MadePack, _: Translator) -> None:
    st.caption(_("What residents open on their own machine, without the internet. Look up a place as they will."))
    try:
        page = made.read("map.html").decode("utf-8")
    except (OSError, UnicodeDecodeError):
        st.caption(_("This page is not there any more. Make the pack again."))
        return
    data = {"page": page, "title": _("Map for homes"), "mark": made.folder.name}
    _register()(data=data, key="consultation_frame")
