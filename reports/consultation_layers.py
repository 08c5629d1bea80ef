"""The layers of a pack for map programs: zones before and after, communities, schools; no address, no home.

Counts come from the publication: a hidden count is empty, and the flag beside it (``…_hidden``) is true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.adjacency import find_land
from geodata.coverage import clean_coverage
from geodata.crs import LOCAL
from geodata.errors import ExportError
from geodata.messages import Message, msg
from geodata.outlines import build_zone_outlines
from geodata.write_layers import write_geopackage, write_layer_files
from planning.publication import list_zones
from reports.consultation_words import say_footer, say_status, tell_reason
from reports.language import Language, Translator, read_catalogue

if TYPE_CHECKING:
    import geopandas as gpd

    from reports.consultation_case import Consultation

README = "README.txt"
_UNITS = (
    *("stage", "unit_id", "name", "town", "setting", "pupils", "pupils_hidden", "moved_pupils", "moved_hidden"),
    *("before_ids", "before_names", "after_ids", "after_names", "min_before", "min_after", "change_min"),
    *("length_before_m", "length_after_m", "changed", "verdict"),
)
_SCHOOLS = (
    *("stage", "school_id", "name", "town", "setting", "status", "into", "kind_before", "kind_after"),
    *("places_before", "places_after", "classes_before", "classes_after"),
    *("pupils_before", "pupils_before_hidden", "pupils_after", "pupils_after_hidden"),
    *("roll_before", "roll_before_hidden", "roll_after", "roll_after_hidden"),
    *("units_before", "units_after", "mean_min_before", "mean_min_after", "changed"),
)
FIELDS: Mapping[str, Message] = MappingProxyType(
    {
        "stage": msg("stage: kindergarten, primary, junior, senior"),
        "unit_id": msg("number of the community"),
        "name": msg("name"),
        "town": msg("township"),
        "setting": msg("urban, town or rural"),
        "pupils": msg("children of the stage, by the model; empty where hidden or not known"),
        "pupils_hidden": msg("whether the number of children is hidden"),
        "moved_pupils": msg("children whose school changes; empty where hidden or not known"),
        "moved_hidden": msg("whether the number of children whose school changes is hidden"),
        "before_ids": msg("numbers of the schools before, several parted by a semicolon"),
        "before_names": msg("schools before"),
        "after_ids": msg("numbers of the schools in the proposal, several parted by a semicolon"),
        "after_names": msg("schools in the proposal"),
        "min_before": msg("minutes to school before, one way"),
        "min_after": msg("minutes to school in the proposal, one way"),
        "change_min": msg("minutes more (less: negative)"),
        "length_before_m": msg("metres to school before, one way"),
        "length_after_m": msg("metres to school in the proposal, one way"),
        "changed": msg("whether something changes"),
        "verdict": msg("better, same, worse, lost (no way to school any more), won (has one now) or unknown"),
        "reason": msg("why the community goes to this school"),
        "school_id": msg("number of the school; of a shared zone several, parted by a semicolon"),
        "shared": msg("whether several schools share the zone"),
        "units": msg("communities in the zone"),
        "area_m2": msg("area in square metres"),
        "parts": msg("separate pieces of land"),
        "status": msg("same, changed, new or gone (closed or merged)"),
        "into": msg("school that it is merged into"),
        "kind_before": msg("kind of school before"),
        "kind_after": msg("kind of school in the proposal"),
        "places_before": msg("places before"),
        "places_after": msg("places in the proposal"),
        "classes_before": msg("classes before"),
        "classes_after": msg("classes in the proposal"),
        "pupils_before": msg("children of its zone before, by the model; empty where hidden or not known"),
        "pupils_before_hidden": msg("whether the children of its zone before are hidden"),
        "pupils_after": msg("children of its zone in the proposal, by the model; empty where hidden or not known"),
        "pupils_after_hidden": msg("whether the children of its zone in the proposal are hidden"),
        "roll_before": msg("pupils on the roll before; empty where hidden or not known"),
        "roll_before_hidden": msg("whether the roll before is hidden"),
        "roll_after": msg("projected roll in the proposal; empty where hidden or not known"),
        "roll_after_hidden": msg("whether the projected roll is hidden"),
        "units_before": msg("communities of its zone before"),
        "units_after": msg("communities of its zone in the proposal"),
        "mean_min_before": msg("mean minutes to school before; empty where it would tell a hidden count, or not known"),
        "mean_min_after": msg(
            "mean minutes to school in the proposal; empty where it would tell a hidden count, or not known"
        ),
    }
)
"""What the fields of the layers mean; ``reason`` stands once for each language, as ``reason_zh``."""


def write_pack_layers(consultation: Consultation, folder: str | Path, _: Translator) -> list[Path]:
    """Write the layers of a pack into ``folder`` (made where missing), with ``README``; return the paths.

    A study on a grid without a place on Earth has one GeoPackage in metres of that grid, and the readme says so.

    Raises
    ------
    ExportError
        The folder cannot be made or written to.
    """
    folder = Path(folder)
    speakers = [_, *(read_catalogue(other) for other in consultation.languages if other != _.language)]
    layers = build_pack_layers(consultation, [speaker.language for speaker in speakers])
    about = _describe(consultation, _)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if consultation.study.crs == LOCAL:
            files = [write_geopackage(folder / "layers.gpkg", layers, description=about)]
        else:
            meanings = {f"meaning_{speaker.language}": _list_meanings(speakers, speaker) for speaker in speakers}
            datum = consultation.options.datum
            files = write_layer_files(layers, folder, datum=datum, description=about, meanings=meanings)
        texts = [tell_layers(consultation, layers, speaker) for speaker in speakers]
        (folder / README).write_bytes("\r\n\r\n".join(texts).encode("utf-8-sig"))
    except OSError as error:
        told = msg("{folder} cannot be written: {reason}", folder=folder.name, reason=error.strerror or str(error))
        raise ExportError(told) from error
    return [*files, folder / README]


def build_pack_layers(consultation: Consultation, languages: Sequence[Language]) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers by name, in the metres of the study.

    ``zones_before``, ``zones_after``: one area per stage and school, or group of schools that share communities;
    ``communities``: one area per stage and planning unit; ``schools``: one point per stage and school.
    """
    return {
        "zones_before": _build_zones(consultation, "before"),
        "zones_after": _build_zones(consultation, "after"),
        "communities": _build_communities(consultation, languages),
        "schools": _build_schools(consultation),
    }


