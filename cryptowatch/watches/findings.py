"""What was found while a document is read: problems, each at the place of the value it is about."""

from collections.abc import Mapping, Sequence
from typing import Any

from yaml.nodes import ScalarNode

from cryptowatch.watches.document import Document, Path, Place
from cryptowatch.watches.offsets import place_in_scalar
from cryptowatch.watches.problem import Problem, did_you_mean


class Findings:
    """Collects problems of one document, and warnings: what can be used, but is hardly meant.

    Args:
        file: what to call it in messages.
    """

    def __init__(self, document: Document, file: str) -> None:
        self.document = document
        self.file = file
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def value(self, path: Path, message: str, hint: str = "") -> None:
        """Something is wrong with the value at `path`."""
        self.at(self.document.place(path), message, hint)

    def warn(self, path: Path, message: str, hint: str = "") -> None:
        """The value at `path` can be used, but is hardly meant."""
        self.warnings.append(Problem(self.file, *self.document.place(path), message, hint))

    def key(self, path: Path, message: str, hint: str = "") -> None:
        """Something is wrong with the key at `path`."""
        self.at(self.document.key_place(path), message, hint)

    def at(self, place: Place, message: str, hint: str = "", excerpt: str = "") -> None:
        self.problems.append(Problem(self.file, *place, message, hint, excerpt))

    def unknown_keys(self, data: Mapping[str, Any], path: Path, known: Sequence[str], label: str) -> None:
        """Every key of the mapping at `path` that is not a known one, with the nearest that is."""
        for key in data:
            if key not in known:
                hint = did_you_mean(key, known, "the keys are")
                self.key((*path, key), f"unknown key {key!r} in {label}", hint)

    def place_in_text(self, path: Path, offset: int) -> Place:
        """Where the character `offset` of the text at `path` stands in the file."""
        node = self.document.nodes[path]
        assert isinstance(node, ScalarNode)
        return place_in_scalar(self.document.text, node, offset)
