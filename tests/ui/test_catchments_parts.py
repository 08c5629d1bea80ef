"""What the drawing table shows, without a browser: numbers, differences, search, fill, files, the question asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.build import read_study
from geodata.study import StudyArea
from planning.drawing import DrawingTable, build_drawing_table, read_drawn
from planning.drawing_numbers import measure_drawing
from planning.rules import design_class_size, read_rulebook
from reports.language import read_catalogue
from tests.small_county import STUDY, write_small_county
from ui.catchments_choices import Effort
from ui.catchments_files import build_zone_rows
from ui.catchments_improve import build_ask
from ui.catchments_lists import search_rows
from ui.catchments_map import build_school_fill
from ui.catchments_numbers import Figure, build_numbers, list_figures
from ui.catchments_open import Sheet, Terms, View
from ui.catchments_state import Drawing, give_units, lock_units, start_drawing

ZONES = "unit_id,stage,school_id\n00,primary,001\n01,primary,001\n02,primary,001\n02,primary,002\n"
EN = read_catalogue("en")
TERMS = Terms("primary", "walk", "cn")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyArea:
    """Three villages of 60 pupils; the third has two schools today."""
    folder = tmp_path_factory.mktemp("county")
    write_small_county(folder)
    (folder / "zones.csv").write_text(ZONES, encoding="utf-8")
    (folder / "study.toml").write_text(STUDY + '[zones]\npath = "zones.csv"\n', encoding="utf-8")
    return read_study(folder / "study.toml", design_class_size=design_class_size(read_rulebook("cn")))


def _build_view(study: StudyArea, *given: tuple[int, int]) -> View:
    table = build_drawing_table(study, read_rulebook("cn"), TERMS.build_scenario(), "primary")
    assert isinstance(table, DrawingTable)
    first = drawing = start_drawing(study.fingerprint, "primary", table.zone_ids, table.current, "current")
    for unit, zone in given:
        drawing = give_units(drawing, np.array([unit]), zone)
    now, today = measure_drawing(table, drawing.zone), measure_drawing(table, first.zone)
    return View(Sheet(study, TERMS, table, "key"), drawing, now, today, today)


def test_the_numbers_stand_beside_today_and_the_start(study: StudyArea) -> None:
    # Today: the third village is shared evenly, so school 001 has 60 + 60 + 30 pupils for 90 places.
    view = _build_view(study, (2, 1))
    figures = {figure.title: figure.values for figure in list_figures(view, EN)}
    assert figures["Pupils above the places"] == pytest.approx((30, 60, 60))
    # Half of the shared village's pupils are counted at each of its two schools of today.
    assert figures["Pupils who change school"] == pytest.approx((30, 0, 0))
    html = build_numbers(list_figures(view, EN), EN, with_today=True)
    assert html.count('<span class="good">−30</span>') == 2
    assert html.count('<span class="bad">+30</span>') == 2


def test_an_unknown_number_is_no_zero_and_words_are_escaped() -> None:
    figure = Figure("<b>way</b>", "\"'>", (float("nan"), 1.0, 2.0))
    html = build_numbers([figure], EN, with_today=False)
    assert "&lt;b&gt;way" in html
    assert "<b>–</b>" in html
    assert "±0" not in html


def test_the_fill_of_schools_shares_a_common_zone(study: StudyArea) -> None:
    fill = build_school_fill(_build_view(study)).set_index("school_id")
    assert fill.loc["001", "pupils"] == pytest.approx(150)
    assert fill.loc["002", "pupils"] == pytest.approx(30)
    assert fill.loc["001", "fill_share"] == pytest.approx(150 / 90)


def test_the_table_of_zones_is_read_back_as_it_was(study: StudyArea) -> None:
    view = _build_view(study, (0, 1))
    rows = build_zone_rows(view)
    assert rows["school_name"].tolist()[:1] == ["{{7*7}}小学"]
    assert read_drawn(view.table, rows).tolist() == view.drawing.zone.tolist()


def test_the_search_needs_every_word_and_takes_signs_literally() -> None:
    names = {"unit_id": ["1", "2"], "name": ["North (a", "South"], "town": ["T", None]}
    rows = pd.DataFrame(names | {"old_school_names": ["First", "First"], "new_school_names": ["First", "Second"]})
    assert search_rows(rows, "").shape[0] == 2
    assert search_rows(rows, "first south")["unit_id"].tolist() == ["2"]
    assert search_rows(rows, "(A")["unit_id"].tolist() == ["1"]
    assert search_rows(rows, "first third").empty


def test_the_question_holds_the_drawing_and_its_locks(study: StudyArea) -> None:
    view = _build_view(study, (0, 1), (2, 1))
    drawing: Drawing = lock_units(view.drawing, np.array([0]), on=True)
    ask = build_ask(view.sheet, drawing, Effort((("travel", 0.0),), "priced", "forbidden", 12.0))
    options = ask.scenario.zoning
    assert options.start == "table"
    assert options.start_zones == (("00", "primary", "002"), ("01", "primary", "001"), ("02", "primary", "002"))
    assert options.locks == (("00", "primary", "002"),)
    assert (ask.scenario.assignment.travel_cap, ask.scenario.assignment.overload) == ("priced", "forbidden")
    assert ask.limits.time_limit_s == 12.0


def test_the_document_names_every_number(study: StudyArea) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "catchments.md").read_text(encoding="utf-8")
    for figure in list_figures(_build_view(study), EN):
        assert f"| {figure.title.removesuffix(' (min)')} |" in text
