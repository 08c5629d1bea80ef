"""The coordinate system of a file: shifted web maps, Gauss-Krüger zones of the Chinese systems, or any EPSG code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import streamlit as st

from geodata.crs import LOCAL, WGS84, convert_points, normalise_crs
from geodata.crs_names import GaussKrueger
from geodata.errors import CrsError
from reports.language import Translator
from ui.detect import Detected
from ui.draft import Draft

OTHER = "other"
GEOGRAPHIC = "EPSG:4490"
SYSTEMS = ("", GEOGRAPHIC, "GCJ-02", "BD-09", LOCAL)
_NAME = re.compile(r"[\w .:°·()/-]{1,80}")
ZONE_M = 1_000_000
"""An easting with its zone in front has the zone in its millions: 38 500 000 m is zone 38."""


@dataclass(frozen=True)
class Family:
    """The Gauss-Krüger zones of one datum and width; codes come from ``geodata.crs_names``."""

    datum: str
    label: str
    width_deg: int
    zones: range

    def find_meridian(self, zone: int) -> int:
        """Return the central meridian of a zone, degrees east."""
        return GaussKrueger(self.datum, self.width_deg, zone, prefixed=False).meridian_deg

    def name_system(self, zone: int, *, prefixed: bool) -> str:
        """Return the EPSG code of a zone; ``prefixed``: its number stands in front of the eastings."""
        return GaussKrueger(self.datum, self.width_deg, zone, prefixed=prefixed).crs


_THREE, _SIX = range(25, 46), range(13, 24)
FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "cgcs2000_3": Family("CGCS2000", "CGCS2000", 3, _THREE),
        "cgcs2000_6": Family("CGCS2000", "CGCS2000", 6, _SIX),
        "xian80_3": Family("Xian 1980", "Xian 1980 · 西安80", 3, _THREE),
        "xian80_6": Family("Xian 1980", "Xian 1980 · 西安80", 6, _SIX),
        "beijing54_3": Family("Beijing 1954", "Beijing 1954 · 北京54", 3, _THREE),
        "beijing54_6": Family("Beijing 1954", "Beijing 1954 · 北京54", 6, _SIX),
    }
)


@cache
def _list_codes() -> dict[str, tuple[str, int, bool]]:
    return {
        family.name_system(zone, prefixed=prefixed): (key, zone, prefixed)
        for key, family in FAMILIES.items()
        for zone in family.zones
        for prefixed in (True, False)
    }


def find_family(system: str) -> tuple[str, int, bool] | None:
    """Return family, zone and whether eastings carry the zone, of a system that is a Gauss-Krüger zone."""
    return _list_codes().get(normalise_crs(system).upper())


def guess_zone(found: Detected, columns: Mapping[str, str]) -> int:
    """Return the zone that the eastings of a table carry in their millions, 0 where they carry none."""
    for name in ("x_m", "y_m", "lon_deg", "lat_deg"):
        low, high = found.reach.get(columns.get(name, ""), (0.0, 0.0))
        if low >= 13 * ZONE_M and high < 46 * ZONE_M and low // ZONE_M == high // ZONE_M:
            return int(low // ZONE_M)
    return 0


def take_system(role: str, kept: str) -> str:
    """Return the coordinate system that was just chosen for a file, before its widgets are drawn; else ``kept``."""
    chosen = st.session_state.get(f"system_{role}")
    if chosen == OTHER:
        code = _complete_code(str(st.session_state.get(f"epsg_{role}") or ""))
        return code if code and is_known_system(code) else ""
    if chosen in FAMILIES:
        zone = st.session_state.get(f"zone_{role}_{chosen}")
        return str(zone) if zone else ""
    return kept if chosen is None else str(chosen)


def forget_system_widgets(role: str) -> None:
    """Let the next drawing start from the draft: what was chosen for another file does not count."""
    for key in (f"system_{role}", f"epsg_{role}", *(f"zone_{role}_{family}" for family in FAMILIES)):
        st.session_state.pop(key, None)


def render_system(_: Translator, role: str, draft: Draft, *, wanted: bool = False, zone: int = 0) -> None:
    """Ask which coordinates the file has: Chinese web maps give shifted ones.

    Parameters
    ----------
    role : what the file is for
    draft : gets the answer
    wanted : it stands out
    zone : the zone that the file's eastings seem to carry, 0 where they carry none
    """
    kept = draft.systems.get(role, "")
    known = find_family(kept)
    plain = normalise_crs(kept)
    start = plain if plain in SYSTEMS else known[0] if known else OTHER
    options = [*SYSTEMS, *FAMILIES, OTHER]
    first, second = st.columns(2)
    label = _("Coordinates")
    chosen = first.selectbox(
        f":red[**{label}**]" if wanted else label,
        options,
        index=options.index(start),
        format_func=lambda system: name_system(_, system),
        key=f"system_{role}",
        help=_("Points from Gaode, Tencent or Baidu maps are shifted by up to 800 m."),
    )
    if chosen in FAMILIES:
        with second:
            draft.systems[role] = _render_zone(_, role, chosen, kept, zone)
    elif chosen == OTHER:
        with second:
            draft.systems[role] = _render_code(_, role, kept if start == OTHER else "")
    else:
        draft.systems[role] = chosen


def name_system(_: Translator, system: str) -> str:
    """Return a coordinate system, or a family of zones, in the reader's language."""
    if system in FAMILIES:
        family = FAMILIES[system]
        zones = _("3-degree zones") if family.width_deg == 3 else _("6-degree zones")
        return f"{family.label} · {zones}"
    if known := find_family(system):
        family, zone = FAMILIES[known[0]], known[1]
        strip = _("zone {zone}, {meridian}°E", zone=zone, meridian=family.find_meridian(zone))
        return f"{name_system(_, known[0])} · {strip}"
    return {
        "": _("WGS 84, or as the file says"),
        GEOGRAPHIC: _("CGCS2000 longitude and latitude"),
        "GCJ-02": "GCJ-02 · 高德 腾讯",
        "BD-09": "BD-09 · 百度",
        LOCAL: _("metres of a plan, without a place on Earth"),
        OTHER: _("another system (EPSG code)"),
    }.get(system, system)


