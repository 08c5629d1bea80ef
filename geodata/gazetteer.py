"""Population lists that have names but no positions: each row is given the place of that name in the study's gazetteer.

Review: :func:`build_match_table` lists every row of the list with the place that is taken for it, or proposed
(``status`` near, ambiguous or unknown), and its likeness. A person sets ``accept`` or another ``place_name``, and the
table comes back as ``[gazetteer] matches`` (:func:`write_matches`, :func:`read_matches`). An accepted row without a
place is left out on purpose. Rows that stay without a place are errors: nobody is lost silently.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from geodata.crs import WGS84, convert_points
from geodata.errors import DataError, DataIssue, MissingColumnError
from geodata.features import FeatureTable, read_features
from geodata.files import read_raw_table
from geodata.messages import Message, msg
from geodata.names import (
    NameMatch,
    PlaceName,
    Verdict,
    find_meant,
    find_unused,
    group_by_place,
    index_names,
    match_names,
)
from geodata.population_table import COUNT_COLUMNS, Values, limit_issues
from geodata.schema import match_headers, raise_if_errors
from geodata.study_file import GazetteerSource, StudySpec
from geodata.values import normalise_header

MATCH_COLUMNS = ("list_name", "list_town", "place_name", "place_town", "score", "accept", "status", "row")
"""Columns of the review table; the first six are what :func:`read_matches` reads."""

_MATCH_HEADERS: dict[str, Sequence[str]] = {
    "list_name": ("list_name", "名单名称", "名单村名"),
    "list_town": ("list_town", "名单乡镇"),
    "place_name": ("place_name", "地图名称", "地图村名"),
    "place_town": ("place_town", "地图乡镇"),
    "score": ("score", "相似度"),
    "accept": ("accept", "确认", "采用"),
}
_FORMULA_MARKS = "=+-@\t\r"
_YES = frozenset(["1", "yes", "y", "true", "是", "确认", "采用", "✓", "√"])
_NO = frozenset(["0", "no", "n", "false", "否", "不是", "不采用", "✗", "×"])


def place_by_name(spec: StudySpec, listed: FeatureTable, crs: str) -> FeatureTable:
    """Return the list with the shapes of the gazetteer, joined by township and name.

    Parameters
    ----------
    spec : the study; ``spec.gazetteer`` names the places
    listed : the list, not placed
    crs : the study's CRS

    Returns
    -------
    FeatureTable
        One row per place: the counts of the rows given to it (added up where a review gave it several), unknown where
        the list has none. Findings: near matches, places without a row, rows left out on purpose.

    Raises
    ------
    DataError
        Rows whose place is not known or not certain, with the best candidates; everything at once.
    """
    source = spec.gazetteer
    assert source is not None
    gazetteer = _read_gazetteer(spec, source, crs)
    names, places = _list_names(listed.frame), _list_names(gazetteer.frame)
    verdicts = read_matches(spec.resolve(source.matches)) if source.matches else ()
    matches = match_names(names, places, verdicts)
    issues = [*listed.issues, *gazetteer.issues, *_check_verdicts(verdicts, names, places, source.matches)]
    issues += _place(_report(matches, names, places, listed), matches, gazetteer, crs)
    issues = limit_issues(issues)
    raise_if_errors(issues)
    joined = _join(listed, gazetteer, matches)
    return dataclasses.replace(joined, issues=tuple(issues))


def build_match_table(spec: StudySpec) -> pd.DataFrame:
    """Return the review table of a study whose population list is placed by name: :data:`MATCH_COLUMNS`.

    One row per row of the list, those that want a decision first; ``row`` is the number that the spreadsheet shows.
    ``score`` is the likeness, 0 to 1. ``accept`` is true for what is certain or close; ``place_name`` of a row that is
    not accepted is the best candidate, or empty.

    Raises ``DataError`` where one of the files cannot be read, or the study has no gazetteer.
    """
    if spec.gazetteer is None or spec.population is None:
        raise DataError(DataIssue("gazetteer", "error", msg("The study names no gazetteer.")))
    crs = spec.crs or "EPSG:3857"  # shapes are not looked at here
    listed = read_features(spec, spec.population, crs, may_lack_places=True)
    gazetteer = _read_gazetteer(spec, spec.gazetteer, crs)
    names, places = _list_names(listed.frame), _list_names(gazetteer.frame)
    matches_file = spec.gazetteer.matches
    verdicts = read_matches(spec.resolve(matches_file)) if matches_file else ()
    rows = [_build_row(match, names, places, listed) for match in match_names(names, places, verdicts)]
    table = pd.DataFrame(rows, columns=list(MATCH_COLUMNS))
    urgency = table["status"].map({"ambiguous": 0, "unknown": 1, "near": 2, "left_out": 3, "accepted": 4, "exact": 5})
    return table.assign(urgency=urgency).sort_values(["urgency", "row"]).drop(columns="urgency").reset_index(drop=True)


def list_place_names(spec: StudySpec) -> pd.DataFrame:
    """Return ``place_name`` and ``place_town`` of the gazetteer, for a person to choose from."""
    if spec.gazetteer is None:
        raise DataError(DataIssue("gazetteer", "error", msg("The study names no gazetteer.")))
    places = _list_names(_read_gazetteer(spec, spec.gazetteer, spec.crs or "EPSG:3857").frame)
    return pd.DataFrame({"place_name": [p.name for p in places], "place_town": [p.town for p in places]}, dtype="str")


def read_matches(path: Path) -> tuple[Verdict, ...]:
    """Read a reviewed table: CSV or Excel, with the columns of :data:`MATCH_COLUMNS`.

    ``list_name``, ``place_name`` and ``accept`` are required. ``accept`` is yes or no (是 否, 1 0, true false); where
    it is empty, nothing is decided.

    Raises ``DataError`` for a missing column, a word that is neither yes nor no, and a name that is decided twice.
    """
    raw = read_raw_table(path)
    columns = match_headers(raw.frame.columns, _MATCH_HEADERS)
    missing = [name for name in ("list_name", "place_name", "accept") if name not in columns]
    if missing:
        problem = msg("A required column is missing: {column}.", column=", ".join(missing))
        raise MissingColumnError(DataIssue("required_column", "error", problem, file=raw.file, sheet=raw.sheet))
    empty = [""] * len(raw.frame)
    cells = {
        name: [_strip_guard(cell) for cell in raw.frame[columns[name]]] if name in columns else empty
        for name in _MATCH_HEADERS
    }
    verdicts: list[Verdict] = []
    issues: list[DataIssue] = []
    decided: set[PlaceName] = set()
    for at in range(len(raw.frame)):
        word = normalise_header(cells["accept"][at])
        listed = PlaceName(cells["list_name"][at].strip(), cells["list_town"][at].strip())
        place = PlaceName(cells["place_name"][at].strip(), cells["place_town"][at].strip())
        found = cells["accept"][at]
        where = (raw.file, raw.sheet, int(raw.rows[at]))
        if word and word not in _YES | _NO:
            problem, cure = msg("This is neither yes nor no."), msg("Write yes or no (是, 否).")
            issues.append(DataIssue("match_word", "error", problem, *where, columns["accept"], found, cure=cure))
        elif word in _YES and listed in decided:
            problem = msg("This name is given a place twice.")
            issues.append(DataIssue("match_doubled", "error", problem, *where, columns["list_name"], found=listed.name))
        elif word:
            verdicts.append(Verdict(listed, place if place.name else None, word in _YES))
            decided |= {listed} if word in _YES else set()
    raise_if_errors(issues)
    return tuple(verdicts)


def _strip_guard(text: str) -> str:
    """Return a cell without the mark that :func:`write_matches` sets before what a spreadsheet would run."""
    return text[1:] if text[:1] == "'" and text[1:2] in tuple(_FORMULA_MARKS) else text


def write_matches(path: Path, table: pd.DataFrame) -> None:
    """Write a review table as CSV that a spreadsheet opens without running anything, beside first and then in place.

    A row that is not accepted says "no" to the place it names; where no place was taken (``status`` ambiguous or
    unknown) it decides nothing, and its cell stays empty.
    """
    shown = table.reindex(columns=[name for name in MATCH_COLUMNS if name in table]).copy()
    if "accept" in shown:
        status = shown["status"] if "status" in shown else [""] * len(shown)
        shown["accept"] = [
            "yes" if accept else "" if word in ("ambiguous", "unknown") else "no"
            for accept, word in zip(shown["accept"], status, strict=True)
        ]
    for name in ("list_name", "list_town", "place_name", "place_town"):
        shown[name] = [f"'{text}" if str(text)[:1] in tuple(_FORMULA_MARKS) else text for text in shown[name]]
    beside = path.with_name(path.name + ".part")
    beside.write_text(shown.to_csv(index=False), encoding="utf-8-sig")
    beside.replace(path)


def _read_gazetteer(spec: StudySpec, source: GazetteerSource, crs: str) -> FeatureTable:
    """Return the places with a name; their counts, if they have any, are not looked at."""
    hidden = {name: "" for name in COUNT_COLUMNS if name not in source.columns}
    quiet = dataclasses.replace(source, columns={**hidden, **source.columns})
    places = read_features(spec, quiet, crs)
    if not places.frame["name"].astype(bool).any():
        problem = msg("The gazetteer has no column of names.")
        expected = msg("a header such as 村名, name, 行政村")
        raise MissingColumnError(
            DataIssue("required_column", "error", problem, file=places.origin.file, expected=expected)
        )
    return places


def _list_names(frame: pd.DataFrame) -> list[PlaceName]:
    towns = frame["town"] if "town" in frame else [""] * len(frame)
    return [
        PlaceName(str(name or "").strip(), str(town or "").strip())
        for name, town in zip(frame["name"], towns, strict=True)
    ]


def _join(listed: FeatureTable, gazetteer: FeatureTable, matches: Sequence[NameMatch]) -> FeatureTable:
    """Return one row per place of the gazetteer, with the counts of its rows of the list."""
    groups = group_by_place(matches)
    places, rows = list(groups), [groups[place] for place in groups]
    spare = [at for at in range(len(gazetteer.frame)) if at not in groups]
    first = [members[0] for members in rows]
    frame = listed.frame.iloc[first].reset_index(drop=True)
    for name in [column for column in COUNT_COLUMNS if column in listed.frame]:
        frame[name] = _add_up(listed.frame[name].to_numpy(dtype=np.float64), rows)
    bands = {band: _add_up(values, rows) for band, values in listed.bands.items()}
    used = set(frame["unit_id"])
    rest = pd.DataFrame({"unit_id": _name_spare(gazetteer.frame, spare, used)})
    for name in ("name", "town", "kind", "setting"):
        if name in gazetteer.frame:
            rest[name] = gazetteer.frame[name].to_numpy(dtype=object)[spare]
            if name not in frame:
                frame[name] = gazetteer.frame[name].to_numpy(dtype=object)[places]
    at = places + spare
    whole = pd.concat([frame, rest], ignore_index=True)
    for name in ("name", "town", "kind", "setting"):
        if name in whole:
            whole[name] = whole[name].fillna("")
    for name in ("x_m", "y_m"):
        if name in gazetteer.frame:
            whole[name] = gazetteer.frame[name].to_numpy(dtype=np.float64)[at]
    bands = {band: np.append(values, np.full(len(spare), np.nan)) for band, values in bands.items()}
    numbers = None if listed.origin.rows is None else np.asarray(listed.origin.rows)[first]
    origin = dataclasses.replace(listed.origin, rows=numbers)
    return FeatureTable(whole, gazetteer.shapes[at], origin, bands, (), unlisted=len(spare))


def _add_up(values: Values, rows: Sequence[Sequence[int]]) -> Values:
    """Return the sum of each group of rows; unknown where all of its rows are."""
    return np.array(
        [np.nan if np.isnan(values[members]).all() else np.nansum(values[members]) for members in map(list, rows)]
    )


def _name_spare(places: pd.DataFrame, spare: Sequence[int], used: set[str]) -> list[str]:
    """Return ids for places without a row in the list: their own, where the list has not used it."""
    own = [str(places["unit_id"].iloc[at]) for at in spare]
    return [f"place-{name}" if name in used else name for name in own]


def _report(
    matches: Sequence[NameMatch], names: Sequence[PlaceName], places: Sequence[PlaceName], listed: FeatureTable
) -> list[DataIssue]:
    """Return a finding for every row that wants a look, and one for places that the list does not have."""
    issues = [_build_issue(match, names, places, listed) for match in matches if match.status in _FINDINGS]
    sure = sum(match.status in ("exact", "accepted") for match in matches)
    note = msg(
        "{sure:,} of {count:,} names of the list were found in the gazetteer for certain.",
        sure=sure,
        count=len(matches),
    )
    issues.append(DataIssue("names_joined", "note", note, file=listed.origin.file))
    unused = find_unused(matches, places)
    if unused:
        text = msg(
            "{count:,} places of the gazetteer have no row in the list; how many live there is unknown.",
            count=len(unused),
        )
        shown = ", ".join(places[at].name for at in unused[:8])
        issues.append(DataIssue("place_not_listed", "warning", text, file=listed.origin.file, found=shown))
    return issues


def _place(
    issues: Sequence[DataIssue], matches: Sequence[NameMatch], gazetteer: FeatureTable, crs: str
) -> list[DataIssue]:
    """Return the findings about rows with the place on the map that is taken, or may be meant."""
    inner = shapely.point_on_surface(gazetteer.shapes)
    lon, lat = convert_points(shapely.get_x(inner), shapely.get_y(inner), crs, WGS84)
    wanted = [match for match in matches if match.status in _FINDINGS]
    placed = []
    for at, issue in enumerate(issues):
        options = [wanted[at].place, *(place for place, _ in wanted[at].candidates)] if at < len(wanted) else []
        place = next((place for place in options if place is not None), None)
        if place is not None and crs != "local" and np.isfinite(lon[place]):
            issue = dataclasses.replace(issue, lon_deg=float(lon[place]), lat_deg=float(lat[place]))
        placed.append(issue)
    return placed


_FINDINGS: Mapping[str, tuple[str, str, Message]] = {
    "near": ("name_near", "warning", msg("No place has exactly this name; the nearest is used until it is reviewed.")),
    "ambiguous": ("name_ambiguous", "error", msg("Several places may be meant, or none is near enough.")),
    "unknown": ("name_unknown", "error", msg("The gazetteer has no place of this name.")),
    "left_out": ("name_left_out", "warning", msg("This row is left out, as the reviewed table says.")),
}


def _build_issue(
    match: NameMatch, names: Sequence[PlaceName], places: Sequence[PlaceName], listed: FeatureTable
) -> DataIssue:
    check, severity, problem = _FINDINGS[match.status]
    options = ", ".join(f"{_tell(places[at])} ({share:.0%})" for at, share in match.candidates)
    expected = msg("one of: {names}", names=options) if options else None
    if match.status == "near" and match.place is not None:
        place = f"{_tell(places[match.place])} ({match.score_share:.0%})"
        expected = msg("taken for {place}", place=place)
    cure = msg("Review the names on the Data page, or name a reviewed table: [gazetteer] matches.")
    return DataIssue(
        check,
        "error" if severity == "error" else "warning",
        problem,
        file=listed.origin.file,
        sheet=listed.origin.sheet,
        row=listed.origin.row(match.row),
        column=listed.origin.headers.get("name", "name"),
        found=_tell(names[match.row]),
        expected=expected,
        cure=None if match.status == "left_out" else cure,
        record_id=str(listed.frame["unit_id"].iloc[match.row]),
    )


def _tell(place: PlaceName) -> str:
    return f"{place.town} {place.name}".strip()


def _check_verdicts(
    verdicts: Sequence[Verdict], names: Sequence[PlaceName], places: Sequence[PlaceName], file: str
) -> list[DataIssue]:
    """Return a warning for every decision about a name or place that neither table has."""
    listed, there = index_names(names), index_names(places)
    issues = []
    for verdict in verdicts:
        meant = [] if verdict.place is None else find_meant(verdict.place, there)
        for found, known in ((verdict.listed, find_meant(verdict.listed, listed)), (verdict.place, meant)):
            if found is not None and not known:
                problem = msg("The reviewed table has a name that stands in no table any more.")
                issues.append(DataIssue("match_outdated", "warning", problem, file=file, found=_tell(found)))
        if verdict.accept and verdict.place is not None and len(meant) > 1:
            problem = msg("The reviewed table names a place that several in the gazetteer are called.")
            cure = msg("Write its township, too.")
            issues.append(
                DataIssue("match_ambiguous", "error", problem, file=file, found=_tell(verdict.place), cure=cure)
            )
    return issues


def _build_row(
    match: NameMatch, names: Sequence[PlaceName], places: Sequence[PlaceName], listed: FeatureTable
) -> dict[str, object]:
    name = names[match.row]
    at = match.place
    if at is None and match.candidates:
        at = match.candidates[0][0]
    place = PlaceName("") if at is None else places[at]
    return {
        "list_name": name.name,
        "list_town": name.town,
        "place_name": place.name,
        "place_town": place.town,
        "score": match.score_share,
        "accept": match.place is not None or match.status == "left_out",
        "status": match.status,
        "row": listed.origin.row(match.row),
    }
