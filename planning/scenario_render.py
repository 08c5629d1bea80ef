"""Plain data as readable TOML that every reader of TOML takes: one key a line, long lists over several lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

LINE_WIDTH = 110
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def render_toml(values: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]], rows: list[dict[str, Any]]) -> str:
    """Return ``values``, then ``tables`` under their names, then one ``[[action]]`` for each of ``rows``."""
    parts = [_render_keys(values)]
    parts += [f"[{name}]\n{_render_keys(table)}" for name, table in tables.items()]
    parts += [f"[[action]]\n{_render_keys(row)}" for row in rows]
    return "\n".join(parts)


def _render_keys(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_render_value(value, len(key) + 3)}\n" for key, value in table.items())


def _render_value(value: object, indent: int = 0) -> str:
    """Return one value; a list too long for the line is broken after commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return render_text(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_render_value(item)}" for key, item in value.items()) + " }"
    if not isinstance(value, list):
        raise TypeError(f"TOML has no word for {value!r}")
    items = [_render_value(item) for item in value]
    line = "[" + ", ".join(items) + "]"
    if indent + len(line) <= LINE_WIDTH:
        return line
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) + 6 > LINE_WIDTH:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + item + ","
    return "[\n" + "".join(f"    {line}\n" for line in lines) + "]"


def render_text(text: str) -> str:
    """Return a TOML string. Signs that cannot be seen, or that turn the writing, are spelled out.

    Half a surrogate pair, which no file can hold, becomes U+FFFD.
    """
    return '"' + "".join(_render_sign(sign) for sign in text) + '"'


def _render_sign(sign: str) -> str:
    if sign in _SHORT:
        return _SHORT[sign]
    category = unicodedata.category(sign)
    if category == "Cs":
        return "\\ufffd"
    if sign == " " or category[0] not in "CZ":
        return sign
    code = ord(sign)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
