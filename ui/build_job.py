"""The work that the app sends to another process. Nothing of Streamlit is imported here."""

from __future__ import annotations

from collections.abc import Mapping

from geodata.study import Progress
from geodata.study_file import StudySpec


def build_in_worker(*, spec: StudySpec, class_sizes: Mapping[str, float], progress: Progress) -> None:
    """Build a study; it is kept in the disk cache, where the app finds it."""
    from geodata.build import build_study

    build_study(spec, design_class_size=class_sizes, progress=progress)
