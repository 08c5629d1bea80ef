"""Scenarios: close, merge, expand, open schools by hand, and keep every version."""

from __future__ import annotations

from ui.reopen import open_or_build
from ui.scenario_page import render_page_style, render_scenarios

render_page_style()
county = open_or_build()
if county is not None:
    render_scenarios(county)