def _render_zone(_: Translator, role: str, chosen: str, kept: str, guessed: int) -> str:
    """Ask for the zone: with its number in the eastings, or without, told by the central meridian."""
    family = FAMILIES[chosen]
    options = [family.name_system(zone, prefixed=prefixed) for prefixed in (True, False) for zone in family.zones]
    plain = normalise_crs(kept)
    start = options.index(plain) if plain in options else None
    if start is None and guessed in family.zones:
        start = options.index(family.name_system(guessed, prefixed=True))

    def say(system: str) -> str:
        known = find_family(system)
        zone = known[1] if known else 0
        values = {"meridian": family.find_meridian(zone), "zone": zone}
        return (
            _("zone {zone} · {meridian}°E · eastings begin with {zone}", **values)
            if known and known[2]
            else _("{meridian}°E · eastings without a zone number", **values)
        )

    zone = st.selectbox(
        _("Zone"),
        options,
        index=start,
        format_func=say,
        key=f"zone_{role}_{chosen}",
        placeholder=_("Choose the zone"),
        help=_(
            "An easting of eight digits begins with its zone: 38 500 000 is zone 38. With six digits, take the "
            "central meridian that the map names."
        ),
    )
    return str(zone or "")


def _render_code(_: Translator, role: str, kept: str) -> str:
    code = st.text_input(
        _("EPSG code"),
        value=kept,
        key=f"epsg_{role}",
        placeholder="EPSG:4547",
        max_chars=40,
        help=_("CGCS2000, 3-degree zones: EPSG:4534 (central meridian 75°E) to EPSG:4554 (135°E)."),
    )
    chosen = _complete_code(code)
    if chosen and not is_known_system(chosen):
        st.error(_("The coordinate system is not known."))
        return ""
    return chosen


def _complete_code(code: str) -> str:
    """Return what was typed as the name of a system: a bare number gets its prefix."""
    code = " ".join(code.split())
    return f"EPSG:{code}" if code.isdigit() else code


def is_known_system(system: str) -> bool:
    """Whether points can be converted from a coordinate system of this name; definitions (``+proj=…``) are no names."""
    if not _NAME.fullmatch(system):
        return False
    try:
        convert_points([0.0], [0.0], system, WGS84)
    except CrsError:
        return False
    return True
