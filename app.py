"""The browser door: ``streamlit run app.py``. Headers for safety, files for the map, one error boundary."""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from ui.failures import show_failure
from ui.headers import SafeHeaders
from ui.map_settings import list_tile_hosts
from ui.routes import build_routes

# Streamlit takes the folder ui/pages, beside ui/main.py, for its old router until st.navigation has run once in this
# server: whoever opens /data first would see that page without its frame.
PagesManager.uses_pages_directory = False

app = st.App(
    "ui/main.py",
    routes=build_routes(),
    middleware=[Middleware(SafeHeaders, tile_hosts=list_tile_hosts())],
    on_script_error=show_failure,
)
