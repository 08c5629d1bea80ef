"""The words of Streamlit's own widgets that cannot be given as arguments, said in the reader's language by style."""

from __future__ import annotations

import json

import streamlit as st

from reports.language import Translator


def render_page_words(_: Translator) -> None:
    """Put the reader's words over those that Streamlit would show in English; hide its counting of letters."""
    replaced = {
        "[data-testid=stSelectboxVirtualDropdown][data-empty] span": _("Nothing fits"),
        "[data-testid=stSelectboxVirtualDropdown] [data-empty] span": _("Nothing fits"),
    }
    rules = [
        f"{place} {{ font-size: 0 !important; }} "
        f"{place}::after {{ content: {json.dumps(words, ensure_ascii=False)}; font-size: 0.9rem; }}"
        for place, words in replaced.items()
    ]
    hidden = "[data-testid=InputInstructions] { display: none; }"
    st.html("<style>" + hidden + " ".join(rules) + "</style>")
