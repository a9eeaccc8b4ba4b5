"""What is wrong with a rule, and where."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class RuleError(ValueError):
    """A rule cannot be understood.

    Args:
        message: what is wrong, in one sentence.
        text: the whole rule.
        offset: where it is wrong: characters from the start of the text.
        hint: what to do about it, or "".
    """

    def __init__(self, message: str, text: str, offset: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.offset = min(max(offset, 0), len(text))
        self.hint = hint

    def show(self) -> str:
        """The line of the rule, a caret under the place, and the message."""
        hint = f" — {self.hint}" if self.hint else ""
        return f"{excerpt(self.text, self.offset)}\n{self.message}{hint}"


@dataclass(frozen=True)
class RuleWarning:
    """A rule can be understood, but hardly means what it says.

    Args:
        offset: where: characters from the start of the text.
        hint: what to do about it.
    """

    message: str
    offset: int
    hint: str


def excerpt(text: str, offset: int) -> str:
    """The line of a rule that holds the character `offset`, and a caret under it."""
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:].split("\n", 1)[0].rstrip("\r")
    return line + "\n" + "".join("\t" if one == "\t" else " " for one in line[: offset - start]) + "^"


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the known name that is most like `name`, or ""."""
    close = difflib.get_close_matches(name[:40].lower(), list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""
