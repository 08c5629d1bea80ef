"""The map in the browser: Leaflet and own canvases, as a Streamlit component."""

from ui.map_canvas.canvas import MapEvent, read_engine, read_map_event, read_wanted_layers, render_map
from ui.map_canvas.edits import MapEdit, read_map_edits

__all__ = [
    "MapEdit",
    "MapEvent",
    "read_engine",
    "read_map_edits",
    "read_map_event",
    "read_wanted_layers",
    "render_map",
]
