"""Building a visitor's own study in another process. Nothing of Streamlit is imported here."""

from __future__ import annotations

from collections.abc import Mapping

from geodata.errors import DataError, DataIssue, NetworkError
from geodata.messages import Message, msg
from geodata.study import Progress
from geodata.study_file import StudySpec
from ui.build_job import build_in_worker

DOWNLOAD_CHECK = "roads_download"


def build_own_in_worker(*, spec: StudySpec, class_sizes: Mapping[str, float], progress: Progress) -> None:
    """Build a study; where its roads could not be downloaded say so in words that can be translated.

    Raises
    ------
    DataError
        The files cannot be used, or the roads cannot be downloaded (an issue named ``DOWNLOAD_CHECK``).
    """
    try:
        build_in_worker(spec=spec, class_sizes=class_sizes, progress=progress)
    except NetworkError as error:
        told = error.args[0] if error.args else ""
        problem = told if isinstance(told, Message) else msg("{reason}", reason=str(error))
        cure = msg("Choose “File” in the box of roads and send an OpenStreetMap extract, or build without roads.")
        raise DataError(DataIssue(DOWNLOAD_CHECK, "error", problem, cure=cure)) from error