def _build_zones(consultation: Consultation, side: str) -> gpd.GeoDataFrame:
    study, publication = consultation.study, consultation.publication
    zones = list_zones(publication, side)
    zones = zones[zones["school_id"] != ""]
    rows = publication.schools
    names = {str(key): str(name) for key, name in zip(rows["school_id"], rows["name"], strict=True)}
    zones = zones.assign(name=[names.get(str(key)) or str(key) for key in zones["school_id"]])
    return build_zone_outlines(study.units, zones, scattered=study.adjacency.scattered)


def _build_communities(consultation: Consultation, languages: Sequence[Language]) -> gpd.GeoDataFrame:
    """Return the land of every community: where units are footprints of houses, the land around them."""
    import geopandas as gpd

    study, rows = consultation.study, consultation.publication.units
    land = clean_coverage(find_land(study.units, scattered=study.adjacency.scattered))
    where = {str(key): place for place, key in enumerate(study.units["unit_id"])}
    table = pd.DataFrame({name: rows[name].to_numpy() for name in _UNITS})
    table["name"] = _name(table["name"], table["unit_id"])
    for side in ("before", "after"):
        table[f"{side}_names"] = [";".join(map(str, names)) for names in table[f"{side}_names"]]
    for language in languages:
        speaker = read_catalogue(language)
        table[f"reason_{language}"] = [tell_reason(row, speaker) for row in rows.itertuples(index=False)]
    shapes = land[[where[str(key)] for key in table["unit_id"]]]
    return gpd.GeoDataFrame(_settle(table), geometry=shapes, crs=study.units.crs)


