"""The work of the Consultation page in another process: what may be published, and the pack. No Streamlit here.

A pack lies in a folder of the cache: ``packs/<key>/pack`` holds its files, ``look`` pictures of the first pages, and
``record.json``, written last, says what is there.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.cache import DiskCache, compute_cache_folder
from geodata.messages import Message, msg
from geodata.study import Progress, compute_digest
from geodata.study_file import StudySpec
from planning.procedure import Procedure
from planning.publication import Publication
from planning.publication_options import PackOptions
from planning.run import RESULTS_VERSION
from planning.scenario import Scenario
from reports.consultation_case import PackFile
from reports.language import Language
from ui.forecast_study import build_viewed_study
from ui.rules_key import compute_rules_key

if TYPE_CHECKING:
    import pandas as pd

    from reports.consultation_case import Consultation

JOB_VERSION = 1
FOLDER, RECORD = "packs", "record.json"
MOST_PACKS = 12
KEEP_S = 86_400.0
BUILT_SHARE, CASE_SHARE, WRITTEN_SHARE = 0.05, 0.35, 0.95


@dataclass(frozen=True)
class PackAsk:
    """Which pack is asked for: ``baseline`` None means today."""

    rulebook: str
    proposal: Scenario
    baseline: Scenario | None = None
    alternatives: tuple[Scenario, ...] = ()
    languages: tuple[Language, ...] = ("zh",)
    options: PackOptions = field(default_factory=PackOptions)
    procedure: Procedure = field(default_factory=lambda: Procedure("rezoning"))


@dataclass(frozen=True, eq=False)
class Checked:
    """What would be published of a proposal: the protected counts, and how many rules are passed, failed or unknown."""

    publication: Publication
    rules: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class MadePack:
    """A pack on disk. ``missing``: ids of the steps of the procedure that are not done; ``looks``: picture names by
    ``role_language``; ``cut``: those of which only the beginning was set, so that their page numbers count just it."""

    pack_id: str
    folder: Path
    files: tuple[PackFile, ...]
    zip_name: str
    missing: tuple[str, ...]
    looks: Mapping[str, tuple[str, ...]]
    cut: tuple[str, ...]
    seconds: float

    def read(self, path: str) -> bytes:
        """Return one file of the pack. Raises ``OSError``."""
        return (self.folder / "pack" / path).read_bytes()

    def look(self, name: str) -> bytes:
        """Return one picture of a page. Raises ``OSError``."""
        return (self.folder / "look" / name).read_bytes()


def compute_check_key(fingerprint: str, ask: PackAsk) -> str:
    """Return the name under which it is kept what would be published: texts, languages and dates do not matter."""
    rules = compute_rules_key(ask.rulebook)
    parts = (repr(ask.proposal), repr(ask.baseline), ask.options.threshold)
    return f"publish-{compute_digest(JOB_VERSION, RESULTS_VERSION, fingerprint, rules, *parts)}"


def compute_pack_key(fingerprint: str, ask: PackAsk) -> str:
    """Return the name of the folder of a pack."""
    rules = compute_rules_key(ask.rulebook)
    steps = [
        (record.step_id, record.date, record.note, [(item.name, item.sha256) for item in record.evidence])
        for record in ask.procedure.records
    ]
    asked = repr(replace(ask, rulebook="", procedure=Procedure(ask.procedure.kind)))
    return f"pack-{compute_digest(JOB_VERSION, RESULTS_VERSION, fingerprint, rules, asked, repr(steps))}"


def read_checked(key: str) -> Checked | None:
    """Return what would be published, kept under a key, or None."""
    found = DiskCache(compute_cache_folder()).load(key)
    return found if isinstance(found, Checked) else None


def read_made(key: str) -> MadePack | None:
    """Return the pack made under a key, or None where there is none, or not all of it."""
    folder = compute_cache_folder() / FOLDER / key
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        files = tuple(PackFile(**item) for item in found["files"])
        looks = {str(name): tuple(map(str, pages)) for name, pages in found["looks"].items()}
        made = MadePack(
            str(found["pack_id"]),
            folder,
            files,
            str(found["zip_name"]),
            tuple(map(str, found["missing"])),
            looks,
            tuple(map(str, found["cut"])),
            float(found["seconds"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    paths = [made.zip_name, *(item.path for item in files)]
    return made if all((folder / "pack" / path).is_file() for path in paths) else None


def check_in_worker(
    *, spec: StudySpec, class_sizes: Mapping[str, float], name: str, ask: PackAsk, progress: Progress
) -> None:
    """Work out what would be published and keep it in the disk cache under ``name``."""
    began = time.monotonic()
    slim = replace(ask, alternatives=(), options=PackOptions(threshold=ask.options.threshold))
    case = _build(spec, class_sizes, slim, progress, 1.0)
    checked = Checked(case.publication, count_rules(case.checks), time.monotonic() - began)
    DiskCache(compute_cache_folder()).store(name, checked)


def count_rules(checks: pd.DataFrame) -> dict[str, int]:
    """Count rules: ``failed`` for any school or area, else ``unknown`` for any, else ``passed``."""
    status = checks.groupby("rule_id")["status"].agg(set)
    failed = int(status.map(lambda found: "failed" in found).sum())
    unknown = int(status.map(lambda found: "unknown" in found and "failed" not in found).sum())
    return {"failed": failed, "unknown": unknown, "passed": len(status) - failed - unknown}


def make_in_worker(
    *, spec: StudySpec, class_sizes: Mapping[str, float], name: str, ask: PackAsk, look: Language, progress: Progress
) -> None:
    """Make the pack in the folder ``name`` of the packs, with pictures of its first pages in the language ``look``."""
    from reports.consultation import write_pack
    from ui.consultation_pages import draw_looks

    began = time.monotonic()
    case = _build(spec, class_sizes, ask, progress, CASE_SHARE)
    folder = compute_cache_folder() / FOLDER / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in folder.glob(".pack-*"):  # of a run that was stopped by force
        shutil.rmtree(left, ignore_errors=True)
    pack = write_pack(case, folder / "pack", progress=_spread(progress, CASE_SHARE, WRITTEN_SHARE))
    progress(msg("Drawing the first pages to look at"), WRITTEN_SHARE)
    looks = draw_looks(case, folder / "look", look if look in ask.languages else ask.languages[0])
    record = {
        "pack_id": pack.pack_id,
        "files": [asdict(item) for item in pack.files],
        "zip_name": pack.zip_path.relative_to(folder / "pack").as_posix(),
        "missing": [step.step_id for step in pack.missing],
        "looks": dict(looks.pages),
        "cut": looks.cut,
        "seconds": time.monotonic() - began,
    }
    _write_whole(folder / RECORD, json.dumps(record, ensure_ascii=False))
    _tidy(folder)


def _build(
    spec: StudySpec, class_sizes: Mapping[str, float], ask: PackAsk, progress: Progress, end: float
) -> Consultation:
    from planning.rules import read_rulebook
    from reports.consultation_build import build_consultation

    progress(msg("Reading the county"), 0.0)
    return build_consultation(
        build_viewed_study(spec, class_sizes, None),
        read_rulebook(ask.rulebook),
        ask.proposal,
        baseline=ask.baseline,
        alternatives=ask.alternatives,
        options=ask.options,
        procedure=ask.procedure,
        languages=ask.languages,
        progress=_spread(progress, BUILT_SHARE, end),
    )


def _spread(progress: Progress, start: float, end: float) -> Progress:
    def inner(step: Message, share: float) -> None:
        progress(step, start + (end - start) * min(max(share, 0.0), 1.0))

    return inner


def _write_whole(path: Path, text: str) -> None:
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    Path(unfinished).replace(path)


def _tidy(keep: Path) -> None:
    """Remove the oldest packs beyond the number that is kept; those of today stay."""
    oldest = time.time() - KEEP_S
    folders = sorted(keep.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[MOST_PACKS:]:
        if folder != keep and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)
