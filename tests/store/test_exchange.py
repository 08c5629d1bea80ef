"""A whole study as one file: nothing is lost, the same bytes and numbers come of it, and bad files do no harm."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import stat
import tomllib
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import store.unpacking as unpacking
from geodata.build import read_study
from geodata.cache import DiskCache
from geodata.errors import DataError, ExportError
from geodata.study_file import DemoSource, StudySpec, read_study_file
from planning.rules import design_class_size, read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario_file import parse_scenario
from store import Store, StoreNameError
from store.exchange import pack_stored, pack_study, store_unpacked, unpack_study
from store.packing import collect_files, render_spec, safe_name
from store.toml_text import render_document, write_key
from tests.geodata.test_read_planning import GOOD, write_tables
from tests.small_county import write_small_county

STUDIES = Path(__file__).resolve().parents[2] / "examples" / "studies"
TODAY = 'name = "today"\nstages = ["primary"]\n'
CLOSED = """# why it closes
name = "close one"
parent = "today"

[[action]]
kind = "close"
school_id = "001"
"""


@pytest.fixture
def county(tmp_path: Path) -> Path:
    (tmp_path / "county").mkdir()
    return write_small_county(tmp_path / "county")


def answer(study_path: Path, cache: Path, texts: dict[str, str], name: str) -> tuple[str, Outcome]:
    rules = read_rulebook("cn")
    study = read_study(study_path, design_class_size=design_class_size(rules), cache=DiskCache(cache))
    outcome = run_scenario(study, rules, parse_scenario(texts[name], parents=texts.__getitem__))
    return study.fingerprint, outcome


def require_same(study: Path, tmp_path: Path, texts: dict[str, str], name: str, *, cache: Path | None = None) -> None:
    """Pack, unpack elsewhere, read without the first one's cache, run: the same fingerprints."""
    file = pack_study(study, tmp_path / "packed", scenarios=list(texts.items()))
    unpacked = unpack_study(file, tmp_path / "elsewhere" / "county")
    assert not unpacked.issues
    again = dict(unpacked.scenarios)
    assert {key: tomllib.loads(text) for key, text in again.items()} == {
        key: tomllib.loads(text) for key, text in texts.items()
    }
    first = answer(study, cache or tmp_path / "cache 1", texts, name)
    second = answer(unpacked.study_path, cache or tmp_path / "cache 2", again, name)
    assert first[0] == second[0]
    records = [outcome.record.as_dict() for _, outcome in (first, second)]
    assert records[0]["plan_fingerprint"] != ""
    assert records[0] == records[1]
    assert first[1].indicators.equals(second[1].indicators)


def test_a_small_county_gives_the_same_numbers_elsewhere(county: Path, tmp_path: Path) -> None:
    require_same(county, tmp_path, {"today": TODAY, "close one": CLOSED}, "close one")


def test_tables_of_forecasts_and_inspections_travel_along(tmp_path: Path) -> None:
    (tmp_path / "county").mkdir()
    study = write_tables(tmp_path / "county", GOOD)
    require_same(study, tmp_path, {"today": TODAY}, "today")
    places = collect_files(read_study_file(study)).files
    assert {f"data/{name}/{name}.csv" for name in GOOD} <= set(places)


def test_layers_of_the_ground_travel_along_each_in_a_place_of_its_own(county: Path, tmp_path: Path) -> None:
    """Two layers of one name in two folders, and one that is named twice, for two kinds."""
    shape = {"type": "Polygon", "coordinates": [[[0, 0], [50, 0], [50, 50], [0, 0]]]}
    layer = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": shape}]}
    for folder in ("east", "west"):
        (county.parent / folder).mkdir()
        (county.parent / folder / "zones.geojson").write_text(json.dumps(layer))
    parts = [("east", "flood"), ("west", "landslide"), ("east", "pollution")]
    tables = "".join(
        f'[[exclusions]]\npath = "{folder}/zones.geojson"\nkind = "{kind}"\ncrs = "local"\n' for folder, kind in parts
    )
    tables += '[open_land]\npath = "west/zones.geojson"\ncrs = "local"\n'
    county.write_text(county.read_text(encoding="utf-8") + tables, encoding="utf-8")
    packed = collect_files(read_study_file(county))
    assert [source.path for source in packed.spec.exclusions] == [
        "data/exclusions/zones.geojson",
        "data/exclusions_2/zones.geojson",
        "data/exclusions/zones.geojson",
    ]
    require_same(county, tmp_path, {"today": TODAY}, "today")


