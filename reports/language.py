"""The reader's language: gettext catalogues read with Babel, numbers and dates written as that language writes them.

English sentences are the message ids, so English needs no catalogue. Chinese stands in
``locales/zh_CN/LC_MESSAGES/buju.po`` and is compiled in memory when it is first needed.
"""

from __future__ import annotations

import datetime
import math
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from babel import Locale
from babel.dates import format_date
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from babel.numbers import NumberPattern, format_decimal, format_percent, parse_pattern

from geodata.messages import Message

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
LANGUAGE_NAMES: Mapping[Language, str] = MappingProxyType({"en": "English", "zh": "中文"})
LOCALES: Mapping[Language, str] = MappingProxyType({"en": "en", "zh": "zh_CN"})
LOCALE_FOLDER = Path(__file__).resolve().parent.parent / "locales"
KEYWORDS: Mapping[str, tuple[int, ...] | None] = MappingProxyType({"msg": None, "say": None, "_": None})
MISSING_NUMBER = "–"


@dataclass(frozen=True)
class Translator:
    """Sentences, numbers and dates in one language.

    Calling it with an English template returns the sentence in the reader's language; a template without a
    translation comes back in English. Named values are filled in.
    """

    language: Language
    sentences: Mapping[str, str]

    def __call__(self, template: str, /, **params: object) -> str:
        """Return ``template`` translated, with its named values filled in when any are given."""
        text = self.sentences.get(template, template)
        return text.format(**params) if params else text

    def say(self, message: Message) -> str:
        """Return the sentence of a :class:`Message` made far below the screen."""
        return message.render(self._find)

    def _find(self, template: str) -> str:
        return self.sentences.get(template, template)

    @property
    def locale(self) -> str:
        """Babel's name of the locale, ``zh_CN``."""
        return LOCALES[self.language]

    def number(self, value: float | None, *, digits: int = 0) -> str:
        """Return a number with thousands separators and at most ``digits`` decimals; unknown is a dash, not zero."""
        if value is None or not math.isfinite(value):
            return MISSING_NUMBER
        return str(format_decimal(value, format=_read_pattern("#", digits, ""), locale=_read_locale(self.locale)))

    def percent(self, share: float | None, *, digits: int = 0) -> str:
        """Return a share (0 to 1) as per cent: ``0.125`` is ``12.5%`` with one digit."""
        if share is None or not math.isfinite(share):
            return MISSING_NUMBER
        return str(format_percent(share, format=_read_pattern("0", digits, "%"), locale=_read_locale(self.locale)))

    def date(self, day: datetime.date) -> str:
        """Return a date as the language writes it: ``1 Sept 2026``, ``2026年9月1日``."""
        if self.language == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return str(format_date(day, format="d MMM y", locale=_read_locale(self.locale)))

    def join(self, parts: Iterable[str]) -> str:
        """Return a list of words with the language's comma."""
        return ("、" if self.language == "zh" else ", ").join(parts)


@lru_cache(maxsize=8)
def _read_locale(name: str) -> Locale:
    """Return Babel's locale: found once, because finding it by name takes a millisecond for every number."""
    return Locale.parse(name)


@lru_cache(maxsize=32)
def _read_pattern(decimal: str, digits: int, sign: str) -> NumberPattern:
    """Return the pattern of numbers with so many decimals (``#``: at most, ``0``: just so many)."""
    return parse_pattern("#,##0" + ("." + decimal * digits if digits else "") + sign)


@lru_cache(maxsize=8)
def read_catalogue(language: str) -> Translator:
    """Return the translator of ``"en"`` or ``"zh"``; another language is read as English."""
    known: Language = "zh" if language == "zh" else "en"
    return Translator(known, MappingProxyType(_read_sentences(known)))


def _read_sentences(language: Language) -> dict[str, str]:
    path = LOCALE_FOLDER / LOCALES[language] / "LC_MESSAGES" / "buju.po"
    if language == "en" or not path.exists():
        return {}
    with path.open("rb") as stream:
        catalogue = read_po(stream, locale=LOCALES[language])
    return {str(entry.id): str(entry.string) for entry in catalogue if entry.id and entry.string and not entry.fuzzy}


def choose_language(wanted: str | None, browser_locale: str | None) -> Language:
    """Return the language asked for (``?lang=``) if it is one of ours, else the browser's, else English."""
    for candidate in (wanted, browser_locale):
        short = (candidate or "").replace("_", "-").split("-")[0].lower()
        if short in ("en", "zh"):
            return "zh" if short == "zh" else "en"
    return "en"


def extract_templates(*folders: Path) -> dict[str, str]:
    """Return every translatable template below ``folders``, with the first place where it stands (``file:line``).

    Found are the literal first arguments of ``msg(…)``, ``say(…)`` and ``_(…)``.
    """
    found: dict[str, str] = {}
    for folder in folders:
        rows = extract_from_dir(
            str(folder),
            method_map=[("**.py", "python")],
            keywords=dict(KEYWORDS),
            comment_tags=(),
            strip_comment_tags=True,
        )
        for name, line, text, _comments, _context in rows:
            if isinstance(text, str) and text:
                found.setdefault(text, f"{folder.name}/{name}:{line}")
    return found


def check_catalogue(templates: Iterable[str], language: str) -> list[str]:
    """Return what is wrong with a language's catalogue: templates missing, or with other placeholders than English.

    Parameters
    ----------
    templates
        English templates, as :func:`extract_templates` finds them.
    language
        ``"en"`` or ``"zh"``. English is its own translation: only its placeholders are read.
    """
    translator = read_catalogue(language)
    problems: list[str] = []
    for template in templates:
        translated = translator.sentences.get(template)
        if translated is None:
            if translator.language != "en" and _has_words(template):
                problems.append(f"missing: {template!r}")
            continue
        wanted, given = _read_placeholders(template), _read_placeholders(translated)
        if wanted is None or given is None:
            problems.append(f"braces do not match: {template!r} -> {translated!r}")
        elif wanted != given:
            problems.append(f"placeholders differ ({sorted(wanted)} / {sorted(given)}): {template!r} -> {translated!r}")
    return problems


def _has_words(template: str) -> bool:
    """Whether anything is left to translate besides placeholders and signs: ``"{cure}"`` has no words."""
    parts = string.Formatter().parse(template) if _read_placeholders(template) is not None else [(template,)]
    return any(letter.isalpha() for part in parts for letter in part[0] or "")


def _read_placeholders(template: str) -> set[tuple[str, str]] | None:
    """Return the (name, format) pairs of a template, or None where its braces are broken."""
    try:
        return {
            (name, spec or "")
            for _text, name, spec, _conversion in string.Formatter().parse(template)
            if name is not None
        }
    except ValueError:
        return None
