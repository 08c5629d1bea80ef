"""The work that the app sends to another process. Nothing of Streamlit is imported here."""

from __future__ import annotations

from collections.abc import Mapping

from geodata.cache import DiskCache, compute_cache_folder
from geodata.errors import ExportError
from geodata.messages import msg
from geodata.study import Progress
from geodata.study_file import StudySpec


def build_in_worker(*, spec: StudySpec, class_sizes: Mapping[str, float], progress: Progress) -> None:
    """Build a study; it is kept in the disk cache, where the app finds it. ``ExportError`` where that is full."""
    from geodata.build import build_study, compute_study_key

    build_study(spec, design_class_size=class_sizes, progress=progress)
    cache = DiskCache(compute_cache_folder())
    if spec.demo is None and not cache.has(compute_study_key(spec, class_sizes)):
        raise ExportError(
            msg("The study was built, but there is no room to keep it in {folder}.", folder=str(cache.folder))
        )
