"""The rulebook in force: which ones there are, the one chosen for every page, and where workers can read it.

A choice is a short text: the name of a built-in book (``"cn"``), or the id of one stored version of an own copy. A
reference is what ``planning.rules.read_rulebook`` takes: the same name, or the path of a file named by its digest.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from geodata.cache import compute_cache_folder
from geodata.errors import RuleError
from geodata.messages import msg
from geodata.study import compute_digest
from planning.rule_problems import tell_not_toml
from planning.rules import BOOKS, Rules
from reports.language import Translator
from store import StoredRuleset, StoreError
from ui.cards import text
from ui.rules_key import read_rules as read_rules
from ui.scenario_store import open_app_store
from ui.state import RULES_KEY, keep_in_address
from ui.text import clean

DEFAULT_BOOK = "cn"
WIDGET_KEY = "rulebook_choice"
CHANGED_KEY = "rules_just_changed"
"""Set by a change, until the links between the pages have been drawn again and carry it."""
FOLDER = "rulebooks"
WIDTH = 134
JUDGED_STYLE = "font-weight: 400; color: #5d6b6c; font-size: 0.78rem; margin-left: 0.6rem; white-space: nowrap"


@dataclass(frozen=True)
class Book:
    """One rulebook to choose: ``choice`` as the address names it, ``stored`` for an own copy."""

    choice: str
    stored: StoredRuleset | None = None

    @property
    def own(self) -> bool:
        """Whether it is a copy that can be edited."""
        return self.stored is not None


def list_books() -> list[Book]:
    """Return the built-in rulebooks, then the latest version of every own copy; only the former without a store."""
    books = [Book(name) for name in BOOKS]
    with suppress(StoreError):
        books += [Book(stored.ruleset_id, stored) for stored in open_app_store().list_rulesets()]
    return books


def find_book(choice: str) -> Book | None:
    """Return the rulebook of a choice, also an older version of an own copy; None where there is none."""
    if choice in BOOKS:
        return Book(choice)
    with suppress(StoreError):
        stored = open_app_store().find_ruleset_by_id(choice)
        return None if stored is None else Book(choice, stored)
    return None


def name_book(book: Book, _: Translator) -> str:
    """Return the short name of a rulebook, as lists show it."""
    if book.stored is not None:
        return _("{name}, version {version}", name=clean(book.stored.name, longest=60), version=book.stored.version)
    names = {
        "cn": _("China"),
        "intl": _("International"),
        "england": _("England"),
        "poland": _("Poland"),
        "india": _("India"),
        "kenya": _("Kenya"),
        "france": _("France"),
        "usa": _("United States"),
    }
    return names.get(book.choice, book.choice)


def read_choice() -> str:
    """Return the choice that holds for every page; the default where what was asked for does not exist."""
    asked = str(st.session_state.get(RULES_KEY) or DEFAULT_BOOK)
    return asked if asked in BOOKS or find_book(asked) is not None else DEFAULT_BOOK


def keep_choice(choice: str) -> None:
    """Choose a rulebook for every page; for callbacks. The address names it from now on."""
    keep_in_address("rules", RULES_KEY, choice)
    st.session_state[CHANGED_KEY] = True


def resolve_choice(choice: str) -> str:
    """Return the reference of a choice: the name of a built-in book, or the path of its text in the cache folder.

    Raises ``RuleError`` where the text of an own copy may not be read.
    """
    book = find_book(choice)
    if book is None:
        return DEFAULT_BOOK
    if book.stored is None:
        return choice
    check_text(book.stored.text)
    return str(write_text(book.stored.text))


def read_reference() -> str:
    """Return the reference of the rulebook chosen; the default's where an own copy cannot be read any more."""
    try:
        reference = resolve_choice(read_choice())
        read_rules(reference)
    except (RuleError, OSError):
        return DEFAULT_BOOK
    return reference


def check_text(text: str) -> None:
    """Refuse a text of the store or of an upload that would read another file: only built-in books may be its base.

    Raises ``RuleError``, also where it is not TOML.
    """
    try:
        base = tomllib.loads(text).get("base")
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is one; a number of 5,000 digits is the plain one
        raise RuleError(msg("not valid TOML: {reason}", reason=tell_not_toml(error))) from error
    if base is not None and base not in BOOKS:
        words = {"base": clean(base), "names": BOOKS}
        raise RuleError(msg("base {base!r} is not a rulebook of this program; known: {names}", **words))


def write_text(text: str) -> Path:
    """Write a rulebook into the cache folder, whole or not at all, where it is not there yet; return its path.

    The name is the digest of the text, so that a path always means the same rules. Raises ``OSError``.
    """
    folder = compute_cache_folder() / FOLDER
    path = folder / f"{compute_digest(text)}.toml"
    if path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, unfinished = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        Path(unfinished).replace(path)
    finally:
        with suppress(OSError):
            Path(unfinished).unlink()
    return path


def choose_rulebook(_: Translator, *, width: int | Literal["stretch"] = WIDTH) -> str:
    """Draw the list of rulebooks and return the reference of the one chosen; the choice holds on every page."""
    if st.session_state.pop(CHANGED_KEY, False):
        st.rerun()  # the whole app: the links between the pages stand outside of the part that has just run
    books = {book.choice: book for book in list_books()}
    chosen = read_choice()
    if chosen not in books:  # an older version, opened from a link
        found = find_book(chosen)
        books |= {chosen: found} if found is not None else {}
    st.session_state[WIDGET_KEY] = chosen if chosen in books else DEFAULT_BOOK
    st.selectbox(
        _("Rules"),
        list(books),
        format_func=lambda choice: name_book(books[choice], _),
        key=WIDGET_KEY,
        width=width,
        on_change=_take_choice,
    )
    return read_reference()


def _take_choice() -> None:
    keep_choice(str(st.session_state.get(WIDGET_KEY) or DEFAULT_BOOK))


def say_judged_by(rules: Rules, _: Translator) -> str:
    """Return by which rulebook and version something was judged, and how many of its values nobody has verified."""
    words = _("Judged by: {name} {version}", name=clean(rules.name, longest=60), version=clean(rules.version))
    if rules.base:
        words = _("{words}, on {base}", words=words, base=clean(rules.base))
    count = count_unverified(rules)
    if count:
        words = _("{words} · {count} values not verified", words=words, count=_.number(count))
    return words


def count_unverified(rules: Rules) -> int:
    """Return how many rules that are switched on nobody has verified; conventions of this project say so themselves."""
    return sum(rule.enabled and not rule.verified and rule.evidence != "convention" for rule in rules.rules)


def build_judged_by(rules: Rules, _: Translator) -> str:
    """Return the small words that name rulebook and version, to stand in the headline of what was judged by it."""
    return f'<span class="judged-by" style="{JUDGED_STYLE}">{text(say_judged_by(rules, _), longest=300)}</span>'
