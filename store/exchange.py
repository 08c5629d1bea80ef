"""A whole study as one file ``*.buju.zip``: written so that it gives the same numbers elsewhere, read safely.

Inside: ``study.toml`` with its files in ``data/``, ``scenarios/`` (each can be run from the terminal as it lies there),
``rulesets/``, ``runs/``, and ``manifest.json`` with the digest of every file and the versions that wrote it.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from geodata.build import DATA_VERSION
from geodata.errors import DataError, DataIssue, ExportError
from geodata.messages import Message, msg
from geodata.study_file import StudySpec, read_study_file
from planning.run import RESULTS_VERSION
from store.checks import clean_name, compare_key
from store.errors import StoreError
from store.models import plain_json
from store.packing import collect_files, render_spec, safe_name
from store.store import Store
from store.toml_text import read_key, write_key
from store.unpacking import FORMAT, FORMAT_VERSION, MANIFEST, STUDY_FILE, Unpacked, unpack_study
from store.values import StoredScenario

__all__ = ["ENDING", "Unpacked", "pack_stored", "pack_study", "store_unpacked", "unpack_study"]

ENDING = ".buju.zip"
# Already packed by their own format: packing them again costs time and gains nothing.
_DENSE = (".pbf", ".gz", ".bz2", ".xlsx", ".xlsm", ".parquet", ".geoparquet")
_TIME = (1980, 1, 1, 0, 0, 0)
"""The same in every file: equal input, equal bytes."""
_CHUNK = 1 << 20


def pack_study(
    spec_or_path: StudySpec | str | Path,
    out_path: str | Path,
    *,
    scenarios: Sequence[tuple[str, str]] = (),
    rulesets: Sequence[tuple[str, str]] = (),
    runs: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write a study with everything that it needs into one file, whole or not at all; equal input, equal bytes.

    Parameters
    ----------
    spec_or_path
        The study, or the path of its ``study.toml``.
    out_path
        The file to write; ``.buju.zip`` is added where it is missing.
    scenarios
        Name and TOML of each. ``parent = "…"`` in a text names another one of the list.
    rulesets
        Name and TOML of each rulebook.
    runs
        Records of runs as plain data.

    Returns
    -------
    Path
        Of the file written.

    Raises
    ------
    DataError
        A file of the study is missing, a name stands twice, a parent is not in the list, a text is not TOML; all at
        once.
    ExportError
        The file cannot be written.
    """
    spec = spec_or_path if isinstance(spec_or_path, StudySpec) else read_study_file(spec_or_path)
    out_path = Path(out_path)
    if not out_path.name.endswith(ENDING):
        out_path = out_path.with_name(out_path.name.removesuffix(".zip") + ENDING)
    issues: list[DataIssue] = []
    try:
        packed = collect_files(spec)
    except DataError as error:
        issues += error.issues
    placed_scenarios = _place_texts("scenarios", scenarios, issues)
    texts = _tie_scenarios(placed_scenarios, issues)
    placed_rulesets = _place_texts("rulesets", rulesets, issues)
    if issues:
        raise DataError(issues)
    documents = {STUDY_FILE: render_spec(packed.spec).encode()}
    documents |= {place: text.encode() for place, text in texts.items()}
    documents |= {place: text.encode() for place, (_, text) in placed_rulesets.items()}
    documents |= {f"runs/{number:03}.json": _dump(run) for number, run in enumerate(runs, start=1)}
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "study": spec.name,
        "versions": {"results": RESULTS_VERSION, "data": DATA_VERSION},
        "notes": packed.notes,
        "scenarios": [{"name": name, "file": place} for place, (name, _) in placed_scenarios.items()],
        "rulesets": [{"name": name, "file": place} for place, (name, _) in placed_rulesets.items()],
    }
    try:
        _write_archive(out_path, manifest, documents, packed.files)
    except OSError as error:
        raise ExportError(
            str(msg("The file {path} cannot be written: {reason}.", path=str(out_path), reason=str(error.strerror)))
        ) from error
    return out_path


def pack_stored(store: Store, study_key: str, spec_or_path: StudySpec | str | Path, out_path: str | Path) -> Path:
    """Write a study with what the store has of it: living scenarios with their last run, and rulebooks.

    Who made the runs is written down, as the store has it. Raises as :func:`pack_study` does, and ``StoreError``.
    """
    living = store.list_scenarios(study_key)
    names = {scenario.scenario_id: scenario.name for scenario in living}
    texts = []
    runs: list[dict[str, Any]] = []
    for scenario in living:
        parent = names.get(scenario.parent_id or "")
        try:  # the store ties by id; the text may still have names from before
            text = scenario.text if parent is None else write_key(scenario.text, "parent", parent)
            text = text if read_key(text, "name") is None else write_key(text, "name", scenario.name)
        except ValueError:
            text = scenario.text  # told by pack_study, with everything else
        texts.append((scenario.name, text))
        # Only of the text that is packed: what an older version gave says nothing of it.
        of_this = [run for run in store.list_runs(scenario.scenario_id) if run.version == scenario.version]
        for run in of_this[:1]:
            values = {key: value for key, value in vars(run).items() if key not in ("run_id", "scenario_id", "at")}
            runs.append({"scenario": scenario.name, "at": run.at.isoformat()} | values)
    rulesets = [(ruleset.name, ruleset.text) for ruleset in store.list_rulesets()]
    return pack_study(spec_or_path, out_path, scenarios=texts, rulesets=rulesets, runs=runs)


