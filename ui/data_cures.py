"""Cures at one press: where a finding says what would mend it, the study is changed and built again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from geodata.crs import SHIFTED, normalise_crs
from geodata.errors import DataIssue
from reports.language import Translator
from ui.columns import PLACED_ROLES, match_fields
from ui.data_roles import name_role
from ui.data_systems import forget_system_widgets, is_known_system, name_system
from ui.detect import detect_file
from ui.draft import Draft
from ui.text import clean, plain

SWAPS = {"lonlat_swapped": ("lon_deg", "lat_deg"), "xy_swapped": ("x_m", "y_m")}
"""Checks that are mended by exchanging two columns."""
MOST_CURES = 4


@dataclass(frozen=True)
class Cure:
    """One change of the draft: a coordinate system for the file of ``role``, or two of its columns exchanged."""

    role: str
    system: str = ""
    swap: tuple[str, str] | None = None


def find_cures(issues: Sequence[DataIssue], draft: Draft) -> list[Cure]:
    """Return what can be mended at one press, each once, in the order of the findings."""
    found: list[Cure] = []
    for issue in issues:
        for role in _find_roles(issue.file, draft):
            cure = _find_cure(issue, role, draft)
            if cure is not None and cure not in found:
                found.append(cure)
    return found[:MOST_CURES]


def _find_roles(file: str, draft: Draft) -> list[str]:
    """Return the roles that have their rows from a file of this name."""
    return [
        role
        for role in PLACED_ROLES
        if file and any(name.rsplit("/", 1)[-1] == file for name in draft.files.get(role, []))
    ]


def _find_cure(issue: DataIssue, role: str, draft: Draft) -> Cure | None:
    if issue.check in SWAPS:
        return Cure(role, swap=SWAPS[issue.check])
    params = {} if issue.cure is None else dict(issue.cure.params)
    system = params.get("crs")
    if not isinstance(system, str) or not system:
        return None
    plain_name = normalise_crs(system)
    if plain_name not in SHIFTED and not is_known_system(plain_name):
        return None
    return None if normalise_crs(draft.systems.get(role, "")) == plain_name else Cure(role, system=plain_name)


def apply_cure(folder: Path, draft: Draft, cure: Cure) -> bool:
    """Change the draft; return whether anything changed."""
    if cure.system:
        draft.systems[cure.role] = cure.system
        forget_system_widgets(cure.role)
        return True
    if cure.swap is None:
        return False
    found = detect_file(folder / draft.files[cure.role][0], cure.role, draft.parts.get(cure.role, ""))
    columns = match_fields(cure.role, found.headers, draft.columns.get(cure.role, {}))
    first, second = cure.swap
    if first not in columns or second not in columns:
        return False
    chosen = draft.columns.setdefault(cure.role, {})
    chosen[first], chosen[second] = columns[second], columns[first]
    for key in [key for key in st.session_state if str(key).startswith(f"map_{cure.role}_")]:
        del st.session_state[key]
    return True


def say_cure(_: Translator, cure: Cure) -> str:
    """Return what pressing the button does."""
    file = name_role(_, cure.role)
    if cure.system:
        return _("{file}: read as {system} and build again", file=file, system=name_system(_, cure.system))
    if cure.swap == SWAPS["lonlat_swapped"]:
        return _("{file}: exchange longitude and latitude and build again", file=file)
    return _("{file}: exchange easting and northing and build again", file=file)


def render_cures(_: Translator, issues: Sequence[DataIssue], draft: Draft, *, key: str) -> Cure | None:
    """Draw one button per cure; return the one that was pressed."""
    cures = find_cures(issues, draft)
    if not cures:
        return None
    pressed = None
    with st.container(border=True, key=f"{key}_cures"):
        st.caption(_("Can be mended here:"))
        for number, cure in enumerate(cures):
            if st.button(plain(clean(say_cure(_, cure))), key=f"{key}_cure_{number}", icon=":material/build:"):
                pressed = cure
    return pressed
