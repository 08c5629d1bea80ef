"""Reading rulebooks: one file, a folder of chapters, or an overlay on another book."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from geodata.errors import RuleError
from geodata.messages import Message, msg
from geodata.study import compute_digest
from planning.rule_book import BOOKS, Chapter, Rules
from planning.rule_fields import LEVELS
from planning.rule_overlay import apply_overlay, render_overlay
from planning.rule_problems import name_table, suggest, tell_not_toml
from planning.rule_tables import build_rule, check_references, check_rule

RULEBOOK_FOLDER = Path(__file__).parent / "rulebooks"
HEAD_FILE = "book.toml"
_HEAD = ("name", "version", "title_en", "title_zh", "note", "level", "rule")
_OVERLAY_HEAD = (*_HEAD, "base", "reason", "source", "source_zh")
_DEEPEST_STACK = 12


def read_rulebook(book: str | Path) -> Rules:
    """Read a rulebook: the name of one that comes with the program, or the path of a TOML file.

    A file with ``base = "cn"`` (or the path of another file, relative to it) is an overlay: its tables change rules of
    the base or add some, and the answer is the whole stack.

    Raises
    ------
    RuleError
        A file is missing, is not TOML, has an unknown key, value or unit, or stands on itself; all problems of a file
        are in one message.
    """
    return _read_stack(str(book), Path(), ())


@lru_cache(maxsize=len(BOOKS))
def _read_own(book: str) -> Rules:
    """Read a book that comes with the program, once: it does not change while the program runs."""
    return replace(_read_file(_find_file(book, Path()), book, ()), root=book)


def render_stack(rules: Rules) -> str:
    """Return the overlays of a stack as one, on a book that comes with the program: a file that needs no other.

    Raises
    ------
    RuleError
        No book of the stack comes with the program.
    """
    if not rules.root:
        raise RuleError(msg("{name} does not stand on a rulebook that comes with the program", name=rules.name))
    base = read_rulebook(rules.root)
    own = rules.changes[len(base.changes) :]
    return render_overlay(base, own, name=rules.name, version=rules.version, level=rules.level)


def build_rules(document: Mapping[str, Any], *, file: str = "rulebook", folder: Path | None = None) -> Rules:
    """Check a parsed rulebook and return it; raises ``RuleError`` with every problem found.

    ``folder`` is where the paths of an overlay's base start; by default the current folder.
    """
    if "base" in document:
        return _build_overlay(document, file, folder or Path(), ())
    return _build_book(document, file)


def _find_file(book: str, folder: Path) -> Path:
    """Return the file of a book: one that comes with the program, else a path beside ``folder``."""
    if book in BOOKS:
        part = RULEBOOK_FOLDER / book
        return part / HEAD_FILE if (part / HEAD_FILE).is_file() else part.with_suffix(".toml")
    return folder / book


def _read_stack(book: str, folder: Path, above: tuple[Path, ...]) -> Rules:
    return _read_own(book) if book in BOOKS else _read_file(_find_file(book, folder), book, above)


def _read_file(path: Path, book: str, above: tuple[Path, ...]) -> Rules:
    if "\0" in book:
        raise RuleError(msg("Rulebook {name!r} is not the name of a file", name=book))
    place = path.resolve()
    if place in above:
        names = " → ".join(item.name for item in (*above, place))
        raise RuleError(msg("Rulebook {name} stands on itself: {names}", name=above[0].name, names=names))
    if len(above) >= _DEEPEST_STACK:
        problem = msg("Rulebook {name} stands on more than {count} others", name=above[0].name, count=_DEEPEST_STACK)
        raise RuleError(problem)
    document = _read_toml(path, book)
    if "base" in document:
        return _build_overlay(document, path.name, path.parent, (*above, place))
    if path.name == HEAD_FILE and path.parent.parent == RULEBOOK_FOLDER:
        return _build_chapters(document, path.parent)
    return _build_book(document, path.name)


def _read_toml(path: Path, book: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problem = msg(
            "Rulebook {name!r} cannot be opened: give one of {known}, or a TOML file.", name=book, known=BOOKS
        )
        raise RuleError(problem) from error
    except (ValueError, RecursionError) as error:  # ValueError: not TOML, not UTF-8, a number of thousands of digits
        reason = tell_not_toml(error)
        raise RuleError(msg("Rulebook {name} is not valid TOML: {reason}", name=path.name, reason=reason)) from error


def _build_chapters(document: Mapping[str, Any], folder: Path) -> Rules:
    """Read a book whose rules stand in a file per chapter, in the order that its head gives."""
    chapters, tables = [], []
    for part in document["chapter"]:
        chapter = Chapter(part["name"], part["title_en"], part["title_zh"])
        inner = _read_toml(folder / f"{chapter.name}.toml", chapter.name)
        tables += [(chapter.name, table) for table in inner["rule"]]
        chapters.append(chapter)
    whole = {key: value for key, value in document.items() if key != "chapter"}
    whole["rule"] = [table for _, table in tables]
    return _build_book(whole, folder.name, tuple(chapters), [name for name, _ in tables])


def _build_book(
    document: Mapping[str, Any],
    file: str,
    chapters: tuple[Chapter, ...] = (),
    chapter_of: list[str] | None = None,
) -> Rules:
    tables, problems = check_head(document, _HEAD)
    for number, table in enumerate(tables, start=1):
        problems += check_rule(table, name_table(table, number))
    if problems:
        raise RuleError(problems, file)
    level = str(document.get("level", "nation"))
    names = chapter_of or [""] * len(tables)
    rules = [build_rule({"level": level, **table}, chapter=name) for table, name in zip(tables, names, strict=True)]
    problems = check_references(rules)
    if problems:
        raise RuleError(problems, file)
    return Rules(
        name=str(document["name"]),
        version=str(document["version"]),
        rules=tuple(rules),
        title_en=str(document.get("title_en", "")),
        title_zh=str(document.get("title_zh", "")),
        note=str(document.get("note", "")),
        level=level,
        chapters=chapters,
        fingerprint=compute_digest(repr(sorted(document.items(), key=lambda item: item[0]))),
    )


def _build_overlay(document: Mapping[str, Any], file: str, folder: Path, above: tuple[Path, ...]) -> Rules:
    tables, problems = check_head(document, _OVERLAY_HEAD)
    if not isinstance(document["base"], str):
        problems.append(msg("base must be the name or the path of a rulebook"))
    if problems:
        raise RuleError(problems, file)
    base = _read_stack(document["base"], folder, above)
    return apply_overlay(base, document, tables, file=file)


def check_head(document: Mapping[str, Any], known: tuple[str, ...]) -> tuple[list[Any], list[Message]]:
    """Return the rule tables of a document, and what is wrong with everything around them."""
    problems = [
        msg("unknown key {key!r}; {hint}", key=key, hint=suggest(key, known)) for key in document if key not in known
    ]
    needed = ("name", "version") if "base" in document else ("name", "version", "rule")
    problems += [msg("{key!r} is missing", key=key) for key in needed if key not in document]
    if document.get("level", "nation") not in LEVELS:
        level = document["level"]
        hint = suggest(str(level), LEVELS)
        problems.append(msg("{key} {found} is unknown; {hint}", key="level", found=repr(level), hint=hint))
    tables = document.get("rule", [])
    if not isinstance(tables, list):
        problems.append(msg("'rule' must be a list of tables: write [[rule]]"))
        tables = []
    return tables, problems
