"""The terminal contract of docs/terminal.md, on a small county written by the test."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

import cli
from tests.small_county import SCHOOLS, STUDY, write_small_county


@pytest.fixture()
def county(tmp_path: Path) -> Path:
    write_small_county(tmp_path)
    return tmp_path


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_check_json(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(county / "study.toml"), "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["usable"] is True
    assert (found["schools"], found["units"], found["people"]) == (2, 3, 3000)
    assert found["pupils"]["primary"] == 180
    assert found["modes"] == ["walk", "bicycle", "drive"]


def test_run_writes_the_tables(county: Path) -> None:
    out = county / "out"
    assert cli.main(["run", str(county / "study.toml"), "--out", str(out), "--quiet"]) == 0
    assert {path.name for path in out.iterdir()} >= {
        *("schools.csv", "units.csv", "flags.csv", "indicators.csv", "run.json"),
    }
    schools = _rows(out / "schools.csv")
    assert [row["school_id"] for row in schools] == ["001", "002"]
    assert schools[0]["name"] == "'=第一小学"
    assert schools[1]["name"] == "{{7*7}}小学"
    units = _rows(out / "units.csv")
    assert {row["unit_id"]: row["school_id"] for row in units} == {"00": "001", "01": "001", "02": "002"}
    flagged = {(row["subject_id"], row["flag"]) for row in _rows(out / "flags.csv")}
    assert ("001", "over_capacity") in flagged
    indicators = {row["name"]: row for row in _rows(out / "indicators.csv") if row["area"] == "county"}
    assert float(indicators["pupils"]["value"]) == 180
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["results_version"] >= 1


def test_reasons_are_chinese_when_asked(county: Path) -> None:
    out = county / "out"
    assert cli.main(["run", str(county / "study.toml"), "--out", str(out), "--lang", "zh", "--quiet"]) == 0
    reasons = [row["reason"] for row in _rows(out / "flags.csv")]
    assert reasons
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in reason) for reason in reasons)


def test_bad_input_is_told_all_at_once(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = SCHOOLS.replace("34.50,90", "94.50,90").replace(",60,4", ",many,4")
    (county / "schools.csv").write_text(bad, encoding="utf-8")
    assert cli.main(["check", str(county / "study.toml"), "--quiet"]) == 1
    printed = capsys.readouterr().out
    assert "row 2" in printed and "94.5" in printed
    assert "row 3" in printed and "many" in printed
    assert cli.main(["run", str(county / "study.toml"), "--out", str(county / "out"), "--quiet"]) == 1
    assert not (county / "out").exists()


def test_a_missing_file_and_an_unknown_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(tmp_path / "none.toml"), "--quiet"]) == 1
    (tmp_path / "study.toml").write_text(STUDY.replace("year", "yeer"), encoding="utf-8")
    assert cli.main(["check", str(tmp_path / "study.toml"), "--quiet"]) == 1
    assert "'year'" in capsys.readouterr().out


def test_a_stage_nobody_teaches_is_no_plan(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["run", str(county / "study.toml"), "--stage", "senior", "--out", str(county / "out"), "--quiet"])
    assert code == 2
    assert capsys.readouterr().err.strip()


def test_signs_that_move_the_cursor_are_shown_not_obeyed(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "\x1b[2J\u202eab"
    (county / "schools.csv").write_text(SCHOOLS.replace("=第一小学", name).replace(",120,", ",999,"), encoding="utf-8")
    assert cli.main(["check", str(county / "study.toml"), "--quiet"]) == 0
    printed = capsys.readouterr().out
    assert "\\u001b[2J\\u202eab" in printed
    assert "\x1b" not in printed and "\u202e" not in printed


def test_unknown_people_are_not_nobody(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    villages = county / "villages.geojson"
    villages.write_text(villages.read_text(encoding="utf-8").replace("人口", "x"), encoding="utf-8")
    assert cli.main(["check", str(county / "study.toml"), "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["people"] is None
    assert found["pupils"] == {"kindergarten": None, "primary": 180, "junior": None, "senior": None}


def test_roads_that_nobody_can_use_are_an_issue_like_others(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nodes = "".join(f'<node id="{n}" lat="34.5" lon="113.0{n}"/>' for n in (1, 2))
    way = '<way id="9"><nd ref="1"/><nd ref="2"/><tag k="highway" v="motorway"/></way>'
    (county / "a.osm").write_text(f'<osm version="0.6">{nodes}{way}</osm>', encoding="utf-8")
    (county / "study.toml").write_text(STUDY + '[roads]\npath = "a.osm"\n', encoding="utf-8")
    (county / "schools.csv").write_text(SCHOOLS.replace(",120,", ",many,"), encoding="utf-8")
    assert cli.main(["check", str(county / "study.toml"), "--json", "--quiet"]) == 1
    issues = json.loads(capsys.readouterr().out)["issues"]
    assert {(issue["check"], issue["file"]) for issue in issues} >= {("roads", "a.osm"), ("type", "schools.csv")}


def test_another_sheet_of_schools_is_told(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = xlsxwriter.Workbook(str(county / "schools.xlsx"), {"strings_to_formulas": False})
    for name in ("甲", "乙"):
        sheet = book.add_worksheet(name)
        for at, line in enumerate(SCHOOLS.splitlines()):
            sheet.write_row(at, 0, line.split(","))
    book.close()
    (county / "study.toml").write_text(STUDY.replace("schools.csv", "schools.xlsx"), encoding="utf-8")
    assert cli.main(["check", str(county / "study.toml"), "--quiet"]) == 0
    assert "[sheet_not_read] schools.xlsx, 乙" in capsys.readouterr().out


def test_an_unknown_coordinate_system_is_told_where_it_stands(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (county / "study.toml").write_text(STUDY.replace("year = 2025", 'crs = "EPSG:1"'), encoding="utf-8")
    assert cli.main(["check", str(county / "study.toml"), "--quiet"]) == 1
    assert "study.toml, schools.crs" in capsys.readouterr().out


def test_schools_that_all_lie_elsewhere_stop_the_run(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (county / "schools.csv").write_text(SCHOOLS.replace("113.0", "103.0"), encoding="utf-8")
    assert cli.main(["run", str(county / "study.toml"), "--out", str(county / "out"), "--quiet"]) == 1
    assert "schools_outside" in capsys.readouterr().err


def _zone(county: Path, *more: str) -> int:
    arguments = ["zone", str(county / "study.toml"), "--out", str(county / "out"), "--time-limit", "8", "--quiet"]
    return cli.main([*arguments, *more])


def test_zone_writes_outlines_tables_and_the_certificate(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """001 (90 places) stands in 01, on the border to 00, and 002 in 02: 00 can only be joined with 001, 30 too many."""
    assert _zone(county) == 0
    out = county / "out"
    assert {path.name for path in out.iterdir()} == {
        *("zones.gpkg", "units.csv", "schools.csv", "certificate.json", "run.json"),
    }
    units = _rows(out / "units.csv")
    schools = {row["school_id"]: row for row in _rows(out / "schools.csv")}
    assert {row["unit_id"] for row in units} == {"00", "01", "02"}
    assert sum(float(row["pupils"]) for row in schools.values()) == 180
    assert schools["001"]["name"] == "'=第一小学"
    found = json.loads((out / "certificate.json").read_text(encoding="utf-8"))
    (certificate,) = found["certificates"]
    assert found["status"] == "plan" and not found["conflicts"]
    assert certificate["bound"] <= certificate["value"] and certificate["rule_prices"]
    assert found["reports"][0]["moved_pupils"] is None
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["limits"]["time_limit_s"] == 8 and record["scenario"]["enrolment"] == "zoning"
    printed = capsys.readouterr().out
    assert "pupil-minutes" in printed and "Above the places: 30 pupils" in printed


def test_zone_says_it_in_chinese(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _zone(county, "--lang", "zh") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines and all(any("\u4e00" <= letter <= "\u9fff" for letter in line) for line in lines)


def test_zone_keeps_locks_and_tells_conflicts(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    locks = county / "locks.csv"
    locks.write_text("unit_id,stage,school_id\n01,primary,001\n", encoding="utf-8")
    assert _zone(county, "--locks", str(locks), "--seed", "2") == 0
    assert {row["unit_id"]: row["school_ids"] for row in _rows(county / "out" / "units.csv")}["01"] == "001"
    locks.write_text("unit_id,stage,school_id\n02,primary,001\n", encoding="utf-8")
    capsys.readouterr()
    assert _zone(county, "--locks", str(locks)) == 2
    assert "村2 is locked to" in capsys.readouterr().err
    found = json.loads((county / "out" / "certificate.json").read_text(encoding="utf-8"))
    assert found["status"] == "no_plan" and found["conflicts"][0]["rule"] == "lock"
    left = {path.name for path in (county / "out").iterdir()}
    assert left == {"certificate.json", "run.json"}, "nothing of the earlier answer stays beside the conflicts"


def test_zone_forbids_overload_and_says_what_cures_it(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (county / "schools.csv").write_text(SCHOOLS.replace(",180,60,4", ",30,60,4"), encoding="utf-8")
    assert _zone(county, "--overload", "forbidden") == 2
    assert "60" in capsys.readouterr().err


def test_zone_refuses_an_unknown_objective(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _zone(county, "--objectives", "travle:0.1") == 1
    assert "did you mean 'travel'" in capsys.readouterr().err
    assert _zone(county, "--objectives", "travel:a") == 1


def test_describe_writes_words_communities_and_reasons_of_given_zones(
    county: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second village is nearer to the first school, which has 90 places for the 120 pupils of two villages."""
    zones = county / "new_zones.csv"
    zones.write_text("unit_id,stage,school_id\n00,primary,001\n01,primary,002\n02,primary,002\n", encoding="utf-8")
    folder = county / "described"
    arguments = ["describe", str(county / "study.toml"), "--zones", str(zones), "--out", str(folder), "--quiet"]
    assert cli.main(arguments) == 0
    assert "cover the whole study area" in capsys.readouterr().out
    boundaries = pd.read_csv(folder / "boundaries.csv", dtype=str)
    assert boundaries["school_ids"].tolist() == ["001", "002"]
    assert boundaries["boundary_agreement_share"].astype(float).tolist() == [1.0, 1.0]
    assert "村1" in boundaries["boundary"][1]
    assert "村0" in boundaries["boundary"][0]
    reasons = pd.read_csv(folder / "reasons.csv", dtype=str).set_index("unit_id")
    assert reasons["kind"].tolist() == ["nearest", "full", "seat"]
    assert "30 places short" in reasons["reason"]["01"]
    communities = pd.read_csv(folder / "communities.csv", dtype=str)
    assert communities.groupby("school_id")["pupils"].apply(lambda pupils: pupils.astype(float).sum()).to_dict() == {
        "001": 60.0,
        "002": 120.0,
    }
    assert (folder / "zones.gpkg").exists()