@pytest.mark.real
def test_gongyi_gives_the_same_numbers_elsewhere(cases: Path, tmp_path: Path) -> None:
    text = 'name = "today"\nstages = ["junior"]\nenrolment = "capacity"\n'
    require_same(STUDIES / "gongyi.toml", tmp_path, {"today": text}, "today")


@pytest.mark.slow
def test_the_demo_gives_the_same_numbers_elsewhere(private_cache: Path, tmp_path: Path) -> None:
    """With the cache that all tests share: the county is made from its seed, not from files."""
    require_same(STUDIES / "demo.toml", tmp_path, {"today": TODAY}, "today", cache=private_cache)


def test_the_demo_needs_no_files(tmp_path: Path) -> None:
    spec = StudySpec(name="demo", demo=DemoSource(seed=7), synthetic=True)
    unpacked = unpack_study(pack_study(spec, tmp_path / "demo"), tmp_path / "out")
    again = read_study_file(unpacked.study_path)
    assert again.demo == DemoSource(seed=7)
    assert unpacked.name == "demo"
    assert sorted(os.listdir(tmp_path / "out")) == ["study.toml"]  # noqa: PTH208


def test_equal_input_gives_equal_bytes(county: Path, tmp_path: Path) -> None:
    texts = [("today", TODAY), ("close one", CLOSED)]
    run = {"scenario": "today", "indicators": {"b": 1.0, "a": float("nan")}}
    first = pack_study(county, tmp_path / "a", scenarios=texts, rulesets=[("mine", 'name = "x"')], runs=[run])
    os.utime(county.parent / "schools.csv", (1, 1))
    second = pack_study(
        read_study_file(county), tmp_path / "b.zip", scenarios=texts, rulesets=[("mine", 'name = "x"')], runs=[run]
    )
    assert (first.name, second.name) == ("a.buju.zip", "b.buju.zip")
    assert first.read_bytes() == second.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    # What was unpacked and packed again is the same file too.
    unpacked = unpack_study(first, tmp_path / "out")
    third = pack_study(
        unpacked.study_path, tmp_path / "c", scenarios=texts, rulesets=unpacked.rulesets, runs=unpacked.runs
    )
    assert third.read_bytes() == first.read_bytes()


def test_everything_comes_back(county: Path, tmp_path: Path) -> None:
    runs = [{"scenario": "today", "version": 3, "record": {"seed": 0}, "indicators": {"unknown": None}}]
    rulebook = 'name = "mine"\r\n# a comment\n'
    file = pack_study(
        county,
        tmp_path / "x",
        scenarios=[("close one", CLOSED), ("today", TODAY)],
        rulesets=[("我的", rulebook)],
        runs=runs,
    )
    unpacked = unpack_study(file, tmp_path / "out")
    assert unpacked.scenarios == (("today", TODAY), ("close one", CLOSED))  # parents first, comments kept
    assert unpacked.rulesets == (("我的", rulebook),)
    assert unpacked.runs == tuple(runs)
    assert unpacked.study_path == tmp_path / "out" / "study.toml"
    # As they lie there the terminal can run them: the parent is named by its file.
    kept = (tmp_path / "out" / "scenarios" / "close one.toml").read_text(encoding="utf-8")
    assert 'parent = "today.toml"' in kept and "# why it closes" in kept
    names = zipfile.ZipFile(file).namelist()
    assert "data/schools/schools.csv" in names and "manifest.json" in names


