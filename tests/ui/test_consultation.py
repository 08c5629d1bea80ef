"""The Consultation page: drafts, what is asked of the worker, the page in Chromium on a county of three villages."""

from __future__ import annotations

import datetime
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from geodata.errors import DataError, ScenarioError
from planning.actions import CloseSchool
from planning.procedure import STEPS, Evidence, Procedure, StepRecord
from planning.publication_options import CostItem, PackOptions
from planning.scenario import Scenario
from planning.scenario_file import render_scenario
from reports.document import Document, Paragraph, Picture
from reports.language import read_catalogue
from store import open_store
from tests.small_county import write_small_county
from tests.ui.app_driver import RunningApp, Visit, start_app, visit
from ui.consultation_details import parse_details
from ui.consultation_draft import (
    PackDraft,
    build_cost,
    build_options,
    build_procedure,
    keep_evidence,
    put_details,
    read_pack_draft,
    write_pack_draft,
)
from ui.consultation_job import FOLDER, RECORD, PackAsk, compute_check_key, compute_pack_key, count_rules, read_made
from ui.consultation_pages import cut_document

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TOKEN, BARE = "a" * 32, "b" * 32
"""Tokens of two uploaded counties: one with scenarios, one without."""
KEY = f"upload-{TOKEN}"
HOSTILE = "<img src=x onerror=alert(1)> {{7*7}} =1+1"
CLOSE = Scenario(name=HOSTILE, actions=(CloseSchool(school_id="002", year=2027),))
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PATIENCE_MS = 240_000.0
DAY = datetime.date(2026, 5, 4)


def test_a_draft_is_read_as_it_was_written_and_the_next_begins_with_the_publisher(tmp_path: Path) -> None:
    draft = PackDraft(title="One", issuer="Bureau", phone="0371", threshold=15, opens="2026-05-04")
    write_pack_draft(tmp_path, "first", draft)
    assert read_pack_draft(tmp_path, "first") == draft
    assert read_pack_draft(tmp_path, "second") == PackDraft(issuer="Bureau", phone="0371", threshold=15)
    assert read_pack_draft(None, "first") == PackDraft()


def test_what_does_not_fit_a_draft_is_left_out(tmp_path: Path) -> None:
    write_pack_draft(tmp_path, "x", PackDraft(title="Kept"))
    path = next(tmp_path.glob("pack-*.json"))
    found = json.loads(path.read_text(encoding="utf-8"))
    found |= {"threshold": "many", "unknown": 1, "costs": [1, {"name": "Bus"}], "steps": {"nonsense": {}, "hearing": 3}}
    path.write_text(json.dumps(found), encoding="utf-8")
    assert read_pack_draft(tmp_path, "x") == PackDraft(title="Kept", costs=[{"name": "Bus"}])
    path.write_text("{", encoding="utf-8")
    assert read_pack_draft(tmp_path, "x") == PackDraft()


def test_a_draft_becomes_options_and_a_wrong_one_is_refused() -> None:
    cost = {"name": "Bus", "school_year": 2027, "amount": 120_000, "unit": "", "price_year": None, "source": " s "}
    draft = PackDraft(title=" One ", opens="2026-05-04", closes="2026-06-03", datum="GCJ-02", scope="all", costs=[cost])
    options = build_options(draft)
    assert (options.title, options.opens, options.closes) == ("One", DAY, datetime.date(2026, 6, 3))
    assert (options.datum, options.scope) == ("GCJ-02", "all")
    assert options.costs == (CostItem("Bus", 2027, 120_000.0, source="s"),)
    assert build_cost({"name": "", "school_year": 2027, "amount": 1.0}) is None
    with pytest.raises(ScenarioError):
        build_options(PackDraft(opens="2026-06-03", closes="2026-05-04"))
    assert build_options(PackDraft(opens="soon", datum="Mars")) == PackOptions()


def test_a_step_is_done_with_a_date_and_a_file_that_is_still_there(tmp_path: Path) -> None:
    name = keep_evidence(tmp_path, "s", "hearing", "../minutes of 4 May.pdf", PDF)
    assert name.endswith("/hearing/minutes of 4 May.pdf")
    draft = PackDraft(steps={"hearing": {"date": "2026-05-04", "note": "held", "files": [name, "../../secret.pdf"]}})
    record = build_procedure(draft, "closure", tmp_path).records[0]
    assert record.done
    assert [item.name for item in record.evidence] == ["minutes of 4 May.pdf"]
    assert build_procedure(draft, "rezoning", tmp_path).records == ()
    (tmp_path / name).unlink()
    assert not build_procedure(draft, "closure", tmp_path).records[0].done


