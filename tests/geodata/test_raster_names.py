"""Names of WorldPop's rasters, and which of several files are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.errors import DataError
from geodata.raster_names import choose_age_files, choose_total_file, parse_raster_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chn_pop_2025_CN_100m_R2025A_v1.tif", (2025, "", -1, "constrained", 100, False)),
        ("chn_pop_2030_UC_100m_R2025A_v1.tif", (2030, "", -1, "unconstrained", 100, False)),
        ("chn_f_05_2025_CN_100m_R2025A_v1.tif", (2025, "f", 5, "constrained", 100, False)),
        ("chn_t_90_2025_CN_1km_R2025A_UA_v1.tif", (2025, "t", 90, "constrained", 1000, True)),
        ("chn_T_F_2025_CN_100m_R2025A_v1.tif", (2025, "", -1, "constrained", 100, False)),
        ("chn_ppp_2020.tif", (2020, "", -1, "", 0, False)),
        ("chn_ppp_2020_UNadj_constrained.tif", (2020, "", -1, "constrained", 0, True)),
        ("chn_ppp_2015_1km_Aggregated_UNadj.tif", (2015, "", -1, "", 1000, True)),
        ("chn_m_1_2020_constrained.tif", (2020, "m", 1, "constrained", 0, False)),
        ("GHS_POP_E2025_GLOBE_R2023A_54009_100_V1_0.tif", (2025, "", -1, "", 0, False)),
        ("landscan-global-2022.tif", (2022, "", -1, "", 0, False)),
        ("people.tif", (0, "", -1, "", 0, False)),
    ],
)
def test_names(name: str, expected: tuple[object, ...]) -> None:
    found = parse_raster_name(Path(name))
    assert (found.year, found.sex, found.age, found.spread, found.cell_m, found.adjusted) == expected


def _touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


def test_the_latest_year_is_read_and_told(tmp_path: Path) -> None:
    _touch(tmp_path, *(f"chn_pop_{year}_CN_100m_R2025A_v1.tif" for year in (2020, 2025, 2015)))
    chosen, issues = choose_total_file(tmp_path, 0)
    assert chosen.name == "chn_pop_2025_CN_100m_R2025A_v1.tif"
    assert [(issue.check, issue.severity, issue.found) for issue in issues] == [
        ("raster_years", "warning", "2015, 2020, 2025")
    ]
    chosen, issues = choose_total_file(tmp_path / "chn_pop_*.tif", 2015)
    assert (chosen.name[8:12], issues) == ("2015", [])
    with pytest.raises(DataError, match="no raster of the year 2011") as caught:
        choose_total_file(tmp_path, 2011)
    assert caught.value.issues[0].found == "2015, 2020, 2025"


def test_one_file_of_another_year_is_refused(tmp_path: Path) -> None:
    path = _touch(tmp_path, "chn_pop_2020_CN_100m_R2025A_v1.tif") / "chn_pop_2020_CN_100m_R2025A_v1.tif"
    assert choose_total_file(path, 2020)[0] == path
    with pytest.raises(DataError, match="year 2025"):
        choose_total_file(path, 2025)


def test_built_land_is_preferred(tmp_path: Path) -> None:
    _touch(tmp_path, "chn_pop_2025_CN_100m_R2025A_v1.tif", "chn_pop_2025_UC_100m_R2025A_v1.tif")
    _touch(tmp_path, "chn_pop_2025_CN_1km_R2025A_UA_v1.tif", "chn_f_05_2025_CN_100m_R2025A_v1.tif")
    chosen, issues = choose_total_file(tmp_path, 0)
    assert chosen.name == "chn_pop_2025_CN_100m_R2025A_v1.tif"
    assert [issue.check for issue in issues] == ["raster_variants"]


def test_totals_that_cannot_be_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="do not tell which"):
        choose_total_file(_touch(tmp_path, "north.tif", "south.tif"), 0)


def test_ages_are_no_totals(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="age bands, not of all people"):
        choose_total_file(_touch(tmp_path, "chn_t_05_2025_CN_100m_R2025A_v1.tif"), 0)


def test_ages_of_one_year_and_kind(tmp_path: Path) -> None:
    for year in (2020, 2025):
        for age in ("00", "01", "05"):
            _touch(tmp_path, *(f"chn_{sex}_{age}_{year}_CN_100m_R2025A_v1.tif" for sex in "fm"))
    _touch(tmp_path, "chn_t_05_2020_CN_100m_R2025A_v1.tif", "chn_pop_2020_CN_100m_R2025A_v1.tif")
    files, issues = choose_age_files(tmp_path, 2020)
    assert issues == []
    assert {age: [path.name for path in paths] for age, paths in files.items()} == {
        0: ["chn_f_00_2020_CN_100m_R2025A_v1.tif", "chn_m_00_2020_CN_100m_R2025A_v1.tif"],
        1: ["chn_f_01_2020_CN_100m_R2025A_v1.tif", "chn_m_01_2020_CN_100m_R2025A_v1.tif"],
        5: ["chn_t_05_2020_CN_100m_R2025A_v1.tif"],
    }
    latest, issues = choose_age_files(tmp_path, 0)
    assert {path.name[9:13] for paths in latest.values() for path in paths} == {"2025"}
    assert [issue.check for issue in issues] == ["raster_years"]