def test_all_problems_of_packing_are_told_at_once(county: Path, tmp_path: Path) -> None:
    (county.parent / "schools.csv").unlink()
    texts = [("A", 'parent = "gone"'), ("a", ""), ("", ""), ("C", "not = = toml")]
    with pytest.raises(DataError) as caught:
        pack_study(county, tmp_path / "x", scenarios=texts, rulesets=[("r", "[")])
    told = "\n".join(str(issue.problem) for issue in caught.value.issues)
    for wanted in ("does not exist", "not packed with it", "stands twice", "name is empty", "“C” is not", "“r” is not"):
        assert wanted in told, wanted
    assert len(caught.value.issues) == 6
    assert not list(tmp_path.glob("*x*"))


def test_a_file_that_cannot_be_written_leaves_no_half(county: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExportError):
        pack_study(county, tmp_path / "file" / "x")
    (tmp_path / "out" / "x.buju.zip" / "inside").mkdir(parents=True)
    with pytest.raises(ExportError):
        pack_study(county, tmp_path / "out" / "x")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["x.buju.zip"]


def test_what_belongs_together_is_packed_together(tmp_path: Path) -> None:
    """A shapefile has parts; age rasters are a folder, a pattern or a list; one file of two roles is packed once."""
    source = tmp_path / "in"
    (source / "ages").mkdir(parents=True)
    for name in ("Roads: new.shp", "Roads: new.DBF", "Roads: new.prj", "Roads: newer.dbf", "con.csv"):
        (source / name).write_text(name)
    for age in (5, 10):
        (source / "ages" / f"chn_f_{age}_2020.tif").write_text(str(age))
    (source / "ages" / "chn_f_5_2020.tif.aux.xml").write_text("x")

    def list_packed(population: str) -> tuple[str, set[str]]:
        spec = read_study_file(write_spec(source, population))
        packed = collect_files(spec)
        assert packed.spec.population is not None
        render_spec(packed.spec)
        return packed.spec.population.path, set(packed.files)

    common = {f"data/schools/Roads_ new.{ending}" for ending in ("shp", "DBF", "prj")} | {"data/barriers/_con.csv"}
    ages = {f"data/population/chn_f_{rest}" for rest in ("5_2020.tif", "5_2020.tif.aux.xml", "10_2020.tif")}
    assert list_packed("ages") == ("data/population", common | ages)
    assert list_packed("ages/chn_*_2020.tif") == ("data/population", common | ages)
    listed = "data/population/chn_f_10_2020.tif;chn_f_5_2020.tif"
    assert list_packed("ages/chn_f_10_2020.tif;chn_f_5_2020.tif") == (listed, common | ages)


def write_spec(folder: Path, population: str) -> Path:
    path = folder / "study.toml"
    path.write_text(
        'name = "x"\ncrs = "local"\n[schools]\npath = "Roads: new.shp"\n[sites]\npath = "Roads: new.shp"\n'
        f'[barriers]\npath = "con.csv"\n[population]\npath = "{population}"\nkind = "age_rasters"\n'
        '[roads]\npolygon = "POLYGON((0 0, 1 0, 1 1, 0 0))"\n'
    )
    return path


@pytest.mark.parametrize("name", ["gongyi", "liechtenstein", "porto_alegre_raster", "vasileostrovsky", "zy_blocks"])
@pytest.mark.real
def test_every_example_can_be_packed(cases: Path, name: str, tmp_path: Path) -> None:
    spec = read_study_file(STUDIES / f"{name}.toml")
    packed = collect_files(spec)
    assert packed.files
    again = tomllib.loads(render_spec(packed.spec))
    assert "$" not in json.dumps({key: value for key, value in again.items() if key != "description"})
    # Nothing but the paths has changed.
    restored = {
        role: dataclasses.replace(getattr(packed.spec, role), path=getattr(spec, role).path)
        for role in ("schools", "population", "roads", "travel")
        if getattr(spec, role) is not None
    }
    assert dataclasses.replace(packed.spec, **restored) == spec