def test_two_files_of_one_name_stay_two_and_what_is_no_document_is_not_kept(tmp_path: Path) -> None:
    first = keep_evidence(tmp_path, "s", "hearing", "a.pdf", PDF)
    assert keep_evidence(tmp_path, "s", "hearing", "a.pdf", PDF) == first
    assert keep_evidence(tmp_path, "s", "hearing", "a.pdf", PDF + b"\n") != first
    kept = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    for name, content in (("b.pdf", b"MZ program"), ("c.exe", b"MZ"), ("d.docx", b"PK\x03\x04"), ("e.txt", b"")):
        with pytest.raises(DataError):
            keep_evidence(tmp_path, "s", "hearing", name, content)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == kept


def test_details_come_back_from_their_file_and_say_that_evidence_is_not_in_it() -> None:
    from planning.pack_file import render_pack_file

    options = PackOptions(title=HOSTILE, opens=DAY, threshold=12, costs=(CostItem("Bus", 2027, 1.5),))
    evidence = Evidence(Path("m.pdf"), "m.pdf", "0" * 64, 3)
    procedure = Procedure("closure", (StepRecord("hearing", DAY, "held", (evidence,)),))
    _ = read_catalogue("en")
    found, dropped, lines = parse_details(render_pack_file(options, procedure).encode(), _)
    assert found is not None
    assert (dropped, lines) == (True, [])
    draft = PackDraft(steps={"hearing": {"date": "", "note": "", "files": ["kept.pdf"]}})
    put_details(draft, found)
    assert build_options(draft) == options
    assert draft.steps["hearing"] == {"date": "2026-05-04", "note": "held", "files": ["kept.pdf"]}
    for wrong in (b"\xff\xfe\x00", b"[pack]\ntitel = 'x'\n", b"= ="):
        found, dropped, lines = parse_details(wrong, _)
        assert found is None
        assert lines


def test_every_question_has_a_pack_of_its_own_and_a_check_by_what_is_counted(tmp_path: Path) -> None:
    ask = PackAsk("cn", CLOSE)
    titled = PackAsk("cn", CLOSE, options=PackOptions(title="T"), languages=("zh", "en"))
    hidden = PackAsk("cn", CLOSE, options=PackOptions(threshold=20))
    against = PackAsk("cn", CLOSE, baseline=Scenario())
    done = PackAsk("cn", CLOSE, procedure=Procedure("closure", (StepRecord("hearing", DAY),)))
    asks = (ask, titled, hidden, against, done)
    assert len({compute_pack_key("f", item) for item in asks}) == 5
    assert len({compute_check_key("f", item) for item in asks}) == 3
    evidence = [Evidence(tmp_path / name, "m.pdf", "0" * 64, 3) for name in ("one", "two")]
    steps = [Procedure("closure", (StepRecord("hearing", DAY, "", (item,)),)) for item in evidence]
    assert len({compute_pack_key("f", PackAsk("cn", CLOSE, procedure=item)) for item in steps}) == 1


def test_a_pack_that_is_not_whole_is_no_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUJU_CACHE", str(tmp_path))
    place = tmp_path / FOLDER / "k"
    (place / "pack").mkdir(parents=True)
    file = {"path": "map.html", "role": "map", "language": "", "size_bytes": 1, "sha256": "0"}
    record = {
        "pack_id": "p",
        "files": [file],
        "zip_name": "p.zip",
        "missing": [],
        "looks": {},
        "cut": [],
        "seconds": 1.0,
    }
    (place / RECORD).write_text(json.dumps(record), encoding="utf-8")
    assert read_made("k") is None
    (place / "pack" / "map.html").write_text("x")
    (place / "pack" / "p.zip").write_text("x")
    made = read_made("k")
    assert made is not None
    assert made.read("map.html") == b"x"
    (place / RECORD).write_text("[]", encoding="utf-8")
    assert read_made("k") is None
    assert read_made("other") is None


def test_only_a_long_document_is_cut_for_a_look() -> None:
    short = Document("T", "en", tuple(Paragraph(str(number)) for number in range(300)))
    assert cut_document(short) is short
    long = Document("T", "en", (*short.blocks, Paragraph("one more")))
    assert 0 < len(cut_document(long).blocks) < 300
    pictures = Document("T", "en", tuple(Picture(str(number), "map") for number in range(30)))
    assert cut_document(pictures) is not pictures


def test_rules_are_counted_by_their_worst_answer() -> None:
    rows = [("A", "passed"), ("A", "failed"), ("B", "unknown"), ("B", "passed"), ("C", "passed"), ("A", "unknown")]
    checks = pd.DataFrame(rows, columns=["rule_id", "status"])
    assert count_rules(checks) == {"failed": 1, "unknown": 1, "passed": 1}


