"""The frame around every page: language, list of pages, style. Run by Streamlit for every visitor and every click."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

from ui.state import render_language_switch, restore_address, translator
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
    restore_address()
    _ = translator()
    render_style(_)
    pages = [
        st.Page("pages/home.py", title=_("Home"), url_path="home", default=True),
        st.Page("pages/data.py", title=_("Data"), url_path="data"),
    ]
    if (Path(__file__).parent / "pages" / "today.py").exists():
        pages.append(st.Page("pages/today.py", title=_("Today"), url_path="today"))
    page = st.navigation(pages, position="top")
    render_language_switch()
    page.run()


# A worker process that Streamlit's server starts imports this file under another name, and must not draw.
if __name__ == "__main__":
    main()
