"""A tiny proposal to publish: the five villages, whose east school closes, with names that attack the page."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.study import Basemap, StudyArea
from planning.actions import CloseSchool
from planning.publication_options import PackOptions
from planning.rules import read_rulebook
from planning.scenario import Scenario
from reports.consultation_build import build_consultation
from reports.consultation_case import Consultation
from reports.language import Language

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
STREET = "人民路"


def build_hostile_study() -> StudyArea:
    """Return the five villages; d has a name that would run in a careless page, and 人民路 runs through all of them."""
    study = build_named_villages()
    x_m, y_m = study.units["x_m"].to_numpy(), study.units["y_m"].to_numpy()
    road = shapely.LineString(np.column_stack([x_m, y_m]))
    roads = gpd.GeoDataFrame({"road_class": ["primary"], "name": [STREET]}, geometry=[road], crs=study.units.crs)
    houses = pd.DataFrame(
        {
            "street": pd.Series([STREET] * 4, dtype="str"),
            "house_number": pd.Series(["1", "9", "11", "2"], dtype="str"),
            "x_m": [x_m[0], x_m[0] + 100.0, x_m[1], x_m[4]],
            "y_m": [y_m[0]] * 4,
        }
    )
    return replace(study, basemap=Basemap(roads, study.basemap.water), addresses=houses)


def build_named_villages() -> StudyArea:
    """Return the five villages with names: a Ash Village … e Elm Village; d's is hostile."""
    from tests.worlds import build_five_villages

    study = build_five_villages()
    names = {"a": "Ash Village", "b": "Beech Village", "c": "Cherry Village", "d": HOSTILE, "e": "Elm Village"}
    units = study.units.assign(name=[names[key] for key in study.units["unit_id"]])
    return replace(study, units=units)


def build_hostile_case(languages: tuple[Language, ...] = ("zh", "en"), **options: object) -> Consultation:
    """Return the consultation on closing the east school: d and e go to W, c as before (20 min to both)."""
    scenario = Scenario(name=f"Close {HOSTILE}", actions=(CloseSchool(school_id="E"),))
    settings: dict[str, object] = {"issuer": HOSTILE, "email": "office@example.org", **options}
    return build_consultation(
        build_hostile_study(),
        read_rulebook("cn"),
        scenario,
        options=PackOptions(**settings),  # type: ignore[arg-type]
        languages=languages,
    )
