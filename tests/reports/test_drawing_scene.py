"""The drawing map's values: colours that differ and stay, what is sent, and strokes that nobody can trust."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.colours import ZONE_COLOURS
from reports.drawing_colours import compute_drawing_colours
from reports.drawing_scene import DrawingState, build_drawing_parts, build_drawing_scene, compute_drawing_id
from reports.language import read_catalogue
from tests.ui.drawing_county import build_drawing_county, find_nearest
from ui.map_canvas.edits import compute_check, pack_drawing, read_map_edits

SIDE = 8


def _pairs() -> np.ndarray[Any, np.dtype[np.int64]]:
    number = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    across = np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()])
    return np.vstack([across, np.column_stack([number[:-1].ravel(), number[1:].ravel()])])


ZONES = st.lists(st.integers(-1, 5), min_size=SIDE * SIDE, max_size=SIDE * SIDE).map(np.array)


def _clashes(zone: Any, colours: Any) -> int:
    a, b = zone[_pairs()].T
    touching = (a >= 0) & (b >= 0) & (a != b)
    return int((colours[a[touching]] == colours[b[touching]]).sum())


@settings(deadline=None)
@given(ZONES, ZONES)
def test_zones_that_touch_differ_in_both_maps_and_keep_their_colours(zone: Any, before: Any) -> None:
    colours = compute_drawing_colours(_pairs(), zone, before, 6)
    assert _clashes(zone, colours) == _clashes(before, colours) == 0
    assert (compute_drawing_colours(_pairs(), zone, before, 6, colours) == colours).all()
    moved = zone.copy()
    moved[:3] = 0
    again = compute_drawing_colours(_pairs(), moved, before, 6, colours)
    assert _clashes(moved, again) == 0
    # A zone whose colour clashes with nobody's keeps it.
    if _clashes(moved, colours) == 0:
        assert (again == colours).all()


def test_more_zones_than_colours_still_differ_from_those_beside_them() -> None:
    zone = np.arange(SIDE * SIDE)
    colours = compute_drawing_colours(_pairs(), zone, zone, SIDE * SIDE)
    assert _clashes(zone, colours) == 0
    assert set(colours) <= set(range(len(ZONE_COLOURS)))


def test_when_colours_run_out_the_proposed_zones_come_first() -> None:
    """Today each of 12 zones touches every other one: ten colours cannot do. The proposed zones lie in a row."""
    everyone = np.array([(a, b) for a in range(12) for b in range(a)])
    row = np.array([(12 + a, 13 + a) for a in range(11)])
    zone, before = np.append(np.full(12, -1), np.arange(12)), np.append(np.arange(12), np.full(12, -1))
    colours = compute_drawing_colours(np.vstack([everyone, row]), zone, before, 12)
    assert (colours[:-1] != colours[1:]).all()
    assert len(set(colours)) == len(ZONE_COLOURS)


@pytest.fixture
def state() -> DrawingState:
    zone = find_nearest(_study())
    fill = pd.DataFrame(
        {"school_id": ["s000", "s001"], "pupils": [900.0, 90.0], "places": [500.0, np.nan], "fill_share": [1.8, np.nan]}
    )
    return DrawingState(
        number=4,
        zone=zone,
        before=zone,
        locked=np.arange(len(zone)) == 33,
        zone_names=("Old school", "New school"),
        zone_schools=(("s000",), ("s001",)),
        school_fill=fill,
        marks={"islands": np.array([0, 31, 32]), "new": np.array([], dtype=np.int64)},
        colours=np.array([0, 1], dtype=np.uint8),
        ack=7,
        mark_labels={"new": "newly built"},
    )


def _study() -> Any:
    return build_drawing_county(6, 6, 2, special=True)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_scene_says_what_it_shows(state: DrawingState, language: str) -> None:
    _ = read_catalogue(language)
    scene = build_drawing_scene(_study(), state, stage="primary", mode="walk", _=_)
    labels = {layer["id"]: layer["label"] for layer in scene["layers"]}
    assert labels["new"] == "newly built"
    assert "zones" in labels
    first, second = scene["edit"]["symbols"]
    assert first[0] == 0
    assert first[3] == "over"
    assert second[3] == "unknown"
    assert "180%" in first[4]
    json.dumps({name: value for name, value in scene.items() if name != "edit"})


def test_shapes_are_named_by_what_is_in_them(state: DrawingState) -> None:
    _ = read_catalogue("en")
    first = build_drawing_parts(_study(), state, stage="primary", _=_)
    again = build_drawing_parts(_study(), state, stage="primary", _=_)
    chinese = build_drawing_parts(_study(), state, stage="primary", _=read_catalogue("zh"))
    digests = {role: part.digest for role, part in first.items() if part is not None}
    assert digests == {role: part.digest for role, part in again.items() if part is not None}
    changed = {role for role, part in chinese.items() if part is not None and part.digest != digests[role]}
    assert changed == {"table"}
    for part in first.values():
        assert part is None or json.dumps(part.build())


def _unpack(text: str) -> Any:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<i4")


class Session(dict[str, Any]):
    """Stands for Streamlit's session."""

    def told(self, drawing: str, have: str = "", strokes: object = ()) -> None:
        self["map"] = {"strokes": {"drawing": drawing, "have": have, "list": strokes}}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    made = Session()
    monkeypatch.setattr("streamlit.session_state", made)
    return made


