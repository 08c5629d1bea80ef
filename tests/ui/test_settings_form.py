"""The settings of a study of one's own: street blocks are offered where there are roads to cut them."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from geodata.study_file import UnitsSource


def _page(with_roads: bool) -> None:
    from pathlib import Path

    import streamlit as st

    from reports.language import read_catalogue
    from ui.detect import Detected
    from ui.draft import Draft, build_spec
    from ui.settings_form import render_settings

    files = {"schools": ["s.csv"], "population": ["p.gpkg"]} | ({"roads": ["r.osm.pbf"]} if with_roads else {})
    draft = Draft(files=files)
    detected = {"population": Detected("GeoPackage", 1.0, shape="polygon")}
    if with_roads:
        detected["roads"] = Detected("OpenStreetMap", 1.0)
    render_settings(read_catalogue(st.session_state.get("language", "en")), draft, detected)
    st.session_state["units"] = build_spec(draft, Path()).units


def _run(language: str, with_roads: bool) -> AppTest:
    page = AppTest.from_function(_page, kwargs={"with_roads": with_roads})
    page.session_state["language"] = language
    return page.run(timeout=30)


def test_street_blocks_take_a_size_and_a_compactness() -> None:
    page = _run("en", with_roads=True)
    kinds = next(box for box in page.selectbox if box.label == "Planning units")
    assert kinds.options == ["as in the file", "square cells", "street blocks"]
    kinds.select("blocks").run(timeout=30)
    page.number_input(key="set_block").set_value(6.5)
    page.slider(key="set_compactness").set_value(0.8).run(timeout=30)
    assert not page.exception
    expected = UnitsSource(kind="blocks", block_m2=65_000.0, compactness=0.8)
    assert page.session_state["units"] == expected


def test_without_roads_there_are_no_street_blocks() -> None:
    page = _run("zh", with_roads=False)
    assert not page.exception
    assert max(len(box.options) for box in page.selectbox if box.key.startswith("set_units")) == 2
