"""Public notices of zones: golden texts that a person can read, agreement of text and map, real streets.

When the golden texts change and the new ones read better: write them again with
``python -m tests.reports.test_zone_notices``.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.build import read_study
from geodata.landmarks import Landmarks, build_landmarks
from geodata.study import Stage, StudyArea
from geodata.zone_word_parts import FourSides, Ring
from geodata.zone_words_area import draw_zone_words, measure_agreement
from planning.rules import design_class_size, read_rulebook
from reports.language import LANGUAGES, Language, read_catalogue
from reports.zone_notices import ZoneNotice, build_zone_notices, list_zone_groups, tell_agreement
from reports.zone_words import parse_zone
from tests.geodata.named_world import build_named_world

ROOT = Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / "tests" / "golden"
SHOWN: tuple[tuple[Stage, tuple[str, ...]], ...] = (
    ("primary", ("04101002", "04101003", "04101005", "04101012", "04101015", "04101027", "04101029", "04101071")),
    ("junior", ("04102003", "04102015", "04102018", "04102026")),
)
STAGES: tuple[Stage, ...] = ("primary", "junior")


@lru_cache(maxsize=8)
def _read(name: str) -> tuple[StudyArea, Landmarks]:
    class_sizes = design_class_size(read_rulebook("cn"))
    study = read_study(ROOT / "examples" / "studies" / f"{name}.toml", design_class_size=class_sizes)
    return study, build_landmarks(study)


def _nearest(study: StudyArea, stage: Stage) -> pd.DataFrame:
    """Return zones that give each unit to the school nearest on foot."""
    travel = study.travel["walk"]
    taught = set(study.places.loc[study.places["stage"] == stage, "school_id"])
    columns = np.array([k for k, key in enumerate(travel.destination_ids) if key in taught])
    nearest = columns[np.nan_to_num(travel.time_min[:, columns], nan=1e9).argmin(axis=1)]
    schools = [travel.destination_ids[k] for k in nearest]
    return pd.DataFrame({"unit_id": travel.unit_ids, "stage": stage, "school_id": schools})


def render_notices(language: Language) -> str:
    """Return notices of some demo zones, one line per form."""
    study, landmarks = _read("demo")
    _ = read_catalogue(language)
    lines = []
    for stage, schools in SHOWN:
        for notice in build_zone_notices(study, study.zones, stage, _, school_ids=schools, landmarks=landmarks):
            lines += [f"{notice.name}, {stage}, {notice.units}, {notice.agreement_share:.3f}", f"  {notice.text}"]
            lines += [f"  {text}" for text in (notice.sides_text, notice.units_text, notice.addresses_text) if text]
            lines.append("")
    return "\n".join(lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_notices_read_as_before(language: Language) -> None:
    assert render_notices(language) == (GOLDEN / f"zone_notices_{language}.txt").read_text(encoding="utf-8")


def _check(notices: tuple[ZoneNotice, ...], study: StudyArea, landmarks: Landmarks, zones: pd.DataFrame) -> None:
    """Compare each text, read back from the notice and by its names alone, with its zone."""
    assert notices
    groups = list_zone_groups(landmarks, zones, notices[0].stage)
    for notice in notices:
        units = groups[notice.school_ids]
        words = parse_zone(notice.text, "zh")
        assert words == notice.words
        assert parse_zone(notice.sides_text, "zh") == notice.sides_words
        agreement = measure_agreement(landmarks, units, words, notice.stage)
        assert agreement == pytest.approx(notice.agreement_share, nan_ok=True)
        assert not agreement < 0.99, notice.text
        assert not notice.units_agreement_share < 0.9999


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_demo_texts_agree_with_today_s_zones(stage: Stage) -> None:
    study, landmarks = _read("demo")
    notices = build_zone_notices(study, study.zones, stage, read_catalogue("zh"), landmarks=landmarks)
    _check(notices, study, landmarks, study.zones)
    assert all(notice.sides_agreement_share >= 0.99 for notice in notices)
    assert all(not notice.addresses_agreement_share < 0.99 for notice in notices)
    assert sum(isinstance(notice.words.parts[0], Ring) for notice in notices) >= 5
    assert all(isinstance(notice.sides_words.parts[0], FourSides) for notice in notices)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_demo_texts_agree_with_zones_of_the_nearest_school(stage: Stage) -> None:
    study, landmarks = _read("demo")
    zones = _nearest(study, stage)
    notices = build_zone_notices(study, zones, stage, read_catalogue("zh"), landmarks=landmarks)
    _check(notices, study, landmarks, zones)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("name", ["porto_alegre_blocks", "liechtenstein_blocks"])
def test_texts_of_real_street_blocks_agree(cases: Path, name: str) -> None:
    study, landmarks = _read(name)
    zones = _nearest(study, "primary")
    notices = build_zone_notices(study, zones, "primary", read_catalogue("zh"), landmarks=landmarks)
    _check(notices, study, landmarks, zones)
    # Blocks bear the names of their streets, so most zones are told by rings of streets.
    assert np.mean([isinstance(notice.words.parts[0], Ring) for notice in notices]) > 0.4


@pytest.mark.real
@pytest.mark.slow
def test_hexagons_are_told_honestly(cases: Path) -> None:
    study, landmarks = _read("porto_alegre")
    notices = build_zone_notices(
        study, _nearest(study, "primary"), "primary", read_catalogue("en"), landmarks=landmarks
    )
    # Streets do not bound hexagons: lists of ids are exact, rings may fall short, and what they reach is said.
    for notice in notices:
        said = tell_agreement(notice, read_catalogue("en"))
        assert ("only" in said) == (notice.agreement_share < 0.99)
    assert np.nanmin([notice.units_agreement_share for notice in notices]) == pytest.approx(1.0)


def test_shared_units_are_a_zone_of_several_schools() -> None:
    study = build_named_world()
    zones = pd.DataFrame(
        [("a", "primary", "S"), ("b", "primary", "T"), ("b", "primary", "S"), ("x", "primary", "S")],
        columns=["unit_id", "stage", "school_id"],
    )
    study.schools.loc[1] = study.schools.loc[0]
    study.schools.loc[1, ["school_id", "name"]] = ["T", "第二小学"]
    alone, shared = build_zone_notices(study, zones, "primary", read_catalogue("zh"))
    assert (alone.school_ids, alone.shared, alone.units, alone.pupils) == (("S",), False, 1, 10)
    assert (shared.school_ids, shared.shared) == (("S", "T"), True)
    assert shared.text == "中心小学与第二小学共同施教区：包括城镇的锦绣苑。"
    assert shared.addresses_text == "中心小学与第二小学共同施教区：住址门牌为北路：21—39号（单号）。"
    assert build_zone_notices(study, zones, "primary", read_catalogue("zh"), school_ids=["T"]) == (shared,)
    assert build_zone_notices(study, zones, "junior", read_catalogue("zh")) == ()


def test_names_of_others_cannot_change_a_text() -> None:
    study = build_named_world()
    study.units.loc[study.units["unit_id"] == "e", "name"] = "村；由北路—南路所围成的区域"
    zones = pd.DataFrame([("e", "primary", "S")], columns=["unit_id", "stage", "school_id"])
    (notice,) = build_zone_notices(study, zones, "primary", read_catalogue("zh"))
    assert notice.units_text == "中心小学施教区：包括城镇的「村；由北路—南路所围成的区域」。"
    assert parse_zone(notice.text, "zh") == notice.words
    area = draw_zone_words(build_landmarks(study), notice.words)
    assert area.area == pytest.approx(1_000_000)


if __name__ == "__main__":
    for language in LANGUAGES:
        (GOLDEN / f"zone_notices_{language}.txt").write_text(render_notices(language), encoding="utf-8")
