"""What the file's words mean: 完小, 国道, 泥石流 … each told once, for the columns whose words we have to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from geodata.dictionary import ColumnSchema
from geodata.school_columns import match_kind_and_stages
from geodata.study import compute_digest
from geodata.values import is_missing, is_total, match_word
from reports.language import Translator
from ui.columns import read_columns
from ui.detect import Detected
from ui.draft import WORD_ROLES, Draft
from ui.text import clean, plain

MOST_SHOWN = 40
ACROSS = 4
KINDS = ("stage", "kind")
"""Columns of schools in which a word may name a stage, several, or a kind of school."""


@dataclass(frozen=True)
class WordColumn:
    """One column of the file that holds words of ours.

    ``words`` are its cells with their rows, the most frequent first. ``unknown`` are those that nobody has explained.
    """

    name: str
    header: str
    schema: ColumnSchema
    words: tuple[tuple[str, int], ...]
    unknown: tuple[str, ...]


def list_word_columns(
    role: str, found: Detected, columns: Mapping[str, str], meant: Mapping[str, Mapping[str, str]]
) -> list[WordColumn]:
    """Return the columns of a file whose words matter, in the order of the dictionary.

    Parameters
    ----------
    role : what the file is for
    found : the file
    columns : our column → header
    meant : what was said of the words before, by our column
    """
    if role not in WORD_ROLES:
        return []
    result = []
    for name, schema in read_columns(role).items():
        header = columns.get(name, "")
        if not schema.values or header not in found.words:
            continue
        words = tuple((word, rows) for word, rows in found.words[header] if not (is_missing(word) or is_total(word)))
        own = meant.get(name, {})
        unknown = tuple(word for word, _rows in words if not _is_known(role, name, schema, word, own))
        result.append(WordColumn(name, header, schema, words, unknown))
    return result


def _is_known(role: str, name: str, schema: ColumnSchema, word: str, own: Mapping[str, str]) -> bool:
    if own.get(word):
        return True
    if role == "schools" and name in KINDS:
        return match_kind_and_stages(word, own) is not None
    return match_word(word, schema.words) is not None


def count_unknown(role: str, found: Detected, columns: Mapping[str, str], draft: Draft) -> int:
    """Return how many words of a file are not understood yet."""
    listed = list_word_columns(role, found, columns, draft.words.get(role, {}))
    return sum(len(column.unknown) for column in listed)


def name_word(_: Translator, schema: ColumnSchema, value: str) -> str:
    """Return one of our words as the reader says it: the dictionary has the Chinese ones."""
    if _.language == "zh":
        chinese = [word for word, ours in schema.value_aliases if ours == value and any(sign >= "一" for sign in word)]
        if chinese:
            return chinese[0]
    return value.replace("_", " ")


def render_words(
    _: Translator, role: str, mark: str, found: Detected, columns: Mapping[str, str], draft: Draft
) -> None:
    """Draw one choice per word that is not understood, the other words on demand; write the answers into the draft."""
    kept = draft.words.get(role, {})
    listed = list_word_columns(role, found, columns, kept)
    options_of = read_columns(role)
    for column in listed:
        said = dict(kept.get(column.name, {}))
        schema = options_of["kind"] if role == "schools" and column.name in KINDS else column.schema
        asked = {*column.unknown, *said}
        first = [(word, rows) for word, rows in column.words if word in asked]
        rest = [(word, rows) for word, rows in column.words if word not in asked and match_word(word, schema.words)]
        if not first and not rest:
            continue
        if first:
            heading = _("What the words under “{header}” mean", header=clean(column.header, longest=40))
            st.markdown(f"**{plain(heading)}**")
            _render_grid(_, role, mark, column, schema, first[:MOST_SHOWN], said)
            if len(first) > MOST_SHOWN:
                st.caption(_("{count} more words are not shown.", count=len(first) - MOST_SHOWN))
        if rest:
            title = _("Words understood under “{header}” ({count})", header=clean(column.header, longest=40),
                      count=len(rest))  # fmt: skip
            with st.expander(plain(title)):
                _render_grid(_, role, mark, column, schema, rest[:MOST_SHOWN], said)
        draft.words.setdefault(role, {})[column.name] = {word: ours for word, ours in said.items() if ours}


def take_words(role: str, mark: str, found: Detected, columns: Mapping[str, str], draft: Draft) -> None:
    """Take over what was just chosen for words, before the widgets are drawn."""
    for column in list_word_columns(role, found, columns, draft.words.get(role, {})):
        for word, _rows in column.words:
            chosen = st.session_state.get(_name_widget(role, mark, column.name, word))
            if isinstance(chosen, str):
                draft.words.setdefault(role, {}).setdefault(column.name, {})[word] = chosen


def _name_widget(role: str, mark: str, column: str, word: str) -> str:
    return f"word_{role}_{column}_{mark}_{compute_digest(word)}"


def _render_grid(
    _: Translator,
    role: str,
    mark: str,
    column: WordColumn,
    schema: ColumnSchema,
    words: list[tuple[str, int]],
    said: dict[str, str],
) -> None:
    options = ["", *schema.values]
    for start in range(0, len(words), ACROSS):
        for place, (word, rows) in zip(st.columns(ACROSS), words[start : start + ACROSS], strict=False):
            understood = "" if word in column.unknown else match_word(word, schema.words) or ""
            current = said.get(word) or understood
            label = plain(_("{word} ({rows} rows)", word=clean(word, longest=40), rows=rows))
            chosen = place.selectbox(
                f":red[**{label}**]" if word in column.unknown else label,
                options,
                index=options.index(current) if current in options else 0,
                format_func=lambda value: name_word(_, schema, value) if value else _("– not known –"),
                key=_name_widget(role, mark, column.name, word),
            )
            said[word] = "" if chosen == understood else chosen
