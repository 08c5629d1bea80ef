"""Which header of the file holds what: one choice per column of ours, filled in from the data dictionary."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from reports.language import Translator
from ui.columns import FIELDS, POSITION, Field, match_fields
from ui.text import clean, plain

ACROSS = 4


def name_choice(role: str, name: str, mark: str) -> str:
    """Return the key of the widget in which the header of a column is chosen."""
    return f"map_{role}_{name}_{mark}"


def render_mapping(
    _: Translator,
    role: str,
    mark: str,
    headers: Sequence[str],
    chosen: Mapping[str, str],
    *,
    has_shapes: bool,
    wanting: Collection[str] = (),
) -> dict[str, str]:
    """Draw one choice per column and return all choices, ``""`` where the file does not have it.

    ``mark`` names the upload: a new file gets fresh widgets, filled from ``chosen``. ``wanting`` are columns that are
    still needed: they stand out.
    """
    found = match_fields(role, headers, chosen)
    shown = [field for field in FIELDS[role] if not (has_shapes and field.name in POSITION)]
    result: dict[str, str] = {}
    pair = ("x_m", "y_m") if "x_m" in found and "lon_deg" not in found else ("lon_deg", "lat_deg")
    first = [
        field
        for field in shown
        if field.name in wanting or (field.name in pair if field.name in POSITION else field.first)
    ]
    _render_grid(_, role, mark, headers, found, first, wanting, result)
    named = {field.name for field in FIELDS[role]}
    wide = [name for name in found if name not in named and name not in POSITION]
    rest = [field for field in shown if field not in first] + [Field(role, name, first=False) for name in wide]
    if rest:
        with st.expander(_("More columns ({count})", count=len(rest))):
            _render_grid(_, role, mark, headers, found, rest, wanting, result)
    return result


def _render_grid(
    _: Translator,
    role: str,
    mark: str,
    headers: Sequence[str],
    found: Mapping[str, str],
    fields: Sequence[Field],
    wanting: Collection[str],
    result: dict[str, str],
) -> None:
    options = ["", *headers]
    for start in range(0, len(fields), ACROSS):
        for column, field in zip(st.columns(ACROSS), fields[start : start + ACROSS], strict=False):
            schema = field.schema
            meaning = schema.meaning_zh if _.language == "zh" else schema.meaning_en
            label = plain(_shorten(meaning))
            if field.name not in {known.name for known in FIELDS[role]}:
                label = f"{label} ({plain(field.name.removesuffix('_' + schema.unit))})"
            result[field.name] = column.selectbox(
                f":red[**{label}**]" if field.name in wanting else label,
                options,
                index=options.index(found.get(field.name, "")),
                format_func=lambda header: clean(header) or _("– not in this file –"),
                key=name_choice(role, field.name, mark),
                help=plain(_("{meaning}. Known headers: {names}", meaning=meaning, names=_.join(schema.aliases[:8]))),
            )


def _shorten(meaning: str) -> str:
    """Return the first words of a meaning: up to a semicolon, colon, comma or bracket."""
    return re.split(r"[;；（(,，:：]", meaning, maxsplit=1)[0].strip()
