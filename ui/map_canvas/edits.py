"""Drawing on the map: reads the strokes of the browser, and packs what is drawn for it.

Strokes come as a state value that holds every stroke which the browser has not seen applied, so that none is lost when
a run is cut short. What a browser sends is not trusted: what cannot be read is passed over. Zones travel as the
difference against what the browser said it has; the session keeps the last revisions as plain bytes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt
import streamlit as st

from geodata.study import compute_digest
from reports.maps import pack_array, pack_compressed

Action = Literal["give", "lock", "unlock", "undo", "redo"]
STROKES_AT_ONCE = 1000
REVISIONS_KEPT = 12
LARGEST_NUMBER = 2**50


@dataclass(frozen=True, eq=False)
class MapEdit:
    """One stroke: ``seq`` numbers it; ``units``: positions in ``study.units``; ``zone`` is −1 but for ``"give"``."""

    seq: int
    action: Action
    units: npt.NDArray[np.int64]
    zone: int


def _read_strokes(key: str) -> Mapping[str, Any]:
    state = st.session_state.get(key)
    strokes = state.get("strokes") if isinstance(state, Mapping) else None
    return strokes if isinstance(strokes, Mapping) else {}


def read_map_edits(key: str, *, drawing: str, after: int, n_units: int, n_zones: int) -> tuple[MapEdit, ...]:
    """Return the strokes that are not applied yet, in order.

    Parameters
    ----------
    key
        Name of the map.
    drawing
        ``reports.drawing_scene.compute_drawing_id`` of what is drawn: strokes meant for another drawing are left out.
    after
        Number of the last stroke applied (``DrawingState.ack``).
    n_units, n_zones
        Positions of units beyond ``n_units`` are left out, and strokes to a zone that does not exist.
    """
    strokes = _read_strokes(key)
    listed = strokes.get("list")
    if strokes.get("drawing") != drawing or not isinstance(listed, list):
        return ()
    found = {}
    for item in listed[:STROKES_AT_ONCE]:
        edit = _read_edit(item, n_units, n_zones)
        if edit is not None and edit.seq > after:
            found[edit.seq] = edit
    return tuple(found[seq] for seq in sorted(found))


def _read_edit(item: object, n_units: int, n_zones: int) -> MapEdit | None:
    if not isinstance(item, Mapping):
        return None
    seq, action, zone = _read_whole(item.get("seq")), item.get("action"), _read_whole(item.get("zone", -1))
    if seq is None or seq < 1 or zone is None or action not in get_args(Action):
        return None
    if action == "give" and not 0 <= zone < n_zones:
        return None
    units = _unpack_units(item.get("units", ""), n_units)
    return MapEdit(seq, cast(Action, action), units, zone if action == "give" else -1)


def _read_whole(value: object) -> int | None:
    """Return a whole number; JSON may have made it a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < LARGEST_NUMBER and value == int(value) else None


def _unpack_units(text: object, n_units: int) -> npt.NDArray[np.int64]:
    """Return the positions in a base64 text of little-endian uint32, each once, sorted."""
    nothing = np.empty(0, dtype=np.int64)
    if not isinstance(text, str) or len(text) > 6 * n_units + 8:
        return nothing
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return nothing
    units = np.unique(np.frombuffer(data[: len(data) // 4 * 4], dtype="<u4").astype(np.int64))
    return units[units < n_units]


def pack_drawing(key: str, edit: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``edit`` block of a scene as the browser reads it: zones as a difference where possible.

    The browser's revision is that of its last stroke; it may have seen newer ones. So every unit that changed in any
    revision since then is sent with its newest zone.
    """
    zone = np.asarray(edit["zone"], dtype="<i4")
    revision = f"{edit['number']}:{compute_digest(edit['drawing'], zone)}"
    log = [tuple(entry) for entry in st.session_state.get(f"{key}_drawn", []) if entry[0] == edit["drawing"]]
    changed = _find_changed(log, _read_strokes(key), edit["drawing"], zone)
    if not log or log[-1][1] != revision:
        log.append((edit["drawing"], revision, zone.tobytes()))
    st.session_state[f"{key}_drawn"] = log[-REVISIONS_KEPT:]
    if changed is None or len(changed) * 2 > len(zone):
        sent = {"whole": pack_compressed(zone)}
    else:
        sent = {"changed": pack_array(changed.astype("<u4")), "zones": pack_array(zone[changed])}
    return {
        **edit,
        "zone": sent,
        "revision": revision,
        "check": compute_check(zone),
        "locked": _pack_bits(np.flatnonzero(edit["locked"]), len(zone)),
        "marks": {name: _pack_bits(units, len(zone)) for name, units in edit["marks"].items()},
    }


def _find_changed(
    log: list[tuple[Any, ...]], strokes: Mapping[str, Any], drawing: str, zone: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64] | None:
    """Return the units that changed since the revision the browser has; None: it has none that is known here."""
    have = strokes.get("have") if strokes.get("drawing") == drawing else None
    at = next((i for i, entry in enumerate(log) if entry[1] == have), None)
    if at is None:
        return None
    arrays = [np.frombuffer(entry[2], dtype="<i4") for entry in log[at:]]
    if any(len(array) != len(zone) for array in arrays):
        return None
    changed = np.zeros(len(zone), dtype=np.bool_)
    for older, newer in zip(arrays, [*arrays[1:], zone], strict=True):
        changed |= older != newer
    return np.flatnonzero(changed)


def compute_check(zone: npt.ArrayLike) -> int:
    """Return a sum by which the browser sees that its zones are those of the server."""
    numbers = np.asarray(zone, dtype=np.int64)
    return int(((numbers + 2) * (np.arange(len(numbers)) % 997 + 1)).sum())


def _pack_bits(units: npt.ArrayLike, count: int) -> str:
    bits = np.zeros((count + 31) // 32 * 32, dtype=np.uint8)
    bits[np.asarray(units, dtype=np.int64)] = 1
    return pack_compressed(np.packbits(bits, bitorder="little").view("<i4"))


def forget_drawn(key: str) -> None:
    """Forget what this browser was sent: the next run sends all zones."""
    st.session_state.pop(f"{key}_drawn", None)
