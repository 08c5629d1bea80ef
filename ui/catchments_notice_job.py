"""The boundaries of all zones in words, written by another process. Nothing of Streamlit is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from geodata.cache import DiskCache, compute_cache_folder
from geodata.messages import msg
from geodata.study import Progress, Stage, compute_digest
from geodata.study_file import StudySpec
from ui.forecast_study import Viewed, build_viewed_study

if TYPE_CHECKING:
    from reports.zone_notices import ZoneNotice

NOTICE_VERSION = 1
AT_ONCE = 4
"""Schools between two steps of the progress."""
Rows = tuple[tuple[str, str, str], ...]


def compute_notice_key(fingerprint: str, zones: pd.DataFrame, language: str) -> str:
    """Return the name under which the boundaries of zones (unit_id, stage, school_id) are kept."""
    rows = zones[["unit_id", "stage", "school_id"]].to_csv(index=False)
    return f"notices-{compute_digest(NOTICE_VERSION, fingerprint, rows, language)}"


def read_notices(key: str) -> tuple[ZoneNotice, ...] | None:
    """Return the boundaries kept under a key, or None."""
    found = DiskCache(compute_cache_folder()).load(key)
    return found if isinstance(found, tuple) else None


def write_notices_in_worker(
    *,
    spec: StudySpec,
    class_sizes: Mapping[str, float],
    name: str,
    rows: Rows,
    stage: Stage,
    language: str,
    progress: Progress,
    viewed: Viewed | None = None,
) -> None:
    """Write the boundaries of all zones in words, and keep them in the disk cache under ``name``.

    ``viewed``: whose pupils (None: today's).
    """
    from geodata.landmarks import build_landmarks
    from reports.language import read_catalogue
    from reports.zone_notices import build_zone_notices

    progress(msg("Reading the names of streets and rivers"), 0.0)
    study = build_viewed_study(spec, class_sizes, viewed)
    landmarks = build_landmarks(study)
    say = read_catalogue(language)
    zones = pd.DataFrame(list(rows), columns=["unit_id", "stage", "school_id"], dtype=str)
    schools = sorted(set(zones["school_id"]))
    found: dict[tuple[str, ...], ZoneNotice] = {}
    for first in range(0, len(schools), AT_ONCE):
        step = msg("Boundaries in words: school {number} of {count}", number=first + 1, count=len(schools))
        progress(step, first / len(schools))
        some = schools[first : first + AT_ONCE]
        for notice in build_zone_notices(study, zones, stage, say, school_ids=some, landmarks=landmarks):
            found[notice.school_ids] = notice
    DiskCache(compute_cache_folder()).store(name, tuple(found[key] for key in sorted(found)))
