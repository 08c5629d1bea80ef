"""Words of the forecast: school years, variants, and whose pupils are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planning.forecast_options import VARIANTS, Variant
from planning.projected_study import FORECAST_ROLE

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from reports.language import Translator

VARIANT_COLOURS = {"low": "#6fa6d0", "middle": "#0b6e72", "high": "#b3490b"}
ALERT_COLOURS = {"green": "#cfe6d4", "yellow": "#f6dc8c", "red": "#c2502a"}


def say_school_year(year: int, _: Translator) -> str:
    """Return a school year by both of its calendar years, or as Chinese bureaus write it: ``2030/31``, ``2030学年``."""
    return f"{year}学年" if _.language == "zh" else f"{year}/{(year + 1) % 100:02d}"


def name_variant(variant: str, _: Translator) -> str:
    """Return low, middle or high, as a switch shows it."""
    names = {"low": _("Low"), "middle": _("Middle"), "high": _("High")}
    return names.get(variant, variant)


def say_variant(variant: str, _: Translator) -> str:
    """Return a variant inside a sentence: ``middle forecast``."""
    names = {"low": _("low forecast"), "middle": _("middle forecast"), "high": _("high forecast")}
    return names.get(variant, variant)


def say_pupils_of(year: int, variant: str, _: Translator) -> str:
    """Return whose pupils are shown: ``Pupils of 2030/31, middle forecast``."""
    return _("Pupils of {year}, {variant}", year=say_school_year(year, _), variant=say_variant(variant, _))


def read_view_words(view: str) -> tuple[int, Variant] | None:
    """Return year and variant of a study's view (``"2030 middle"``); None for one that shows today."""
    year, _space, word = view.partition(" ")
    known = next((name for name in VARIANTS if name == word), None)
    return (int(year), known) if known is not None and year.isdigit() else None


def find_ground(study: StudyArea) -> str:
    """Return the fingerprint of the files behind a study: the same whatever year's pupils it holds.

    For what belongs to the county and not to its pupils: shapes on the map, drawings of catchments.
    """
    made_of = [source.note for source in study.sources if source.role == FORECAST_ROLE] if study.view else []
    return made_of[0] if made_of else study.fingerprint


def name_enrolled(study: StudyArea, _: Translator) -> str:
    """Return what the pupils on the rolls are called: enrolled, or foretold."""
    return _("Forecast roll") if study.view else _("Enrolled")


def name_alert(alert: str, _: Translator) -> str:
    """Return the colour of a seat alert as a word with a sign that needs no colour."""
    names = {"red": _("▲ Red"), "yellow": _("● Yellow"), "green": _("○ Green")}
    return names.get(alert, _("unknown"))


def name_method(method: str, _: Translator) -> str:
    """Return a method of forecasting, as a table shows it."""
    names = {
        "ensemble": _("Ensemble of all methods"),
        "cohort": _("Cohort survival"),
        "trend": _("Damped trend"),
        "linear": _("Straight line"),
        "naive": _("Last value"),
    }
    return names.get(method, method)