@pytest.fixture(scope="module")
def county_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app with two counties; the first has a scenario that closes a school."""
    folder = tmp_path_factory.mktemp("consultation")
    for token in (TOKEN, BARE):
        (folder / "uploads" / token).mkdir(parents=True)
        write_small_county(folder / "uploads" / token)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUJU_STORE", str(folder / "store"))
        patch.delenv("BUJU_DATABASE_URL", raising=False)
        store = open_store()
        store.register_study(KEY, "小县", "", "planner")
        store.create_scenario(KEY, "Close", render_scenario(CLOSE), "planner")
        store.create_scenario(KEY, "As it is", render_scenario(Scenario(name="As it is")), "planner")
    with start_app(folder, BUJU_STORE=str(folder / "store")) as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, county_app: RunningApp) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as stack:

        def start(token: str = TOKEN, **query: str) -> Visit:
            seen = stack.enter_context(visit(browser, county_app))
            seen.open("/consultation", study=f"upload-{token}", **query)
            seen.page.wait_for_selector(".st-key-consultation_page", timeout=PATIENCE_MS)
            return seen.settle()

        yield start


def _choose(seen: Visit, name: str) -> Visit:
    seen.choose("consultation_proposal", name)
    seen.page.wait_for_selector(".st-key-consultation_side .verdict", timeout=PATIENCE_MS)
    return seen.settle()


@pytest.mark.browser
def test_without_a_scenario_the_page_says_how_to_make_one(open_page: Callable[..., Visit]) -> None:
    seen = open_page(BARE, lang="en")
    assert "There is no proposal to publish yet" in seen.text()
    seen.click("consultation_to_scenarios")
    seen.page.wait_for_url("**/scenarios*")
    seen.require_clean()


@pytest.mark.browser
def test_what_is_filled_in_stays_over_a_reload(open_page: Callable[..., Visit]) -> None:
    seen = _choose(open_page(lang="en"), "Close")
    field = seen.by_key("consultation_issuer").locator("input")
    field.fill(HOSTILE)
    field.press("Enter")
    seen.settle()
    assert "phone" in seen.by_key("consultation_side").inner_text()
    seen.by_key("consultation_part").get_by_text("Steps of the law (0/8)").click()
    seen.settle()
    seen.by_key("consultation_step_hearing").locator("summary").click()
    seen.page.wait_for_timeout(400)
    evidence = seen.app.cache_folder.parent / "minutes.pdf"
    evidence.write_bytes(PDF)
    seen.upload("consultation_evidence_hearing", evidence)
    assert "the date is missing" in seen.by_key("consultation_step_hearing").inner_text()
    seen.page.reload()
    seen.page.wait_for_selector(".st-key-consultation_page", timeout=PATIENCE_MS)
    _choose(seen.settle(), "Close")
    assert seen.by_key("consultation_issuer").locator("input").input_value() == HOSTILE
    seen.require_clean()


@pytest.mark.browser
def test_a_pack_is_made_looked_into_and_downloaded(open_page: Callable[..., Visit], tmp_path: Path) -> None:
    seen = _choose(open_page(lang="en"), "Close")
    side = seen.by_key("consultation_side")
    assert "60 of 180 pupils get another school" in side.inner_text()
    seen.click("consultation_make")
    seen.by_key("consultation_pack").wait_for(timeout=PATIENCE_MS)
    seen.settle()
    assert "draft for comment" in seen.by_key("consultation_pack").inner_text()
    with seen.page.expect_download() as waiting:
        seen.by_key("consultation_zip").locator("button").click()
    waiting.value.save_as(tmp_path / "pack.zip")
    with zipfile.ZipFile(tmp_path / "pack.zip") as packed:
        names = set(packed.namelist())
    assert {"map.html", "notice_zh.pdf", "report_zh.docx", "manifest.json"} <= names
    assert seen.page.locator("[data-testid=stImage] img").count() >= 1
    seen.by_key("consultation_look").get_by_text("Map for homes", exact=True).click()
    frame = seen.page.locator(".st-key-consultation_frame iframe")
    frame.wait_for()
    assert "allow-same-origin" not in str(frame.get_attribute("sandbox"))
    seen.page.frame_locator(".st-key-consultation_frame iframe").locator("h1").first.wait_for()
    seen.by_key("consultation_part").get_by_text("Details", exact=True).click()
    field = seen.by_key("consultation_title").locator("input")
    field.fill("Another title")
    field.press("Enter")
    seen.page.get_by_text("The choices have changed since this pack was made.").wait_for()
    seen.settle()
    seen.require_clean()


@pytest.mark.browser
def test_the_page_opens_in_chinese_and_the_making_can_be_stopped(open_page: Callable[..., Visit]) -> None:
    seen = _choose(open_page(lang="zh"), "As it is")
    assert str(len([step for step in STEPS.values() if "rezoning" in step.kinds])) in seen.text()
    seen.click("consultation_make")
    seen.by_key("consultation_cancel").locator("button").click()
    seen.page.get_by_text(read_catalogue("zh")("Stopped. The result shown before still stands.")).wait_for()
    seen.settle()
    assert seen.by_key("consultation_make").locator("button").is_enabled()
    seen.require_clean()
