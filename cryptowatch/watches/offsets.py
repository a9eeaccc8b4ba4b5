"""Where in a file a character of a YAML text stands.

A YAML text is not what the file holds: quotes and escapes are read, lines are folded, indentation is dropped. What
stays the same is the order of the characters that are no white space, so those are counted.
"""

import re

from yaml.nodes import ScalarNode

from cryptowatch.watches.document import Place

_SINGLE_QUOTED = re.compile(r"''|.", re.DOTALL)
_DOUBLE_QUOTED = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r\n|.)|.", re.DOTALL)
_BARE = re.compile(r".", re.DOTALL)
#: What follows a backslash in a double-quoted text and stands for white space (or for nothing at all).
_ESCAPED_SPACE = frozenset("nrtvfNLP_ \t\r\n")


def place_in_scalar(text: str, node: ScalarNode, position: int) -> Place:
    """The place in `text`, the whole file, of the character at `position` of the node's value."""
    value = node.value
    if not value[position : position + 1].strip():
        inside = value[:position].rstrip()
        if not inside:
            return _place_at(text, node.start_mark.index)
        return _after(text, node, len(inside) - 1)
    return _place_at(text, _index_of(text, node, position))


def _after(text: str, node: ScalarNode, position: int) -> Place:
    line, column = _place_at(text, _index_of(text, node, position))
    return Place(line, column + 1)


def _index_of(text: str, node: ScalarNode, position: int) -> int:
    start, end = node.start_mark.index, node.end_mark.index
    units = _BARE
    if node.style in ("'", '"'):
        units = _SINGLE_QUOTED if node.style == "'" else _DOUBLE_QUOTED
        start, end = start + 1, end - 1
    elif node.style in ("|", ">"):
        start = text.index("\n", start) + 1
    before = sum(1 for character in node.value[:position] if not character.isspace())
    for unit in units.finditer(text, start, end):
        if not _is_space(unit[0]):
            if before == 0:
                return unit.start()
            before -= 1
    return start


def _is_space(unit: str) -> bool:
    if len(unit) == 1 or unit[0] != "\\":
        return unit.isspace()
    if unit[1] in "xuU" and len(unit) > 2:
        return chr(int(unit[2:], 16)).isspace()
    return unit[1] in _ESCAPED_SPACE


def _place_at(text: str, index: int) -> Place:
    before = text[:index]
    return Place(before.count("\n") + 1, index - before.rfind("\n"))