def store_unpacked(store: Store, study_key: str, unpacked: Unpacked, who: str) -> tuple[StoredScenario, ...]:
    """Put the scenarios, runs and rulebooks of an unpacked study into the store; names in use get a number.

    All scenarios are stored with their runs, or none. Rulebooks become new versions where they differ.
    """
    made = store.import_scenarios(study_key, unpacked.scenarios, who, unpacked.runs)
    for name, text in unpacked.rulesets:
        store.save_ruleset(name, text, who)
    return made


def _place_texts(folder: str, texts: Sequence[tuple[str, str]], issues: list[DataIssue]) -> dict[str, tuple[str, str]]:
    """Return name and text by place in the archive; note names that cannot be, or stand twice, and bad TOML."""
    placed: dict[str, tuple[str, str]] = {}
    names: set[str] = set()
    for name, text in texts:
        try:
            name = clean_name(name)
        except StoreError as error:
            issues.append(_issue(error.message, repr(name)[:100], error.cure))
            continue
        if compare_key(name) in names:
            issues.append(_issue(msg("The name “{name}” stands twice.", name=name), name))
        try:
            read_key(text, "name")
        except ValueError as error:
            issues.append(_issue(msg("“{name}” is not valid TOML.", name=name), str(error)))
        names.add(compare_key(name))
        stem, number = safe_name(name.lower()), 1
        place = f"{folder}/{stem}.toml"
        while compare_key(place) in {compare_key(other) for other in placed}:
            number += 1
            place = f"{folder}/{stem}-{number}.toml"
        placed[place] = (name, text)
    return placed


def _tie_scenarios(placed: Mapping[str, tuple[str, str]], issues: list[DataIssue]) -> dict[str, str]:
    """Return the texts by place, with the file of the parent in place of its name: so the terminal can run them."""
    places = {name: place for place, (name, _) in placed.items()}
    texts = {}
    for place, (name, text) in placed.items():
        texts[place] = text
        try:
            parent = read_key(text, "parent")
            if parent is None:
                continue
            if parent not in places:
                problem = msg("“{name}” builds on “{parent}”, which is not packed with it.", name=name, parent=parent)
                issues.append(_issue(problem, parent, msg("Pack the parent too.")))
                continue
            texts[place] = write_key(text, "parent", places[parent].removeprefix("scenarios/"))
        except ValueError as error:
            if not any(issue.found == str(error) for issue in issues):
                issues.append(_issue(msg("“{name}” is not valid TOML.", name=name), str(error)))
    return texts


def _dump(value: Any) -> bytes:
    return json.dumps(plain_json(value), ensure_ascii=False, sort_keys=True, indent=1).encode()


def _write_archive(
    out_path: Path, manifest: dict[str, Any], documents: Mapping[str, bytes], files: Mapping[str, Path]
) -> None:
    out_path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=out_path.parent)
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
            rows = []
            for place in sorted([*documents, *files]):
                content = _read_chunks(files[place]) if place in files else iter([documents[place]])
                size, digest = _add_member(archive, place, content)
                rows.append({"path": place, "bytes": size, "sha256": digest})
            _add_member(archive, MANIFEST, iter([_dump(manifest | {"files": rows})]))
        Path(temporary).chmod(0o600)
        Path(temporary).replace(out_path)
    finally:  # nothing half-written stays; once moved to its place there is nothing left here
        with suppress(OSError):
            Path(temporary).unlink()


def _read_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _add_member(archive: zipfile.ZipFile, place: str, content: Iterator[bytes]) -> tuple[int, str]:
    """Write one member; return its size in bytes and its SHA-256."""
    member = zipfile.ZipInfo(place, date_time=_TIME)
    member.compress_type = zipfile.ZIP_STORED if place.lower().endswith(_DENSE) else zipfile.ZIP_DEFLATED
    member.external_attr = 0o100644 << 16
    member.create_system = 3  # the same on every system
    size, digest = 0, hashlib.sha256()
    with archive.open(member, "w", force_zip64=True) as target:
        for chunk in content:
            size += len(chunk)
            digest.update(chunk)
            target.write(chunk)
    return size, digest.hexdigest()


def _issue(problem: Message, found: str, cure: Message | None = None) -> DataIssue:
    return DataIssue("exchange", "error", problem, found=found[:200], cure=cure)
