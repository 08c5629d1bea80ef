"""Changes in minutes on every map: one set of bands, those of ``planning.compare_units``, with their colours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from planning.compare_units import BANDS, band_changes
from reports.colours import MISSING_CLASS
from reports.compare_words import BAND_COLOURS

RAMP = BANDS[1:8]
"""Bands that have a length; their class is their place here."""
RAMP_COLOURS: tuple[str, ...] = tuple(BAND_COLOURS[name] for name in RAMP)
RAMP_BOUNDS = ("−15", "−5", "−0.5", "+0.5", "+5", "+15")


def classify_changes(change_min: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Return the class of every change: the place of its band in ``RAMP``; ``MISSING_CLASS`` where it is not known."""
    places = {name: place for place, name in enumerate(RAMP)}
    return np.array([places.get(str(name), MISSING_CLASS) for name in band_changes(change_min)], dtype=np.uint8)
