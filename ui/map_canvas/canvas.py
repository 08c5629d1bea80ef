"""Mounting the map: sends the engine and every set of shapes once, and small arrays afterwards.

Streamlit sends a component's data anew with every run. So the session remembers the digests of what was sent, and only
the rest is sent; the browser asks (state ``missing``) for anything that was lost on the way. A reload of the page
begins a new session, which has sent nothing yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import streamlit as st

from geodata.study import compute_digest
from reports.maps import MapPart, Payload
from ui.map_canvas.edits import forget_drawn, pack_drawing

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

SCRIPTS = (
    *("geometry.js", "paint.js", "labels.js", "panels.js", "layer.js", "views.js", "painter.js", "map.js"),
    *("reach.js", "drawing.js", "zone_paint.js", "icons.js", "chooser.js", "toolbar.js", "tools.js", "keys.js"),
    *("twin.js", "panes.js", "drawing_painter.js", "drawing_map.js", "mount.js"),
)
COMPONENT = "buju_map"
HTML = '<div class="buju-home"></div>'
CSS = ":host { display: block }"
PARTS_IN_MEMORY = 64
DRAWN = "drawn"
"""What a browser asks for when its zones are not those of the server."""


@dataclass(frozen=True)
class MapEvent:
    """What the reader did on the map: ``type`` is ``"click"``; ``kind`` is ``"school"``, ``"unit"`` or ``""``."""

    type: str
    kind: str
    id: str
    number: int


@dataclass(frozen=True)
class Engine:
    """The program that draws the map in the browser."""

    digest: str
    source: str


@lru_cache(maxsize=1)
def read_engine() -> Engine:
    """Return Leaflet (from its installed package), our scripts and the style, joined into one module."""
    leaflet = resources.files("js_lib_leaflet") / "static" / "js_lib_leaflet"
    library = (leaflet / "leaflet.js").read_text(encoding="utf-8").split("//# sourceMappingURL")[0]
    here = resources.files("ui.map_canvas")
    # The pictures that Leaflet's style names belong to markers and a control that are not used here.
    style = (leaflet / "leaflet.css").read_text(encoding="utf-8").replace("url(images/", "url(data:,")
    style += (here / "style.css").read_text(encoding="utf-8")
    own = "\n".join((here / name).read_text(encoding="utf-8") for name in SCRIPTS)
    wrapped = (
        "const L = (() => {\nconst module = { exports: {} }; const exports = module.exports;\n"
        "const kept = globalThis.L;\n"
        f"{library}\nif (kept === undefined) delete globalThis.L; else globalThis.L = kept; return exports; }})();\n"
    )
    source = f"{wrapped}const STYLE = {_quote(style)};\n{own}"
    return Engine(f"engine-{compute_digest(source)}", source)


def _quote(text: str) -> str:
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${") + "`"


@lru_cache(maxsize=1)
def _read_loader() -> str:
    return (resources.files("ui.map_canvas") / "loader.js").read_text(encoding="utf-8")


def _read_state(key: str) -> Mapping[str, Any]:
    state = st.session_state.get(key)
    return state if isinstance(state, Mapping) else {}


def _read_list(key: str, name: str) -> list[str]:
    value = _read_state(key).get(name)
    return [str(item) for item in value] if isinstance(value, list) else []


def read_map_event(key: str) -> MapEvent | None:
    """Return what the reader has just done on the map: known before the map is drawn, once."""
    return _read_event(_read_state(key).get("event"))


def read_wanted_layers(key: str) -> frozenset[str]:
    """Return the layers switched on in the browser whose shapes are computed only when wanted."""
    return frozenset(_read_list(key, "wanted"))


@st.cache_resource(max_entries=PARTS_IN_MEMORY, show_spinner=False)
def _build_payload(digest: str, _part: MapPart) -> Payload:
    return _part.build()


@lru_cache(maxsize=1)
def _register() -> ComponentRenderer:
    return st.components.v2.component(COMPONENT, html=HTML, css=CSS, js=_read_loader())


def _recall_sent(key: str) -> list[str]:
    """Return the digests that this browser holds: all that were sent, less those that it asks for again."""
    sent = list(st.session_state.get(f"{key}_sent", []))
    missing = _read_state(key).get("missing")
    if isinstance(missing, Mapping) and missing.get("n") != st.session_state.get(f"{key}_asked"):
        st.session_state[f"{key}_asked"] = missing.get("n")
        lost = {str(digest) for digest in missing.get("hashes", [])}
        if DRAWN in lost:
            forget_drawn(key)
        sent = [digest for digest in sent if digest not in lost]
    return sent


def render_map(scene: Mapping[str, Any], parts: Mapping[str, MapPart | None], *, key: str, height: int | str) -> None:
    """Show the map. What is done on it comes with the next run: :func:`read_map_event`.

    Parameters
    ----------
    scene
        Texts, legend, layers and selection of this run (``reports.map_scene``): small, sent with every run. With
        ``edit`` (``reports.drawing_scene``) zones can be drawn: :func:`ui.map_canvas.edits.read_map_edits`.
    parts
        Shapes and values by role (units, schools, basemap, paint, and the layers wanted): each sent once.
    key
        Name of the map; the same name keeps zoom and centre also over other pages and languages.
    height
        Pixels, or a CSS length such as ``"calc(100vh - 250px)"``.
    """
    sent = _recall_sent(key)
    engine = read_engine()
    packed: dict[str, Any] = {}
    for role, part in parts.items():
        packed[role] = None if part is None else {"hash": part.digest}
        if part is not None and part.digest not in sent:
            packed[role]["payload"] = _build_payload(part.digest, part)
            sent.append(part.digest)
    program = {"hash": engine.digest}
    if engine.digest not in sent:
        program["source"] = engine.source
        sent.append(engine.digest)
    st.session_state[f"{key}_sent"] = sent
    edit = {"edit": pack_drawing(key, scene["edit"])} if "edit" in scene else {}
    data = {
        **scene,
        **edit,
        "key": key,
        "height": f"{height}px" if isinstance(height, int) else height,
        "engine": program,
        "parts": packed,
    }
    _register()(
        data=data,
        key=key,
        on_event_change=_ignore,
        on_missing_change=_ignore,
        on_wanted_change=_ignore,
        on_strokes_change=_ignore,
    )


def _ignore() -> None:
    """Streamlit asks for a callback per value; the run that follows reads them."""


def _read_event(value: Any) -> MapEvent | None:
    if not isinstance(value, Mapping):
        return None
    kind, number = str(value.get("kind", "")), value.get("n", 0)
    return MapEvent(
        str(value.get("type", "")), kind, str(value.get("id", "")), number if isinstance(number, int) else 0
    )
