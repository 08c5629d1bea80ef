"""Fields of the Sites page that hold over visits to other pages: numbers that may be empty, money in the usual unit."""

from __future__ import annotations

import streamlit as st

from reports.language import Translator
from reports.siting_words import MONEY_UNITS
from ui.zoning_keep import keep_value, put_back


def enter_number(
    key: str,
    label: str,
    default: float,
    limits: tuple[float, float, float],
    *,
    tip: str | None = None,
    width: int = 190,
) -> float:
    """Draw a number that is always there. ``limits``: least, largest, step."""
    put_back(key, default)
    lowest, highest, step = limits
    form = "%.0f" if step >= 1 else "%.1f" if step >= 0.1 else "%.2f"
    value = st.number_input(
        label, min_value=lowest, max_value=highest, step=step, format=form, key=key, help=tip, width=width
    )
    keep_value(key, value)
    return float(value)


def enter_optional(
    key: str,
    label: str,
    limits: tuple[float, float, float],
    empty: str,
    *,
    tip: str | None = None,
    width: int = 150,
) -> float | None:
    """Draw a number that may be left empty; ``empty`` says what that means."""
    put_back(key, None)
    lowest, highest, step = limits
    value = st.number_input(
        label,
        min_value=lowest,
        max_value=highest,
        step=step,
        value=None,
        format="%.0f" if step >= 1 else "%.1f",
        key=key,
        placeholder=empty,
        help=tip,
        width=width,
    )
    keep_value(key, value)
    return None if value is None else float(value)


def enter_money(key: str, label: str, empty: str, _: Translator, *, tip: str | None = None) -> float | None:
    """Draw an amount of money that may be left empty; ``label`` names the unit. Returns yuan.

    What is kept are yuan, so that a change of language changes the figure and not the amount.
    """
    unit = MONEY_UNITS[_.language]
    widget = f"{key}_{_.language}"
    kept = st.session_state.get(f"{key}_kept")
    if widget not in st.session_state:
        st.session_state[widget] = None if kept is None else float(kept) / unit
    value = st.number_input(
        label,
        min_value=0.0,
        step=1e6 / unit,
        value=None,
        format="%.1f" if unit == 1e6 else "%.0f",
        key=widget,
        placeholder=empty,
        help=tip,
        width=190,
    )
    st.session_state[f"{key}_kept"] = None if value is None else float(value) * unit
    return None if value is None else float(value) * unit


def enter_sum(key: str, label: str, default: float, *, tip: str | None = None) -> float:
    """Draw an amount in yuan that is always there."""
    step = 10.0 ** max(0, len(str(int(default))) - 2) if default >= 1 else 1.0
    return enter_number(key, label, default, (0.0, 1e9, step), tip=tip, width=250)


def tick(key: str, label: str, *, default: bool = False, tip: str | None = None) -> bool:
    """Draw a box to tick."""
    put_back(key, default)
    value = st.checkbox(label, key=key, help=tip)
    keep_value(key, value)
    return bool(value)


def toggle(key: str, label: str, *, default: bool = False, tip: str | None = None) -> bool:
    """Draw a switch."""
    put_back(key, default)
    value = st.toggle(label, key=key, help=tip)
    keep_value(key, value)
    return bool(value)