# Files that somebody made up. Each takes the members of a good file and gives those of a bad one.


def repack(good: Path, path: Path, change: Callable[[dict[str, bytes]], object], *, listed: bool = True) -> Path:
    """Change the members of a study file; with ``listed`` the manifest tells the truth about them."""
    with zipfile.ZipFile(good) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if listed:
        manifest = json.loads(members["manifest.json"])
        manifest["files"] = [
            {"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in members.items()
            if name != "manifest.json"
        ]
        members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def good(county: Path, tmp_path: Path) -> Path:
    return pack_study(county, tmp_path / "good", scenarios=[("today", TODAY), ("close one", CLOSED)], runs=[{"a": 1}])


def refuse(path: Path, tmp_path: Path) -> list[str]:
    """The problems told; nothing is left of the attempt."""
    before = {item: item.stat().st_mtime_ns for item in tmp_path.rglob("*") if item != path}
    with pytest.raises(DataError) as caught:
        unpack_study(path, tmp_path / "out")
    after = {item: item.stat().st_mtime_ns for item in tmp_path.rglob("*") if item != path}
    assert after == before or not (tmp_path / "out").exists()
    assert {item for item in after if item not in before} == set()
    return [str(issue.problem) for issue in caught.value.issues]


@pytest.mark.parametrize(
    "name",
    [
        "../evil.csv",
        "data/../../evil.csv",
        "/etc/evil.csv",
        "data\\evil.csv",
        "C:/evil.csv",
        "data/con.csv",
        "data/evil.",
        "data/a\nb.csv",
        "data//b.csv",
        "data/\u202egpj.csv",
        "data/a/b/c/d/e.csv",
        "./study.toml",
    ],
)
def test_names_that_lead_elsewhere_are_refused(good: Path, tmp_path: Path, name: str) -> None:
    path = repack(good, tmp_path / "bad.zip", lambda members: members.update({name: b"x"}))
    assert refuse(path, tmp_path) == ["It holds a file whose name is not safe."]


@pytest.mark.parametrize("name", ["evil.py", "scenarios/evil.py", "runs/evil.toml", "new/evil.csv"])
def test_files_that_do_not_belong_are_refused(good: Path, tmp_path: Path, name: str) -> None:
    path = repack(good, tmp_path / "bad.zip", lambda members: members.update({name: b"x"}))
    assert refuse(path, tmp_path) == ["It holds a file that does not belong to a study."]


def test_links_are_refused(good: Path, tmp_path: Path) -> None:
    path = repack(good, tmp_path / "bad.zip", lambda members: None)
    link = zipfile.ZipInfo("data/link.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert refuse(path, tmp_path) == ["It holds a link, which a packed study may not."]


def test_names_that_clash_are_refused(good: Path, tmp_path: Path) -> None:
    path = repack(good, tmp_path / "bad.zip", lambda members: members.update({"data/schools/SCHOOLS.csv": b"x"}))
    assert refuse(path, tmp_path) == ["Two files in it have the same name."]
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("study.toml", "name = 'evil'")
    assert refuse(path, tmp_path) == ["Two files in it have the same name."] * 2


def test_what_the_manifest_says_must_be_so(good: Path, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members["data/schools/schools.csv"] += b"x"
        members["scenarios/today.toml"] = b""

    path = repack(good, tmp_path / "bad.zip", change, listed=False)
    assert refuse(path, tmp_path) == ["A file in it is not what was packed."] * 2
    path = repack(good, tmp_path / "bad.zip", lambda members: members.pop("runs/001.json"), listed=False)
    assert refuse(path, tmp_path) == ["A file that the manifest lists is missing."]
    path = repack(good, tmp_path / "bad.zip", lambda members: members.update({"data/x.csv": b""}), listed=False)
    assert refuse(path, tmp_path) == ["It holds a file that the manifest does not list."]
    path = repack(good, tmp_path / "bad.zip", lambda members: members.pop("study.toml"))
    assert refuse(path, tmp_path) == ["A file that the manifest lists is missing."]


def edit_manifest(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | changes).encode()

    return change


def test_other_formats_are_refused(good: Path, tmp_path: Path) -> None:
    for number, version in enumerate((2, "1", None, 0)):
        path = repack(good, tmp_path / f"bad {number}.zip", edit_manifest(format_version=version))
        assert refuse(path, tmp_path) == ["The packed study has a form that this program does not know."]
    strangers: list[Callable[[dict[str, bytes]], object]] = [
        edit_manifest(format="other"),
        lambda members: members.update({"manifest.json": b"[" * 100_000}),
        lambda members: members.update({"manifest.json": b"\xff"}),
        lambda members: members.update({"manifest.json": b"[]"}),
        lambda members: members.pop("manifest.json"),
    ]
    for number, change in enumerate(strangers):
        path = repack(good, tmp_path / f"worse {number}.zip", change, listed=False)
        assert refuse(path, tmp_path) == ["The file is not a packed study of this program."]
    for number, content in enumerate((b"", b"PK\x03\x04", good.read_bytes()[:-30], b"x" * 1000)):
        path = tmp_path / f"broken {number}.zip"
        path.write_bytes(content)
        assert refuse(path, tmp_path) == ["The file is damaged, or not a packed study of this program."]
    assert refuse(tmp_path / "nothing.zip", tmp_path)[0].startswith("The packed study cannot be unpacked")


def test_another_version_of_results_is_a_warning(good: Path, tmp_path: Path) -> None:
    path = repack(good, tmp_path / "other.zip", edit_manifest(versions={"results": 99, "data": 1}))
    unpacked = unpack_study(path, tmp_path / "out")
    assert [issue.severity for issue in unpacked.issues] == ["warning"]
    assert "numbers may differ" in str(unpacked.issues[0])


def test_archives_that_swell_are_refused(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = repack(good, tmp_path / "bad.zip", lambda members: members.update({"data/zeros.csv": b"0" * 30_000_000}))
    assert refuse(path, tmp_path) == ["The file unpacks to far more than a study needs."]
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 1_000)
    assert refuse(good, tmp_path) == ["The file unpacks to more than 0 GB."]
    monkeypatch.setattr(unpacking, "MAX_MEMBERS", 3)
    assert refuse(good, tmp_path) == ["The file holds more than 3 files."]
    monkeypatch.setattr(unpacking, "MAX_ARCHIVE_BYTES", 100)
    assert refuse(good, tmp_path) == ["The file is larger than 0 MB."]


def test_a_member_that_says_less_than_it_holds(good: Path, tmp_path: Path) -> None:
    """The list of the archive tells 1 byte; what unpacks is not written beyond it."""
    path = repack(good, tmp_path / "bad.zip", lambda members: members.update({"data/x.csv": b"y" * 5_000}))
    content = path.read_bytes()
    place = content.rindex(b"data/x.csv") - 46  # its row in the list at the end: the size stands at 24
    path.write_bytes(content[: place + 24] + (1).to_bytes(4, "little") + content[place + 28 :])
    assert refuse(path, tmp_path) == ["A file in it is not what was packed."]


@pytest.mark.parametrize(
    "named",
    [
        "/etc/passwd",
        "../schools.csv",
        "$BUJU_CASES/secret.csv",
        "schools.csv",
        "data/schools/../../x",
        "data/gone.csv",
        "study.toml",
        "data/schools/schools.csv;../x.csv",
        "data/*",
    ],
)
def test_a_study_may_name_only_what_came_with_it(good: Path, tmp_path: Path, named: str) -> None:
    def change(members: dict[str, bytes]) -> None:
        text = members["study.toml"].decode()
        members["study.toml"] = text.replace("data/schools/schools.csv", named).encode()

    path = repack(good, tmp_path / "bad.zip", change)
    assert refuse(path, tmp_path) == ["The study names a file that did not come with it."]


def test_all_problems_of_content_are_told_at_once(good: Path, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members["study.toml"] = b'name = 1\n[schools]\nwhat = 2\npath = "x"'
        members["scenarios/today.toml"] = b"= ="
        members["scenarios/extra.toml"] = b""
        members["runs/001.json"] = b"[" * 50_000

    path = repack(good, tmp_path / "bad.zip", change)
    problems = refuse(path, tmp_path)
    assert "Unknown key." in problems and "A required table is missing." in problems
    assert problems.count("A text in it cannot be read.") == 1
    assert "The name is empty." in problems
    assert "A record of a run cannot be read." in problems
    assert "A scenario builds on one that is not in the file, or on itself." in problems


def test_circles_of_parents_are_refused(good: Path, tmp_path: Path) -> None:
    change = {"scenarios/today.toml": b'parent = "close one.toml"'}
    path = repack(good, tmp_path / "bad.zip", lambda members: members.update(change))
    problem = "A scenario builds on one that is not in the file, or on itself."
    assert refuse(path, tmp_path) == [problem, problem]


def test_only_a_new_or_empty_folder_is_filled(good: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "full")
    for name in ("full", "link", "full/mine.txt"):
        with pytest.raises(DataError, match="not empty"):
            unpack_study(good, tmp_path / name)
    assert os.listdir(tmp_path / "full") == ["mine.txt"]  # noqa: PTH208
    (tmp_path / "empty").mkdir()
    assert unpack_study(good, tmp_path / "empty").study_path.is_file()


def test_through_the_store(store: Store, county: Path, tmp_path: Path) -> None:
    """Pack from the store, unpack into another county of the store: names, ties, texts and rulebooks are there."""
    base = store.create_scenario("a", "Base", 'name = "Base"\n', "Li")
    child = store.create_scenario("a", "Child", 'name = "Child"\nparent = "Base"\n', "Li", parent_id=base.scenario_id)
    store.rename_scenario(base.scenario_id, "New base", "Li", 1)  # the text of the child still has the old name
    gone = store.create_scenario("a", "Gone", "", "Li")
    store.delete_scenario(gone.scenario_id, "Li")
    store.save_run(child.scenario_id, 1, {"seed": 0}, {"x": 1.0}, "plan", "Li")
    store.save_ruleset("mine", 'name = "mine"', "Li")
    unpacked = unpack_study(pack_stored(store, "a", county, tmp_path / "x"), tmp_path / "out")
    assert [name for name, _ in unpacked.scenarios] == ["New base", "Child"]
    assert [tomllib.loads(text)["name"] for _, text in unpacked.scenarios] == ["New base", "Child"]
    assert [(run["scenario"], run["plan_fingerprint"]) for run in unpacked.runs] == [("Child", "plan")]

    store.create_scenario("b", "new BASE", "", "Wang")
    made = store_unpacked(store, "b", unpacked, "Wang")
    assert [item.name for item in made] == ["New base (2)", "Child"]
    assert made[1].parent_id == made[0].scenario_id
    assert tomllib.loads(made[0].text)["name"] == "New base (2)"
    assert tomllib.loads(made[1].text) == {"name": "Child", "parent": "New base (2)"}
    assert len(store.list_rulesets()) == 1  # the same rulebook: no new version
    (run,) = store.list_runs(made[1].scenario_id)  # as it was made, by whom and when
    (first,) = store.list_runs(child.scenario_id)
    for name in ("record", "indicators", "plan_fingerprint", "who", "at"):
        assert getattr(run, name) == getattr(first, name)
    assert (run.version, store.list_runs(made[0].scenario_id)) == (1, ())
    told = store.list_audit(scenario_id=made[1].scenario_id)[0]
    assert (told.what, told.who, told.details["imported"]) == ("run_saved", "Wang", True)
    # Packed again, the file is one that reads.
    again = unpack_study(pack_stored(store, "b", county, tmp_path / "y"), tmp_path / "out 2")
    assert {name for name, _ in again.scenarios} == {"new BASE", "New base (2)", "Child"}


def test_only_runs_of_the_packed_text_are_packed(store: Store, county: Path, tmp_path: Path) -> None:
    first = store.create_scenario("a", "Base", 'name = "Base"\n', "Li")
    store.save_run(first.scenario_id, 1, {"seed": 0}, {}, "old plan", "Li")
    store.save_scenario(first.scenario_id, 'name = "Base"\nyear = 2026\n', "Li", 1)
    assert unpack_study(pack_stored(store, "a", county, tmp_path / "x"), tmp_path / "out").runs == ()


@pytest.mark.parametrize(
    "run",
    [
        {"scenario": "nobody"},
        {"record": []},
        {"indicators": None},
        {"plan_fingerprint": "x" * 10_000},
        {"at": "yesterday"},
        {"who": "x" * 10_000},
        {"scenario": ["A"]},
    ],
)
def test_what_is_no_run_is_left_out(store: Store, run: dict[str, object]) -> None:
    good = {"scenario": "A", "record": {}, "indicators": {}, "plan_fingerprint": "p", "who": "Li"}
    (made,) = store.import_scenarios("b", [("A", 'name = "A"')], "Li", [good | run, good])
    assert [item.plan_fingerprint for item in store.list_runs(made.scenario_id)] == ["p"]


def test_an_import_is_whole_or_not_at_all(store: Store) -> None:
    for bad in ('parent = "nobody"', "= =", "\x00"):
        with pytest.raises(StoreNameError):
            store.import_scenarios("b", [("A", 'name = "A"'), ("B", bad)], "Li")
    assert store.list_scenarios("b") == ()
    assert store.list_audit() == ()


TEXT = st.text(st.characters(codec="utf-8"), max_size=200)


@given(TEXT)
def test_safe_names_are_safe_and_stay(name: str) -> None:
    found = safe_name(name)
    assert safe_name(found) == found
    assert 0 < len(found.encode()) <= 200
    assert "/" not in found and "\\" not in found and found not in (".", "..") and found == found.strip(" .")
    assert not any(ord(sign) < 32 for sign in found)


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.one_of(
            TEXT,
            st.integers(),
            st.booleans(),
            st.floats(allow_nan=False, allow_infinity=False),
            st.lists(TEXT, max_size=3),
            st.dictionaries(TEXT, TEXT, max_size=3),
        ),
        max_size=5,
    )
)
def test_documents_read_as_they_were_written(document: dict[str, Any]) -> None:
    assert tomllib.loads(render_document(document)) == document


@given(TEXT, TEXT)
def test_one_key_is_written_and_nothing_else(value: str, before: str) -> None:
    text = f'# parent = 1\nname = "x" # a comment\n{render_document({"parent": before})}\n[t]\nparent = 1\n'
    written = write_key(text, "parent", value)
    assert tomllib.loads(written) == tomllib.loads(text) | {"parent": value}
    assert written.splitlines()[0] == "# parent = 1"
    without = 'name = "x"\n[t]\nparent = 1\n'
    assert tomllib.loads(write_key(without, "parent", value)) == {"name": "x", "parent": value, "t": {"parent": 1}}


def test_a_key_that_is_more_than_a_line_is_not_torn() -> None:
    with pytest.raises(ValueError, match="one line"):
        write_key('parent = """\nA\n"""\n', "parent", "B")
    assert write_key('note = """\nparent = "A"\n"""\n', "parent", "B").startswith('parent = "B"\n')
    longer = 'note = """\nparent = "A"\n"""\nparent = "A"\n'
    assert write_key(longer, "parent", "B") == longer[:-4] + '"B"\n'
