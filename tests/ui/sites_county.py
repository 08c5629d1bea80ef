"""A county of three villages with two candidate sites, as an upload of the app: one with places enough, one without."""

from __future__ import annotations

from pathlib import Path

from tests.small_county import SCHOOLS, STUDY, write_small_county

ENOUGH, SHORT = "d" * 32, "e" * 32
"""Tokens of two uploaded counties: in the second there are 90 places for 180 pupils."""
SITES = """site_id,name,lon_deg,lat_deg,area_m2,class_options,cost_cny
s1,=Field,113.005,34.505,20000,6;12,9000000
s2,{{7*7}} Hill,112.992,34.495,15000,6,5000000
"""


def write_sites_counties(folder: Path) -> None:
    """Write both counties below ``folder``, the app's folder."""
    for token in (ENOUGH, SHORT):
        place = folder / "uploads" / token
        place.mkdir(parents=True)
        write_small_county(place)
        (place / "sites.csv").write_text(SITES, encoding="utf-8")
        (place / "study.toml").write_text(STUDY + '[sites]\npath = "sites.csv"\n', encoding="utf-8")
    scarce = SCHOOLS.replace(",90,120,2", ",30,120,2").replace(",180,60,4", ",60,60,4")
    (folder / "uploads" / SHORT / "schools.csv").write_text(scarce, encoding="utf-8")
