"""Whose pupils a page shows, as a plain value that another process can follow. No Streamlit is imported here."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from geodata.errors import LayoutError
from geodata.study import Progress, StudyArea, no_progress
from geodata.study_file import StudySpec
from planning.forecast import VARIANTS, ForecastOptions, build_forecast
from planning.projected_study import project_study
from planning.scenario import Scenario
from reports.forecast_words import read_view_words


@dataclass(frozen=True)
class Viewed:
    """A school year and a variant of the forecast, with the settings that the forecast is made by."""

    year: int
    variant: str = "middle"
    options: ForecastOptions = field(default_factory=ForecastOptions)

    @property
    def word(self) -> str:
        """The short word for addresses: ``"2030-middle"``."""
        return f"{self.year}-{self.variant}"

    @property
    def view(self) -> str:
        """How the projected study calls it: ``"2030 middle"``."""
        return f"{self.year} {self.variant}"


def read_viewed_word(word: str, options: ForecastOptions | None = None) -> Viewed | None:
    """Return what a word of the address asks for; None where it is no year and variant."""
    found = re.fullmatch(r"(\d{4})-([a-z]+)", word.strip())
    if found is None or found[2] not in VARIANTS:
        return None
    return Viewed(int(found[1]), found[2], options or ForecastOptions())


def ask_viewed(study: StudyArea, scenario: Scenario) -> Scenario:
    """Return the question as a projected study answers it: its year and variant hold, whatever the scenario says."""
    view = read_view_words(study.view)
    if view is None:
        return scenario
    return dataclasses.replace(scenario, year=view[0], variant=view[1])


def write_options_text(options: ForecastOptions) -> str:
    """Return the settings that differ from the defaults, as short JSON for session and address; ``""`` for none."""
    plain = ForecastOptions()
    changed = {
        item.name: _to_plain(getattr(options, item.name))
        for item in dataclasses.fields(options)
        if getattr(options, item.name) != getattr(plain, item.name)
    }
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":"), sort_keys=True) if changed else ""


def read_options_text(words: str) -> ForecastOptions:
    """Return the settings that a text of :func:`write_options_text` says; what cannot be used is the default."""
    try:
        found = json.loads(words) if words else {}
    except ValueError:
        return ForecastOptions()
    known = {item.name for item in dataclasses.fields(ForecastOptions)}
    if not isinstance(found, dict):
        return ForecastOptions()
    try:
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in found.items()
        }
        return ForecastOptions(**{name: value for name, value in values.items() if name in known})
    except (LayoutError, TypeError, ValueError):
        return ForecastOptions()


def _to_plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value


def build_viewed_study(
    spec: StudySpec,
    class_sizes: Mapping[str, float],
    viewed: Viewed | None,
    *,
    progress: Progress = no_progress,
) -> StudyArea:
    """Return the study of a specification with the children and rolls of a year; None: as the files say.

    The same call in the app and in its workers, so that both work on one fingerprint.

    Raises
    ------
    DataError
        A file cannot be used.
    ScenarioError
        The forecast has no such year.
    """
    from geodata.build import build_study

    study = build_study(spec, design_class_size=class_sizes, progress=progress)
    if viewed is None:
        return study
    return project_study(study, build_forecast(study, viewed.options), viewed.year, viewed.variant)
