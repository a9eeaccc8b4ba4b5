"""YAML text as plain data that remembers where each part of it stands.

Only what a watch list needs: mappings, lists, texts, numbers, true/false. Nothing is ever constructed from a tag,
and a text that would grow without bound (aliases of aliases), nests deeply or is very long is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

#: Characters of the longest text read; more than a thousand watches.
LONGEST_TEXT = 1_000_000
#: Mappings and lists inside each other at most; a watch list needs three.
DEEPEST = 10
#: Values a text may hold once its aliases are written out; a thousand watches hold about 20,000.
MOST_VALUES = 200_000

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """Line and column, both from 1."""

    line: int
    column: int


class DocumentError(ValueError):
    """The text is no document that can be read; `place` says where that was seen."""

    def __init__(self, message: str, place: Place, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.place, self.hint = message, place, hint


@dataclass
class Document:
    """Plain data, and where it came from.

    Args:
        data: dicts with text keys, lists, str, int, float, bool, None.
        nodes: the YAML node of each value, by its path in `data`.
        keys: the place of each key, by the path of its value.
        repeated: places at which a key was given again, with the path it repeats; the first one counts.
    """

    text: str
    data: Any = None
    nodes: dict[Path, Node] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    repeated: list[tuple[Path, Place]] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """Where the value at `path` stands, or the nearest thing around it that is in the text."""
        while path and path not in self.nodes:
            path = path[:-1]
        return place_of(self.nodes[path].start_mark) if path in self.nodes else Place(1, 1)

    def key_place(self, path: Path) -> Place:
        """Where the key of the value at `path` stands; the value's own place when it has none."""
        return self.keys.get(path) or self.place(path)


def read_document(text: str) -> Document:
    """Read one YAML document.

    Raises:
        DocumentError: not YAML, several documents, tags, aliases without bound, too long or too deep.
    """
    if len(text) > LONGEST_TEXT:
        raise DocumentError(
            f"the file is longer than {LONGEST_TEXT:,} characters",
            Place(1, 1),
            "split it into several files",
        )
    root = _compose(text)
    document = Document(text)
    if root is not None:
        document.data = _Reader(document).read(root, ())
    return document


def place_of(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


class _Composer(yaml.SafeLoader):
    """PyYAML's composer, which does not go deeper than `DEEPEST`."""

    depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
                raise DocumentError("the file is nested too deeply", place_of(mark), _NESTING)
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


_NESTING = "a watch list has recipients and watches, and a watch has plain values and lists"


def _compose(text: str) -> Node | None:
    try:
        loader = _Composer(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "cannot be read"
        if said.startswith("but found another document"):
            said = "a second document begins here"
        raise DocumentError(f"not YAML: {said}", place_of(mark), _syntax_hint(said)) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(before.count("\n") + 1, error.position - before.rfind("\n"))
        message = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise DocumentError(message, place, "remove it") from None


#: What PyYAML says -> what to do about it; the first that fits.
_SYNTAX_HINTS = (
    ("second document", "a watch list is one document: remove the line ---"),
    ("\\t", "indent with spaces, not with tabs"),
    ("mapping values are not allowed", "check the indentation; a text with ': ' in it needs quotes"),
    ("cannot start any token", "put quotes around the text"),
    ("undefined alias", "a text that begins with * needs quotes"),
    ("expected alphabetic or numeric", "a text that begins with * or & needs quotes"),
    ("could not find expected ':'", "a key ends with a colon and a space, like interval: 1h"),
    ("expected ',' or ']'", "close the list with ] and put quotes around texts with special characters"),
    ("expected <block end>", "lines that belong together start in the same column"),
    ("unexpected end of stream", "a quote is not closed"),
)


def _syntax_hint(said: str) -> str:
    return next((hint for part, hint in _SYNTAX_HINTS if part in said), "")


class _Reader:
    """Turns nodes into data, counting what aliases repeat."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._seen = 0
        self._above: list[Node] = []

    def read(self, node: Node, path: Path) -> Any:
        self._seen += 1
        if self._seen > MOST_VALUES or node in self._above:
            raise DocumentError(
                "the file holds too many values once its aliases (*name) are written out",
                place_of(node.start_mark),
                "write less, or split it into several files",
            )
        self._document.nodes[path] = node
        if isinstance(node, ScalarNode):
            return _scalar(node)
        self._above.append(node)
        try:
            if isinstance(node, SequenceNode):
                _refuse_tag(node, "seq")
                return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
            assert isinstance(node, MappingNode)
            _refuse_tag(node, "map")
            return dict(self._pairs(node, path))
        finally:
            self._above.pop()

    def _pairs(self, node: MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        for key_node, value in node.value:
            place = place_of(key_node.start_mark)
            if not isinstance(key_node, ScalarNode):
                raise DocumentError("a key must be plain text", place, "put quotes around it")
            at = (*path, key_node.value)
            if at in self._document.keys:
                self._document.repeated.append((at, place))
                continue
            self._document.keys[at] = place
            yield key_node.value, self.read(value, at)


_TAG = "tag:yaml.org,2002:"
_TRUE = {"true", "yes", "on"}


def _refuse_tag(node: Node, kind: str) -> None:
    if node.tag != _TAG + kind:
        raise DocumentError(
            f"tags like {node.tag.replace(_TAG, '!!')} are not used in a watch list",
            place_of(node.start_mark),
            "remove it",
        )


def _scalar(node: ScalarNode) -> Any:
    """A scalar as YAML 1.1 reads it, but dates and numbers with colons stay the text they were."""
    kind, value = node.tag.removeprefix(_TAG), node.value
    if "\0" in value:  # written as an escape; PostgreSQL stores none
        raise DocumentError(
            "the character U+0000 is not allowed in a watch list", place_of(node.start_mark), "remove it"
        )
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return value.lower() in _TRUE
            case "int" | "float" if ":" not in value:
                return _CONSTRUCT[kind](node)
            case "int" | "float" | "str" | "timestamp" | "merge" | "value":
                return value
    except ValueError:
        return value
    return _refuse_tag(node, "str")


_constructor = yaml.constructor.SafeConstructor()
_CONSTRUCT: Mapping[str, Any] = {
    "int": _constructor.construct_yaml_int,
    "float": _constructor.construct_yaml_float,
}
