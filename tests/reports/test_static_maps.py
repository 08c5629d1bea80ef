"""Static maps: names, sizes, what is drawn where, the same bytes twice, names that collide with nothing."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from PIL import Image

from planning.publication_options import PackOptions
from reports.consultation_case import Consultation
from reports.static_map_labels import Taken
from reports.static_map_layers import build_map_layers
from reports.static_maps import MapKey, draw_maps, name_map
from tests.reports.consultation_samples import build_merger

KEYS = (
    MapKey("primary"),
    MapKey("primary", "", "both"),
    MapKey("primary", "W", "both"),
    MapKey("primary", "E", "before"),
)


@lru_cache(maxsize=2)
def _case(boundaries: bool = False) -> Consultation:
    return build_merger(PackOptions(map_number="示例S(2026)001号", show_boundaries=boundaries))


@lru_cache(maxsize=1)
def _maps() -> dict[str, bytes]:
    return draw_maps(_case(), KEYS)


def _open(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L")).astype(int)


def test_names_are_fit_for_files_and_never_the_same() -> None:
    keys = [
        MapKey("primary", school_id, side)
        for school_id in ("", "county", "a/b", "a-b", "学")
        for side in ("before", "both")
    ]
    names = {name_map(key) for key in keys}
    assert len(names) == len(keys)
    assert all(name.isascii() and not set(name) & set("/\\.: ") for name in names)


def test_every_map_is_a_picture_for_the_line_of_a_page() -> None:
    maps = _maps()
    assert list(maps) == [name_map(key) for key in KEYS]
    for png in maps.values():
        width, height = Image.open(io.BytesIO(png)).size
        assert width == 1320 and 700 < height < 1700 and len(png) < 400_000


def test_maps_are_the_same_each_time_and_carry_no_time_or_name() -> None:
    again = draw_maps(_case(), KEYS[2:3])
    assert again[name_map(KEYS[2])] == _maps()[name_map(KEYS[2])]
    assert not Image.open(io.BytesIO(again[name_map(KEYS[2])])).info.keys() - {"dpi", "transparency"}


def test_before_and_after_differ_in_grey_print() -> None:
    maps = draw_maps(_case(), [MapKey("primary", "W", side) for side in ("before", "after", "both")])
    before, after, both = (_open(png) for png in maps.values())
    assert both.shape == after.shape and (np.abs(both - after) > 60).mean() > 0.005
    assert before.shape == after.shape


def test_layers_hold_the_zones_as_published() -> None:
    case = _case()
    layers = build_map_layers(case)
    assert not layers.towns
    after = {school for ids, _shape in layers.zones["primary", "after"] for school in ids}
    assert "E" not in after and "W" in after
    assert layers.find_zone("primary", "before", "E").area > 0
    assert layers.find_zone("primary", "after", "E").is_empty
    moved = case.publication.units[case.publication.units["changed"]]
    units = case.study.units.set_index("unit_id").loc[moved["unit_id"]]
    assert layers.changed["primary"].area == pytest.approx(units.geometry.area.sum(), rel=0.02)
    assert {school.school_id: school.status for school in layers.schools["primary"]}["E"] == "gone"


def test_borders_of_towns_are_drawn_only_where_asked() -> None:
    towns = _case(boundaries=True).study.units["town"].astype(str).str.len() > 0
    assert bool(build_map_layers(_case(boundaries=True)).towns) == bool(towns.any())


def test_names_keep_away_from_each_other_and_from_the_edge() -> None:
    taken = Taken(100, 100)
    taken.add((10, 10, 30, 30))
    assert not taken.is_free((20, 20, 40, 40)) and not taken.is_free((-5, 50, 10, 60))
    assert taken.is_free((40, 40, 60, 60))


def test_names_with_signs_of_mathematics_or_unknown_letters_are_plain_text() -> None:
    case = _case()
    schools = case.publication.schools.assign(name="$x_{1}$ \\frac 𠮷村")
    odd = replace(case, publication=replace(case.publication, schools=schools))
    assert {school.name for school in build_map_layers(odd).schools["primary"]} == {"$x_{1}$ \\frac 〓村"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert draw_maps(odd, KEYS[2:3])


def test_progress_runs_to_the_end() -> None:
    shares: list[float] = []
    draw_maps(_case(), KEYS[:1], progress=lambda step, share: shares.append(share))
    assert shares[0] == 0.0 and shares[-1] == 1.0
    assert draw_maps(_case(), ()) == {}
