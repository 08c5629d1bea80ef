"""The peer of the benchmark of drawing: the same county on a folium map; a click gives one area to the first school."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import folium  # noqa: E402
import numpy as np  # noqa: E402
import shapely  # noqa: E402
import streamlit as st  # noqa: E402
from streamlit_folium import st_folium  # noqa: E402

from reports.colours import ZONE_COLOURS  # noqa: E402
from tests.ui.drawing_county import build_drawing_county, find_nearest  # noqa: E402

MOVED = "#ff00ff"


@st.cache_resource
def load_county() -> tuple[dict[str, Any], Any, Any]:
    """Return the areas as GeoJSON, a tree to find them by place, and their zones."""
    rows, columns, schools = (int(word) for word in os.environ.get("BUJU_TEST_GRID", "8x12x6").split("x"))
    study = build_drawing_county(rows, columns, schools)
    places = study.units[["unit_id", "name", "geometry"]].to_crs(4326)
    return dict(places.__geo_interface__), shapely.STRtree(places.geometry.to_numpy()), find_nearest(study)


features, tree, nearest = load_county()
moved: list[int] = st.session_state.setdefault("moved", [])
# Read before the map is drawn, so that one run answers a click.
clicked = (st.session_state.get("peer") or {}).get("last_clicked")
if clicked and clicked != st.session_state.get("clicked"):
    st.session_state["clicked"] = clicked
    found = tree.query(shapely.Point(clicked["lng"], clicked["lat"]), predicate="within")
    moved.extend(int(at) for at in found[:1])
zone = nearest.copy()
zone[moved] = -1


def paint(feature: dict[str, Any]) -> dict[str, Any]:
    """Return the look of an area."""
    number = int(zone[int(feature["properties"]["unit_id"][1:])])
    colour = ZONE_COLOURS[number % len(ZONE_COLOURS)] if number >= 0 else MOVED
    return {"fillColor": colour, "color": "#ffffff", "weight": 0.5, "fillOpacity": 0.8}


st.set_page_config(layout="wide")
west, south, east, north = shapely.total_bounds(np.asarray(tree.geometries))
drawn = folium.Map(tiles=None, max_zoom=18)
drawn.fit_bounds([[south, west], [north, east]])
folium.GeoJson(features, style_function=paint, tooltip=folium.GeoJsonTooltip(["name"])).add_to(drawn)
st_folium(drawn, height=600, width=800, key="peer", returned_objects=["last_clicked"])
st.html(f'<p class="moved" data-number="{len(moved)}">{len(moved)} moved</p>')
