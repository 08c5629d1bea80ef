"""Names of coordinate systems as Chinese offices and their programs write them, and the EPSG codes that they mean.

Gauss-Krüger grids come in strips of 3° and 6°, each with the number of its zone before the easting (38 500 000 m) or
without (500 000 m), on three datums. A name holds the datum and the strip, the zone or the central meridian, in
Chinese (``CGCS2000 3度带 38带``, ``西安80 6度带 中央经线111°``), as ArcGIS (``CGCS2000_3_Degree_GK_CM_114E``) or as
EPSG (``CGCS2000 / 3-degree Gauss-Kruger zone 38``) writes it. Codes: EPSG Geodetic Parameter Dataset.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

FALSE_EASTING_M = 500_000.0
PREFIX_M = 1_000_000.0
"""The number of the zone stands before the six digits of the easting."""

_FIRST_ZONE = {3: 25, 6: 13}
_LAST_ZONE = {3: 45, 6: 23}
_FIRST_MERIDIAN = 75


@dataclass(frozen=True)
class GaussKrueger:
    """One Gauss-Krüger strip: ``datum`` (CGCS2000, Xian 1980, Beijing 1954), ``width_deg`` (3 or 6), its zone."""

    datum: str
    width_deg: int
    zone: int
    prefixed: bool

    @property
    def meridian_deg(self) -> int:
        """Longitude of the central meridian."""
        return self.zone * 3 if self.width_deg == 3 else self.zone * 6 - 3

    @property
    def crs(self) -> str:
        """The EPSG code."""
        first = _CODES[self.datum][self.width_deg][0 if self.prefixed else 1]
        return f"EPSG:{first + self.zone - _FIRST_ZONE[self.width_deg]}"

    @property
    def name(self) -> str:
        """The name of the EPSG dataset, short."""
        strip = "3-degree" if self.width_deg == 3 else "6-degree"
        return f"{self.datum} {strip} " + (f"zone {self.zone}" if self.prefixed else f"CM {self.meridian_deg}E")


# First code of the strips with the zone before the easting, and of those without.
_CODES: dict[str, dict[int, tuple[int, int]]] = {
    "CGCS2000": {3: (4513, 4534), 6: (4491, 4502)},
    "Xian 1980": {3: (2349, 2370), 6: (2327, 2338)},
    "Beijing 1954": {3: (2401, 2422), 6: (21413, 21453)},
}
_GEOGRAPHIC = {"CGCS2000": "EPSG:4490", "Xian 1980": "EPSG:4610", "Beijing 1954": "EPSG:4214"}
_DATUMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "CGCS2000",
        re.compile(
            r"cgcs ?2000|(?:china|中国) ?(?:geodetic|大地)[^0-9]*2000|国家 ?2000|2000 ?国家|大地2000|国家大地坐标系"
        ),
    ),
    ("Xian 1980", re.compile(r"xi'?an ?(?:19)?80|西安 ?(?:19)?80|(?:19)?80 ?西安|西安坐标系|国家80|80坐标系")),
    ("Beijing 1954", re.compile(r"beijing ?(?:19)?54|北京 ?(?:19)?54|(?:19)?54 ?北京|北京坐标系|54坐标系")),
)
_SHIFTED = {
    "GCJ-02": ("gcj02", "火星", "国测局", "高德", "腾讯", "amap", "gaode", "tencent", "autonavi"),
    "BD-09": ("bd09", "百度", "baidu"),
}
_OTHER: dict[str, tuple[str, ...]] = {
    "EPSG:4326": (
        "wgs84",
        "wgs1984",
        "gcswgs1984",
        "gps",
        "世界大地坐标系",
        "wgs84经纬度",
        "84坐标系",
        "wgs84坐标系",
        "crs84",
    ),
    "EPSG:3857": ("webmercator", "web墨卡托", "墨卡托", "wgs1984webmercatorauxiliarysphere", "pseudomercator"),
    "local": ("local",),
}
_UTM = re.compile(r"(?:wgs ?(?:19)?84)? ?/? ?utm ?(?:zone)? ?(\d{1,2}) ?([ns]?)(?:orthern|outhern)?(?: ?带)?")
_MERIDIAN = re.compile(r"(?:\bcm|中央(?:子午线|经线|经度)|central ?meridian)[^0-9]{0,4}(\d{2,3}) ?(?:[e°度]|$|\D)")
_ZONE = re.compile(r"(?:zone|带号|第|度带) ?:?(\d{2})(?!\d)|(?<!\d)(\d{2}) ?(?:号)?带")
_WIDTH = re.compile(r"(?<!\d)([36三六]) ?(?:°|度|[- ]?deg(?:ree)?s?)")


def find_crs_code(name: str) -> str:
    """Return the code (``"EPSG:4526"``, ``"GCJ-02"``, ``"BD-09"``, ``"local"``) of a name; ``""`` where none is known.

    Without the width of the strip the number of the zone tells it (13 to 23: 6°, 25 to 45: 3°); a central
    meridian alone means a 3° strip, which every meridian of a 6° strip has too. A zone means that its number
    stands before the easting; :func:`geodata.crs.convert_points` also takes coordinates that do not keep to that.
    """
    text = unicodedata.normalize("NFKC", name).casefold().replace("_", " ").replace("ü", "u").strip()
    plain = re.sub(r"[\s\-/()]+", "", text)
    for code, words in _OTHER.items():
        if plain in words:
            return code
    for code, words in _SHIFTED.items():
        if any(word in plain for word in words):
            return code
    found = _UTM.fullmatch(re.sub(r"\s+", " ", text))
    if found and 1 <= int(found[1]) <= 60:
        return f"EPSG:{(32700 if found[2] == 's' else 32600) + int(found[1])}"
    datum = next((datum for datum, words in _DATUMS if words.search(text)), "")
    if not datum:
        return ""
    grid = find_strip(text, datum)
    if grid is not None:
        return grid.crs
    rest = next(words for known, words in _DATUMS if known == datum).sub("", text)
    return "" if re.search(r"\d|带|gauss|gk\b|utm|高斯", rest) else _GEOGRAPHIC[datum]


def find_strip(text: str, datum: str) -> GaussKrueger | None:
    """Return the strip that a name of a grid means, or ``None``."""
    rest = next(words for known, words in _DATUMS if known == datum).sub(" ", text)
    width = _WIDTH.search(rest)
    width_deg = 0 if width is None else {"三": 3, "六": 6, "3": 3, "6": 6}[width[1]]
    meridian, zone = _MERIDIAN.search(rest), _ZONE.search(rest)
    if zone is not None:
        number = int(zone[1] or zone[2])
        width_deg = width_deg or (6 if number <= _LAST_ZONE[6] else 3)
        return _build_strip(datum, width_deg, number, prefixed=True)
    if meridian is None:
        return None
    degree = int(meridian[1])
    gauss = re.search(r"gauss|gk", rest) is not None
    width_deg = width_deg or (6 if gauss and (degree - 75) % 6 == 0 else 3)
    number = degree // 3 if width_deg == 3 else (degree + 3) // 6
    strip = _build_strip(datum, width_deg, number, prefixed=False)
    return strip if strip is not None and strip.meridian_deg == degree else None


def _build_strip(datum: str, width_deg: int, zone: int, *, prefixed: bool) -> GaussKrueger | None:
    inside = _FIRST_ZONE[width_deg] <= zone <= _LAST_ZONE[width_deg]
    return GaussKrueger(datum, width_deg, zone, prefixed) if inside else None


def find_grid(crs: str) -> GaussKrueger | None:
    """Return the Gauss-Krüger strip of an EPSG code (``"EPSG:4526"``), ``None`` for other codes."""
    found = re.fullmatch(r"epsg:(\d+)", crs.strip().casefold())
    if not found:
        return None
    code = int(found[1])
    for datum, widths in _CODES.items():
        for width_deg, firsts in widths.items():
            for first, prefixed in zip(firsts, (True, False), strict=True):
                strip = _build_strip(datum, width_deg, code - first + _FIRST_ZONE[width_deg], prefixed=prefixed)
                if strip is not None:
                    return strip
    return None


def find_other_form(strip: GaussKrueger, zone: int) -> GaussKrueger | None:
    """Return the strip with (``zone`` > 0) or without the number of the zone; ``None`` where that is another zone."""
    if zone and zone != strip.zone:
        other = _build_strip(strip.datum, 9 - strip.width_deg, zone, prefixed=True)
        return other if other is not None and other.meridian_deg == strip.meridian_deg else None
    return GaussKrueger(strip.datum, strip.width_deg, strip.zone, prefixed=bool(zone))


def list_gauss_krueger(lon_deg: float, datum: str = "CGCS2000") -> list[GaussKrueger]:
    """Return the strips that hold a longitude: 3° without and with the number of the zone, then 6°."""
    found = []
    for width_deg, zone in ((3, round(lon_deg / 3)), (6, int(lon_deg // 6) + 1)):
        strips = [_build_strip(datum, width_deg, zone, prefixed=prefixed) for prefixed in (False, True)]
        found += [strip for strip in strips if strip is not None]
    return found


def guess_grids(easting_m: float, lon_deg: float | None = None) -> list[GaussKrueger]:
    """Return the strips of CGCS2000 that an easting may be meant in, the likeliest first.

    ``easting_m``: one of the values, usual for the file; ``lon_deg``: the longitude about which the study lies, where
    it is known. Without the number of a zone and without a longitude nothing can be said.
    """
    zone, rest = divmod(easting_m, PREFIX_M)
    if not 100_000 <= rest <= 900_000:
        return []
    if zone:
        width_deg = 6 if zone <= _LAST_ZONE[6] else 3
        strip = _build_strip("CGCS2000", width_deg, int(zone), prefixed=True)
        return [] if strip is None else [strip]
    if lon_deg is None:
        return []
    return [strip for strip in list_gauss_krueger(lon_deg) if not strip.prefixed]
