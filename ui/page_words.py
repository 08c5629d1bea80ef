"""The words of Streamlit's own widgets that cannot be given as arguments, said in the reader's language by style."""

from __future__ import annotations

import json

import streamlit as st

from reports.language import Translator


def render_page_words(_: Translator) -> None:
    """Put the reader's words over those that Streamlit would show in English; hide its counting of letters."""
    empty = "[data-testid=stSelectboxVirtualDropdown] [data-empty] span"
    words = json.dumps(_("Nothing fits"), ensure_ascii=False)
    rules = f"{empty} {{ font-size: 0; }} {empty}::after {{ content: {words}; font-size: 0.9rem; }}"
    hidden = "[data-testid=InputInstructions] { display: none; }"
    st.html("<style>" + hidden + rules + "</style>")
