"""The map in the browser: Leaflet and own canvases, as a Streamlit component."""

from ui.map_canvas.canvas import MapEvent, read_engine, read_map_event, read_wanted_layers, render_map

__all__ = ["MapEvent", "read_engine", "read_map_event", "read_wanted_layers", "render_map"]
