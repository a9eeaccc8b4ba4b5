"""Names that a watch gives to parts of its rules: written out where they are used, within the limits of one rule."""

import ast
import copy
import keyword
from collections.abc import Iterable

from cryptowatch.indicators import names
from cryptowatch.markets.interval import Interval
from cryptowatch.rules.check import SERIES, Checker
from cryptowatch.rules.errors import RuleError
from cryptowatch.rules.functions import FORMS
from cryptowatch.rules.parse import check_size, parse

#: Names and the texts they stand for, in the order in which they were given: a text may use those before it.
Let = tuple[tuple[str, str], ...]


def parse_with(text: str, let: Let) -> ast.expr:
    """The tree of a rule, names written out. What is wrong with a part that a name stands for is told at the name.

    Raises:
        RuleError: it cannot be read, or is too long or too deep with its names written out.
    """
    known: dict[str, ast.expr] = {}
    for name, meaning in let:
        known[name] = _written_out(meaning, known)
    return _written_out(text, known)


def check_let(let: Let, interval: Interval) -> None:
    """See that the last of these names may be used in rules on `interval`.

    Raises:
        RuleError: the name is taken, or what it stands for cannot be understood.
    """
    name, text = let[-1]
    if name in taken_names() or keyword.iskeyword(name):
        raise RuleError(f"{name!r} has a meaning of its own in rules", text, hint="choose another name")
    Checker(text, interval).node(parse_with(text, let[:-1]))


def used_names(texts: Iterable[str], let: Let) -> set[str]:
    """Which of the names these texts use, themselves or through another one of them."""
    used: set[str] = set()
    for text in texts:
        used |= _names_in(text)
    for name, meaning in reversed(let):
        if name in used:
            used |= _names_in(meaning)
    return used & {name for name, _ in let}


def taken_names() -> set[str]:
    """What rules have a meaning for."""
    return {*SERIES, *names(), *FORMS}


def _names_in(text: str) -> set[str]:
    return {node.id for node in ast.walk(parse(text)) if isinstance(node, ast.Name)}


def _written_out(text: str, known: dict[str, ast.expr]) -> ast.expr:
    tree: ast.expr = _WriteOut(known).visit(parse(text))
    check_size(tree, text)
    return tree


class _WriteOut(ast.NodeTransformer):
    def __init__(self, known: dict[str, ast.expr]) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self._known:
            return node
        meaning = copy.deepcopy(self._known[node.id])
        for part in ast.walk(meaning):
            ast.copy_location(part, node)
        return meaning