def _build_schools(consultation: Consultation) -> gpd.GeoDataFrame:
    import geopandas as gpd

    study, rows = consultation.study, consultation.publication.schools
    spots = find_school_points(consultation)
    table = pd.DataFrame({name: rows[name].to_numpy() for name in _SCHOOLS})
    table["name"] = _name(table["name"], table["school_id"])
    points = np.array([spots.get(str(key), (np.nan, np.nan)) for key in table["school_id"]], dtype=float).reshape(-1, 2)
    shapes = gpd.points_from_xy(points[:, 0], points[:, 1])
    return gpd.GeoDataFrame(_settle(table), geometry=shapes, crs=study.units.crs)


def find_school_points(consultation: Consultation) -> dict[str, tuple[float, float]]:
    """Return where every school stands or will stand, by id, in metres of the study."""
    schools = consultation.study.schools
    spots = {
        str(key): (float(x_m), float(y_m))
        for key, x_m, y_m in zip(schools["school_id"], schools["x_m"], schools["y_m"], strict=True)
    }
    for outcome in (consultation.baseline, consultation.proposal):
        opened = outcome.changes[outcome.changes["what"] == "opened"]
        for key, x_m, y_m in zip(opened["school_id"], opened["x_m"], opened["y_m"], strict=True):
            spots[str(key)] = (float(x_m), float(y_m))
    return spots


def _name(names: pd.Series[Any], ids: pd.Series[Any]) -> list[str]:
    return [str(name).strip() or str(key) for name, key in zip(names, ids, strict=True)]


def _settle(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with counts as floats and flags as booleans, so that every format keeps their kind."""
    for name in table.columns:
        if name == "changed" or name in ("pupils_hidden", "moved_hidden") or str(name).endswith("_hidden"):
            table[name] = table[name].astype(bool)
    return table


def _list_meanings(speakers: Sequence[Translator], _: Translator) -> dict[str, str]:
    told = {field: _.say(meaning) for field, meaning in FIELDS.items()}
    return told | {f"reason_{speaker.language}": told["reason"] for speaker in speakers}


def _describe(consultation: Consultation, _: Translator) -> str:
    """Return the line that every layer carries: title, whether it is a draft, sources, pack."""
    parts = [consultation.title, say_status(consultation.procedure, _), say_footer(consultation, _)]
    return " · ".join(part for part in parts if part)


def tell_layers(consultation: Consultation, layers: Mapping[str, gpd.GeoDataFrame], _: Translator) -> str:
    """Return what the layers are, in which coordinates, and what is not in them, as text."""
    names = {
        "zones_before": _("zones before, by stage"),
        "zones_after": _("zones in the proposal, by stage"),
        "communities": _("communities with their schools before and in the proposal, by stage"),
        "schools": _("schools, by stage"),
    }
    lines = [_describe(consultation, _), "", *_tell_coordinates(consultation, _), ""]
    lines += [
        _("{layer}: {what}; entries: {count}", layer=name, what=names[name], count=_.number(len(table)))
        for name, table in layers.items()
    ]
    lines += [
        "",
        _(
            "Counts of pupils below {threshold}, and those from which these could be worked out, are empty; the field "
            "that ends in _hidden says so. There are no addresses and no homes in the layers.",
            threshold=consultation.publication.threshold,
        ),
        _("A Shapefile shortens names of fields and texts; fields.csv says which field is which."),
    ]
    return "\r\n".join(lines) + "\r\n"


def _tell_coordinates(consultation: Consultation, _: Translator) -> list[str]:
    if consultation.study.crs == LOCAL:
        return [
            _(
                "The study lies on a grid of metres without a place on Earth: there is one GeoPackage in metres of "
                "that grid, and no GeoJSON, Shapefile or KML."
            )
        ]
    told = {
        "WGS-84": _("Coordinates: WGS 84 (EPSG:4326), longitude and latitude in degrees."),
        "CGCS2000": _("Coordinates: CGCS2000 (EPSG:4490), longitude and latitude in degrees."),
        "GCJ-02": _(
            "Coordinates: GCJ-02, longitude and latitude in degrees, as Chinese web maps show them: moved by some 300 "
            "to 800 m against WGS 84. There is no EPSG code for it; a program that takes these files for WGS 84 draws "
            "them in the wrong place. Outside China nothing is moved."
        ),
    }
    return [told[consultation.options.datum]]
