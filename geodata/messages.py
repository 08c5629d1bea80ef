"""Sentences that can be said in any language later.

Checks and flags are made far below the screen, before anybody knows the reader's language. They carry a
:class:`Message`: an English template with named numbers and names. ``reports.language`` finds the template in the
gettext catalogues and fills it in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """A template with its values; ``str()`` gives the English sentence."""

    template: str
    params: tuple[tuple[str, object], ...] = ()

    def render(self, translate: Callable[[str], str]) -> str:
        """Return the sentence, with the template (and those of nested messages) put through ``translate``.

        A tuple of names is joined by the comma of the language.
        """

        def fill(value: object) -> object:
            if isinstance(value, Message):
                return value.render(translate)
            if isinstance(value, tuple):
                return translate(COMMA.template).join(str(fill(item)) for item in value)
            return value

        return translate(self.template).format(**{name: fill(value) for name, value in self.params})

    def __str__(self) -> str:
        return self.render(lambda template: template)


def msg(template: str, /, **params: object) -> Message:
    """Return a :class:`Message`. The name is short because Babel finds translatable text by it."""
    return Message(template, tuple(params.items()))


COMMA = msg(", ")
