"""A whole pack: files and digests, the same numbers in all of them, nothing half-written, nothing of the machine."""

from __future__ import annotations

import getpass
import hashlib
import io
import json
import math
import platform
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import docx
import pandas as pd
import pyogrio
import pypdf
import pytest
import python_calamine

from geodata.errors import Cancelled, ExportError
from geodata.messages import Message
from planning.procedure import Procedure, StepRecord
from planning.procedure_checks import read_evidence
from planning.publication_options import PackOptions
from reports.consultation import MANIFEST, Pack, name_role, write_pack
from reports.consultation_case import Consultation
from reports.language import read_catalogue
from tests.reports.consultation_samples import FILLED, answer_merger, build_merger

DOCUMENTS = ("notice", "report", "letters", "comment_form")


@pytest.fixture(scope="module")
def case() -> Consultation:
    return build_merger(FILLED)


@pytest.fixture(scope="module")
def pack(case: Consultation, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return write_pack(case, tmp_path_factory.mktemp("packs") / "pack")


def test_every_file_is_listed_with_its_digest_and_stands_in_the_zip(pack: Pack) -> None:
    on_disk = {path.relative_to(pack.folder).as_posix() for path in pack.folder.rglob("*") if path.is_file()}
    listed = {file.path for file in pack.files}
    assert on_disk == listed | {MANIFEST, pack.zip_path.name}
    for file in pack.files:
        content = (pack.folder / file.path).read_bytes()
        assert (file.size_bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert file.path.isascii()
        assert name_role(file.role)
    with zipfile.ZipFile(pack.zip_path) as packed:
        assert set(packed.namelist()) == listed | {MANIFEST}
        assert packed.testzip() is None
    manifest = json.loads((pack.folder / MANIFEST).read_text(encoding="utf-8"))
    assert [item["path"] for item in manifest["files"]] == [file.path for file in pack.files]
    assert manifest["pack_id"] == pack.pack_id
    assert manifest["draft"] is True
    wanted = {
        f"{name}_{language}.{kind}" for name in DOCUMENTS for language in ("zh", "en") for kind in ("pdf", "docx")
    }
    assert wanted | {"map.html", "README.txt", "comment_form.json", "letters_zh.csv", "tables/pack_en.xlsx"} <= listed


def test_the_same_case_gives_the_same_files(case: Consultation, pack: Pack, tmp_path: Path) -> None:
    again = write_pack(case, tmp_path / "again")
    different = [one.path for one, two in zip(pack.files, again.files, strict=True) if one.sha256 != two.sha256]
    # GeoPackage and workbook writers note the time of writing; what they hold is the same.
    assert {Path(name).suffix for name in different} <= {".gpkg"}


def test_counts_agree_in_every_document(case: Consultation, pack: Pack) -> None:
    """By hand: c (12), d (4) and e (30) move from E to W, 46 of 96 pupils; d alone is below ten."""
    total = case.publication.totals.iloc[0]
    assert (total["pupils"], total["moved_pupils"]) == (96.0, 46.0)
    for language in ("zh", "en"):
        for name in ("notice", "report"):
            texts = [
                _read_pdf(pack.folder / f"{name}_{language}.pdf"),
                _read_word(pack.folder / f"{name}_{language}.docx"),
            ]
            for text in texts:
                assert re.search(r"(?<!\d)96(?!\d)", text), (name, language)
                assert re.search(r"(?<!\d)46(?!\d)", text), (name, language)
    units = case.publication.units
    shown = {str(key): value for key, value in zip(units["unit_id"], units["pupils"], strict=True)}
    layer = pyogrio.read_dataframe(pack.folder / "layers" / "layers.gpkg", layer="communities", read_geometry=False)
    assert _as_dict(layer, "unit_id", "pupils") == _drop_hidden(shown)
    letters = pd.read_csv(pack.folder / "letters_en.csv", dtype=str)
    assert len(letters) == int(total["changed_units"])


def test_hidden_counts_stand_nowhere(tmp_path: Path) -> None:
    """d has 7 pupils that no other count of the pack equals, so a 7 beside its name would be the hidden one."""
    case = answer_merger(FILLED, pupils={"a": 30, "b": 20, "c": 12, "d": 7, "e": 30})
    units = case.publication.units.set_index("unit_id")
    assert bool(units.loc["d", "pupils_hidden"]) and math.isnan(units.loc["d", "pupils"])
    pack = write_pack(case, tmp_path / "pack")
    layer = pyogrio.read_dataframe(pack.folder / "layers" / "layers.gpkg", layer="communities", read_geometry=False)
    assert math.isnan(float(layer.set_index("unit_id").loc["d", "pupils"]))
    for path in (pack.folder / "tables").glob("*.csv"):
        for line in path.read_text(encoding="utf-8-sig").splitlines():
            assert not re.match(r"^(?:[^,]*,)?d,.*(?<![\d.])7(?:\.0)?(?![\d.])", line), (path.name, line)


def test_no_file_tells_of_who_wrote_it(pack: Pack) -> None:
    secrets = {getpass.getuser(), platform.node(), str(Path.home())} - {"", "root", "localhost"}
    for path in pack.folder.rglob("*.docx"):
        about = docx.Document(str(path)).core_properties
        assert about.last_modified_by in ("", None)
        assert about.author in ("", FILLED.issuer)
    for path in pack.folder.rglob("*.pdf"):
        told = pypdf.PdfReader(path).metadata or {}
        assert str(told.get("/Author", "")) in ("", FILLED.issuer)
    for path in pack.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [word for word in secrets if len(word) > 4 and word.encode() in content], path.name


def test_names_are_data_in_the_tables(tmp_path: Path) -> None:
    case = build_merger(replace(FILLED, title='=HYPERLINK("x")'))
    pack = write_pack(case, tmp_path / "pack")
    for path in (pack.folder / "tables").glob("*.xlsx"):
        with zipfile.ZipFile(path) as book:
            sheets = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)
        python_calamine.load_workbook(path)
    for path in [*(pack.folder / "tables").glob("*.csv"), *pack.folder.glob("*.csv")]:
        table = pd.read_csv(io.BytesIO(path.read_bytes()), dtype=str)
        texts = [str(cell) for column in table for cell in table[column].dropna()]
        assert not [cell for cell in texts if cell.startswith(("=", "@"))], path.name


def test_a_cancelled_pack_leaves_nothing(case: Consultation, tmp_path: Path) -> None:
    def stop(step: Message, share: float) -> None:
        if share > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_pack(case, tmp_path / "pack", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_only_a_pack_is_replaced(case: Consultation, pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(ExportError, match="other files"):
        write_pack(case, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    (pack.folder / "stale.txt").write_text("old", encoding="utf-8")
    write_pack(case, pack.folder)
    assert not (pack.folder / "stale.txt").exists()
    assert (pack.folder / MANIFEST).exists()


def test_what_must_not_be_published_is_refused(case: Consultation, tmp_path: Path) -> None:
    hostile = replace(case, options=replace(case.options, purpose="ask 13812345678 or 110101201501011234"))
    with pytest.raises(ExportError) as caught:
        write_pack(hostile, tmp_path / "pack")
    assert caught.value.message.params
    assert not (tmp_path / "pack").exists()


def test_evidence_goes_along_and_must_be_the_same(tmp_path: Path) -> None:
    proof = tmp_path / "review.txt"
    proof.write_text("The experts met.", encoding="utf-8")
    record = StepRecord("expert_review", FILLED.opens, "", (read_evidence(proof),))
    case = build_merger(FILLED, Procedure("closure", (record,)))
    pack = write_pack(case, tmp_path / "pack")
    assert (pack.folder / "evidence" / "expert_review_1_review.txt").read_text(encoding="utf-8") == "The experts met."
    assert "expert_review" not in [step.step_id for step in pack.missing]
    proof.write_text("They met again.", encoding="utf-8")
    with pytest.raises(ExportError, match=r"review\.txt has changed"):
        write_pack(case, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_pack_without_details_leaves_lines_to_fill_in(tmp_path: Path) -> None:
    pack = write_pack(build_merger(PackOptions()), tmp_path / "pack")
    assert "___" in _read_word(pack.folder / "notice_en.docx")
    draft = read_catalogue("zh")("Draft for comment")
    assert draft in (pack.folder / "README.txt").read_text(encoding="utf-8-sig")
    assert draft in re.sub(r"\s", "", _read_pdf(pack.folder / "notice_zh.pdf"))


def _as_dict(table: pd.DataFrame, key: str, value: str) -> dict[str, float]:
    return _drop_hidden(dict(zip(table[key].astype(str), table[value].astype(float), strict=True)))


def _drop_hidden(values: dict[str, float]) -> dict[str, float]:
    return {key: float(value) for key, value in values.items() if not math.isnan(value)}


def _read_pdf(path: Path) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


def _read_word(path: Path) -> str:
    document = docx.Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
