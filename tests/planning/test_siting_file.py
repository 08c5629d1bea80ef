"""Siting options as TOML: reading back gives the same value, and everything wrong is told at once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from planning.forecast_options import ForecastOptions
from planning.siting_file import TABLES, parse_siting_options, read_siting_options, render_siting_options
from planning.siting_options import SitingCosts, SitingOptions, SitingRules, SitingSearch, SitingWeights

ROOT = Path(__file__).resolve().parents[2]
money = st.floats(min_value=0, max_value=1e12)
some_ids = st.none() | st.lists(st.text(min_size=1, max_size=4), max_size=3, unique=True).map(tuple)


@st.composite
def options(draw: st.DrawFn) -> SitingOptions:
    years = tuple(sorted(draw(st.sets(st.integers(2025, 2060), max_size=4))))
    rules = SitingRules(
        max_travel_min=draw(st.none() | st.floats(1, 100)),
        min_pupils=draw(st.none() | st.floats(0, 1000)),
        max_classes=draw(st.none() | st.integers(1, 60)),
        fill_share=draw(st.floats(0.1, 1)),
        budgets_cny=tuple((year, draw(money)) for year in years),
        build_before_closing=draw(st.booleans()),
        protected=draw(some_ids) or (),
    )
    search = SitingSearch(
        time_limit_s=draw(st.none() | st.floats(0, 1e6)),
        front_plans=draw(st.integers(1, 15)),
        seed=draw(st.integers(0, 9)),
    )
    return SitingOptions(
        model="maximal_covering" if draw(st.booleans()) else "plan",
        stage=draw(st.sampled_from(["primary", "junior"])),
        mode=draw(st.sampled_from(["walk", "drive"])),
        years=years,
        variant="low" if years and draw(st.booleans()) else "",
        forecast=ForecastOptions(last_year=draw(st.integers(2030, 2040))),
        count=draw(st.integers(1, 500)),
        cover_min=draw(st.floats(0.5, 90)),
        may_close=draw(some_ids),
        may_expand=draw(some_ids),
        may_open=draw(some_ids),
        sizes_classes=tuple(draw(st.lists(st.integers(1, 60), max_size=3))),
        weights=SitingWeights(travel_cny_per_pupil_hour=draw(money)),
        costs=SitingCosts(closing_cny=draw(money)),
        rules=rules,
        search=search,
    )


@settings(max_examples=60, deadline=None)
@given(options())
def test_reading_back_gives_the_same_value(asked: SitingOptions) -> None:
    text = render_siting_options(asked)
    assert parse_siting_options(text) == asked
    assert render_siting_options(parse_siting_options(text)) == text


def test_what_is_left_out_has_its_default_and_nothing_is_not_all() -> None:
    assert parse_siting_options("") == SitingOptions()
    assert render_siting_options(SitingOptions()) == 'model = "plan"\nstage = "primary"\nmode = "walk"\n'
    assert parse_siting_options("may_close = []").may_close == ()
    unlimited = parse_siting_options("[search]\ntime_limit_s = inf")
    assert unlimited.search.time_limit_s is None
    assert "time_limit_s = inf" in render_siting_options(unlimited)


def test_every_problem_is_told_at_once() -> None:
    text = """modle = "plan"
stage = "primery"
years = [2030, 2027]
may_close = [101]
[weights]
travel = 3
building = -1
[search]
front_plans = 99
differ = 0
[rules]
fill_share = 7
[costs]
closing_cny = "much"
"""
    with pytest.raises(DataError) as caught:
        parse_siting_options(text, file="mine.toml")
    told = [(issue.sheet, issue.column, str(issue.problem), str(issue.cure or "")) for issue in caught.value.issues]
    assert all(issue.file == "mine.toml" and issue.check == "siting_file" for issue in caught.value.issues)
    assert ("", "modle", "Unknown key.", "Did you mean 'mode'?") in told
    assert ("", "stage", "Unknown value.", "Did you mean 'primary'?") in told
    assert {(table, column) for table, column, _, _ in told} == {
        *(("", "modle"), ("", "stage"), ("", "may_close[1]"), ("", "")),
        *(("[weights]", "travel"), ("[weights]", ""), ("[search]", ""), ("[rules]", ""), ("[costs]", "closing_cny")),
    }
    assert sum(table == "[search]" for table, _, _, _ in told) == 2
    for wrong in ("years = 2027", "[weights", "weights = 3", "[search]\ntime_limit_s = nan"):
        with pytest.raises(DataError):
            parse_siting_options(wrong)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be opened"):
        read_siting_options(tmp_path / "none.toml")
    (tmp_path / "gbk.toml").write_bytes("# 县".encode("gbk"))
    with pytest.raises(DataError, match="not text"):
        read_siting_options(tmp_path / "gbk.toml")
    with pytest.raises(DataError, match="longer"):
        parse_siting_options("#" * 2_000_000)
    with pytest.raises(DataError, match='"0101"'):
        parse_siting_options("may_close = [0101]")


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "siting").glob("*.toml")), ids=lambda path: path.stem)
def test_examples_are_read_and_say_how_they_are_run(path: Path) -> None:
    assert read_siting_options(path) != SitingOptions()
    assert f"examples/siting/{path.name}" in path.read_text(encoding="utf-8")
    assert path.name in (ROOT / "docs" / "terminal.md").read_text(encoding="utf-8")


def test_the_page_documents_every_key() -> None:
    page = (ROOT / "docs" / "terminal.md").read_text(encoding="utf-8")
    for kind in (SitingOptions, *(cls for name, cls in TABLES.items() if name != "forecast")):
        for item in fields(kind):
            assert f"`{item.name}`" in page or f"`[{item.name}]`" in page, item.name
