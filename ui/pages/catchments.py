"""Catchments: the drawing table. Zones are drawn on the map, and the numbers answer at once."""

from __future__ import annotations

from ui.catchments_panels import render_page_style
from ui.catchments_table import render_catchments
from ui.reopen import open_or_build

render_page_style()
county = open_or_build()
if county is not None:
    render_catchments(county)
