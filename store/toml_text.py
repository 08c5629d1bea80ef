"""TOML as text: written from plain data, or changed in one line so that comments stay."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


def render_document(document: Mapping[str, Any]) -> str:
    """Return a document of texts, numbers, truths, lists and tables (two deep; deeper ones inline) as TOML.

    A list of tables is written as several tables of one name.
    """
    parts: list[tuple[str, Mapping[str, Any]]] = []
    plain = []
    for name, value in document.items():
        if _is_table(value):
            parts.append((f"[{_key(name)}]", value))
        elif isinstance(value, list | tuple) and value and all(_is_table(item) for item in value):
            parts += [(f"[[{_key(name)}]]", item) for item in value]
        else:
            plain.append(f"{_key(name)} = {render_value(value)}\n")
    tables = [
        f"\n{head}\n" + "".join(f"{_key(key)} = {render_value(value)}\n" for key, value in table.items())
        for head, table in parts
    ]
    return "".join(plain) + "".join(tables)


def render_value(value: Any) -> str:
    """Return one value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_table(value):
        return "{ " + ", ".join(f"{_key(key)} = {render_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(render_value(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def read_key(text: str, key: str) -> str | None:
    """Return a text that stands under ``key`` before the first table; None where there is none.

    Raises ``ValueError`` (``tomllib.TOMLDecodeError``) for what is not TOML.
    """
    found = tomllib.loads(text).get(key)
    return found if isinstance(found, str) else None


def write_key(text: str, key: str, value: str) -> str:
    """Return ``text`` with ``key = value`` before the first table; every other line and comment stays as it is.

    Raises ``ValueError`` where the text is not TOML, or the key stands in a way that one line cannot replace.
    """
    before = tomllib.loads(text)
    if before.get(key) == value:
        return text
    wanted = before | {key: value}
    line = f"{key} = {render_value(value)}"
    lines = re.finditer(rf"^[ \t]*{re.escape(key)}[ \t]*=[^\r\n]*", text, re.MULTILINE)
    tries = [text[: found.start()] + line + text[found.end() :] for found in lines] if key in before else []
    # A line that looks right may be part of a longer text: what is read afterwards decides.
    for written in tries or [f"{line}\n{text}"]:
        with suppress(tomllib.TOMLDecodeError):
            if tomllib.loads(written) == wanted:
                return written
    raise ValueError(f"{key!r} cannot be replaced in one line")


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _key(key: str) -> str:
    return key if key and key.isascii() and key.replace("_", "").replace("-", "").isalnum() else render_value(key)