def _edit(number: int, zone: Any) -> dict[str, Any]:
    return {
        "drawing": "d",
        "number": number,
        "zone": zone,
        "locked": zone == 9,
        "marks": {"islands": np.array([31, 32])},
    }


def test_zones_go_whole_at_first_and_as_a_difference_afterwards(session: Session) -> None:
    zone = np.arange(500) % 300
    first = pack_drawing("map", _edit(1, zone))
    assert (_unpack(first["zone"]["whole"]) == zone).all()
    assert first["check"] == compute_check(zone)
    bits = np.unpackbits(_unpack(first["marks"]["islands"]).view(np.uint8), bitorder="little")
    assert np.flatnonzero(bits).tolist() == [31, 32]
    session.told("d", first["revision"])
    second = zone.copy()
    second[[7, 400]] = 299
    assert set(pack_drawing("map", _edit(2, second))["zone"]) == {"changed", "zones"}
    # What changed in between and back again is sent too: the browser may have seen it.
    sent = pack_drawing("map", _edit(3, zone))["zone"]
    assert np.frombuffer(base64.b64decode(sent["changed"]), dtype="<u4").tolist() == [7, 400]
    assert np.frombuffer(base64.b64decode(sent["zones"]), dtype="<i4").tolist() == zone[[7, 400]].tolist()


@pytest.mark.parametrize("have", ["", "1:nothing", 5, None])
def test_an_unknown_revision_gets_everything(session: Session, have: Any) -> None:
    pack_drawing("map", _edit(1, np.zeros(50, dtype=int)))
    session.told("d", have)
    assert "whole" in pack_drawing("map", _edit(2, np.ones(50, dtype=int)))["zone"]


def test_another_drawing_gets_everything(session: Session) -> None:
    sent = pack_drawing("map", _edit(1, np.zeros(50, dtype=int)))
    session.told("d", sent["revision"])
    assert "whole" in pack_drawing("map", {**_edit(1, np.zeros(50, dtype=int)), "drawing": "e"})["zone"]


def _pack(*units: int) -> str:
    return base64.b64encode(np.array(units, dtype="<u4").tobytes()).decode()


def _read(session: Session, strokes: object, **options: Any) -> list[tuple[int, str, list[int], int]]:
    session.told("d", strokes=strokes)
    chosen: dict[str, Any] = {"drawing": "d", "after": 0, "n_units": 10, "n_zones": 3} | options
    return [(edit.seq, edit.action, edit.units.tolist(), edit.zone) for edit in read_map_edits("map", **chosen)]


def test_strokes_come_in_order_and_only_new_ones(session: Session) -> None:
    strokes = [
        {"seq": 3, "action": "undo", "units": "", "zone": -1},
        {"seq": 2.0, "action": "give", "units": _pack(4, 1, 4), "zone": 2},
        {"seq": 1, "action": "lock", "units": _pack(0), "zone": -1},
    ]
    assert _read(session, strokes) == [(1, "lock", [0], -1), (2, "give", [1, 4], 2), (3, "undo", [], -1)]
    assert [seq for seq, *_ in _read(session, strokes, after=2)] == [3]
    assert _read(session, strokes, drawing="other") == []


def test_what_cannot_be_read_is_passed_over(session: Session) -> None:
    fine = {"seq": 9, "action": "give", "units": _pack(1), "zone": 0}
    broken: list[Any] = [
        None,
        "text",
        {**fine, "seq": True},
        {**fine, "seq": "1"},
        {**fine, "seq": 1.5},
        {**fine, "seq": float("inf")},
        {**fine, "seq": -4},
        {**fine, "action": "drop"},
        {**fine, "action": ["give"]},
        {**fine, "zone": 3},
        {**fine, "zone": -1},
        {**fine, "zone": None},
    ]
    assert _read(session, [*broken, fine]) == [(9, "give", [1], 0)]
    assert _read(session, "not a list") == []
    assert _read(session, {"seq": 1}) == []


@pytest.mark.parametrize("units", ["###", None, 7, "AAA", "A" * 4000, _pack(10, 2**32 - 1)])
def test_units_that_cannot_be_read_leave_a_stroke_that_changes_nothing(session: Session, units: Any) -> None:
    assert _read(session, [{"seq": 1, "action": "give", "units": units, "zone": 0}]) == [(1, "give", [], 0)]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda some: (
            st.lists(some) | st.dictionaries(st.sampled_from(["seq", "action", "units", "zone", "list"]), some)
        ),
    )
)
def test_no_message_breaks_the_reading(message: Any) -> None:
    session = Session(map={"strokes": {"drawing": "d", "list": [message]}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streamlit.session_state", session)
        assert len(read_map_edits("map", drawing="d", after=0, n_units=5, n_zones=2)) <= 1


def test_a_drawing_is_named_by_its_zones() -> None:
    study = _study()
    names = {
        compute_drawing_id(study, "primary", (("a",), ("b",))),
        compute_drawing_id(study, "junior", (("a",), ("b",))),
        compute_drawing_id(study, "primary", (("a", "b"),)),
        compute_drawing_id(study, "primary", (("a",), ("b",)), "second"),
    }
    assert len(names) == 4
