"""The frame around every page: language, list of pages, style. Run by Streamlit for every visitor and every click."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from ui.state import read_address, render_language_switch, take_address, translator
from ui.style import render_style

ICON = "🏫"


@lru_cache(maxsize=1)
def read_logo() -> str:
    """Return the drawing in the corner of every page."""
    return (Path(__file__).parent / "logo.svg").read_text(encoding="utf-8")


def main() -> None:
    """Draw the frame and run the page that the address names."""
    st.set_page_config(page_title="Buju 布局", page_icon=ICON, layout="wide", initial_sidebar_state="auto")
    st.logo(read_logo(), size="large")
    take_address()
    _ = translator()
    render_style(_)
    pages = [
        st.Page("pages/home.py", title=_("Home"), url_path="home", default=True),
        st.Page("pages/data.py", title=_("Data"), url_path="data"),
        st.Page("pages/today.py", title=_("Today"), url_path="today"),
        st.Page("pages/forecast.py", title=_("Forecast"), url_path="forecast"),
        st.Page("pages/zoning.py", title=_("Zoning"), url_path="zoning"),
        st.Page("pages/catchments.py", title=_("Catchments"), url_path="catchments"),
        st.Page("pages/scenarios.py", title=_("Scenarios"), url_path="scenarios"),
        st.Page("pages/closures.py", title=_("Closures"), url_path="closures"),
        st.Page("pages/sites.py", title=_("Sites"), url_path="sites"),
        st.Page("pages/compare.py", title=_("Compare"), url_path="compare"),
        st.Page("pages/consultation.py", title=_("Consultation"), url_path="consultation"),
        st.Page("pages/inspection.py", title=_("Inspection"), url_path="inspection"),
        st.Page("pages/rules.py", title=_("Rules"), url_path="rules"),
    ]
    page = st.navigation(pages, position="hidden")
    render_page_links(pages, page)
    render_language_switch()
    page.run()


def render_page_links(pages: Sequence[Page], current: Page) -> None:
    """Draw the list of pages; each link carries what is open, so that Back and a reload find it again."""
    with st.container(key="page_links", horizontal=True):
        for page in pages:
            with st.container(key=f"page_link_{page.url_path or 'home'}{'_open' if page is current else ''}"):
                st.page_link(page, label=page.title, query_params=read_address())


# A worker process that Streamlit's server starts imports this file under another name, and must not draw.
if __name__ == "__main__":
    main()