def test_describe_says_when_there_are_no_zones(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["describe", str(county / "study.toml"), "--out", str(county / "described"), "--quiet"]) == 1
    assert "--zones FILE" in capsys.readouterr().err


SCENARIO = """name = "=merge"
[[action]]
kind = "merge"
school_ids = ["002"]
into = ["001"]
comment = "a \\u001b[31m comment"
"""


def _scenario(county: Path, *more: str, text: str = SCENARIO, name: str = "plan.toml") -> int:
    (county / name).write_text(text, encoding="utf-8")
    study, out = str(county / "study.toml"), str(county / "out")
    return cli.main(["run", study, "--scenario", str(county / name), "--out", out, *more])


def test_a_scenario_file_is_answered(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """School 002 closes: the 60 children of the third village go to 001, which has 120 pupils on 90 places."""
    assert _scenario(county) == 0
    printed = capsys.readouterr().out
    assert "1. Merge {{7*7}}小学 into =第一小学 — a \\u001b[31m comment" in printed and "Not allowed" in printed
    out = county / "out"
    document = json.loads((out / "outcome.json").read_text(encoding="utf-8"))
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert document["status"] == "plan" and document["plan_fingerprint"] == record["plan_fingerprint"] != ""
    assert document["record"]["scenario"]["actions"][0]["school_ids"] == ["002"]
    assert document["actions"][0]["in_force"] is True and document["actions"][0]["into"] == ["001"]
    (closure,) = document["closures"]
    assert (closure["school_id"], closure["pupils"], closure["freed_places"]) == ("002", 60, 180)
    assert closure["freed_site_area_m2"] is None  # not known is null, not NaN and not zero
    assert [row["name"] for row in _rows(out / "closures_receivers.csv")] == ["'=第一小学"]
    assert [row["unit_id"] for row in _rows(out / "closures_communities.csv")] == ["02"]
    assert [row["what"] for row in _rows(out / "changes.csv")] == ["merged"]
    assert {row["rule_id"] for row in _rows(out / "closures_findings.csv")} >= {"P7.red"}
    assert [row["school_id"] for row in _rows(out / "schools.csv")] == ["001"]


def test_a_scenario_is_told_in_chinese(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _scenario(county, "--lang", "zh") == 0
    printed = capsys.readouterr().out
    assert "{{7*7}}小学并入=第一小学" in printed and "不允许" in printed
    findings = _rows(county / "out" / "closures_findings.csv")
    assert findings and all(any("\u4e00" <= sign <= "\u9fff" for sign in row["finding"]) for row in findings)


def test_a_bad_scenario_file_is_told_before_anything_is_done(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = 'name = "x"\nmod = "walk"\n[[action]]\nkind = "close"\nschool_id = 1\n'
    assert _scenario(county, text=text) == 1
    told = capsys.readouterr().err
    assert "plan.toml, mod: Unknown key." in told and "plan.toml, [[action]] 1 (close), school_id:" in told
    assert not (county / "out").exists()
    assert _scenario(county, "--stage", "junior", "--measure", "length") == 1
    assert "--stage, --measure" in capsys.readouterr().err


def test_actions_that_cannot_be_carried_out_leave_no_plan(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = 'name = "x"\n[[action]]\nkind = "close"\nschool_id = "009"\n[[action]]\nkind = "close"\nschool_id = "002"\n'
    assert _scenario(county, "--quiet", text=text) == 2
    assert "009" in capsys.readouterr().err
    assert {path.name for path in (county / "out").iterdir()} == {"outcome.json", "changes.csv"}
    document = json.loads((county / "out" / "outcome.json").read_text(encoding="utf-8"))
    assert document["status"] == "no_plan" and document["problems"][0]["number"] == 1
    assert [action["in_force"] for action in document["actions"]] == [False, True]


def test_a_scenario_without_travel_of_its_mode_is_bad_input(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = (county / "study.toml").read_text(encoding="utf-8")
    (county / "study.toml").write_text(study + '[travel]\nmodes = ["walk"]\n', encoding="utf-8")
    assert _scenario(county, text='name = "x"\nmode = "drive"\n') == 1
    assert "drive" in capsys.readouterr().err


def test_compare_writes_what_differs(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (county / "child.toml").write_text('name = "child"\nparent = "plan.toml"\n', encoding="utf-8")
    (county / "plan.toml").write_text(SCENARIO, encoding="utf-8")
    files = [part for name in ("plan.toml", "child.toml") for part in ("--scenario", str(county / name))]
    arguments = ["compare", str(county / "study.toml"), *files, "--out", str(county / "out"), "--quiet"]
    assert cli.main(arguments) == 0
    schools = _rows(county / "out" / "schools.csv")
    assert {row["school_id"]: row["status"] for row in schools if row["option"] == "1"} != {}
    values = {row["indicator"]: row for row in _rows(county / "out" / "indicators.csv")}
    assert float(values["schools"]["value_0"]) == 2 and float(values["schools"]["value_2"]) == 1
    assert cli.main([*arguments, *files]) == 1
    assert "at most 3 scenarios" in capsys.readouterr().err
    assert cli.main([*arguments, "--baseline", str(county / "plan.toml")]) == 0
    values = {row["indicator"]: row for row in _rows(county / "out" / "indicators.csv")}
    assert float(values["schools"]["value_0"]) == 1


def test_a_packed_study_gives_the_same_plan_elsewhere(county: Path, tmp_path: Path) -> None:
    assert _scenario(county, "--quiet") == 0
    here = json.loads((county / "out" / "outcome.json").read_text(encoding="utf-8"))["plan_fingerprint"]
    (county / "child.toml").write_text('name = "child"\nparent = "plan.toml"\n', encoding="utf-8")
    packed, there = county / "all.buju.zip", county / "elsewhere"
    arguments = ["pack", str(county / "study.toml"), "--scenario", str(county / "child.toml"), "--out", str(packed)]
    assert cli.main([*arguments, "--quiet"]) == 0
    assert cli.main(["unpack", str(packed), "--out", str(there), "--quiet"]) == 0
    files = sorted((there / "scenarios").glob("*.toml"))
    assert len(files) == 2  # the parent came along
    for file in files:
        run = ["run", str(there / "study.toml"), "--scenario", str(file), "--out", str(there / "out"), "--quiet"]
        assert cli.main(run) == 0
        assert json.loads((there / "out" / "outcome.json").read_text(encoding="utf-8"))["plan_fingerprint"] == here


EXAMPLES = sorted((Path(__file__).parent.parent / "examples" / "scenarios").glob("demo_*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_scenarios_run_without_a_doubt(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = path.parent.parent / "studies" / "demo.toml"
    assert cli.main(["run", str(study), "--scenario", str(path), "--out", str(tmp_path), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    findings = _rows(tmp_path / "closures_findings.csv")
    assert not any(row["severity"] == "block" for row in findings)


@pytest.mark.real
@pytest.mark.slow
def test_the_scenario_of_gongyi_runs(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """41,900 places for 40,995 pupils: the 1,000 of the school that closes find places where the neighbours grow."""
    path = Path(__file__).parent.parent / "examples" / "scenarios" / "gongyi_merger.toml"
    study = path.parent.parent / "studies" / "gongyi.toml"
    assert cli.main(["run", str(study), "--scenario", str(path), "--out", str(tmp_path), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    (closure,) = _rows(tmp_path / "closures.csv")
    assert float(closure["pupils"]) == pytest.approx(1000) and closure["blocks"] == "0"
    places = {row["school_id"]: float(row["capacity_places"]) for row in _rows(tmp_path / "schools.csv")}
    taken = {row["school_id"]: float(row["modelled_pupils"]) for row in _rows(tmp_path / "schools.csv")}
    assert "586" not in places and all(taken[key] <= places[key] + 1e-6 for key in places)
