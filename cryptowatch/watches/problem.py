"""What is wrong with a watch list: every problem at its place in the file, with what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to put right.

    Args:
        file: as the user named it.
        line: from 1.
        column: from 1, in characters.
        message: what is wrong, one line.
        hint: what to do, one line; may be empty.
        excerpt: the text in question with a caret below it; may be empty.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.message}"
        if self.hint:
            text += f" — {self.hint}"
        if self.excerpt:
            text += "\n" + "\n".join(f"    {line}" for line in self.excerpt.splitlines())
        return text


class WatchListError(ValueError):
    """A watch list cannot be used; `problems` holds all that were found, in the file's order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, known: Sequence[str]) -> str:
    """The known word that `word` was most likely meant to be; empty when none is near."""
    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else ""


def did_you_mean(word: str, known: Sequence[str], what: str = "one of") -> str:
    """A hint: the nearest known word, or all of them when none is near; empty when there are none."""
    near = nearest(word, known)
    if near:
        return f"did you mean {near!r}?"
    return f"{what} {', '.join(known)}" if known else ""
