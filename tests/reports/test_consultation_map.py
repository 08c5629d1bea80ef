"""The offline map as a file: whole, without requests, without active content, and with published counts only."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from geodata.messages import msg
from reports.comment_form import COMMENT_FIELDS, build_form_spec, check_comment, render_form_file
from reports.consultation_case import Consultation
from reports.consultation_map import build_map_page, build_page_data
from reports.consultation_map_data import HIDDEN, MessagePool
from reports.consultation_map_shapes import pack_numbers
from reports.language import read_catalogue
from tests.reports.consultation_worlds import HOSTILE, build_hostile_case

_ = read_catalogue("en")


@pytest.fixture(scope="module")
def case() -> Consultation:
    return build_hostile_case()


@pytest.fixture(scope="module")
def page(case: Consultation) -> str:
    return build_map_page(case).decode("utf-8")


@pytest.fixture(scope="module")
def data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found.group(1))  # type: ignore[no-any-return]


def unpack_numbers(text: str) -> list[int]:
    """Read variable-length numbers the slow way, as the page does."""
    numbers, value, place = [], 0, 0
    for byte in base64.b64decode(text):
        value |= (byte & 127) << place
        place += 7
        if byte < 128:
            numbers.append(-(value + 1) // 2 if value % 2 else value // 2)
            value, place = 0, 0
    return numbers


def test_numbers_come_back() -> None:
    values = [0, -1, 1, 63, 64, -64, -65, 8191, 8192, 2**26, -(2**26), 2**33]
    assert unpack_numbers(pack_numbers(values)) == values
    assert pack_numbers(np.empty(0)) == ""


def test_the_page_is_whole_and_asks_for_nothing(page: str) -> None:
    assert "@" not in re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.S)
    head = page[: page.index("<body>")]
    assert "default-src 'none'" in head and "base-uri 'none'" in head and "unsafe" not in head
    assert not re.search(r"<(?:link|img|iframe|object|embed|base)\b", page.replace("\\u003c", ""))
    assert not any("url(" in style or "@import" in style for style in re.findall(r"<style>(.*?)</style>", page, re.S))
    assert "sourceMappingURL" not in page


def test_only_the_scripts_of_the_page_may_run(page: str) -> None:
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(scripts) == 2
    for text in scripts:
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        assert f"'sha256-{digest}'" in page
    assert " onclick=" not in page and "innerHTML" not in scripts[1] and "eval(" not in scripts[1]


def test_hostile_names_stay_data(page: str, data: dict[str, Any]) -> None:
    assert "<script>document" not in page and "<img" not in page
    assert HOSTILE in data["units"]["names"]
    assert data["title"] == f"Close {HOSTILE}"


def test_equal_cases_make_equal_pages(case: Consultation, page: str) -> None:
    assert build_map_page(case).decode("utf-8") == page


def test_who_goes_where_before_and_after(data: dict[str, Any]) -> None:
    """Nearest: a, b to W, c to E (a tie), d, e to E; after the closure all to W: c 20, d 30, e 40 min."""
    stage, ids = data["by_stage"]["primary"], data["schools"]["ids"]
    rows = np.array(unpack_numbers(stage["ways"])).reshape(-1, 6)
    after = {data["units"]["ids"][row[0]]: (ids[row[3]], row[4]) for row in rows if row[1] == 1}
    assert after == {"a": ("W", 0), "b": ("W", 100), "c": ("W", 200), "d": ("W", 300), "e": ("W", 400)}
    before = {data["units"]["ids"][row[0]]: ids[row[3]] for row in rows if row[1] == 0}
    assert before == {"a": "W", "b": "W", "c": "E", "d": "E", "e": "E"}
    assert unpack_numbers(stage["units"]["changed"]) == [0, 0, 1, 1, 1]
    zones = stage["zones"]
    assert [[ids[at] for at in group] for group in zones["before"]["schools"]] == [["E"], ["W"]]
    assert [[ids[at] for at in group] for group in zones["after"]["schools"]] == [["W"]]
    assert stage["schools"]["status"][stage["schools"]["at"].index(ids.index("E"))] == "gone"


def test_counts_are_those_of_the_publication_and_hidden_ones_are_gone(case: Consultation) -> None:
    publication = case.publication
    schools = publication.schools.assign(pupils_after_hidden=True)
    data = build_page_data(replace(case, publication=replace(publication, schools=schools)))
    stage = data["by_stage"]["primary"]
    assert set(stage["schools"]["pupils_after"]) == {HIDDEN}
    assert stage["totals"]["pupils"] == int(publication.totals["pupils"].iloc[0]) == 110


def test_no_place_of_a_home_is_in_the_page(case: Consultation, data: dict[str, Any]) -> None:
    """Units are areas, house numbers are runs with a unit; no demand point, no pupils of a unit."""
    assert set(data["units"]) == {"ids", "names", "towns", "shape"}
    assert set(data["streets"]) == {"names", "towns", "units", "runs"}
    assert set(data["by_stage"]["primary"]["units"]) == {"before", "after", "reason", "changed"}
    # 1-9 odd in a, 11 in b: two runs of one street; 2 in e, of the other town.
    assert unpack_numbers(data["streets"]["runs"]) == [1, 0, 2, 0, 4, 2, 1, 1, 8, 0, 1, 11, 0, 1]


def test_languages_share_the_data(data: dict[str, Any]) -> None:
    assert data["languages"] == ["zh", "en"]
    assert set(data["texts"]["zh"]) == set(data["texts"]["en"])
    assert len(data["messages"]["templates"]["zh"]) == len(data["messages"]["templates"]["en"])
    for language in ("zh", "en"):
        assert data["forms"][language]["language"] == language


def test_borders_and_review_number_follow_the_options() -> None:
    data = build_page_data(build_hostile_case(("en",), show_boundaries=True, map_number="GS(2026)0001"))
    assert data["borders"] is not None
    assert "GS(2026)0001" in data["texts"]["en"]["map_note"]
    assert data["languages"] == ["en"]


def test_sentences_are_kept_once_with_their_values() -> None:
    pool = MessagePool()
    inner = msg("to {school}", school="A")
    first = pool.add(msg("It goes {way}, {minutes:.1f} min, {names}", way=inner, minutes=2.25, names=("x", "y")))
    assert (
        pool.add(msg("It goes {way}, {minutes:.1f} min, {names}", way=inner, minutes=2.25, names=("x", "y"))) == first
    )
    assert pool.sentences == [[0, [1, "A"], "2.2", {"list": ["x", "y"]}]]
    assert pool.render_templates(_) == ["It goes {way}, {minutes} min, {names}", "to {school}"]
    assert pool.add("") == pool.add(None) == -1


def test_the_form_asks_nobody_for_a_name(case: Consultation) -> None:
    spec = build_form_spec(case, _)
    assert [field["number"] for field in spec["fields"]] == list(range(1, len(COMMENT_FIELDS) + 1))
    assert {field["id"] for field in spec["fields"] if field["required"]} == {"position", "comment"}
    assert not {"name", "child", "identity", "address"} & {field["id"] for field in spec["fields"]}
    assert spec["pack_id"] == case.pack_id
    assert [option["id"] for option in spec["fields"][2]["options"]] == ["primary"]
    assert set(json.loads(render_form_file(case))) == {"zh", "en"}


def _comment(spec: dict[str, Any], **answers: object) -> dict[str, Any]:
    return {
        **{name: spec[name] for name in ("format", "version", "pack_id")},
        "language": "en",
        "written": "2026-11-22",
        "answers": {"position": "object", "comment": "Too far.", **answers},
    }


def test_an_answer_is_checked_against_the_form(case: Consultation) -> None:
    spec = build_form_spec(case, _)
    good = _comment(spec, topics=["distance", "safety"], community={"id": "d", "name": HOSTILE[:80]}, stage="primary")
    assert check_comment(good, spec) == ()
    wrong = {
        "position": "maybe",
        "topics": ["distance", "distance"],
        "community": {"id": "d"},
        "comment": "x" * 2001,
        "contact": "a\x00b",
        "age": "7",
    }
    problems = [str(problem) for problem in check_comment(_comment(spec, **wrong), spec)]
    assert len(problems) == 6
    assert problems[0] == "age is not a question of this form"
    other = {**_comment(spec), "pack_id": "another", "answers": {"position": "object"}}
    told = [str(problem) for problem in check_comment(other, spec)]
    assert told == [f"pack_id must be '{case.pack_id}'", "comment is missing"]
    assert str(check_comment({**_comment(spec), "answers": []}, spec)[-1]) == "answers must be a table"
