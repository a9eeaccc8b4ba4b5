"""What is wrong with a rule, and where."""

import difflib
from collections.abc import Iterable


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

    @property
    def line(self) -> int:
        """The line of the rule it is on, counted from 1."""
        return self.text.count("\n", 0, self.offset) + 1

    @property
    def column(self) -> int:
        """The column within that line, counted from 1."""
        return self.offset - (self.text.rfind("\n", 0, self.offset) + 1) + 1

    def show(self) -> str:
        """The line of the rule, a caret under the place, and the message."""
        line = self.text.split("\n")[self.line - 1].rstrip("\r")
        pointer = "".join("\t" if character == "\t" else " " for character in line[: self.column - 1]) + "^"
        hint = f" — {self.hint}" if self.hint else ""
        return f"{line}\n{pointer}\n{self.message}{hint}"


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the known name that is most like `name`, or ""."""
    close = difflib.get_close_matches(name[:40].lower(), list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""
